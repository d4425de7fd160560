#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "sync/body.h"
#include "sync/finds.h"
#include "sync/intake.h"

enum { RETRY_STEPS_MAX = 5, RETRY_MOST_MS = 16 * 60 * 1000, GATHER_MS = 10000 };

/* --- beginning --- */

static void start_configured(struct engine *e, const struct engine_request *req)
{
    cJSON *result = NULL;
    struct err err;

    if (jobs_start(e, req, &result, &err))
        log_warn("the configured bootstrap did not start", KV_S("detail", err.msg));
    cJSON_Delete(result);
}

void bootstrap_at_start(struct engine *e)
{
    static const struct engine_request first = {.op = ENGINE_SYNC_START};
    static const struct engine_request forced = {
        .op = ENGINE_SYNC_REBOOTSTRAP,
        .reason = "checkpoint.force_at_start",
    };

    e->retry_at_mono_ms = 0;
    if (e->live.state) {
        follow_start(e);
        if (e->cfg->force_at_start)
            start_configured(e, &forced);
        return;
    }
    if (e->cfg->checkpoint_url[0] != '\0' &&
        (e->cfg->bootstrap_at_start || e->cfg->force_at_start)) {
        start_configured(e, &first);
        return;
    }
    (void)snprintf(e->waiting_for, sizeof(e->waiting_for), "a checkpoint: %s",
                   e->cfg->checkpoint_url[0] == '\0'
                       ? "set checkpoint.url or call sync.start"
                       : "checkpoint.bootstrap_at_start is off; call sync.start");
}

/* The configured rate, doubling to 16 minutes, or staying where it is when that is
   more. */
static int64_t retry_wait_ms(const struct engine *e)
{
    uint64_t rate = e->cfg->request_rate_seconds;
    int64_t first = rate > 0 ? (int64_t)rate * 1000 : 1000; /* never without a pause */
    int64_t wait = first << e->retries;
    int64_t most = first > RETRY_MOST_MS ? first : RETRY_MOST_MS;

    return wait < most ? wait : most;
}

void bootstrap_plan_retry(struct engine *e, const struct err *why)
{
    int64_t wait = retry_wait_ms(e);

    if (e->job.kind == INTAKE_PEERS && e->job.offered && why->code != ERR_IO)
        finds_refuse(e, why->reason);
    if (e->live.state)
        return;
    (void)snprintf(e->waiting_for, sizeof(e->waiting_for),
                   "a checkpoint: the last job failed, %.90s",
                   reason_code(why->reason));
    if (e->cfg->checkpoint_url[0] == '\0' || !e->cfg->bootstrap_at_start ||
        e->job.dry_run || strcmp(e->job.source, e->cfg->checkpoint_url) != 0)
        return;
    if (e->retries < RETRY_STEPS_MAX)
        e->retries++;
    e->retry_at_mono_ms = clock_mono_ms() + wait;
    (void)snprintf(e->waiting_for, sizeof(e->waiting_for),
                   "the next try, %lld s after %s: %.90s", (long long)(wait / 1000),
                   reason_code(why->reason), why->msg);
}

/* --- discovering: the peers' tips and the source's metadata, side by side --- */

static void discovered(struct engine *e)
{
    struct job *j = &e->job;

    if (j->tips_out == 0 && j->greetings_out == 0 && j->listings_out == 0 &&
        j->has_meta)
        jobs_event(e, JOB_EV_OK, NULL);
}

static enum errc renew_generation(struct engine *e, struct err *err)
{
    struct job *j = &e->job;

    (void)gen_discard(e, &e->building); /* it warned */
    if (gen_create(e, &e->building, err))
        return err->code;
    j->row.generation = e->building.id;
    return ERR_OK;
}

/* What was fetched of one snapshot is nothing for another. */
static char *snapshot_member(const struct job *j)
{
    char digest[65];

    if (!j->body)
        return xstrdup("");
    body_digest_text(j->body, digest);
    return xasprintf(",\"manifest\":\"%s\"", digest);
}

/* What a generation was begun for stays with the job: headers of another checkpoint's
   proof do not count for this one, nor those that came alone where blocks are wanted.
 */
static enum errc bind_candidate(struct engine *e, struct err *err)
{
    struct job *j = &e->job;
    AUTOFREE char *snapshot = snapshot_member(j);
    AUTOFREE char *text =
        xasprintf("{\"height\":%llu,\"block_hash\":\"%s\"%s%s}",
                  (unsigned long long)j->meta.height, j->meta.block_hash, snapshot,
                  decide_headers_alone(e) ? ",\"headers_alone\":true" : "");

    if (e->building.id == 0 || !j->row.candidate ||
        strcmp(j->row.candidate, text) != 0) {
        if (renew_generation(e, err))
            return err->code;
        free(j->row.candidate);
        j->row.candidate = TAKE(text);
        if (control_job_update(e->control, &j->row, err))
            return err->code;
    }
    e->building.base_height = j->meta.has_height ? j->meta.height : 0;
    return ERR_OK;
}

