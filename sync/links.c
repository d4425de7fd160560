#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/mem.h"
#include "sync/answers.h"
#include "sync/ask.h"

/*
 * The P2P connections this node opens: a peer that speaks P2P is asked over the one to
 * it.  Those that others open are served by the P2P thread, and nobody is asked over
 * them: whom we believe is whom we chose, or a flood of callers could outvote.
 */
enum { INBOUND_MAX = 1000, INBOUND_PER_IP = 8, INBOUND_PER_GROUP = 64 };

static enum errc take_allowed(struct engine *e, struct err *err)
{
    const char *const *texts = e->cfg->allow_networks;
    size_t n = 0;

    while (texts && texts[n])
        n++;
    e->allow = xcalloc(n + 1, sizeof(*e->allow));
    for (; e->allow_count < n; e->allow_count++)
        if (!cidr_parse(texts[e->allow_count], &e->allow[e->allow_count]))
            return err_set(err, ERR_INVALID, "%.60s is no network",
                           texts[e->allow_count]);
    return ERR_OK;
}

enum errc links_start(struct engine *e, struct err *err)
{
    const struct engine_config *cfg = e->cfg;
    struct p2p_config pc = {.listen = cfg->p2p_listen[0] ? cfg->p2p_listen : NULL,
                            .data_dir = cfg->data_dir,
                            .api_endpoint = cfg->public_url[0] ? cfg->public_url : NULL,
                            .testnet = !cfg->params->p2p_tls,
                            .request_rate_seconds = (uint32_t)cfg->request_rate_seconds,
                            .max_inbound = INBOUND_MAX,
                            .max_inbound_per_ip = INBOUND_PER_IP,
                            .max_inbound_per_group = INBOUND_PER_GROUP,
                            .times = P2P_TIMES,
                            .done = engine_on_asked,
                            .event = engine_on_link,
                            .arg = e};

    if (!cfg->p2p_enabled)
        return ERR_OK;
    if (take_allowed(e, err))
        return err->code;
    pc.allow_networks = e->allow;
    pc.allow_count = e->allow_count;
    e->answers = answers_create(e, cfg->data_dir, cfg->public_url);
    pc.answers = answers_table(e->answers);
    if (p2p_start(&pc, &e->p2p, err))
        return err_wrap(err, "p2p");
    return ERR_OK;
}

void links_stop(struct engine *e)
{
    p2p_stop(e->p2p);
    answers_free(e->answers);
    e->p2p = NULL;
    e->answers = NULL;
}

const char *engine_p2p_address(const struct engine *e)
{
    return e->p2p ? p2p_address(e->p2p) : "";
}

enum { DIAL_TIMEOUT_MS = 20000, LOOK_MS = 500, NEWS_MS = 1000 };

static void on_opened(struct engine *e, const struct p2p_event *ev)
{
    struct peer *p = peers_find(e->peers, ev->url);
    struct roster r = peerbook_roster(e);
    char key[67];

    if (!p) {
        p2p_drop(e->p2p, ev->conn, 0); /* removed while it was dialled */
        return;
    }
    hex_encode(ev->key, sizeof(ev->key), key);
    (void)snprintf(p->identity, sizeof(p->identity), "secp256k1:%s", key);
    (void)snprintf(p->ip, sizeof(p->ip), "%s", ev->ip);
    (void)url_network_group(ev->ip, p->group);
    p->conn = ev->conn;
    if (!roster_vet(&r, p, clock_now_ms())) {
        p->conn = 0;
        p2p_drop(e->p2p, ev->conn, 0); /* banned under another address */
        return;
    }
    if (!roster_twin(&r, p)) {
        e->poll_at_mono_ms = 0; /* whom we have not asked yet may know more */
        log_info("peer connected", KV_S("peer", p->url), KV_S("identity", p->identity));
        return;
    }
    p->conn = 0;
    p2p_drop(e->p2p, ev->conn, 0);
    peer_blame(p, PEER_FAULT_UNREACHABLE, REASON_CONFLICT, 0,
               "the same node as another peer", clock_mono_ms(), clock_now_ms());
}

