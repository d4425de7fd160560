#include <getopt.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/cli/cli.h"
#include "daemon/cli/cli_commands.h"
#include "daemon/cli/cli_help.h"

enum { WITH_EVERY = CLI_TAKES(CLI_OPT_VERSION + 1) - 1 };

static const struct option options[] = {
    {"config", required_argument, NULL, CLI_OPT_CONFIG},
    {"data-dir", required_argument, NULL, CLI_OPT_DATA_DIR},
    {"rpc", required_argument, NULL, CLI_OPT_RPC},
    {"json", no_argument, NULL, CLI_OPT_JSON},
    {"help", no_argument, NULL, CLI_OPT_HELP},
    {"version", no_argument, NULL, CLI_OPT_VERSION},
    {"url", required_argument, NULL, CLI_OPT_URL},
    {"file", required_argument, NULL, CLI_OPT_FILE},
    {"genesis", no_argument, NULL, CLI_OPT_GENESIS},
    {"height", required_argument, NULL, CLI_OPT_HEIGHT},
    {"block-hash", required_argument, NULL, CLI_OPT_BLOCK_HASH},
    {"dry-run", no_argument, NULL, CLI_OPT_DRY_RUN},
    {"watch", no_argument, NULL, CLI_OPT_WATCH},
    {"reason", required_argument, NULL, CLI_OPT_REASON},
    {"head", required_argument, NULL, CLI_OPT_HEAD},
    {"name", required_argument, NULL, CLI_OPT_NAME},
    {"role", required_argument, NULL, CLI_OPT_ROLE},
    {"limit", required_argument, NULL, CLI_OPT_LIMIT},
    {"out", required_argument, NULL, CLI_OPT_OUT},
    {"alg", required_argument, NULL, CLI_OPT_ALG},
    {"passphrase-file", required_argument, NULL, CLI_OPT_PASSPHRASE_FILE},
    {"no-passphrase", no_argument, NULL, CLI_OPT_NO_PASSPHRASE},
    {"key", required_argument, NULL, CLI_OPT_KEY},
    {"yes", no_argument, NULL, CLI_OPT_YES},
    {"xai", no_argument, NULL, CLI_OPT_XAI},
    {"keys", required_argument, NULL, CLI_OPT_KEYS},
    {"threshold", required_argument, NULL, CLI_OPT_THRESHOLD},
    {"network", required_argument, NULL, CLI_OPT_NETWORK},
    {"snapshot", required_argument, NULL, CLI_OPT_SNAPSHOT},
    {"endpoint", required_argument, NULL, CLI_OPT_ENDPOINT},
    {"region", required_argument, NULL, CLI_OPT_REGION},
    {"bucket", required_argument, NULL, CLI_OPT_BUCKET},
    {"prefix", required_argument, NULL, CLI_OPT_PREFIX},
    {"credentials", required_argument, NULL, CLI_OPT_CREDENTIALS},
    {"virtual-host", no_argument, NULL, CLI_OPT_VIRTUAL_HOST},
    {"back", no_argument, NULL, CLI_OPT_BACK},
    {"stall", required_argument, NULL, CLI_OPT_STALL},
    {NULL, 0, NULL, 0},
};

/* False: getopt_long has said what is wrong. */
static bool parse_options(struct cli *c, int argc, char **argv)
{
    int option;

    /* NOLINTNEXTLINE(concurrency-mt-unsafe): there is only this thread */
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == '?')
            return false;
        c->values[option] = optarg ? optarg : "";
    }
    c->words = (const char *const *)argv + optind;
    c->word_count = (size_t)(argc - optind);
    return true;
}

/* How many words of the command line name this command; 0: they do not. */
static size_t match(const struct cli_command *command, const struct cli *c)
{
    const char *name = command->name;
    size_t words = 0, len;

    for (; words < c->word_count; words++) {
        len = strcspn(name, " ");
        if (strlen(c->words[words]) != len || memcmp(c->words[words], name, len) != 0)
            return 0;
        name += len;
        if (*name == '\0')
            return words + 1;
        name++;
    }
    return 0;
}

static bool find_command(struct cli *c)
{
    for (const struct cli_command *k = cli_commands; k->name; k++) {
        size_t words = match(k, c);

        if (words == 0)
            continue;
        c->command = k;
        c->words += words;
        c->word_count -= words;
        return true;
    }
    return false;
}

static bool check_options(const struct cli *c)
{
    for (const struct option *o = options; o->name; o++) {
        if (!c->values[o->val] ||
            (CLI_TAKES(o->val) & (WITH_EVERY | c->command->takes)))
            continue;
        (void)cli_usage(c, "--%s means nothing here", o->name);
        return false;
    }
    return true;
}

static enum cli_exit run(struct cli *c)
{
    bool help = c->word_count > 0 && strcmp(c->words[0], "help") == 0;

    if (help) {
        c->words++;
        c->word_count--;
    }
    if (!find_command(c)) {
        if (c->word_count > 0)
            return cli_usage(c, "%s: no such command", c->words[0]);
        cli_help_all(help || c->values[CLI_OPT_HELP] ? stdout : stderr);
        return help || c->values[CLI_OPT_HELP] ? CLI_DONE : CLI_USAGE;
    }
    if (help || c->values[CLI_OPT_HELP]) {
        cli_help_one(c->command);
        return CLI_DONE;
    }
    if (c->word_count < c->command->min_words)
        return cli_usage(c, "wants %s", c->command->arguments);
    if (c->word_count > c->command->max_words)
        return cli_usage(c, "%s is one word too many", c->words[c->command->max_words]);
    return check_options(c) ? c->command->run(c) : CLI_USAGE;
}

int main(int argc, char **argv)
{
    struct cli c = {.words = NULL};
    enum cli_exit rc;

    if (!parse_options(&c, argc, argv))
        return (int)cli_usage(&c, "wrong options");
    if (sodium_init() < 0) {
        (void)fputs("cairn: libsodium does not start\n", stderr);
        return CLI_FAILED;
    }
    if (c.values[CLI_OPT_VERSION]) {
        (void)puts("cairn " CAIRN_VERSION);
        return CLI_DONE;
    }
    rc = run(&c);
    cli_client_free(c.client);
    if (fflush(stdout) != 0 && rc == CLI_DONE)
        rc = CLI_FAILED; /* a full disk, say: half an answer is none */
    return (int)rc;
}
