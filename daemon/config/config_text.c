#include <cjson/cJSON.h>
#include <stdlib.h>

#include "daemon/config/conf_key.h"
#include "daemon/config/conf_place.h"
#include "daemon/config/config.h"

/* Out of memory is the only way these fail. */
static cJSON *add(cJSON *to, const char *key, cJSON *value)
{
    if (!value || !cJSON_AddItemToObject(to, key, value))
        abort();
    return value;
}

static cJSON *section(cJSON *to, const char *key)
{
    return add(to, key, cJSON_CreateObject());
}

static void add_text(cJSON *to, const char *key, const char *value)
{
    (void)add(to, key, cJSON_CreateString(value));
}

static void add_number(cJSON *to, const char *key, uint64_t value)
{
    (void)add(to, key, cJSON_CreateNumber((double)value)); /* all are under 2^53 */
}

static void add_list(cJSON *to, const char *key, const char *const *texts)
{
    cJSON *list = add(to, key, cJSON_CreateArray());

    for (; *texts; texts++)
        if (!cJSON_AddItemToArray(list, cJSON_CreateString(*texts)))
            abort();
}

/* Names and roles; the hashes are nobody's business. */
static void add_tokens(cJSON *to, const struct rpc_config *rpc)
{
    cJSON *list = add(to, "tokens", cJSON_CreateArray());

    for (size_t i = 0; i < rpc->token_count; i++) {
        cJSON *o = cJSON_CreateObject();

        add_text(o, "name", rpc->tokens[i].name);
        add_text(o, "role", rpc->tokens[i].role == RPC_ROLE_ADMIN ? "admin" : "read");
        if (!cJSON_AddItemToArray(list, o))
            abort();
    }
}

static void add_bool(cJSON *to, const char *key, bool value)
{
    (void)add(to, key, cJSON_CreateBool(value));
}

static void add_checkpoint(cJSON *doc, const struct engine_config *e)
{
    cJSON *part = add(doc, "checkpoint", trust_policy_json(&e->policy));

    add_text(part, "url", e->checkpoint_url);
    add_list(part, "mirrors", e->mirrors);
    add_number(part, "request_rate_seconds", e->request_rate_seconds);
    add_number(part, "fallback_genesis_seconds", e->fallback_genesis_seconds);
    add_bool(part, "bootstrap_at_start", e->bootstrap_at_start);
    add_bool(part, "force_at_start", e->force_at_start);
    add_text(part, "file_key", e->file_key);
}

static void add_publish(cJSON *doc, const struct engine_publish *p)
{
    cJSON *part = section(doc, "publish");

    add_text(part, "endpoint", p->endpoint);
    add_text(part, "region", p->region);
    add_text(part, "bucket", p->bucket);
    add_text(part, "prefix", p->prefix);
    add_text(part, "credentials_file", p->credentials_file);
    add_bool(part, "path_style", p->path_style);
    add_bool(part, "auto", p->automatic);
    add_number(part, "stall_seconds", p->stall_seconds);
    add_number(part, "watch_seconds", p->watch_seconds);
}

static void add_origins(cJSON *doc, const struct config *c)
{
    cJSON *part = section(doc, "origins");

    for (const struct conf_key *k = conf_key_next(NULL); k; k = conf_key_next(k))
        if (!k->off)
            add_text(part, k->path, conf_key_origin(c, k));
}

char *config_text(const struct config *c)
{
    cJSON *doc = cJSON_CreateObject(), *part;
    char *text;

    add_text(doc, "network", c->params.network);
    add_text(doc, "data_dir", c->data_dir);
    part = section(doc, "log");
    add_text(part, "level", conf_place_levels[c->log_level]);
    add_text(part, "format", "logfmt");
    part = section(doc, "rpc");
    add_text(part, "listen", c->rpc.listen);
    add_tokens(part, &c->rpc);
    add_list(doc, "peers", c->engine.peers);
    part = section(doc, "public");
    add_text(part, "listen", c->public.listen);
    add_text(part, "url", c->engine.public_url);
    add_number(part, "requests_per_second", c->public.requests_per_second);
    add_number(part, "bytes_per_second", c->public.bytes_per_second);
    part = section(doc, "p2p");
    add_bool(part, "enabled", c->engine.p2p_enabled);
    add_text(part, "listen", c->engine.p2p_listen);
    add_number(part, "outbound", c->engine.p2p_outbound);
    add_text(part, "asn_database", c->engine.asn_database);
    add_list(part, "dns_seeds", c->engine.dns_seeds);
    add_checkpoint(doc, &c->engine);
    part = section(doc, "transfer");
    add_number(part, "min_speed", c->engine.transfer_min_speed);
    add_number(part, "max_bytes", c->engine.transfer_max_bytes);
    add_number(part, "connections", c->engine.transfer_connections);
    add_number(part, "bandwidth", c->engine.transfer_bandwidth);
    add_list(part, "allow_networks", c->engine.allow_networks);
    add_list(part, "allow_paths", c->engine.allow_paths);
    part = section(doc, "follow");
    add_number(part, "poll_seconds", c->engine.poll_seconds);
    add_number(part, "ready_max_behind", c->engine.ready_max_behind);
    add_publish(doc, &c->engine.publish);
    add_origins(doc, c);
    text = cJSON_Print(doc);
    cJSON_Delete(doc);
    if (!text)
        abort();
    return text;
}
