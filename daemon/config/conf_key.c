#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "daemon/config/conf_hold.h"
#include "daemon/config/conf_key.h"
#include "daemon/config/conf_list.h"
#include "daemon/config/conf_p2p.h"
#include "daemon/config/conf_place.h"
#include "daemon/config/conf_publish.h"
#include "daemon/config/conf_scalar.h"
#include "daemon/config/conf_token.h"
#include "daemon/config/conf_trust.h"
#include "sync/peer/peers.h"

#define SECTION(name)  \
    {                  \
        .path = (name) \
    }
#define VALUE(name, fn)             \
    {                               \
        .path = (name), .set = (fn) \
    }
#define LIST(name, fn, most)                       \
    {                                              \
        .path = (name), .set = (fn), .max = (most) \
    }
#define NUMBER(name, fn, field, from, to, by_default)                          \
    {                                                                          \
        .path = (name), .set = (fn), .offset = offsetof(struct config, field), \
        .min = (from), .max = (to), .fallback = (by_default)                   \
    }
#define SWITCH(name, field, by_default)                                    \
    {                                                                      \
        .path = (name), .set = conf_scalar_bool,                           \
        .offset = offsetof(struct config, field), .fallback = (by_default) \
    }
#define OFF(name, nothing, what)                                                    \
    {                                                                               \
        .path = (name), .set = conf_scalar_off, .off = (nothing), .feature = (what) \
    }

#define PUBLISH(name, field)                                    \
    {                                                           \
        .path = (name), .set = conf_publish_text,               \
        .offset = offsetof(struct config, engine.publish.field) \
    }

#define POLICY(field) engine.policy.field
#define MAX_EXACT     (UINT64_C(1) << 53) /* of a JSON number */

static const struct conf_key keys[] = {
    VALUE("network", conf_place_network),
    VALUE("data_dir", conf_place_data_dir),
    SECTION("log"),
    VALUE("log.level", conf_place_log_level),
    VALUE("log.format", conf_place_log_format),
    SECTION("rpc"),
    VALUE("rpc.listen", conf_place_rpc_listen),
    OFF("rpc.unix_socket", "", "a Unix socket"),
    LIST("rpc.tokens", conf_token_list, RPC_TOKENS_MAX),
    LIST("peers", conf_list_peers, PEERS_CONFIGURED_MAX),
    SECTION("public"),
    VALUE("public.listen", conf_place_public_listen),
    VALUE("public.url", conf_place_public_url),
    NUMBER("public.requests_per_second", conf_scalar_u64, public.requests_per_second, 1,
           100000, 200),
    NUMBER("public.bytes_per_second", conf_scalar_size, public.bytes_per_second, 1024,
           UINT64_C(1) << 40, UINT64_C(16) << 20),
    SECTION("p2p"),
    SWITCH("p2p.enabled", engine.p2p_enabled, false),
    VALUE("p2p.listen", conf_p2p_listen),
    NUMBER("p2p.outbound", conf_scalar_unsigned, engine.p2p_outbound, 0, 64, 8),
    VALUE("p2p.asn_database", conf_p2p_asn_database),
    LIST("p2p.dns_seeds", conf_list_seeds, 16),
    SECTION("checkpoint"),
    VALUE("checkpoint.url", conf_place_checkpoint_url),
    NUMBER("checkpoint.quorum", conf_scalar_unsigned, POLICY(quorum), 0,
           PEERS_CONFIGURED_MAX, 3),
    NUMBER("checkpoint.min_peers", conf_scalar_unsigned, POLICY(min_peers), 0,
           PEERS_CONFIGURED_MAX, 2),
    NUMBER("checkpoint.threshold", conf_scalar_unsigned, POLICY(threshold), 0,
           TRUST_KEYS_MAX, 1),
    LIST("checkpoint.trusted_pubkeys", conf_trust_pubkeys, TRUST_KEYS_MAX),
    NUMBER("checkpoint.min_confirmations", conf_scalar_unsigned,
           POLICY(min_confirmations), 0, 10000, 6),
    NUMBER("checkpoint.min_attestations", conf_scalar_unsigned,
           POLICY(min_attestations), 0, TRUST_ATTESTERS_MAX, 0),
    LIST("checkpoint.trusted_attesters", conf_trust_attesters, TRUST_ATTESTERS_MAX),
    VALUE("checkpoint.header_proof", conf_trust_header_proof),
    VALUE("checkpoint.compare_coins", conf_trust_compare_coins),
    VALUE("checkpoint.min_work", conf_trust_min_work),
    NUMBER("checkpoint.min_delta", conf_scalar_u64, POLICY(min_delta), 0, MAX_EXACT,
           100),
    NUMBER("checkpoint.max_age_seconds", conf_scalar_u64, POLICY(max_age_seconds), 0,
           UINT64_C(100) * 366 * 86400, 0),
    NUMBER("checkpoint.request_rate_seconds", conf_scalar_u64,
           engine.request_rate_seconds, 0, UINT64_C(366) * 86400, 30),
    NUMBER("checkpoint.fallback_genesis_seconds", conf_scalar_u64,
           engine.fallback_genesis_seconds, 0, UINT64_C(366) * 86400, 0),
    SWITCH("checkpoint.bootstrap_at_start", engine.bootstrap_at_start, true),
    SWITCH("checkpoint.force_at_start", engine.force_at_start, false),
    VALUE("checkpoint.file_key", conf_place_file_key),
    LIST("checkpoint.roots", conf_trust_roots, TRUST_ROOTS_MAX),
    LIST("checkpoint.mirrors", conf_list_mirrors, 32),
    SECTION("transfer"),
    NUMBER("transfer.min_speed", conf_scalar_size, engine.transfer_min_speed, 0,
           UINT64_C(1) << 40, UINT64_C(10) << 20),
    NUMBER("transfer.max_bytes", conf_scalar_size, engine.transfer_max_bytes, 1,
           UINT64_C(1) << 50, UINT64_C(64) << 30),
    NUMBER("transfer.connections", conf_scalar_unsigned, engine.transfer_connections, 1,
           64, 8),
    NUMBER("transfer.bandwidth", conf_scalar_size, engine.transfer_bandwidth, 0,
           UINT64_C(1) << 40, 0),
    LIST("transfer.allow_networks", conf_list_networks, 64),
    LIST("transfer.allow_paths", conf_list_paths, 64),
    SECTION("follow"),
    NUMBER("follow.poll_seconds", conf_scalar_unsigned, engine.poll_seconds, 1, 3600,
           5),
    NUMBER("follow.ready_max_behind", conf_scalar_unsigned, engine.ready_max_behind, 0,
           1000000, 2),
    OFF("follow.rederive", "false", "re-derivation from genesis"),
    SECTION("snapshots"),
    NUMBER("snapshots.every_blocks", conf_scalar_u64, engine.snapshots_every, 0,
           MAX_EXACT, 0),
    NUMBER("snapshots.keep", conf_scalar_u64, engine.snapshots_keep, 1, 200, 3),
    SWITCH("snapshots.serve", public.serve_snapshots, true),
    SECTION("publish"),
    PUBLISH("publish.endpoint", endpoint),
    PUBLISH("publish.region", region),
    PUBLISH("publish.bucket", bucket),
    PUBLISH("publish.prefix", prefix),
    PUBLISH("publish.credentials_file", credentials_file),
    SWITCH("publish.path_style", engine.publish.path_style, true),
    SWITCH("publish.auto", engine.publish.automatic, false),
    NUMBER("publish.stall_seconds", conf_scalar_unsigned, engine.publish.stall_seconds,
           1, 3600, 60),
    NUMBER("publish.watch_seconds", conf_scalar_unsigned, engine.publish.watch_seconds,
           0, 604800, 3600),
    SECTION("index"),
    OFF("index.addresses", "false", "the index of addresses"),
};

