#ifndef RPC_AUDIT_EXPORT_H
#define RPC_AUDIT_EXPORT_H

#include <cjson/cJSON.h>

#include "sync/reads.h"

/*
 * The audit log as NDJSON, an entry a line, the way audit.list spells one: up to the
 * entry that was last when the export began.  Holds a few entries at a time and no
 * database between two pieces, so a slow reader holds nothing up.  One thread at a
 * time.
 */
struct audit_export;

enum errc audit_export_open(struct reads *reads, struct audit_export **out,
                            struct err *err);
void audit_export_free(struct audit_export *x); /* NULL: no-op */
DEFINE_CLEANUP(struct audit_export, audit_export_free)

/* At most room bytes; *len 0: the end. */
enum errc audit_export_read(struct audit_export *x, char *out, size_t room, size_t *len,
                            struct err *err);

/* One entry's members.  body stands as it is stored: its text is what was hashed. */
enum errc audit_export_entry(const struct control_audit *a, cJSON *o, struct err *err);

#endif
