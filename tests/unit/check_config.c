#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "daemon/config/config.h"
#include "tests/unit/test.h"

#define KEY1 "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
#define KEY1_RAW                                                       \
    "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798" \
    "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8"
#define KEY2 "ed25519:d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
#define HASH "000076b76bbe58880991d202600cf71767569e9353bc5408e48abcf8948df726"

static char dir[] = "/tmp/check_config.XXXXXX";
static char file[64];

static void setup(void)
{
    strncpy(dir + strlen(dir) - 6, "XXXXXX", 7);
    ck_assert_ptr_nonnull(mkdtemp(dir));
    (void)snprintf(file, sizeof(file), "%s/cairn.yaml", dir);
}

static void teardown(void)
{
    (void)unlink(file);
    (void)rmdir(dir);
}

static void put(const char *text, size_t len)
{
    FILE *f = fopen(file, "w");

    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(text, 1, len, f), len);
    (void)fclose(f);
}

static struct config *load(const char *text)
{
    const struct config_flags flags = {.file = file};
    struct config *c = NULL;

    put(text, strlen(text));
    ASSERT_OK(config_load(&flags, &c, &test_err));
    return c;
}

/* data_dir is given, so that only what text says can be wrong. */
static void assert_refused(const char *text, const char *message)
{
    const struct config_flags flags = {.file = file, .data_dir = "/d"};
    struct config *c = NULL;

    put(text, strlen(text));
    ck_assert_msg(config_load(&flags, &c, &test_err) == ERR_INVALID, "accepted: %s",
                  text);
    ck_assert_msg(strstr(test_err.msg, message) != NULL, "%s\n  gives  %s\n  wanted %s",
                  text, test_err.msg, message);
    ck_assert_ptr_null(c);
}

START_TEST(nothing_but_a_directory_gives_the_documented_defaults)
{
    const struct config_flags flags = {.data_dir = "/var/lib/cairn"};
    CLEANUP(config_free) struct config *c = NULL;
    const struct trust_policy *p;

    ASSERT_OK(config_load(&flags, &c, &test_err));
    p = &c->engine.policy;
    ck_assert_str_eq(c->params.network, "testnet");
    ck_assert_ptr_eq(c->engine.params, &c->params);
    ck_assert_ptr_eq(c->rpc.params, &c->params);
    ck_assert_str_eq(c->data_dir, "/var/lib/cairn");
    ck_assert_str_eq(c->engine.data_dir, "/var/lib/cairn");
    ck_assert_str_eq(c->rpc.data_dir, "/var/lib/cairn");
    ck_assert_int_eq(c->log_level, LOG_LVL_INFO);
    ck_assert_str_eq(c->rpc.listen, "127.0.0.1:8645");
    ck_assert_ptr_null(c->engine.peers[0]);
    ck_assert_str_eq(c->engine.checkpoint_url, "");
    ck_assert_uint_eq(p->quorum, 3);
    ck_assert_uint_eq(p->min_peers, 2);
    ck_assert_uint_eq(p->threshold, 1);
    ck_assert_uint_eq(p->key_count, 0);
    ck_assert_uint_eq(p->min_confirmations, 6);
    ck_assert_uint_eq(p->min_attestations, 0);
    ck_assert(p->header_proof_full);
    ck_assert(!p->compare_coins_always);
    ck_assert(work_is_zero(&p->min_work));
    ck_assert_uint_eq(p->min_delta, 100);
    ck_assert_uint_eq(p->max_age_seconds, 0);
    ck_assert_uint_eq(p->root_count, 0);
    ck_assert_uint_eq(c->engine.transfer_min_speed, 10 << 20);
    ck_assert_uint_eq(c->engine.transfer_max_bytes, UINT64_C(64) << 30);
    ck_assert_uint_eq(c->engine.transfer_connections, 8);
    ck_assert_ptr_null(c->engine.allow_networks[0]);
    ck_assert_ptr_null(c->engine.allow_paths[0]);
    ck_assert_uint_eq(c->engine.poll_seconds, 5);
    ck_assert_uint_eq(c->engine.ready_max_behind, 2);
    ck_assert_uint_eq(c->engine.request_rate_seconds, 30);
    ck_assert(c->engine.bootstrap_at_start);
    ck_assert(!c->engine.force_at_start);
    ck_assert_uint_eq(c->rpc.token_count, 0);
}
END_TEST