static void on_closed(struct engine *e, const struct p2p_event *ev)
{
    struct peer *p = peers_find_conn(e->peers, ev->conn);

    if (!p)
        return;
    p->conn = 0;
    peer_blame(p, PEER_FAULT_UNREACHABLE, ev->reason, 0, ev->detail, clock_mono_ms(),
               clock_now_ms());
    log_info("peer left", KV_S("peer", p->url), KV_S("reason", reason_code(ev->reason)),
             KV_S("detail", ev->detail));
}

/* Something new: the next poll comes earlier, but no peer can make it come at once. */
static void on_news(struct engine *e, const struct p2p_event *ev)
{
    int64_t soon = clock_mono_ms() + NEWS_MS;

    if (peers_find_conn(e->peers, ev->conn) && e->poll_at_mono_ms > soon)
        e->poll_at_mono_ms = soon;
}

static void on_fault(struct engine *e, const struct p2p_event *ev)
{
    struct peer *p = peers_find_conn(e->peers, ev->conn);

    log_info("fault of a peer", KV_S("peer", p ? p->url : ev->ip),
             KV_S("reason", reason_code(ev->reason)), KV_S("detail", ev->detail));
    if (p)
        peer_blame(p, ev->lie ? PEER_FAULT_LIE : PEER_FAULT_ERROR, ev->reason, 0,
                   ev->detail, clock_mono_ms(), clock_now_ms());
}

void links_event(struct engine *e, struct p2p_event *ev)
{
    if (!e->p2p) { /* stopped; this one was still on its way */
        p2p_event_free(NULL, ev);
        return;
    }
    switch (ev->kind) {
    case P2P_OPENED:
        if (!ev->inbound)
            on_opened(e, ev);
        break;
    case P2P_CLOSED:
        on_closed(e, ev);
        break;
    case P2P_NEWS:
        on_news(e, ev);
        break;
    case P2P_FAULT:
        on_fault(e, ev);
        break;
    }
    p2p_event_free(e->p2p, ev);
}

/* --- dialling --- */

static void on_dialled(struct engine *e, const struct fetch *f, struct p2p_request *r)
{
    (void)e;
    if (r->err.code) /* counted already */
        log_debug("peer not reached", KV_S("peer", f->peer->url),
                  KV_S("detail", r->err.msg));
}

static void dial(struct engine *e, struct peer *p)
{
    struct p2p_request *r = p2p_request_new(P2P_DIAL);

    (void)snprintf(r->url, sizeof(r->url), "%.250s", p->url);
    r->hostile = p->hostile;
    r->timeout_ms = DIAL_TIMEOUT_MS;
    (void)ask_p2p(e, r,
                  &(struct fetch){.peer = p, .told = on_dialled, .any_epoch = true});
}

/* A new tip of ours is for everybody who is connected. */
static void announce(struct engine *e)
{
    struct state_tip tip;
    struct err err;

    if (!e->live.state || e->job.active || state_get_tip(e->live.state, &tip, &err) ||
        memcmp(tip.hash, e->announced, 32) == 0)
        return;
    memcpy(e->announced, tip.hash, 32);
    p2p_announce(e->p2p, tip.hash);
}

bool links_are_dialling(struct engine *e)
{
    int64_t mono = clock_mono_ms(), now = clock_now_ms();

    for (size_t i = 0; i < peers_count(e->peers) && e->p2p; i++) {
        const struct peer *p = peers_at(e->peers, i);

        if (p->kind == PEER_WS && p->conn == 0 && peer_usable(p, mono, now))
            return true;
    }
    return false;
}

void links_drop(struct engine *e, struct peer *p)
{
    if (e->p2p && p->conn != 0)
        p2p_drop(e->p2p, p->conn, 0);
    p->conn = 0;
}

void links_pump(struct engine *e)
{
    int64_t mono = clock_mono_ms(), now = clock_now_ms();

    if (!e->p2p || mono < e->links_at_mono_ms)
        return;
    e->links_at_mono_ms = mono + LOOK_MS;
    announce(e);
    for (size_t i = 0; i < peers_count(e->peers); i++) {
        struct peer *p = peers_at(e->peers, i);

        if (p->kind == PEER_WS && p->conn == 0 && p->in_flight == 0 &&
            peer_usable(p, mono, now))
            dial(e, p);
        else if (p->conn != 0 && p->banned_until_ms > now)
            p2p_drop(e->p2p, p->conn, 0);
    }
}
