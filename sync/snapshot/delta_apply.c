#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/durable.h"
#include "base/hex.h"
#include "base/mem.h"
#include "store/bytes.h"
#include "sync/snapshot/delta_layout.h"
#include "sync/snapshot/snapdir.h"

/* --- the merge --- */

static enum errc not_of_these(const uint8_t *key, const char *what, struct err *err)
{
    char txid[65];

    hex_encode(key, 32, txid);
    return err_fail(err, REASON_STATE_BOUNDS,
                    "the delta is not of these coins: %s:%u, to be %s", txid,
                    bytes_be32(key + 32), what);
}

enum errc delta_merge_begin(struct delta_merge *m, struct err *err)
{
    return delta_next(m->d, &m->next, err);
}

static enum errc put_next(struct delta_merge *m, struct err *err)
{
    if (m->next.removed)
        return not_of_these(m->next.rec, "removed, is not there", err);
    if (m->put(m->arg, m->next.rec, m->next.len, err))
        return err->code;
    return delta_next(m->d, &m->next, err);
}

static int compare(const struct delta_merge *m, const uint8_t *rec)
{
    return m->next.rec ? memcmp(m->next.rec, rec, COINREC_KEY) : 1;
}

enum errc delta_merge_add(struct delta_merge *m, const uint8_t *rec, size_t len,
                          struct err *err)
{
    int order;
    enum errc rc = ERR_OK;

    while (!rc && (order = compare(m, rec)) < 0)
        rc = put_next(m, err);
    if (rc)
        return rc;
    if (order > 0)
        return m->put(m->arg, rec, len, err);
    if (!m->next.removed)
        return not_of_these(rec, "added, is there", err);
    rc = delta_next(m->d, &m->next, err); /* rec goes, maybe for another at its place */
    if (!rc && compare(m, rec) == 0 && m->next.len == len &&
        memcmp(m->next.rec, rec, len) == 0)
        return not_of_these(rec, "replaced, is the same", err);
    return rc;
}

enum errc delta_merge_end(struct delta_merge *m, struct err *err)
{
    enum errc rc = ERR_OK;

    while (!rc && m->next.rec)
        rc = put_next(m, err);
    return rc;
}

/* --- from a directory to a directory --- */

static enum errc check_base(const struct manifest *from, const struct delta *d,
                            struct err *err)
{
    if (memcmp(from->state_root, delta_info(d)->from_root, 32) != 0)
        return err_fail(err, REASON_PAYLOAD_HASH_MISMATCH,
                        "the delta begins at another state");
    return ERR_OK;
}

static enum errc add_record(void *arg, const uint8_t *rec, size_t len, struct err *err)
{
    return snapdir_writer_add_record(arg, rec, len, err);
}

static enum errc merge(struct snapdir *a, struct delta *d, struct snapdir_writer *w,
                       const struct delta_watch *watch, struct err *err)
{
    struct delta_cursor c = {.dir = a, .watch = watch};
    struct delta_merge m = {.d = d, .put = add_record, .arg = w};
    enum errc rc = delta_merge_begin(&m, err);

    if (!rc)
        rc = delta_cursor_next(&c, err);
    while (!rc && c.rec) {
        rc = delta_merge_add(&m, c.rec, c.len, err);
        if (!rc)
            rc = delta_cursor_next(&c, err);
    }
    return rc ? rc : delta_merge_end(&m, err);
}

static enum errc create_writer(const char *parent, const struct manifest *to,
                               struct snapdir_writer **out, struct err *err)
{
    AUTOFREE struct chain_params *params = xcalloc(1, sizeof(*params));
    const struct snapdir_about about = {
        .header = to->header, .work = to->work, .params = params};

    memcpy(params->network, to->network, sizeof(params->network));
    memcpy(params->genesis_hash, to->genesis_hash, sizeof(params->genesis_hash));
    return snapdir_writer_create(parent, &about, out, err);
}

static enum errc check_made(const struct manifest *made, const struct manifest *to,
                            struct err *err)
{
    uint8_t a[32], b[32];

