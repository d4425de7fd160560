#include <string.h>

#include "sync/serve/rows.h"

void rows_from_header(const struct header *h, struct chaindb_header *out)
{
    *out = (struct chaindb_header){.height = h->height,
                                   .timestamp = h->timestamp,
                                   .difficulty = h->difficulty,
                                   .nonce = h->nonce,
                                   .version = h->version,
                                   .has_version = h->has_version,
                                   .status = CHAINDB_ANCHORED};
    memcpy(out->hash, h->hash, 32);
    memcpy(out->prev, h->prev, 32);
    memcpy(out->merkle_root, h->merkle_root, 32);
    memcpy(out->signature, h->signature, sizeof(out->signature));
    memcpy(out->miner_pubkey, h->miner_pubkey, sizeof(out->miner_pubkey));
}

void rows_to_header(const struct chaindb_header *row, struct header *out)
{
    *out = (struct header){.height = row->height,
                           .timestamp = row->timestamp,
                           .difficulty = row->difficulty,
                           .nonce = row->nonce,
                           .version = row->version,
                           .has_version = row->has_version};
    memcpy(out->hash, row->hash, 32);
    memcpy(out->prev, row->prev, 32);
    memcpy(out->merkle_root, row->merkle_root, 32);
    memcpy(out->signature, row->signature, sizeof(out->signature));
    memcpy(out->miner_pubkey, row->miner_pubkey, sizeof(out->miner_pubkey));
}
