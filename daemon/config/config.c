#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "daemon/config/conf_env.h"
#include "daemon/config/conf_hold.h"
#include "daemon/config/conf_key.h"
#include "daemon/config/conf_p2p.h"
#include "daemon/config/conf_place.h"
#include "daemon/config/conf_publish.h"
#include "daemon/config/conf_tree.h"
#include "daemon/config/config.h"

static const char *const no_texts[] = {NULL};

void config_free(struct config *c)
{
    if (!c)
        return;
    conf_hold_free(c);
    free(c);
}

static struct config *create(void)
{
    struct config *c = xcalloc(1, sizeof(*c));

    conf_key_defaults(c);
    c->log_level = LOG_LVL_INFO;
    c->params = *params_find("testnet");
    c->rpc.listen = "127.0.0.1:8645";
    c->public.listen = "";
    c->engine.peers = c->engine.allow_networks = c->engine.allow_paths = no_texts;
    c->engine.dns_seeds = c->engine.mirrors = no_texts;
    c->engine.p2p_listen = c->engine.asn_database = "";
    c->engine.checkpoint_url = c->engine.public_url = c->engine.file_key = "";
    c->engine.publish.endpoint = c->engine.publish.bucket = "";
    c->engine.publish.prefix = c->engine.publish.credentials_file = "";
    c->engine.publish.region = "us-east-1";
    c->engine.policy.header_proof_full = true;
    return c;
}

/* "name:12: checkpoint.quorum: what" */
static enum errc located(const char *name, size_t line, const char *path,
                         struct err *err)
{
    const struct err cause = *err;

    return err_set(err, ERR_INVALID, "%.50s:%zu: %.50s: %.120s", name, line, path,
                   cause.msg);
}

static enum errc unknown(const char *path, struct err *err)
{
    char near[CONF_KEY_TEXT];

    conf_key_nearest(path, near);
    if (near[0] == '\0')
        return err_set(err, ERR_INVALID, "unknown key");
    return err_set(err, ERR_INVALID, "unknown key; did you mean %s?", near);
}

static enum errc set_value(struct config *c, const char *name, const char *path,
                           const struct conf_node *n, struct err *err)
{
    const struct conf_key *key = conf_key_find(path);
    const struct conf_node *at = n;

    if (!key) {
        (void)unknown(path, err);
    } else if (!key->set) {
        (void)err_set(err, ERR_INVALID, "wants keys below it");
    } else if (key->set(c, key, &at, err) == ERR_OK) {
        AUTOFREE char *origin = xasprintf("%s:%zu", name, n->line);

        conf_key_note(c, key, conf_hold_text(c, origin));
        return ERR_OK;
    }
    return located(name, at->line, path, err);
}

static bool is_section(const char *path)
{
    const struct conf_key *key = conf_key_find(path);

    return key && !key->set;
}

static enum errc set_section(struct config *c, const char *name,
                             const struct conf_node *section, struct err *err)
{
    for (const struct conf_node *n = section->first; n; n = n->next) {
        AUTOFREE char *path = xasprintf("%s.%s", section->key, n->key);

        if (set_value(c, name, path, n, err) != ERR_OK)
            return err->code;
    }
    return ERR_OK;
}

static enum errc set_all(struct config *c, const char *name,
                         const struct conf_node *root, struct err *err)
{
    enum errc rc;

    for (const struct conf_node *n = root->first; n; n = n->next) {
        if (strchr(n->key, '.')) { /* a path is how we name it, not how it is written */
            (void)err_set(err, ERR_INVALID, "unknown key; nest it under its section");
            return located(name, n->line, n->key, err);
        }
        if (is_section(n->key) && (n->kind == CONF_MAP || conf_tree_is_null(n)))
            rc = set_section(c, name, n, err);
        else
            rc = set_value(c, name, n->key, n, err);
        if (rc != ERR_OK)
            return rc;
    }
    return ERR_OK;
}

static enum errc set_file(struct config *c, const char *file, struct err *err)
{
    CLEANUP(conf_tree_free) struct conf_node *root = NULL;
    AUTOFREE char *text = NULL;
    const char *slash, *name;
    size_t len;

    if (!file)
        return ERR_OK;
    slash = strrchr(file, '/');
    name = slash ? slash + 1 : file;
    if (conf_place_read(file, &text, &len, err) != ERR_OK ||
        conf_tree_parse(name, text, len, &root, err) != ERR_OK)
        return err->code;
    return set_all(c, name, root, err);
}

static enum errc set_flag(struct config *c, const char *flag, const char *path,
                          const char *value, struct err *err)
{
    char *text = value ? conf_hold_text(c, value) : NULL;
    const struct conf_node n = {.kind = CONF_TEXT, .text = text};
    const struct conf_node *at = &n;
    const struct conf_key *key = conf_key_find(path);

    if (!value)
        return ERR_OK;
    if (key->set(c, key, &at, err) != ERR_OK)
        return err_wrap(err, "%s", flag);
    conf_key_note(c, key, flag);
    return ERR_OK;
}

static enum errc set_flags(struct config *c, const struct config_flags *flags,
                           struct err *err)
{
    if (set_flag(c, "--data-dir", "data_dir", flags->data_dir, err) != ERR_OK ||
        set_flag(c, "--rpc-listen", "rpc.listen", flags->rpc_listen, err) != ERR_OK)
        return err->code;
    return set_flag(c, "--log-level", "log.level", flags->log_level, err);
}

/* What no key says alone. */
static enum errc check_whole(const struct config *c, struct err *err)
{
    const struct trust_policy *p = &c->engine.policy;

    if (!c->data_dir)
        return err_set(err, ERR_INVALID, "data_dir is not set; give it or --data-dir");
    if (c->engine.force_at_start && c->engine.checkpoint_url[0] == '\0')
        return err_set(err, ERR_INVALID,
                       "checkpoint.force_at_start needs checkpoint.url");
    if (c->engine.checkpoint_url[0] != '\0' && p->threshold > p->key_count)
        return err_set(
            err, ERR_INVALID,
            "checkpoint.threshold is %u and checkpoint.trusted_pubkeys has %zu "
            "keys: nothing from checkpoint.url could ever be accepted",
            p->threshold, p->key_count);
    if (conf_publish_check(c, err) != ERR_OK)
        return err->code;
    return conf_p2p_check(c, err);
}

static void wire(struct config *c)
{
    AUTOFREE char *text = NULL;

    c->engine.params = &c->params;
    c->engine.data_dir = c->data_dir;
    c->rpc.params = &c->params;
    c->rpc.data_dir = c->data_dir;
    c->public.params = &c->params;
    c->public.data_dir = c->data_dir;
    c->engine.keep_snapshots = c->public.listen[0] != '\0' && c->public.serve_snapshots;
    c->engine.keep_payload = c->public.listen[0] != '\0' ||
                             (c->engine.p2p_enabled && c->engine.p2p_listen[0] != '\0');
    text = config_text(c);
    c->rpc.config_json = conf_hold_text(c, text);
}

enum errc config_load(const struct config_flags *flags, struct config **out,
                      struct err *err)
{
    CLEANUP(config_free) struct config *c = create();

    if (set_file(c, flags->file, err) != ERR_OK ||
        conf_env_set(c, flags->environment, err) != ERR_OK ||
        set_flags(c, flags, err) != ERR_OK || check_whole(c, err) != ERR_OK)
        return err->code;
    wire(c);
    *out = TAKE(c);
    return ERR_OK;
}
