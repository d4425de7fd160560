#include <stdio.h>

#include "base/mem.h"
#include "daemon/cli/cli_commands.h"
#include "daemon/cli/cli_table.h"
#include "daemon/cli/cli_text.h"
#include "daemon/cli/cli_watch.h"

static void put_job(struct cli_table *t, const cJSON *job)
{
    const cJSON *checkpoint = cli_text_member(job, "checkpoint");
    const cJSON *request = cli_text_member(job, "request");
    const cJSON *error = cli_text_member(job, "error");
    char text[CLI_TEXT_SHORT];

    cli_table_put(t, cli_text_of(job, "job_id"));
    cli_table_put(t, cli_text_of(job, "state"));
    cli_table_put(t, error ? cli_text_of(error, "stage") : cli_text_of(job, "stage"));
    cli_table_put(t, error ? cli_text_of(error, "reason") : "-");
    cli_table_put(t, cli_text_count(checkpoint, "height", text));
    cli_table_put(t, cli_text_time(job, "created_at", text));
    cli_table_put(t, cli_text_of(request, "source"));
}

enum cli_exit cli_jobs_list(struct cli *c)
{
    static const char *const headers[] = {"JOB",     "STATE",   "STAGE",  "REASON",
                                          ">HEIGHT", "STARTED", "SOURCE", NULL};
    CLEANUP(cli_table_free) struct cli_table *t = NULL;
    CLI_ANSWER a = {0};
    enum cli_exit rc = cli_limited(c, "jobs.list", cJSON_CreateObject(), &a);
    const cJSON *job;

    if (rc != CLI_DONE || cli_json(c, &a))
        return rc;
    t = cli_table_create(headers);
    cJSON_ArrayForEach (job, cli_text_member(a.result, "jobs"))
        put_job(t, job);
    cli_table_print(t, "no jobs yet; cairn sync starts one");
    return CLI_DONE;
}

enum cli_exit cli_jobs_watch(struct cli *c)
{
    return cli_watch_job(c, c->words[0]);
}

enum cli_exit cli_jobs_cancel(struct cli *c)
{
    CLI_ANSWER a = {0};
    cJSON *params = cJSON_CreateObject();
    enum cli_exit rc;

    cJSON_AddStringToObject(params, "job_id", c->words[0]);
    rc = cli_call(c, "sync.cancel", params, &a);
    if (rc == CLI_DONE && !cli_json(c, &a))
        cli_text_fact("job", "%s, %s", cli_text_of(a.result, "job_id"),
                      cli_text_of(a.result, "state"));
    return rc;
}
