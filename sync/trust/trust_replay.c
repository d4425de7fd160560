#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/mem.h"
#include "sync/trust/trust_replay.h"
#include "sync/trust/trust_rule.h"

/* One rule as it was. */
struct past {
    enum trust_result result;
    const char *saw, *detail;
};

struct replay {
    const cJSON *doc;
    const struct trust_policy *policy;
    const struct chain_params *params;
    struct past rules[TRUST_RULE_COUNT];
    struct trust_candidate candidate;
    struct trust_evidence *evidence; /* votes, as far as they were kept */
    struct trust_replay *out;
};

static const char *text_of(const cJSON *o, const char *key)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, key));

    return text ? text : "";
}

__attribute__((format(printf, 3, 4))) static void say(struct trust_replay_rule *r,
                                                      enum trust_replayed result,
                                                      const char *fmt, ...)
{
    va_list ap;

    r->result = result;
    va_start(ap, fmt);
    (void)vsnprintf(r->why, sizeof(r->why), fmt, ap); /* cut */
    va_end(ap);
}

/* --- reading the document --- */

static bool read_rules(struct replay *p)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(p->doc, "rules"), *o = NULL;
    size_t seen = 0;

    cJSON_ArrayForEach (o, list) {
        const char *name = text_of(o, "rule"), *result = text_of(o, "result");

        for (enum trust_rule i = 0; i < TRUST_RULE_COUNT; i++) {
            if (strcmp(name, trust_rule_name(i)) != 0)
                continue;
            for (enum trust_result k = TRUST_PASS; k <= TRUST_NOT_APPLICABLE; k++)
                if (strcmp(result, trust_result_name(k)) == 0)
                    p->rules[i].result = k;
            p->rules[i].saw = text_of(o, "saw");
            p->rules[i].detail = text_of(o, "detail");
            seen++;
        }
    }
    return seen == TRUST_RULE_COUNT;
}

static void read_candidate(struct replay *p)
{
    const cJSON *o = cJSON_GetObjectItemCaseSensitive(p->doc, "candidate");
    const cJSON *height = cJSON_GetObjectItemCaseSensitive(o, "height");
    struct trust_candidate *k = &p->candidate;

    if (cJSON_IsNumber(height) && height->valuedouble >= 0 &&
        height->valuedouble < 9007199254740992.0) {
        k->has_height = true;
        k->height = (uint64_t)height->valuedouble;
    }
    k->has_block_hash = hex_hash(text_of(o, "block_hash"), k->block_hash);
    k->has_work = work_parse(text_of(o, "work"), &k->work);
}

static void read_votes(struct replay *p)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(p->doc, "votes"), *o = NULL;
    struct trust_evidence *e = p->evidence;

    cJSON_ArrayForEach (o, list) {
        struct trust_vote *v = &e->votes[e->vote_count];
        const cJSON *as = cJSON_GetObjectItemCaseSensitive(o, "as_number");
        const char *group = text_of(o, "group"), *identity = text_of(o, "identity");

        if (e->vote_count == TRUST_VOTES_MAX ||
            !hex_hash(text_of(o, "block_hash"), v->block_hash))
            continue;
        v->peer = text_of(o, "peer");
        v->group = group[0] ? group : NULL;
        v->identity = identity[0] ? identity : NULL;
        if (cJSON_IsNumber(as) && as->valuedouble >= 1 &&
            as->valuedouble <= 4294967295.0)
            v->as_number = (uint32_t)as->valuedouble;
        e->vote_count++;
    }
    e->votes_collected = TRUST_HOLDS;
}

/* --- rules --- */

/* Not asked of the policy: what it was, it is. */
static void keep(struct replay *p, enum trust_rule rule)
{
    const struct past *was = &p->rules[rule];
    struct trust_replay_rule *r = &p->out->rules[rule];

    switch (was->result) {
    case TRUST_PASS:
    case TRUST_NOT_APPLICABLE:
        r->result = TRUST_REPLAY_PASS;
        return;
    case TRUST_FAIL:
        say(r, TRUST_REPLAY_FAIL, "%s", was->detail);
        return;
    case TRUST_SKIPPED:
        say(r, TRUST_REPLAY_UNKNOWN, "not evaluated then: %s", was->detail);
        return;
    }
}