START_TEST(every_key_lands_where_it_belongs)
{
    CLEANUP(config_free)
    struct config *c =
        load("# all that this version acts on\n"
             "network: mainnet\n"
             "data_dir: /srv/cairn\n"
             "log: {level: debug, format: logfmt}\n"
             "rpc:\n"
             "  listen: \"[::1]:0\"\n"
             "peers:\n"
             "  - http://203.0.113.7:8545/\n"
             "  - HTTPS://Node.example/api\n"
             "checkpoint:\n"
             "  url: https://example.org/latest.json\n"
             "  quorum: 5\n"
             "  min_peers: 4\n"
             "  threshold: 2\n"
             "  trusted_pubkeys: [\"" KEY1 "\", \"" KEY2 "\"]\n"
             "  min_confirmations: 7\n"
             "  min_attestations: 1\n"
             "  header_proof: {window: 145}\n"
             "  compare_coins: always\n"
             "  min_work: \"123456789012345678901234567890\"\n"
             "  min_delta: 9\n"
             "  max_age_seconds: 3600\n"
             "  roots: [{height: 0, hash: \"" HASH "\"}, {height: 7, hash: " HASH "}]\n"
             "transfer: {min_speed: 1KiB, max_bytes: 2TiB, connections: 3,\n"
             "  allow_networks: [10.0.0.0/8, \"fd00::/8\"], allow_paths: [/srv/in]}\n"
             "follow: {poll_seconds: 1, ready_max_behind: 0}\n");
    const struct trust_policy *p = &c->engine.policy;
    char text[WORK_TEXT];

    ck_assert_str_eq(c->params.network, "mainnet");
    ck_assert_str_eq(c->data_dir, "/srv/cairn");
    ck_assert_int_eq(c->log_level, LOG_LVL_DEBUG);
    ck_assert_str_eq(c->rpc.listen, "[::1]:0");
    ck_assert_str_eq(c->engine.peers[0], "http://203.0.113.7:8545");
    ck_assert_str_eq(c->engine.peers[1], "https://node.example/api");
    ck_assert_ptr_null(c->engine.peers[2]);
    ck_assert_str_eq(c->engine.checkpoint_url, "https://example.org/latest.json");
    ck_assert_uint_eq(p->quorum, 5);
    ck_assert_uint_eq(p->min_peers, 4);
    ck_assert_uint_eq(p->threshold, 2);
    ck_assert_uint_eq(p->key_count, 2);
    ck_assert_int_eq(p->keys[0].alg, TRUST_SECP256K1);
    ck_assert_int_eq(p->keys[1].alg, TRUST_ED25519);
    ck_assert_uint_eq(p->min_confirmations, 7);
    ck_assert_uint_eq(p->min_attestations, 1);
    ck_assert(!p->header_proof_full);
    ck_assert(p->compare_coins_always);
    ck_assert_uint_eq(p->header_window, 145);
    work_text(&p->min_work, text);
    ck_assert_str_eq(text, "123456789012345678901234567890");
    ck_assert_uint_eq(p->min_delta, 9);
    ck_assert_uint_eq(p->max_age_seconds, 3600);
    ck_assert_uint_eq(p->root_count, 2);
    ck_assert_uint_eq(p->roots[1].height, 7);
    ck_assert_uint_eq(p->roots[1].hash[2], 0x76);
    ck_assert_uint_eq(c->engine.transfer_min_speed, 1024);
    ck_assert_uint_eq(c->engine.transfer_max_bytes, UINT64_C(2) << 40);
    ck_assert_uint_eq(c->engine.transfer_connections, 3);
    ck_assert_str_eq(c->engine.allow_networks[0], "10.0.0.0/8");
    ck_assert_str_eq(c->engine.allow_networks[1], "fd00::/8");
    ck_assert_ptr_null(c->engine.allow_networks[2]);
    ck_assert_str_eq(c->engine.allow_paths[0], "/srv/in");
    ck_assert_uint_eq(c->engine.poll_seconds, 1);
    ck_assert_uint_eq(c->engine.ready_max_behind, 0);
}
END_TEST

