#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "sync/ask.h"
#include "sync/diagnose.h"

enum { STALL_MS = 120000 };

/* --- what the last job died of --- */

static void note_failure(struct engine *e, enum reason reason, const char *text,
                         int64_t job_id, int64_t at_ms)
{
    e->failure.reason = reason;
    e->failure.job_id = job_id;
    e->failure.at_ms = at_ms;
    (void)snprintf(e->failure.text, sizeof(e->failure.text), "%.190s", text);
}

void diagnose_job_failed(struct engine *e, const struct err *why)
{
    if (why->code != ERR_CANCELED)
        note_failure(e, why->reason, why->msg, e->job.id, clock_now_ms());
}

void diagnose_job_succeeded(struct engine *e)
{
    memset(&e->failure, 0, sizeof(e->failure));
}

static enum errc take_newest(void *arg, const struct control_job *row, struct err *err)
{
    struct engine *e = arg;
    cJSON *doc = row->error ? cJSON_Parse(row->error) : NULL;
    const char *code =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(doc, "reason"));
    const char *detail =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(doc, "detail"));
    enum reason reason;

    (void)err;
    if ((enum job_state)row->state == JOB_FAILED && code && detail &&
        reason_find(code, &reason))
        note_failure(e, reason, detail, row->id, row->ended_ms);
    cJSON_Delete(doc);
    return ERR_OK;
}

enum errc diagnose_load(struct engine *e, struct err *err)
{
    return control_job_each(e->control, 0, 1, false, take_newest, e, err);
}

/* --- the causes, most pressing first --- */

struct reachable {
    size_t all, banned, waiting, usable;
};

static struct reachable count_peers(struct engine *e)
{
    int64_t mono = clock_mono_ms(), now = clock_now_ms();
    struct reachable r = {.all = peers_count(e->peers)};

    for (size_t i = 0; i < r.all; i++) {
        const struct peer *p = peers_at(e->peers, i);

        if (p->banned_until_ms > now)
            r.banned++;
        else if (ask_can(p, mono, now))
            r.usable++;
        else
            r.waiting++;
    }
    return r;
}

static void set(struct engine_status *s, const char *cause, const char *hint,
                const char *evidence)
{
    (void)snprintf(s->diagnosis.cause, sizeof(s->diagnosis.cause), "%s", cause);
    (void)snprintf(s->diagnosis.hint, sizeof(s->diagnosis.hint), "%s", hint);
    (void)snprintf(s->diagnosis.evidence, sizeof(s->diagnosis.evidence), "%s",
                   evidence);
}

static void set_reason(struct engine_status *s, enum reason reason,
                       const char *evidence)
{
    set(s, reason_code(reason), reason_hint(reason), evidence);
}

static bool no_peers(struct engine *e, struct engine_status *s)
{
    struct reachable r = count_peers(e);
    char text[200];

    if (r.usable > 0)
        return false;
    (void)snprintf(text, sizeof(text),
                   "%zu peers are known: %zu banned, %zu backing off or not connected",
                   r.all, r.banned, r.waiting);
    if (r.all > 0 && r.banned == r.all)
        set(s, "all_peers_banned",
            "every peer was caught lying; see peers.list for the evidence, add others",
            text);
    else if (r.all > 0)
        set(s, "peers_unreachable",
            "check the network and the peers' addresses; see peers.list for their "
            "last errors",
            text);
    else
        set_reason(s, REASON_NO_PEERS, text);
    return true;
}

static bool stalled(struct engine *e, struct engine_status *s)
{
    int64_t mono = clock_mono_ms();
    char text[200];

    if (e->diag_done != e->done || e->diag_job != e->job.id ||
        e->diag_stage != e->job.state || e->diag_moved_mono_ms == 0) {
        e->diag_done = e->done;
        e->diag_job = e->job.id;
        e->diag_stage = e->job.state;
        e->diag_moved_mono_ms = mono;
    }
    if (mono - e->diag_moved_mono_ms < STALL_MS)
        return false;
    (void)snprintf(text, sizeof(text), "job-%lld has stood in %s for %lld s",
                   (long long)e->job.id, engine_state_name(s->state),
                   (long long)((mono - e->diag_moved_mono_ms) / 1000));
    set(s, "job_stalled",
        "see jobs.get for its stage and sources; sync.cancel ends it, another source "
        "may do better",
        text);
    return true;
}

static void behind(struct engine_status *s)
{
    char text[200];

    if (s->ready || !s->has_network_height || s->network_height <= s->tip_height)
        return;
    (void)snprintf(text, sizeof(text), "%llu blocks behind height %llu",
                   (unsigned long long)(s->network_height - s->tip_height),
                   (unsigned long long)s->network_height);
    set(s, "behind",
        "it is catching up, or no peer gives blocks that hold: see peers.list", text);
}

static void find_cause(struct engine *e, struct engine_status *s)
{
    char text[240];

    if (e->halted) {
        set(s, e->halted_for.reason ? reason_code(e->halted_for.reason) : "halted",
            reason_hint(e->halted_for.reason), e->waiting_for);
    } else if (e->incidents_open > 0) {
        (void)snprintf(text, sizeof(text), "%zu open; see incidents.list",
                       e->incidents_open);
        set(s, "incident_open",
            "look at the evidence in incidents.list, then choose; reads are served",
            text);
    } else if (e->job.active) {
        if (!stalled(e, s))
            (void)no_peers(e, s);
    } else if (no_peers(e, s)) {
        return;
    } else if (!e->live.state && e->failure.reason != REASON_NONE) {
        (void)snprintf(text, sizeof(text), "job-%lld: %.200s",
                       (long long)e->failure.job_id, e->failure.text);
        set_reason(s, e->failure.reason, text);
    } else if (!e->live.state) {
        set_reason(s, REASON_NO_CANDIDATE, e->waiting_for);
    } else if (e->waiting_for[0] != '\0') {
        set(s, "waiting", "see the evidence; it goes on by itself when that ends",
            e->waiting_for);
    } else {
        behind(s);
    }
}

void diagnose_into(struct engine *e, struct engine_status *s)
{
    find_cause(e, s);
    if (strcmp(e->diag_cause, s->diagnosis.cause) != 0) {
        (void)snprintf(e->diag_cause, sizeof(e->diag_cause), "%s", s->diagnosis.cause);
        e->diag_since_ms = clock_now_ms();
    }
    s->diagnosis.since_ms = e->diag_since_ms;
}
