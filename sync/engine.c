#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "sync/ask.h"
#include "sync/diagnose.h"
#include "sync/errand.h"
#include "sync/finds.h"
#include "sync/snappublish.h"
#include "sync/snapshots.h"

/* --- handing things to the engine thread --- */

static void post(struct engine *e, struct msg msg)
{
    struct msg *m = xcalloc(1, sizeof(*m));

    *m = msg;
    if (chan_send(e->inbox, m))
        return;
    /* The engine has ended: nobody else will see this one. */
    if (msg.kind == MSG_FETCHED) {
        free(msg.u.request->owner);
        transfer_request_free(msg.u.request);
    } else if (msg.kind == MSG_ASKED) {
        free(msg.u.asked->owner);
        p2p_request_free(msg.u.asked);
    } else if (msg.kind == MSG_LINK) {
        p2p_event_free(e->p2p, msg.u.link);
    } else if (msg.kind == MSG_TASK) {
        struct job_task *t = (void *)msg.u.task;

        t->free(t);
    }
    free(m);
}

static void on_fetched(void *arg, struct transfer_request *r)
{
    post(arg, (struct msg){.kind = MSG_FETCHED, .u.request = r});
}

void engine_on_asked(void *arg, struct p2p_request *r)
{
    post(arg, (struct msg){.kind = MSG_ASKED, .u.asked = r});
}

void engine_on_link(void *arg, struct p2p_event *ev)
{
    post(arg, (struct msg){.kind = MSG_LINK, .u.link = ev});
}

static void on_task_done(void *arg, struct task *task)
{
    post(arg, (struct msg){.kind = MSG_TASK, .u.task = task});
}

/* --- work in flight --- */

bool engine_can_fetch(const struct engine *e)
{
    return e->fetches_out < FETCHES_MAX;
}

bool engine_fetch(struct engine *e, struct transfer_request *r, const struct fetch *f)
{
    struct fetch *owned;

    if (!engine_can_fetch(e)) {
        transfer_request_free(r);
        return false;
    }
    owned = xcalloc(1, sizeof(*owned));
    *owned = *f;
    owned->epoch = e->epoch;
    if (owned->peer) {
        owned->peer->in_flight++;
        r->hostile = r->hostile || owned->peer->hostile;
    }
    r->owner = owned;
    for (size_t i = 0; i < FETCHES_MAX; i++) {
        if (!e->outstanding[i]) {
            e->outstanding[i] = r;
            break;
        }
    }
    e->fetches_out++;
    transfer_submit(e->transfer, r);
    return true;
}

void engine_run(struct engine *e, struct job_task *t)
{
    t->epoch = e->epoch;
    e->tasks_out++;
    pool_submit(e->pool, &t->task);
}

void engine_new_epoch(struct engine *e)
{
    e->epoch++;
    for (size_t i = 0; i < FETCHES_MAX; i++)
        if (e->outstanding[i])
            atomic_store(&e->outstanding[i]->cancel, true);
    transfer_wake(e->transfer);
    verify_cancel(e);
    e->polls_out = 0;
    e->listings_out = 0;
    e->choose_again = false;
    reorg_reset(&e->reorg);
    sweep_reset(&e->sweep);
    chase_reset(&e->chase);
    evaluate_abort(e, REASON_CANCELLED);
}

void engine_count_answer(struct peer *p, const struct transfer_request *r)
{
    int64_t mono = clock_mono_ms(), now = clock_now_ms();

    p->in_flight--;
    if (r->err.code == ERR_CANCELED)
        return;
    if (r->err.code)
        peer_blame(p, PEER_FAULT_UNREACHABLE, r->err.reason, 0, r->err.msg, mono, now);
    else if (r->status == 429)
        peer_blame(p, PEER_FAULT_RATE_LIMIT, REASON_PEER_RATE_LIMITED, r->retry_after_s,
                   "HTTP 429", mono, now);
    else
        peer_answered(p, r->elapsed_ms, r->body_len, r->ip, now);
}

/* It may have written after its job had ended and its files were removed. */
static void drop_download(struct engine *e, int64_t job_id)
{
    if (job_id > 0 && !(e->job.active && e->job.id == job_id))
        jobs_remove_incoming(e, job_id);
}

static void handle_fetched(struct engine *e, struct transfer_request *r)
{
    struct fetch *f = r->owner;

    e->fetches_out--;
    for (size_t i = 0; i < FETCHES_MAX; i++)
        if (e->outstanding[i] == r)
            e->outstanding[i] = NULL;
    if (f->peer)
        engine_count_answer(f->peer, r);
    if (f->epoch == e->epoch)
        f->done(e, f, r);
    else if (r->path)
        drop_download(e, (int64_t)f->serial);
    free(f);
    transfer_request_free(r);
}

static void handle_task(struct engine *e, struct job_task *t)
{
    e->tasks_out--;
    if (t->any_epoch || t->epoch == e->epoch)
        t->done(e, t);
    if (t->free) /* NULL: done() kept it */
        t->free(t);
}

/* --- calls --- */

