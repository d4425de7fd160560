#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/mem.h"
#include "sync/core.h"

/* What is stored about a checkpoint, for its verdict; and what peers bring. */

enum { STRANGERS_MAX = 64 }; /* attestations of one height that count for nothing */

void statements_fini(struct statements *s)
{
    for (size_t i = 0; i < s->count; i++)
        trust_statement_free(s->list[i]);
    s->count = 0;
    s->revoked = false;
}

struct loading {
    struct statements *s;
    const uint8_t *hash;
};

static void keep_document(struct statements *s, const char *text)
{
    struct err why;

    if (s->count == TRUST_STATEMENTS_MAX)
        return;
    if (trust_statement_parse(text, strlen(text), &s->list[s->count], &why))
        log_warn("stored statement is malformed, ignoring", KV_S("detail", why.msg));
    else
        s->count++;
}

static enum errc load_revocation(void *arg, const struct control_revocation *r,
                                 struct err *err)
{
    const struct loading *l = arg;

    (void)err;
    if (memcmp(r->block_hash, l->hash, 32) != 0)
        return ERR_OK;
    if (r->document) {
        keep_document(l->s, r->document);
        return ERR_OK;
    }
    l->s->revoked = true;
    (void)snprintf(l->s->reason, sizeof(l->s->reason), "%s", r->reason); /* cut */
    return ERR_OK;
}

static enum errc load_attestation(void *arg, const struct control_attestation *a,
                                  struct err *err)
{
    const struct loading *l = arg;

    (void)err;
    if (memcmp(a->block_hash, l->hash, 32) == 0)
        keep_document(l->s, a->document);
    return ERR_OK;
}

enum errc statements_load(struct engine *e, uint64_t height, const uint8_t hash[32],
                          struct statements *s, struct err *err)
{
    const struct control_height_filter filter = {
        .has_height = true, .height = height, .limit = TRUST_STATEMENTS_MAX};
    struct loading l = {s, hash};

    statements_fini(s);
    if (control_revocation_each(e->control, &filter, load_revocation, &l, err) ||
        control_attestation_each(e->control, &filter, load_attestation, &l, err))
        return err->code;
    return ERR_OK;
}

void statements_bind(const struct statements *s, struct trust_evidence *ev)
{
    for (size_t i = 0; i < s->count; i++)
        ev->statements[i] = s->list[i];
    ev->statement_count = s->count;
    ev->revoked_by_operator = s->revoked ? s->reason : NULL;
}

void statements_of_job(struct engine *e)
{
    struct job *j = &e->job;
    struct err err;

    if (statements_load(e, j->candidate.height, j->candidate.block_hash, &j->heard,
                        &err)) {
        j->heard.revoked = true;
        (void)snprintf(j->heard.reason, sizeof(j->heard.reason),
                       "what was revoked cannot be read: %.150s", err.msg);
    }
    statements_bind(&j->heard, &j->evidence);
}

/* --- what peers bring --- */

static enum errc take_revocation(struct engine *e, const struct trust_statement *s,
                                 const char *text, const char *source, bool *fresh,
                                 struct err *err)
{
    const struct trust_policy *p = &e->policy.rules;
    struct control_revocation row = {.height = s->height,
                                     .reason = s->reason,
                                     .source = source,
                                     .document = text,
                                     .at_ms = clock_now_ms()};

    if (trust_statement_signed(s, p->keys, p->key_count) == 0)
        return err_fail(err, REASON_UNTRUSTED_SIGNER, "no trusted key signed it");
    memcpy(row.block_hash, s->block_hash, 32);
    return control_revocation_put(e->control, &row, fresh, err);
}

static enum errc count_one(void *arg, const struct control_attestation *a,
                           struct err *err)
{
    (void)a;
    (void)err;
    (*(size_t *)arg)++;
    return ERR_OK;
}

/* Of strangers, a few are kept, about what this node stands on or judges. */
static enum errc check_room(struct engine *e, const struct trust_statement *s,
                            struct err *err)
{
    const struct control_height_filter filter = {
        .has_height = true, .height = s->height, .limit = STRANGERS_MAX};
    bool live =
        e->has_checkpoint && memcmp(e->checkpoint.block_hash, s->block_hash, 32) == 0;
    bool judged =
        e->job.active && memcmp(e->job.candidate.block_hash, s->block_hash, 32) == 0;
    size_t n = 0;

