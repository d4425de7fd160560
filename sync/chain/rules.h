#ifndef SYNC_CHAIN_RULES_H
#define SYNC_CHAIN_RULES_H

/*
 * The small rules that blocks, payloads and tools share, each in a file of its own and
 * tested against its vector file.  Pure; any thread.
 */
#include "sync/chain/address.h"
#include "sync/chain/amount.h"
#include "sync/chain/ecdsa.h"
#include "sync/chain/merkle.h"
#include "sync/chain/reward.h"
#include "sync/chain/sums.h"
#include "sync/chain/unspent.h"

#endif
