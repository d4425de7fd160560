#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/durable.h"
#include "base/hash.h"
#include "base/hex.h"
#include "base/mem.h"
#include "base/pyfloat.h"
#include "sync/snapshot/chunked.h"
#include "sync/snapshot/export.h"
#include "sync/snapshot/member.h"

/* A checkpoint file's fields (protocol.md 10.1), spelled as they are hashed. */
struct fields {
    const struct manifest *m;
    char block[65], previous[65], merkle[65], hash[65];
    char time[PYFLOAT_TEXT], supply[PYFLOAT_TEXT], created[32];
};

static void fill(struct fields *f, const struct manifest *m)
{
    CLEANUP_BUF struct buf text = BUF(2048);
    char total[U128_TEXT + 2];
    double whole = floor(m->header.timestamp);
    time_t at = (time_t)whole;
    uint8_t hash[32];
    struct tm tm;
    size_t n;

    f->m = m;
    hex_encode(m->block_hash, 32, f->block);
    hex_encode(m->header.prev, 32, f->previous);
    hex_encode(m->header.merkle_root, 32, f->merkle);
    (void)pyfloat_repr(m->header.timestamp, f->time);
    u128_amount_text(m->total, total);
    (void)pyfloat_repr(pyfloat_parse(total, strlen(total)), f->supply);
    (void)gmtime_r(&at, &tm);
    n = strftime(f->created, sizeof(f->created), "%Y-%m-%dT%H:%M:%S", &tm);
    (void)snprintf(f->created + n, sizeof(f->created) - n, ".%06d",
                   (int)((m->header.timestamp - whole) * 1e6));
    buf_printf(&text,
               "{\"block_hash\": \"%s\", \"difficulty\": %" PRIu64
               ", \"height\": %" PRIu64 ", \"merkle_root\": \"%s\", \"nonce\": %" PRIu64
               ", \"previous_hash\": \"%s\", \"timestamp\": %s, \"total_supply\": %s}",
               f->block, (uint64_t)m->header.difficulty, m->height, f->merkle,
               m->header.nonce, f->previous, f->time, f->supply);
    hash_sha256(text.data, text.len, hash);
    hex_encode(hash, 32, f->hash);
}

static enum errc put(int fd, const char *path, const struct buf *text, struct err *err)
{
    return durable_write(fd, text->data, text->len, path, err);
}

static enum errc copy(int from, const struct member *m, int to, const char *path,
                      struct err *err)
{
    enum { PIECE = 256 << 10 };
    AUTOFREE char *piece = xcalloc(PIECE, 1);

    for (uint64_t at = m->from; at < m->to;) {
        uint64_t left = m->to - at;
        ssize_t n = pread(from, piece, left < PIECE ? (size_t)left : PIECE, (off_t)at);

        if (n <= 0)
            return err_errno(err, "reading a payload");
        if (durable_write(to, piece, (size_t)n, path, err))
            return err->code;
        at += (uint64_t)n;
    }
    return ERR_OK;
}

static enum errc write_file(const struct fields *f, int payload,
                            const struct member *snapshot, int fd, const char *path,
                            struct err *err)
{
    CLEANUP_BUF struct buf head = BUF(1024);
    CLEANUP_BUF struct buf tail = BUF(1024);

    buf_printf(&head,
               "{\n  \"height\": %" PRIu64
               ",\n  \"block_hash\": \"%s\",\n  \"previous_hash\": \"%s\",\n  "
               "\"utxo_snapshot\":",
               f->m->height, f->block, f->previous);
    buf_printf(&tail,
               ",\n  \"timestamp\": %s,\n  \"difficulty\": %" PRIu64
               ",\n  \"total_supply\": %s,\n  \"merkle_root\": \"%s\",\n  \"nonce\": "
               "%" PRIu64
               ",\n  \"checkpoint_hash\": \"%s\",\n  \"created_at\": \"%s\"\n}",
               f->time, (uint64_t)f->m->header.difficulty, f->supply, f->merkle,
               f->m->header.nonce, f->hash, f->created);
    if (put(fd, path, &head, err) || copy(payload, snapshot, fd, path, err) ||
        put(fd, path, &tail, err))
        return err->code;
    return durable_sync(fd, path, err);
}

/* data, and in it utxo_snapshot. */
static enum errc find_coins(int payload, uint64_t size, struct member *out,
                            struct err *err)
{
    struct member data = {.rest = BUF(4096)};
    enum errc rc = member_find(payload, 0, size, "data", &data, err);

    if (!rc)
        rc = member_find(payload, data.from, data.to, "utxo_snapshot", out, err);
    buf_fini(&data.rest);
    if (!rc && !out->found)
        rc = err_fail(err, REASON_INTERNAL, "a payload without its coins");
    return rc;
}

static enum errc write_checkpoint(const struct manifest *m, const char *payload,
                                  const struct payload_written *written,
                                  const char *path, struct err *err)
{
    struct member snapshot = {.rest = BUF(4096)};
    struct fields f;
    int in = open(payload, O_RDONLY | O_CLOEXEC);
    int out = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    enum errc rc = in < 0 || out < 0 ? err_errno(err, "%.150s", path)
                                     : find_coins(in, written->bytes, &snapshot, err);

    if (!rc) {
        fill(&f, m);
        rc = write_file(&f, in, &snapshot, out, path, err);
    }
    if (in >= 0)
        (void)close(in);
    if (out >= 0)
        (void)close(out);
    buf_fini(&snapshot.rest);
    return rc;
}

static enum errc make_dir(const char *dir, const char *below, struct err *err)
{
    AUTOFREE char *path = xasprintf("%s%s", dir, below);

    return mkdir(path, 0700) != 0 ? err_errno(err, "%.150s", path) : ERR_OK;
}

static enum errc stock_checkpoint(const struct export_order *o, const char *dir,
                                  struct err *err)
{
    AUTOFREE char *manifest = xasprintf("%s/manifest.json", o->snapshot);
    AUTOFREE char *payload = xasprintf("%s/payload", dir);
    AUTOFREE char *path = NULL;
    CLEANUP(manifest_free) struct manifest *m = NULL;
    struct payload_written written;
    enum errc rc = manifest_read(manifest, &m, err);

    if (rc)
        return rc;
    path = xasprintf("%s/checkpoints/cp_%" PRIu64 ".json", dir, m->height);
    rc = export_payload(o, payload, &written, err);
    if (!rc)
        rc = write_checkpoint(m, payload, &written, path, err);
    (void)unlink(payload);
    return rc;
}

enum errc export_stock(const struct export_order *o, const char *dir, struct err *err)
{
    static const char *const dirs[] = {"", "/checkpoints", "/chunked_sync",
                                       "/chunked_sync/snapshots"};
    AUTOFREE char *chunks = NULL, *path = xasprintf("%s/manifest.json", o->snapshot);
    CLEANUP(manifest_free) struct manifest *m = NULL;
    char id[CHUNKED_ID], hash[65];
    enum errc rc = manifest_read(path, &m, err);

    for (size_t i = 0; !rc && i < sizeof(dirs) / sizeof(dirs[0]); i++)
        rc = make_dir(dir, dirs[i], err);
    if (!rc)
        rc = stock_checkpoint(o, dir, err);
    if (rc)
        return rc;
    hex_encode(m->block_hash, 32, hash);
    chunks = xasprintf("%s/chunked_sync/snapshots/height_%" PRIu64 "_%.8s", dir,
                       m->height, hash);
    return export_chunks(o, chunks, id, err);
}
