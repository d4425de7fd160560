#include <string.h>

#include "base/mem.h"
#include "rpc/methods.h"
#include "rpc/out.h"
#include "sync/trust/trust_replay.h"

/* policy.simulate: the decisions in the audit log under another policy, or under
   today's. Read and judged here; the engine is asked for the policy in force alone. */
struct simulation {
    const struct trust_policy *policy;
    const struct chain_params *params;
    cJSON *changed, *unknown;
    uint64_t decisions;
    size_t room;
    bool more;
    int64_t last;
};

static const char *name_of(enum trust_replayed would)
{
    switch (would) {
    case TRUST_REPLAY_PASS:
        return "accepted";
    case TRUST_REPLAY_FAIL:
        return "rejected";
    case TRUST_REPLAY_UNKNOWN:
        return "unknown";
    }
    return NULL;
}

/* The rules that decide it now, or keep it from being decided. */
static void add_rules(const struct trust_replay *r, cJSON *list)
{
    for (enum trust_rule i = 0; i < TRUST_RULE_COUNT; i++) {
        const struct trust_replay_rule *rule = &r->rules[i];
        cJSON *o;

        if (rule->result == TRUST_REPLAY_PASS && !rule->changed)
            continue;
        o = cJSON_CreateObject();
        cJSON_AddItemToArray(list, o);
        out_text(o, "rule", trust_rule_name(i));
        out_text(o, "would",
                 rule->result == TRUST_REPLAY_PASS   ? "pass"
                 : rule->result == TRUST_REPLAY_FAIL ? "fail"
                                                     : "unknown");
        cJSON_AddBoolToObject(o, "changed", rule->changed);
        out_text(o, "detail", rule->why);
    }
}

static void add_decision(struct simulation *s, const struct control_audit *a,
                         const cJSON *verdict, const struct trust_replay *r)
{
    const cJSON *k = cJSON_GetObjectItemCaseSensitive(verdict, "candidate");
    static const char *const copied[] = {"height", "block_hash", "source"};
    cJSON *o = cJSON_CreateObject();

    cJSON_AddItemToArray(r->would == TRUST_REPLAY_UNKNOWN ? s->unknown : s->changed, o);
    out_id(o, "seq", a->seq);
    out_time(o, "at", a->at_ms);
    for (size_t i = 0; i < 3; i++) {
        const cJSON *v = cJSON_GetObjectItemCaseSensitive(k, copied[i]);

        if (v)
            cJSON_AddItemToObject(o, copied[i], cJSON_Duplicate(v, true));
        else
            cJSON_AddNullToObject(o, copied[i]);
    }
    out_text(o, "was", r->was_accepted ? "accepted" : "rejected");
    out_text(o, "would", name_of(r->would));
    add_rules(r, cJSON_AddArrayToObject(o, "rules"));
}

static enum errc replay_one(struct simulation *s, const struct control_audit *a,
                            struct err *err)
{
    cJSON *body = cJSON_Parse(a->body);
    const cJSON *verdict = cJSON_GetObjectItemCaseSensitive(body, "verdict");
    struct trust_replay r;

    if (!trust_replay(verdict, s->policy, s->params, &r)) {
        cJSON_Delete(body);
        return err_fail(err, REASON_STORAGE_CORRUPT, "audit entry %lld has no verdict",
                        (long long)a->seq);
    }
    s->decisions++;
    if (r.would == TRUST_REPLAY_UNKNOWN ||
        r.was_accepted != (r.would == TRUST_REPLAY_PASS))
        add_decision(s, a, verdict, &r);
    cJSON_Delete(body);
    return ERR_OK;
}

static enum errc look_at(void *arg, const struct control_audit *a, struct err *err)
{
    struct simulation *s = arg;

    if (s->more || (strcmp(a->kind, "checkpoint_accepted") != 0 &&
                    strcmp(a->kind, "checkpoint_rejected") != 0))
        return ERR_OK;
    if (s->room == 0) {
        s->more = true;
        return ERR_OK;
    }
    s->room--;
    s->last = a->seq;
    return replay_one(s, a, err);
}

static enum errc read_policy(struct rpc_ctx *ctx, const struct params *p,
                             struct trust_policy *out, struct err *err)
{
    const struct engine_request req = {.op = ENGINE_POLICY_GET};
    cJSON *now, *given;
    enum errc rc;

    if (engine_call(ctx->engine, &req, &now, err))
        return err->code;
    rc = trust_policy_parse(now, out, err);
    cJSON_Delete(now);
    if (rc || !p->policy.at)
        return rc;
    given = cJSON_ParseWithLength(p->policy.at, p->policy.len);
    rc = trust_policy_parse(given, out, err);
    cJSON_Delete(given);
    return rc;
}

METHODS_HANDLER(policy_simulate)
{
    CLEANUP(reader_release) struct reader *reader = NULL;
    AUTOFREE struct trust_policy *policy = xcalloc(1, sizeof(*policy));
    struct simulation s = {
        .policy = policy, .params = ctx->cfg->params, .room = p->limit.value};

    if (read_policy(ctx, p, policy, err))
        return err->code;
    cJSON_AddItemToObject(result, "policy", trust_policy_json(policy));
    s.changed = cJSON_AddArrayToObject(result, "changed");
    s.unknown = cJSON_AddArrayToObject(result, "unknown");
    if (reads_control(ctx->reads, &reader, err) ||
        control_audit_each(reader->control, (int64_t)p->after.value, SIZE_MAX, look_at,
                           &s, err))
        return err->code;
    out_u64(result, "decisions", s.decisions);
    out_id(result, "next", s.more ? s.last : 0);
    return ERR_OK;
}
