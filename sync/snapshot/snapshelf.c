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
#include "base/json.h"
#include "base/mem.h"
#include "sync/snapshot/snapdir.h"
#include "sync/snapshot/snapshelf.h"

#define MARK "withdrawn.json"
enum { MARK_MAX = 4096 };

static char *shelf_path(const char *data_dir)
{
    return xasprintf("%s/" SNAPSHELF_DIR, data_dir);
}

char *snapshelf_path(const char *data_dir, const char *id)
{
    return xasprintf("%s/" SNAPSHELF_DIR "/%s", data_dir, id);
}

static char *file_path(const char *data_dir, const char *id, const char *name)
{
    return xasprintf("%s/" SNAPSHELF_DIR "/%s/%s", data_dir, id, name);
}

void snapshelf_item_fini(struct snapshelf_item *item)
{
    manifest_free(TAKE(item->manifest));
}

void snapshelf_fini(struct snapshelf *s)
{
    for (size_t i = 0; i < s->count; i++)
        snapshelf_item_fini(&s->items[i]);
    free(s->items);
    *s = (struct snapshelf){0};
}

/* --- the mark of one that was withdrawn --- */

static bool read_small(const char *path, char *text, size_t room, size_t *len)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    ssize_t n;

    if (fd < 0)
        return false;
    n = read(fd, text, room);
    (void)close(fd);
    *len = n > 0 ? (size_t)n : 0;
    return n >= 0 && *len < room;
}

/* That it is there counts, whatever is in it. */
static void read_mark(const char *data_dir, struct snapshelf_item *item)
{
    const struct json_limits limits = {
        .max_bytes = MARK_MAX, .max_nodes = 16, .max_depth = 2};
    CLEANUP(json_free) struct json_doc *doc = NULL;
    AUTOFREE char *path = file_path(data_dir, item->id, MARK);
    char text[MARK_MAX];
    const char *reason;
    struct err err;
    uint64_t at;
    size_t len;

    item->withdrawn = access(path, F_OK) == 0;
    if (!item->withdrawn || !read_small(path, text, sizeof(text), &len) ||
        json_parse(text, len, &limits, &doc, &err))
        return;
    if (json_u64(json_get(json_root(doc), "at_ms"), &at) && at <= INT64_MAX)
        item->withdrawn_ms = (int64_t)at;
    if (json_text(json_get(json_root(doc), "reason"), &reason))
        (void)snprintf(item->reason, sizeof(item->reason), "%s", reason);
}

static enum errc write_mark(const char *path, const char *reason, int64_t now_ms,
                            struct err *err)
{
    CLEANUP_BUF struct buf text = BUF(MARK_MAX);

    buf_printf(&text, "{\"at_ms\":%" PRId64 ",\"reason\":", now_ms);
    json_write_string(reason, strlen(reason), &text);
    buf_puts(&text, "}\n");
    if (text.full)
        return err_set(err, ERR_INVALID, "reason: too long");
    return durable_replace(path, text.data, text.len, err);
}

/* --- reading --- */

enum snapshelf_place snapshelf_place(const char *data_dir, const char *id)
{
    AUTOFREE char *manifest = NULL, *mark = NULL;

    if (!manifest_id_valid(id))
        return SNAPSHELF_NONE;
    manifest = file_path(data_dir, id, SNAPDIR_MANIFEST);
    mark = file_path(data_dir, id, MARK);
    if (access(manifest, F_OK) != 0)
        return SNAPSHELF_NONE;
    return access(mark, F_OK) == 0 ? SNAPSHELF_WITHDRAWN : SNAPSHELF_HERE;
}

