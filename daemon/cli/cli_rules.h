#ifndef DAEMON_CLI_CLI_RULES_H
#define DAEMON_CLI_CLI_RULES_H

#include <cjson/cJSON.h>

/* Rules of a verdict. */

/* A table of all. */
void cli_rules_show(const cJSON *rules);
/* "signatures: saw 0, wanted 1; no signing key is trusted" of the first that failed;
   the caller's. */
char *cli_rules_failed(const cJSON *rules);

#endif
