#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "sync/p2p/node.h"

static void append(struct conn *c, struct ask *a)
{
    struct ask **at = &c->asks;

    while (*at)
        at = &(*at)->next;
    *at = a;
}

void ask_begin(struct p2p *p, struct p2p_request *r)
{
    struct conn *c = conn_find(p, r->conn);
    struct ask *a;

    if (!c || c->state != CONN_OPEN) {
        (void)err_fail(&r->err, REASON_PEER_UNREACHABLE, "the peer is not connected");
        tell_done(p, r);
        return;
    }
    a = xcalloc(1, sizeof(*a));
    a->r = r;
    a->started_ms = p->now_ms;
    a->deadline_ms = p->now_ms + r->timeout_ms;
    append(c, a);
    ask_pump(p, c);
    ws_send(p, c);
    conn_watch(p, c);
}

void ask_finish(struct p2p *p, struct conn *c, struct ask *a)
{
    struct ask **at = &c->asks;

    while (*at != a)
        at = &(*at)->next;
    *at = a->next;
    a->r->elapsed_ms = (uint32_t)(p->now_ms - a->started_ms);
    tell_done(p, a->r);
    free(a);
}

static bool send_hash(struct p2p *p, struct conn *c, struct ask *a)
{
    CLEANUP_BUF struct buf payload = BUF(ENVELOPE_MAX);
    message_put_hashes(MESSAGE_GETDATA, a->r->hash, 1, &payload);
    if (!post_message(p, c, &payload))
        return false;
    /* What it does not have it passes over in silence: its pong tells us. */
    if (post_plain(p, c, MESSAGE_PING))
        a->ping = ++c->pings;
    return true;
}

bool ask_send_range(struct p2p *p, struct conn *c, struct ask *a, uint64_t offset)
{
    CLEANUP_BUF struct buf payload = BUF(ENVELOPE_MAX);

    a->offset = offset;
    message_put_get_range(offset, 1, &payload);
    return post_message(p, c, &payload);
}

static bool send_ask(struct p2p *p, struct conn *c, struct ask *a)
{
    CLEANUP_BUF struct buf payload = BUF(ENVELOPE_MAX);

    switch (a->r->ask) {
    case P2P_BLOCK_AT:
        return ask_send_range(p, c, a, a->r->height);
    case P2P_TIP:
        return ask_send_range(p, c, a, c->count > 0 ? c->count - 1 : 0);
    case P2P_BLOCK:
        return send_hash(p, c, a);
    case P2P_PEERS:
        message_put_plain(MESSAGE_GET_PEERS, &payload);
        break;
    case P2P_CHECKPOINT:
        message_put_plain(MESSAGE_GET_CHECKPOINT, &payload);
        break;
    case P2P_PAYLOAD:
        message_put_checkpoint_request(true, &payload);
        break;
    case P2P_DIAL:
        return false; /* never here: it has no connection */
    }
    return post_message(p, c, &payload);
}

/* The first ones are on their way, the others wait for their turn. */
void ask_pump(struct p2p *p, struct conn *c)
{
    struct ask *a = c->asks;

    for (unsigned n = 0; a && n < CONN_ASKS_IN_FLIGHT; n++, a = a->next)
        if (!a->sent)
            a->sent = send_ask(p, c, a);
}

static void note_late(struct conn *c, const struct ask *a)
{
    switch (a->r->ask) {
    case P2P_BLOCK_AT:
    case P2P_TIP:
        c->late_ranges++;
        break;
    case P2P_BLOCK:
        c->late_blocks++;
        break;
    case P2P_PAYLOAD:
        c->late_payloads++;
        break;
    case P2P_DIAL:
    case P2P_PEERS:
    case P2P_CHECKPOINT:
        break;
    }
}

void ask_tick(struct p2p *p, struct conn *c)
{
    struct ask *next;

    for (struct ask *a = c->asks; a; a = next) {
        next = a->next;
        if (p->now_ms < a->deadline_ms)
            continue;
        if (a->sent)
            note_late(c, a);
        (void)err_fail(&a->r->err, REASON_PEER_TIMEOUT, "no answer in %" PRIu32 " ms",
                       a->r->timeout_ms);
        ask_finish(p, c, a);
    }
    ask_pump(p, c);
}

void ask_end_all(struct p2p *p, struct conn *c, enum reason reason, const char *why)
{
    while (c->asks) {
        (void)err_fail(&c->asks->r->err,
                       reason == REASON_SHUTTING_DOWN ? reason
                                                      : REASON_PEER_UNREACHABLE,
                       "%s", why);
        ask_finish(p, c, c->asks);
    }
}
