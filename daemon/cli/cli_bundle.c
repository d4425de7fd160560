#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "daemon/cli/cli_commands.h"
#include "daemon/cli/cli_headers.h"
#include "daemon/cli/cli_manifest.h"
#include "daemon/cli/cli_text.h"
#include "daemon/cli/cli_work.h"
#include "daemon/config/conf_place.h"
#include "sync/bundle/bundle.h"
#include "sync/bundle/bundle_headers.h"

/* --network, a name or a file as in the configuration; without it the network that the
   manifest names, if it is a built-in one. */
static enum cli_exit find_params(const struct cli *c, const struct manifest *m,
                                 struct chain_params *out)
{
    const char *name =
        c->values[CLI_OPT_NETWORK] ? c->values[CLI_OPT_NETWORK] : m->network;
    const struct chain_params *known = params_find(name);
    AUTOFREE char *text = NULL;
    struct err err;
    size_t len;

    if (known) {
        *out = *known;
        return CLI_DONE;
    }
    if (!c->values[CLI_OPT_NETWORK])
        return cli_usage(c,
                         "the snapshot is of network %s: give its parameters with "
                         "--network FILE",
                         m->network);
    if (conf_place_read(name, &text, &len, &err) || params_parse(text, len, out, &err))
        return cli_usage(c, "--network: %s", err.msg);
    return CLI_DONE;
}

static enum cli_exit print(const struct cli *c, const struct manifest *m,
                           const struct cli_manifest_keys *keys, const char *to,
                           bool ok)
{
    if (cli_is_json(c)) {
        cJSON *o = cli_manifest_json(m, keys->threshold > 0 ? keys : NULL);
        AUTOFREE char *text = NULL;

        cJSON_AddNumberToObject(o, "headers", (double)m->height + 1);
        if (to)
            cJSON_AddStringToObject(o, "path", to);
        cJSON_AddBoolToObject(o, "ok", ok);
        text = cJSON_PrintUnformatted(o);
        cJSON_Delete(o);
        (void)puts(text);
        return CLI_DONE;
    }
    cli_manifest_show(m);
    cli_text_fact("headers",
                  "%" PRIu64 " from genesis, all rules hold, work as claimed",
                  m->height + 1);
    cli_text_fact("body", "every frame, every coin, state root and total are right");
    cli_manifest_show_keys(keys);
    if (to)
        cli_text_fact("written to", "%s", to);
    return CLI_DONE;
}

/* --- create --- */

struct creation {
    struct bundle_source source;
    const char *path;
    _Atomic uint64_t done;
};

static enum errc create(void *arg, struct err *err)
{
    struct creation *k = arg;

    return bundle_write(&k->source, k->path, &k->done, err);
}

static enum cli_exit run_creation(const struct cli *c, const struct manifest *m,
                                  struct creation *k)
{
    struct cli_manifest_keys none = {.threshold = 0};
    struct chain_params params;
    enum cli_exit rc = find_params(c, m, &params);
    struct err err;

    if (rc != CLI_DONE)
        return rc;
    k->source.params = &params;
    if (cli_work_run(c,
                     &(struct cli_work){create, k, "bundling", &k->done,
                                        m->frames_bytes + m->height * 106},
                     &err))
        return cli_manifest_fault(k->path, &err);
    return print(c, m, &none, k->path, true);
}

static enum cli_exit create_from(const struct cli *c, const struct manifest *m,
                                 struct creation *k)
{
    const char *dir = c->values[CLI_OPT_DATA_DIR], *url = c->values[CLI_OPT_URL];
    CLEANUP(cli_headers_dir_close) struct cli_headers_dir *chain = NULL;
    CLEANUP(cli_headers_url_free) struct cli_headers_url *node = NULL;
    CLEANUP(bundle_headers_close) struct bundle_headers *kept = NULL;
    struct err err;

    if (dir) {
        if (cli_headers_dir_open(dir, &chain, &err))
            return cli_manifest_fault(dir, &err);
        k->source.headers = cli_headers_dir_get;
        k->source.arg = chain;
    } else if (url) {
        node = cli_headers_url_create(url);
        k->source.headers = cli_headers_url_get;
        k->source.arg = node;
    } else {
        if (bundle_headers_open(k->source.dir, &kept, &err))
            return cli_usage(c,
                             "the snapshot has no headers with it: give --data-dir or "
                             "--url");
        k->source.headers = bundle_headers_next;
        k->source.arg = kept;
    }
    return run_creation(c, m, k);
}