    manifest_digest(made, a);
    manifest_digest(to, b);
    if (memcmp(made->state_root, to->state_root, 32) != 0)
        return err_fail(err, REASON_PAYLOAD_HASH_MISMATCH,
                        "what the delta leads to has not the state root of its "
                        "manifest");
    if (memcmp(a, b, 32) != 0)
        return err_fail(err, REASON_PAYLOAD_HASH_MISMATCH,
                        "the coins are right, but the manifest is of %.60s and this is "
                        "%.60s",
                        to->software, made->software);
    return ERR_OK;
}

/* Made in a directory of its own, so that nobody takes for a snapshot what is none. */
static enum errc make(struct snapdir *a, struct delta *d, const char *work,
                      const struct delta_watch *watch, struct err *err)
{
    CLEANUP(snapdir_writer_free) struct snapdir_writer *w = NULL;
    CLEANUP(manifest_free) struct manifest *made = NULL;
    const struct manifest *to = delta_manifest(d);
    AUTOFREE char *path = NULL;
    char id[MANIFEST_ID];
    enum errc rc = create_writer(work, to, &w, err);

    if (!rc)
        rc = merge(a, d, w, watch, err);
    if (!rc && to->has_xai_state_hash)
        snapdir_writer_xai(w, to->xai_state_hash);
    if (!rc)
        rc = snapdir_writer_finish(w, &made, err);
    if (rc)
        return rc;
    manifest_id(made, id);
    path = xasprintf("%s/%s", work, id);
    rc = check_made(made, to, err);
    if (!rc)
        rc = snapdir_replace_manifest(path, to, err);
    if (rc)
        (void)snapdir_remove(path, &(struct err){0}); /* on an error's way */
    return rc;
}

static enum errc move_out(const char *work, const char *id, const char *parent,
                          struct err *err)
{
    AUTOFREE char *from = xasprintf("%s/%s", work, id);
    AUTOFREE char *to = xasprintf("%s/%s", parent, id);
    struct stat st;

    if (lstat(to, &st) == 0)
        return err_set(err, ERR_CONFLICT, "snapshot %s is there already", id);
    return durable_rename(from, to, err);
}

/* Of a run that was killed. */
static enum errc begin_work(const char *work, const char *id, struct err *err)
{
    AUTOFREE char *made = xasprintf("%s/%s", work, id);

    if (mkdir(work, 0700) != 0 && access(work, W_OK) != 0)
        return err_errno(err, "create %.150s", work);
    return snapdir_remove(made, err);
}

static enum errc apply(struct snapdir *a, struct delta *d, const char *parent,
                       const struct delta_watch *watch, struct err *err)
{
    char id[MANIFEST_ID];
    AUTOFREE char *work = NULL;
    enum errc rc;

    manifest_id(delta_manifest(d), id);
    work = xasprintf("%s/%s.delta%s", parent, id, SNAPDIR_INCOMPLETE);
    rc = begin_work(work, id, err);
    if (!rc)
        rc = make(a, d, work, watch, err);
    if (!rc) {
        rc = move_out(work, id, parent, err);
        if (rc) {
            AUTOFREE char *made = xasprintf("%s/%s", work, id);

            (void)snapdir_remove(made, &(struct err){0}); /* on an error's way */
        }
    }
    (void)rmdir(work);
    return rc;
}

enum errc delta_apply(const char *from, const char *path, const char *parent,
                      const struct delta_watch *watch, struct manifest **out,
                      struct err *err)
{
    CLEANUP(snapdir_close) struct snapdir *a = NULL;
    CLEANUP(delta_close) struct delta *d = NULL;
    CLEANUP_BUF struct buf text = BUF(MANIFEST_MAX);
    enum errc rc = snapdir_open(from, &a, err);

    if (!rc)
        rc = delta_open(path, &d, err);
    if (!rc)
        rc = check_base(snapdir_manifest(a), d, err);
    if (!rc)
        rc = apply(a, d, parent, watch, err);
    if (rc)
        return rc;
    manifest_write(delta_manifest(d), &text);
    return manifest_parse(text.data, text.len, out, err);
}
