#ifndef SYNC_SERVE_SERVE_PAYLOAD_H
#define SYNC_SERVE_SERVE_PAYLOAD_H

#include <stdint.h>

/*
 * The XAI payload that the live generation was made of, as it was taken: kept when
 * others may ask for it (engine_config.keep_payload), never changed in place.  Any
 * thread.
 */

/* A descriptor, the caller's to close, and its bytes; -1: not kept. */
int serve_payload_open(const char *data_dir, int64_t generation, uint64_t *len);

#endif
