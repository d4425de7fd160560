#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "sync/chain/header.h"
#include "sync/p2p/node.h"

enum { TIP_TRIES = 4 }; /* a tip that moves while it is asked for */

static struct ask *first_of(const struct conn *c, enum p2p_ask kind)
{
    for (struct ask *a = c->asks; a; a = a->next)
        if (a->sent && a->r->ask == kind)
            return a;
    return NULL;
}

static void take_body(struct p2p_request *r, const struct json *v)
{
    struct buf body = BUF(2UL * ENVELOPE_MAX);

    json_write(v, JSON_CANON, &body);
    r->body_len = body.len;
    r->body = buf_take(&body);
}

static void unasked(struct p2p *p, struct conn *c, unsigned *late, const char *what)
{
    if (*late > 0)
        (*late)--; /* asked for, and given up on: slow is no fault of this kind */
    else
        conn_fault(p, c, REASON_PEER_BAD_MESSAGE, false, what);
}

/* --- chain_range --- */

static struct ask *asked_range(const struct conn *c, uint64_t offset)
{
    for (struct ask *a = c->asks; a; a = a->next)
        if (a->sent && (a->r->ask == P2P_BLOCK_AT || a->r->ask == P2P_TIP) &&
            a->offset == offset)
            return a;
    return NULL;
}

/* False: the tip is elsewhere by now, and was asked for again. */
static bool tip_answered(struct p2p *p, struct conn *c, struct ask *a,
                         const struct message *m)
{
    struct p2p_request *r = a->r;
    uint64_t total = m->u.chain_range.total;
    const struct json *block = m->u.chain_range.blocks->first;
    struct header header;

    if (total > 0 && total - 1 != a->offset && a->sent < TIP_TRIES) {
        a->sent++;
        c->count = total;
        return !ask_send_range(p, c, a, total - 1);
    }
    if (!block) {
        (void)err_fail(&r->err, REASON_NOT_FOUND, "it has no blocks");
    } else if (header_parse(block, &header, &r->err) == ERR_OK) {
        c->count = header.height + 1;
        r->height = header.height;
        memcpy(r->hash, header.hash, sizeof(r->hash));
        take_body(r, block);
    }
    return true;
}

static void take_range(struct p2p *p, struct conn *c, const struct message *m)
{
    struct ask *a = asked_range(c, m->u.chain_range.offset);

    if (!a) {
        unasked(p, c, &c->late_ranges, "blocks that were not asked for");
        return;
    }
    if (a->r->ask == P2P_TIP) {
        if (tip_answered(p, c, a, m))
            ask_finish(p, c, a);
        return;
    }
    if (m->u.chain_range.blocks->first)
        take_body(a->r, m->u.chain_range.blocks->first);
    else
        (void)err_fail(&a->r->err, REASON_NOT_FOUND, "it has no block there");
    ask_finish(p, c, a);
}

/* --- block --- */

static void take_block(struct p2p *p, struct conn *c, const struct message *m)
{
    struct header header;
    struct err err;

    if (header_parse(m->u.block, &header, &err) != ERR_OK) {
        char why[160];

        (void)snprintf(why, sizeof(why), "a block that is none: %.120s", err.msg);
        conn_fault(p, c, REASON_PEER_BAD_MESSAGE, false, why);
        return;
    }
    for (struct ask *a = c->asks; a; a = a->next)
        if (a->sent && a->r->ask == P2P_BLOCK &&
            memcmp(a->r->hash, header.hash, sizeof(header.hash)) == 0) {
            take_body(a->r, m->u.block);
            ask_finish(p, c, a);
            return;
        }
    if (!talk_announced(c,
                        header.hash)) /* stock sends a block after its inv, unasked */
        unasked(p, c, &c->late_blocks, "a block that was not asked for");
}

/* The pong to the ping that follows getdata on its heels: the block did not come
   before it. */
