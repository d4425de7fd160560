#include <string.h>

#include "base/hex.h"
#include "sync/trust/trust.h"

/* The words of trust_policy_json, read. */

static enum errc wrong(struct err *err, const char *name, const char *want)
{
    return err_set(err, ERR_INVALID, "policy.%s: %s expected", name, want);
}

static bool read_number(const cJSON *v, double max, uint64_t *out)
{
    if (!cJSON_IsNumber(v) || !(v->valuedouble >= 0 && v->valuedouble <= max) ||
        v->valuedouble != (double)(uint64_t)v->valuedouble)
        return false;
    *out = (uint64_t)v->valuedouble;
    return true;
}

static enum errc read_keys(const cJSON *v, struct trust_key *keys, size_t *count,
                           struct err *err)
{
    const cJSON *o = NULL;
    size_t n = 0;

    if (!cJSON_IsArray(v) || cJSON_GetArraySize(v) > TRUST_KEYS_MAX)
        return wrong(err, v->string, "a list of at most 64 keys");
    cJSON_ArrayForEach (o, v)
        if (!cJSON_IsString(o) || !trust_key_parse(o->valuestring, &keys[n++]))
            return wrong(err, v->string, "public keys");
    *count = n;
    return ERR_OK;
}

static enum errc read_pubkeys(const cJSON *v, struct trust_policy *p, struct err *err)
{
    return read_keys(v, p->keys, &p->key_count, err);
}

static enum errc read_attesters(const cJSON *v, struct trust_policy *p, struct err *err)
{
    return read_keys(v, p->attesters, &p->attester_count, err);
}

static enum errc read_compare_coins(const cJSON *v, struct trust_policy *p,
                                    struct err *err)
{
    const char *text = cJSON_GetStringValue(v);

    if (!text || (strcmp(text, "auto") != 0 && strcmp(text, "always") != 0))
        return wrong(err, v->string, "auto or always");
    p->compare_coins_always = strcmp(text, "always") == 0;
    return ERR_OK;
}

static enum errc read_roots(const cJSON *v, struct trust_policy *p, struct err *err)
{
    const cJSON *o = NULL;
    size_t n = 0;

    if (!cJSON_IsArray(v) || cJSON_GetArraySize(v) > TRUST_ROOTS_MAX)
        return wrong(err, v->string, "a list of at most 256 roots");
    cJSON_ArrayForEach (o, v) {
        const char *hash =
            cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, "hash"));

        if (!hash || !hex_hash(hash, p->roots[n].hash) ||
            !read_number(cJSON_GetObjectItemCaseSensitive(o, "height"),
                         9007199254740991.0, &p->roots[n].height))
            return wrong(err, v->string, "{height, hash}");
        n++;
    }
    p->root_count = n;
    return ERR_OK;
}

static enum errc read_header_proof(const cJSON *v, struct trust_policy *p,
                                   struct err *err)
{
    const char *text = cJSON_GetStringValue(v);

    p->header_proof_full = text && strcmp(text, "full") == 0;
    if (p->header_proof_full ||
        read_number(cJSON_GetObjectItemCaseSensitive(v, "window"), 1e8,
                    &p->header_window))
        return ERR_OK;
    return wrong(err, v->string, "full or {window}");
}

/* Numbers that are one field each. */
static bool find_number(const char *name, struct trust_policy *p, unsigned **small,
                        uint64_t **large)
{
    const struct {
        const char *name;
        unsigned *small;
        uint64_t *large;
    } fields[] = {
        {"quorum", &p->quorum, NULL},
        {"min_peers", &p->min_peers, NULL},
        {"threshold", &p->threshold, NULL},
        {"min_confirmations", &p->min_confirmations, NULL},
        {"min_attestations", &p->min_attestations, NULL},
        {"min_delta", NULL, &p->min_delta},
        {"max_age_seconds", NULL, &p->max_age_seconds},
    };

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        if (strcmp(name, fields[i].name) == 0) {
            *small = fields[i].small;
            *large = fields[i].large;
            return true;
        }
    }
    return false;
}

static enum errc read_min_work(const cJSON *v, struct trust_policy *p, struct err *err)
{
    const char *text = cJSON_GetStringValue(v);

    return text && work_parse(text, &p->min_work)
               ? ERR_OK
               : wrong(err, v->string, "a decimal number in a string");
}

static enum errc read_member(const cJSON *v, struct trust_policy *p, struct err *err)
{
    static const struct {
        const char *name;
        enum errc (*read)(const cJSON *v, struct trust_policy *p, struct err *err);
    } others[] = {
        {"trusted_pubkeys", read_pubkeys},
        {"trusted_attesters", read_attesters},
        {"roots", read_roots},
        {"header_proof", read_header_proof},
        {"compare_coins", read_compare_coins},
        {"min_work", read_min_work},
    };
    unsigned *small;
    uint64_t *large, n;

    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (strcmp(v->string, others[i].name) == 0)
            return others[i].read(v, p, err);
    if (!find_number(v->string, p, &small, &large))
        return err_set(err, ERR_INVALID, "policy.%.60s: unknown", v->string);
    if (!read_number(v, small ? 1e6 : 9007199254740991.0, &n))
        return wrong(err, v->string, "a whole number");
    if (small)
        *small = (unsigned)n;
    else
        *large = n;
    return ERR_OK;
}

enum errc trust_policy_parse(const cJSON *doc, struct trust_policy *policy,
                             struct err *err)
{
    struct trust_policy p = *policy;
    const cJSON *v = NULL;

    cJSON_ArrayForEach (v, doc)
        if (read_member(v, &p, err))
            return err->code;
    *policy = p;
    return ERR_OK;
}