/* Answered when what it asks for has come; true: it will be. */
static bool answers_later(struct engine *e, struct call *call)
{
    if (call->req->op == ENGINE_ATTEST)
        attest_call(e, call);
    else if (call->req->op == ENGINE_EVALUATE)
        evaluate_call(e, call);
    else
        return call->req->op == ENGINE_SYNC_CANCEL && errands_cancel(e, call);
    return true;
}

static void answer(struct engine *e, struct call *call)
{
    cJSON *result = NULL;
    struct err err = {0};

    switch (call->req->op) {
    case ENGINE_SYNC_START:
    case ENGINE_SYNC_REBOOTSTRAP:
        (void)jobs_start(e, call->req, &result, &err);
        break;
    case ENGINE_SYNC_CANCEL:
        (void)jobs_cancel(e, call->req, &result, &err);
        break;
    case ENGINE_CANDIDATES:
        result = finds_json(e);
        break;
    case ENGINE_PEERS_LIST:
        result = peerbook_json(e);
        break;
    case ENGINE_PEERS_ADD:
    case ENGINE_PEERS_REMOVE:
    case ENGINE_PEERS_BAN:
    case ENGINE_PEERS_UNBAN:
        (void)peer_acts_call(e, call->req, &result, &err);
        break;
    case ENGINE_AUDIT_HEAD:
        (void)acts_head(e, &result, &err);
        break;
    case ENGINE_SIGNERS_LIST:
    case ENGINE_SIGNERS_ADD:
    case ENGINE_SIGNERS_REMOVE:
    case ENGINE_SIGNERS_THRESHOLD:
    case ENGINE_SIGNERS_CERTIFICATE:
    case ENGINE_ROOTS_LIST:
    case ENGINE_ROOTS_ADD:
    case ENGINE_ROOTS_REMOVE:
    case ENGINE_REVOKE:
    case ENGINE_INCIDENTS_RESOLVE:
    case ENGINE_POLICY_GET:
    case ENGINE_SNAPSHOT_CREATE:
    case ENGINE_SNAPSHOT_VERIFY:
    case ENGINE_SNAPSHOT_MERGE:
    case ENGINE_SNAPSHOT_WITHDRAW:
    case ENGINE_SNAPSHOT_DELETE:
    case ENGINE_SNAPSHOT_EXPORT:
    case ENGINE_SNAPSHOT_DELTA:
    case ENGINE_SNAPSHOT_PUBLISH:
    case ENGINE_SNAPSHOT_UNPUBLISH:
        (void)ops_call(e, call->req, &result, &err);
        break;
    case ENGINE_NOTE_ACT:
        if (acts_note(e, call->req, call->req->reason, 0, &err) == ERR_OK)
            result = cJSON_CreateObject();
        break;
    case ENGINE_ATTEST:
    case ENGINE_EVALUATE:
        abort(); /* not answered here */
    }
    call_answer(call, result, err.code ? &err : NULL);
}

static void handle_call(struct engine *e, struct call *call)
{
    struct err err;

    if (e->refusing) {
        (void)err_fail(&err, REASON_SHUTTING_DOWN, "the daemon is stopping");
        call_answer(call, NULL, &err);
    } else if (!answers_later(e, call)) {
        answer(e, call);
    }
}

/* --- the loop --- */

static void handle(struct engine *e, struct msg *m)
{
    switch (m->kind) {
    case MSG_CALL:
        handle_call(e, m->u.call);
        break;
    case MSG_FETCHED:
        handle_fetched(e, m->u.request);
        break;
    case MSG_ASKED:
        ask_answered(e, m->u.asked);
        break;
    case MSG_LINK:
        links_event(e, m->u.link);
        break;
    case MSG_TASK:
        handle_task(e, (void *)m->u.task);
        break;
    case MSG_REFUSE:
        e->refusing = true;
        evaluate_abort(e, REASON_SHUTTING_DOWN);
        attest_abort(e);
        errands_answer(e);
        break;
    case MSG_STOP:
        e->stopping = true;
        break;
    }
    free(m);
}

/* What there is to do without a message; true when there is more at once. */
static bool pump(struct engine *e)
{
    bool more;

    if (e->chase.active)
        chase_pump(e);
    if (e->job.active)
        bootstrap_pump(e);
    discovery_pump(e);
    listing_pump(e);
    links_pump(e);
    finds_pump(e);
    errands_pump(e);
    snapplan_pump(e);
    snapwatch_pump(e);
    told_update(e);
    more = follow_pump(e);
    return e->chase.active ? !e->chase.walking || e->chase.hurry : more;
}

static void refuse_waiting(struct engine *e)
{
    struct msg *m;
    struct err err;

    (void)err_fail(&err, REASON_SHUTTING_DOWN, "the daemon is stopping");
    while ((m = chan_recv_for(e->inbox, 0))) {
        if (m->kind == MSG_CALL) {
            call_answer(m->u.call, NULL, &err);
            free(m);
        } else {
            handle(e, m); /* counts down; stale, so it is only freed */
        }
    }
}

