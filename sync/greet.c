#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/mem.h"
#include "sync/core.h"
#include "sync/peer/hello.h"

/* Who of the peers is a Cairn, and what it serves: asked when a job looks around. */
enum { TIMEOUT_MS = 5000, CONNECT_TIMEOUT_MS = 5000, ANSWER_MAX = 4096 };

static void learn(struct engine *e, struct peer *p, const struct hello *h)
{
    const struct chain_params *params = e->cfg->params;
    char key[65];

    p->cairn = strcmp(h->network, params->network) == 0 &&
               memcmp(h->genesis, params->genesis_hash, 32) == 0;
    /* A proof goes to genesis: what begins above it is of no use there. */
    p->serves_headers = p->cairn && h->has_headers && h->headers_from == 0;
    p->serves_blocks = p->cairn && h->has_blocks;
    if (!p->cairn)
        return;
    hex_encode(h->identity, 32, key);
    (void)snprintf(p->identity, sizeof(p->identity), "ed25519:%s", key);
    log_debug("a Cairn", KV_S("peer", p->url), KV_S("software", h->software));
}

static void on_hello(struct engine *e, const struct fetch *f,
                     struct transfer_request *r)
{
    struct hello h;
    struct err err;

    if (!r->err.code && r->status == 200 &&
        hello_read(r->body, r->body_len, e->greeting, &h, &err) == ERR_OK) {
        learn(e, f->peer, &h);
    } else if (!r->err.code && r->status != 429) {
        f->peer->cairn = f->peer->serves_headers = f->peer->serves_blocks = false;
    }
    if (--*e->greeting_out == 0)
        e->greeting_done(e);
}

void greet_peers(struct engine *e, unsigned *out, void (*done)(struct engine *e))
{
    int64_t mono = clock_mono_ms(), now = clock_now_ms();

    e->greeting_out = out;
    e->greeting_done = done;
    randombytes_buf(e->greeting, sizeof(e->greeting));
    *out = 1; /* as with tips */
    for (size_t i = 0; i < peers_count(e->peers); i++) {
        struct peer *p = peers_at(e->peers, i);
        struct transfer_request *r;
        AUTOFREE char *url = NULL;

        /* The other half is for what cannot be done without. */
        if (p->kind != PEER_HTTP || !peer_usable(p, mono, now) ||
            e->fetches_out >= FETCHES_MAX / 2)
            continue;
        url = hello_url(p->url, e->greeting);
        r = transfer_request_new(url);
        r->max_bytes = ANSWER_MAX;
        r->timeout_ms = TIMEOUT_MS;
        r->connect_timeout_ms = CONNECT_TIMEOUT_MS;
        r->hostile = p->hostile;
        *out += engine_fetch(e, r, &(struct fetch){.peer = p, .done = on_hello});
    }
    if (--*out == 0)
        done(e);
}