static bool was_evaluated(const struct replay *p, enum trust_rule rule)
{
    return p->rules[rule].result == TRUST_PASS || p->rules[rule].result == TRUST_FAIL;
}

/* quorum, equivocation, diversity: the rules themselves, over the votes that were. */
static void count_votes(struct replay *p, enum trust_rule rule, trust_rule_fn *fn)
{
    const struct trust_case c = {&p->candidate, p->evidence, p->policy, p->params,
                                 NULL};
    struct trust_replay_rule *r = &p->out->rules[rule];
    struct trust_rule_result now = {.result = TRUST_SKIPPED};

    fn(&c, &now);
    if (now.result == TRUST_NOT_APPLICABLE) {
        r->result = TRUST_REPLAY_PASS;
        return;
    }
    if (p->evidence->vote_count == 0 && !was_evaluated(p, rule)) {
        say(r, TRUST_REPLAY_UNKNOWN, "no votes were kept");
        return;
    }
    if (now.result == TRUST_FAIL)
        say(r, TRUST_REPLAY_FAIL, "saw %s, wanted %s", now.saw, now.wanted);
}

/* The figure that a rule saw before these words. */
static bool read_figure(const char *saw, const char *words, double *out)
{
    char *end;

    *out = strtod(saw, &end);
    return end != saw && strcmp(end, words) == 0;
}

static void judge_age(struct replay *p)
{
    struct trust_replay_rule *r = &p->out->rules[TRUST_RULE_FRESHNESS];
    const char *saw = p->rules[TRUST_RULE_FRESHNESS].saw;
    double age;

    if (p->policy->max_age_seconds == 0)
        return;
    if (!read_figure(saw, " s old", &age))
        say(r, TRUST_REPLAY_UNKNOWN, "the age was not kept");
    else if (age > (double)p->policy->max_age_seconds || age < 0)
        say(r, TRUST_REPLAY_FAIL, "saw %s, wanted at most %llu s", saw,
            (unsigned long long)p->policy->max_age_seconds);
}

static void judge_confirmations(struct replay *p)
{
    struct trust_replay_rule *r = &p->out->rules[TRUST_RULE_CONFIRMATIONS];
    const char *saw = p->rules[TRUST_RULE_CONFIRMATIONS].saw;
    double blocks;

    if (p->policy->min_confirmations == 0)
        return;
    if (!read_figure(saw, " blocks", &blocks))
        say(r, TRUST_REPLAY_UNKNOWN, "the number of blocks was not kept");
    else if (blocks < p->policy->min_confirmations)
        say(r, TRUST_REPLAY_FAIL, "saw %s, wanted %u", saw,
            p->policy->min_confirmations);
}

/* "height 200, tip 100" */
static bool read_heights(const char *saw, uint64_t *height, uint64_t *tip)
{
    static const char before[] = "height ", between[] = ", tip ";
    char *end;

    if (strncmp(saw, before, strlen(before)) != 0)
        return false;
    *height = strtoull(saw + strlen(before), &end, 10);
    if (strncmp(end, between, strlen(between)) != 0)
        return false;
    *tip = strtoull(end + strlen(between), &end, 10);
    return *end == '\0';
}

static void judge_delta(struct replay *p)
{
    struct trust_replay_rule *r = &p->out->rules[TRUST_RULE_DELTA];
    const char *saw = p->rules[TRUST_RULE_DELTA].saw;
    uint64_t height, tip;

    if (!was_evaluated(p, TRUST_RULE_DELTA))
        return; /* forced, or no state there was */
    if (!read_heights(saw, &height, &tip))
        say(r, TRUST_REPLAY_UNKNOWN, "the figures were not kept");
    else if (height < tip || height - tip < p->policy->min_delta)
        say(r, TRUST_REPLAY_FAIL, "saw %s, wanted at least %llu above", saw,
            (unsigned long long)p->policy->min_delta);
}

