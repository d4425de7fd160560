#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "daemon/cli/cli_where.h"
#include "daemon/config/conf_place.h"

enum { LINE_MAX_BYTES = 512 };

static const char *variable(const char *name)
{
    const char *text = getenv(name); /* NOLINT(concurrency-mt-unsafe): one thread */

    return text && text[0] != '\0' ? text : NULL;
}

/* The first line of a small file of the data directory; NULL, errno set, if there is
   none. */
static char *read_line(const char *data_dir, const char *name)
{
    AUTOFREE char *path = xasprintf("%s/%s", data_dir, name);
    char line[LINE_MAX_BYTES] = "";
    FILE *f = fopen(path, "re");
    char *got;

    if (!f)
        return NULL;
    got = fgets(line, sizeof(line), f);
    (void)fclose(f); /* only read */
    line[strcspn(line, "\n")] = '\0';
    errno = ENODATA;
    return got && line[0] != '\0' ? xstrdup(line) : NULL;
}

static enum errc find_token(const char *data_dir, char **out, struct err *err)
{
    const char *given = variable("CAIRN_TOKEN");

    if (given) {
        if (strpbrk(given, "\r\n"))
            return err_set(err, ERR_INVALID, "CAIRN_TOKEN holds a line break");
        *out = xstrdup(given);
        return ERR_OK;
    }
    if (!data_dir)
        return err_set(err, ERR_INVALID,
                       "where is the daemon? give --data-dir DIR or --config FILE, or "
                       "set CAIRN_DATA_DIR, or CAIRN_TOKEN and CAIRN_RPC");
    *out = read_line(data_dir, "rpc.cookie");
    if (*out)
        return ERR_OK;
    if (errno == EACCES)
        return err_set(err, ERR_NET,
                       "%.120s/rpc.cookie may not be read: run this as the daemon's "
                       "user, or set CAIRN_TOKEN",
                       data_dir);
    return err_set(err, ERR_NET,
                   "there is no %.120s/rpc.cookie: no daemon runs with this data "
                   "directory",
                   data_dir);
}

static enum errc find_address(const char *given, const char *data_dir,
                              const struct config *config, char **out, struct err *err)
{
    AUTOFREE char *text = NULL;
    char address[CONF_PLACE_LISTEN];

    if (!given)
        given = variable("CAIRN_RPC");
    if (given)
        text = xstrdup(given);
    else if (data_dir)
        text = read_line(data_dir, "rpc.address");
    if (!text)
        text = xstrdup(config ? config->rpc.listen : "127.0.0.1:8645");
    if (conf_place_listen(text, address, err) != ERR_OK)
        return err_wrap(err, "the RPC address %.60s", text);
    *out = xstrdup(address);
    return ERR_OK;
}

enum errc cli_where_find(const struct cli_where_hints *hints, struct cli_where *out,
                         struct err *err)
{
    CLEANUP(config_free) struct config *config = NULL;
    const char *data_dir = hints->data_dir;

    if (!data_dir)
        data_dir = variable("CAIRN_DATA_DIR");
    if (hints->config) {
        const struct config_flags flags = {
            .file = hints->config,
            .data_dir = data_dir,
            .environment = (const char *const *)environ,
        };

        if (config_load(&flags, &config, err) != ERR_OK)
            return err->code;
        data_dir = config->data_dir;
    }
    if (find_token(data_dir, &out->token, err) != ERR_OK)
        return err->code;
    return find_address(hints->rpc, data_dir, config, &out->address, err);
}

void cli_where_fini(struct cli_where *w)
{
    if (w->token)
        sodium_memzero(w->token, strlen(w->token));
    free(w->token);
    free(w->address);
    *w = (struct cli_where){0};
}
