#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/mem.h"
#include "sync/core.h"
#include "sync/peer/signed.h"
#include "sync/snapshot/manifest.h"

/*
 * What Cairns over HTTP offer and state (docs/peer-protocol.md): their checkpoints,
 * with where the payload is and who attests it, and the revocations they know.  The
 * list is signed by the peer, so that nobody speaks for another; what is in it proves
 * itself or is judged later.
 */
enum {
    TIMEOUT_MS = 10000,
    ANSWER_MAX = 4 << 20,
    OFFERS_MAX = 4, /* of a list, the newest: older ones are no gain */
    DOCUMENTS_MAX = 256,
};

struct listing_kind {
    const char *what, *path;
    void (*take)(struct engine *e, const struct fetch *f, const struct json *list);
};

/* --- checkpoints --- */

/* The signature over XAI's digest; another is the job's to find in the payload. */
static void read_signature(const struct json *list, struct payload_meta *m)
{
    const char *alg, *key, *signature;

    for (const struct json *s = list ? list->first : NULL; s; s = s->next) {
        if (!json_text(json_get(s, "alg"), &alg) || strcmp(alg, "secp256k1") != 0 ||
            !json_text(json_get(s, "pubkey"), &key) ||
            !json_text(json_get(s, "signature"), &signature) ||
            strlen(key) > PAYLOAD_KEY_MAX || strlen(signature) > PAYLOAD_SIG_MAX)
            continue;
        m->has_pubkey = m->has_signature = true;
        (void)snprintf(m->pubkey, sizeof(m->pubkey), "%s", key);
        (void)snprintf(m->signature, sizeof(m->signature), "%s", signature);
        return;
    }
}

static bool read_meta(const struct json *k, struct payload_meta *m)
{
    uint8_t hash[32];
    const char *work;

    *m = (struct payload_meta){.has_height = true, .has_block_hash = true};
    if (!json_u64(json_get(k, "height"), &m->height) ||
        !json_hash(json_get(k, "block_hash"), hash))
        return false;
    hex_encode(hash, 32, m->block_hash);
    m->has_state_hash = json_hash(json_get(k, "state_hash"), hash);
    if (m->has_state_hash)
        hex_encode(hash, 32, m->state_hash);
    if (json_text(json_get(k, "work"), &work) && strlen(work) < sizeof(m->work)) {
        m->has_work = true;
        (void)snprintf(m->work, sizeof(m->work), "%s", work);
    }
    read_signature(json_get(k, "signatures"), m);
    return true;
}

/* A path is below the peer's own URL, and as trusted as that; anything else is its
 * word. */
static void offer(struct engine *e, struct peer *p, const struct json *k)
{
    struct payload_meta meta;
    AUTOFREE char *url = NULL;
    const char *path;

    if (!read_meta(k, &meta))
        return;
    if (json_text(json_get(k, "payload"), &path) && path[0] == '/' &&
        strlen(p->url) + strlen(path) < URL_MAX)
        url = xasprintf("%s%s", p->url, path);
    (void)finds_add(e, p, &meta, url ? url : "", p->hostile);
}

/* Of a snapshot its manifest is what is judged; the list only says where it is. */
static void offer_snapshot(struct engine *e, struct peer *p, const struct json *s)
{
    struct payload_meta meta;
    AUTOFREE char *url = NULL;
    const char *id;

    if (!read_meta(s, &meta) || !json_text(json_get(s, "id"), &id) ||
        !manifest_id_valid(id) ||
        strlen(p->url) + strlen(id) + sizeof("/snapshots//manifest.json") > URL_MAX)
        return;
    meta.has_state_hash = false; /* the manifest's to say */
    url = xasprintf("%s/snapshots/%s/manifest.json", p->url, id);
    (void)finds_add(e, p, &meta, url, p->hostile);
}

static void take_documents(struct engine *e, const struct fetch *f,
                           const struct json *list)
{
    size_t n = 0;

    for (const struct json *d = list ? list->first : NULL; d && n < DOCUMENTS_MAX;
         d = d->next, n++) {
        CLEANUP_BUF struct buf text = BUF(TRUST_STATEMENT_MAX);
        struct err err;
        bool fresh = false;

        json_write(d, JSON_CANON, &text);
        if (text.full)
            continue;
        if (statements_take(e, text.data, text.len, f->peer->url, &fresh, &err))
            log_debug("a statement was not taken", KV_S("peer", f->peer->url),
                      KV_S("detail", err.msg));
        if (f->epoch != e->epoch)
            return; /* it ended the job */
    }
}

static void take_checkpoints(struct engine *e, const struct fetch *f,
                             const struct json *list)
{
    size_t n = 0;

    for (const struct json *k = list ? list->first : NULL; k && n < OFFERS_MAX;
         k = k->next, n++) {
        if (!e->live.state || e->job.active || e->finds.ends_at_mono_ms != 0)
            offer(e, f->peer, k);
        take_documents(e, f, json_get(k, "attestations"));
        if (f->epoch != e->epoch)
            return;
    }
}

