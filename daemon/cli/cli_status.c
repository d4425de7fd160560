#include <stdio.h>

#include "daemon/cli/cli_commands.h"
#include "daemon/cli/cli_progress.h"
#include "daemon/cli/cli_text.h"

static void show_job(const cJSON *status)
{
    AUTOFREE char *line = cli_progress_text(cli_text_member(status, "progress"));

    if (cli_text_member(status, "job_id"))
        cli_text_fact("job", "%s, %s", cli_text_of(status, "job_id"), line);
}

static void show_blocks(const cJSON *status)
{
    const cJSON *tip = cli_text_member(status, "tip");
    const cJSON *checkpoint = cli_text_member(status, "checkpoint");
    char a[CLI_TEXT_SHORT], b[CLI_TEXT_SHORT];

    if (tip) {
        cli_text_fact("tip", "%s  %s", cli_text_count(tip, "height", a),
                      cli_text_of(tip, "block_hash"));
        cli_text_fact("work", "%s", cli_text_of(tip, "work"));
    }
    if (cli_text_member(status, "network_height"))
        cli_text_fact("network", "%s, %s behind",
                      cli_text_count(status, "network_height", a),
                      cli_text_count(status, "behind", b));
    if (checkpoint)
        cli_text_fact(
            "checkpoint", "%s  %s  (%s)", cli_text_count(checkpoint, "height", a),
            cli_text_of(checkpoint, "block_hash"), cli_text_of(checkpoint, "trust"));
}

enum cli_exit cli_status_run(struct cli *c)
{
    CLI_ANSWER a = {0};
    enum cli_exit rc = cli_call(c, "sync.status", NULL, &a);
    char text[CLI_TEXT_SHORT];
    const cJSON *incidents;

    if (rc != CLI_DONE || cli_json(c, &a))
        return rc;
    cli_text_fact("state", "%s", cli_text_of(a.result, "state"));
    if (cli_text_member(a.result, "waiting_for"))
        cli_text_fact("waiting for", "%s", cli_text_of(a.result, "waiting_for"));
    show_job(a.result);
    show_blocks(a.result);
    if (cli_text_member(a.result, "generation"))
        cli_text_fact("generation", "%s", cli_text_count(a.result, "generation", text));
    incidents = cli_text_member(a.result, "incidents");
    if (cJSON_IsNumber(incidents))
        cli_text_fact("incidents", "%s%s", cli_text_count(a.result, "incidents", text),
                      incidents->valuedouble > 0 ? " open; see cairn incidents" : "");
    cli_text_seconds(cJSON_GetNumberValue(cli_text_member(a.result, "uptime_seconds")),
                     text);
    cli_text_fact("up", "%s", text);
    return CLI_DONE;
}
