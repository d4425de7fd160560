#ifndef DAEMON_CLI_CLI_PASSPHRASE_H
#define DAEMON_CLI_CLI_PASSPHRASE_H

#include "base/cleanup.h"
#include "daemon/cli/cli.h"

/*
 * The passphrase of a key file: from --passphrase-file, or from the terminal without
 * echo, twice when it is a new one.  In locked memory, with its NUL; CLI_DONE, or it
 * has been said what is wrong.
 */
enum cli_exit cli_passphrase_get(const struct cli *c, const char *keyfile, bool is_new,
                                 char **out);
void cli_passphrase_free(char *passphrase); /* wipes; NULL: no-op */
DEFINE_CLEANUP(char, cli_passphrase_free)

#endif