enum { KEYS = sizeof(keys) / sizeof(keys[0]), NAME_MAX_LEN = 40 };

const struct conf_key *conf_key_find(const char *path)
{
    for (size_t i = 0; i < KEYS; i++)
        if (strcmp(keys[i].path, path) == 0)
            return &keys[i];
    return NULL;
}

void conf_key_note(struct config *c, const struct conf_key *key, const char *origin)
{
    c->origins[key - keys] = origin;
}

const char *conf_key_origin(const struct config *c, const struct conf_key *key)
{
    const char *origin = c->origins[key - keys];

    return origin ? origin : "default";
}

const struct conf_key *conf_key_next(const struct conf_key *before)
{
    for (const struct conf_key *k = before ? before + 1 : keys; k < keys + KEYS; k++)
        if (k->set)
            return k;
    return NULL;
}

void conf_key_defaults(struct config *c)
{
    c->origins = conf_hold_alloc(c, KEYS, sizeof(*c->origins));
    for (size_t i = 0; i < KEYS; i++) {
        const struct conf_key *k = &keys[i];
        unsigned small = (unsigned)k->fallback;
        bool on = k->fallback != 0;
        char *at = (char *)c + k->offset;

        if (k->set == conf_scalar_unsigned)
            memcpy(at, &small, sizeof(small));
        if (k->set == conf_scalar_bool)
            memcpy(at, &on, sizeof(on));
        if (k->set == conf_scalar_u64 || k->set == conf_scalar_size)
            memcpy(at, &k->fallback, sizeof(k->fallback));
    }
}

static unsigned least(unsigned a, unsigned b, unsigned c)
{
    unsigned ab = a < b ? a : b;

    return ab < c ? ab : c;
}

/* Insertions, deletions and replacements that make b out of a; both are short. */
static unsigned distance(const char *a, const char *b)
{
    unsigned row[NAME_MAX_LEN + 1], diagonal, above;
    unsigned len = (unsigned)strlen(b);

    for (unsigned j = 0; j <= len; j++)
        row[j] = j;
    for (unsigned i = 1; a[i - 1] != '\0'; i++) {
        diagonal = row[0];
        row[0] = i;
        for (unsigned j = 1; j <= len; j++) {
            above = row[j];
            row[j] = least(above + 1, row[j - 1] + 1,
                           diagonal + (a[i - 1] == b[j - 1] ? 0 : 1));
            diagonal = above;
        }
    }
    return row[len];
}

/* Length of "checkpoint." in "checkpoint.quorum". */
static size_t section_len(const char *path)
{
    const char *dot = strrchr(path, '.');

    return dot ? (size_t)(dot - path) + 1 : 0;
}

void conf_key_nearest(const char *path, char out[CONF_KEY_TEXT])
{
    size_t section = section_len(path);
    const char *name = path + section;
    unsigned best = (unsigned)strlen(name) / 2 + 1;

    out[0] = '\0';
    if (strlen(name) > NAME_MAX_LEN)
        return;
    for (size_t i = 0; i < KEYS; i++) {
        const char *other = keys[i].path;
        size_t other_section = section_len(other);
        bool sibling = other_section == section && strncmp(path, other, section) == 0;
        unsigned d = distance(name, other + other_section);

        if (d >= best ||
            (d > 0 && !sibling)) /* of other sections, the very name only */
            continue;
        best = d;
        (void)snprintf(out, CONF_KEY_TEXT, "%s",
                       sibling ? other + other_section : other);
    }
}
