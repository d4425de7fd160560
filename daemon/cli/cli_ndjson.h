#ifndef DAEMON_CLI_CLI_NDJSON_H
#define DAEMON_CLI_CLI_NDJSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

/* The audit log out of a file, an entry of audit.list a line: the same check as the
   daemon's, by store's own walk (store/control_audit_chain.h). */
struct cli_ndjson_check {
    bool ok;
    int64_t entries;
    uint8_t head[32];
    int64_t first_bad; /* seq */
    char what[200];    /* for people */
};

/* head: what the last entry's hash must be; NULL: any.  ERR_IO: f cannot be read. */
enum errc cli_ndjson_verify(FILE *f, const uint8_t head[32],
                            struct cli_ndjson_check *out, struct err *err);

#endif