/* The table is written once, with the snapshot; the manifest may be replaced. */
static int64_t made_at(const char *data_dir, const char *id)
{
    AUTOFREE char *table = file_path(data_dir, id, SNAPDIR_TABLE);
    AUTOFREE char *manifest = file_path(data_dir, id, SNAPDIR_MANIFEST);
    struct stat st;

    if (stat(table, &st) != 0 && stat(manifest, &st) != 0)
        return 0;
    return (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
}

enum errc snapshelf_get(const char *data_dir, const char *id,
                        struct snapshelf_item *out, struct err *err)
{
    struct snapshelf_item item = {.manifest = NULL};
    AUTOFREE char *path = NULL;

    if (snapshelf_place(data_dir, id) == SNAPSHELF_NONE)
        return err_fail(err, REASON_NOT_FOUND, "no snapshot %.64s", id);
    path = file_path(data_dir, id, SNAPDIR_MANIFEST);
    if (manifest_read(path, &item.manifest, err))
        return err_wrap(err, "snapshot %.64s", id);
    (void)snprintf(item.id, sizeof(item.id), "%s", id);
    item.made_ms = made_at(data_dir, id);
    read_mark(data_dir, &item);
    *out = item;
    return ERR_OK;
}

static int by_height(const void *a, const void *b)
{
    const struct snapshelf_item *x = a, *y = b;

    if (x->manifest->height != y->manifest->height)
        return x->manifest->height > y->manifest->height ? -1 : 1;
    return strcmp(x->id, y->id);
}

static enum errc open_shelf(const char *data_dir, DIR **out, struct err *err)
{
    AUTOFREE char *path = shelf_path(data_dir);

    *out = opendir(path);
    if (!*out && errno != ENOENT)
        return err_errno(err, "read %s", path);
    return ERR_OK;
}

enum errc snapshelf_read(const char *data_dir, struct snapshelf *out, struct err *err)
{
    struct dirent *entry;
    DIR *dir;

    *out = (struct snapshelf){0};
    if (open_shelf(data_dir, &dir, err))
        return err->code;
    if (!dir)
        return ERR_OK;
    out->items = xcalloc(SNAPSHELF_MAX, sizeof(*out->items));
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): own stream */
    while (out->count < SNAPSHELF_MAX && (entry = readdir(dir)) != NULL) {
        struct err ignored;

        if (manifest_id_valid(entry->d_name) &&
            snapshelf_get(data_dir, entry->d_name, &out->items[out->count], &ignored) ==
                ERR_OK)
            out->count++;
    }
    (void)closedir(dir);
    qsort(out->items, out->count, sizeof(*out->items), by_height);
    return ERR_OK;
}

/* --- changing --- */

static void drop_body(const char *data_dir, const char *id)
{
    static const char *const body[] = {SNAPDIR_FRAMES, SNAPDIR_TABLE};

    for (size_t i = 0; i < sizeof(body) / sizeof(body[0]); i++) {
        AUTOFREE char *path = file_path(data_dir, id, body[i]);

        (void)unlink(path); /* what stays is not served, and goes at the next start */
    }
}

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text), n = strlen(end);

    return len >= n && strcmp(text + len - n, end) == 0;
}

/* A name that is not ours is left alone. */
static enum errc sweep_one(const char *data_dir, const char *name, struct err *err)
{
    bool named = manifest_id_valid(name);

    if (named && snapshelf_place(data_dir, name) == SNAPSHELF_WITHDRAWN)
        drop_body(data_dir, name);
    else if (ends_with(name, SNAPDIR_INCOMPLETE) ||
             (named && snapshelf_place(data_dir, name) == SNAPSHELF_NONE))
        return snapshelf_remove(data_dir, name, err);
    return ERR_OK;
}

enum errc snapshelf_sweep(const char *data_dir, struct err *err)
{
    AUTOFREE char *path = shelf_path(data_dir);
    enum errc rc = ERR_OK;
    struct dirent *entry;
    struct err one;
    DIR *dir;

    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return err_errno(err, "%s", path);
    if (open_shelf(data_dir, &dir, err))
        return err->code;
    if (!dir)
        return ERR_OK;
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): own stream */
    while ((entry = readdir(dir)) != NULL) {
        if (sweep_one(data_dir, entry->d_name, &one) == ERR_OK)
            continue;
        *err = one;
        rc = one.code;
    }
    (void)closedir(dir);
    return rc;
}

static void empty(DIR *dir)
{
    struct dirent *entry;

    /* NOLINTNEXTLINE(concurrency-mt-unsafe): own stream */
    while ((entry = readdir(dir)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            (void)unlinkat(dirfd(dir), entry->d_name, 0);
}

/* The manifest first: from then on it is none, and a start goes on with the rest. */
enum errc snapshelf_remove(const char *data_dir, const char *id, struct err *err)
{
    AUTOFREE char *path = snapshelf_path(data_dir, id);
    AUTOFREE char *manifest = file_path(data_dir, id, SNAPDIR_MANIFEST);
    DIR *dir;

    if (unlink(manifest) != 0 && errno != ENOENT)
        return err_errno(err, "remove %s", manifest);
    dir = opendir(path);
    if (!dir)
        return err_errno(err, "remove %s", path);
    empty(dir);
    (void)closedir(dir);
    return rmdir(path) == 0 ? ERR_OK : err_errno(err, "remove %s", path);
}

enum errc snapshelf_withdraw(const char *data_dir, const char *id, const char *reason,
                             int64_t now_ms, struct err *err)
{
    AUTOFREE char *mark = NULL;

    switch (snapshelf_place(data_dir, id)) {
    case SNAPSHELF_NONE:
        return err_fail(err, REASON_NOT_FOUND, "no snapshot %.64s", id);
    case SNAPSHELF_HERE:
        mark = file_path(data_dir, id, MARK);
        if (write_mark(mark, reason, now_ms, err))
            return err->code;
        break;
    case SNAPSHELF_WITHDRAWN:
        break;
    }
    drop_body(data_dir, id);
    return ERR_OK;
}
