#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "daemon/cli/cli.h"
#include "daemon/cli/cli_text.h"

enum { LIMIT_MAX = 1000 };

static const char *command_of(const struct cli *c)
{
    return c->command ? c->command->name : "";
}

enum cli_exit cli_usage(const struct cli *c, const char *fmt, ...)
{
    AUTOFREE char *text = NULL;
    AUTOFREE char *clean = NULL;
    const char *command = command_of(c);
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vasprintf(&text, fmt, ap);
    va_end(ap);
    if (n < 0)
        abort(); /* memory */
    clean = cli_text_clean(text, (size_t)n);
    (void)fprintf(stderr, "cairn%s%s: %s\n  see: cairn %s%s--help\n",
                  command[0] != '\0' ? " " : "", command, clean, command,
                  command[0] != '\0' ? " " : "");
    return CLI_USAGE;
}

bool cli_is_json(const struct cli *c)
{
    return c->values[CLI_OPT_JSON] != NULL;
}

/* As it is into files and pipes; made safe, and of the same value, for a terminal. */
static void print_raw(struct span raw)
{
    AUTOFREE char *clean = NULL;

    if (!isatty(STDOUT_FILENO)) {
        (void)fwrite(raw.at, 1, raw.len, stdout);
        return;
    }
    clean = cli_text_clean(raw.at, raw.len);
    (void)fputs(clean, stdout);
}

bool cli_json(const struct cli *c, const struct cli_answer *a)
{
    if (!cli_is_json(c))
        return false;
    print_raw(a->raw);
    (void)fputc('\n', stdout);
    return true;
}

static void say_error(const struct cli *c, const char *method,
                      const struct cli_answer *a)
{
    const cJSON *data = cli_text_member(a->error, "data");
    AUTOFREE char *text = xasprintf("%s: %s: %s", method, cli_text_of(data, "reason"),
                                    cli_text_of(data, "detail"));

    cli_text_line(stderr, "cairn: ", text);
    cli_text_line(stderr, "  hint: ", cli_text_of(data, "hint"));
    if (cli_is_json(c)) {
        (void)fputs("{\"error\":", stdout);
        print_raw(a->raw);
        (void)fputs("}\n", stdout);
    }
}

static enum cli_exit find_daemon(struct cli *c)
{
    const struct cli_where_hints hints = {
        .config = c->values[CLI_OPT_CONFIG],
        .data_dir = c->values[CLI_OPT_DATA_DIR],
        .rpc = c->values[CLI_OPT_RPC],
    };
    struct cli_where where = {0};
    struct err err;
    enum errc rc = cli_where_find(&hints, &where, &err);

    if (rc == ERR_OK)
        c->client = cli_client_create(&where);
    cli_where_fini(&where);
    if (rc == ERR_INVALID)
        return cli_usage(c, "%s", err.msg);
    if (rc == ERR_OK)
        return CLI_DONE;
    (void)fprintf(stderr, "cairn: %s\n", err.msg);
    return CLI_UNREACHABLE;
}

enum cli_exit cli_call(struct cli *c, const char *method, cJSON *params,
                       struct cli_answer *out)
{
    enum cli_exit rc = c->client ? CLI_DONE : find_daemon(c);
    struct err err;

    if (rc == CLI_DONE &&
        cli_client_call(c->client, method, params, out, &err) != ERR_OK) {
        (void)fprintf(stderr,
                      "cairn: cannot reach the daemon: %s\n"
                      "  hint: is cairnd running? start it, or name another with "
                      "--data-dir, --config or --rpc\n",
                      err.msg);
        rc = CLI_UNREACHABLE;
    }
    cJSON_Delete(params);
    if (rc != CLI_DONE || !out->error)
        return rc;
    say_error(c, method, out);
    return CLI_FAILED;
}

bool cli_number(const struct cli *c, const char *what, const char *text, double max,
                double *out)
{
    size_t len = strlen(text);

    if (len >= 1 && len <= 16 && strspn(text, "0123456789") == len) {
        *out = strtod(text, NULL);
        if (*out <= max)
            return true;
    }
    (void)cli_usage(c, "%s: %.40s is no whole number up to %.0f", what, text, max);
    return false;
}

enum cli_exit cli_limited(struct cli *c, const char *method, cJSON *params,
                          struct cli_answer *out)
{
    const char *limit = c->values[CLI_OPT_LIMIT];
    double n;

    if (limit) {
        if (!cli_number(c, "--limit", limit, LIMIT_MAX, &n)) {
            cJSON_Delete(params);
            return CLI_USAGE;
        }
        cJSON_AddNumberToObject(params, "limit", n);
    }
    return cli_call(c, method, params, out);
}
