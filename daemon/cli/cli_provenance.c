#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "daemon/cli/cli_commands.h"
#include "daemon/cli/cli_rules.h"
#include "daemon/cli/cli_table.h"
#include "daemon/cli/cli_text.h"

#define HEIGHT_MAX 9007199254740991.0

static void show_checkpoint(const cJSON *k)
{
    char text[CLI_TEXT_SHORT];

    cli_text_fact("checkpoint", "%s  %s", cli_text_count(k, "height", text),
                  cli_text_of(k, "block_hash"));
    cli_text_fact("accepted", "%s, by %s", cli_text_time(k, "accepted_at", text),
                  cli_text_of(k, "job_id"));
    cli_text_fact("trust", "%s", cli_text_of(k, "trust"));
    cli_text_fact("source", "%s", cli_text_of(k, "source"));
    cli_text_fact("state root", "%s", cli_text_of(k, "state_root"));
    cli_text_fact("state hash", "%s", cli_text_of(k, "state_hash"));
    cli_text_fact("work", "%s", cli_text_of(k, "work"));
    cli_text_fact("generation", "%s", cli_text_count(k, "generation", text));
}

static void show_proof(const cJSON *doc)
{
    const cJSON *proof = cli_text_member(doc, "header_proof");
    const cJSON *state = cli_text_member(doc, "state");
    char a[CLI_TEXT_SHORT], b[CLI_TEXT_SHORT];

    if (proof)
        cli_text_fact("headers", "%s, %s to %s", cli_text_of(proof, "kind"),
                      cli_text_count(proof, "from", a), cli_text_count(proof, "to", b));
    if (state)
        cli_text_fact("coins", "%s, worth %s", cli_text_count(state, "coins", a),
                      cli_text_of(state, "total"));
}

static void show_signatures(const cJSON *doc)
{
    const cJSON *s;

    cJSON_ArrayForEach (s, cli_text_member(doc, "signatures"))
        cli_text_fact("signed by", "%s %s", cli_text_of(s, "alg"),
                      cli_text_of(s, "pubkey"));
}

static void show_votes(const cJSON *verdict)
{
    static const char *const headers[] = {"PEER", "NETWORK", "VOTE", NULL};
    CLEANUP(cli_table_free) struct cli_table *t = cli_table_create(headers);
    const cJSON *v;

    cJSON_ArrayForEach (v, cli_text_member(verdict, "votes")) {
        cli_table_put(t, cli_text_of(v, "peer"));
        cli_table_put(t, cli_text_of(v, "group"));
        cli_table_put(t, cJSON_IsTrue(cli_text_member(v, "agrees"))
                             ? "agrees"
                             : cli_text_of(v, "block_hash"));
    }
    cli_table_print(t, "no peer was asked");
}

enum cli_exit cli_provenance_run(struct cli *c)
{
    CLI_ANSWER a = {0};
    cJSON *params;
    const cJSON *doc, *verdict;
    enum cli_exit rc;
    double height;

    if (!cli_number(c, "HEIGHT", c->words[0], HEIGHT_MAX, &height))
        return CLI_USAGE;
    params = cJSON_CreateObject();
    cJSON_AddNumberToObject(params, "height", height);
    rc = cli_call(c, "checkpoint.provenance", params, &a);
    if (rc != CLI_DONE || cli_json(c, &a))
        return rc;
    doc = cli_text_member(a.result, "provenance");
    verdict = cli_text_member(doc, "verdict");
    show_checkpoint(a.result);
    show_proof(doc);
    show_signatures(doc);
    (void)puts("");
    cli_rules_show(cli_text_member(verdict, "rules"));
    (void)puts("");
    show_votes(verdict);
    return CLI_DONE;
}
