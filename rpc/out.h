#ifndef RPC_OUT_H
#define RPC_OUT_H

#include <cjson/cJSON.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "sync/chain/work.h"

/*
 * Results in the control plane's spelling.  Each function adds one member; what is
 * absent is null, so that a method always has one shape.  Any thread.
 */
void out_u64(cJSON *o, const char *name, uint64_t value); /* exact, unlike a double */
void out_text(cJSON *o, const char *name, const char *text);       /* NULL: null */
void out_hash(cJSON *o, const char *name, const uint8_t hash[32]); /* NULL: null */
void out_work(cJSON *o, const char *name, const struct work *work);
void out_work_bytes(cJSON *o, const char *name, const uint8_t be[WORK_BYTES]);
void out_amount(cJSON *o, const char *name, double amount); /* as the chain writes it */
void out_time(cJSON *o, const char *name, int64_t ms);      /* 0: null */
void out_id(cJSON *o, const char *name, int64_t id);        /* 0: null */
void out_job(cJSON *o, const char *name, int64_t id);       /* "job-7"; 0: null */
void out_cursor(cJSON *o, const char *name, int64_t id);    /* a string; 0: null */

/* A stored JSON document as it stands; NULL: null.  STORAGE_CORRUPT if it is none. */
enum errc out_document(cJSON *o, const char *name, const char *text, struct err *err);

/* Moves every member of object into o and frees object. */
void out_adopt(cJSON *o, cJSON *object);

#endif