START_TEST(later_keys_are_taken_when_they_ask_for_nothing)
{
    CLEANUP(config_free)
    struct config *c = load("data_dir: /d\n"
                            "rpc: {unix_socket: \"\"}\n"
                            "public: {listen: }\n"
                            "p2p: {listen: , enabled: false, asn_database: }\n"
                            "checkpoint: {min_attestations: 0}\n"
                            "follow: {rederive: false}\n"
                            "index: {addresses: false}\n"
                            "peers:\n");

    ck_assert_str_eq(c->data_dir, "/d");
    ck_assert_ptr_null(c->engine.peers[0]);
}
END_TEST

START_TEST(later_keys_are_refused_when_they_ask_for_something)
{
    static const char *const texts[] = {
        "rpc: {unix_socket: /run/x}",
        "follow: {rederive: true}",
        "index: {addresses: true}",
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_refused(texts[i], "not supported by this version");
    assert_refused("follow: {rederive: true}",
                   "follow.rederive: re-derivation from genesis: not supported by this "
                   "version; leave it out or set it to false");
}
END_TEST

START_TEST(a_store_is_named_whole_or_not_at_all)
{
    CLEANUP(config_free)
    struct config *none = load("data_dir: /d\n");
    CLEANUP(config_free)
    struct config *c = load(
        "data_dir: /d\npublish: {endpoint: 'https://s3.example:9000', bucket: a-bucket, prefix: "
        "x/y, region: eu-1, credentials_file: /k, path_style: false, auto: true, "
        "stall_seconds: 5, watch_seconds: 0}\n");

    ck_assert_str_eq(none->engine.publish.endpoint, "");
    ck_assert_str_eq(none->engine.publish.region, "us-east-1");
    ck_assert(none->engine.publish.path_style && !none->engine.publish.automatic);
    ck_assert_uint_eq(none->engine.publish.stall_seconds, 60);
    ck_assert_uint_eq(none->engine.publish.watch_seconds, 3600);
    ck_assert_str_eq(c->engine.publish.endpoint, "https://s3.example:9000");
    ck_assert_str_eq(c->engine.publish.bucket, "a-bucket");
    ck_assert_str_eq(c->engine.publish.prefix, "x/y");
    ck_assert_str_eq(c->engine.publish.region, "eu-1");
    ck_assert_str_eq(c->engine.publish.credentials_file, "/k");
    ck_assert(!c->engine.publish.path_style && c->engine.publish.automatic);
    ck_assert_uint_eq(c->engine.publish.stall_seconds, 5);
    ck_assert_uint_eq(c->engine.publish.watch_seconds, 0);
    assert_refused("publish: {endpoint: 'http://h'}", "both endpoint and bucket");
    assert_refused("publish: {bucket: abc}", "both endpoint and bucket");
    assert_refused("publish: {auto: true}", "both endpoint and bucket");
    assert_refused("publish: {endpoint: 'http://h/x', bucket: abc}", "has a path");
    assert_refused("publish: {endpoint: 'http://h', bucket: A}", "bucket is not");
    assert_refused("publish: {endpoint: [x]}", "wants a text");
}
END_TEST

START_TEST(snapshots_are_made_on_request_and_served_unless_told_otherwise)
{
    CLEANUP(config_free) struct config *c = load("data_dir: /d\n");
    CLEANUP(config_free)
    struct config *other =
        load("data_dir: /d\n"
             "snapshots: {every_blocks: 100, keep: 7, serve: false}\n");

    ck_assert_uint_eq(c->engine.snapshots_every, 0);
    ck_assert_uint_eq(c->engine.snapshots_keep, 3);
    ck_assert(c->public.serve_snapshots);
    ck_assert_uint_eq(other->engine.snapshots_every, 100);
    ck_assert_uint_eq(other->engine.snapshots_keep, 7);
    ck_assert(!other->public.serve_snapshots);
    assert_refused("snapshots: {keep: 0}", "from 1 to 200");
}
END_TEST

START_TEST(the_public_plane_is_off_until_it_has_an_address)
{
    CLEANUP(config_free) struct config *off = load("data_dir: /d\n");
    CLEANUP(config_free)
    struct config *on = load("data_dir: /d\n"
                             "peers: [\"http://192.0.2.1:8545\"]\n"
                             "public: {listen: \"[::]:8646\", requests_per_second: 7, "
                             "bytes_per_second: 2MiB}\n");

    ck_assert_str_eq(off->public.listen, "");
    ck_assert_uint_eq(off->public.requests_per_second, 200);
    ck_assert_uint_eq(off->public.bytes_per_second, 16 << 20);
    ck_assert_str_eq(on->public.listen, "[::]:8646");
    ck_assert_uint_eq(on->public.requests_per_second, 7);
    ck_assert_uint_eq(on->public.bytes_per_second, 2 << 20);
    ck_assert_ptr_eq(on->public.params, &on->params);
    assert_refused("public: {listen: \"example.org:8646\"}", "wants a numeric address");
    assert_refused("public: {listen: [1]}", "wants a numeric address");
    assert_refused("public: {requests_per_second: 0}", "public.requests_per_second");
}
END_TEST

START_TEST(p2p_has_an_address_seeds_and_a_database)
{
    CLEANUP(config_free)
    struct config *c = load(
        "data_dir: /d\npeers: [\"WSS://Node.example\", \"http://a\"]\n"
        "p2p: {enabled: true, listen: \"[::]:8333\", outbound: 64,\n"
        "  asn_database: /srv/asn.mmdb, dns_seeds: [Seed.Example.org, b.example]}");

    ck_assert(c->engine.p2p_enabled);
    ck_assert_str_eq(c->engine.peers[0], "wss://node.example:8333");
    ck_assert_str_eq(c->engine.p2p_listen, "[::]:8333");
    ck_assert_uint_eq(c->engine.p2p_outbound, 64);
    ck_assert_str_eq(c->engine.asn_database, "/srv/asn.mmdb");
    ck_assert_str_eq(c->engine.dns_seeds[0], "seed.example.org");
    ck_assert_str_eq(c->engine.dns_seeds[1], "b.example");
    ck_assert_ptr_null(c->engine.dns_seeds[2]);
}
END_TEST

START_TEST(p2p_says_what_it_wants)
{
    CLEANUP(config_free) struct config *c = load("data_dir: /d");

    ck_assert(!c->engine.p2p_enabled);
    ck_assert_str_eq(c->engine.p2p_listen, "");
    ck_assert_uint_eq(c->engine.p2p_outbound, 8);
    ck_assert_str_eq(c->engine.asn_database, "");
    ck_assert_ptr_null(c->engine.dns_seeds[0]);
    assert_refused("peers: [\"ws://198.51.100.9:8333\"]",
                   "peers names ws://198.51.100.9:8333, and p2p.enabled is false");
    assert_refused("p2p: {listen: \"node.example:8333\"}", "wants a numeric address");
    assert_refused("p2p: {listen: [x]}", "wants a numeric address");
    assert_refused("p2p: {listen: \"0.0.0.0:65536\"}", "wants a numeric address");
    assert_refused("p2p: {outbound: 65}", "from 0 to 64");
    assert_refused("p2p: {asn_database: [x]}", "path of an MMDB file");
    assert_refused("p2p: {dns_seeds: [192.0.2.1]}", "192.0.2.1 is no host name");
    assert_refused("p2p: {dns_seeds: [\"a.example:8333\"]}", "is no host name");
    assert_refused("p2p: {dns_seeds: [\"a@b\"]}", "credentials");
    assert_refused("p2p: {dns_seeds: [a.example, A.example]}", "listed twice");
    assert_refused("p2p: {enabled: yes}", "wants true or false");
}
END_TEST

START_TEST(unknown_keys_name_line_path_and_the_nearest)
{
    assert_refused(
        "network: testnet\n\ncheckpoint:\n  qourum: 3\n",
        "cairn.yaml:4: checkpoint.qourum: unknown key; did you mean quorum?");
    assert_refused("netwrok: testnet", "netwrok: unknown key; did you mean network?");
    assert_refused("quorum: 3", "unknown key; did you mean checkpoint.quorum?");
    assert_refused("rpc: {url: x}", "rpc.url: unknown key; did you mean public.url?");
    assert_refused("follow: {poll_second: 3}", "did you mean poll_seconds?");
    assert_refused("xyzzy: 3", "xyzzy: unknown key");
    ck_assert_ptr_null(strstr(test_err.msg, "did you mean"));
    assert_refused("log: {quorun: 3}", "log.quorun: unknown key");
    ck_assert_ptr_null(strstr(test_err.msg, "did you mean"));
    assert_refused("\"\": 1", ": unknown key");
    assert_refused("log.level: debug", "log.level: unknown key; nest it");
}
END_TEST

START_TEST(values_of_the_wrong_kind_say_what_is_wanted)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"checkpoint: {quorum: \"3\"}",
         "1: checkpoint.quorum: wants a whole number from 0"},
        {"checkpoint: {quorum: three}", "whole number"},
        {"checkpoint: {quorum: -1}", "whole number"},
        {"checkpoint: {quorum: 257}", "from 0 to 256"},
        {"checkpoint: {quorum: 4294967296}", "from 0 to 256"},
        {"checkpoint: {quorum: 18446744073709551617}", "from 0 to 256"},
        {"checkpoint: {quorum: 3.0}", "whole number"},
        {"checkpoint: {quorum: 0x3}", "whole number"},
        {"checkpoint: {quorum: }", "whole number"},
        {"checkpoint: {quorum: [3]}", "whole number"},
        {"checkpoint: {min_delta: 9007199254740993}", "to 9007199254740992"},
        {"checkpoint: 3", "checkpoint: wants keys below it"},
        {"checkpoint: [3]", "wants keys below it"},
        {"checkpoint: {header_proof: half}", "wants full, or {window: N}"},
        {"checkpoint: {header_proof: {window: 144}}", "from 145"},
        {"checkpoint: {header_proof: {window: 200, x: 1}}", "wants full"},
        {"checkpoint: {header_proof: {windows: 200}}", "wants full"},
        {"checkpoint: {compare_coins: never}", "wants auto or always"},
        {"checkpoint: {compare_coins: [auto]}", "wants auto or always"},
        {"checkpoint: {min_work: -1}", "decimal"},
        {"checkpoint: {min_work: 1e3}", "decimal"},
        {"checkpoint: {min_work: []}", "decimal"},
        {"checkpoint: {trusted_pubkeys: " KEY1 "}", "wants a list"},
        {"checkpoint:\n  trusted_pubkeys:\n  - " KEY1 "\n  - 00\n",
         "4: checkpoint.trusted_pubkeys: wants public keys"},
        {"checkpoint: {trusted_pubkeys: [" KEY1 "," KEY1_RAW "]}", "listed twice"},
        {"checkpoint: {roots: [{height: 1}]}", "wants {height"},
        {"checkpoint: {roots: [{height: 1, hash: 00}]}", "wants {height"},
        {"checkpoint: {roots: [{height: 1, hash: " HASH ", x: 1}]}", "wants {height"},
        {"checkpoint: {roots: [{height: 9007199254740992, hash: " HASH "}]}",
         "wants {height"},
        {"checkpoint: {roots: [{height: 1, hash: " HASH "}, {height: 1, hash: " HASH
         "}]}",
         "two roots at height 1"},
        {"checkpoint: {url: ftp://a/}", "checkpoint.url: the URL does not start"},
        {"checkpoint: {url: [http://a/]}", "wants a URL"},
        {"transfer: {min_speed: 10MB}", "wants bytes"},
        {"transfer: {min_speed: MiB}", "wants bytes"},
        {"transfer: {max_bytes: 0}", "from 1 to"},
        {"transfer: {max_bytes: 9999999999TiB}", "from 1 to"},
        {"transfer: {min_speed: 16777216TiB}", "from 0 to"}, /* 2^64 */
        {"transfer: {connections: 0}", "from 1 to 64"},
        {"transfer: {allow_networks: [10.0.0.0/33]}", "no network"},
        {"transfer: {allow_networks: 10.0.0.0/8}", "wants a list"},
        {"transfer: {allow_paths: [here]}", "no absolute path"},
        {"follow: {poll_seconds: 0}", "from 1 to 3600"},
        {"peers: [http://a/, \"http://A:80\"]", "http://a is listed twice"},
        {"peers: [example.org]", "example.org: the URL does not start"},
        {"peers: [{url: http://a}]", "list of texts"},
        {"network: regtest", "wants testnet, mainnet, or the path"},
        {"network: ./no/such/file", "No such file"},
        {"network: []", "wants testnet, mainnet"},
        {"data_dir: [x]", "wants a directory"},
        {"data_dir: \"\"", "wants a directory"},
        {"data_dir: ~", "wants a directory"},
        {"log: {level: loud}", "wants error, warn, info or debug"},
        {"log: {format: json}", "wants logfmt"},
        {"snapshots: {keep: x}", "whole number"},
        {"checkpoint: {request_rate_seconds: -1}", "whole number"},
        {"checkpoint: {bootstrap_at_start: 1}", "wants true or false"},
        {"checkpoint: {bootstrap_at_start: \"true\"}", "wants true or false"},
        {"checkpoint: {force_at_start: true}", "force_at_start needs checkpoint.url"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_refused(cases[i].text, cases[i].message);
}
END_TEST

