#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/state_root.h"
#include "sync/core.h"

/*
 * attestations.make: this node's word on the state at its tip.  Only a node that
 * derived its state from genesis, every block under all rules, has such a word.  A
 * worker reads the state through a connection of its own; the call waits for it, one at
 * a time.
 */
struct attest_task {
    struct job_task base;
    atomic_bool cancel;
    char dir[PATH_TEXT];
    struct state_tip tip;
    struct state_root root;
    struct err err;
};

static void run(struct task *task)
{
    struct attest_task *t = (void *)task;
    CLEANUP(chaindb_close) struct chaindb *db = NULL;
    CLEANUP(state_close) struct state *state = NULL;
    AUTOFREE char *path = xasprintf("%s/chain.db", t->dir);

    if (chaindb_open(path, CHAINDB_READER, &db, &t->err) ||
        state_open(t->dir, db, &state, &t->err) || chaindb_begin(db, &t->err))
        return;
    if (state_get_tip(state, &t->tip, &t->err) == ERR_OK)
        (void)state_root_compute(state, &t->cancel, &t->root, &t->err);
    chaindb_rollback(db);
}

static void free_task(struct job_task *base)
{
    free(base);
}

/* --- the statement --- */

static enum errc sign(struct engine *e, const struct attest_task *t,
                      struct trust_statement *s, struct err *err)
{
    struct trust_signed sig = {.key.alg = TRUST_ED25519};
    uint8_t digest[32];

    s->height = t->tip.height;
    memcpy(s->block_hash, t->tip.hash, 32);
    memcpy(s->state_root, t->root.root, 32);
    trust_statement_digest(s, digest);
    identity_public(e->identity, sig.key.bytes);
    identity_sign(e->identity, digest, sizeof(digest), sig.signature);
    return trust_statement_add(s, &sig, err);
}

/* As the audit log and the answer show it. */
static cJSON *describe(const struct trust_statement *s, const char *document)
{
    cJSON *o = cJSON_CreateObject();
    char hex[65];

    cJSON_AddNumberToObject(o, "height", (double)s->height);
    hex_encode(s->block_hash, 32, hex);
    cJSON_AddStringToObject(o, "block_hash", hex);
    hex_encode(s->state_root, 32, hex);
    cJSON_AddStringToObject(o, "state_root", hex);
    cJSON_AddRawToObject(o, "document", document);
    return o;
}

static enum errc write(struct engine *e, const struct engine_request *req,
                       const struct trust_statement *s, const char *document,
                       struct err *err)
{
    struct control_attestation row = {.height = s->height,
                                      .own = true,
                                      .source = "this node",
                                      .document = document,
                                      .at_ms = clock_now_ms()};
    char key[TRUST_KEY_TEXT];
    bool fresh;

    trust_key_text(&s->signatures[0].key, key);
    row.key = key;
    memcpy(row.block_hash, s->block_hash, 32);
    memcpy(row.state_root, s->state_root, 32);
    if (control_begin(e->control, err))
        return err->code;
    if (control_attestation_put(e->control, &row, &fresh, err) ||
        acts_write(e, req, "attestations.make", describe(s, document), err) ||
        control_commit(e->control, err)) {
        control_rollback(e->control);
        return err->code;
    }
    return ERR_OK;
}

static enum errc conclude(struct engine *e, const struct engine_request *req,
                          const struct attest_task *t, cJSON **result, struct err *err)
{
    CLEANUP(trust_statement_free)
    struct trust_statement *s = trust_statement_new(TRUST_ATTESTATION, e->cfg->params);
    CLEANUP_BUF struct buf text = BUF(TRUST_STATEMENT_MAX);

    if (sign(e, t, s, err))
        return err->code;
    trust_statement_write(s, &text);
    if (write(e, req, s, text.data, err))
        return err->code;
    *result = describe(s, text.data);
    log_info("attested", KV_U("height", s->height), KV_U("coins", t->root.coin_count));
    return ERR_OK;
}

static void done(struct engine *e, struct job_task *base)
{
    struct attest_task *t = (void *)base;
    struct call *call = TAKE(e->attesting);
    cJSON *result = NULL;
    struct err err = t->err;

    e->attest = NULL;
    if (!call)
        return; /* answered already */
    if (!err.code)
        (void)conclude(e, call->req, t, &result, &err);
    call_answer(call, result, err.code ? &err : NULL);
}

/* --- the call --- */

static enum errc check(const struct engine *e, struct err *err)
{
    if (!e->live.state)
        return err_set(err, ERR_CONFLICT, "there is no state yet");
    if (e->live.base_height != 0)
        return err_set(
            err, ERR_CONFLICT,
            "this state began at a checkpoint; only one derived from genesis "
            "(mode full) is attested");
    if (e->halted)
        return err_set(err, ERR_CONFLICT, "the node is halted: %.120s", e->waiting_for);
    if (e->attesting)
        return err_set(err, ERR_BUSY, "another attestation is being made");
    return ERR_OK;
}

void attest_call(struct engine *e, struct call *call)
{
    struct attest_task *t;
    struct err err;

    if (check(e, &err)) {
        call_answer(call, NULL, &err);
        return;
    }
    t = xcalloc(1, sizeof(*t));
    t->base.task.run = run;
    t->base.done = done;
    t->base.free = free_task;
    t->base.any_epoch = true;
    memcpy(t->dir, e->live.dir, sizeof(t->dir));
    e->attesting = call;
    e->attest = t;
    engine_run(e, &t->base);
}

void attest_abort(struct engine *e)
{
    struct err err;

    if (e->attest)
        atomic_store(&e->attest->cancel, true);
    if (!e->attesting)
        return;
    (void)err_fail(&err, REASON_SHUTTING_DOWN, "the daemon is stopping");
    call_answer(TAKE(e->attesting), NULL, &err);
}
