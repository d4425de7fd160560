#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "sync/p2p/node.h"

/* protocol.md 9.2, with a quarter more for what was squeezed together on its way. */
static const struct budget_rule in_messages = {125, 100};

enum { TIE_MS = 10000 }; /* two that dial each other at once differ by less */

static void news(struct p2p *p, struct conn *c, const uint8_t *hash)
{
    struct p2p_event ev = {.kind = P2P_NEWS, .has_hash = hash != NULL};

    if (hash)
        memcpy(ev.hash, hash, sizeof(ev.hash));
    tell_event(p, c, &ev);
}

static struct conn *same_identity(const struct p2p *p, const struct conn *c,
                                  const uint8_t key[33])
{
    for (size_t i = 0; i < P2P_CONNECTIONS_MAX; i++) {
        struct conn *other = p->conns[i];

        if (other && other != c && other->state == CONN_OPEN &&
            memcmp(other->key, key, sizeof(other->key)) == 0)
            return other;
    }
    return NULL;
}

/*
 * Of two connections to one identity the older stays.  Two nodes that dial each other
 * at the same time may see another order each; then both keep the one that the lesser
 * key dialled.
 */
static bool newcomer_goes(const struct p2p *p, const struct conn *old,
                          const struct conn *new, const uint8_t key[33])
{
    bool ours_is_less = memcmp(p->public, key, sizeof(p->public)) < 0;

    if (old->inbound == new->inbound || p->now_ms - old->since_ms > TIE_MS)
        return true;
    return new->inbound == ours_is_less;
}

/* False: the connection ends. */
static bool is_welcome(struct p2p *p, struct conn *c, const uint8_t key[33])
{
    struct conn *other;

    if (memcmp(key, p->public, sizeof(p->public)) == 0) {
        conn_close(p, c, REASON_CONFLICT, "that is this node itself");
        return false;
    }
    other = same_identity(p, c, key);
    if (other && newcomer_goes(p, other, c, key)) {
        conn_close(p, c, REASON_CONFLICT, "this identity is connected already");
        return false;
    }
    if (other)
        conn_close(p, other, REASON_CONFLICT, "it is connected a second time");
    return true;
}

static void take_self(struct conn *c, const struct message *m)
{
    const char *endpoint = m->u.handshake.api_endpoint;

    c->count = m->u.handshake.height;
    c->api_endpoint[0] = '\0';
    if (endpoint && strlen(endpoint) < sizeof(c->api_endpoint))
        memcpy(c->api_endpoint, endpoint, strlen(endpoint) + 1);
}

static void open_up(struct p2p *p, struct conn *c, const uint8_t key[33],
                    const struct message *m)
{
    struct p2p_event ev = {.kind = P2P_OPENED};

    if (!is_welcome(p, c, key))
        return;
    memcpy(c->key, key, sizeof(c->key));
    take_self(c, m);
    c->state = CONN_OPEN;
    c->opened = true;
    c->pinged_ms = p->now_ms;
    tell_event(p, c, &ev);
    if (c->dialled && c->dialled->request) {
        struct p2p_request *r = TAKE(c->dialled->request);

        r->elapsed_ms = (uint32_t)(p->now_ms - c->since_ms);
        tell_done(p, r);
    }
}

static uint64_t hash_mark(const uint8_t hash[32])
{
    uint64_t mark;

    memcpy(&mark, hash, sizeof(mark));
    return mark;
}

static void take_inv(struct p2p *p, struct conn *c, const struct message *m)
{
    for (size_t i = 0; i < m->u.inventory.count; i++) {
        c->announced[c->announced_next] = hash_mark(m->u.inventory.hashes[i]);
        c->announced_next = (c->announced_next + 1) % CONN_ANNOUNCED;
    }
    if (m->u.inventory.count > 0)
        news(p, c, m->u.inventory.hashes[m->u.inventory.count - 1]);
}

bool talk_announced(const struct conn *c, const uint8_t hash[32])
{
    for (size_t i = 0; i < CONN_ANNOUNCED; i++)
        if (c->announced[i] == hash_mark(hash))
            return true;
    return false;
}

