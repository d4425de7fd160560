#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "sync/p2p/node.h"

enum { BACKLOG = 128, ACCEPTS = 16 };

/* "127.0.0.1:8333", "[::]:8333" */
static bool parse(const char *text, struct cidr *address, uint16_t *port)
{
    const char *colon = strrchr(text, ':');
    size_t len = colon ? (size_t)(colon - text) : 0;
    bool brackets = len > 2 && text[0] == '[' && text[len - 1] == ']';
    char host[64], *end;
    unsigned long n;

    if (len == 0 || len >= sizeof(host) || colon[1] < '0' || colon[1] > '9')
        return false;
    (void)snprintf(host, sizeof(host), "%.*s", (int)(brackets ? len - 2 : len),
                   text + (brackets ? 1 : 0));
    n = strtoul(colon + 1, &end, 10);
    *port = (uint16_t)n;
    return *end == '\0' && n <= UINT16_MAX && cidr_parse_address(host, address) &&
           cidr_is_ipv4(address) == !brackets;
}

static void note_address(struct p2p *p)
{
    struct sockaddr_storage at = {0};
    socklen_t len = sizeof(at);
    struct cidr address;
    uint16_t port;
    char ip[46];

    if (getsockname(p->listen_fd, (struct sockaddr *)&at, &len) != 0 ||
        !sock_address_take(&at, &address, &port))
        return;
    sock_address_text(&address, ip);
    (void)snprintf(p->address, sizeof(p->address),
                   cidr_is_ipv4(&address) ? "%s:%u" : "[%s]:%u", ip, (unsigned)port);
}

static bool watch(struct p2p *p)
{
    struct epoll_event ev = {.events = EPOLLIN, .data.u64 = P2P_LISTEN_ID};

    p->accepting = epoll_ctl(p->epoll_fd, EPOLL_CTL_ADD, p->listen_fd, &ev) == 0;
    return p->accepting;
}

enum errc p2p_listen_open(struct p2p *p, struct err *err)
{
    struct sockaddr_storage at = {0};
    struct cidr address;
    uint16_t port;
    socklen_t len;
    int on = 1;

    if (!parse(p->cfg.listen, &address, &port))
        return err_set(err, ERR_INVALID, "%.60s is no address and port", p->cfg.listen);
    len = sock_address_put(&address, port, &at);
    p->listen_fd = socket(at.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (p->listen_fd < 0 ||
        setsockopt(p->listen_fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
        bind(p->listen_fd, (struct sockaddr *)&at, len) != 0 ||
        listen(p->listen_fd, BACKLOG) != 0 || !watch(p))
        return err_errno(err, "cannot listen on %.60s", p->cfg.listen);
    note_address(p);
    return ERR_OK;
}

static void take_in(struct p2p *p, int fd, const struct sockaddr_storage *from)
{
    struct cidr address;
    struct conn *c = NULL;
    uint16_t port;
    int on = 1;

    if (sock_address_take(from, &address, &port) && p2p_admit_address(p, &address))
        c = conn_create(p);
    if (!c) {
        (void)close(fd);
        return;
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    c->inbound = true;
    conn_attach(p, c, fd, &address, port);
    conn_begin(p, c);
    conn_step(p, c);
}

void p2p_listen_accept(struct p2p *p)
{
    for (int i = 0; i < ACCEPTS; i++) {
        struct sockaddr_storage from = {0};
        socklen_t len = sizeof(from);
        int fd = accept4(p->listen_fd, (struct sockaddr *)&from, &len,
                         SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd >= 0) {
            take_in(p, fd, &from);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
                   errno == ENOMEM) {
            /* Who waits stays ready to be taken: not looked at till the next tick. */
            (void)epoll_ctl(p->epoll_fd, EPOLL_CTL_DEL, p->listen_fd, NULL);
            p->accepting = false;
            return;
        } else if (errno != ECONNABORTED && errno != EINTR) {
            return;
        }
    }
}

void p2p_listen_resume(struct p2p *p)
{
    if (p->listen_fd >= 0 && !p->accepting)
        (void)watch(p);
}
