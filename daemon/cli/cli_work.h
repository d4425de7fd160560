#ifndef DAEMON_CLI_CLI_WORK_H
#define DAEMON_CLI_CLI_WORK_H

#include <stdatomic.h>

#include "base/err.h"
#include "daemon/cli/cli.h"

/*
 * Long work of the command line itself, on a thread of its own, so that a bar on stderr
 * shows how far it is: on a terminal, and not with --json.
 */
struct cli_work {
    enum errc (*run)(void *arg, struct err *err);
    void *arg;
    const char *what;             /* "verifying" */
    const _Atomic uint64_t *done; /* bytes, counted by run */
    uint64_t total;
};

/* What run returned. */
enum errc cli_work_run(const struct cli *c, const struct cli_work *w, struct err *err);

#endif
