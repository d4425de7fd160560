#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/durable.h"
#include "base/hex.h"
#include "base/mem.h"
#include "base/pack_frames.h"
#include "store/framewriter.h"
#include "sync/snapshot/snapdir.h"

struct snapdir_writer {
    char *parent, *path; /* of the .incomplete */
    bool begun, finished;
    struct framewriter *body;
    struct manifest *manifest; /* what is known of it */
};

static struct manifest *begin_manifest(const struct snapdir_about *about)
{
    struct manifest *m = xcalloc(1, sizeof(*m));

    memcpy(m->network, about->params->network, sizeof(m->network));
    memcpy(m->genesis_hash, about->params->genesis_hash, sizeof(m->genesis_hash));
    m->header = about->header;
    m->header.signature[0] = m->header.miner_pubkey[0] = '\0'; /* copies differ */
    m->height = about->header.height;
    memcpy(m->block_hash, about->header.hash, sizeof(m->block_hash));
    m->work = about->work;
    (void)snprintf(m->software, sizeof(m->software), "cairn/%s %s", CAIRN_VERSION,
                   pack_frames_library());
    return m;
}

static char *incomplete_path(const char *parent, const struct manifest *m)
{
    char hex[65];

    hex_encode(m->block_hash, 32, hex);
    return xasprintf("%s/%" PRIu64 "-%.16s%s", parent, m->height, hex,
                     SNAPDIR_INCOMPLETE);
}

static enum errc begin_body(struct snapdir_writer *w, struct err *err)
{
    AUTOFREE char *frames = xasprintf("%s/%s", w->path, SNAPDIR_FRAMES);
    AUTOFREE char *table = xasprintf("%s/%s", w->path, SNAPDIR_TABLE);

    if (snapdir_remove(w->path, err)) /* of a run that was killed */
        return err->code;
    if (mkdir(w->path, 0700) != 0)
        return err_errno(err, "create %s", w->path);
    w->begun = true;
    return framewriter_create(frames, table, &w->body, err);
}

enum errc snapdir_writer_create(const char *parent, const struct snapdir_about *about,
                                struct snapdir_writer **out, struct err *err)
{
    CLEANUP(snapdir_writer_free) struct snapdir_writer *w = xcalloc(1, sizeof(*w));

    w->manifest = begin_manifest(about);
    w->parent = xstrdup(parent);
    w->path = incomplete_path(parent, w->manifest);
    if (begin_body(w, err))
        return err->code;
    *out = TAKE(w);
    return ERR_OK;
}

void snapdir_writer_free(struct snapdir_writer *w)
{
    struct err ignored; /* it has another name than a snapshot's */

    if (!w)
        return;
    framewriter_free(w->body);
    if (w->begun && !w->finished)
        (void)snapdir_remove(w->path, &ignored);
    manifest_free(w->manifest);
    free(w->parent);
    free(w->path);
    free(w);
}

enum errc snapdir_writer_add_record(struct snapdir_writer *w, const uint8_t *rec,
                                    size_t len, struct err *err)
{
    return framewriter_add(w->body, rec, len, err);
}

enum errc snapdir_writer_add(struct snapdir_writer *w, const struct coin *coin,
                             struct err *err)
{
    uint8_t rec[COINREC_MAX];
    size_t len;
    u128 atto;
    enum errc rc = coinrec_encode(coin, rec, &len, &atto, err);

    return rc ? rc : framewriter_add(w->body, rec, len, err);
}

void snapdir_writer_xai(struct snapdir_writer *w, const uint8_t state_hash[32])
{
    w->manifest->has_xai_state_hash = true;
    memcpy(w->manifest->xai_state_hash, state_hash, 32);
}

static void describe(struct manifest *m, const struct chunktable_want *body)
{
    m->chunk_count = body->chunks;
    m->coin_count = body->coins;
    m->bytes = body->bytes;
    m->frames_bytes = body->frames_bytes;
    m->total = body->total;
    memcpy(m->table_sha256, body->sha256, sizeof(m->table_sha256));
    memcpy(m->state_root, body->state_root, sizeof(m->state_root));
}

static enum errc write_manifest(const struct snapdir_writer *w, struct err *err)
{
    AUTOFREE char *path = xasprintf("%s/%s", w->path, SNAPDIR_MANIFEST);
    CLEANUP(manifest_free) struct manifest *again = NULL;
    CLEANUP_BUF struct buf text = BUF(MANIFEST_MAX);
    enum errc rc;

    manifest_write(w->manifest, &text);
    rc = manifest_parse(text.data, text.len, &again, err); /* as a reader will see it */
    return rc ? rc : durable_replace(path, text.data, text.len, err);
}

/* A directory of this id has the same bytes: it stays. */
static enum errc move_in_place(const struct snapdir_writer *w, struct err *err)
{
    char id[MANIFEST_ID];
    AUTOFREE char *path = NULL;
    struct stat st;

    manifest_id(w->manifest, id);
    path = xasprintf("%s/%s", w->parent, id);
    if (lstat(path, &st) == 0)
        return err_set(err, ERR_CONFLICT, "snapshot %s is there already", id);
    return durable_rename(w->path, path, err);
}

enum errc snapdir_writer_finish(struct snapdir_writer *w, struct manifest **out,
                                struct err *err)
{
    struct chunktable_want body;
    enum errc rc = framewriter_finish(w->body, &body, err);

    if (rc)
        return rc;
    describe(w->manifest, &body);
    rc = write_manifest(w, err);
    if (!rc)
        rc = move_in_place(w, err);
    if (rc)
        return rc;
    w->finished = true;
    *out = TAKE(w->manifest);
    return ERR_OK;
}
