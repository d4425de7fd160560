#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/durable.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/mem.h"
#include "sync/body.h"
#include "sync/chunks.h"
#include "sync/outputs.h"

/* From a checkpoint that the rules allow to the live state: preflight, verifying and
   mounting.  Fetching lies between the first two, in intake.c. */

enum { HEADROOM = 64 << 20, SORT_MEMORY = 32 << 20 };

/* --- preflight --- */

/* The body, the coin file made of it, and the sort's runs. */
static uint64_t bytes_needed(const struct engine *e)
{
    const struct job *j = &e->job;

    if (j->body)
        return HEADROOM + body_bytes_needed(e);
    return HEADROOM + (j->body_here ? 0 : j->body_total) + 2 * j->body_total;
}

void preflight_enter(struct engine *e)
{
    struct statvfs fs;
    struct err err;
    uint64_t have, need = bytes_needed(e);

    if (statvfs(e->cfg->data_dir, &fs) != 0) {
        (void)err_errno(&err, "%s", e->cfg->data_dir);
        jobs_fail(e, &err);
        return;
    }
    have = (uint64_t)fs.f_bavail * fs.f_frsize;
    if (have < need) {
        (void)err_fail(&err, REASON_DISK_FULL,
                       "%s has %" PRIu64 " MiB free, %" PRIu64 " MiB are needed",
                       e->cfg->data_dir, have >> 20, need >> 20);
        jobs_fail(e, &err);
        return;
    }
    jobs_event(e, JOB_EV_OK, NULL);
}

/* --- verifying: a long task of a worker --- */

struct verify_task {
    struct job_task base;
    const struct chain_params *params;
    enum intake_kind kind;
    bool here; /* the coin file is, verified: a snapshot's body */
    uint64_t height;
    bool compare;       /* with the outputs of the proven blocks */
    bool headers_alone; /* will do: there may be no outputs to compare with */
    char *payload, *dir, *coins, *idx, *tmp;
    struct payload_limits limits;
    struct payload_progress progress;
    struct payload_result result;
    bool compared;
    struct err err;
};

static int by_outpoint(const void *a, const void *b)
{
    return outpoint_compare(&((const struct coin *)a)->at,
                            &((const struct coin *)b)->at);
}

static enum errc write_genesis(struct verify_task *t)
{
    CLEANUP(coinfile_writer_free) struct coinfile_writer *w = NULL;
    struct coin coins[GENESIS_COINS_MAX];
    struct coinfile_id id = {.height = 0};
    size_t n = t->params->genesis_coin_count;

    memcpy(coins, t->params->genesis_coins, n * sizeof(coins[0]));
    qsort(coins, n, sizeof(coins[0]), by_outpoint);
    (void)snprintf(id.network, sizeof(id.network), "%s", t->params->network);
    memcpy(id.block_hash, t->params->genesis_hash, 32);
    if (coinfile_writer_create(t->coins, t->idx, &id, &w, &t->err))
        return t->err.code;
    for (size_t i = 0; i < n; i++)
        if (coinfile_writer_add(w, &coins[i], &t->err))
            return t->err.code;
    return coinfile_writer_finish(w, &t->result.coins, &t->err);
}

static enum errc make_coins(struct verify_task *t)
{
    struct payload_paths paths = {
        .payload = t->payload, .coins = t->coins, .idx = t->idx, .tmp_dir = t->tmp};

    if (t->here)
        return ERR_OK;
    if (t->kind == INTAKE_GENESIS)
        return write_genesis(t);
    return payload_ingest(&paths, t->params->network, &t->limits, &t->progress,
                          &t->result, &t->err);
}

static void run_verify(struct task *task)
{
    struct verify_task *t = (void *)task;

    if (make_coins(t))
        return;
    if (t->compare && t->headers_alone &&
        outputs_whole(t->dir, t->height, &t->compare, &t->err))
        return;
    if (!t->compare || outputs_compare(t->dir, t->tmp, &t->progress.cancel, &t->err))
        return;
    t->compared = true;
}

static void free_verify(struct job_task *base)
{
    struct verify_task *t = (void *)base;

    free(t->payload);
    free(t->dir);
    free(t->coins);
    free(t->idx);
    free(t->tmp);
    free(t);
}

/* What was judged must be what was read: the source had time to change. */
static bool same_claims(const struct payload_meta *a, const struct payload_meta *b)
{
    return a->has_height == b->has_height && a->height == b->height &&
           strcmp(a->block_hash, b->block_hash) == 0 &&
           strcmp(a->state_hash, b->state_hash) == 0 && strcmp(a->work, b->work) == 0 &&
           strcmp(a->signature, b->signature) == 0 && strcmp(a->pubkey, b->pubkey) == 0;
}

static void tell_coins(struct job *j)
{
    if (!j->compared)
        j->not_compared =
            j->evidence.headers_full
                ? "headers alone were proven; signatures vouch for the state"
                : "only a window of headers was proven";
    (void)snprintf(j->payload_detail, sizeof(j->payload_detail),
                   "%" PRIu64 " coins%s%s", j->ingested.coins.coin_count,
                   j->compared ? ", each made and not spent by the proven blocks"
                               : "; coins not compared with the blocks: ",
                   j->compared ? "" : j->not_compared);
}

