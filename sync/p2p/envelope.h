#ifndef SYNC_P2P_ENVELOPE_H
#define SYNC_P2P_ENVELOPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/json.h"
#include "sync/p2p/p2p_key.h"

/*
 * The signed envelope around every P2P message (protocol.md 9.3): a secp256k1 key, a
 * low-s DER signature over the double SHA-256 of the canonical message, a nonce, a time
 * and a small proof of work.  Pure but for the key's file; each object is one thread's.
 */
enum {
    ENVELOPE_MAX = 1 << 20,       /* bytes of a message, stock's max_size */
    ENVELOPE_AGE_MAX_S = 300,     /* older is stale */
    ENVELOPE_FUTURE_MAX_S = 7200, /* stock sets no bound; ours is that of block times */
    ENVELOPE_POW_BITS = 8,    /* what we solve: stock believes the claim (docs/adr) */
    ENVELOPE_SEEN_S = 600,    /* a nonce of a key is not taken twice within */
    ENVELOPE_NONCE_MAX = 128, /* bytes of a nonce, stock's are 32 */
};

/*
 * The next message of a frame: stock splits at newlines and skips what is empty.  Moves
 * text past it and takes it off left; false when there is no more.
 */
bool envelope_next(const char **text, size_t *left, const char **message, size_t *len);

struct envelope {
    uint8_t key[P2P_KEY_BYTES]; /* who signed, compressed */
    uint8_t nonce[32];          /* SHA-256 of the nonce's text */
    double timestamp;           /* seconds since 1970, as claimed */
    const struct json *payload; /* an object; lives as long as doc */
    struct json_doc *doc;       /* up to 50 times the text: not to be kept long */
};
void envelope_fini(struct envelope *e);

/*
 * Form, freshness, proof of work, signature, in this order; not replay.  testnet: the
 * fallback proof of work and a foreign sender_id pass, as stock lets them; where we are
 * stricter: docs/adr/0018.  Reasons: PEER_BAD_ENVELOPE with what is wrong.
 */
enum errc envelope_open(const char *text, size_t len, int64_t now_ms, bool testnet,
                        struct envelope *out, struct err *err);

/* payload: canonical text of {"payload": .., "type": ..}.  Appends one message without
   a newline; nothing, and out is full, when that would be over ENVELOPE_MAX. */
void envelope_seal(const struct p2p_key *k, const char *payload, size_t len,
                   int64_t now_ms, struct buf *out);

/*
 * Nonces seen: within ENVELOPE_SEEN_S each (key, nonce) passes once.  At most max are
 * kept (about 80 bytes each, taken as they come); of one key at most an
 * ENVELOPE_SEEN_SHARE-th, then its own oldest go, so that a flood by one does not push
 * out another's.  When all is full the oldest of all go.
 */
enum { ENVELOPE_SEEN_SHARE = 16 };
struct envelope_seen;
struct envelope_seen *envelope_seen_create(size_t max);
void envelope_seen_free(struct envelope_seen *s);
DEFINE_CLEANUP(struct envelope_seen, envelope_seen_free)
/* False: it was seen before.  mono_ms does not go back from call to call. */
bool envelope_seen_add(struct envelope_seen *s, const struct envelope *e,
                       int64_t mono_ms);

#endif