START_TEST(a_network_may_be_a_file_of_parameters)
{
    static const char params[] =
        "{\"network\": \"lab\", \"chain_context\": \"testnet\", \"genesis_hash\": \"" HASH
        "\", \"genesis_coins\": [], \"max_difficulty\": 4, "
        "\"min_difficulty_after_gap\": true}";
    AUTOFREE char *other = xasprintf("%s/params.json", dir);
    AUTOFREE char *text = xasprintf("data_dir: /d\nnetwork: %s\n", other);
    CLEANUP(config_free) struct config *c = NULL;
    FILE *f = fopen(other, "w");

    ck_assert_ptr_nonnull(f);
    ck_assert_int_ge(fputs(params, f), 0);
    (void)fclose(f);
    c = load(text);
    ck_assert_str_eq(c->params.network, "lab");
    ck_assert_uint_eq(c->params.genesis_hash[2], 0x76);
    ck_assert_uint_eq(c->params.genesis_coin_count, 0);
    f = fopen(other, "w");
    ck_assert_ptr_nonnull(f);
    ck_assert_int_ge(fputs("{}", f), 0);
    (void)fclose(f);
    assert_refused(text, "cairn.yaml:2: network: network parameters: ");
    (void)unlink(other);
}
END_TEST

START_TEST(only_loopback_is_listened_on)
{
    static const char *const bad[] = {
        "0.0.0.0:1",   "192.168.0.1:1",       "[::]:1", "[fe80::1]:1", "example.org:1",
        "128.0.0.1:1", "[::ffff:127.0.0.1]:1"};
    static const char *const odd[] = {
        "127.0.0.1",   ":1",    "127.0.0.1:",   "127.0.0.1:65536",
        "127.0.0.1:x", "::1:1", "127.0.0.1:-1", ""};
    static const char *const good[] = {"127.0.0.1:0", "127.8.9.1:65535", "[::1]:1",
                                       "localhost:8645"};
    struct config_flags flags = {.data_dir = "/d"};
    struct config *c = NULL;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        flags.rpc_listen = bad[i];
        ASSERT_ERR(ERR_INVALID, config_load(&flags, &c, &test_err));
        ck_assert_msg(strstr(test_err.msg, "only on loopback"), "%s: %s", bad[i],
                      test_err.msg);
    }
    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        flags.rpc_listen = odd[i];
        ASSERT_ERR(ERR_INVALID, config_load(&flags, &c, &test_err));
        ck_assert_str_eq(test_err.msg,
                         "--rpc-listen: wants an address such as 127.0.0.1:8645");
    }
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        flags.rpc_listen = good[i];
        ASSERT_OK(config_load(&flags, &c, &test_err));
        ck_assert_str_eq(c->rpc.listen, strcmp(good[i], "localhost:8645") == 0
                                            ? "127.0.0.1:8645"
                                            : good[i]);
        config_free(c);
        c = NULL;
    }
}
END_TEST

