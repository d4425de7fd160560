#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "sync/p2p/node.h"

/* The rules of trust.md for a URL that a peer named, on the very address. */
static bool may_connect(const struct p2p *p, const struct conn *c,
                        const struct cidr *address, struct err *err)
{
    char ip[46];

    sock_address_text(address, ip);
    if (!c->dialled->hostile || !url_address_is_local(ip))
        return true;
    for (size_t i = 0; i < p->cfg.allow_count; i++)
        if (cidr_contains(&p->allow[i], address))
            return true;
    (void)err_fail(err, REASON_SOURCE_FORBIDDEN,
                   "%s is a local address, and it was not the operator who named it",
                   ip);
    return false;
}

/* A socket that is connected or about to be; -1. */
static int connect_to(const struct cidr *address, uint16_t port, struct err *err)
{
    struct sockaddr_storage at = {0};
    socklen_t len = sock_address_put(address, port, &at);
    int fd = socket(at.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int on = 1;

    if (fd >= 0 && (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0) &&
        (connect(fd, (struct sockaddr *)&at, len) == 0 || errno == EINPROGRESS))
        return fd;
    (void)err_fail(err, REASON_PEER_UNREACHABLE, "cannot connect: %s",
                   strerrordesc_np(errno));
    if (fd >= 0)
        (void)close(fd);
    return -1;
}

static void drop_socket(struct conn *c)
{
    if (c->fd >= 0)
        (void)close(c->fd); /* and epoll forgets it */
    c->fd = -1;
}

/* The next of its addresses; last: what was wrong with the one before. */
static void dial_next(struct p2p *p, struct conn *c, const struct err *last)
{
    struct dialled *d = c->dialled;
    struct err err = *last;

    drop_socket(c);
    while (d->next < d->count) {
        const struct cidr *address = &d->addresses[d->next++];
        int fd;

        if (!may_connect(p, c, address, &err))
            continue;
        fd = connect_to(address, d->url.port, &err);
        if (fd < 0)
            continue;
        c->state = CONN_CONNECTING;
        conn_attach(p, c, fd, address, d->url.port);
        conn_watch(p, c);
        return;
    }
    conn_close(p, c, err.reason, err.msg);
}

static void resolve(struct p2p *p, struct conn *c)
{
    struct dialled *d = c->dialled;
    struct err err;
    struct lookup *l;

    (void)err_fail(&err, REASON_PEER_UNREACHABLE, "its name leads nowhere");
    if (cidr_parse_address(d->url.host, &d->addresses[0])) {
        d->count = 1;
        dial_next(p, c, &err);
        return;
    }
    l = xcalloc(1, sizeof(*l));
    l->id = c->id;
    memcpy(l->host, d->url.host, sizeof(l->host));
    if (!resolver_submit(p->resolver, l)) {
        free(l);
        conn_close(p, c, REASON_BUSY, "too many names are being looked up");
    }
}

void p2p_dial_begin(struct p2p *p, struct p2p_request *r)
{
    struct conn *c;
    struct ws_url url;

    if (ws_url_parse(r->url, &url, &r->err) != ERR_OK) {
        tell_done(p, r);
        return;
    }
    c = conn_create(p);
    if (!c) {
        (void)err_fail(&r->err, REASON_BUSY, "all connections are in use");
        tell_done(p, r);
        return;
    }
    c->dialled = xcalloc(1, sizeof(*c->dialled));
    c->dialled->request = r;
    c->dialled->url = url;
    c->dialled->hostile = r->hostile;
    (void)snprintf(c->dialled->text, sizeof(c->dialled->text), "%s", r->url);
    c->deadline_ms = p->now_ms + r->timeout_ms;
    c->state = CONN_RESOLVING;
    r->conn = c->id;
    resolve(p, c);
}

void p2p_dial_resolved(struct p2p *p, struct lookup *l)
{
    struct conn *c = conn_find(p, l->id);
    struct err err;

    (void)err_fail(&err, REASON_PEER_UNREACHABLE, "its name leads nowhere");
    if (c && c->state == CONN_RESOLVING) {
        memcpy(c->dialled->addresses, l->addresses, sizeof(l->addresses));
        c->dialled->count = l->count;
        dial_next(p, c, &err);
    }
    free(l);
}

void p2p_dial_connected(struct p2p *p, struct conn *c)
{
    struct err err;
    socklen_t len = sizeof(int);
    int error = 0;

    if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
        error = errno;
    if (error == 0) {
        conn_begin(p, c);
        return;
    }
    (void)err_fail(&err, REASON_PEER_UNREACHABLE, "cannot connect: %s",
                   strerrordesc_np(error));
    dial_next(p, c, &err);
}
