#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "daemon/cli/cli_commands.h"
#include "rpc/jsontext.h"

/* Any method: printed as with --json. */
enum cli_exit cli_raw_call(struct cli *c)
{
    const char *text = c->word_count > 1 ? c->words[1] : "{}";
    CLI_ANSWER a = {0};
    cJSON *params;
    enum cli_exit rc;
    struct err err;

    if (jsontext_check(text, strlen(text), 64, &err) != ERR_OK)
        return cli_usage(c, "the parameters are no JSON: %s", err.msg);
    params = cJSON_Parse(text);
    if (!cJSON_IsObject(params)) {
        cJSON_Delete(params);
        return cli_usage(c,
                         "the parameters must be an object, such as {\"height\":200}");
    }
    c->values[CLI_OPT_JSON] = "";
    rc = cli_call(c, c->words[0], params, &a);
    if (rc == CLI_DONE)
        (void)cli_json(c, &a);
    return rc;
}