START_TEST(flags_win_over_the_file)
{
    const struct config_flags flags = {.file = file,
                                       .data_dir = "/f",
                                       .rpc_listen = "127.0.0.1:7",
                                       .log_level = "warn"};
    static const char text[] =
        "data_dir: /d\nrpc: {listen: \"127.0.0.1:8\"}\nlog: {level: debug}\n";
    CLEANUP(config_free) struct config *c = NULL;

    put(text, strlen(text));
    ASSERT_OK(config_load(&flags, &c, &test_err));
    ck_assert_str_eq(c->data_dir, "/f");
    ck_assert_str_eq(c->engine.data_dir, "/f");
    ck_assert_str_eq(c->rpc.listen, "127.0.0.1:7");
    ck_assert_int_eq(c->log_level, LOG_LVL_WARN);
}
END_TEST

START_TEST(what_only_the_whole_can_tell_is_checked)
{
    struct config_flags flags = {.file = file};
    struct config *c = NULL;

    put("", 0);
    ASSERT_ERR(ERR_INVALID, config_load(&flags, &c, &test_err));
    ck_assert_ptr_nonnull(strstr(test_err.msg, "data_dir is not set"));
    assert_refused("checkpoint: {url: http://a/}", "checkpoint.threshold is 1");
    assert_refused("checkpoint: {url: http://a/, threshold: 2, trusted_pubkeys: [" KEY1
                   "]}",
                   "has 1 keys");
    config_free(load("data_dir: /d\ncheckpoint: {url: http://a/, threshold: 0}"));
    config_free(load("data_dir: /d\ncheckpoint: {threshold: 2}"));
    flags.file = "/nonexistent/cairn.yaml";
    ASSERT_ERR(ERR_INVALID, config_load(&flags, &c, &test_err));
    ck_assert_str_eq(test_err.msg,
                     "/nonexistent/cairn.yaml: No such file or directory");
}
END_TEST

