#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/mem.h"
#include "sync/serve/serve_chunks.h"

enum {
    META_MAX = 4 << 20,
    NODES_MAX = 1 << 19,
    CHUNK_JSON_MAX = 4096,
    FOUND_MAX = 64,
};

/* --- which there are --- */

static bool is_id(const char *id)
{
    size_t n = strlen(id);

    return strncmp(id, "height_", 7) == 0 && n < SERVE_CHUNKS_ID &&
           strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789_") == n;
}

struct found {
    char ids[FOUND_MAX][SERVE_CHUNKS_ID];
    size_t count;
};

static int higher_first(const void *a, const void *b)
{
    uint64_t x = strtoull((const char *)a + 7, NULL, 10),
             y = strtoull((const char *)b + 7, NULL, 10);

    return x != y ? (x < y ? 1 : -1) : strcmp(a, b);
}

/* Whole ones have metadata.json. */
static void find(const char *dir, struct found *out)
{
    DIR *d = opendir(dir);
    const struct dirent *e;

    out->count = 0;
    while (d && out->count < FOUND_MAX &&
           (e = readdir(d))) { /* NOLINT(concurrency-mt-unsafe): own stream */
        AUTOFREE char *meta = xasprintf("%s/metadata.json", e->d_name);

        if (is_id(e->d_name) && faccessat(dirfd(d), meta, R_OK, 0) == 0)
            (void)snprintf(out->ids[out->count++], SERVE_CHUNKS_ID, "%.39s", e->d_name);
    }
    if (d)
        (void)closedir(d);
    qsort(out->ids, out->count, SERVE_CHUNKS_ID, higher_first);
}

static void remove_one(const char *dir, const char *id)
{
    AUTOFREE char *path = xasprintf("%s/%s", dir, id);
    DIR *d = opendir(path);
    const struct dirent *e;

    if (d)
        (void)unlinkat(dirfd(d), "metadata.json", 0); /* none from now on */
    while (d && (e = readdir(d))) /* NOLINT(concurrency-mt-unsafe) */
        if (strncmp(e->d_name, "chunk_", 6) == 0)
            (void)unlinkat(dirfd(d), e->d_name, 0);
    if (d)
        (void)closedir(d);
    (void)rmdir(path);
}

void serve_chunks_trim(const char *dir)
{
    struct found all;

    find(dir, &all);
    for (size_t i = SERVE_CHUNKS_KEPT; i < all.count; i++)
        remove_one(dir, all.ids[i]);
}

bool serve_chunks_any(const char *data_dir)
{
    AUTOFREE char *dir = xasprintf("%s/" SERVE_CHUNKS_DIR, data_dir);
    struct found all;

    find(dir, &all);
    return all.count > 0;
}

/* --- one of them --- */

