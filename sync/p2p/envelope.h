#ifndef SYNC_P2P_ENVELOPE_H
#define SYNC_P2P_ENVELOPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/json.h"

/*
 * The signed envelope around every P2P message (protocol.md 9.3): a secp256k1 key, a
 * low-s DER signature over the double SHA-256 of the canonical message, a nonce, a time
 * and a small proof of work.  Pure but for the key's file; each object is one thread's.
 */
enum {
    ENVELOPE_MAX = 1 << 20,       /* bytes of a message, stock's max_size */
    ENVELOPE_AGE_MAX_S = 300,     /* older is stale */
    ENVELOPE_FUTURE_MAX_S = 7200, /* stock sets no bound; ours is that of block times */
    ENVELOPE_POW_BITS = 8, /* what we solve: stock believes the claim (docs/adr) */
    ENVELOPE_SEEN_S = 600, /* a nonce of a key is not taken twice within */
};

/* The node's P2P key, p2p.key in the data directory: 64 hex digits and a newline, mode
   0600, made at the first start.  Another key than the node's: XAI wants secp256k1. */
struct p2p_key;
enum errc p2p_key_open(const char *path, struct p2p_key **out, struct err *err);
void p2p_key_close(struct p2p_key *k);
DEFINE_CLEANUP(struct p2p_key, p2p_key_close)
void p2p_key_public(const struct p2p_key *k, uint8_t out[33]);

struct envelope {
    uint8_t key[33];            /* who signed, compressed */
    uint8_t nonce[32];          /* SHA-256 of the nonce's text */
    double timestamp;           /* seconds since 1970, as claimed */
    const struct json *payload; /* {"type", "payload"?}; lives as long as doc */
    struct json_doc *doc;
};
void envelope_fini(struct envelope *e);

/*
 * Form, proof of work, signature, freshness; not replay.  testnet: the fallback proof
 * of work and a foreign sender_id pass, as stock lets them.  Reasons: PEER_BAD_ENVELOPE
 * with what is wrong.
 */
enum errc envelope_open(const char *text, size_t len, int64_t now_ms, bool testnet,
                        struct envelope *out, struct err *err);

/* payload: canonical text of {"payload": .., "type": ..}.  Appends one message without
   a newline.  full when over ENVELOPE_MAX. */
void envelope_seal(const struct p2p_key *k, const char *payload, size_t len,
                   int64_t now_ms, struct buf *out);

/*
 * Nonces seen, bounded: within ENVELOPE_SEEN_S each (key, nonce) passes once.  When it
 * is full the oldest go; how many one key may have is bounded too, so that a flood by
 * one cannot push another's out.
 */
struct envelope_seen;
struct envelope_seen *envelope_seen_create(size_t max);
void envelope_seen_free(struct envelope_seen *s);
/* False: it was seen before. */
bool envelope_seen_add(struct envelope_seen *s, const struct envelope *e,
                       int64_t mono_ms);

#endif