enum cli_exit cli_bundle_create(struct cli *c)
{
    struct creation k = {.source.dir = c->values[CLI_OPT_SNAPSHOT],
                         .path = c->values[CLI_OPT_OUT]};
    CLEANUP(manifest_free) struct manifest *m = NULL;
    enum cli_exit rc;

    if (!k.source.dir || !k.path)
        return cli_usage(c, "wants --snapshot DIR and --out FILE");
    if (c->values[CLI_OPT_DATA_DIR] && c->values[CLI_OPT_URL])
        return cli_usage(c, "--data-dir and --url exclude each other");
    rc = cli_manifest_read(k.source.dir, &m);
    return rc == CLI_DONE ? create_from(c, m, &k) : rc;
}

/* --- verify, import --- */

struct reading {
    struct bundle *bundle;
    const struct chain_params *params;
    const char *dir; /* NULL: not unpacked */
    _Atomic uint64_t done;
};

static enum errc read_all(void *arg, struct err *err)
{
    struct reading *r = arg;

    return bundle_read(r->bundle, r->params, r->dir, &r->done, err);
}

static enum cli_exit run_reading(const struct cli *c, struct reading *r,
                                 const struct cli_manifest_keys *keys, bool ok)
{
    const struct manifest *m = bundle_manifest(r->bundle);
    struct chain_params params;
    enum cli_exit rc = find_params(c, m, &params);
    struct err err;

    if (rc != CLI_DONE)
        return rc;
    r->params = &params;
    if (cli_work_run(c,
                     &(struct cli_work){read_all, r, r->dir ? "importing" : "verifying",
                                        &r->done, m->frames_bytes + m->height * 106},
                     &err))
        return cli_manifest_fault(r->dir ? r->dir : c->words[0], &err);
    return print(c, m, keys, r->dir, ok);
}

enum cli_exit cli_bundle_verify(struct cli *c)
{
    CLEANUP(bundle_close) struct bundle *b = NULL;
    struct cli_manifest_keys keys;
    struct reading r = {.dir = NULL};
    enum cli_exit rc, judged;
    struct err err;

    if (!cli_manifest_keys(c, &keys))
        return CLI_USAGE;
    if (bundle_open(c->words[0], &b, &err))
        return cli_manifest_fault(c->words[0], &err);
    r.bundle = b;
    judged = cli_manifest_judge(bundle_manifest(b), &keys);
    rc = run_reading(c, &r, &keys, judged == CLI_DONE);
    return rc == CLI_DONE ? judged : rc;
}

/* <data_dir>/snapshots/<id>, or --out: the caller's. */
static char *target_of(const struct cli *c, const struct manifest *m)
{
    const char *dir = c->values[CLI_OPT_DATA_DIR];
    AUTOFREE char *parent = NULL;
    char id[MANIFEST_ID];

    if (!dir)
        return xstrdup(c->values[CLI_OPT_OUT]);
    parent = xasprintf("%s/snapshots", dir);
    (void)mkdir(parent, 0700); /* what is wrong with it is seen at the first file */
    manifest_id(m, id);
    return xasprintf("%s/%s", parent, id);
}

enum cli_exit cli_bundle_import(struct cli *c)
{
    CLEANUP(bundle_close) struct bundle *b = NULL;
    AUTOFREE char *dir = NULL;
    struct cli_manifest_keys keys;
    struct reading r = {.dir = NULL};
    enum cli_exit rc;
    struct err err;

    if (!c->values[CLI_OPT_DATA_DIR] == !c->values[CLI_OPT_OUT])
        return cli_usage(c, "wants --data-dir DIR or --out DIR, one of them");
    if (!cli_manifest_keys(c, &keys))
        return CLI_USAGE;
    if (bundle_open(c->words[0], &b, &err))
        return cli_manifest_fault(c->words[0], &err);
    rc = cli_manifest_judge(bundle_manifest(b), &keys);
    if (rc != CLI_DONE) { /* nothing is unpacked that is not trusted */
        (void)fprintf(stderr, "cairn: %zu of the keys given signed it, %u have to\n",
                      keys.signed_count, keys.threshold);
        return rc;
    }
    dir = target_of(c, bundle_manifest(b));
    r.bundle = b;
    r.dir = dir;
    return run_reading(c, &r, &keys, true);
}
