#ifndef DAEMON_CLI_CLI_HELP_H
#define DAEMON_CLI_CLI_HELP_H

#include <stdio.h>

#include "daemon/cli/cli.h"

void cli_help_all(FILE *to);
void cli_help_one(const struct cli_command *command);

#endif
