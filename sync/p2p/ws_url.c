#include <stdio.h>
#include <string.h>

#include "sync/p2p/ws_url.h"

/* base is normalised by url.h: a port in it is a number in range. */
static uint16_t port_of(const char *authority, bool tls)
{
    const char *bracket = strrchr(authority, ']');
    const char *colon = strrchr(bracket ? bracket : authority, ':');

    if (!colon)
        return tls ? 443 : 80;
    return (uint16_t)strtoul(colon + 1, NULL, 10);
}

enum errc ws_url_parse(const char *text, struct ws_url *out, struct err *err)
{
    char base[URL_MAX], as_http[P2P_URL_MAX + 8];
    const char *authority;
    bool tls = strncasecmp(text, "wss://", 6) == 0;
    size_t len;

    if (strlen(text) >= P2P_URL_MAX)
        return err_set(err, ERR_INVALID, "a peer's URL has at most %d characters",
                       P2P_URL_MAX - 1);
    if (!tls && strncasecmp(text, "ws://", 5) != 0)
        return err_set(err, ERR_INVALID, "the URL does not start with ws:// or wss://");
    (void)snprintf(as_http, sizeof(as_http), "%s%s", tls ? "https" : "http",
                   text + (tls ? 3 : 2));
    if (url_normalise_base(as_http, base, err) != ERR_OK)
        return err->code;
    *out = (struct ws_url){.tls = tls};
    (void)url_host(base, out->host);
    authority = strstr(base, "://") + 3;
    len = strcspn(authority, "/");
    (void)snprintf(out->authority, sizeof(out->authority), "%.*s", (int)len, authority);
    (void)snprintf(out->path, sizeof(out->path), "%.255s",
                   authority[len] != '\0' ? authority + len : "/");
    out->port = port_of(out->authority, tls);
    return ERR_OK;
}
