#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/pack_frames.h"
#include "sync/snapshot/delta_layout.h"

struct delta {
    int fd;
    struct delta_head head;
    struct manifest *manifest;
    uint8_t *table;
    struct pack_frames *pack;
    uint8_t *frame, *raw;
    uint32_t next_frame;
    uint64_t frame_at; /* in the file */
    size_t at, len;    /* in raw */
    size_t before;     /* raw bytes of the frame before */
    uint64_t removed, added;
    uint8_t last[COINREC_KEY + 1]; /* key and kind of the last item */
    bool any;
};

static enum errc malformed(struct err *err, const char *what)
{
    return err_fail(err, REASON_PAYLOAD_MALFORMED, "delta: %s", what);
}

static enum errc read_at(struct delta *d, void *out, size_t len, uint64_t at,
                         struct err *err)
{
    ssize_t n = pread(d->fd, out, len, (off_t)at);

    if (n < 0)
        return err_errno(err, "reading a delta");
    return n == (ssize_t)len ? ERR_OK : malformed(err, "cut off");
}

static enum errc open_head(struct delta *d, struct err *err)
{
    uint8_t bytes[DELTA_HEAD];
    struct stat st;

    if (fstat(d->fd, &st) != 0)
        return err_errno(err, "reading a delta");
    if (read_at(d, bytes, sizeof(bytes), 0, err))
        return err->code;
    if (!delta_head_read(bytes, &d->head))
        return malformed(err, "its head is none");
    if ((uint64_t)st.st_size != d->head.info.bytes)
        return malformed(err, "it has not the bytes that its head says");
    return ERR_OK;
}

static bool has_hash(const void *bytes, size_t len, const uint8_t want[32])
{
    uint8_t hash[32];

    hash_sha256(bytes, len, hash);
    return memcmp(hash, want, 32) == 0;
}

static enum errc open_manifest(struct delta *d, struct err *err)
{
    AUTOFREE char *text = xcalloc((size_t)d->head.manifest_bytes + 1, 1);
    uint8_t digest[32];

    if (read_at(d, text, d->head.manifest_bytes, DELTA_HEAD, err))
        return err->code;
    if (!has_hash(text, d->head.manifest_bytes, d->head.manifest_sha256))
        return malformed(err, "its manifest has another hash");
    if (manifest_parse(text, d->head.manifest_bytes, &d->manifest, err))
        return err->code;
    manifest_digest(d->manifest, digest);
    if (memcmp(digest, d->head.info.to_digest, 32) != 0 ||
        memcmp(d->manifest->state_root, d->head.info.to_root, 32) != 0)
        return malformed(err, "its manifest is another snapshot's");
    return ERR_OK;
}

static enum errc open_table(struct delta *d, struct err *err)
{
    size_t len = (size_t)d->head.info.frames * DELTA_ROW;
    uint64_t frames = 0;

    d->table = xcalloc(len + 1, 1);
    d->frame_at = DELTA_HEAD + d->head.manifest_bytes;
    if (read_at(d, d->table, len, d->frame_at + d->head.frames_bytes, err))
        return err->code;
    if (!has_hash(d->table, len, d->head.table_sha256))
        return malformed(err, "its table has another hash");
    for (uint32_t i = 0; i < d->head.info.frames; i++) {
        struct delta_row row;

        delta_row_read(d->table + (size_t)i * DELTA_ROW, &row);
        frames += row.frame_bytes;
        if (row.raw_bytes == 0 || row.raw_bytes > DELTA_RAW_MAX ||
            row.frame_bytes > pack_frames_bound(DELTA_RAW_MAX))
            return malformed(err, "a frame of impossible length");
    }
    return frames == d->head.frames_bytes ? ERR_OK
                                          : malformed(err, "its frames do not add up");
}

enum errc delta_open(const char *path, struct delta **out, struct err *err)
{
    CLEANUP(delta_close) struct delta *d = xcalloc(1, sizeof(*d));