START_TEST(yaml_is_plain_and_bounded)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"data_dir: /a\nlog: {level: info}\ndata_dir: /b\n",
         "cairn.yaml:3: data_dir: given twice"},
        {"log: {level: info, level: info}", "level: given twice"},
        {"data_dir: &a /x\n", "1: anchors are not allowed"},
        {"log: &a {level: info}\n", "anchors are not allowed"},
        {"peers: &a []\n", "anchors are not allowed"},
        {"data_dir: *a\n", "aliases are not allowed"},
        {"data_dir: !!str /x\n", "tags are not allowed"},
        {"log: !x {level: info}\n", "tags are not allowed"},
        {"data_dir: /x\n---\ndata_dir: /y\n", "one document only"},
        {"- a\n", "is a map of keys"},
        {"text", "is a map of keys"},
        {"? [a]\n: b\n", "a key must be a text"},
        {"data_dir: [[[[[[[[[[1]]]]]]]]]]", "nested too deep"},
        {"data_dir: {a: {a: {a: {a: {a: {a: {a: {a: 1}}}}}}}}", "nested too deep"},
        {"data_dir: \"a\\0b\"", "holds a NUL"},
        {"data_dir: \"unended", "cairn.yaml:1: found unexpected end"},
        {"data_dir: {", "cairn.yaml:"},
        {"\t", "cairn.yaml:"},
        {"data_dir: \xff\xfe", "cairn.yaml:"},
        {"<<: {data_dir: /x}", "unknown key"},
    };
    const struct config_flags flags = {.file = file, .data_dir = "/d"};
    AUTOFREE char *big = xcalloc(1, (1 << 20) + 2);
    struct config *c = NULL;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_refused(cases[i].text, cases[i].message);
    memset(big, '#', (1 << 20) + 1);
    put(big, 1 << 20);
    ASSERT_OK(config_load(&flags, &c, &test_err));
    config_free(c);
    put(big, (1 << 20) + 1);
    ASSERT_ERR(ERR_INVALID, config_load(&flags, &c, &test_err));
    ck_assert_ptr_nonnull(strstr(test_err.msg, "over 1 MiB"));
}
END_TEST

