#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "daemon/config/conf_hold.h"
#include "daemon/config/conf_place.h"
#include "sync/peer/cidr.h"
#include "sync/peer/url.h"

enum { PATH_TEXT_MAX = 4000 }; /* leaves room for what is put behind data_dir */

const char *const conf_place_levels[4] = {"error", "warn", "info", "debug"};

/* ERR_INVALID unless it is a text that is not empty. */
static enum errc need_text(const struct conf_node *n, const char *what, struct err *err)
{
    if (n->kind != CONF_TEXT || conf_tree_is_null(n) || n->text[0] == '\0')
        return err_set(err, ERR_INVALID, "wants %s", what);
    return ERR_OK;
}

enum errc conf_place_read(const char *path, char **text, size_t *len, struct err *err)
{
    FILE *f = fopen(path, "re");
    size_t n = 0;
    char *bytes;
    bool bad;

    if (!f)
        return err_set(err, ERR_INVALID, "%.120s: %s", path,
                       strerrordesc_np(errno)); /* a constant, unlike strerror's */
    bytes = xcalloc(1, CONF_TEXT_MAX + 2);
    n = fread(bytes, 1, CONF_TEXT_MAX + 1, f);
    bad = ferror(f) != 0;
    (void)fclose(f); /* only read */
    if (bad || n > CONF_TEXT_MAX) {
        free(bytes);
        return err_set(err, ERR_INVALID, "%.120s: %s", path,
                       bad ? "cannot be read" : "over 1 MiB");
    }
    *text = bytes;
    *len = n;
    return ERR_OK;
}

enum errc conf_place_network(CONF_SET_ARGS)
{
    AUTOFREE char *text = NULL;
    const struct chain_params *known;
    struct chain_params parsed;
    size_t len = 0;

    (void)key;
    if (need_text(*at, "testnet, mainnet, or a path", err) != ERR_OK)
        return err->code;
    known = params_find((*at)->text);
    if (known) {
        c->params = *known;
        return ERR_OK;
    }
    if (!strchr((*at)->text, '/'))
        return err_set(
            err, ERR_INVALID,
            "wants testnet, mainnet, or the path, with a /, of a file of chain "
            "parameters");
    if (conf_place_read((*at)->text, &text, &len, err) != ERR_OK ||
        params_parse(text, len, &parsed, err) != ERR_OK)
        return err->code;
    c->params = parsed;
    return ERR_OK;
}

enum errc conf_place_data_dir(CONF_SET_ARGS)
{
    (void)key;
    if (need_text(*at, "a directory", err) != ERR_OK)
        return err->code;
    if (strlen((*at)->text) > PATH_TEXT_MAX)
        return err_set(err, ERR_INVALID, "wants a shorter path");
    c->data_dir = conf_hold_text(c, (*at)->text);
    return ERR_OK;
}

enum errc conf_place_log_level(CONF_SET_ARGS)
{
    (void)key;
    for (unsigned i = 0; i < 4; i++) {
        if ((*at)->kind == CONF_TEXT &&
            strcmp((*at)->text, conf_place_levels[i]) == 0) {
            c->log_level = (enum log_level)i;
            return ERR_OK;
        }
    }
    return err_set(err, ERR_INVALID, "wants error, warn, info or debug");
}

enum errc conf_place_log_format(CONF_SET_ARGS)
{
    (void)c;
    (void)key;
    if ((*at)->kind == CONF_TEXT && strcmp((*at)->text, "logfmt") == 0)
        return ERR_OK;
    return err_set(err, ERR_INVALID, "wants logfmt");
}

static bool is_loopback(const char *host)
{
    struct cidr address, net;

    return cidr_parse_address(host, &address) &&
           cidr_parse(strchr(host, ':') ? "::1/128" : "127.0.0.0/8", &net) &&
           cidr_contains(&net, &address);
}

