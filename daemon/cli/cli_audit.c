#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "daemon/cli/cli_commands.h"
#include "daemon/cli/cli_ndjson.h"
#include "daemon/cli/cli_text.h"
#include "rpc/jsonpart.h"

enum { PAGE = 200 };

static enum cli_exit verify_online(struct cli *c)
{
    CLI_ANSWER a = {0};
    enum cli_exit rc = cli_call(c, "audit.verify", NULL, &a);
    char entries[CLI_TEXT_SHORT], bad[CLI_TEXT_SHORT];
    bool ok;

    if (rc != CLI_DONE)
        return rc;
    ok = cJSON_IsTrue(cli_text_member(a.result, "ok"));
    (void)cli_text_count(a.result, "entries", entries);
    if (cli_json(c, &a))
        return ok ? CLI_DONE : CLI_FAILED;
    if (ok) {
        cli_text_fact("audit log", "whole: %s entries", entries);
        cli_text_fact("head", "%s", cli_text_of(a.result, "head"));
        return CLI_DONE;
    }
    cli_text_fact("audit log", "DAMAGED at entry %s: %s; %s entries",
                  cli_text_count(a.result, "first_bad", bad),
                  cli_text_of(a.result, "what"), entries);
    return CLI_FAILED;
}

static void print_check(const struct cli *c, const struct cli_ndjson_check *k)
{
    char head[65];

    hex_encode(k->head, 32, head);
    if (cli_is_json(c)) {
        cJSON *o = cJSON_CreateObject();
        AUTOFREE char *text = NULL;

        cJSON_AddBoolToObject(o, "ok", k->ok);
        cJSON_AddNumberToObject(o, "entries", (double)k->entries);
        cJSON_AddStringToObject(o, "head", head);
        if (k->ok)
            cJSON_AddNullToObject(o, "first_bad");
        else
            cJSON_AddNumberToObject(o, "first_bad", (double)k->first_bad);
        cJSON_AddItemToObject(o, "what",
                              k->ok ? cJSON_CreateNull() : cJSON_CreateString(k->what));
        text = cJSON_PrintUnformatted(o);
        cJSON_Delete(o);
        (void)puts(text);
        return;
    }
    if (k->ok)
        cli_text_fact("export", "whole: %lld entries", (long long)k->entries);
    else
        cli_text_fact("export", "DAMAGED at entry %lld: %s; %lld entries",
                      (long long)k->first_bad, k->what, (long long)k->entries);
    cli_text_fact("head", "%s", head);
    if (k->ok && !c->values[CLI_OPT_HEAD])
        cli_text_fact("note", "without --head an end that was cut off cannot be seen");
}

static enum cli_exit verify_file(struct cli *c, const char *path)
{
    const char *want = c->values[CLI_OPT_HEAD];
    struct cli_ndjson_check check;
    uint8_t head[32];
    struct err err;
    enum errc rc;
    FILE *f;

    if (want && !hex_hash(want, head))
        return cli_usage(c, "--head wants 64 lower-case hex digits");
    f = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    if (!f)
        return cli_usage(c, "%s: %s", path, strerrordesc_np(errno));
    rc = cli_ndjson_verify(f, want ? head : NULL, &check, &err);
    if (f != stdin)
        (void)fclose(f); /* only read */
    if (rc != ERR_OK) {
        (void)fprintf(stderr, "cairn: %s: %s\n", path, err.msg);
        return CLI_FAILED;
    }
    print_check(c, &check);
    return check.ok ? CLI_DONE : CLI_FAILED;
}

enum cli_exit cli_audit_verify(struct cli *c)
{
    if (c->word_count > 0)
        return verify_file(c, c->words[0]);
    if (c->values[CLI_OPT_HEAD])
        return cli_usage(c, "--head goes with a FILE; the daemon keeps its own head");
    return verify_online(c);
}

/* Entries as they were spelled: their bodies are hashed. */
enum cli_exit cli_audit_export(struct cli *c)
{
    double after = 0;

    for (;;) {
        CLI_ANSWER a = {0};
        cJSON *params = cJSON_CreateObject();
        struct span list, entry = {0};
        const cJSON *next;
        enum cli_exit rc;

        cJSON_AddNumberToObject(params, "after", after);
        cJSON_AddNumberToObject(params, "limit", PAGE);
        rc = cli_call(c, "audit.list", params, &a);
        if (rc != CLI_DONE)
            return rc;
        if (jsonpart_member(a.raw, "entries", &list))
            while (jsonpart_next(list, &entry))
                (void)printf("%.*s\n", (int)entry.len, entry.at);
        next = cli_text_member(a.result, "next");
        if (!cJSON_IsNumber(next) || next->valuedouble <= after)
            return CLI_DONE;
        after = next->valuedouble;
    }
}
