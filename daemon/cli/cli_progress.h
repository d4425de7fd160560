#ifndef DAEMON_CLI_CLI_PROGRESS_H
#define DAEMON_CLI_CLI_PROGRESS_H

#include "daemon/cli/cli.h"

/* How far a job is, and its end. */

/* "fetching 43 %, 12.3 MiB of 28.1 MiB, 4.1 MiB/s, 4 s left", of progress in
   sync.status; not cleaned.  The caller's. */
char *cli_progress_text(const cJSON *progress);

/* Follows a job to its end, with a bar on a terminal and lines elsewhere, nothing with
   --json; then says, or prints, what became of it. */
enum cli_exit cli_progress_watch(struct cli *c, const char *job_id);

#endif
