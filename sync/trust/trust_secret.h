#ifndef SYNC_TRUST_TRUST_SECRET_H
#define SYNC_TRUST_TRUST_SECRET_H

#include "base/cleanup.h"
#include "base/err.h"
#include "sync/trust/trust_key.h"

/*
 * A signer's secret key, in locked memory that is wiped when it is freed.  The 32 bytes
 * are the seed of an Ed25519 key (RFC 8032) or the scalar of a secp256k1 key.  After
 * sodium_init; constant once made, so any thread may sign.
 */
enum { TRUST_SECRET_BYTES = 32 };

struct trust_secret;

/* A new one.  ERR_IO: no locked memory. */
enum errc trust_secret_generate(enum trust_key_alg alg, struct trust_secret **out,
                                struct err *err);
/* ERR_INVALID: no key is made of these bytes, which stay the caller's to wipe. */
enum errc trust_secret_create(enum trust_key_alg alg,
                              const uint8_t bytes[TRUST_SECRET_BYTES],
                              struct trust_secret **out, struct err *err);
void trust_secret_free(struct trust_secret *s); /* NULL: no-op */
DEFINE_CLEANUP(struct trust_secret, trust_secret_free)

const struct trust_key *trust_secret_key(const struct trust_secret *s);
const uint8_t *trust_secret_bytes(const struct trust_secret *s);

/* What trust_key_verify wants: over the 32 bytes of a digest, the same every time. */
void trust_secret_sign(const struct trust_secret *s, const uint8_t digest[32],
                       uint8_t out[64]);

#endif