/* "host:port" or "[::1]:port"; no name but localhost, so nothing is resolved. */
static bool split_listen(const char *text, char host[64], const char **port)
{
    const char *colon = strrchr(text, ':');
    size_t len = colon ? (size_t)(colon - text) : 0;

    if (len == 0 || len >= 64)
        return false;
    *port = colon + 1;
    if (text[0] == '[' && text[len - 1] == ']') {
        text++;
        len -= 2;
    } else if (memchr(text, ':', len)) {
        return false;
    }
    memcpy(host, text, len);
    host[len] = '\0';
    return true;
}

static bool is_port(const char *text)
{
    size_t len = strlen(text);

    return len >= 1 && len <= 5 && strspn(text, "0123456789") == len &&
           strtoul(text, NULL, 10) <= 65535;
}

enum errc conf_place_listen(const char *text, char out[CONF_PLACE_LISTEN],
                            struct err *err)
{
    const char *port;
    char host[64];

    if (!split_listen(text, host, &port) || !is_port(port))
        return err_set(err, ERR_INVALID, "wants an address such as 127.0.0.1:8645");
    if (strcmp(host, "localhost") == 0) { /* who listens takes numbers */
        (void)snprintf(out, CONF_PLACE_LISTEN, "127.0.0.1:%s", port);
        return ERR_OK;
    }
    if (!is_loopback(host))
        return err_set(err, ERR_INVALID,
                       "only on loopback (127.0.0.0/8, [::1], localhost): without TLS "
                       "a token would travel in the clear");
    (void)snprintf(out, CONF_PLACE_LISTEN, "%s", text);
    return ERR_OK;
}

enum errc conf_place_listen_anywhere(const char *text, char out[CONF_PLACE_LISTEN],
                                     struct err *err)
{
    struct cidr address;
    const char *port;
    char host[64];

    if (!split_listen(text, host, &port) || !is_port(port) ||
        !cidr_parse_address(host, &address))
        return err_set(err, ERR_INVALID,
                       "wants a numeric address such as 0.0.0.0:8333 or [::]:8333");
    (void)snprintf(out, CONF_PLACE_LISTEN, "%s", text);
    return ERR_OK;
}

enum errc conf_place_rpc_listen(CONF_SET_ARGS)
{
    char text[CONF_PLACE_LISTEN];

    (void)key;
    if (conf_place_listen((*at)->kind == CONF_TEXT ? (*at)->text : "", text, err))
        return err->code;
    c->rpc.listen = conf_hold_text(c, text);
    return ERR_OK;
}

enum errc conf_place_public_listen(CONF_SET_ARGS)
{
    char text[CONF_PLACE_LISTEN];

    (void)key;
    if (conf_tree_is_null(*at) || ((*at)->kind == CONF_TEXT && (*at)->text[0] == '\0'))
        return ERR_OK; /* off */
    if (conf_place_listen_anywhere((*at)->kind == CONF_TEXT ? (*at)->text : "", text,
                                   err))
        return err->code;
    c->public.listen = conf_hold_text(c, text);
    return ERR_OK;
}

static enum errc set_url(struct config *c, const struct conf_node *n,
                         const char **field, struct err *err)
{
    if (n->kind != CONF_TEXT)
        return err_set(err, ERR_INVALID, "wants a URL");
    if (!conf_tree_is_null(n) && n->text[0] != '\0') {
        if (url_check(n->text, err) != ERR_OK)
            return err->code;
        *field = conf_hold_text(c, n->text);
    }
    return ERR_OK;
}

enum errc conf_place_checkpoint_url(CONF_SET_ARGS)
{
    (void)key;
    return set_url(c, *at, &c->engine.checkpoint_url, err);
}

enum errc conf_place_public_url(CONF_SET_ARGS)
{
    (void)key;
    return set_url(c, *at, &c->engine.public_url, err);
}

enum errc conf_place_file_key(CONF_SET_ARGS)
{
    (void)key;
    if (conf_tree_is_null(*at) || ((*at)->kind == CONF_TEXT && (*at)->text[0] == '\0'))
        return ERR_OK;
    if (need_text(*at, "the path of a file with a Fernet key", err) != ERR_OK)
        return err->code;
    c->engine.file_key = conf_hold_text(c, (*at)->text);
    return ERR_OK;
}
