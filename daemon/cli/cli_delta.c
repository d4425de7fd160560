#include <stdio.h>

#include "base/mem.h"
#include "daemon/cli/cli_commands.h"
#include "daemon/cli/cli_manifest.h"
#include "daemon/cli/cli_text.h"
#include "daemon/cli/cli_work.h"
#include "sync/snapshot/delta.h"
#include "sync/snapshot/snapdir.h"

/* snapshot delta and snapshot apply: without a daemon. */

struct job {
    const char *from, *to, *out; /* apply: to is the delta */
    _Atomic uint64_t done;
    struct delta_info info;
    struct manifest *made;
};

static enum errc make(void *arg, struct err *err)
{
    struct job *j = arg;
    const struct delta_watch watch = {.done = &j->done};

    return delta_make(j->from, j->to, j->out, &watch, &j->info, err);
}

static enum errc apply(void *arg, struct err *err)
{
    struct job *j = arg;
    const struct delta_watch watch = {.done = &j->done};

    return delta_apply(j->from, j->to, j->out, &watch, &j->made, err);
}

/* Bytes of coins in the snapshot there; 0: it cannot be told. */
static uint64_t bytes_of(const char *dir)
{
    AUTOFREE char *path = xasprintf("%s/" SNAPDIR_MANIFEST, dir);
    CLEANUP(manifest_free) struct manifest *m = NULL;
    struct err err;

    return manifest_read(path, &m, &err) ? 0 : m->bytes;
}

enum cli_exit cli_delta_make(struct cli *c)
{
    struct job j = {
        .from = c->words[0], .to = c->words[1], .out = c->values[CLI_OPT_OUT]};
    struct err err;

    if (!j.out)
        return cli_usage(c, "wants --out FILE");
    if (cli_work_run(c,
                     &(struct cli_work){make, &j, "comparing", &j.done,
                                        bytes_of(j.from) + bytes_of(j.to)},
                     &err))
        return cli_manifest_fault(j.out, &err);
    if (cli_is_json(c)) {
        (void)printf("{\"added\":%ju,\"bytes\":%ju,\"removed\":%ju}\n",
                     (uintmax_t)j.info.added, (uintmax_t)j.info.bytes,
                     (uintmax_t)j.info.removed);
        return CLI_DONE;
    }
    cli_text_fact("delta", "%s, %ju bytes", j.out, (uintmax_t)j.info.bytes);
    cli_text_fact("coins", "%ju go, %ju come", (uintmax_t)j.info.removed,
                  (uintmax_t)j.info.added);
    return CLI_DONE;
}

enum cli_exit cli_delta_apply(struct cli *c)
{
    struct job j = {
        .from = c->words[0], .to = c->words[1], .out = c->values[CLI_OPT_OUT]};
    char id[MANIFEST_ID];
    struct err err;

    if (!j.out)
        return cli_usage(c, "wants --out DIR");
    if (cli_work_run(
            c, &(struct cli_work){apply, &j, "applying", &j.done, bytes_of(j.from)},
            &err))
        return cli_manifest_fault(j.to, &err);
    manifest_id(j.made, id);
    manifest_free(j.made);
    if (cli_is_json(c))
        (void)printf("{\"id\":\"%s\"}\n", id);
    else
        cli_text_fact("snapshot",
                      "%s/%s: its state root is right; who signed it, "
                      "snapshot verify says",
                      j.out, id);
    return CLI_DONE;
}
