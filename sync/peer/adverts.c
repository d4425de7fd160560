#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "sync/peer/adverts.h"

void adverts_free(struct adverts *a)
{
    free(a);
}

static bool is_allowed(const struct cidr *address, const struct adverts_allow *allow)
{
    for (size_t i = 0; i < allow->count; i++)
        if (cidr_contains(&allow->networks[i], address))
            return true;
    return false;
}

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text), end_len = strlen(end);

    return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

/* A name without a dot, and those of RFC 6761 and 6762, are of the local network. */
static bool is_local_name(const char *host)
{
    return !strchr(host, '.') || ends_with(host, ".localhost") ||
           ends_with(host, ".local") || ends_with(host, ".internal");
}

enum errc adverts_check(const char *uri, const struct adverts_allow *allow,
                        char out[URL_WS_MAX], struct err *err)
{
    char base[URL_MAX], host[URL_HOST_MAX];
    struct cidr address;
    bool local;

    if (url_normalise_base(uri, base, err) != ERR_OK)
        return err->code;
    if (strlen(base) >= URL_WS_MAX)
        return err_set(err, ERR_INVALID, "an advertised URL has at most %d characters",
                       URL_WS_MAX - 1);
    if (!url_host(base, host))
        return err_set(err, ERR_INVALID, "the URL has no host");
    if (cidr_parse_address(host, &address))
        local = url_address_is_local(host) && !is_allowed(&address, allow);
    else
        local = is_local_name(host);
    if (local)
        return err_fail(err, REASON_SOURCE_FORBIDDEN, "%.60s is a local address", host);
    memcpy(out, base, strlen(base) + 1);
    return ERR_OK;
}

bool adverts_may_tell(const char *url, const char *ip)
{
    const struct adverts_allow nobody = {0};
    const char *path = strstr(url, "://");
    char out[URL_WS_MAX];
    struct err err;

    return ip[0] != '\0' && !url_address_is_local(ip) && path &&
           !strchr(path + 3, '/') && adverts_check(url, &nobody, out, &err) == ERR_OK;
}

static bool is_listed(const struct adverts *a, const char *url)
{
    for (size_t i = 0; i < a->count; i++)
        if (strcmp(a->urls[i], url) == 0)
            return true;
    return false;
}

static void take(struct adverts *a, const struct json *v,
                 const struct adverts_allow *allow)
{
    char url[URL_WS_MAX];
    const char *uri;
    struct err err;

    if (a->count == ADVERTS_MAX || !json_text(v, &uri) ||
        adverts_check(uri, allow, url, &err) != ERR_OK) {
        a->refused++;
        return;
    }
    if (!is_listed(a, url))
        memcpy(a->urls[a->count++], url, sizeof(url));
}

enum errc adverts_parse(const char *text, size_t len, const struct adverts_allow *allow,
                        struct adverts **out, struct err *err)
{
    const struct json_limits limits = {
        .max_bytes = ADVERTS_BYTES_MAX, .max_nodes = 1U << 14, .max_depth = 8};
    CLEANUP(json_free) struct json_doc *doc = NULL;
    const struct json *list;
    struct adverts *a;

    if (json_parse(text, len, &limits, &doc, err) != ERR_OK) {
        const struct err cause = *err;

        return err_fail(err, REASON_PEER_BAD_ANSWER, "list of peers: %.180s",
                        cause.msg);
    }
    list = json_root(doc);
    if (list->type == JSON_OBJECT)
        list = json_get(list, "peers");
    if (!list || list->type != JSON_ARRAY)
        return err_fail(err, REASON_PEER_BAD_ANSWER, "list of peers: there is no list");
    a = xcalloc(1, sizeof(*a));
    for (const struct json *v = list->first; v; v = v->next)
        take(a, v, allow);
    *out = a;
    return ERR_OK;
}
