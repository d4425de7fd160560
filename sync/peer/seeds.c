#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <stdio.h>
#include <string.h>

#include "sync/peer/seeds.h"

/* Two tries of two seconds a server: the daemon's end must not wait for a resolver. */
enum { TRIES = 2, TRY_SECONDS = 2 };

static bool is_listed(const struct seeds *s, const char *url)
{
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->urls[i], url) == 0)
            return true;
    return false;
}

static void take(const struct addrinfo *at, bool tls, const struct adverts_allow *allow,
                 struct seeds *s)
{
    char ip[INET6_ADDRSTRLEN], uri[INET6_ADDRSTRLEN + 16], url[URL_WS_MAX];
    struct sockaddr_in6 in6;
    struct sockaddr_in in4;
    struct err err;

    if (at->ai_family == AF_INET6) {
        memcpy(&in6, at->ai_addr, sizeof(in6));
        (void)inet_ntop(AF_INET6, &in6.sin6_addr, ip, sizeof(ip));
    } else {
        memcpy(&in4, at->ai_addr, sizeof(in4));
        (void)inet_ntop(AF_INET, &in4.sin_addr, ip, sizeof(ip));
    }
    (void)snprintf(uri, sizeof(uri), at->ai_family == AF_INET6 ? "%s[%s]" : "%s%s",
                   tls ? "wss://" : "ws://", ip);
    if (s->count == SEEDS_MAX || adverts_check(uri, allow, url, &err) != ERR_OK)
        s->refused++;
    else if (!is_listed(s, url))
        memcpy(s->urls[s->count++], url, sizeof(url));
}

enum errc seeds_resolve(const char *name, bool tls, const struct adverts_allow *allow,
                        struct seeds *out, struct err *err)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    int rc;

    if (res_init() == 0) { /* this thread's own */
        _res.retry = TRIES;
        _res.retrans = TRY_SECONDS;
    }
    rc = getaddrinfo(name, NULL, &hints, &list);
    if (rc != 0)
        return err_fail(err, REASON_SOURCE_UNREACHABLE, "DNS seed %.100s: %s", name,
                        gai_strerror(rc));
    *out = (struct seeds){0};
    for (const struct addrinfo *at = list; at; at = at->ai_next)
        if (at->ai_family == AF_INET || at->ai_family == AF_INET6)
            take(at, tls, allow, out);
    freeaddrinfo(list);
    return ERR_OK;
}
