#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/mem.h"
#include "sync/ask.h"
#include "sync/peer/stock.h"

enum {
    TIP_TIMEOUT_MS = 10000,
    TIP_BYTES_MAX = 1 << 16,
    CONNECT_TIMEOUT_MS = 5000,
    BLOCK_TEXT_MAX = 8 << 20,
};

bool ask_can(const struct peer *p, int64_t mono_ms, int64_t now_ms)
{
    return peer_usable(p, mono_ms, now_ms) && (p->kind == PEER_HTTP || p->conn != 0);
}

/* --- HTTP --- */

static bool ask_http(struct engine *e, const char *url, uint64_t max_bytes,
                     uint32_t timeout_ms, const struct fetch *f)
{
    struct transfer_request *r = transfer_request_new(url);

    r->max_bytes = max_bytes;
    r->timeout_ms = timeout_ms;
    r->connect_timeout_ms = CONNECT_TIMEOUT_MS;
    r->hostile = f->peer->hostile;
    return engine_fetch(e, r, f);
}

/* --- P2P --- */

bool ask_p2p(struct engine *e, struct p2p_request *r, const struct fetch *f)
{
    struct fetch *owned;

    if (!e->p2p || e->asks_out >= P2P_REQUESTS_MAX) {
        p2p_request_free(r);
        return false;
    }
    owned = xcalloc(1, sizeof(*owned));
    *owned = *f;
    owned->epoch = e->epoch;
    if (owned->peer)
        owned->peer->in_flight++;
    r->owner = owned;
    e->asks_out++;
    p2p_submit(e->p2p, r);
    return true;
}

static bool ask_link(struct engine *e, enum p2p_ask ask, uint64_t height,
                     uint32_t timeout_ms, const struct fetch *f)
{
    struct p2p_request *r = p2p_request_new(ask);

    r->conn = f->peer->conn;
    r->height = height;
    r->timeout_ms = timeout_ms;
    return ask_p2p(e, r, f);
}

/* What handles a tip or a block need not know what the peer speaks. */
static struct transfer_request *as_http(struct p2p_request *r, bool with_body)
{
    struct transfer_request *h = transfer_request_new("");
    char hash[65];

    h->elapsed_ms = r->elapsed_ms;
    h->err = r->err;
    if (r->err.reason == REASON_NOT_FOUND) {
        h->err = (struct err){0};
        h->status = 404;
    } else if (!r->err.code && r->ask == P2P_TIP) {
        hex_encode(r->hash, 32, hash);
        h->status = 200;
        h->body = xasprintf("{\"summary\":{\"height\":%llu,\"hash\":\"%s\"}}",
                            (unsigned long long)r->height, hash);
        h->body_len = strlen(h->body);
    } else if (!r->err.code) {
        h->status = 200;
        h->body_len = r->body_len;
        h->body = with_body ? TAKE(r->body) : NULL;
    }
    return h;
}

void ask_answered(struct engine *e, struct p2p_request *r)
{
    struct fetch *f = TAKE(r->owner);
    struct transfer_request *h = as_http(r, !f->told);

    e->asks_out--;
    if (f->peer)
        engine_count_answer(f->peer, h);
    if (f->epoch == e->epoch || f->any_epoch) {
        if (f->told)
            f->told(e, f, r);
        else
            f->done(e, f, h);
    }
    free(f);
    transfer_request_free(h);
    p2p_request_free(r);
}

/* --- either --- */

bool ask_tip(struct engine *e, const struct fetch *f)
{
    AUTOFREE char *url = NULL;

    if (f->peer->kind == PEER_WS)
        return ask_link(e, P2P_TIP, 0, TIP_TIMEOUT_MS, f);
    url = stock_url_tip(f->peer->url);
    return ask_http(e, url, TIP_BYTES_MAX, TIP_TIMEOUT_MS, f);
}

bool ask_block(struct engine *e, uint64_t height, uint32_t timeout_ms,
               const struct fetch *f)
{
    AUTOFREE char *url = NULL;

    if (f->peer->kind == PEER_WS)
        return ask_link(e, P2P_BLOCK_AT, height, timeout_ms, f);
    url = stock_url_block(f->peer->url, height);
    return ask_http(e, url, BLOCK_TEXT_MAX, timeout_ms, f);
}
