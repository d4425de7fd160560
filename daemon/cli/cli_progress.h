#ifndef DAEMON_CLI_CLI_PROGRESS_H
#define DAEMON_CLI_CLI_PROGRESS_H

#include <cjson/cJSON.h>

/* How far a job is, out of progress in sync.status.  The texts are the caller's. */

/* "fetching 43 %, 12.3 MiB of 28.1 MiB, 4.1 MiB/s, 4 s left"; not cleaned. */
char *cli_progress_text(const cJSON *progress);

/* The same behind a bar, where there is a percentage; cleaned. */
char *cli_progress_line(const cJSON *progress);

#endif