    if (!live && !judged)
        return err_fail(err, REASON_UNTRUSTED_SIGNER,
                        "the attester is not trusted, and the block is of no interest");
    if (control_attestation_each(e->control, &filter, count_one, &n, err))
        return err->code;
    return n < STRANGERS_MAX ? ERR_OK
                             : err_fail(err, REASON_UNTRUSTED_SIGNER,
                                        "enough attestations of strangers");
}

static enum errc take_attestation(struct engine *e, const struct trust_statement *s,
                                  const char *text, const char *source, bool *fresh,
                                  struct err *err)
{
    const struct trust_policy *p = &e->policy.rules;
    struct control_attestation row = {.height = s->height,
                                      .source = source,
                                      .document = text,
                                      .at_ms = clock_now_ms()};
    char key[TRUST_KEY_TEXT];

    if (s->signature_count != 1 || s->signatures[0].key.alg != TRUST_ED25519 ||
        trust_statement_signed(s, &s->signatures[0].key, 1) == 0)
        return err_fail(err, REASON_BAD_SIGNATURE,
                        "an attestation has the signature of one node");
    if (trust_statement_signed(s, p->attesters, p->attester_count) == 0 &&
        check_room(e, s, err))
        return err->code;
    trust_key_text(&s->signatures[0].key, key);
    row.key = key;
    memcpy(row.block_hash, s->block_hash, 32);
    memcpy(row.state_root, s->state_root, 32);
    return control_attestation_put(e->control, &row, fresh, err);
}

struct contradiction {
    struct engine *e;
    const struct trust_statement *s;
    char *other; /* the document that says otherwise */
};

static bool is_trusted(const struct engine *e, const char *text)
{
    const struct trust_policy *p = &e->policy.rules;
    struct trust_key key;

    if (!trust_key_parse(text, &key))
        return false;
    for (size_t i = 0; i < p->attester_count; i++)
        if (trust_key_equal(&p->attesters[i], &key))
            return true;
    return false;
}

static enum errc look_for_other(void *arg, const struct control_attestation *a,
                                struct err *err)
{
    struct contradiction *c = arg;

    (void)err;
    if (!c->other && memcmp(a->block_hash, c->s->block_hash, 32) == 0 &&
        memcmp(a->state_root, c->s->state_root, 32) != 0 &&
        (a->own || is_trusted(c->e, a->key)))
        c->other = xstrdup(a->document);
    return ERR_OK;
}

/* Two nodes that count, this one among them, derived two states of one block. */
static enum errc compare(struct engine *e, const struct trust_statement *s,
                         const char *text, struct err *err)
{
    const struct control_height_filter filter = {
        .has_height = true, .height = s->height, .limit = TRUST_STATEMENTS_MAX};
    struct contradiction c = {.e = e, .s = s};
    const struct trust_policy *p = &e->policy.rules;
    cJSON *evidence, *list;
    char hex[65];

    if (trust_statement_signed(s, p->attesters, p->attester_count) == 0)
        return ERR_OK;
    if (control_attestation_each(e->control, &filter, look_for_other, &c, err)) {
        free(c.other);
        return err->code;
    }
    if (!c.other)
        return ERR_OK;
    hex_encode(s->block_hash, 32, hex);
    evidence = cJSON_CreateObject();
    list = cJSON_AddArrayToObject(evidence, "statements");
    cJSON_AddItemToArray(list, cJSON_CreateRaw(text));
    cJSON_AddItemToArray(list, cJSON_CreateRaw(c.other));
    free(c.other);
    incidents_open(e, REASON_ATTESTATION_CONFLICT, hex, evidence);
    return ERR_OK;
}

enum errc statements_take(struct engine *e, const char *text, size_t len,
                          const char *source, bool *fresh, struct err *err)
{
    CLEANUP(trust_statement_free) struct trust_statement *s = NULL;

    *fresh = false;
    if (trust_statement_parse(text, len, &s, err))
        return err->code;
    if (!trust_statement_of(s, e->cfg->params))
        return err_fail(err, REASON_NETWORK_MISMATCH,
                        "the statement is of another network");
    switch (s->type) {
    case TRUST_REVOCATION:
        if (take_revocation(e, s, text, source, fresh, err))
            return err->code;
        break;
    case TRUST_ATTESTATION:
        if (take_attestation(e, s, text, source, fresh, err))
            return err->code;
        return *fresh ? compare(e, s, text, err) : ERR_OK;
    case TRUST_SIGNER_SET:
        return err_set(err, ERR_INVALID,
                       "certificates are applied by signers.certificate");
    }
    if (*fresh)
        revoke_review(e);
    return ERR_OK;
}
