#ifndef DAEMON_CLI_CLI_CLIENT_H
#define DAEMON_CLI_CLI_CLIENT_H

#include <cjson/cJSON.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "daemon/cli/cli_where.h"
#include "rpc/span.h"

/* JSON-RPC to the daemon over libcurl: the only file of the command line that uses it.
 */
struct cli_client;

struct cli_client *cli_client_create(const struct cli_where *where);
void cli_client_free(struct cli_client *k); /* NULL: no-op */
DEFINE_CLEANUP(struct cli_client, cli_client_free)

struct cli_answer { /* start with {0} */
    char *text;
    cJSON *tree;
    struct span raw;     /* of result, or of error, as it was spelled */
    const cJSON *result; /* NULL when it is an error */
    const cJSON *error;
};
void cli_client_fini(struct cli_answer *a);
#define CLI_ANSWER __attribute__((cleanup(cli_client_fini))) struct cli_answer

/* ERR_NET: nobody there, or no cairnd.  An error that the daemon answers is an answer.
 */
enum errc cli_client_call(struct cli_client *k, const char *method, const cJSON *params,
                          struct cli_answer *out, struct err *err);

#endif