static void judge_body(struct engine *e, const struct verify_task *t)
{
    struct job *j = &e->job;
    struct trust_evidence *ev = &j->evidence;
    struct trust_verdict v;

    ev->source = TRUST_HOLDS;
    if (t->err.code) {
        ev->payload = TRUST_FAILS;
        ev->payload_reason = t->err.reason;
        (void)snprintf(j->payload_detail, sizeof(j->payload_detail), "%.190s",
                       t->err.msg);
        chunks_blame(e, t->err.reason, j->payload_detail);
    } else {
        ev->payload = TRUST_HOLDS;
        j->ingested = t->result;
        j->compared = t->compared;
        ev->has_state_root = true;
        memcpy(ev->state_root, t->result.coins.state_root, 32);
        tell_coins(j);
    }
    if (!t->err.code && j->kind != INTAKE_GENESIS && !t->here &&
        !same_claims(&j->meta, &t->result.meta)) {
        ev->source = TRUST_FAILS;
        ev->source_reason = REASON_SOURCE_CHANGED;
        (void)snprintf(j->source_detail, sizeof(j->source_detail),
                       "the body came with other metadata than were judged");
    }
    verdicts_evaluate(e, &v);
    if (v.accepted)
        jobs_event(e, JOB_EV_OK, NULL);
    else
        verdicts_reject(e, &v);
}

static void verified(struct engine *e, struct job_task *base)
{
    struct verify_task *t = (void *)base;

    e->job.verifying = NULL;
    if (t->err.code == ERR_IO || t->err.code == ERR_CANCELED)
        jobs_fail(e, &t->err);
    else
        judge_body(e, t);
}

void verify_enter(struct engine *e)
{
    struct job *j = &e->job;
    struct verify_task *t = xcalloc(1, sizeof(*t));
    const struct gen *g = &e->building;

    t->base.task.run = run_verify;
    t->base.done = verified;
    t->base.free = free_verify;
    t->params = e->cfg->params;
    t->kind = j->kind;
    t->height = j->meta.height;
    t->compare = j->evidence.headers_full;
    t->headers_alone = decide_headers_alone(e);
    t->payload = xstrdup(j->payload_path);
    t->dir = xstrdup(g->dir);
    t->coins = xasprintf("%s/base.coins", g->dir);
    t->idx = xasprintf("%s/base.idx", g->dir);
    t->tmp = xasprintf("%s/incoming", e->cfg->data_dir);
    t->limits = (struct payload_limits){.max_bytes = e->cfg->transfer_max_bytes,
                                        .max_coins = UINT32_MAX,
                                        .sort_memory = SORT_MEMORY};
    /* No more than 121 million can ever exist (protocol.md 5.5). */
    t->limits.max_supply = (u128)121000000 * 1000000000000000000U;
    t->here = j->body != NULL;
    if (t->here)
        body_result(j->body, &t->result);
    j->verifying = t;
    engine_run(e, &t->base);
}

void verify_pump(struct engine *e)
{
    if (e->job.verifying)
        engine_progress(e, "bytes", atomic_load(&e->job.verifying->progress.bytes_done),
                        e->job.body_total);
}

void verify_cancel(struct engine *e)
{
    if (!e->job.verifying)
        return;
    atomic_store(&e->job.verifying->progress.cancel, true);
    e->job.verifying = NULL;
}

/* --- mounting --- */

/* The proven headers become the active chain below the base. */
static enum errc activate_headers(struct engine *e, struct err *err)
{
    struct chaindb_header row;
    uint8_t hash[32];
    bool found;

    memcpy(hash, e->job.candidate.block_hash, 32);
    for (;;) {
        if (chaindb_header_get(e->building.db, hash, &found, &row, err))
            return err->code;
        if (!found || row.status != CHAINDB_VALID)
            return ERR_OK; /* the window's end */
        if (chaindb_active_set(e->building.db, row.height, row.hash, err))
            return err->code;
        if (row.height == 0)
            return ERR_OK;
        memcpy(hash, row.prev, 32);
    }
}

static enum errc prepare_chain(struct engine *e, struct err *err)
{
    struct job *j = &e->job;

    if (chaindb_begin(e->building.db, err))
        return err->code;
    if (activate_headers(e, err) ||
        state_init(e->building.db, &j->ingested.coins, j->checkpoint_work.be, err) ||
        chaindb_commit(e->building.db, err)) {
        chaindb_rollback(e->building.db);
        return err->code;
    }
    return state_open(e->building.dir, e->building.db, &e->building.state, err);
}

/* What was signed may help others: from now on it is theirs to ask for. */
static void keep_payload(struct engine *e)
{
    char path[PATH_TEXT];
    struct err err;

    if (e->job.body) {
        body_accepted(e->job.body);
        return;
    }
    if (!e->cfg->keep_payload || e->job.kind == INTAKE_GENESIS)
        return;
    gen_path(&e->live, "payload.json", path);
    if (durable_rename(e->job.payload_path, path, &err))
        log_warn("the payload is not kept for others, ignoring",
                 KV_S("detail", err.msg));
}

void mount_enter(struct engine *e)
{
    struct trust_verdict v;
    struct err err;

    verdicts_evaluate(e, &v);
    if (prepare_chain(e, &err) || verdicts_accept(e, &v, &err)) {
        jobs_fail(e, &err);
        return;
    }
    /* Not before: a crash up to here verifies anew, and needs the notes again. */
    if (chaindb_proof_drop(e->building.db, &err))
        log_warn("notes of the header proof not dropped, ignoring",
                 KV_S("detail", err.msg));
    memcpy(e->building.base_hash, e->job.candidate.block_hash, 32);
    gen_close(&e->live);
    e->live = e->building;
    e->building = (struct gen){0};
    keep_payload(e);
    e->retries = 0;
    e->halted = false;
    e->waiting_for[0] = '\0';
    if (gen_sweep(e, &err))
        log_warn("old generations not removed, ignoring", KV_S("detail", err.msg));
    jobs_moved(e);
}
