#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"
#include "daemon/cli/cli_headers.h"
#include "store/control.h"
#include "sync/serve/rows.h"

struct cli_headers_dir {
    struct chaindb *chain;
};

static enum errc live_generation(const char *data_dir, int64_t *id, struct err *err)
{
    AUTOFREE char *path = xasprintf("%s/control.db", data_dir);
    CLEANUP(control_close) struct control *control = NULL;
    struct control_generation live;
    bool found;

    if (control_open(path, CONTROL_READER, &control, err) ||
        control_generation_live(control, &found, &live, err))
        return err->code;
    if (!found)
        return err_set(err, ERR_CONFLICT, "%s has no chain yet", data_dir);
    *id = live.id;
    return ERR_OK;
}

enum errc cli_headers_dir_open(const char *data_dir, struct cli_headers_dir **out,
                               struct err *err)
{
    CLEANUP(cli_headers_dir_close) struct cli_headers_dir *d = xcalloc(1, sizeof(*d));
    AUTOFREE char *path = NULL;
    int64_t id = 0;

    if (live_generation(data_dir, &id, err))
        return err->code;
    path = xasprintf("%s/generations/%" PRId64 "/chain.db", data_dir, id);
    /* one moment of it, whatever the daemon does meanwhile */
    if (chaindb_open(path, CHAINDB_READER, &d->chain, err) ||
        chaindb_begin(d->chain, err))
        return err->code;
    *out = TAKE(d);
    return ERR_OK;
}

void cli_headers_dir_close(struct cli_headers_dir *d)
{
    if (!d)
        return;
    chaindb_close(d->chain);
    free(d);
}

struct fill {
    struct header *room;
    size_t count;
};

static enum errc put_row(void *arg, const struct chaindb_header *row, struct err *err)
{
    struct fill *f = arg;

    (void)err;
    rows_to_header(row, &f->room[f->count++]);
    return ERR_OK;
}

enum errc cli_headers_dir_get(void *dir, uint64_t from, size_t count,
                              struct header *room, struct err *err)
{
    const struct cli_headers_dir *d = dir;
    struct fill f = {.room = room};

    if (chaindb_active_each(d->chain, from, count, put_row, &f, err))
        return err->code;
    if (f.count != count || room[0].height != from)
        return err_set(err, ERR_NOTFOUND,
                       "the node lacks headers from %" PRIu64 " on: it did not prove "
                       "them, or has not got there",
                       from + f.count);
    for (size_t i = 0; i < count; i++)
        header_hash(&room[i], room[i].hash); /* rows have no sum of their own */
    return ERR_OK;
}
