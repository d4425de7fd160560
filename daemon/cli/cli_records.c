#include <stdio.h>

#include "base/mem.h"
#include "daemon/cli/cli_commands.h"
#include "daemon/cli/cli_rules.h"
#include "daemon/cli/cli_table.h"
#include "daemon/cli/cli_text.h"

/* What the node remembers of others. */

static void put_rejection(struct cli_table *t, const cJSON *r)
{
    AUTOFREE char *failed = cli_rules_failed(cli_text_member(r, "rules"));
    char text[CLI_TEXT_SHORT];

    cli_table_put(t, cli_text_time(r, "at", text));
    cli_table_put(t, cli_text_count(r, "height", text));
    cli_table_put(t, cli_text_of(r, "reason"));
    cli_table_put(t, cli_text_of(r, "source"));
    cli_table_put(t, failed);
}

enum cli_exit cli_records_rejections(struct cli *c)
{
    static const char *const headers[] = {"AT",     ">HEIGHT",     "REASON",
                                          "SOURCE", "FAILED RULE", NULL};
    CLEANUP(cli_table_free) struct cli_table *t = NULL;
    CLI_ANSWER a = {0};
    cJSON *params = cJSON_CreateObject();
    enum cli_exit rc;
    const cJSON *r;

    if (c->values[CLI_OPT_REASON])
        cJSON_AddStringToObject(params, "reason", c->values[CLI_OPT_REASON]);
    rc = cli_limited(c, "rejections.list", params, &a);
    if (rc != CLI_DONE || cli_json(c, &a))
        return rc;
    t = cli_table_create(headers);
    cJSON_ArrayForEach (r, cli_text_member(a.result, "rejections"))
        put_rejection(t, r);
    cli_table_print(t, "nothing was refused");
    return CLI_DONE;
}

static void show_incident(const cJSON *i)
{
    AUTOFREE char *evidence = cJSON_PrintUnformatted(cli_text_member(i, "evidence"));
    char text[CLI_TEXT_SHORT];

    cli_text_fact("incident", "%s  %s", cli_text_count(i, "id", text),
                  cli_text_of(i, "kind"));
    cli_text_fact("opened", "%s", cli_text_time(i, "opened_at", text));
    cli_text_fact("resolved", "%s",
                  cli_text_member(i, "resolved_at")
                      ? cli_text_time(i, "resolved_at", text)
                      : "no");
    cli_text_fact("about", "%s", cli_text_of(i, "subject"));
    cli_text_fact("evidence", "%s", evidence ? evidence : "-");
    cli_text_fact("hint", "%s", cli_text_of(i, "hint"));
    (void)puts("");
}

enum cli_exit cli_records_incidents(struct cli *c)
{
    CLI_ANSWER a = {0};
    enum cli_exit rc = cli_limited(c, "incidents.list", cJSON_CreateObject(), &a);
    const cJSON *list, *i;

    if (rc != CLI_DONE || cli_json(c, &a))
        return rc;
    list = cli_text_member(a.result, "incidents");
    if (cJSON_GetArraySize(list) == 0)
        (void)puts("no incidents");
    cJSON_ArrayForEach (i, list)
        show_incident(i);
    return CLI_DONE;
}

static void put_peer(struct cli_table *t, const cJSON *p)
{
    AUTOFREE char *ban = NULL;
    char text[CLI_TEXT_SHORT];

    if (cli_text_member(p, "banned_until"))
        ban =
            xasprintf("banned until %s: %s: %s", cli_text_time(p, "banned_until", text),
                      cli_text_of(p, "ban_reason"), cli_text_of(p, "ban_evidence"));
    cli_table_put(t, cli_text_of(p, "address"));
    cli_table_put(t, cli_text_of(p, "network_group"));
    cli_table_put(t, ban                                          ? "banned"
                     : cJSON_IsTrue(cli_text_member(p, "usable")) ? "good"
                                                                  : "waits");
    cli_table_put(t, cli_text_count(p, "height", text));
    cli_table_put(t, cli_text_count(p, "score", text));
    cli_table_put(t, cli_text_count(p, "latency_ms", text));
    cli_table_put(t, cli_text_count(p, "faults", text));
    cli_table_put(t, ban ? ban : cli_text_of(p, "last_error"));
}

enum cli_exit cli_records_peers(struct cli *c)
{
    static const char *const headers[] = {
        "PEER", "NETWORK", "IS", ">HEIGHT", ">SCORE", ">MS", ">FAULTS", "NOTE", NULL};
    CLEANUP(cli_table_free) struct cli_table *t = NULL;
    CLI_ANSWER a = {0};
    enum cli_exit rc = cli_call(c, "peers.list", NULL, &a);
    const cJSON *p;

    if (rc != CLI_DONE || cli_json(c, &a))
        return rc;
    t = cli_table_create(headers);
    cJSON_ArrayForEach (p, cli_text_member(a.result, "peers"))
        put_peer(t, p);
    cli_table_print(t, "no peers are configured");
    return CLI_DONE;
}
