#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/mem.h"
#include "sync/intake.h"

/*
 * checkpoint.evaluate: the rules run over a checkpoint without acting on it.  The body
 * is read and checked in full; of the network only what we hold already is evidence,
 * and what peers would have to be asked for is named as not evaluated.  One at a time.
 */
enum { SORT_MEMORY = 16 << 20, CONNECT_TIMEOUT_MS = 10000, TIMEOUT_MS = 120000 };

struct evaluate_task {
    struct job_task base;
    const struct chain_params *params;
    char *text; /* of the call; NULL: the file is there */
    char *file, *coins, *idx, *tmp;
    bool remove; /* file is ours */
    uint64_t max_bytes;
    struct payload_meta meta;
    struct payload_progress progress;
    struct payload_result result;
    struct err meta_err, err;
};

static enum errc write_text(const char *path, const char *text, struct err *err)
{
    FILE *f = fopen(path, "we");
    size_t len = strlen(text);
    bool ok;

    if (!f)
        return err_errno(err, "%s", path);
    ok = fwrite(text, 1, len, f) == len;
    ok = fclose(f) == 0 && ok;
    return ok ? ERR_OK : err_errno(err, "%s", path);
}

static void run(struct task *task)
{
    struct evaluate_task *t = (void *)task;
    struct payload_limits limits = {.max_bytes = t->max_bytes,
                                    .max_coins = UINT32_MAX,
                                    .sort_memory = SORT_MEMORY,
                                    .max_supply =
                                        (u128)121000000 * 1000000000000000000U};
    struct payload_paths paths = {
        .payload = t->file, .coins = t->coins, .idx = t->idx, .tmp_dir = t->tmp};

    if (t->text && write_text(t->file, t->text, &t->meta_err))
        return;
    if (payload_meta_read(t->file, &t->meta, &t->meta_err) == ERR_OK)
        (void)payload_ingest(&paths, t->params->network, &limits, &t->progress,
                             &t->result, &t->err);
    (void)unlink(t->coins);
    (void)unlink(t->idx);
    if (t->remove)
        (void)unlink(t->file);
}

static void free_task(struct job_task *base)
{
    struct evaluate_task *t = (void *)base;

    free(t->text);
    free(t->file);
    free(t->coins);
    free(t->idx);
    free(t->tmp);
    free(t);
}

/* --- the verdict --- */

/* Our own validated chain says whether the block is on it. */
enum errc evaluate_own_chain(struct engine *e, const struct trust_candidate *c,
                             struct trust_evidence *ev, struct err *err)
{
    struct chaindb_header row, best;
    bool found, any;

    if (!e->live.state || !c->has_height || !c->has_block_hash)
        return ERR_OK;
    if (chaindb_active_at(e->live.db, c->height, &found, &row, err) ||
        chaindb_header_best(e->live.db, &any, &best, err))
        return err->code;
    if (!found)
        return ERR_OK;
    if (memcmp(row.hash, c->block_hash, 32) != 0) {
        ev->best_chain = TRUST_FAILS;
        ev->best_chain_detail = "our own validated chain has another block there";
        return ERR_OK;
    }
    ev->headers = ev->best_chain = ev->confirmations_collected = TRUST_HOLDS;
    ev->headers_full = e->policy.rules.header_proof_full;
    memcpy(ev->work.be, row.work, WORK_BYTES);
    ev->block_time = row.timestamp;
    ev->has_block_time = true;
    ev->confirmations = any && best.height > c->height ? best.height - c->height : 0;
    return ERR_OK;
}

