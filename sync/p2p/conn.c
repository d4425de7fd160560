#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/mem.h"
#include "sync/p2p/node.h"

enum {
    CLOSE_NORMAL = 1000, /* RFC 6455, 7.4.1 */
    CLOSE_AWAY = 1001,
    CLOSE_POLICY = 1008,
};

/* So many faults that are no lies, and one a minute, before it is dropped. */
static const struct budget_rule faults = {16, 1.0 / 60};
static const struct budget_rule strangers = {20, 10};

struct conn *conn_create(struct p2p *p)
{
    size_t slot = 0;
    struct conn *c;

    while (slot < P2P_CONNECTIONS_MAX && p->conns[slot])
        slot++;
    if (slot == P2P_CONNECTIONS_MAX)
        return NULL;
    c = xcalloc(1, sizeof(*c));
    c->id = ++p->serial * CONN_SLOTS + slot;
    c->fd = -1;
    c->in = BUF(UPGRADE_HEAD_MAX);
    c->head_out = BUF(UPGRADE_HEAD_MAX);
    c->since_ms = p->now_ms;
    p->conns[slot] = c;
    p->conn_count++;
    return c;
}

struct conn *conn_find(struct p2p *p, uint64_t id)
{
    size_t slot = id % CONN_SLOTS;
    struct conn *c = slot < P2P_CONNECTIONS_MAX ? p->conns[slot] : NULL;

    return c && c->id == id ? c : NULL;
}

void conn_free(struct p2p *p, struct conn *c)
{
    post_clear(p, c);
    ws_free(c->ws);
    tls_link_free(c->tls);
    if (c->fd >= 0)
        (void)close(c->fd);
    buf_fini(&c->in);
    buf_fini(&c->head_out);
    free(c->dialled);
    p->conns[c->id % CONN_SLOTS] = NULL;
    p->conn_count--;
    free(c);
}

static uint32_t interest(const struct conn *c)
{
    bool writes = c->tls_wants_write;

    switch (c->state) {
    case CONN_RESOLVING:
        return 0;
    case CONN_CONNECTING:
        return EPOLLOUT;
    case CONN_TLS:
        break;
    case CONN_UPGRADING:
        writes = writes || c->head_sent < c->head_out.len;
        break;
    case CONN_HANDSHAKING:
    case CONN_OPEN:
    case CONN_CLOSING:
        writes = writes || ws_wants_write(c);
        break;
    }
    return writes ? EPOLLIN | EPOLLOUT : EPOLLIN;
}

void conn_watch(struct p2p *p, struct conn *c)
{
    struct epoll_event ev = {.data.u64 = c->id};

    if (c->fd < 0 || c->dead)
        return;
    ev.events = interest(c);
    if (ev.events == c->interest)
        return;
    if (epoll_ctl(p->epoll_fd, EPOLL_CTL_MOD, c->fd, &ev) != 0)
        abort(); /* a descriptor that is watched: a bug */
    c->interest = ev.events;
}

void conn_attach(struct p2p *p, struct conn *c, int fd, const struct cidr *address,
                 uint16_t port)
{
    struct epoll_event ev = {.data.u64 = c->id, .events = EPOLLIN};

    c->fd = fd;
    c->address = *address;
    c->port = port;
    sock_address_text(address, c->ip);
    if (epoll_ctl(p->epoll_fd, EPOLL_CTL_ADD, fd, &ev) != 0)
        abort(); /* memory (docs/adr/0001), or the system's limit of watches */
    c->interest = ev.events;
}

void conn_begin(struct p2p *p, struct conn *c)
{
    bool tls = c->dialled ? c->dialled->url.tls : !p->cfg.testnet;
    int64_t deadline = p->now_ms + p->cfg.times.handshake;

    if (c->deadline_ms == 0 || deadline < c->deadline_ms)
        c->deadline_ms = deadline;
    c->heard_ms = c->message_ms = c->pinged_ms = p->now_ms;
    if (tls)
        c->tls =
            tls_link_create(p->tls, c->fd, c->dialled ? c->dialled->url.host : NULL);
    c->state = tls ? CONN_TLS : CONN_UPGRADING;
    if (c->dialled) {
        upgrade_key(c->dialled->key);
        upgrade_put_request(c->dialled->url.authority, c->dialled->url.path,
                            c->dialled->key, &c->head_out);
    }
}

static uint16_t close_code(enum reason reason)
{
    if (reason == REASON_SHUTTING_DOWN || reason == REASON_BUSY)
        return CLOSE_AWAY;
    return reason == REASON_CANCELLED || reason == REASON_CONFLICT ||
                   reason == REASON_PEER_UNREACHABLE || reason == REASON_PEER_TIMEOUT
               ? CLOSE_NORMAL
               : CLOSE_POLICY;
}

static void tell(struct p2p *p, struct conn *c, enum p2p_event_kind kind,
                 enum reason reason, const char *why)
{
    struct p2p_event ev = {.kind = kind, .reason = reason};

    (void)snprintf(ev.detail, sizeof(ev.detail), "%.159s", why);
    tell_event(p, c, &ev);
}

void conn_close(struct p2p *p, struct conn *c, enum reason reason, const char *why)
{
    if (c->state == CONN_CLOSING)
        return;
    c->state = CONN_CLOSING;
    c->deadline_ms = p->now_ms + p->cfg.times.close;
    if (c->dialled && c->dialled->request) {
        struct p2p_request *r = TAKE(c->dialled->request);

        (void)err_fail(&r->err, reason, "%s", why);
        r->elapsed_ms = (uint32_t)(p->now_ms - c->since_ms);
        tell_done(p, r);
    }
    ask_end_all(p, c, reason, why);
    if (c->opened)
        tell(p, c, P2P_CLOSED, reason, why);
    c->opened = false;
    post_clear(p, c);
    if (c->ws && !ws_ended(c))
        ws_end(c, close_code(reason));
    else
        conn_kill(p, c);
    conn_watch(p, c);
}

void conn_kill(struct p2p *p, struct conn *c)
{
    c->dead = true;
    p->reap = true;
}

void conn_fault(struct p2p *p, struct conn *c, enum reason reason, bool lie,
                const char *detail)
{
    struct p2p_event ev = {.kind = P2P_FAULT, .reason = reason, .lie = lie};

    if (c->state == CONN_CLOSING)
        return;
    (void)snprintf(ev.detail, sizeof(ev.detail), "%.159s", detail);
    if (c->opened || budget_take(&p->strangers, &strangers, 1, p->now_ms))
        tell_event(p, c, &ev);
    if (lie || !budget_take(&c->faults, &faults, 1, p->now_ms))
        conn_close(p, c, reason, detail);
}

void conn_fail(struct p2p *p, struct conn *c, enum reason reason, const char *why)
{
    conn_fault(p, c, reason, false, why);
    conn_close(p, c, reason, why);
}
