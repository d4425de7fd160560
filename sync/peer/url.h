#ifndef SYNC_PEER_URL_H
#define SYNC_PEER_URL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* Addresses of peers and sources.  Pure; any thread. */
enum {
    URL_MAX = 2048,
    URL_HOST_MAX = 256,
    URL_GROUP_MAX = 48,
    URL_WS_MAX = 256,   /* of a ws:// URL, its end included */
    URL_WS_PORT = 8333, /* XAI's P2P port where none is said (protocol.md 9.1) */
};

/* http or https, a host, no credentials, no fragment.  ERR_INVALID says what is wrong.
 */
enum errc url_check(const char *url, struct err *err);

/* A peer's base: checked, trailing slashes cut, host lower-cased.  Also ws and wss, of
   which nothing but host and port is kept, the port always. */
enum errc url_normalise_base(const char *url, char out[URL_MAX], struct err *err);
bool url_is_ws(const char *url); /* by its scheme alone */

bool url_host(const char *url, char out[URL_HOST_MAX]);
unsigned url_port(const char *url); /* said or the scheme's own; 0 of what is no URL */

/* Network group of a numeric address: "127.1.0.0/16", "2001:db8::/32".  IPv4-mapped
   IPv6 is IPv4.  False if text is no numeric address. */
bool url_network_group(const char *ip, char out[URL_GROUP_MAX]);

/* Loopback, link-local, private, multicast, unspecified: where a URL from a peer may
   not lead.  True too when text is no numeric address. */
bool url_address_is_local(const char *ip);

#endif