static void take_snapshots(struct engine *e, const struct fetch *f,
                           const struct json *list)
{
    size_t n = 0;

    if (e->live.state && !e->job.active && e->finds.ends_at_mono_ms == 0)
        return; /* nobody wants one */
    for (const struct json *s = list && list->type == JSON_ARRAY ? list->first : NULL;
         s && n < OFFERS_MAX; s = s->next, n++)
        offer_snapshot(e, f->peer, s);
}

static const struct listing_kind kinds[] = {
    {"revocations", "/peer/v1/revocations", take_documents},
    {"checkpoints", "/peer/v1/checkpoints", take_checkpoints},
};
enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

/* --- asking --- */

static bool is_ours(const struct engine *e, const struct json *body)
{
    const char *network, *nonce;
    uint8_t genesis[32];
    char want[65];

    hex_encode(e->listing_nonce, 32, want);
    return json_text(json_get(body, "network"), &network) &&
           strcmp(network, e->cfg->params->network) == 0 &&
           json_hash(json_get(body, "genesis"), genesis) &&
           memcmp(genesis, e->cfg->params->genesis_hash, 32) == 0 &&
           json_text(json_get(body, "nonce"), &nonce) && strcmp(nonce, want) == 0;
}

static void read_answer(struct engine *e, const struct fetch *f,
                        const struct transfer_request *r)
{
    const struct listing_kind *kind = &kinds[f->slot];
    const struct json_limits limits = {
        .max_bytes = ANSWER_MAX, .max_nodes = 1U << 18, .max_depth = 16};
    CLEANUP(json_free) struct json_doc *doc = NULL;
    const struct json *body = NULL;
    uint8_t identity[32];
    struct err err = {0};

    if (signed_read(kind->what, r->body, r->body_len, &limits, &doc, &body, identity,
                    &err) == ERR_OK &&
        is_ours(e, body)) {
        kind->take(e, f, json_get(body, kind->what));
        if (f->epoch == e->epoch)
            take_snapshots(e, f, json_get(body, "snapshots"));
        return;
    }
    peer_blame(f->peer, PEER_FAULT_ERROR, REASON_PEER_BAD_ANSWER, 0,
               err.code ? err.msg : "a list of another network, or not asked for",
               clock_mono_ms(), clock_now_ms());
}

static void on_answer(struct engine *e, const struct fetch *f,
                      struct transfer_request *r)
{
    if (!r->err.code && r->status == 200)
        read_answer(e, f, r);
    if (f->epoch == e->epoch && --*e->listing_out == 0)
        e->listing_done(e);
}

static unsigned ask_one(struct engine *e, struct peer *p)
{
    char nonce[65];
    unsigned asked = 0;

    hex_encode(e->listing_nonce, 32, nonce);
    for (size_t i = 0; i < KINDS; i++) {
        AUTOFREE char *url = xasprintf("%s%s?nonce=%s", p->url, kinds[i].path, nonce);
        struct transfer_request *r = transfer_request_new(url);

        r->max_bytes = ANSWER_MAX;
        r->timeout_ms = r->connect_timeout_ms = TIMEOUT_MS;
        r->hostile = p->hostile;
        asked += engine_fetch(e, r,
                              &(struct fetch){.peer = p, .slot = i, .done = on_answer});
    }
    return asked;
}

void listing_ask(struct engine *e, unsigned *out, void (*done)(struct engine *e))
{
    int64_t mono = clock_mono_ms(), now = clock_now_ms();

    e->listing_out = out;
    e->listing_done = done;
    randombytes_buf(e->listing_nonce, sizeof(e->listing_nonce));
    *out = 1; /* as with tips */
    for (size_t i = 0; i < peers_count(e->peers); i++) {
        struct peer *p = peers_at(e->peers, i);

        if (p->cairn && peer_usable(p, mono, now) && e->fetches_out < FETCHES_MAX / 2)
            *out += ask_one(e, p);
    }
    if (--*out == 0)
        done(e);
}

/* --- now and then, without a job --- */

static void nothing(struct engine *e)
{
    (void)e;
}

static void greeted(struct engine *e)
{
    listing_ask(e, &e->listings_out, nothing);
}

void listing_pump(struct engine *e)
{
    int64_t mono = clock_mono_ms();
    int64_t every =
        finds_rate_ms(e) > LISTING_LEAST_MS ? finds_rate_ms(e) : LISTING_LEAST_MS;

    /* One look at a time: each has a nonce of its own, which the answers must have. */
    if (e->job.active || e->halted || e->listings_out > 0 ||
        mono < e->listing_at_mono_ms)
        return;
    e->listing_at_mono_ms = mono + every;
    greet_peers(e, &e->listings_out, greeted);
}