static enum errc check_expected(const struct job *j, struct err *err)
{
    const cJSON *height = cJSON_GetObjectItemCaseSensitive(j->request, "height");
    const char *hash = cJSON_GetStringValue(
        cJSON_GetObjectItemCaseSensitive(j->request, "block_hash"));

    if (height &&
        (!j->meta.has_height || (double)j->meta.height != height->valuedouble))
        return err_set(err, ERR_CONFLICT, "the source offers height %llu, not %.0f",
                       (unsigned long long)j->meta.height, height->valuedouble);
    if (hash && (!j->meta.has_block_hash || strcmp(j->meta.block_hash, hash) != 0))
        return err_set(err, ERR_CONFLICT, "the source offers block %s",
                       j->meta.block_hash);
    return ERR_OK;
}

void bootstrap_metadata_known(struct engine *e)
{
    struct job *j = &e->job;
    struct err err;

    if (check_expected(j, &err) || bind_candidate(e, &err)) {
        jobs_fail(e, &err);
        return;
    }
    j->has_meta = true;
    discovered(e);
}

void bootstrap_source_failed(struct engine *e, const struct err *why)
{
    struct job *j = &e->job;
    struct trust_verdict v;
    struct err err;

    if (why->code == ERR_IO || why->code == ERR_CANCELED || why->code == ERR_CONFLICT) {
        jobs_fail(e, why);
        return;
    }
    if (!j->has_meta && verdicts_begin(e, &err)) {
        jobs_fail(e, &err);
        return;
    }
    j->evidence.source = TRUST_FAILS;
    j->evidence.source_reason = why->reason;
    (void)snprintf(j->source_detail, sizeof(j->source_detail), "%.180s", why->msg);
    verdicts_evaluate(e, &v);
    verdicts_reject(e, &v);
}

static void greeted(struct engine *e)
{
    listing_ask(e, &e->job.listings_out, discovered);
}

static void discover_now(struct engine *e)
{
    e->job.gather_until_mono_ms = 0;
    e->waiting_for[0] = '\0';
    /* The metadata first: should it be here at once, the tips are still out. */
    e->job.tips_out = e->job.greetings_out = e->job.listings_out = 1;
    intake_metadata(e);
    if (!e->job.active || e->job.state != JOB_DISCOVERING)
        return;
    greet_peers(e, &e->job.greetings_out, greeted);
    tips_poll(e, &e->job.tips_out, discovered);
}

/* P2P peers that are still being dialled may be those that a quorum needs. */
static bool is_gathering(struct engine *e)
{
    return e->job.gather_until_mono_ms > clock_mono_ms() && !finds_enough(e) &&
           links_are_dialling(e);
}

static void discover_enter(struct engine *e)
{
    e->job.gather_until_mono_ms = clock_mono_ms() + GATHER_MS;
    if (is_gathering(e))
        (void)snprintf(e->waiting_for, sizeof(e->waiting_for),
                       "more peers to be connected");
    else
        discover_now(e);
}

static void discover_pump(struct engine *e)
{
    if (e->job.gather_until_mono_ms == 0)
        intake_pump(e);
    else if (!is_gathering(e))
        discover_now(e);
}

/* --- the table of entry actions --- */

void bootstrap_body_here(struct engine *e)
{
    jobs_event(e, JOB_EV_OK, NULL);
}

void bootstrap_enter(struct engine *e)
{
    switch (e->job.state) {
    case JOB_DISCOVERING:
        discover_enter(e);
        break;
    case JOB_DECIDING:
        decide_enter(e);
        break;
    case JOB_PREFLIGHT:
        preflight_enter(e);
        break;
    case JOB_FETCHING:
        intake_body(e);
        break;
    case JOB_VERIFYING:
        verify_enter(e);
        break;
    case JOB_MOUNTING:
        mount_enter(e);
        break;
    case JOB_HEADERS:
    case JOB_BLOCKS:
        follow_start(e);
        break;
    case JOB_QUEUED:
    case JOB_FOLLOWING:
    case JOB_FAILED:
    case JOB_CANCELLED:
    case JOB_DECIDED:
    case JOB_WORKING: /* never a bootstrap's */
    case JOB_DONE:
        break;
    }
}

void bootstrap_pump(struct engine *e)
{
    if (e->job.state == JOB_DISCOVERING)
        discover_pump(e);
    if (e->job.state == JOB_DECIDING)
        late_pump(e);
    if (e->job.state == JOB_FETCHING && e->job.body)
        body_pump(e);
    else if (e->job.state == JOB_FETCHING)
        intake_pump(e);
    if (e->job.state == JOB_VERIFYING)
        verify_pump(e);
}
