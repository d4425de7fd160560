#include <inttypes.h>
#include <sodium.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "store/chunktable.h"
#include "sync/publish/publish_impl.h"
#include "sync/publish/publish_latest.h"

struct watch {
    struct s3 s3;
    struct publish_latest latest;
    struct manifest *manifest;
};

static enum errc broken(struct err *err, const char *what, const struct err *why)
{
    return err_fail(err, REASON_PUBLISHED_BROKEN, "%s: %.180s", what, why->msg);
}

/* What latest.json names has to be there. */
static enum errc is_missing(struct err *err, const char *what)
{
    if (err->reason == REASON_NOT_FOUND)
        return err_fail(err, REASON_PUBLISHED_BROKEN, "%s is not there", what);
    return err->code;
}

static enum errc look_at_latest(struct watch *w, struct err *err)
{
    AUTOFREE char *key = s3target_key(w->s3.target, "latest.json");
    CLEANUP_BUF struct buf text = BUF(S3_SMALL_MAX);
    struct err why;

    if (s3_get(&w->s3, key, &text, err) != ERR_OK)
        return err->code;
    if (publish_latest_parse(text.data ? text.data : "", text.len, &w->latest, &why) !=
        ERR_OK)
        return broken(err, "latest.json", &why);
    return ERR_OK;
}

static enum errc look_at_manifest(struct watch *w, struct err *err)
{
    AUTOFREE char *key = publish_names_key(w->s3.target, w->latest.id, "manifest.json");
    CLEANUP_BUF struct buf text = BUF(S3_SMALL_MAX);
    char id[MANIFEST_ID];
    struct err why;

    if (s3_get(&w->s3, key, &text, err) != ERR_OK)
        return is_missing(err, key);
    if (manifest_parse(text.data ? text.data : "", text.len, &w->manifest, &why) !=
        ERR_OK)
        return broken(err, key, &why);
    manifest_id(w->manifest, id);
    if (strcmp(id, w->latest.id) != 0)
        return err_fail(err, REASON_PUBLISHED_BROKEN, "%.120s is the manifest of %s",
                        key, id);
    return ERR_OK;
}

static enum errc check_size(struct watch *w, const char *key, uint64_t bytes,
                            struct err *err)
{
    struct s3info info;

    if (s3_head(&w->s3, key, &info, err) != ERR_OK)
        return err->code;
    if (!info.exists)
        return err_fail(err, REASON_PUBLISHED_BROKEN, "%.150s is not there", key);
    if (info.bytes != bytes)
        return err_fail(err, REASON_PUBLISHED_BROKEN,
                        "%.120s has %" PRIu64 " bytes and not %" PRIu64, key,
                        info.bytes, bytes);
    return ERR_OK;
}

static enum errc look_at_frame(struct watch *w, const struct chunktable *table,
                               const char *key, struct err *err)
{
    struct chunktable_row row;
    struct buf bytes;
    uint8_t hash[32];
    enum errc rc;

    chunktable_row(table, randombytes_uniform(chunktable_count(table)), &row);
    bytes = BUF(row.frame_bytes);
    rc = s3_get_range(&w->s3, key, row.frame_offset, &bytes, err);
    if (!rc)
        hash_sha256(bytes.data, bytes.len, hash);
    buf_fini(&bytes);
    if (rc)
        return is_missing(err, key);
    if (memcmp(hash, row.frame_sha256, sizeof(hash)) != 0)
        return err_fail(err, REASON_PUBLISHED_BROKEN,
                        "%.120s: the frame at %" PRIu64 " is not the one published",
                        key, row.frame_offset);
    return ERR_OK;
}

static enum errc look_into(struct watch *w, const char *table_key,
                           const char *frames_key, struct err *err)
{
    struct chunktable_want want = manifest_table(w->manifest);
    struct buf bytes = BUF(chunktable_bytes(want.chunks));
    struct chunktable *table = NULL;
    struct err why;
    enum errc rc = s3_get_range(&w->s3, table_key, 0, &bytes, err);

    if (rc)
        rc = is_missing(err, table_key);
    else if (chunktable_read((const uint8_t *)bytes.data, bytes.len, &want, &table,
                             &why) != ERR_OK)
        rc = broken(err, table_key, &why);
    else if (want.chunks > 0)
        rc = look_at_frame(w, table, frames_key, err);
    chunktable_free(table);
    buf_fini(&bytes);
    return rc;
}

static enum errc look(struct watch *w, struct err *err)
{
    AUTOFREE char *table_key = NULL, *frames_key = NULL;
    uint64_t table_bytes;

    if (look_at_latest(w, err) != ERR_OK || look_at_manifest(w, err) != ERR_OK)
        return err->code;
    table_key = publish_names_key(w->s3.target, w->latest.id, "chunks.bin");
    frames_key = publish_names_key(w->s3.target, w->latest.id, "base.coins.zst");
    table_bytes = chunktable_bytes(w->manifest->chunk_count);
    if (check_size(w, table_key, table_bytes, err) != ERR_OK ||
        check_size(w, frames_key, w->manifest->frames_bytes, err) != ERR_OK)
        return err->code;
    return table_bytes <= PUBLISH_TABLE_MAX ? look_into(w, table_key, frames_key, err)
                                            : ERR_OK;
}

enum errc publish_watch(const struct publish_store *store, struct manifest **out,
                        struct err *err)
{
    struct watch w = {.s3 = publish_s3(store)};
    enum errc rc = look(&w, err);

    if (!rc)
        *out = TAKE(w.manifest);
    manifest_free(w.manifest);
    return publish_end(&w.s3, rc, err);
}
