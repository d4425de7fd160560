#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rpc/listen.h"

enum { BACKLOG = 128 };

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static bool read_port(const char *text, in_port_t *out)
{
    size_t len = strspn(text, "0123456789");
    unsigned long port;

    if (len < 1 || len > 5 || text[len] != '\0')
        return false;
    port = strtoul(text, NULL, 10);
    if (port > 65535)
        return false;
    *out = htons((in_port_t)port);
    return true;
}

/* The part of "host:port" or "[host]:port" before the port. */
static bool read_host(const char *text, const char *colon, union address *out,
                      socklen_t *len)
{
    char host[INET6_ADDRSTRLEN];
    bool v6 = text[0] == '[' && colon > text + 1 && colon[-1] == ']';
    size_t skip = v6 ? 1 : 0, n = (size_t)(colon - text) - 2 * skip;

    if (n >= sizeof(host))
        return false;
    memcpy(host, text + skip, n);
    host[n] = '\0';
    *out = (union address){0};
    if (v6) {
        out->v6.sin6_family = AF_INET6;
        *len = sizeof(out->v6);
        return inet_pton(AF_INET6, host, &out->v6.sin6_addr) == 1;
    }
    out->v4.sin_family = AF_INET;
    *len = sizeof(out->v4);
    return inet_pton(AF_INET, host, &out->v4.sin_addr) == 1;
}

static bool is_loopback(const union address *a)
{
    if (a->any.sa_family == AF_INET6)
        return IN6_IS_ADDR_LOOPBACK(&a->v6.sin6_addr);
    return ntohl(a->v4.sin_addr.s_addr) >> 24 == 127;
}

static enum errc parse(const struct listen_at *at, union address *out, socklen_t *len,
                       struct err *err)
{
    const char *text = at->address, *colon = strrchr(text, ':');
    in_port_t port;

    if (!colon || !read_host(text, colon, out, len) || !read_port(colon + 1, &port))
        return err_set(err, ERR_INVALID,
                       "%s: %.80s: 127.0.0.1:8645 or [::1]:8645 expected", at->key,
                       text);
    if (at->loopback && !is_loopback(out))
        return err_set(err, ERR_INVALID,
                       "%s: %.80s: not a loopback address; there is no TLS, use "
                       "a tunnel or a proxy on this machine",
                       at->key, text);
    if (out->any.sa_family == AF_INET6)
        out->v6.sin6_port = port;
    else
        out->v4.sin_port = port;
    return ERR_OK;
}

static void write_address(const union address *a, char out[LISTEN_TEXT])
{
    char host[INET6_ADDRSTRLEN] = "";

    if (a->any.sa_family == AF_INET6) {
        inet_ntop(AF_INET6, &a->v6.sin6_addr, host, sizeof(host));
        (void)snprintf(out, LISTEN_TEXT, "[%s]:%u", host, ntohs(a->v6.sin6_port));
    } else {
        inet_ntop(AF_INET, &a->v4.sin_addr, host, sizeof(host));
        (void)snprintf(out, LISTEN_TEXT, "%s:%u", host, ntohs(a->v4.sin_port));
    }
}

enum errc listen_open(const struct listen_at *at, int *fd, char bound[LISTEN_TEXT],
                      struct err *err)
{
    union address a = {0};
    socklen_t len = 0;
    int s, on = 1;
    enum errc rc = parse(at, &a, &len, err);

    if (rc)
        return rc;
    s = socket(a.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (s < 0)
        return err_errno(err, "%s: %.80s", at->key, at->address);
    /* A restart must not wait for the last run's connections to time out. */
    if (setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
        bind(s, &a.any, len) != 0 || listen(s, BACKLOG) != 0 ||
        getsockname(s, &a.any, &len) != 0) {
        (void)err_errno(err, "%s: %.80s", at->key, at->address);
        (void)close(s);
        return err->code;
    }
    write_address(&a, bound);
    *fd = s;
    return ERR_OK;
}
