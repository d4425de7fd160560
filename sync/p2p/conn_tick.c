#include "sync/p2p/node.h"

static void tick_open(struct p2p *p, struct conn *c)
{
    int64_t now = p->now_ms;

    if (c->pong_due && now - c->pinged_ms >= p->cfg.times.pong) {
        conn_close(p, c, REASON_PEER_TIMEOUT, "it does not answer pings");
        return;
    }
    if (now - c->message_ms >= p->cfg.times.idle) {
        conn_close(p, c, REASON_PEER_TIMEOUT, "it says nothing");
        return;
    }
    if (!c->pong_due && now - c->pinged_ms >= p->cfg.times.ping) {
        c->pinged_ms = now;
        c->pong_due = true;
        ws_ping(c);
    }
    if (now - c->announced_ms >= p->cfg.times.announce)
        post_handshake(p, c);
    ask_tick(p, c);
}

static void out_of_time(struct p2p *p, struct conn *c)
{
    switch (c->state) {
    case CONN_RESOLVING:
    case CONN_CONNECTING:
        conn_close(p, c, REASON_PEER_TIMEOUT, "it cannot be connected to in time");
        break;
    case CONN_TLS:
    case CONN_UPGRADING:
    case CONN_HANDSHAKING:
        conn_fail(p, c, REASON_PEER_NO_HANDSHAKE, "no handshake in time");
        break;
    case CONN_CLOSING:
        conn_kill(p, c);
        break;
    case CONN_OPEN:
        break;
    }
}

void conn_tick(struct p2p *p, struct conn *c)
{
    if (c->state != CONN_OPEN && p->now_ms >= c->deadline_ms)
        out_of_time(p, c);
    else if (c->partial_ms > 0 && p->now_ms - c->partial_ms >= p->cfg.times.partial)
        conn_fail(p, c, REASON_PEER_TIMEOUT, "a message that does not end");
    else if (c->state == CONN_OPEN)
        tick_open(p, c);
    if (c->state == CONN_OPEN || c->state == CONN_HANDSHAKING)
        ws_send(p, c);
    conn_watch(p, c);
}

void conn_tick_forgive(struct p2p *p, struct conn *c)
{
    c->heard_ms = c->message_ms = c->pinged_ms = p->now_ms;
    c->pong_due = false;
    if (c->partial_ms > 0)
        c->partial_ms = p->now_ms;
    if (c->state == CONN_TLS || c->state == CONN_UPGRADING ||
        c->state == CONN_HANDSHAKING)
        c->deadline_ms = p->now_ms + p->cfg.times.handshake;
}
