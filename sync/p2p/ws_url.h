#ifndef SYNC_P2P_WS_URL_H
#define SYNC_P2P_WS_URL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "sync/p2p/p2p.h"
#include "sync/peer/url.h"

/* "ws://host:port/path" and "wss://..": what a P2P peer is dialled by.  The rules of
   url.h hold for what follows the scheme.  Pure; any thread. */
struct ws_url {
    bool tls;
    char host[URL_HOST_MAX]; /* lower case, no brackets */
    uint16_t port;           /* 80 or 443 when none is said */
    char authority[P2P_URL_MAX];
    char path[P2P_URL_MAX]; /* "/" when none */
};

/* ERR_INVALID says what is wrong. */
enum errc ws_url_parse(const char *text, struct ws_url *out, struct err *err);

#endif
