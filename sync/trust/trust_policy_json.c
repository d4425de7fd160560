#include "base/hex.h"
#include "sync/trust/trust.h"

static void add_keys(cJSON *doc, const char *name, const struct trust_key *list,
                     size_t n)
{
    cJSON *keys = cJSON_AddArrayToObject(doc, name);
    char text[TRUST_KEY_TEXT];

    for (size_t i = 0; i < n; i++) {
        trust_key_text(&list[i], text);
        (void)cJSON_AddItemToArray(keys, cJSON_CreateString(text));
    }
}

static void add_roots(cJSON *doc, const struct trust_policy *policy)
{
    cJSON *roots = cJSON_AddArrayToObject(doc, "roots");
    char hex[65];

    for (size_t i = 0; i < policy->root_count && i < TRUST_ROOTS_MAX; i++) {
        cJSON *o = cJSON_CreateObject();

        hex_encode(policy->roots[i].hash, 32, hex);
        (void)cJSON_AddNumberToObject(o, "height", (double)policy->roots[i].height);
        (void)cJSON_AddStringToObject(o, "hash", hex);
        (void)cJSON_AddItemToArray(roots, o);
    }
}

static void add_header_proof(cJSON *doc, const struct trust_policy *policy)
{
    cJSON *window;

    if (policy->header_proof_full) {
        (void)cJSON_AddStringToObject(doc, "header_proof", "full");
        return;
    }
    window = cJSON_AddObjectToObject(doc, "header_proof");
    (void)cJSON_AddNumberToObject(window, "window", (double)policy->header_window);
}

cJSON *trust_policy_json(const struct trust_policy *policy)
{
    cJSON *doc = cJSON_CreateObject();
    char text[WORK_TEXT];

    (void)cJSON_AddNumberToObject(doc, "quorum", policy->quorum);
    (void)cJSON_AddNumberToObject(doc, "min_peers", policy->min_peers);
    (void)cJSON_AddNumberToObject(doc, "threshold", policy->threshold);
    add_keys(doc, "trusted_pubkeys", policy->keys, policy->key_count);
    (void)cJSON_AddNumberToObject(doc, "min_confirmations", policy->min_confirmations);
    (void)cJSON_AddNumberToObject(doc, "min_attestations", policy->min_attestations);
    add_keys(doc, "trusted_attesters", policy->attesters, policy->attester_count);
    add_header_proof(doc, policy);
    (void)cJSON_AddStringToObject(doc, "compare_coins",
                                  policy->compare_coins_always ? "always" : "auto");
    work_text(&policy->min_work, text);
    (void)cJSON_AddStringToObject(doc, "min_work", text);
    (void)cJSON_AddNumberToObject(doc, "min_delta", (double)policy->min_delta);
    (void)cJSON_AddNumberToObject(doc, "max_age_seconds",
                                  (double)policy->max_age_seconds);
    add_roots(doc, policy);
    return doc;
}
