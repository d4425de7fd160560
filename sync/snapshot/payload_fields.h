#ifndef SYNC_SNAPSHOT_PAYLOAD_FIELDS_H
#define SYNC_SNAPSHOT_PAYLOAD_FIELDS_H

#include "base/json.h"
#include "sync/snapshot/payload.h"

/* The metadata in an object; what is wrong with a field goes into malformed. */
void payload_fields_read(const struct json *object, struct payload_meta *out);

#endif