/* Their ends are written: they give up soon. */
static void collect_errands(struct engine *e)
{
    e->refusing = true;
    errands_abort(e);
    snapwatch_abort(e);
    while (errands_out(e))
        handle(e, chan_recv(e->inbox));
}

static void *engine_thread(void *arg)
{
    struct engine *e = arg;
    bool more = true;

    while (!e->stopping) {
        struct msg *m = chan_recv_for(e->inbox, more ? 0 : 200);

        int64_t since = clock_mono_ms();

        for (unsigned n = 0; m && n < 64; n++) {
            handle(e, m);
            m = chan_recv_for(e->inbox, 0);
        }
        if (m)
            handle(e, m);
        if (!e->stopping)
            more = pump(e);
        peerbook_save(e);
        status_publish(e);
        errands_note_turn(e, clock_mono_ms() - since);
    }
    engine_new_epoch(e);
    attest_abort(e);
    pool_cancel(e->pool); /* nobody but us frees a task while the inbox is open */
    collect_errands(e);
    chan_close(e->inbox);
    transfer_stop(e->transfer);
    links_stop(e);
    pool_free(e->pool);
    pool_free(e->errand_pool);
    refuse_waiting(e);
    return NULL;
}

void engine_progress(struct engine *e, const char *unit, uint64_t done, uint64_t total)
{
    if (e->unit != unit || done < e->done) {
        e->progress_since_mono_ms = clock_mono_ms();
        e->progress_since_done = done;
    }
    e->unit = unit;
    e->done = done;
    e->total = total;
}

void engine_halt(struct engine *e, const struct err *err)
{
    if (e->halted)
        return;
    e->halted = true;
    e->halted_for = *err;
    (void)snprintf(e->waiting_for, sizeof(e->waiting_for), "%s: %.120s",
                   reason_code(err->reason), err->msg);
    log_error("halted", KV_S("reason", reason_code(err->reason)),
              KV_S("detail", err->msg), KV_S("hint", reason_hint(err->reason)));
}

/* --- start and stop --- */

/* One reads and packs, another may wait for a network. */
enum { ERRAND_WORKERS = 2 };

static enum errc open_all(struct engine *e, struct err *err)
{
    struct transfer_config tc = {.max_connections = 64,
                                 .max_per_host = e->cfg->transfer_connections,
                                 .user_agent = "cairn/" CAIRN_VERSION,
                                 .allow_networks = e->cfg->allow_networks};
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    size_t workers = e->cfg->workers;

    if (datadir_open(e, err))
        return err->code;
    if (transfer_start(&tc, on_fetched, e, &e->transfer, err))
        return err->code;
    if (workers == 0)
        workers = cores > 1 ? (size_t)cores : 1;
    e->pool = pool_create(workers > 64 ? 64 : workers, TASKS_MAX, on_task_done, e);
    e->errand_pool = pool_create(ERRAND_WORKERS, ERRANDS_MAX + 1, on_task_done, e);
    return links_start(e, err);
}

static void close_all(struct engine *e)
{
    jobs_close(e);
    errands_fini(e);
    datadir_close(e);
    chase_reset(&e->chase);
    reorg_reset(&e->reorg);
    sweep_reset(&e->sweep);
    finds_fini(e);
    free(e->peers_told);
    free(e->job_sources);
    free(e->allow);
    chan_free(e->inbox);
    status_fini(e);
    free(e);
}

enum errc engine_start(const struct engine_config *cfg, struct engine **out,
                       struct err *err)
{
    struct engine *e = xcalloc(1, sizeof(*e));

    e->cfg = cfg;
    e->lock_fd = -1;
    e->started_ms = clock_now_ms();
    e->inbox = chan_create(INBOX_CAP);
    status_init(e);
    if (open_all(e, err) || jobs_resume(e, err)) {
        chan_close(e->inbox);
        transfer_stop(e->transfer);
        links_stop(e);
        pool_free(e->pool);
        pool_free(e->errand_pool);
        if (e->pool)
            refuse_waiting(e);
        close_all(e);
        return err->code;
    }
    e->opened = true;
    incidents_count(e);
    if (diagnose_load(e, err)) {
        log_warn("the last job's end is not known, ignoring", KV_S("detail", err->msg));
    }
    revoke_review(e);
    if (e->rotten.code)
        selfcheck_quarantine(e, &e->rotten);
    selfcheck_start(e);
    status_publish(e);
    if (pthread_create(&e->thread, NULL, engine_thread, e) != 0)
        abort();
    *out = e;
    return ERR_OK;
}

static void tell(struct engine *e, enum msg_kind kind)
{
    struct msg *m = xcalloc(1, sizeof(*m));

    m->kind = kind;
    if (!chan_send(e->inbox, m))
        free(m);
}

const struct identity *engine_identity(const struct engine *e)
{
    return e->identity;
}

void engine_refuse_calls(struct engine *e)
{
    tell(e, MSG_REFUSE);
}

void engine_stop(struct engine *e)
{
    if (!e)
        return;
    status_stop(e);
    tell(e, MSG_STOP);
    pthread_join(e->thread, NULL);
    close_all(e);
}
