#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "daemon/cli/cli_commands.h"
#include "daemon/cli/cli_manifest.h"
#include "daemon/cli/cli_table.h"
#include "daemon/cli/cli_text.h"
#include "daemon/cli/cli_watch.h"

/* Snapshots that the daemon has; what needs none of it is in cli_snapshot_*.c. */

#define HEIGHT_MAX 9007199254740991.0

static enum cli_exit watch(struct cli *c, const char *method, cJSON *params)
{
    CLI_ANSWER a = {0};
    enum cli_exit rc = cli_call(c, method, params, &a);

    return rc == CLI_DONE ? cli_watch_job(c, cli_text_of(a.result, "job_id")) : rc;
}

static cJSON *named(const struct cli *c)
{
    cJSON *params = cJSON_CreateObject();

    cJSON_AddStringToObject(params, "id", c->words[0]);
    if (c->values[CLI_OPT_REASON])
        cJSON_AddStringToObject(params, "reason", c->values[CLI_OPT_REASON]);
    return params;
}

enum cli_exit cli_snapshot_create(struct cli *c)
{
    const char *height = c->values[CLI_OPT_HEIGHT];
    const char *hash = c->values[CLI_OPT_BLOCK_HASH];
    cJSON *params;
    double n = 0;

    if (height && !cli_number(c, "--height", height, HEIGHT_MAX, &n))
        return CLI_USAGE;
    params = cJSON_CreateObject();
    if (height)
        cJSON_AddNumberToObject(params, "height", n);
    if (hash)
        cJSON_AddStringToObject(params, "block_hash", hash);
    return watch(c, "snapshot.create", params);
}

enum cli_exit cli_snapshot_check(struct cli *c)
{
    return watch(c, "snapshot.verify", named(c));
}

static void put_item(struct cli_table *t, const cJSON *item)
{
    const cJSON *withdrawn = cli_text_member(item, "withdrawn");
    char text[CLI_TEXT_SHORT];

    cli_table_put(t, cli_text_of(item, "id"));
    cli_table_put(t, cli_text_count(item, "coin_count", text));
    cli_text_bytes(cJSON_GetNumberValue(cli_text_member(item, "frames_bytes")), text);
    cli_table_put(t, text);
    cli_table_put(t, cli_text_count(item, "signatures", text));
    cli_table_put(t, cli_text_time(item, "made_at", text));
    cli_table_put(t, withdrawn ? cli_text_of(withdrawn, "reason") : "-");
}

enum cli_exit cli_snapshot_list(struct cli *c)
{
    static const char *const headers[] = {"SNAPSHOT", ">COINS",    ">SIZE", ">SIGNED",
                                          "MADE",     "WITHDRAWN", NULL};
    CLEANUP(cli_table_free) struct cli_table *t = NULL;
    CLI_ANSWER a = {0};
    enum cli_exit rc = cli_call(c, "snapshot.list", NULL, &a);
    const cJSON *item;

    if (rc != CLI_DONE || cli_json(c, &a))
        return rc;
    t = cli_table_create(headers);
    cJSON_ArrayForEach (item, cli_text_member(a.result, "snapshots"))
        put_item(t, item);
    cli_table_print(t, "no snapshots yet; cairn snapshot create makes one");
    return CLI_DONE;
}

enum cli_exit cli_snapshot_get(struct cli *c)
{
    CLI_ANSWER a = {0};
    enum cli_exit rc = cli_call(c, "snapshot.get", named(c), &a);
    const cJSON *withdrawn;
    char text[CLI_TEXT_SHORT];

    if (rc != CLI_DONE || cli_json(c, &a))
        return rc;
    cli_text_fact("snapshot", "%s", cli_text_of(a.result, "id"));
    cli_text_fact("block", "%s", cli_text_of(a.result, "block_hash"));
    cli_text_fact("state root", "%s", cli_text_of(a.result, "state_root"));
    cli_text_fact("to sign", "%s", cli_text_of(a.result, "digest"));
    cli_text_fact("coins", "%s", cli_text_count(a.result, "coin_count", text));
    cli_text_fact("signatures", "%s", cli_text_count(a.result, "signatures", text));
    cli_text_fact("made", "%s", cli_text_time(a.result, "made_at", text));
    cli_text_fact("directory", "%s", cli_text_of(a.result, "path"));
    withdrawn = cli_text_member(a.result, "withdrawn");
    if (withdrawn)
        cli_text_fact("withdrawn", "%s", cli_text_of(withdrawn, "reason"));
    return CLI_DONE;
}

/* The signed manifest says itself which snapshot it is of. */
enum cli_exit cli_snapshot_submit(struct cli *c)
{
    CLEANUP(manifest_free) struct manifest *m = NULL;
    CLEANUP_BUF struct buf text = BUF(MANIFEST_MAX);
    CLI_ANSWER a = {0};
    cJSON *params;
    char id[MANIFEST_ID];
    enum cli_exit rc = cli_manifest_read(c->words[0], &m);

    if (rc != CLI_DONE)
        return rc;
    manifest_id(m, id);
    manifest_write(m, &text);
    params = cJSON_CreateObject();
    cJSON_AddStringToObject(params, "id", id);
    cJSON_AddRawToObject(params, "manifest", text.data);
    rc = cli_call(c, "snapshot.merge", params, &a);
    if (rc == CLI_DONE && !cli_json(c, &a)) {
        char added[CLI_TEXT_SHORT], trusted[CLI_TEXT_SHORT], wanted[CLI_TEXT_SHORT];

        cli_text_fact("snapshot", "%s", id);
        cli_text_fact("signatures",
                      "%s new; %s of this node's trusted keys, %s asked for",
                      cli_text_count(a.result, "added", added),
                      cli_text_count(a.result, "trusted", trusted),
                      cli_text_count(a.result, "threshold", wanted));
    }
    return rc;
}

enum cli_exit cli_snapshot_withdraw(struct cli *c)
{
    CLI_ANSWER a = {0};
    const cJSON *to_sign;
    enum cli_exit rc;

    if (!c->values[CLI_OPT_REASON])
        return cli_usage(c, "--reason: say why");
    rc = cli_call(c, "snapshot.withdraw", named(c), &a);
    if (rc != CLI_DONE || cli_json(c, &a))
        return rc;
    cli_text_fact("withdrawn", "%s", cli_text_of(a.result, "id"));
    to_sign = cli_text_member(a.result, "to_sign");
    if (to_sign)
        cli_text_fact("to sign",
                      "%s: no key of this node counts; --json has the "
                      "document",
                      cli_text_of(to_sign, "digest"));
    else
        cli_text_fact("revocation", "signed by this node; peers are told");
    return CLI_DONE;
}

enum cli_exit cli_snapshot_delete(struct cli *c)
{
    CLI_ANSWER a = {0};
    enum cli_exit rc = cli_call(c, "snapshot.delete", named(c), &a);

    if (rc == CLI_DONE && !cli_json(c, &a))
        cli_text_fact("deleted", "%s", cli_text_of(a.result, "id"));
    return rc;
}