START_TEST(too_many_values_are_refused)
{
    AUTOFREE char *text = xcalloc(1, 40000);

    strncpy(text, "peers: [", 9);
    for (size_t i = 8; i < 30000; i += 2)
        memcpy(text + i, "a,", 2);
    assert_refused(text, "too many values");
    memcpy(text + 8 + 2 * 257, "]", 2);
    assert_refused(text, "peers: wants at most 256 members");
}
END_TEST

START_TEST(the_text_is_the_effective_configuration)
{
    CLEANUP(config_free)
    struct config *c =
        load("data_dir: /d\npeers: [http://a/]\n"
             "checkpoint: {url: \"http://b/c\", trusted_pubkeys: [" KEY1 "]}\n");
    AUTOFREE char *text = config_text(c);
    cJSON *doc = cJSON_Parse(text);
    const cJSON *checkpoint, *transfer;

    ck_assert_ptr_nonnull(doc);
    ck_assert_str_eq(c->rpc.config_json, text);
    ck_assert_ptr_nonnull(strchr(text, '\n'));
    ck_assert_str_eq(cJSON_GetObjectItem(doc, "network")->valuestring, "testnet");
    ck_assert_str_eq(cJSON_GetObjectItem(doc, "data_dir")->valuestring, "/d");
    ck_assert_str_eq(cJSON_GetObjectItem(doc, "peers")->child->valuestring, "http://a");
    checkpoint = cJSON_GetObjectItem(doc, "checkpoint");
    ck_assert_str_eq(cJSON_GetObjectItem(checkpoint, "url")->valuestring, "http://b/c");
    ck_assert_int_eq(cJSON_GetObjectItem(checkpoint, "quorum")->valueint, 3);
    ck_assert_str_eq(
        cJSON_GetObjectItem(checkpoint, "trusted_pubkeys")->child->valuestring, KEY1);
    transfer = cJSON_GetObjectItem(doc, "transfer");
    ck_assert(cJSON_GetObjectItem(transfer, "max_bytes")->valuedouble == 68719476736.0);
    cJSON_Delete(doc);
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("config");
    TCase *tc = tcase_create("core");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, nothing_but_a_directory_gives_the_documented_defaults);
    tcase_add_test(tc, every_key_lands_where_it_belongs);
    tcase_add_test(tc, later_keys_are_taken_when_they_ask_for_nothing);
    tcase_add_test(tc, later_keys_are_refused_when_they_ask_for_something);
    tcase_add_test(tc, a_store_is_named_whole_or_not_at_all);
    tcase_add_test(tc, snapshots_are_made_on_request_and_served_unless_told_otherwise);
    tcase_add_test(tc, the_public_plane_is_off_until_it_has_an_address);
    tcase_add_test(tc, p2p_has_an_address_seeds_and_a_database);
    tcase_add_test(tc, p2p_says_what_it_wants);
    tcase_add_test(tc, unknown_keys_name_line_path_and_the_nearest);
    tcase_add_test(tc, values_of_the_wrong_kind_say_what_is_wanted);
    tcase_add_test(tc, a_network_may_be_a_file_of_parameters);
    tcase_add_test(tc, only_loopback_is_listened_on);
    tcase_add_test(tc, flags_win_over_the_file);
    tcase_add_test(tc, what_only_the_whole_can_tell_is_checked);
    tcase_add_test(tc, yaml_is_plain_and_bounded);
    tcase_add_test(tc, too_many_values_are_refused);
    tcase_add_test(tc, the_text_is_the_effective_configuration);
    suite_add_tcase(s, tc);
    return s;
}
