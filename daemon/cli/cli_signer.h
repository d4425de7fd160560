#ifndef DAEMON_CLI_CLI_SIGNER_H
#define DAEMON_CLI_CLI_SIGNER_H

#include "daemon/cli/cli.h"
#include "sync/trust/trust_sealed.h"

/* The key file of --key: read, shown by its public key, then opened. */

/* An error has been said. */
enum cli_exit cli_signer_read(const struct cli *c, struct trust_sealed *out);
/* Asks for the passphrase where there is one. */
enum cli_exit cli_signer_open(const struct cli *c, const struct trust_sealed *sealed,
                              struct trust_secret **out);
/* "yes" on standard input, or --yes; anything else has been said. */
enum cli_exit cli_signer_confirm(const struct cli *c,
                                 const struct trust_sealed *sealed);

#endif
