#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "sync/p2p/node.h"

static ssize_t over_tls(struct conn *c, enum tls_result result, const size_t *done)
{
    switch (result) {
    case TLS_OK:
        return (ssize_t)*done;
    case TLS_WANT_WRITE:
        c->tls_wants_write = true;
        return SOCK_LATER;
    case TLS_WANT_READ:
        return SOCK_LATER;
    case TLS_ENDED:
    case TLS_FAILED:
        break;
    }
    return SOCK_ENDED;
}

static ssize_t over_tcp(ssize_t n)
{
    if (n > 0)
        return n;
    return n < 0 && (errno == EAGAIN || errno == EINTR) ? SOCK_LATER : SOCK_ENDED;
}

ssize_t sock_read(struct conn *c, void *bytes, size_t len)
{
    size_t done = 0;

    c->tls_wants_write = false;
    if (c->tls)
        return over_tls(c, tls_read(c->tls, bytes, len, &done), &done);
    return over_tcp(recv(c->fd, bytes, len, 0));
}

ssize_t sock_write(struct conn *c, const void *bytes, size_t len)
{
    size_t done = 0;

    c->tls_wants_write = false;
    if (c->tls)
        return over_tls(c, tls_write(c->tls, bytes, len, &done), &done);
    return over_tcp(send(c->fd, bytes, len, MSG_NOSIGNAL));
}

void sock_address_text(const struct cidr *address, char out[46])
{
    bool ipv4 = cidr_is_ipv4(address);

    (void)inet_ntop(ipv4 ? AF_INET : AF_INET6, address->bytes + (ipv4 ? 12 : 0), out,
                    46);
}

socklen_t sock_address_put(const struct cidr *address, uint16_t port,
                           struct sockaddr_storage *out)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};

    if (cidr_is_ipv4(address)) {
        memcpy(&in.sin_addr, address->bytes + 12, 4);
        memcpy(out, &in, sizeof(in));
        return sizeof(in);
    }
    memcpy(&in6.sin6_addr, address->bytes, 16);
    memcpy(out, &in6, sizeof(in6));
    return sizeof(in6);
}

bool sock_address_take(const struct sockaddr_storage *from, struct cidr *address,
                       uint16_t *port)
{
    struct cidr c = {.bits = 128, .bytes = {[10] = 0xff, [11] = 0xff}};
    struct sockaddr_in in;
    struct sockaddr_in6 in6;

    if (from->ss_family == AF_INET) {
        memcpy(&in, from, sizeof(in));
        memcpy(c.bytes + 12, &in.sin_addr, 4);
        *port = ntohs(in.sin_port);
    } else if (from->ss_family == AF_INET6) {
        memcpy(&in6, from, sizeof(in6));
        memcpy(c.bytes, &in6.sin6_addr, 16);
        *port = ntohs(in6.sin6_port);
    } else {
        return false;
    }
    *address = c;
    return true;
}
