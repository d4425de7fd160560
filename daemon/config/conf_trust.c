#include <inttypes.h>
#include <string.h>

#include "base/hex.h"
#include "daemon/config/conf_list.h"
#include "daemon/config/conf_scalar.h"
#include "daemon/config/conf_trust.h"

/* Distinct keys into keys, which has room for what the list may hold. */
static enum errc take_keys(const struct conf_node **at, bool nodes,
                           struct trust_key *keys, size_t *count, struct err *err)
{
    const struct conf_node *n = *at;
    struct trust_key parsed;

    *count = 0;
    for (const struct conf_node *m = n->first; m; m = m->next) {
        *at = m;
        if (m->kind != CONF_TEXT || !trust_key_parse(m->text, &parsed) ||
            (nodes && parsed.alg != TRUST_ED25519))
            return err_set(err, ERR_INVALID,
                           "wants public keys: %sed25519: and 32 bytes in hex",
                           nodes ? "" : "33, 64 or 65 bytes of secp256k1 in hex, or ");
        for (size_t i = 0; i < *count; i++)
            if (trust_key_equal(&keys[i], &parsed))
                return err_set(err, ERR_INVALID, "one key is listed twice");
        keys[(*count)++] = parsed;
    }
    return ERR_OK;
}

enum errc conf_trust_pubkeys(CONF_SET_ARGS)
{
    struct trust_policy *p = &c->engine.policy;

    if (conf_list_check(*at, key->max, err) != ERR_OK)
        return err->code;
    return take_keys(at, false, p->keys, &p->key_count, err);
}

enum errc conf_trust_attesters(CONF_SET_ARGS)
{
    struct trust_policy *p = &c->engine.policy;

    if (conf_list_check(*at, key->max, err) != ERR_OK)
        return err->code;
    return take_keys(at, true, p->attesters, &p->attester_count, err);
}

enum errc conf_trust_header_proof(CONF_SET_ARGS)
{
    struct trust_policy *p = &c->engine.policy;
    const struct conf_node *n = *at, *window = NULL;
    uint64_t count;

    (void)key;
    if (n->kind == CONF_TEXT && strcmp(n->text, "full") == 0) {
        p->header_proof_full = true;
        return ERR_OK;
    }
    if (n->kind == CONF_MAP && n->count == 1)
        window = conf_tree_get(n, "window");
    if (!window || !conf_scalar_number(window, &count) ||
        count < CONF_TRUST_WINDOW_MIN || count > CONF_TRUST_WINDOW_MAX)
        return err_set(err, ERR_INVALID,
                       "wants full, or {window: N} with N from %d to %d",
                       CONF_TRUST_WINDOW_MIN, CONF_TRUST_WINDOW_MAX);
    p->header_proof_full = false;
    p->header_window = count;
    return ERR_OK;
}

enum errc conf_trust_compare_coins(CONF_SET_ARGS)
{
    bool always = (*at)->kind == CONF_TEXT && strcmp((*at)->text, "always") == 0;

    (void)key;
    if (!always && ((*at)->kind != CONF_TEXT || strcmp((*at)->text, "auto") != 0))
        return err_set(err, ERR_INVALID, "wants auto or always");
    c->engine.policy.compare_coins_always = always;
    return ERR_OK;
}

enum errc conf_trust_min_work(CONF_SET_ARGS)
{
    (void)key;
    if ((*at)->kind == CONF_TEXT && work_parse((*at)->text, &c->engine.policy.min_work))
        return ERR_OK;
    return err_set(err, ERR_INVALID, "wants a decimal number");
}

static enum errc take_root(const struct conf_node *m, struct trust_root *out,
                           struct err *err)
{
    const struct conf_node *height = NULL, *hash = NULL;

    if (m->kind == CONF_MAP && m->count == 2) {
        height = conf_tree_get(m, "height");
        hash = conf_tree_get(m, "hash");
    }
    if (!height || !hash || hash->kind != CONF_TEXT ||
        !conf_scalar_number(height, &out->height) ||
        out->height > CONF_TRUST_HEIGHT_MAX || !hex_hash(hash->text, out->hash))
        return err_set(err, ERR_INVALID,
                       "wants {height: N, hash: 64 lower-case hex digits}");
    return ERR_OK;
}

enum errc conf_trust_roots(CONF_SET_ARGS)
{
    struct trust_policy *p = &c->engine.policy;
    const struct conf_node *n = *at;
    struct trust_root root = {0};

    if (conf_list_check(n, key->max, err) != ERR_OK)
        return err->code;
    p->root_count = 0;
    for (const struct conf_node *m = n->first; m; m = m->next) {
        *at = m;
        if (take_root(m, &root, err) != ERR_OK)
            return err->code;
        for (size_t i = 0; i < p->root_count; i++)
            if (p->roots[i].height == root.height)
                return err_set(err, ERR_INVALID, "two roots at height %" PRIu64,
                               root.height);
        p->roots[p->root_count++] = root;
    }
    return ERR_OK;
}
