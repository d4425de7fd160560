#ifndef DAEMON_CLI_CLI_WATCH_H
#define DAEMON_CLI_CLI_WATCH_H

#include "daemon/cli/cli.h"

/* Follows a job to its end, with a bar on a terminal and lines elsewhere, nothing with
   --json; then says, or prints, what became of it. */
enum cli_exit cli_watch_job(struct cli *c, const char *job_id);

#endif
