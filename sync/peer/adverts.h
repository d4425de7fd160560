#ifndef SYNC_PEER_ADVERTS_H
#define SYNC_PEER_ADVERTS_H

#include <stddef.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "sync/peer/cidr.h"
#include "sync/peer/url.h"

/*
 * Addresses that others name: stock's GET /peers ({"count":..,"peers":[uri,..],..},
 * protocol.md 8.2) and the P2P message `peers`, an array of URIs (9.4).  What is none
 * we could use is left out and counted.  Pure; any thread.
 */
enum {
    ADVERTS_MAX = 256,             /* of one list; the rest is left out */
    ADVERTS_BYTES_MAX = 256 << 10, /* of its text */
};

struct adverts_allow { /* local networks that may be named all the same */
    const struct cidr *networks;
    size_t count;
};

struct adverts {
    size_t count, refused;
    char urls[ADVERTS_MAX][URL_WS_MAX]; /* normalised, each once */
};
void adverts_free(struct adverts *a);
DEFINE_CLEANUP(struct adverts, adverts_free)

/* PEER_BAD_ANSWER when the text is no such list. */
enum errc adverts_parse(const char *text, size_t len, const struct adverts_allow *allow,
                        struct adverts **out, struct err *err);

/*
 * One address: http, https, ws or wss, a name with a dot or a number that is not local,
 * a port.  INVALID says what is wrong, SOURCE_FORBIDDEN that it is local; a name is
 * looked at again when it is resolved (sync/peer/dial.h).
 */
enum errc adverts_check(const char *uri, const struct adverts_allow *allow,
                        char out[URL_WS_MAX], struct err *err);

/*
 * May strangers be told of the peer at this base URL, which was last connected to at ip
 * ("": never)?  Not of what is local by its name or its address, also where it is
 * allowed to us: it is of no use to them, and tells of the operator's network.  Nor of
 * a path, which may be a secret between the operator and that peer.
 */
bool adverts_may_tell(const char *url, const char *ip);

#endif
