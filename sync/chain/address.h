#ifndef SYNC_CHAIN_ADDRESS_H
#define SYNC_CHAIN_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/coin.h"
#include "sync/chain/params.h"

/* Addresses (protocol.md 6.3).  Pure; any thread. */

/* Constructor rule: out gets the normalised spelling.  False: not an address. */
bool address_normalise(const char *in, char out[COIN_ADDRESS_MAX + 1]);
/* Block rule: may it stand in a transfer on this network (senders, recipients,
   outputs)?  Not re-cased. */
bool address_in_transfer(const char *address, const struct chain_params *params);
/* One of the names that stand for themselves: COINBASE, SYSTEM, STAKING... */
bool address_is_name(const char *address);
/* Has the form of address_of_key's: prefix, 40 hex digits in their checksum's case. */
bool address_is_spendable(const char *address, const struct chain_params *params);
/* Is the spendable address (as above) that of a raw 64-byte public key? */
bool address_is_of_key(const char *spendable, const uint8_t key[64],
                       const struct chain_params *params);
/* The spendable address of a raw 64-byte public key. */
void address_of_key(const uint8_t key[64], const struct chain_params *params,
                    char out[COIN_ADDRESS_MAX + 1]);

#endif
