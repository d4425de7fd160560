#include "daemon/cli/cli_help.h"
#include "base/mem.h"
#include "daemon/cli/cli_commands.h"

static const char shared[] =
    "\n"
    "where the daemon is\n"
    "  --data-dir DIR   its data directory: rpc.cookie and rpc.address are there;\n"
    "                   else CAIRN_DATA_DIR\n"
    "  --config FILE    its configuration, which names that directory\n"
    "  --rpc ADDR       its address, when it is another; else CAIRN_RPC\n"
    "                   CAIRN_TOKEN holds a token to use instead of rpc.cookie\n"
    "  --json           print the result of the RPC as it is\n";

static const char offline[] = "\n"
                              "No daemon is asked.\n"
                              "  --json           print what came out as JSON\n";

static const char exits[] =
    "\n"
    "exit status\n"
    "  0  done\n"
    "  1  the daemon answered with an error, or a check failed\n"
    "  2  the command line or the configuration is wrong\n"
    "  3  the daemon cannot be reached\n"
    "  4  the job failed, was cancelled or refused; the reason is on stderr\n"
    "  5  whole, but too few of the keys given signed it\n"
    "  6  a file cannot be read or written\n";

static int column(const struct cli_command *k)
{
    return (int)(strlen(k->name) + 1 + strlen(k->arguments));
}

void cli_help_all(FILE *to)
{
    int widest = 0;

    (void)fputs("usage: cairn COMMAND [ARGUMENTS] [OPTIONS]\n\n", to);
    for (const struct cli_command *k = cli_commands; k->name; k++)
        if (column(k) > widest)
            widest = column(k);
    for (const struct cli_command *k = cli_commands; k->name; k++)
        (void)fprintf(to, "  %s %s%*s  %s\n", k->name, k->arguments, widest - column(k),
                      "", k->summary);
    (void)fputs("  help COMMAND, COMMAND --help: its options\n", to);
    (void)fputs(shared, to);
    (void)fputs(exits, to);
}

void cli_help_one(const struct cli_command *command)
{
    (void)printf("usage: cairn %s%s%s [OPTIONS]\n\n%s.\n%s", command->name,
                 command->arguments[0] != '\0' ? " " : "", command->arguments,
                 command->summary, command->help);
    (void)fputs(command->takes & CLI_OFFLINE ? offline : shared, stdout);
    (void)fputs(exits, stdout);
}
