#include "daemon/cli/cli_commands.h"
#include "daemon/cli/cli_table.h"
#include "daemon/cli/cli_text.h"

static void put_checkpoint(struct cli_table *t, const cJSON *k)
{
    char text[CLI_TEXT_SHORT];

    cli_table_put(t, cli_text_count(k, "height", text));
    cli_table_put(t, cli_text_of(k, "block_hash"));
    cli_table_put(t, cli_text_of(k, "trust"));
    cli_table_put(t, cli_text_count(k, "generation", text));
    cli_table_put(t, cli_text_time(k, "accepted_at", text));
    cli_table_put(t, cli_text_of(k, "source"));
}

enum cli_exit cli_checkpoints_list(struct cli *c)
{
    static const char *const headers[] = {">HEIGHT",  "BLOCK",  "TRUST", ">GENERATION",
                                          "ACCEPTED", "SOURCE", NULL};
    CLEANUP(cli_table_free) struct cli_table *t = NULL;
    CLI_ANSWER a = {0};
    enum cli_exit rc = cli_limited(c, "checkpoint.list", cJSON_CreateObject(), &a);
    const cJSON *k;

    if (rc != CLI_DONE || cli_json(c, &a))
        return rc;
    t = cli_table_create(headers);
    cJSON_ArrayForEach (k, cli_text_member(a.result, "checkpoints"))
        put_checkpoint(t, k);
    cli_table_print(t, "no checkpoint was accepted yet");
    return CLI_DONE;
}
