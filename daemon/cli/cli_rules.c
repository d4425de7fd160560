#include <string.h>

#include "base/mem.h"
#include "daemon/cli/cli_rules.h"
#include "daemon/cli/cli_table.h"
#include "daemon/cli/cli_text.h"

void cli_rules_show(const cJSON *rules)
{
    static const char *const headers[] = {"RULE",   "RESULT", "SAW",
                                          "WANTED", "DETAIL", NULL};
    CLEANUP(cli_table_free) struct cli_table *t = cli_table_create(headers);
    const cJSON *rule;

    cJSON_ArrayForEach (rule, rules) {
        const char *result = cli_text_of(rule, "result");

        cli_table_put(t, cli_text_of(rule, "rule"));
        cli_table_put(t, strcmp(result, "fail") == 0             ? "FAIL"
                         : strcmp(result, "not_applicable") == 0 ? "n/a"
                                                                 : result);
        cli_table_put(t, cli_text_of(rule, "saw"));
        cli_table_put(t, cli_text_of(rule, "wanted"));
        cli_table_put(t, cli_text_of(rule, "detail"));
    }
    cli_table_print(t, "no rules");
}

char *cli_rules_failed(const cJSON *rules)
{
    const cJSON *rule;

    cJSON_ArrayForEach (rule, rules) {
        const char *detail = cli_text_of(rule, "detail");

        if (strcmp(cli_text_of(rule, "result"), "fail") == 0)
            return xasprintf("%s: saw %s, wanted %s%s%s", cli_text_of(rule, "rule"),
                             cli_text_of(rule, "saw"), cli_text_of(rule, "wanted"),
                             detail[0] != '\0' ? "; " : "", detail);
    }
    return xstrdup("-");
}
