#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/metrics.h"
#include "sync/peer/peers.h"

enum {
    SCORE_START = 100,
    SCORE_MAX = 100,
    COST_UNREACHABLE = 10,
    COST_ERROR = 20,
    BACKOFF_FIRST_MS = 1000,
    BACKOFF_MAX_MS = 300 * 1000,
    RETRY_AFTER_MAX_S = 3600, /* longer is a peer's way to say never */
    LATENCY_WEIGHT = 8,
};
static const int64_t ban_first_ms = 3600 * INT64_C(1000);
static const int64_t ban_max_ms = INT64_C(7) * 24 * 3600 * 1000;

struct peers {
    size_t count, gone_count, last_slot;
    struct peer *all[PEERS_MAX]; /* each allocated: pointers are stable */
    struct peer *gone[PEERS_MAX];
    bool taken[PEERS_MAX]; /* slots */
};

struct peers *peers_create(void)
{
    struct peers *p = xcalloc(1, sizeof(*p));

    p->last_slot = PEERS_MAX - 1;
    return p;
}

void peers_free(struct peers *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->count; i++)
        free(p->all[i]);
    for (size_t i = 0; i < p->gone_count; i++)
        free(p->gone[i]);
    free(p);
}

/* Round and round, so that a slot is not another peer's too soon. */
static size_t take_slot(struct peers *p)
{
    do
        p->last_slot = (p->last_slot + 1) % PEERS_MAX;
    while (p->taken[p->last_slot]);
    p->taken[p->last_slot] = true;
    return p->last_slot;
}

static struct peer *find_base(struct peers *p, const char *base)
{
    for (size_t i = 0; i < p->count; i++)
        if (strcmp(p->all[i]->url, base) == 0)
            return p->all[i];
    return NULL;
}

enum errc peers_add(struct peers *p, const char *url, enum peer_origin origin,
                    struct peer **out, struct err *err)
{
    struct peer *peer;
    char base[URL_MAX];

    if (url_normalise_base(url, base, err) != ERR_OK)
        return err->code;
    if (find_base(p, base))
        return err_set(err, ERR_CONFLICT, "peer %.100s is known", base);
    if (p->count + p->gone_count == PEERS_MAX)
        return err_set(err, ERR_BUSY, "at most %d peers", PEERS_MAX);
    peer = xcalloc(1, sizeof(*peer));
    (void)snprintf(peer->url, sizeof(peer->url), "%s", base);
    peer->kind = url_is_ws(base) ? PEER_WS : PEER_HTTP;
    peer->origin = origin;
    peer->hostile = origin != PEER_CONFIGURED && origin != PEER_OPERATOR;
    peer->slot = take_slot(p);
    peer->score = SCORE_START;
    p->all[p->count++] = peer;
    *out = peer;
    return ERR_OK;
}

size_t peers_count(const struct peers *p)
{
    return p->count;
}

struct peer *peers_at(struct peers *p, size_t i)
{
    return p->all[i];
}

struct peer *peers_find(struct peers *p, const char *url)
{
    char base[URL_MAX];
    struct err err;

    if (url_normalise_base(url, base, &err) != ERR_OK)
        return NULL;
    return find_base(p, base);
}

struct peer *peers_find_conn(struct peers *p, uint64_t conn)
{
    for (size_t i = 0; conn != 0 && i < p->count; i++)
        if (p->all[i]->conn == conn)
            return p->all[i];
    return NULL;
}

void peers_remove(struct peers *p, struct peer *peer)
{
    size_t at = 0;

    if (peer->gone)
        return;
    while (p->all[at] != peer)
        at++;
    p->count--;
    memmove(&p->all[at], &p->all[at + 1], (p->count - at) * sizeof(struct peer *));
    peer->gone = true;
    p->gone[p->gone_count++] = peer;
}

size_t peers_forget(struct peers *p, bool (*held)(const struct peer *peer, void *arg),
                    void *arg)
{
    size_t kept = 0;

    for (size_t i = 0; i < p->gone_count; i++) {
        struct peer *peer = p->gone[i];

        if (peer->in_flight > 0 || atomic_load(&peer->held) > 0 ||
            (held && held(peer, arg))) {
            p->gone[kept++] = peer;
            continue;
        }
        p->taken[peer->slot] = false;
        free(peer);
    }
    p->gone_count = kept;
    return kept;
}

static const char *const kind_names[] = {
    [PEER_HTTP] = "http",
    [PEER_WS] = "p2p",
};
static const char *const origin_names[] = {
    [PEER_CONFIGURED] = "configured", [PEER_OPERATOR] = "operator",
    [PEER_ADVERTISED] = "advertised", [PEER_SEED] = "seed",
    [PEER_INBOUND] = "inbound",
};

const char *peer_kind_name(enum peer_kind kind)
{
    return kind_names[kind];
}

const char *peer_origin_name(enum peer_origin origin)
{
    return origin_names[origin];
}

bool peer_origin_find(const char *name, enum peer_origin *out)
{
    for (unsigned i = 0; i < sizeof(origin_names) / sizeof(origin_names[0]); i++) {
        if (strcmp(origin_names[i], name) != 0)
            continue;
        *out = (enum peer_origin)i;
        return true;
    }
    return false;
}

