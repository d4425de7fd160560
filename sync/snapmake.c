#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/pack_frames.h"
#include "store/state_at.h"
#include "sync/errand.h"
#include "sync/snapshot/payload_write.h"
#include "sync/snapshot/snapdir.h"
#include "sync/snapshot/snapshelf.h"
#include "sync/snapshots.h"

/*
 * A snapshot is made by a worker that reads the state through a connection of its own,
 * in one read transaction: the writer goes on meanwhile.  The coins are written and, in
 * the same pass, sorted by address for XAI's state_hash of them.
 */
enum { SORT_MEMORY = 16 << 20 };

struct make {
    struct errand base;
    const struct chain_params *params;
    char dir[PATH_TEXT], tmp[PATH_TEXT], shelf[PATH_TEXT];
    const char *data_dir;
    bool has_height, has_hash;
    uint64_t height;
    uint8_t hash[32];
    struct manifest *made;
    bool existed; /* it was there already: the same state gives the same bytes */
    /* of the worker's */
    struct snapdir_writer *writer;
    struct payload_writer *xai;
};

static void free_make(struct errand *base)
{
    struct make *t = (struct make *)base;

    manifest_free(t->made);
    free(t);
}

/* --- at the worker --- */

/* Tests hold it at the first coin, as long as a file is there. */
static void test_hook(const struct make *t)
{
    const char *hooks = getenv("CAIRN_TEST_HOOKS"); /* NOLINT(concurrency-mt-unsafe) */
    const char *file = getenv("CAIRN_TEST_HOLD");   /* NOLINT(concurrency-mt-unsafe) */

    if (!hooks || !file || strcmp(hooks, "1") != 0)
        return;
    while (access(file, F_OK) == 0 && !atomic_load(&t->base.base.task.cancel))
        (void)usleep(10000);
}

static enum errc add(void *arg, const struct coin *coin, struct err *err)
{
    struct make *t = arg;

    if (atomic_load_explicit(&t->base.done, memory_order_relaxed) == 0)
        test_hook(t);
    if (atomic_load_explicit(&t->base.base.task.cancel, memory_order_relaxed))
        return err_fail(err, REASON_CANCELLED, "the snapshot was given up");
    if (snapdir_writer_add(t->writer, coin, err) ||
        payload_writer_add(t->xai, coin, err))
        return err->code;
    atomic_fetch_add_explicit(&t->base.done, 1, memory_order_relaxed);
    return ERR_OK;
}

static enum errc write_coins(struct make *t, struct state_at *at,
                             const struct snapdir_about *about, struct err *err)
{
    const struct payload_write_options opt = {.tmp_dir = t->tmp,
                                              .sort_memory = SORT_MEMORY,
                                              .cancel = &t->base.base.task.cancel};
    CLEANUP(snapdir_writer_free) struct snapdir_writer *writer = NULL;
    CLEANUP(payload_writer_free) struct payload_writer *xai = NULL;
    struct payload_written written;

    if (snapdir_writer_create(t->shelf, about, &writer, err) ||
        payload_writer_create(&opt, &xai, err))
        return err->code;
    t->writer = writer;
    t->xai = xai;
    if (state_at_scan(at, add, t, err) ||
        payload_writer_finish(xai, NULL, NULL, &written, err))
        return err->code;
    snapdir_writer_xai(writer, written.state_hash);
    return snapdir_writer_finish(writer, &t->made, err);
}

static enum errc read_about(struct make *t, struct chaindb *db, struct state_at *at,
                            struct snapdir_about *out, struct err *err)
{
    struct chaindb_header row;
    struct state_tip tip;
    char hex[65];
    bool found;

    state_at_tip(at, &tip);
    if (chaindb_header_get(db, tip.hash, &found, &row, err))
        return err->code;
    if (!found)
        return err_fail(err, REASON_STORAGE_CORRUPT,
                        "chain.db: header %" PRIu64 " is gone", tip.height);
    if (t->has_hash && memcmp(t->hash, tip.hash, 32) != 0) {
        hex_encode(tip.hash, 32, hex);
        return err_set(err, ERR_CONFLICT, "the block at height %" PRIu64 " is %s",
                       tip.height, hex);
    }
    rows_to_header(&row, &out->header);
    memcpy(out->work.be, tip.work, WORK_BYTES);
    out->params = t->params;
    atomic_store(&t->base.total, tip.coin_count);
    return ERR_OK;
}

