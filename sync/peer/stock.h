#ifndef SYNC_PEER_STOCK_H
#define SYNC_PEER_STOCK_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* The stock node's HTTP API, the part we use (protocol.md 8.2).  Pure; any thread. */

/* Texts to be freed by the caller. */
char *stock_url_block(const char *base, uint64_t height); /* /blocks/<height> */
char *stock_url_tip(const char *base);                    /* /block/latest?summary=1 */

struct stock_tip {
    uint64_t height;
    uint8_t hash[32];
};
/* PEER_BAD_ANSWER when the body is not that of /block/latest. */
enum errc stock_tip_parse(const char *body, size_t len, struct stock_tip *out,
                          struct err *err);

#endif