    d->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (d->fd < 0)
        return err_errno(err, "%.150s", path);
    if (open_head(d, err) || open_manifest(d, err) || open_table(d, err))
        return err->code;
    d->pack = pack_frames_create();
    d->frame = xcalloc(pack_frames_bound(DELTA_RAW_MAX), 1);
    d->raw = xcalloc(DELTA_RAW_MAX, 1);
    *out = TAKE(d);
    return ERR_OK;
}

void delta_close(struct delta *d)
{
    if (!d)
        return;
    if (d->fd >= 0)
        (void)close(d->fd);
    manifest_free(d->manifest);
    pack_frames_free(d->pack);
    free(d->table);
    free(d->frame);
    free(d->raw);
    free(d);
}

const struct delta_info *delta_info(const struct delta *d)
{
    return &d->head.info;
}

const struct manifest *delta_manifest(const struct delta *d)
{
    return d->manifest;
}

/* --- items --- */

static enum errc read_frame(struct delta *d, struct err *err)
{
    struct delta_row row;

    delta_row_read(d->table + (size_t)d->next_frame * DELTA_ROW, &row);
    if (read_at(d, d->frame, row.frame_bytes, d->frame_at, err))
        return err->code;
    if (!has_hash(d->frame, row.frame_bytes, row.sha256))
        return malformed(err, "a frame has another hash");
    if (!pack_frames_get(d->pack, d->frame, row.frame_bytes, d->raw, row.raw_bytes))
        return malformed(err, "a frame that does not unpack");
    d->next_frame++;
    d->frame_at += row.frame_bytes;
    d->before = d->len;
    d->at = 0;
    d->len = row.raw_bytes;
    return ERR_OK;
}

/* The item at d->at, all of it checked; 0: none. */
static size_t item_length(const struct delta *d, struct delta_item *out)
{
    const uint8_t *p = d->raw + d->at;
    size_t left = d->len - d->at - 1; /* behind its kind */
    u128 atto;

    *out = (struct delta_item){.rec = p + 1, .removed = p[0] == DELTA_REMOVED};
    if (p[0] > DELTA_ADDED)
        return 0;
    out->len = out->removed ? (left < COINREC_KEY ? 0 : COINREC_KEY)
                            : coinrec_check(p + 1, left, &atto);
    return out->len;
}

/* Keys ascend; of one key, what goes is before what comes. */
static bool is_in_order(struct delta *d, const struct delta_item *item)
{
    uint8_t now[COINREC_KEY + 1];
    bool ok;

    memcpy(now, item->rec, COINREC_KEY);
    now[COINREC_KEY] = item->removed ? DELTA_REMOVED : DELTA_ADDED;
    ok = !d->any || memcmp(d->last, now, sizeof(now)) < 0;
    memcpy(d->last, now, sizeof(now));
    d->any = true;
    return ok;
}

static enum errc at_end(const struct delta *d, struct delta_item *out, struct err *err)
{
    *out = (struct delta_item){0};
    if (d->removed != d->head.info.removed || d->added != d->head.info.added)
        return malformed(err, "it has not the items that its head says");
    return ERR_OK;
}

enum errc delta_next(struct delta *d, struct delta_item *out, struct err *err)
{
    bool begins = d->at == d->len;

    if (begins) {
        if (d->next_frame == d->head.info.frames)
            return at_end(d, out, err);
        if (read_frame(d, err))
            return err->code;
    }
    if (item_length(d, out) == 0)
        return malformed(err, "an item that is none");
    if (begins && d->before > 0 && d->before + 1 + out->len <= DELTA_RAW_MAX)
        return malformed(err, "a frame that ends too early");
    if (!is_in_order(d, out))
        return malformed(err, "items out of order");
    d->at += 1 + out->len;
    d->removed += out->removed;
    d->added += !out->removed;
    return ERR_OK;
}
