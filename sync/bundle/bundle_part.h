#ifndef SYNC_BUNDLE_BUNDLE_PART_H
#define SYNC_BUNDLE_BUNDLE_PART_H

#include <stddef.h>
#include <stdint.h>

#include "sync/peer/headers_wire.h"

/* A length, and so many bytes.  Private to the room. */
enum { BUNDLE_PART_LENGTH = 4 }; /* little-endian */

uint32_t bundle_part_length(const uint8_t le[BUNDLE_PART_LENGTH]);
void bundle_part_put_length(size_t len, uint8_t le[BUNDLE_PART_LENGTH]);

/* Exactly batch->max headers in the compact form, and no other; PAYLOAD_MALFORMED. */
enum errc bundle_part_headers(const uint8_t *bytes, size_t len,
                              struct headers_wire_batch *batch, struct err *err);

#endif