static int open_in(const char *data_dir, const char *id, const char *name,
                   uint64_t *size)
{
    AUTOFREE char *path =
        xasprintf("%s/" SERVE_CHUNKS_DIR "/%s/%s", data_dir, id, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
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

/* NULL: it is not there, or over max. */
static struct json_doc *read_json(const char *data_dir, const char *id,
                                  const char *name, size_t max)
{
    const struct json_limits limits = {
        .max_bytes = max, .max_nodes = NODES_MAX, .max_depth = 8};
    struct json_doc *doc = NULL;
    AUTOFREE char *text = NULL;
    uint64_t size = 0;
    struct err err;
    int fd = open_in(data_dir, id, name, &size);

    if (fd < 0)
        return NULL;
    if (size <= max) {
        text = xcalloc((size_t)size + 1, 1);
        if (pread(fd, text, (size_t)size, 0) == (ssize_t)size)
            (void)json_parse(text, (size_t)size, &limits, &doc, &err);
    }
    (void)close(fd);
    return doc;
}

/* The name to ask the disk for; false: there is none. */
static bool resolve(const char *data_dir, const char *id, char out[SERVE_CHUNKS_ID])
{
    AUTOFREE char *dir = xasprintf("%s/" SERVE_CHUNKS_DIR, data_dir);
    struct found all;

    if (strcmp(id, "latest") != 0) {
        if (is_id(id))
            (void)snprintf(out, SERVE_CHUNKS_ID, "%.39s", id);
        return is_id(id);
    }
    find(dir, &all);
    if (all.count > 0)
        memcpy(out, all.ids[0], SERVE_CHUNKS_ID);
    return all.count > 0;
}

static struct json_doc *read_meta(const char *data_dir, const char *id)
{
    char name[SERVE_CHUNKS_ID];

    return resolve(data_dir, id, name)
               ? read_json(data_dir, name, "metadata.json", META_MAX)
               : NULL;
}

/* --- stock's answers --- */

void serve_chunks_list(const char *data_dir, struct buf *out)
{
    AUTOFREE char *dir = xasprintf("%s/" SERVE_CHUNKS_DIR, data_dir);
    struct found all;
    size_t told = 0;

    find(dir, &all);
    buf_printf(out, "{\"count\":%zu,\"snapshots\":[", all.count);
    for (size_t i = 0; i < all.count; i++) {
        CLEANUP(json_free) struct json_doc *doc = read_meta(data_dir, all.ids[i]);

        if (!doc)
            continue;
        buf_puts(out, told++ > 0 ? "," : "");
        json_write(json_root(doc), JSON_CANON, out);
    }
    buf_puts(out, "],\"status\":\"ok\"}\n");
}

bool serve_chunks_meta(const char *data_dir, const char *id, struct buf *out)
{
    CLEANUP(json_free) struct json_doc *doc = read_meta(data_dir, id);

    if (!doc)
        return false;
    buf_puts(out, "{\"snapshot\":");
    json_write(json_root(doc), JSON_CANON, out);
    buf_puts(out, ",\"status\":\"ok\"}\n");
    return true;
}

bool serve_chunks_table(const char *data_dir, const char *id, struct buf *out)
{
    CLEANUP(json_free) struct json_doc *doc = read_meta(data_dir, id);
    char name[SERVE_CHUNKS_ID];
    uint64_t n;

    if (!doc || !resolve(data_dir, id, name) ||
        !json_u64(json_get(json_root(doc), "total_chunks"), &n))
        return false;
    buf_puts(out, "{\"chunks\":[");
    for (uint64_t i = 0; i < n && !out->full; i++)
        buf_printf(out,
                   "%s{\"chunk_index\":%" PRIu64
                   ",\"priority\":2,\"url\":\"/sync/snapshot/%s/chunk/%" PRIu64 "\"}",
                   i > 0 ? "," : "", i, name, i);
    buf_printf(out,
               "],\"snapshot_id\":\"%s\",\"status\":\"ok\",\"total_chunks\":%" PRIu64
               "}\n",
               name, n);
    return true;
}

bool serve_chunks_open(const char *data_dir, const char *id, uint64_t i,
                       struct serve_chunk *out)
{
    CLEANUP(json_free) struct json_doc *doc = NULL;
    char dir[SERVE_CHUNKS_ID], name[32];
    const char *checksum;
    uint64_t chunks;

    *out = (struct serve_chunk){.fd = -1};
    if (i > UINT32_MAX || !resolve(data_dir, id, dir))
        return false;
    (void)snprintf(name, sizeof(name), "chunk_%06" PRIu64 ".json", i);
    doc = read_json(data_dir, dir, name, CHUNK_JSON_MAX);
    if (!json_text(json_get(doc ? json_root(doc) : NULL, "checksum"), &checksum) ||
        !json_u64(json_get(json_root(doc), "total_chunks"), &chunks) ||
        chunks > UINT32_MAX)
        return false;
    out->chunks = (uint32_t)chunks;
    (void)snprintf(out->checksum, sizeof(out->checksum), "%s", checksum);
    (void)snprintf(name, sizeof(name), "chunk_%06" PRIu64 ".bin", i);
    out->fd = open_in(data_dir, dir, name, &out->len);
    return out->fd >= 0;
}