static void judge_work(struct replay *p)
{
    struct trust_replay_rule *r = &p->out->rules[TRUST_RULE_WORK];
    const char *saw = p->rules[TRUST_RULE_WORK].saw;
    char digits[101] = "", kind[16] = "";
    struct work work;

    if (work_is_zero(&p->policy->min_work) &&
        p->rules[TRUST_RULE_WORK].result != TRUST_FAIL)
        return;
    if (sscanf(saw, "%15s %100[0-9]", kind, digits) != 2 || !work_parse(digits, &work))
        say(r, TRUST_REPLAY_UNKNOWN, "the work was not kept");
    else if (work_compare(&work, &p->policy->min_work) < 0)
        say(r, TRUST_REPLAY_FAIL, "saw %s", saw);
    else if (p->rules[TRUST_RULE_WORK].result == TRUST_FAIL)
        say(r, TRUST_REPLAY_UNKNOWN,
            "it may have been less than that of the checkpoint before");
}

static void judge_root(struct replay *p)
{
    struct trust_replay_rule *r = &p->out->rules[TRUST_RULE_TRUST_ROOT];

    keep(p, TRUST_RULE_TRUST_ROOT);
    for (size_t i = 0; i < p->policy->root_count; i++)
        if (p->policy->roots[i].height == p->candidate.height &&
            memcmp(p->policy->roots[i].hash, p->candidate.block_hash, 32) != 0)
            say(r, TRUST_REPLAY_FAIL, "another block is pinned here");
}

static bool is_listed(const char *text, const struct trust_key *keys, size_t n)
{
    struct trust_key key;

    if (!trust_key_parse(text, &key))
        return false;
    for (size_t i = 0; i < n; i++)
        if (trust_key_equal(&keys[i], &key))
            return true;
    return false;
}

static void judge_signatures(struct replay *p)
{
    struct trust_replay_rule *r = &p->out->rules[TRUST_RULE_SIGNATURES];
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(p->doc, "signers"), *o = NULL;
    const cJSON *all = cJSON_GetObjectItemCaseSensitive(
        cJSON_GetObjectItemCaseSensitive(p->doc, "candidate"), "signatures");
    size_t good = 0, known = 0, count;

    if (p->policy->threshold == 0)
        return;
    count = cJSON_IsNumber(all) && all->valuedouble >= 0 && all->valuedouble < 1e6
                ? (size_t)all->valuedouble
                : 0;
    cJSON_ArrayForEach (o, list) {
        known++;
        good += cJSON_IsString(o) &&
                is_listed(o->valuestring, p->policy->keys, p->policy->key_count);
    }
    if (good >= p->policy->threshold)
        return;
    if (good + (count > known ? count - known : 0) < p->policy->threshold)
        say(r, TRUST_REPLAY_FAIL, "%zu of the keys trusted now signed, wanted %u", good,
            p->policy->threshold);
    else
        say(r, TRUST_REPLAY_UNKNOWN,
            "%zu of the keys trusted now signed; of %zu signatures it was not kept whose "
            "they are",
            good, count - known);
}

/* Only trusted keys' signatures were checked when the document was written. */
static void judge_revocation(struct replay *p)
{
    struct trust_replay_rule *r = &p->out->rules[TRUST_RULE_REVOCATION];
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(p->doc, "revocations"), *o;
    bool by_operator = strstr(p->rules[TRUST_RULE_REVOCATION].saw, "operator") != NULL;

    if (by_operator)
        say(r, TRUST_REPLAY_FAIL, "withdrawn by the operator");
    cJSON_ArrayForEach (o, list) {
        if (!is_listed(text_of(o, "key"), p->policy->keys, p->policy->key_count))
            continue;
        if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(o, "trusted")))
            say(r, TRUST_REPLAY_FAIL, "withdrawn by a key that is trusted now");
        else if (r->result == TRUST_REPLAY_PASS)
            say(r, TRUST_REPLAY_UNKNOWN,
                "withdrawn under a key that is trusted now; its signature was not checked");
    }
}

