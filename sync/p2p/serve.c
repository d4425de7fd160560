#include <string.h>

#include "sync/p2p/node.h"

/*
 * What others ask of us.  Each answer that looks into a database costs of a budget
 * beside that of bytes; what is over it, or does not fit the queue of a peer that does
 * not read, is met with silence and a fault.
 */
static const struct budget_rule served = {MESSAGE_HASHES_MAX, 60};
enum { KINDS = 2 }; /* of answers about checkpoints: metadata, and payloads */

static void answer(struct p2p *p, struct conn *c, enum message_type type,
                   const struct buf *value)
{
    CLEANUP_BUF struct buf payload = BUF(ENVELOPE_MAX);

    if (value->full || value->len == 0)
        return;
    message_put_value(type, value->data, value->len, &payload);
    if (!post_answer(p, c, &payload))
        conn_fault(p, c, REASON_PEER_FLOOD, false, "it asks for more than it reads");
}

static bool may_ask(struct p2p *p, struct conn *c)
{
    if (c->state != CONN_OPEN)
        return false;
    if (budget_take(&c->served, &served, 1, p->now_ms))
        return true;
    conn_fault(p, c, REASON_PEER_FLOOD, false, "it asks for more than its budget");
    return false;
}

/* That of its address, or of its IPv6 network; else that which rested longest. */
static struct budget *allowance_of(struct p2p *p, const struct conn *c)
{
    enum { IPV4 = 128, IPV6 = 64 };
    struct cidr at = cidr_around(&c->address, cidr_is_ipv4(&c->address) ? IPV4 : IPV6);
    struct allowance *oldest = p->allowances;

    for (size_t i = 0; i < ALLOWANCES_MAX; i++) {
        struct allowance *a = &p->allowances[i];

        if (a->told.at_ms > 0 &&
            memcmp(a->address.bytes, at.bytes, sizeof(at.bytes)) == 0)
            return &a->told;
        if (a->told.at_ms < oldest->told.at_ms)
            oldest = a;
    }
    *oldest = (struct allowance){.address = at};
    return &oldest->told;
}

/* As much as all the connections that an address may have could ask for. */
static bool is_within_allowance(struct p2p *p, const struct conn *c)
{
    double all = KINDS * (double)p->cfg.max_inbound_per_ip,
           seconds = p->cfg.request_rate_seconds;
    struct budget_rule rule = {all, seconds > 0 ? all / seconds : all};

    return !c->inbound || budget_take(allowance_of(p, c), &rule, 1, p->now_ms);
}

/* One checkpoint, and one payload, in so many seconds. */
static bool is_due(struct p2p *p, struct conn *c, int64_t *next_ms)
{
    if (p->now_ms < *next_ms || !is_within_allowance(p, c)) {
        conn_fault(p, c, REASON_PEER_FLOOD, false, "it asks for checkpoints too often");
        return false;
    }
    *next_ms = p->now_ms + (int64_t)p->cfg.request_rate_seconds * 1000;
    return true;
}

static void serve_peers(struct p2p *p, struct conn *c)
{
    CLEANUP_BUF struct buf value = BUF(ANSWER_MAX);

    if (p->answers.peers(p->answers.arg, &value))
        answer(p, c, MESSAGE_PEERS, &value);
}

static void serve_checkpoint(struct p2p *p, struct conn *c)
{
    CLEANUP_BUF struct buf value = BUF(ANSWER_MAX);

    if (!is_due(p, c, &c->checkpoint_ms))
        return;
    if (!p->answers.checkpoint(p->answers.arg, &value)) {
        buf_reset(&value);
        buf_puts(&value, "null");
    }
    answer(p, c, MESSAGE_CHECKPOINT, &value);
}

static void serve_payload(struct p2p *p, struct conn *c, const struct message *m)
{
    CLEANUP_BUF struct buf value = BUF(ANSWER_MAX);
    const uint64_t *height =
        m->u.checkpoint_request.has_height ? &m->u.checkpoint_request.height : NULL;

    if (m->u.checkpoint_request.want_payload && is_due(p, c, &c->payload_ms) &&
        p->answers.payload(p->answers.arg, height, ANSWER_MAX, &value))
        answer(p, c, MESSAGE_CHECKPOINT_PAYLOAD, &value);
}

static void serve_range(struct p2p *p, struct conn *c, const struct message *m)
{
    CLEANUP_BUF struct buf value = BUF(ANSWER_MAX);
    uint64_t limit = m->u.get_chain_range.limit;

    if (limit > MESSAGE_RANGE_MAX)
        limit = MESSAGE_RANGE_MAX;
    if (p->answers.range(p->answers.arg, m->u.get_chain_range.offset, limit, ANSWER_MAX,
                         &value))
        answer(p, c, MESSAGE_CHAIN_RANGE, &value);
}

static void serve_data(struct p2p *p, struct conn *c, const struct message *m)
{
    for (size_t i = 0; i < m->u.inventory.count && may_ask(p, c); i++) {
        CLEANUP_BUF struct buf value = BUF(ANSWER_MAX);

        if (p->answers.block(p->answers.arg, m->u.inventory.hashes[i], ANSWER_MAX,
                             &value))
            answer(p, c, MESSAGE_BLOCK, &value);
    }
}

static void serve_chunk(struct p2p *p, struct conn *c, const struct message *m)
{
    CLEANUP_BUF struct buf value = BUF(ANSWER_MAX);

    if (p->answers.chunk(p->answers.arg, m->u.chunk_request.snapshot_id,
                         m->u.chunk_request.index, ANSWER_MAX, &value))
        answer(p, c, MESSAGE_CHUNK_RESPONSE, &value);
}

void serve_message(struct p2p *p, struct conn *c, const struct message *m)
{
    if (m->type == MESSAGE_PING)
        (void)post_plain(p, c, MESSAGE_PONG); /* full: it does not read anyway */
    else if (m->type == MESSAGE_GETDATA)
        serve_data(p, c, m);
    else if (!may_ask(p, c))
        return;
    else if (m->type == MESSAGE_GET_PEERS)
        serve_peers(p, c);
    else if (m->type == MESSAGE_GET_CHECKPOINT)
        serve_checkpoint(p, c);
    else if (m->type == MESSAGE_CHECKPOINT_REQUEST)
        serve_payload(p, c, m);
    else if (m->type == MESSAGE_GET_CHAIN_RANGE)
        serve_range(p, c, m);
    else if (m->type == MESSAGE_CHUNK_REQUEST)
        serve_chunk(p, c, m);
}
