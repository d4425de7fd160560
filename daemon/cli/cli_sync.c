#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/cli/cli_commands.h"
#include "daemon/cli/cli_text.h"
#include "daemon/cli/cli_watch.h"

#define HEIGHT_MAX 9007199254740991.0

static bool add_source(const struct cli *c, cJSON *params)
{
    const char *url = c->values[CLI_OPT_URL], *file = c->values[CLI_OPT_FILE];
    bool genesis = c->values[CLI_OPT_GENESIS] != NULL;
    char path[PATH_MAX];

    if ((url != NULL) + (file != NULL) + genesis > 1) {
        (void)cli_usage(c, "give one of --url, --file, --genesis");
        return false;
    }
    if (url)
        cJSON_AddStringToObject(params, "url", url);
    if (genesis)
        cJSON_AddStringToObject(params, "mode", "full");
    if (file && !realpath(file, path)) {
        (void)cli_usage(c, "--file %s: %s", file, strerrordesc_np(errno));
        return false;
    }
    if (file)
        cJSON_AddStringToObject(params, "path", path);
    return true;
}

static bool add_expected(const struct cli *c, cJSON *params)
{
    const char *height = c->values[CLI_OPT_HEIGHT];
    const char *hash = c->values[CLI_OPT_BLOCK_HASH];
    double n;

    if (height) {
        if (!cli_number(c, "--height", height, HEIGHT_MAX, &n))
            return false;
        cJSON_AddNumberToObject(params, "height", n);
    }
    if (hash)
        cJSON_AddStringToObject(params, "block_hash", hash);
    if (c->values[CLI_OPT_DRY_RUN])
        cJSON_AddTrueToObject(params, "dry_run");
    return true;
}

/* A job that the rules, the source or another job leave no room for. */
static bool is_refusal(const cJSON *error)
{
    double code = cJSON_GetNumberValue(cli_text_member(error, "code"));

    return code == -32004 || code == -32006 || code == -32007;
}

enum cli_exit cli_sync_run(struct cli *c)
{
    CLI_ANSWER a = {0};
    cJSON *params = cJSON_CreateObject();
    enum cli_exit rc;

    if (!add_source(c, params) || !add_expected(c, params)) {
        cJSON_Delete(params);
        return CLI_USAGE;
    }
    rc = cli_call(c, "sync.start", params, &a);
    if (rc == CLI_FAILED && is_refusal(a.error))
        return CLI_JOB_FAILED;
    if (rc != CLI_DONE)
        return rc;
    if (!c->values[CLI_OPT_WATCH]) {
        if (!cli_json(c, &a))
            (void)printf("%s started; cairn watch %s shows its progress\n",
                         cli_text_of(a.result, "job_id"),
                         cli_text_of(a.result, "job_id"));
        return CLI_DONE;
    }
    if (!cli_is_json(c))
        (void)printf("%s started\n", cli_text_of(a.result, "job_id"));
    return cli_watch_job(c, cli_text_of(a.result, "job_id"));
}
