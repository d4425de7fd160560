#ifndef SYNC_P2P_ENVELOPE_POW_H
#define SYNC_P2P_ENVELOPE_POW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* The proof of work of an envelope (protocol.md 9.3).  Private to envelope*.c; pure. */

/* What comes before the solution: "<key>:<seconds>:<nonce>:<hash of payload>:". */
void envelope_pow_base(const char *key_hex, int64_t seconds, const char *nonce,
                       const uint8_t payload_hash[32], struct buf *out);
/* Does SHA-256 of base and solution begin with so many zero bits (at most 255)? */
bool envelope_pow_holds(struct buf *base, const char *solution, unsigned bits);
/* The first number, in hex, that does. */
enum { ENVELOPE_POW_TEXT = 17 };
void envelope_pow_solve(struct buf *base, unsigned bits, char out[ENVELOPE_POW_TEXT]);

#endif
