#ifndef SYNC_P2P_P2P_KEY_H
#define SYNC_P2P_P2P_KEY_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"

/*
 * The node's P2P key, p2p.key in the data directory (base/keyfile.h), made at the first
 * start.  Another key than node.key: XAI's envelopes want secp256k1 (protocol.md 9.3).
 * It says who speaks on a connection and nothing more.  The secret lives in locked
 * memory.  Read-only once open: any thread.
 */
struct p2p_key;

enum {
    P2P_KEY_BYTES = 33,   /* compressed */
    P2P_KEY_SIG_MAX = 72, /* DER, low s */
};

/* STORAGE_FAILED when the file cannot be read or made; CONFLICT when it is no key. */
enum errc p2p_key_open(const char *path, struct p2p_key **out, struct err *err);
void p2p_key_close(struct p2p_key *k);
DEFINE_CLEANUP(struct p2p_key, p2p_key_close)

void p2p_key_public(const struct p2p_key *k, uint8_t out[P2P_KEY_BYTES]);
/* DER; returns its length. */
size_t p2p_key_sign(const struct p2p_key *k, const uint8_t digest[32],
                    uint8_t out[P2P_KEY_SIG_MAX]);

#endif
