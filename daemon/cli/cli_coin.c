#include "daemon/cli/cli_commands.h"
#include "daemon/cli/cli_text.h"

enum cli_exit cli_coin_run(struct cli *c)
{
    CLI_ANSWER a = {0};
    cJSON *params;
    enum cli_exit rc;
    double vout;
    char text[CLI_TEXT_SHORT];

    if (!cli_number(c, "VOUT", c->words[1], 4294967295.0, &vout))
        return CLI_USAGE;
    params = cJSON_CreateObject();
    cJSON_AddStringToObject(params, "txid", c->words[0]);
    cJSON_AddNumberToObject(params, "vout", vout);
    rc = cli_call(c, "chain.coin", params, &a);
    if (rc != CLI_DONE || cli_json(c, &a))
        return rc;
    cli_text_fact("coin", "%s:%s", cli_text_of(a.result, "txid"),
                  cli_text_count(a.result, "vout", text));
    if (!cJSON_IsTrue(cli_text_member(a.result, "unspent"))) {
        cli_text_fact("unspent", "no: spent, or never made");
        return CLI_DONE;
    }
    cli_text_fact("unspent", "yes");
    cli_text_fact("amount", "%s", cli_text_of(a.result, "amount"));
    cli_text_fact("address", "%s", cli_text_of(a.result, "address"));
    cli_text_fact("script", "%s", cli_text_of(a.result, "script_pubkey"));
    if (cJSON_IsTrue(cli_text_member(a.result, "base")))
        cli_text_fact("made", "at or below the checkpoint");
    else
        cli_text_fact("made", "in block %s", cli_text_count(a.result, "height", text));
    return CLI_DONE;
}
