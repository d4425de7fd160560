#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "daemon/config/conf_hold.h"
#include "daemon/config/conf_list.h"
#include "sync/peer/cidr.h"
#include "sync/peer/url.h"

enum errc conf_list_check(const struct conf_node *n, uint64_t max, struct err *err)
{
    if (n->kind != CONF_LIST && !conf_tree_is_null(n))
        return err_set(err, ERR_INVALID, "wants a list");
    if (n->count > max)
        return err_set(err, ERR_INVALID, "wants at most %" PRIu64 " members", max);
    return ERR_OK;
}

/*
 * A NULL-ended array of what check makes of each member.  check gives the text to keep,
 * in out, which has URL_MAX bytes.
 */
static enum errc take(CONF_SET_ARGS,
                      enum errc (*check)(const char *text, char *out, struct err *err),
                      const char *const **list)
{
    const struct conf_node *n = *at;
    const char **all;
    char text[URL_MAX];
    size_t count = 0;

    if (conf_list_check(n, key->max, err) != ERR_OK)
        return err->code;
    all = conf_hold_alloc(c, n->count + 1, sizeof(char *));
    for (const struct conf_node *m = n->first; m; m = m->next) {
        *at = m;
        if (m->kind != CONF_TEXT)
            return err_set(err, ERR_INVALID, "wants a list of texts");
        if (strlen(m->text) >= sizeof(text))
            return err_set(err, ERR_INVALID, "a text is too long");
        if (check(m->text, text, err) != ERR_OK)
            return err->code;
        for (size_t i = 0; i < count; i++)
            if (strcmp(all[i], text) == 0)
                return err_set(err, ERR_INVALID, "%.100s is listed twice", text);
        all[count++] = conf_hold_text(c, text);
    }
    *list = all;
    return ERR_OK;
}

static enum errc check_peer(const char *text, char *out, struct err *err)
{
    if (url_normalise_base(text, out, err) != ERR_OK)
        return err_wrap(err, "%.60s", text);
    return ERR_OK;
}

static enum errc check_mirror(const char *text, char *out, struct err *err)
{
    size_t n = strlen(text);

    if (url_check(text, err) != ERR_OK)
        return err_wrap(err, "%.60s", text);
    while (text[n - 1] == '/')
        n--;
    memcpy(out, text, n);
    out[n] = '\0';
    return ERR_OK;
}

static enum errc check_network(const char *text, char *out, struct err *err)
{
    struct cidr net;

    if (!cidr_parse(text, &net))
        return err_set(err, ERR_INVALID, "%.60s is no network such as 10.0.0.0/8",
                       text);
    memcpy(out, text, strlen(text) + 1);
    return ERR_OK;
}

static enum errc check_path(const char *text, char *out, struct err *err)
{
    if (text[0] != '/')
        return err_set(err, ERR_INVALID, "%.100s is no absolute path", text);
    memcpy(out, text, strlen(text) + 1);
    return ERR_OK;
}

/* A host's name, which its URL would tell from anything else. */
static enum errc check_seed(const char *text, char *out, struct err *err)
{
    AUTOFREE char *url = xasprintf("ws://%s", text);
    char base[URL_MAX], host[URL_HOST_MAX];
    struct cidr address;

    if (url_normalise_base(url, base, err) != ERR_OK)
        return err_wrap(err, "%.60s", text);
    if (strpbrk(text, ":/[") || cidr_parse_address(text, &address))
        return err_set(err, ERR_INVALID, "%.60s is no host name", text);
    (void)url_host(base, host);
    memcpy(out, host, strlen(host) + 1);
    return ERR_OK;
}

enum errc conf_list_peers(CONF_SET_ARGS)
{
    return take(c, key, at, err, check_peer, &c->engine.peers);
}

enum errc conf_list_networks(CONF_SET_ARGS)
{
    return take(c, key, at, err, check_network, &c->engine.allow_networks);
}

enum errc conf_list_paths(CONF_SET_ARGS)
{
    return take(c, key, at, err, check_path, &c->engine.allow_paths);
}

enum errc conf_list_mirrors(CONF_SET_ARGS)
{
    return take(c, key, at, err, check_mirror, &c->engine.mirrors);
}

enum errc conf_list_seeds(CONF_SET_ARGS)
{
    return take(c, key, at, err, check_seed, &c->engine.dns_seeds);
}
