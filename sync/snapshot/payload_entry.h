#ifndef SYNC_SNAPSHOT_PAYLOAD_ENTRY_H
#define SYNC_SNAPSHOT_PAYLOAD_ENTRY_H

#include "base/buf.h"
#include "base/coin.h"
#include "base/json.h"
#include "sync/snapshot/payload_stream.h"

/*
 * One entry of an address' list: exactly address, amount, script_pubkey, spent, txid
 * and vout.  Form is settled here (PAYLOAD_MALFORMED); whether the values may stand is
 * payload_entry_fault's to say, since the hash must be made to its end in any case.
 */
enum { PAYLOAD_ENTRY_TEXT = 4096, PAYLOAD_ENTRY_NUMBER = 64 };

struct payload_entry {
    unsigned seen;  /* bits by field */
    unsigned field; /* of the key read last */
    struct buf address, script;
    uint8_t txid[32];
    char txid_hex[65];
    uint32_t vout;
    bool spent;
    double amount;
    bool short_amount; /* known to have at most 15 digits: not over 18 decimals */
    char amount_text[PAYLOAD_ENTRY_NUMBER + 1]; /* canonical */
};

void payload_entry_init(struct payload_entry *e);
void payload_entry_fini(struct payload_entry *e);
void payload_entry_begin(struct payload_entry *e);
enum errc payload_entry_key(struct payload_entry *e, const struct payload_event *ev,
                            struct err *err);
enum errc payload_entry_value(struct payload_entry *e, const struct payload_event *ev,
                              struct err *err);
enum errc payload_entry_end(const struct payload_entry *e, struct err *err);

/* NULL, or which bound of the chain the values break, under the list of owner. */
const char *payload_entry_fault(const struct payload_entry *e, const char *owner);

/* The same of the amount alone. */
const char *payload_entry_amount_fault(const struct payload_entry *e);

/* Canonical text, JSON_SPACED. */
void payload_entry_write(const struct payload_entry *e, struct buf *out);

#endif
