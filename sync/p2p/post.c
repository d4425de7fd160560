#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "sync/p2p/node.h"

/*
 * What we send keeps within the budget that stock's receiver has (protocol.md 9.2), or
 * it would cut us off: a little slower than it refills.
 */
static const struct budget_rule out_bytes = {ENVELOPE_MAX, 100000};
static const struct budget_rule out_messages = {80, 80};

static bool push(struct p2p *p, struct conn *c, const char *text, size_t len)
{
    struct parcel *parcel;

    if (c->out_bytes + len > CONN_OUT_MAX)
        return false;
    parcel = xcalloc(1, sizeof(*parcel) + len);
    parcel->len = len;
    memcpy(parcel->text, text, len);
    if (c->out_last)
        c->out_last->next = parcel;
    else
        c->out_first = parcel;
    c->out_last = parcel;
    c->out_bytes += len;
    p->out_total += len;
    return true;
}

static struct parcel *pop(struct p2p *p, struct conn *c)
{
    struct parcel *parcel = c->out_first;

    c->out_first = parcel->next;
    if (!c->out_first)
        c->out_last = NULL;
    c->out_bytes -= parcel->len;
    p->out_total -= parcel->len;
    return parcel;
}

bool post_answer(struct p2p *p, struct conn *c, const struct buf *payload)
{
    return p->out_total + payload->len <= OUT_TOTAL_MAX && post_message(p, c, payload);
}

bool post_message(struct p2p *p, struct conn *c, const struct buf *payload)
{
    CLEANUP_BUF struct buf sealed = BUF(ENVELOPE_MAX);

    envelope_seal(p->key, payload->data, payload->len, clock_now_ms(), &sealed);
    return !payload->full && !sealed.full && push(p, c, sealed.data, sealed.len);
}

bool post_plain(struct p2p *p, struct conn *c, enum message_type type)
{
    CLEANUP_BUF struct buf payload = BUF(ENVELOPE_MAX);

    message_put_plain(type, &payload);
    return type == MESSAGE_PONG ? post_answer(p, c, &payload)
                                : post_message(p, c, &payload);
}

void post_handshake(struct p2p *p, struct conn *c)
{
    CLEANUP_BUF struct buf payload = BUF(ENVELOPE_MAX);
    struct message_self self = {.node_id = p->node_id,
                                .api_endpoint = p->api_endpoint,
                                .height = p->answers.count(p->answers.arg)};

    message_put_handshake(&self, &payload);
    (void)post_message(p, c, &payload); /* full: it is told later */
    c->announced_ms = p->now_ms;
}

/* One envelope for all: a nonce counts once for each receiver. */
void post_announce(struct p2p *p, const uint8_t hash[32])
{
    CLEANUP_BUF struct buf payload = BUF(ENVELOPE_MAX), sealed = BUF(ENVELOPE_MAX);

    message_put_hashes(MESSAGE_INV, hash, 1, &payload);
    envelope_seal(p->key, payload.data, payload.len, clock_now_ms(), &sealed);
    for (size_t i = 0; i < P2P_CONNECTIONS_MAX; i++) {
        struct conn *c = p->conns[i];

        if (c && c->state == CONN_OPEN && push(p, c, sealed.data, sealed.len))
            ws_send(p, c);
        if (c && c->state == CONN_OPEN)
            conn_watch(p, c);
    }
}

struct parcel *post_next(struct p2p *p, struct conn *c)
{
    if (!c->out_first)
        return NULL;
    if (!budget_has(&c->out_messages, &out_messages, 1, p->now_ms) ||
        !budget_take(&c->out_sent, &out_bytes, (double)c->out_first->len, p->now_ms)) {
        p->hurry = true;
        return NULL;
    }
    (void)budget_take(&c->out_messages, &out_messages, 1, p->now_ms);
    return pop(p, c);
}

void post_clear(struct p2p *p, struct conn *c)
{
    while (c->out_first)
        free(pop(p, c));
}
