#ifndef DAEMON_CLI_CLI_WHERE_H
#define DAEMON_CLI_CLI_WHERE_H

#include "base/err.h"

/* Where the daemon listens, and the token it takes. */
struct cli_where {
    char *address; /* "127.0.0.1:8645" */
    char *token;
};

struct cli_where_hints { /* the command line; NULL: not given */
    const char *config, *data_dir, *rpc;
};

/*
 * Options first, then CAIRN_RPC, CAIRN_TOKEN and CAIRN_DATA_DIR, then what the daemon
 * wrote in its data directory, then the configuration.  ERR_INVALID: a hint is missing
 * or wrong.  ERR_NET: the daemon left nothing there, so it does not run.
 */
enum errc cli_where_find(const struct cli_where_hints *hints, struct cli_where *out,
                         struct err *err);
void cli_where_fini(struct cli_where *w);

#endif
