#ifndef SYNC_PEER_GROUPS_H
#define SYNC_PEER_GROUPS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "sync/peer/url.h"

/*
 * Whose network an address is in: by its prefix (trust.md's diversity rule: IPv4 /16,
 * IPv6 /32) and, where the operator has a database, by its AS.  Reads only once open;
 * any thread.
 */
struct groups;

struct groups_place {
    char group[URL_GROUP_MAX]; /* "198.51.0.0/16" */
    uint32_t as_number;        /* 0: unknown */
};

/* asn_database: path of an MMDB file whose records have autonomous_system_number; NULL
   or "": none.  INVALID says what is wrong with it. */
enum errc groups_open(const char *asn_database, struct groups **out, struct err *err);
void groups_close(struct groups *g);
DEFINE_CLEANUP(struct groups, groups_close)

/* False if ip is no numeric address.  A lookup that fails leaves the AS unknown. */
bool groups_of(const struct groups *g, const char *ip, struct groups_place *out);

/*
 * Where the host of a URL will be, before anybody connects to it: as groups_of when
 * numeric; a name is put in a group of its own kind, "name:example.org", by its last
 * two labels, since whoever has a domain makes any number of names below it.
 */
void groups_of_url(const struct groups *g, const char *url, struct groups_place *out);

/* Of one network: the same group, or the same AS when both are known. */
bool groups_same(const struct groups_place *a, const struct groups_place *b);

#endif