static void take_pong(struct p2p *p, struct conn *c)
{
    if (c->pongs == c->pings)
        return; /* nobody asked */
    c->pongs++;
    for (struct ask *a = c->asks; a; a = a->next)
        if (a->sent && a->r->ask == P2P_BLOCK && a->ping == c->pongs) {
            (void)err_fail(&a->r->err, REASON_NOT_FOUND, "it has no such block");
            ask_finish(p, c, a);
            return;
        }
}

/* --- the others --- */

static void take_peers(struct p2p *p, struct conn *c, const struct message *m)
{
    struct ask *a = first_of(c, P2P_PEERS);
    struct buf body = BUF(ENVELOPE_MAX);

    if (!a)
        return;
    buf_puts(&body, "[");
    for (size_t i = 0; i < m->u.peers.count; i++) {
        const char *uri = m->u.peers.uris[i];

        buf_puts(&body, i > 0 ? "," : "");
        json_write_string(uri, strlen(uri), &body);
    }
    buf_puts(&body, "]");
    a->r->body_len = body.len;
    a->r->body = buf_take(&body);
    ask_finish(p, c, a);
}

static void take_checkpoint(struct p2p *p, struct conn *c, const struct message *m)
{
    struct ask *a = first_of(c, P2P_CHECKPOINT);
    struct p2p_claim *claim;

    if (!a)
        return;
    claim = &a->r->claim;
    a->r->has_claim = m->u.checkpoint.some;
    claim->height = m->u.checkpoint.height;
    claim->own = m->u.checkpoint.own;
    memcpy(claim->block_hash, m->u.checkpoint.block_hash, sizeof(claim->block_hash));
    if (m->u.checkpoint.url && strlen(m->u.checkpoint.url) < sizeof(claim->url))
        memcpy(claim->url, m->u.checkpoint.url, strlen(m->u.checkpoint.url) + 1);
    ask_finish(p, c, a);
}

static void take_payload(struct p2p *p, struct conn *c, const struct message *m)
{
    struct ask *a = first_of(c, P2P_PAYLOAD);

    if (!a) {
        unasked(p, c, &c->late_payloads, "a payload that was not asked for");
        return;
    }
    take_body(a->r, m->u.checkpoint_payload);
    ask_finish(p, c, a);
}

/* What a message of that type would have answered. */
static struct ask *first_for(const struct conn *c, enum message_type type)
{
    struct ask *tip;

    if (type == MESSAGE_PEERS)
        return first_of(c, P2P_PEERS);
    if (type == MESSAGE_CHECKPOINT)
        return first_of(c, P2P_CHECKPOINT);
    if (type == MESSAGE_CHECKPOINT_PAYLOAD)
        return first_of(c, P2P_PAYLOAD);
    if (type != MESSAGE_CHAIN_RANGE)
        return NULL;
    tip = first_of(c, P2P_TIP);
    return tip ? tip : first_of(c, P2P_BLOCK_AT);
}

void ask_reply_bad(struct p2p *p, struct conn *c, enum message_type type,
                   const struct err *why)
{
    struct ask *a = first_for(c, type);

    if (!a)
        return;
    a->r->err = *why;
    ask_finish(p, c, a);
    if (c->state == CONN_OPEN)
        ask_pump(p, c);
}

void ask_reply_take(struct p2p *p, struct conn *c, const struct message *m)
{
    if (m->type == MESSAGE_CHAIN_RANGE)
        take_range(p, c, m);
    else if (m->type == MESSAGE_BLOCK)
        take_block(p, c, m);
    else if (m->type == MESSAGE_PONG)
        take_pong(p, c);
    else if (m->type == MESSAGE_PEERS)
        take_peers(p, c, m);
    else if (m->type == MESSAGE_CHECKPOINT)
        take_checkpoint(p, c, m);
    else if (m->type == MESSAGE_CHECKPOINT_PAYLOAD)
        take_payload(p, c, m);
    if (c->state == CONN_OPEN)
        ask_pump(p, c);
}