static bool is_the_same(const struct manifest *m, const uint8_t hash[32])
{
    AUTOFREE char *software =
        xasprintf("cairn/%s %s", CAIRN_VERSION, pack_frames_library());

    return memcmp(m->block_hash, hash, 32) == 0 && strcmp(m->software, software) == 0;
}

/* One of this block by this software is what would be made. */
static enum errc find_made(struct make *t, const uint8_t hash[32], struct err *err)
{
    struct snapshelf shelf;
    enum errc rc = snapshelf_read(t->data_dir, &shelf, err);

    for (size_t i = 0; !rc && !t->existed && i < shelf.count; i++) {
        struct snapshelf_item *item = &shelf.items[i];

        if (!is_the_same(item->manifest, hash))
            continue;
        if (item->withdrawn)
            rc = err_set(err, ERR_CONFLICT, "snapshot %s of this block was withdrawn",
                         item->id);
        else
            t->made = TAKE(item->manifest);
        t->existed = t->made != NULL;
    }
    snapshelf_fini(&shelf);
    return rc;
}

static enum errc make(struct make *t, struct chaindb *db, struct state *state,
                      struct err *err)
{
    CLEANUP(state_at_close) struct state_at *at = NULL;
    struct snapdir_about about;
    struct state_tip tip;

    if (state_get_tip(state, &tip, err) ||
        state_at_open(state, t->has_height ? t->height : tip.height, t->tmp, &at,
                      err) ||
        read_about(t, db, at, &about, err) || find_made(t, about.header.hash, err))
        return err->code;
    return t->existed ? ERR_OK : write_coins(t, at, &about, err);
}

static enum errc run(struct errand *base, struct err *err)
{
    struct make *t = (struct make *)base;
    CLEANUP(chaindb_close) struct chaindb *db = NULL;
    CLEANUP(state_close) struct state *state = NULL;
    AUTOFREE char *path = xasprintf("%s/chain.db", t->dir);
    enum errc rc;

    if (chaindb_open(path, CHAINDB_READER, &db, err) ||
        state_open(t->dir, db, &state, err) || chaindb_begin(db, err))
        return err->code;
    rc = make(t, db, state, err);
    chaindb_rollback(db);
    return rc;
}

/* --- on the engine's thread --- */

/* A reorganisation may have gone by meanwhile. */
static enum errc check_active(struct engine *e, const struct manifest *m,
                              struct err *err)
{
    struct chaindb_header row;
    bool found = false;

    if (e->live.state && chaindb_active_at(e->live.db, m->height, &found, &row, err))
        return err->code;
    if (found && memcmp(row.hash, m->block_hash, 32) == 0)
        return ERR_OK;
    return err_set(err, ERR_CONFLICT,
                   "the block at height %" PRIu64 " was replaced while the snapshot "
                   "was made",
                   m->height);
}

static void add_hash(cJSON *o, const char *key, const uint8_t hash[32])
{
    char hex[65];

    hex_encode(hash, 32, hex);
    cJSON_AddStringToObject(o, key, hex);
}

static cJSON *describe(const struct make *t)
{
    const struct manifest *m = t->made;
    cJSON *o = cJSON_CreateObject();
    char id[MANIFEST_ID];
    uint8_t digest[32];

    manifest_id(m, id);
    manifest_digest(m, digest);
    cJSON_AddStringToObject(o, "id", id);
    cJSON_AddNumberToObject(o, "height", (double)m->height);
    add_hash(o, "block_hash", m->block_hash);
    add_hash(o, "state_root", m->state_root);
    add_hash(o, "digest", digest);
    cJSON_AddNumberToObject(o, "coin_count", (double)m->coin_count);
    cJSON_AddNumberToObject(o, "bytes", (double)m->bytes);
    cJSON_AddNumberToObject(o, "frames_bytes", (double)m->frames_bytes);
    cJSON_AddBoolToObject(o, "existed", t->existed);
    return o;
}

