#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/durable.h"
#include "base/hash.h"
#include "base/hex.h"
#include "base/mem.h"
#include "base/pyfloat.h"
#include "sync/snapshot/chunked.h"
#include "sync/snapshot/export.h"

/* Chunks are written plain: what stock compresses has the time in it, and is another
   each time. */
enum { PRIORITY = 2 /* stock's "medium": the order does not matter */ };

struct cut {
    const char *dir;
    char id[CHUNKED_ID];
    struct manifest *m;
    struct payload_written payload;
    uint32_t chunks;
};

static enum errc put_file(const char *dir, const char *name, const void *bytes,
                          size_t len, struct err *err)
{
    AUTOFREE char *path = xasprintf("%s/%s", dir, name);
    int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    enum errc rc;

    if (fd < 0)
        return err_errno(err, "%.150s", path);
    rc = durable_write(fd, bytes, len, path, err);
    if (!rc)
        rc = durable_sync(fd, path, err);
    (void)close(fd);
    return rc;
}

/* As stock's json.dumps(indent=2) in the order of its fields. */
static enum errc put_chunk(const struct cut *c, uint32_t i, const void *bytes,
                           size_t len, struct err *err)
{
    CLEANUP_BUF struct buf text = BUF(1024);
    char name[32], hex[65];
    uint8_t hash[32];

    hash_sha256(bytes, len, hash);
    hex_encode(hash, 32, hex);
    buf_printf(&text,
               "{\n  \"chunk_id\": \"%s\",\n  \"chunk_index\": %u,\n  "
               "\"total_chunks\": %u,\n  \"checksum\": \"%s\",\n  \"compressed\": "
               "false,\n  \"priority\": %d,\n  \"size_bytes\": %zu\n}",
               c->id, i, c->chunks, hex, PRIORITY, len);
    (void)snprintf(name, sizeof(name), "chunk_%06u.bin", i);
    if (put_file(c->dir, name, bytes, len, err))
        return err->code;
    (void)snprintf(name, sizeof(name), "chunk_%06u.json", i);
    return put_file(c->dir, name, text.data, text.len, err);
}

static enum errc put_meta(const struct cut *c, struct err *err)
{
    CLEANUP_BUF struct buf text = BUF(CHUNKED_META_MAX);
    char hash[65], state[65], time[PYFLOAT_TEXT];

    hex_encode(c->m->block_hash, 32, hash);
    hex_encode(c->payload.state_hash, 32, state);
    (void)pyfloat_repr(c->m->header.timestamp, time);
    buf_printf(&text,
               "{\n  \"snapshot_id\": \"%s\",\n  \"height\": %" PRIu64
               ",\n  \"block_hash\": \"%s\",\n  \"state_hash\": \"%s\",\n  "
               "\"total_chunks\": %u,\n  \"total_size\": %" PRIu64
               ",\n  \"chunk_size\": %d,\n  \"timestamp\": %s,\n  "
               "\"compression_enabled\": false,\n  \"priority_map\": {",
               c->id, c->m->height, hash, state, c->chunks, c->payload.bytes,
               EXPORT_CHUNK, time);
    for (uint32_t i = 0; i < c->chunks; i++)
        buf_printf(&text, "%s\n    \"%u\": %d", i > 0 ? "," : "", i, PRIORITY);
    buf_puts(&text, "\n  }\n}");
    return put_file(c->dir, "metadata.json", text.data, text.len, err);
}

static enum errc cut_up(struct cut *c, const char *payload, struct err *err)
{
    AUTOFREE uint8_t *bytes = xcalloc(EXPORT_CHUNK, 1);
    int fd = open(payload, O_RDONLY | O_CLOEXEC);
    enum errc rc = ERR_OK;

    if (fd < 0)
        return err_errno(err, "%.150s", payload);
    for (uint32_t i = 0; !rc && i < c->chunks; i++) {
        uint64_t at = (uint64_t)i * EXPORT_CHUNK, left = c->payload.bytes - at;
        size_t len = left < EXPORT_CHUNK ? (size_t)left : EXPORT_CHUNK;

        if (pread(fd, bytes, len, (off_t)at) != (ssize_t)len)
            rc = err_errno(err, "reading %.150s", payload);
        else
            rc = put_chunk(c, i, bytes, len, err);
    }
    (void)close(fd);
    return rc ? rc : put_meta(c, err); /* the last: without it there is nothing */
}

void export_remove_chunks(const char *dir)
{
    DIR *d = opendir(dir);
    const struct dirent *e;

    while (d && (e = readdir(d))) /* NOLINT(concurrency-mt-unsafe): own stream */
        if (strncmp(e->d_name, "chunk_", 6) == 0 ||
            strcmp(e->d_name, "metadata.json") == 0)
            (void)unlinkat(dirfd(d), e->d_name, 0);
    if (d)
        (void)closedir(d);
    (void)rmdir(dir);
}

static enum errc read_about(const struct export_order *o, struct cut *c,
                            struct err *err)
{
    AUTOFREE char *path = xasprintf("%s/manifest.json", o->snapshot);
    char hash[65];

    if (manifest_read(path, &c->m, err))
        return err->code;
    hex_encode(c->m->block_hash, 32, hash);
    (void)snprintf(c->id, sizeof(c->id), "height_%" PRIu64 "_%.8s", c->m->height, hash);
    return ERR_OK;
}

static enum errc make(const struct export_order *o, struct cut *c, const char *payload,
                      struct err *err)
{
    enum errc rc = export_payload(o, payload, &c->payload, err);

    if (rc)
        return rc;
    c->chunks = (uint32_t)((c->payload.bytes + EXPORT_CHUNK - 1) / EXPORT_CHUNK);
    if (c->chunks > CHUNKED_CHUNKS_MAX)
        return err_set(err, ERR_INVALID, "over %d chunks", CHUNKED_CHUNKS_MAX);
    if (mkdir(c->dir, 0700) != 0)
        return err_errno(err, "%.150s", c->dir);
    rc = cut_up(c, payload, err);
    if (rc)
        export_remove_chunks(c->dir);
    return rc ? rc : durable_sync_dir_of(c->dir, err);
}

enum errc export_chunks(const struct export_order *o, const char *dir, char id[40],
                        struct err *err)
{
    AUTOFREE char *payload = xasprintf("%s.payload", dir);
    struct cut c = {.dir = dir};
    enum errc rc = read_about(o, &c, err);

    if (!rc)
        rc = make(o, &c, payload, err);
    (void)unlink(payload);
    manifest_free(c.m);
    memcpy(id, c.id, sizeof(c.id));
    return rc;
}
