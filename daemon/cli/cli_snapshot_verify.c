#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "daemon/cli/cli_commands.h"
#include "daemon/cli/cli_manifest.h"
#include "daemon/cli/cli_text.h"
#include "daemon/cli/cli_work.h"
#include "sync/snapshot/snapdir.h"

struct check {
    struct manifest *manifest;
    bool body; /* a directory: its table and frames were verified too */
    struct cli_manifest_keys keys;
};

static bool is_directory(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

struct body {
    struct snapdir *dir;
    _Atomic uint64_t done;
};

static enum errc verify(void *arg, struct err *err)
{
    struct body *b = arg;

    return snapdir_verify(b->dir, NULL, &b->done, err);
}

static enum cli_exit check_body(const struct cli *c, const char *path)
{
    CLEANUP(snapdir_close) struct snapdir *dir = NULL;
    struct body b = {.dir = NULL};
    struct err err;

    if (snapdir_open(path, &dir, &err))
        return cli_manifest_fault(path, &err);
    b.dir = dir;
    if (cli_work_run(c,
                     &(struct cli_work){verify, &b, "verifying", &b.done,
                                        snapdir_manifest(dir)->bytes},
                     &err))
        return cli_manifest_fault(path, &err);
    return CLI_DONE;
}

static void print(const struct cli *c, const struct check *k, bool ok)
{
    if (cli_is_json(c)) {
        cJSON *o =
            cli_manifest_json(k->manifest, k->keys.threshold > 0 ? &k->keys : NULL);
        AUTOFREE char *text = NULL;

        cJSON_AddBoolToObject(o, "body", k->body);
        cJSON_AddBoolToObject(o, "ok", ok);
        text = cJSON_PrintUnformatted(o);
        cJSON_Delete(o);
        (void)puts(text);
        return;
    }
    cli_manifest_show(k->manifest);
    cli_text_fact("body", "%s",
                  k->body ? "every frame, every coin, state root and total are right"
                          : "not looked at: this is the manifest alone");
    cli_manifest_show_keys(&k->keys);
}

enum cli_exit cli_snapshot_verify(struct cli *c)
{
    const char *path = c->words[0];
    struct check k = {.body = is_directory(path)};
    enum cli_exit rc;

    if (!cli_manifest_keys(c, &k.keys))
        return CLI_USAGE;
    rc = cli_manifest_read(path, &k.manifest);
    if (rc == CLI_DONE && k.body)
        rc = check_body(c, path);
    if (rc == CLI_DONE) {
        rc = cli_manifest_judge(k.manifest, &k.keys);
        print(c, &k, rc == CLI_DONE);
    }
    manifest_free(k.manifest);
    return rc;
}
