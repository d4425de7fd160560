#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "sync/body_impl.h"

/* The stage fetching of a snapshot: its phases, one after another. */
enum {
    PIECE_BYTES = 2 << 20,
    IN_HAND_BYTES = 24 << 20, /* of memory, whatever the size of the snapshot */
    REQUESTS = 32,
};

/* --- its life --- */

void body_free(struct body *b)
{
    if (!b)
        return;
    if (b->files)
        atomic_store(&b->files->stop, true);
    body_files_unref(b->files);
    for (size_t i = 0; b->plan && i < b->plan->source_count; i++)
        if (b->sources[i].peer)
            atomic_fetch_sub(&b->sources[i].peer->held, 1);
    plan_free(b->plan);
    manifest_free(b->manifest);
    free(b->texts);
    free(b);
}

void body_accepted(struct body *b)
{
    if (b->files)
        body_keep_commit(b->files->keep);
}

void body_discard(struct body *b)
{
    if (b && b->files)
        body_keep_drop(b->files->keep);
}

/* base.coins and its index, less what is there of them; the table and the parts. */
uint64_t body_bytes_needed(const struct engine *e)
{
    const struct manifest *m = e->job.body->manifest;
    uint64_t need = m->bytes + m->bytes / 40 + chunktable_bytes(m->chunk_count) +
                    (e->cfg->keep_snapshots ? m->frames_bytes : 0);
    char path[PATH_TEXT];
    struct stat st;
    uint64_t there;

    gen_path(&e->building, "base.coins", path);
    if (stat(path, &st) != 0)
        return need;
    there = (uint64_t)st.st_blocks * 512;
    return need > there ? need - there : 0;
}

void body_result(const struct body *b, struct payload_result *out)
{
    const struct manifest *m = b->manifest;

    *out = (struct payload_result){.bytes = b->fetched_bytes};
    out->coins = (struct coinfile_info){.id = manifest_coinfile_id(m),
                                        .coin_count = m->coin_count,
                                        .total = m->total,
                                        .file_bytes = m->bytes,
                                        .chunk_count = m->chunk_count};
    memcpy(out->coins.state_root, m->state_root, 32);
}

/* --- ends --- */

void body_refuse(struct engine *e, const struct err *why)
{
    struct job *j = &e->job;
    struct trust_verdict v;

    body_publish(e, true);
    j->evidence.payload = TRUST_FAILS;
    j->evidence.payload_reason = why->reason;
    (void)snprintf(j->payload_detail, sizeof(j->payload_detail), "%.190s", why->msg);
    verdicts_evaluate(e, &v);
    verdicts_reject(e, &v);
}

/* A worker's error that is nobody's fault but the manifest's, the disk's or ours. */
static void end_with(struct engine *e, const struct err *why)
{
    if (why->code == ERR_VERIFY) {
        body_refuse(e, why);
        return;
    }
    body_publish(e, true);
    jobs_fail(e, why);
}

/* --- phases --- */

/* No more than 121 million can ever exist (protocol.md 5.5). */
static enum errc check_bounds(const struct engine *e, struct err *err)
{
    const struct manifest *m = e->job.body->manifest;
    const u128 supply_max = (u128)121000000 * 1000000000000000000U;

    if (m->frames_bytes > e->cfg->transfer_max_bytes)
        return err_fail(err, REASON_PAYLOAD_TOO_LARGE,
                        "the snapshot has %" PRIu64 " bytes, at most %" PRIu64
                        " are allowed",
                        m->frames_bytes, e->cfg->transfer_max_bytes);
    if (m->total > supply_max)
        return err_fail(err, REASON_STATE_BOUNDS,
                        "the coins' total is over what can exist");
    return ERR_OK;
}

void body_fetch(struct engine *e)
{
    struct body *b = e->job.body;
    const struct plan_limits limits = {.per_source = e->cfg->transfer_connections,
                                       .total = REQUESTS,
                                       .min_speed = e->cfg->transfer_min_speed,
                                       .bandwidth = e->cfg->transfer_bandwidth,
                                       .piece = PIECE_BYTES,
                                       .in_hand = IN_HAND_BYTES};

    struct err err;

    if (check_bounds(e, &err)) {
        body_refuse(e, &err);
        return;
    }
    b->plan = plan_create(&limits);
    body_sources_find(e);
    body_table_begin(e);
}

void body_opened(struct engine *e, const struct err *why)
{
    if (why->reason == REASON_PAYLOAD_HASH_MISMATCH || why->code == ERR_NET)
        body_table_failed(e, why);
    else if (why->code)
        end_with(e, why);
    else
        body_check_scan(e);
}

static uint32_t frame_bytes(const void *table, uint32_t i)
{
    struct chunktable_row row;

    chunktable_row(table, i, &row);
    return row.frame_bytes;
}

/* Between two phases: the frames are known. */
void body_scanned(struct engine *e)
{
    struct body *b = e->job.body;

    b->found_bytes = b->plan->bytes_verified;
    if (b->plan->verified > 0)
        log_info("resumed", KV_S("snapshot", b->id), KV_U("chunks", b->plan->verified),
                 KV_U("of", b->plan->frames));
    b->phase = BODY_PIECES;
}

void body_checked(struct engine *e, size_t ask, uint32_t good, const struct err *why)
{
    struct body *b = e->job.body;
    struct plan *p = b->plan;
    const struct plan_ask a = p->asks[ask];

    for (uint32_t i = a.first; i < a.first + good; i++) {
        if (!plan_is_verified(p, i))
            b->sources[a.source].verified += frame_bytes(b->files->table, i);
        plan_verified(p, i);
    }
    if (why->reason == REASON_PAYLOAD_HASH_MISMATCH)
        body_sources_blame(e, a.source, why);
    else if (why->code == ERR_NET)
        plan_drop(p, a.source, why->reason, why->msg);
    plan_end(p, ask, clock_mono_ms());
    if (why->code && why->reason != REASON_PAYLOAD_HASH_MISMATCH &&
        why->code != ERR_NET)
        end_with(e, why);
}

void body_finished(struct engine *e, const struct err *why)
{
    struct body *b = e->job.body;

    if (why->code) {
        end_with(e, why);
        return;
    }
    b->phase = BODY_DONE;
    body_publish(e, true);
    log_info("the body is whole", KV_S("snapshot", b->id),
             KV_U("fetched", b->fetched_bytes), KV_U("found", b->found_bytes));
    bootstrap_body_here(e);
}

void body_pump(struct engine *e)
{
    struct body *b = e->job.body;

    if (b->phase == BODY_TABLE)
        body_table_pump(e);
    else if (b->phase == BODY_PIECES)
        body_pieces_pump(e);
    /* The job may have ended in there. */
    if (e->job.body && e->job.state == JOB_FETCHING)
        body_publish(e, false);
}
