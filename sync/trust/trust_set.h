#ifndef SYNC_TRUST_TRUST_SET_H
#define SYNC_TRUST_TRUST_SET_H

#include "sync/trust/trust_statement.h"

/*
 * Sets of signers, one after the other: each is signed by the one before it, so that a
 * node that knows any of them can follow to the last.  Pure; any thread.
 */

/* The first set, of what an operator configured: sorted, doubles dropped.  False when
   it can sign nothing: no key, too many, or a threshold of none or of more than there
   are. */
bool trust_set_first(const struct trust_key *keys, size_t count, unsigned threshold,
                     struct trust_set *out);

/* What its successor names as previous. */
void trust_set_digest(const struct trust_set *set, const struct chain_params *params,
                      uint8_t out[32]);

/*
 * The set that a certificate puts after *set, into *set, which errors leave.
 * ERR_VERIFY: NETWORK_MISMATCH, or THRESHOLD_NOT_MET when fewer than set->threshold of
 * its keys signed; ERR_CONFLICT when it does not follow this very set; ERR_INVALID when
 * it is no certificate.  A node that slept through several applies them in turn.
 */
enum errc trust_set_advance(struct trust_set *set, const struct trust_statement *cert,
                            const struct chain_params *params, struct err *err);

#endif
