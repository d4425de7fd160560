#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hex.h"
#include "base/mem.h"
#include "rpc/etag.h"
#include "rpc/public_file.h"
#include "rpc/public_paths.h"
#include "sync/snapshot/snapdir.h"
#include "sync/snapshot/snapshelf.h"

/* Snapshots for others (docs/peer-protocol.md): a manifest gathers signatures and is
   asked for again; the two other files never change. */

static bool is_served(const struct public_site *site, struct public_say *say)
{
    if (site->cfg->serve_snapshots)
        return true;
    public_call_error(say, 404, "Not found");
    return false;
}

static void say_known(const struct public_ask *ask, struct public_say *say)
{
    etag_of(say->body.data, say->body.len, say->etag);
    if (etag_matches(ask->known, say->etag)) {
        buf_reset(&say->body);
        say->status = 304;
    }
}

/* --- the list --- */

static void put_hash(const char *key, const uint8_t hash[32], struct buf *out)
{
    char hex[65];

    hex_encode(hash, 32, hex);
    buf_printf(out, "\"%s\":\"%s\",", key, hex);
}

/* Members in canonical order. */
static void put_item(const struct snapshelf_item *item, struct buf *out)
{
    const struct manifest *m = item->manifest;
    uint8_t digest[32];
    char hex[65];

    manifest_digest(m, digest);
    buf_puts(out, "{");
    put_hash("block_hash", m->block_hash, out);
    buf_printf(out, "\"bytes\":%" PRIu64 ",\"coin_count\":%" PRIu64 ",", m->bytes,
               m->coin_count);
    put_hash("digest", digest, out);
    buf_printf(out, "\"frames_bytes\":%" PRIu64 ",\"height\":%" PRIu64 ",",
               m->frames_bytes, m->height);
    buf_printf(out, "\"id\":\"%s\",\"signatures\":%zu,", item->id,
               m->signature_count + m->xai_count);
    hex_encode(m->state_root, 32, hex);
    buf_printf(out, "\"state_root\":\"%s\"}", hex);
}

enum errc public_snapshot_tell(const struct public_site *site, size_t most, bool ids,
                               struct buf *out, struct err *err)
{
    struct snapshelf shelf = {.count = 0};
    size_t told = 0;

    if (site->cfg->serve_snapshots && snapshelf_read(site->cfg->data_dir, &shelf, err))
        return err->code;
    buf_puts(out, "[");
    for (size_t i = 0; i < shelf.count && told < most; i++) {
        const struct snapshelf_item *item = &shelf.items[i];

        if (item->withdrawn)
            continue;
        buf_puts(out, told++ > 0 ? "," : "");
        if (ids)
            buf_printf(out, "\"%s\"", item->id);
        else
            put_item(item, out);
    }
    buf_puts(out, "]");
    snapshelf_fini(&shelf);
    return ERR_OK;
}

PUBLIC_HANDLER(public_snapshot_list)
{
    struct err err;

    (void)rest;
    if (!is_served(site, say))
        return;
    buf_puts(&say->body, "{\"snapshots\":");
    if (public_snapshot_tell(site, SNAPSHELF_MAX, false, &say->body, &err)) {
        public_call_fail(say, &err);
        return;
    }
    buf_puts(&say->body, "}\n");
    say_known(ask, say);
}

/* --- one file --- */

static int open_file(const struct public_site *site, const char *id, const char *name,
                     uint64_t *size)
{
    AUTOFREE char *dir = snapshelf_path(site->cfg->data_dir, id);
    AUTOFREE char *path = xasprintf("%s/%s", dir, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct stat st;

    if (fd < 0)
        return -1;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        (void)close(fd);
        return -1;
    }
    *size = (uint64_t)st.st_size;
    return fd;
}

static bool read_whole(int fd, uint64_t size, struct buf *out)
{
    char piece[8192];

    while (size > 0) {
        ssize_t n = read(fd, piece, sizeof(piece));

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0 || (uint64_t)n > size)
            return false;
        buf_put(out, piece, (size_t)n);
        size -= (uint64_t)n;
    }
    return true;
}

static void say_manifest(const struct public_ask *ask, int fd, uint64_t size,
                         struct public_say *say)
{
    bool whole = size <= MANIFEST_MAX && read_whole(fd, size, &say->body);

    (void)close(fd);
    if (whole)
        say_known(ask, say);
    else
        public_call_error(say, 503, "Not available now");
}

static void say_body(const struct public_ask *ask, const char *id, const char *name,
                     struct public_file *file, struct public_say *say)
{
    (void)snprintf(say->etag, sizeof(say->etag), "\"%s-%s\"", id, name);
    say->lasting = true;
    say->type = "application/octet-stream";
    if (!etag_matches(ask->known, say->etag)) {
        public_file_say(ask, file->fd, file->len, say);
        return;
    }
    (void)close(file->fd);
    say->status = 304;
}

static void say_file(const struct public_site *site, const struct public_ask *ask,
                     const char *id, const char *name, struct public_say *say)
{
    bool manifest = strcmp(name, SNAPDIR_MANIFEST) == 0;
    struct public_file file = {.fd = -1};

    if (strcmp(name, "base.coins") == 0) {
        public_call_error(say, 404, "Not kept: take " SNAPDIR_FRAMES);
        return;
    }
    if (manifest || strcmp(name, SNAPDIR_TABLE) == 0 ||
        strcmp(name, SNAPDIR_FRAMES) == 0)
        file.fd = open_file(site, id, name, &file.len);
    if (file.fd < 0)
        public_call_error(say, 404, "Not found");
    else if (manifest)
        say_manifest(ask, file.fd, file.len, say);
    else
        say_body(ask, id, name, &file, say);
}

PUBLIC_HANDLER(public_snapshot_file)
{
    const char *slash = strchr(rest, '/');
    char id[MANIFEST_ID];

    if (!is_served(site, say))
        return;
    if (!slash || (size_t)(slash - rest) >= sizeof(id)) {
        public_call_error(say, 404, "Not found");
        return;
    }
    (void)snprintf(id, sizeof(id), "%.*s", (int)(slash - rest), rest);
    switch (snapshelf_place(site->cfg->data_dir, id)) {
    case SNAPSHELF_NONE:
        public_call_error(say, 404, "Not found");
        break;
    case SNAPSHELF_WITHDRAWN:
        public_call_error(say, 410, "Withdrawn");
        break;
    case SNAPSHELF_HERE:
        say_file(site, ask, id, slash + 1, say);
        break;
    }
}
