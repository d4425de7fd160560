#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/log.h"
#include "sync/core.h"

/*
 * The policy in force.  The configuration is where it begins; certificates lead its
 * signer set on; what the operator added or removed by RPC comes last.  Nothing stored
 * can keep a data directory from opening: what does not fit any more is left out, and
 * said.
 */

/* --- certificates --- */

struct lead {
    struct engine *e;
    struct policy *p;
    bool broken;
};

static enum errc follow(void *arg, const struct control_signer_set *row,
                        struct err *err)
{
    CLEANUP(trust_statement_free) struct trust_statement *cert = NULL;
    struct lead *l = arg;
    struct err why;

    (void)err;
    if (l->broken || memcmp(row->first, l->p->first, 32) != 0)
        return ERR_OK; /* of another configuration */
    if (trust_statement_parse(row->document, strlen(row->document), &cert, &why) ||
        trust_set_advance(&l->p->set, cert, l->e->cfg->params, &why)) {
        log_warn("stored certificate does not hold, ignoring it and later ones",
                 KV_U("sequence", row->sequence), KV_S("detail", why.msg));
        l->broken = true;
    }
    return ERR_OK;
}

static enum errc lead_on(struct engine *e, struct policy *p, struct err *err)
{
    const struct trust_policy *cfg = &e->cfg->policy;
    struct lead l = {.e = e, .p = p};

    p->rotates = trust_set_first(cfg->keys, cfg->key_count, cfg->threshold, &p->set);
    if (!p->rotates)
        return ERR_OK;
    trust_set_digest(&p->set, e->cfg->params, p->first);
    if (control_signer_set_each(e->control, follow, &l, err))
        return err->code;
    if (p->set.sequence == 0)
        return ERR_OK;
    memcpy(p->rules.keys, p->set.keys, sizeof(p->rules.keys));
    p->rules.key_count = p->set.key_count;
    p->rules.threshold = p->set.threshold;
    return ERR_OK;
}

/* --- the operator's changes --- */

static void remove_key(struct trust_policy *p, const struct trust_key *key)
{
    size_t kept = 0;

    for (size_t i = 0; i < p->key_count; i++)
        if (!trust_key_equal(&p->keys[i], key))
            p->keys[kept++] = p->keys[i];
    p->key_count = kept;
}

static enum errc change_signer(void *arg, const struct control_signer *row,
                               struct err *err)
{
    struct trust_policy *p = arg;
    struct trust_key key;

    (void)err;
    if (!trust_key_parse(row->key, &key)) {
        log_warn("stored signer is no key, ignoring", KV_S("key", row->key));
        return ERR_OK;
    }
    remove_key(p, &key);
    if (!row->keep)
        return ERR_OK;
    if (p->key_count == TRUST_KEYS_MAX)
        log_warn("too many signers, ignoring", KV_S("key", row->key));
    else
        p->keys[p->key_count++] = key;
    return ERR_OK;
}

static enum errc change_threshold(struct engine *e, struct policy *p, struct err *err)
{
    AUTOFREE char *text = NULL;
    bool found = false;

    if (control_meta_get(e->control, "signers.threshold", &found, &text, err))
        return err->code;
    p->own_threshold = found && text[0] != '\0';
    if (p->own_threshold)
        p->rules.threshold = (unsigned)strtoul(text, NULL, 10);
    return ERR_OK;
}

static enum errc pin_root(void *arg, const struct control_root *row, struct err *err)
{
    struct trust_policy *p = arg;

    (void)err;
    for (size_t i = 0; i < p->root_count; i++) {
        if (p->roots[i].height != row->height)
            continue;
        if (memcmp(p->roots[i].hash, row->hash, 32) != 0)
            log_warn("the configuration pins another root, ignoring the stored one",
                     KV_U("height", row->height));
        return ERR_OK;
    }
    if (p->root_count == TRUST_ROOTS_MAX) {
        log_warn("too many roots, ignoring", KV_U("height", row->height));
        return ERR_OK;
    }
    p->roots[p->root_count].height = row->height;
    memcpy(p->roots[p->root_count++].hash, row->hash, 32);
    return ERR_OK;
}

enum errc policy_compute(struct engine *e, struct policy *out, struct err *err)
{
    struct policy p = {.rules = e->cfg->policy};

    if (lead_on(e, &p, err) ||
        control_signer_each(e->control, change_signer, &p.rules, err) ||
        change_threshold(e, &p, err) ||
        control_root_each(e->control, pin_root, &p.rules, err))
        return err->code;
    *out = p;
    return ERR_OK;
}