static enum errc note(struct engine *e, const struct make *t, struct err *err)
{
    cJSON *o = describe(t);
    char *text;
    enum errc rc;

    cJSON_AddNumberToObject(o, "job", (double)t->base.job_id);
    text = cJSON_PrintUnformatted(o);
    cJSON_Delete(o);
    rc =
        control_audit_append(e->control, clock_now_ms(), "snapshot_created", text, err);
    cJSON_free(text);
    return rc;
}

static enum errc finish(struct engine *e, struct errand *base, cJSON **result,
                        struct err *err)
{
    struct make *t = (struct make *)base;
    char id[MANIFEST_ID];
    struct err ignored;
    cJSON *o;

    manifest_id(t->made, id);
    if (check_active(e, t->made, err)) {
        if (!t->existed)
            (void)snapshelf_remove(t->data_dir, id, &ignored);
        return err->code;
    }
    if (!t->existed && note(e, t, err))
        return err->code;
    o = describe(t);
    cJSON_AddNumberToObject(o, "seconds",
                            (double)(clock_mono_ms() - base->started_mono_ms) / 1000.0);
    cJSON_AddNumberToObject(o, "longest_writer_pause_ms",
                            (double)errands_pause_ms(base));
    *result = o;
    log_info("snapshot made", KV_S("id", id), KV_U("coins", t->made->coin_count),
             KV_U("bytes", t->made->frames_bytes),
             KV_U("pause_ms", (uint64_t)errands_pause_ms(base)));
    snapplan_made(e, t->made->height);
    return ERR_OK;
}

/* --- the call --- */

static enum errc check(const struct engine *e, const struct engine_request *req,
                       struct err *err)
{
    if (!e->live.state)
        return err_set(err, ERR_CONFLICT, "there is no state yet");
    if (e->halted)
        return err_set(err, ERR_CONFLICT, "the node is halted: %.120s", e->waiting_for);
    if (req->block_hash && !req->has_height)
        return err_set(err, ERR_INVALID, "block_hash: needs height beside it");
    if (req->has_height && (req->height < e->live.base_height ||
                            (e->status.has_tip && req->height > e->status.tip_height)))
        return err_fail(err, REASON_NOT_FOUND,
                        "the state at height %" PRIu64 " is not here: it reaches from "
                        "%" PRIu64 " to %" PRIu64,
                        req->height, e->live.base_height, e->status.tip_height);
    return ERR_OK;
}

static cJSON *request_json(const struct engine_request *req)
{
    cJSON *o = cJSON_CreateObject();

    if (req->has_height)
        cJSON_AddNumberToObject(o, "height", (double)req->height);
    if (req->block_hash)
        cJSON_AddStringToObject(o, "block_hash", req->block_hash);
    return o;
}

enum errc snapmake_start(struct engine *e, const struct engine_request *req,
                         cJSON **result, struct err *err)
{
    struct make *t;

    if (check(e, req, err))
        return err->code;
    t = xcalloc(1, sizeof(*t));
    t->base.kind = SNAPMAKE_KIND;
    t->base.act = "snapshot.create";
    t->base.request = request_json(req);
    t->base.unit = "coins";
    t->base.run = run;
    t->base.finish = finish;
    t->base.free = free_make;
    t->params = e->cfg->params;
    t->data_dir = e->cfg->data_dir;
    memcpy(t->dir, e->live.dir, sizeof(t->dir));
    (void)snprintf(t->tmp, sizeof(t->tmp), "%.900s/incoming", e->cfg->data_dir);
    (void)snprintf(t->shelf, sizeof(t->shelf), "%.900s/" SNAPSHELF_DIR,
                   e->cfg->data_dir);
    t->has_height = req->has_height;
    t->height = req->height;
    t->has_hash = req->block_hash != NULL;
    if (t->has_hash)
        (void)hex_hash(req->block_hash, t->hash); /* was checked as a parameter */
    return errands_start(e, req, &t->base, result, err);
}
