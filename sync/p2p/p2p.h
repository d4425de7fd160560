#ifndef SYNC_P2P_P2P_H
#define SYNC_P2P_P2P_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "sync/p2p/envelope.h"
#include "sync/p2p/message.h"
#include "sync/peer/cidr.h"

/*
 * WebSocket peers: one thread that owns every P2P socket, both those we opened and
 * those others opened to us.  It speaks the protocol (upgrade, TLS, envelopes,
 * handshake first, keep-alive, budgets) and answers what others ask from the callbacks
 * below; whom to dial, what to ask and what to believe is the engine's.
 *
 * The engine submits requests, each handed back exactly once through done() on this
 * thread, and hears of connections through event().  At most P2P_REQUESTS_MAX requests
 * are out; event() is called at most P2P_EVENTS_MAX times ahead of p2p_event_free, then
 * sockets are not read until the engine has caught up.
 */
struct p2p;

enum {
    P2P_REQUESTS_MAX = 1024,
    P2P_EVENTS_MAX = 256,
    P2P_CONNECTIONS_MAX = 1200,
    P2P_URL_MAX = 256,
    P2P_PAYLOAD_MAX =
        900 << 10, /* of a payload that fits a message with its envelope */
};

/* The url of a checkpoint whose payload is had by P2P_PAYLOAD. */
#define P2P_URL_ASK "p2p:"

/* --- what the engine asks of a peer --- */
enum p2p_ask {
    P2P_DIAL,       /* connect to url; done when the peer's handshake is in */
    P2P_PEERS,      /* its list: result texts are in body, a JSON array */
    P2P_CHECKPOINT, /* its checkpoint: result in claim */
    P2P_PAYLOAD,    /* its checkpoint's payload: body is the JSON of it, or of {url} */
    P2P_BLOCK_AT,   /* body: JSON text of the block at height; NOT_FOUND: has none */
    P2P_BLOCK,      /* body: JSON text of the block with that hash; NOT_FOUND */
    P2P_TIP,        /* height and hash of its tip, by get_chain_range at its height */
};

struct p2p_request {
    enum p2p_ask ask;
    uint64_t conn;         /* of a P2P_DIAL the result; gone: PEER_UNREACHABLE */
    char url[P2P_URL_MAX]; /* P2P_DIAL: "ws://host:port" or "wss://host:port" */
    bool hostile;          /* P2P_DIAL: a peer's word: trust.md's address rules apply */
    uint64_t height;
    uint8_t hash[32];
    uint32_t timeout_ms;
    uint64_t tag; /* the owner's; not looked at */
    void *owner;

    /* result */
    struct err err;
    char *body;
    size_t body_len;
    bool has_claim; /* P2P_CHECKPOINT: it has one */
    struct p2p_claim {
        uint64_t height;
        uint8_t block_hash[32];
        bool own;
        char url[2048]; /* "" when none was said */
    } claim;
    uint32_t elapsed_ms;
};
struct p2p_request *p2p_request_new(enum p2p_ask ask);
void p2p_request_free(struct p2p_request *r);
DEFINE_CLEANUP(struct p2p_request, p2p_request_free)

/* --- what the engine hears --- */
enum p2p_event_kind {
    P2P_OPENED, /* handshake in; before a P2P_DIAL for it is handed back */
    P2P_CLOSED, /* reason says why */
    P2P_NEWS,   /* it announced a block (inv) or a new height */
    P2P_FAULT,  /* it broke the protocol; P2P_CLOSED follows when it was dropped for it.
                   Also of those that never opened: key is zeros then */
};
struct p2p_event {
    enum p2p_event_kind kind;
    uint64_t conn; /* never used twice */
    bool inbound;
    char ip[46];
    uint16_t port;         /* the other end's */
    char url[P2P_URL_MAX]; /* outbound: as dialled */
    uint8_t key[33];       /* its identity: the key it signs with */
    uint64_t height;       /* its tip's index, as it says */
    bool has_height;
    char api_endpoint[256]; /* "" when none */
    bool has_hash;          /* P2P_NEWS by inv */
    uint8_t hash[32];
    enum reason reason; /* P2P_CLOSED, P2P_FAULT */
    bool lie;           /* P2P_FAULT: proven, ban it */
    char detail[160];
};

/* --- what others ask of us: on the P2P thread, read-only, quick --- */
struct p2p_answers {
    void *arg;
    uint64_t (*count)(void *arg); /* blocks we have: the tip's index + 1; 0: none */
    /* Each appends canonical JSON; false: we have none, and nothing is sent (null for
       the checkpoint, as stock does). */
    bool (*peers)(void *arg, struct buf *out); /* array of URIs */
    bool (*checkpoint)(void *arg,
                       struct buf *out); /* stock's metadata, source "local" */
    bool (*payload)(void *arg, const uint64_t *height, size_t max, struct buf *out);
    /* {chain, difficulty, pagination, stats}, as many blocks as fit in max bytes */
    bool (*range)(void *arg, uint64_t offset, uint64_t limit, size_t max,
                  struct buf *out);
    bool (*block)(void *arg, const uint8_t hash[32], size_t max, struct buf *out);
    bool (*chunk)(void *arg, const char *snapshot_id, uint64_t index, size_t max,
                  struct buf *out);
};

/* Milliseconds.  Stock's, but for announce and idle: with 900 s each of them would cut
   the other off (protocol.md 9.2). */
struct p2p_times {
    int64_t handshake; /* from connected to the peer's handshake */
    int64_t idle;      /* without a message */
    int64_t announce;  /* between two handshakes of ours */
    int64_t ping, pong;
    int64_t partial; /* for one message to come in whole */
    int64_t close;
};
#define P2P_TIMES \
    ((struct p2p_times){15000, 960000, 840000, 20000, 20000, 120000, 2000})

struct p2p_config {
    const char *listen;   /* "0.0.0.0:8333", port 0 takes a free one; NULL: no server */
    const char *data_dir; /* p2p.key, p2p.cert (self-signed, made when missing) */
    bool testnet;         /* plain ws to us, and stock's leniencies; else TLS */
    const char *api_endpoint; /* of our public plane, told in handshakes; NULL */
    uint32_t
        request_rate_seconds; /* least time between two checkpoint answers a peer */
    const struct cidr *allow_networks; /* where hostile URLs may lead all the same */
    size_t allow_count;
    unsigned max_inbound, max_inbound_per_ip, max_inbound_per_group;
    struct p2p_times times; /* P2P_TIMES */
    const struct p2p_answers *answers;
    void (*done)(void *arg, struct p2p_request *r);
    void (*event)(void *arg, struct p2p_event *ev); /* taken over */
    void *arg;
};

enum errc p2p_start(const struct p2p_config *cfg, struct p2p **out, struct err *err);
const char *p2p_address(
    const struct p2p *p); /* "127.0.0.1:40001"; "" without a server */
void p2p_public_key(const struct p2p *p, uint8_t out[33]);
/* Takes r until done().  Any thread; never blocks. */
void p2p_submit(struct p2p *p, struct p2p_request *r);
/* Ends a connection; ban_ms > 0: its address is not let in again so long.  Any thread.
 */
void p2p_drop(struct p2p *p, uint64_t conn, int64_t ban_ms);
/* Announces a block of ours to everybody (inv).  Any thread. */
void p2p_announce(struct p2p *p, const uint8_t hash[32]);
/* Any thread.  p NULL: after p2p_stop. */
void p2p_event_free(struct p2p *p, struct p2p_event *ev);
/* Hands everything back, joins.  NULL: no-op. */
void p2p_stop(struct p2p *p);

#endif