static void judge_attestations(struct replay *p)
{
    struct trust_replay_rule *r = &p->out->rules[TRUST_RULE_ATTESTATIONS];
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(p->doc, "attestations"), *o;
    size_t agree = 0, unchecked = 0;

    if (p->policy->min_attestations == 0 && p->policy->attester_count == 0)
        return;
    cJSON_ArrayForEach (o, list) {
        if (!is_listed(text_of(o, "key"), p->policy->attesters,
                       p->policy->attester_count))
            continue;
        if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(o, "trusted")))
            agree++;
        else
            unchecked++;
    }
    if (p->rules[TRUST_RULE_ATTESTATIONS].result == TRUST_FAIL && agree > 0 &&
        strstr(p->rules[TRUST_RULE_ATTESTATIONS].saw, "another state root"))
        say(r, TRUST_REPLAY_FAIL, "a trusted node derived another state");
    else if (agree + unchecked < p->policy->min_attestations)
        say(r, TRUST_REPLAY_FAIL, "%zu of the nodes trusted now attest it, wanted %u",
            agree, p->policy->min_attestations);
    else if (unchecked > 0)
        say(r, TRUST_REPLAY_UNKNOWN,
            "%zu attestations of nodes that are trusted now were not checked",
            unchecked);
}

static void judge_headers(struct replay *p)
{
    struct trust_replay_rule *r = &p->out->rules[TRUST_RULE_HEADERS];

    keep(p, TRUST_RULE_HEADERS);
    if (p->policy->header_proof_full && r->result == TRUST_REPLAY_PASS &&
        strstr(p->rules[TRUST_RULE_HEADERS].detail, "claimed, not proven"))
        say(r, TRUST_REPLAY_FAIL, "only a window of headers was proven");
}

/* --- all of it --- */

static void judge(struct replay *p)
{
    static const enum trust_rule as_it_was[] = {
        TRUST_RULE_NETWORK,    TRUST_RULE_METADATA, TRUST_RULE_REPLAY,
        TRUST_RULE_BEST_CHAIN, TRUST_RULE_SERVABLE, TRUST_RULE_PAYLOAD,
        TRUST_RULE_SOURCE,
    };

    for (size_t i = 0; i < sizeof(as_it_was) / sizeof(as_it_was[0]); i++)
        keep(p, as_it_was[i]);
    judge_delta(p);
    judge_age(p);
    judge_root(p);
    judge_revocation(p);
    count_votes(p, TRUST_RULE_QUORUM, trust_votes_quorum);
    count_votes(p, TRUST_RULE_EQUIVOCATION, trust_votes_equivocation);
    count_votes(p, TRUST_RULE_DIVERSITY, trust_diversity_rule);
    judge_signatures(p);
    judge_attestations(p);
    judge_work(p);
    judge_headers(p);
    judge_confirmations(p);
}

static void conclude(struct replay *p)
{
    struct trust_replay *out = p->out;

    out->would = TRUST_REPLAY_PASS;
    for (enum trust_rule i = 0; i < TRUST_RULE_COUNT; i++) {
        struct trust_replay_rule *r = &out->rules[i];
        bool passed = p->rules[i].result == TRUST_PASS ||
                      p->rules[i].result == TRUST_NOT_APPLICABLE;

        r->changed = r->result != TRUST_REPLAY_UNKNOWN &&
                     p->rules[i].result != TRUST_SKIPPED &&
                     passed != (r->result == TRUST_REPLAY_PASS);
        if (r->result == TRUST_REPLAY_FAIL && out->would != TRUST_REPLAY_FAIL) {
            out->would = TRUST_REPLAY_FAIL;
            out->decider = i;
        } else if (r->result == TRUST_REPLAY_UNKNOWN &&
                   out->would == TRUST_REPLAY_PASS) {
            out->would = TRUST_REPLAY_UNKNOWN;
            out->decider = i;
        }
    }
}

bool trust_replay(const cJSON *verdict, const struct trust_policy *policy,
                  const struct chain_params *params, struct trust_replay *out)
{
    AUTOFREE struct trust_evidence *evidence = xcalloc(1, sizeof(*evidence));
    struct replay p = {.doc = verdict,
                       .policy = policy,
                       .params = params,
                       .evidence = evidence,
                       .out = out};

    for (size_t i = 0; i < TRUST_RULE_COUNT; i++)
        p.rules[i].saw = p.rules[i].detail = "";
    if (!read_rules(&p))
        return false;
    memset(out, 0, sizeof(*out));
    out->was_accepted =
        cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(verdict, "accepted"));
    read_candidate(&p);
    read_votes(&p);
    judge(&p);
    conclude(&p);
    return true;
}