static void handshake_again(struct p2p *p, struct conn *c, const struct message *m)
{
    bool moved = c->count != m->u.handshake.height;

    take_self(c, m);
    if (moved)
        news(p, c, NULL);
}

static void take(struct p2p *p, struct conn *c, const struct message *m)
{
    switch (m->type) {
    case MESSAGE_HANDSHAKE:
        handshake_again(p, c, m);
        break;
    case MESSAGE_INV:
        take_inv(p, c, m);
        break;
    case MESSAGE_PONG:
    case MESSAGE_PEERS:
    case MESSAGE_CHECKPOINT:
    case MESSAGE_CHECKPOINT_PAYLOAD:
    case MESSAGE_CHAIN_RANGE:
    case MESSAGE_BLOCK:
        ask_reply_take(p, c, m);
        break;
    case MESSAGE_PING:
    case MESSAGE_GET_PEERS:
    case MESSAGE_GET_CHECKPOINT:
    case MESSAGE_CHECKPOINT_REQUEST:
    case MESSAGE_GET_CHAIN_RANGE:
    case MESSAGE_GETDATA:
    case MESSAGE_CHUNK_REQUEST:
        serve_message(p, c, m);
        break;
    case MESSAGE_GET_CHAIN: /* all of a chain fits no message: stock breaks there */
    case MESSAGE_CHUNK_RESPONSE: /* nothing of ours asks for chunks over P2P */
    case MESSAGE_OTHER:
        break;
    }
}

/* Signed, new, and by whom this connection belongs to. */
static bool is_genuine(struct p2p *p, struct conn *c, const char *text, size_t len,
                       struct envelope *e)
{
    struct err err;

    if (envelope_open(text, len, clock_now_ms(), p->cfg.testnet, e, &err) != ERR_OK) {
        conn_fail(p, c, err.reason, err.msg);
    } else if (c->state == CONN_OPEN && memcmp(e->key, c->key, sizeof(c->key)) != 0) {
        conn_fault(p, c, REASON_PEER_BAD_ENVELOPE, true,
                   "signed with another key than the handshake");
    } else if (!envelope_seen_add(p->seen, e, p->now_ms)) {
        conn_fail(p, c, REASON_PEER_REPLAY, "a nonce for the second time");
    } else {
        return true;
    }
    return false;
}

static void take_bad(struct p2p *p, struct conn *c, enum message_type type,
                     const struct err *why)
{
    if (c->state == CONN_HANDSHAKING) {
        conn_fail(p, c, why->reason, why->msg);
        return;
    }
    conn_fault(p, c, why->reason, false, why->msg);
    ask_reply_bad(p, c, type, why);
}

static void take_one(struct p2p *p, struct conn *c, const char *text, size_t len)
{
    __attribute__((cleanup(envelope_fini))) struct envelope e = {.doc = NULL};
    struct message m;
    struct err err;

    if (!budget_take(&c->in_messages, &in_messages, 1, p->now_ms)) {
        conn_fail(p, c, REASON_PEER_FLOOD, "more messages than its budget");
        return;
    }
    if (!is_genuine(p, c, text, len, &e))
        return;
    c->message_ms = p->now_ms;
    if (message_parse(e.payload, &m, &err) != ERR_OK) {
        take_bad(p, c, m.type, &err);
    } else if (c->state == CONN_OPEN) {
        take(p, c, &m);
    } else if (m.type == MESSAGE_HANDSHAKE) {
        open_up(p, c, e.key, &m);
    } else {
        conn_fail(p, c, REASON_PEER_NO_HANDSHAKE, "its first message is no handshake");
    }
}

void talk_message(struct p2p *p, struct conn *c, const char *text, size_t len)
{
    const char *message;
    size_t message_len;

    while (c->state != CONN_CLOSING &&
           envelope_next(&text, &len, &message, &message_len))
        take_one(p, c, message, message_len);
}
