#include <errno.h>
#include <maxminddb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "sync/peer/cidr.h"
#include "sync/peer/groups.h"

struct groups {
    bool has_db;
    MMDB_s db;
};

/* The editions with AS numbers in them; another one would say "unknown" of everybody,
   and the operator would believe that peers were told apart. */
static bool has_as_numbers(const char *type)
{
    return type && (strcasestr(type, "ASN") || strcasestr(type, "ISP") ||
                    strcasestr(type, "Enterprise"));
}

static enum errc open_database(const char *path, struct groups *g, struct err *err)
{
    int rc = MMDB_open(path, MMDB_MODE_MMAP, &g->db);

    if (rc == MMDB_FILE_OPEN_ERROR || rc == MMDB_IO_ERROR)
        return err_set(err, ERR_INVALID, "p2p.asn_database: %.150s: %s", path,
                       strerrordesc_np(errno));
    if (rc != MMDB_SUCCESS)
        return err_set(err, ERR_INVALID, "p2p.asn_database: %.120s: %s", path,
                       MMDB_strerror(rc));
    g->has_db = true;
    if (!has_as_numbers(g->db.metadata.database_type))
        return err_set(err, ERR_INVALID,
                       "p2p.asn_database: %.100s is of type %.40s, which has no AS "
                       "numbers",
                       path, g->db.metadata.database_type);
    return ERR_OK;
}

enum errc groups_open(const char *asn_database, struct groups **out, struct err *err)
{
    CLEANUP(groups_close) struct groups *g = xcalloc(1, sizeof(*g));

    if (asn_database && asn_database[0] != '\0' &&
        open_database(asn_database, g, err) != ERR_OK)
        return err->code;
    *out = TAKE(g);
    return ERR_OK;
}

void groups_close(struct groups *g)
{
    if (!g)
        return;
    if (g->has_db)
        MMDB_close(&g->db);
    free(g);
}

static uint32_t number_of(const MMDB_lookup_result_s *found)
{
    MMDB_entry_s entry = found->entry;
    MMDB_entry_data_s data;

    if (!found->found_entry || MMDB_get_value(&entry, &data, "autonomous_system_number",
                                              (char *)NULL) != MMDB_SUCCESS)
        return 0;
    if (!data.has_data)
        return 0;
    if (data.type == MMDB_DATA_TYPE_UINT32)
        return data.uint32;
    return data.type == MMDB_DATA_TYPE_UINT16 ? data.uint16 : 0;
}

static uint32_t look_up(const struct groups *g, const struct cidr *address)
{
    struct sockaddr_in in4 = {.sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    bool ipv4 = cidr_is_ipv4(address);
    const void *at = ipv4 ? (const void *)&in4 : (const void *)&in6;
    MMDB_lookup_result_s found;
    int rc;

    memcpy(&in4.sin_addr, address->bytes + 12, 4);
    memcpy(&in6.sin6_addr, address->bytes, 16);
    found = MMDB_lookup_sockaddr(&g->db, at, &rc);
    return rc == MMDB_SUCCESS ? number_of(&found) : 0;
}

bool groups_of(const struct groups *g, const char *ip, struct groups_place *out)
{
    struct groups_place place = {0};
    struct cidr address;

    if (!url_network_group(ip, place.group) || !cidr_parse_address(ip, &address))
        return false;
    if (g && g->has_db)
        place.as_number = look_up(g, &address);
    *out = place;
    return true;
}

void groups_of_url(const struct groups *g, const char *url, struct groups_place *out)
{
    const char *label, *before;
    char host[URL_HOST_MAX];

    if (!url_host(url, host))
        host[0] = '\0';
    if (groups_of(g, host, out))
        return;
    label = strrchr(host, '.');
    before = label ? memrchr(host, '.', (size_t)(label - host)) : NULL;
    *out = (struct groups_place){0};
    (void)snprintf(out->group, sizeof(out->group), "name:%.40s",
                   before ? before + 1 : host);
}

bool groups_same(const struct groups_place *a, const struct groups_place *b)
{
    return strcmp(a->group, b->group) == 0 ||
           (a->as_number != 0 && a->as_number == b->as_number);
}