bool peer_usable(const struct peer *peer, int64_t mono_ms, int64_t now_ms)
{
    return peer->banned_until_ms <= now_ms && peer->backoff_until_mono_ms <= mono_ms;
}

static bool better(const struct peer *a, const struct peer *b)
{
    if (a->in_flight != b->in_flight)
        return a->in_flight < b->in_flight;
    if (a->score != b->score)
        return a->score > b->score;
    return a->latency_ms < b->latency_ms;
}

struct peer *peers_pick(struct peers *p, int64_t mono_ms, int64_t now_ms,
                        unsigned max_in_flight,
                        bool (*eligible)(const struct peer *peer, void *arg), void *arg)
{
    struct peer *best = NULL;

    for (size_t i = 0; i < p->count; i++) {
        struct peer *peer = p->all[i];

        if (peer->in_flight < max_in_flight && peer_usable(peer, mono_ms, now_ms) &&
            (!eligible || eligible(peer, arg)) && (!best || better(peer, best)))
            best = peer;
    }
    return best;
}

void peer_answered(struct peer *peer, uint32_t elapsed_ms, uint64_t bytes,
                   const char *ip, int64_t now_ms)
{
    uint64_t sum = (uint64_t)peer->latency_ms * (LATENCY_WEIGHT - 1) + elapsed_ms;

    peer->requests++;
    peer->bytes += bytes;
    peer->latency_ms =
        peer->latency_ms == 0 ? elapsed_ms : (uint32_t)(sum / LATENCY_WEIGHT);
    peer->backoff_steps = 0;
    if (peer->score < SCORE_MAX)
        peer->score++;
    peer->last_good_ms = now_ms;
    if (url_network_group(ip, peer->group)) /* no address: the old one stays */
        (void)snprintf(peer->ip, sizeof(peer->ip), "%s", ip);
}

static void back_off(struct peer *peer, int64_t at_least_ms, int64_t mono_ms)
{
    int64_t ms = BACKOFF_FIRST_MS;

    for (unsigned i = 0; i < peer->backoff_steps && ms < BACKOFF_MAX_MS; i++)
        ms *= 2;
    if (ms > BACKOFF_MAX_MS)
        ms = BACKOFF_MAX_MS;
    if (ms < at_least_ms)
        ms = at_least_ms;
    peer->backoff_steps++;
    if (peer->backoff_until_mono_ms < mono_ms + ms)
        peer->backoff_until_mono_ms = mono_ms + ms;
}

static void ban(struct peer *peer, enum reason reason, const char *evidence,
                int64_t now_ms)
{
    int64_t ms = ban_first_ms;

    for (unsigned i = 0; i < peer->bans && ms < ban_max_ms; i++)
        ms *= 2;
    if (ms > ban_max_ms)
        ms = ban_max_ms;
    peer->bans++;
    if (peer->banned_until_ms < now_ms + ms)
        peer->banned_until_ms = now_ms + ms;
    peer->ban_reason = reason;
    (void)snprintf(peer->ban_evidence, sizeof(peer->ban_evidence), "%s", evidence);
}

static void cost(struct peer *peer, int points)
{
    peer->faults++;
    peer->score = peer->score > points ? peer->score - points : 0;
    metrics_add(METRIC_PEER_FAULTS, 1);
}

/* NOLINTNEXTLINE(readability-function-size): a fault, its grounds, and two clocks */
void peer_blame(struct peer *peer, enum peer_fault fault, enum reason reason,
                uint32_t retry_after_s, const char *evidence, int64_t mono_ms,
                int64_t now_ms)
{
    int64_t wait_s =
        retry_after_s < RETRY_AFTER_MAX_S ? retry_after_s : RETRY_AFTER_MAX_S;

    (void)snprintf(peer->last_error, sizeof(peer->last_error), "%s", evidence);
    switch (fault) {
    case PEER_FAULT_UNREACHABLE:
        peer->requests++;
        cost(peer, COST_UNREACHABLE);
        back_off(peer, 0, mono_ms);
        break;
    case PEER_FAULT_ERROR:
        peer->requests++;
        cost(peer, COST_ERROR);
        back_off(peer, 0, mono_ms);
        break;
    case PEER_FAULT_RATE_LIMIT:
        peer->requests++;
        back_off(peer, wait_s * 1000, mono_ms);
        break;
    case PEER_FAULT_LIE: /* found after the request was counted */
        cost(peer, SCORE_MAX);
        ban(peer, reason, evidence, now_ms);
        break;
    }
}

void peer_ban(struct peer *peer, int64_t for_ms, const char *evidence, int64_t now_ms)
{
    peer->banned_until_ms = now_ms + for_ms;
    peer->ban_reason = REASON_PEER_BANNED_BY_OPERATOR;
    (void)snprintf(peer->ban_evidence, sizeof(peer->ban_evidence), "%s", evidence);
}

void peer_unban(struct peer *peer)
{
    peer->banned_until_ms = 0;
    peer->bans = 0;
    peer->ban_reason = REASON_NONE;
    peer->ban_evidence[0] = '\0';
}
