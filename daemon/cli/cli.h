#ifndef DAEMON_CLI_CLI_H
#define DAEMON_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/cli/cli_client.h"

/*
 * cairn, the operator's command line: what its files share.  One thread; it ends with
 * the command.
 */

enum cli_exit { /* scripts know these: never renumber */
                CLI_DONE = 0,
                CLI_FAILED = 1, /* the daemon answered with an error, a check failed */
                CLI_USAGE = 2,
                CLI_UNREACHABLE = 3,
                CLI_JOB_FAILED = 4, /* failed, cancelled, or refused */
                CLI_UNSIGNED = 5,   /* whole, but too few of --keys signed it */
                CLI_UNREADABLE = 6, /* a file cannot be read or written */
};

enum cli_option {
    CLI_OPT_CONFIG,
    CLI_OPT_DATA_DIR,
    CLI_OPT_RPC,
    CLI_OPT_JSON,
    CLI_OPT_HELP,
    CLI_OPT_VERSION, /* up to here: with every command */
    CLI_OPT_URL,
    CLI_OPT_FILE,
    CLI_OPT_GENESIS,
    CLI_OPT_HEIGHT,
    CLI_OPT_BLOCK_HASH,
    CLI_OPT_DRY_RUN,
    CLI_OPT_WATCH,
    CLI_OPT_REASON,
    CLI_OPT_HEAD,
    CLI_OPT_NAME,
    CLI_OPT_ROLE,
    CLI_OPT_LIMIT,
    CLI_OPT_OUT,
    CLI_OPT_ALG,
    CLI_OPT_PASSPHRASE_FILE,
    CLI_OPT_NO_PASSPHRASE,
    CLI_OPT_KEY,
    CLI_OPT_YES,
    CLI_OPT_XAI,
    CLI_OPT_KEYS,
    CLI_OPT_THRESHOLD,
    CLI_OPT_NETWORK,
    CLI_OPT_SNAPSHOT,
    CLI_OPT_ENDPOINT,
    CLI_OPT_REGION,
    CLI_OPT_BUCKET,
    CLI_OPT_PREFIX,
    CLI_OPT_CREDENTIALS,
    CLI_OPT_VIRTUAL_HOST,
    CLI_OPT_BACK,
    CLI_OPT_STALL,
    CLI_OPTIONS
};
#define CLI_TAKES(option) (UINT64_C(1) << (option))
#define CLI_OFFLINE       CLI_TAKES(63) /* the command asks no daemon */

struct cli;

struct cli_command {
    const char *name;      /* "audit verify" */
    const char *arguments; /* "TXID VOUT" */
    const char *summary;   /* one line */
    const char *help;      /* more, for --help; "" */
    size_t min_words, max_words;
    uint64_t takes; /* options, CLI_TAKES ored */
    enum cli_exit (*run)(struct cli *c);
};

struct cli {
    const struct cli_command *command;
    const char *values[CLI_OPTIONS]; /* NULL: not given; a switch that is on: "" */
    const char *const *words;        /* what follows the command's name */
    size_t word_count;
    struct cli_client *client; /* NULL until the first call */
};

/* Says on stderr what is wrong with the command line, and where help is. */
enum cli_exit cli_usage(const struct cli *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * Calls the daemon, which is looked for at the first call; params is taken over, NULL:
 * none.  Anything but CLI_DONE has been said on stderr, and with --json on stdout.
 */
enum cli_exit cli_call(struct cli *c, const char *method, cJSON *params,
                       struct cli_answer *out);

/* The same for a list, with --limit. */
enum cli_exit cli_limited(struct cli *c, const char *method, cJSON *params,
                          struct cli_answer *out);

/* With --json: prints the result, and the command is done. */
bool cli_is_json(const struct cli *c);
bool cli_json(const struct cli *c, const struct cli_answer *a);

/* A whole number of the command line, at most max; false: cli_usage was called. */
bool cli_number(const struct cli *c, const char *what, const char *text, double max,
                double *out);

#endif