static void evaluated(struct engine *e, struct job_task *base)
{
    struct evaluate_task *t = (void *)base;
    struct call *call = TAKE(e->evaluating);
    struct trust_evidence ev = {.why_not_yet = "peers are not asked by an evaluation",
                                .now_ms = clock_now_ms()};
    struct trust_candidate c;
    struct trust_verdict v;
    struct statements heard = {.count = 0};
    struct err err = {0};

    if (!call)
        return; /* ended meanwhile */
    if (t->meta_err.code == ERR_VERIFY)
        (void)snprintf(t->meta.malformed, sizeof(t->meta.malformed), "%.150s",
                       t->meta_err.msg);
    else if (t->meta_err.code)
        err = t->meta_err;
    if (t->err.code && t->err.code != ERR_VERIFY)
        err = t->err;
    verdicts_candidate(&t->meta,
                       call->req->url    ? call->req->url
                       : call->req->path ? call->req->path
                                         : "inline",
                       &c);
    if (err.code || verdicts_past(e, &ev, &err) ||
        evaluate_own_chain(e, &c, &ev, &err) ||
        statements_load(e, c.height, c.block_hash, &heard, &err)) {
        call_answer(call, NULL, &err);
        return;
    }
    statements_bind(&heard, &ev);
    ev.source = TRUST_HOLDS;
    ev.payload = t->err.code || t->meta_err.code ? TRUST_FAILS : TRUST_HOLDS;
    ev.has_state_root = ev.payload == TRUST_HOLDS;
    memcpy(ev.state_root, t->result.coins.state_root, 32);
    ev.payload_reason = t->err.code ? t->err.reason : t->meta_err.reason;
    ev.payload_detail = t->err.code ? t->err.msg : t->meta_err.msg;
    trust_evaluate(&c, &ev, &e->policy.rules, e->cfg->params, &v);
    call_answer(call, trust_verdict_json(&v, &c, &ev, &e->policy.rules), NULL);
    statements_fini(&heard);
}

/* --- getting the body --- */

static void submit(struct engine *e, const char *text, const char *file)
{
    struct evaluate_task *t = xcalloc(1, sizeof(*t));

    t->base.task.run = run;
    t->base.done = evaluated;
    t->base.free = free_task;
    t->params = e->cfg->params;
    t->text = text ? xstrdup(text) : NULL;
    t->tmp = xasprintf("%s/incoming", e->cfg->data_dir);
    t->file = file ? xstrdup(file) : xasprintf("%s/evaluate.json", t->tmp);
    t->remove = !file;
    t->coins = xasprintf("%s/evaluate.coins", t->tmp);
    t->idx = xasprintf("%s/evaluate.idx", t->tmp);
    t->max_bytes = e->cfg->transfer_max_bytes;
    engine_run(e, &t->base);
}

static void on_fetched(struct engine *e, const struct fetch *f,
                       struct transfer_request *r)
{
    struct err err = r->err;

    (void)f;
    if (!e->evaluating)
        return;
    if (!err.code && r->status != 200)
        (void)err_fail(&err, REASON_SOURCE_UNREACHABLE, "HTTP %ld", r->status);
    if (err.code)
        call_answer(TAKE(e->evaluating), NULL, &err);
    else
        submit(e, NULL, NULL);
}

static void fetch(struct engine *e, const char *url)
{
    struct transfer_request *r = transfer_request_new(url);
    struct err err;

    r->path = xasprintf("%s/incoming/evaluate.json", e->cfg->data_dir);
    r->max_bytes = e->cfg->transfer_max_bytes;
    r->timeout_ms = TIMEOUT_MS;
    r->connect_timeout_ms = CONNECT_TIMEOUT_MS;
    r->max_redirects = 5;
    if (engine_fetch(e, r, &(struct fetch){.done = on_fetched}))
        return;
    (void)err_set(&err, ERR_BUSY, "too many requests are under way");
    call_answer(TAKE(e->evaluating), NULL, &err);
}

void evaluate_call(struct engine *e, struct call *call)
{
    const struct engine_request *req = call->req;
    struct err err = {0};

    if (e->evaluating)
        (void)err_set(&err, ERR_BUSY, "another evaluation is under way");
    else if ((req->payload != NULL) + (req->path != NULL) + (req->url != NULL) +
                 (req->document != NULL) !=
             1)
        (void)err_set(&err, ERR_INVALID, "give one of payload, manifest, url, path");
    else if (req->url && url_check(req->url, &err))
        (void)err_wrap(&err, "url");
    else if (req->path)
        (void)intake_check_path(e, req->path, &err);
    if (err.code) {
        call_answer(call, NULL, &err);
        return;
    }
    if (req->document) {
        evaluate_manifest_call(e, call);
        return;
    }
    e->evaluating = call;
    if (req->url)
        fetch(e, req->url);
    else
        submit(e, req->payload, req->path);
}

void evaluate_abort(struct engine *e, enum reason reason)
{
    struct err err;

    if (!e->evaluating)
        return;
    (void)err_fail(&err, reason, "the evaluation was ended: %s",
                   reason == REASON_SHUTTING_DOWN ? "the daemon is stopping"
                                                  : "a job began or ended meanwhile");
    call_answer(TAKE(e->evaluating), NULL, &err);
}
