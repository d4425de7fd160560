#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "daemon/config/conf_key.h"
#include "daemon/config/conf_place.h"
#include "daemon/config/config.h"
#include "tests/unit/test.h"

/* Where values are from: the file, the environment over it, flags over both. */

#define KEY1 "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
#define KEY2 "ed25519:d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"

static char dir[] = "/tmp/check_config_env.XXXXXX";
static char file[64];

static void setup(void)
{
    memcpy(dir + strlen(dir) - 6, "XXXXXX", 6);
    ck_assert_ptr_nonnull(mkdtemp(dir));
    (void)snprintf(file, sizeof(file), "%s/cairn.yaml", dir);
}

static void teardown(void)
{
    (void)unlink(file);
    (void)rmdir(dir);
}

static enum errc load(const char *text, const char *const *environment,
                      struct config **out)
{
    const struct config_flags flags = {
        .file = file, .data_dir = "/d", .environment = environment};
    FILE *f = fopen(file, "w");

    ck_assert_ptr_nonnull(f);
    ck_assert_int_ge(fputs(text, f), 0);
    (void)fclose(f);
    return config_load(&flags, out, &test_err);
}

#define ENV(...) ((const char *const[]){__VA_ARGS__, NULL})

static const char *origin(const struct config *c, const char *path)
{
    static char text[100];
    cJSON *doc = cJSON_Parse(c->rpc.config_json);
    const cJSON *origins = cJSON_GetObjectItem(doc, "origins");
    const char *found =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(origins, path));

    ck_assert_msg(found != NULL, "no origin of %s", path);
    (void)snprintf(text, sizeof(text), "%s", found);
    cJSON_Delete(doc);
    return text;
}

static void assert_refused(const char *const *environment, const char *message)
{
    struct config *c = NULL;

    ASSERT_ERR(ERR_INVALID, load("", environment, &c));
    ck_assert_ptr_null(c);
    ck_assert_str_eq(test_err.msg, message);
}

START_TEST(every_variable_lands_where_it_belongs)
{
    CLEANUP(config_free) struct config *c = NULL;

    ASSERT_OK(load("",
                   ENV("P2P_PARTIAL_SYNC_MIN_DELTA=7", "CHECKPOINT_QUORUM=5",
                       "CHECKPOINT_MIN_PEERS=4",
                       "TRUSTED_CHECKPOINT_PUBKEYS=" KEY1 " , " KEY2,
                       "CHECKPOINT_REQUEST_RATE_SECONDS=9",
                       "XAI_CHECKPOINT_URL=http://c.example/x",
                       "XAI_BOOTSTRAP_PEERS=http://a.example,http://b.example/",
                       "XAI_NETWORK=mainnet", "XAI_FORCE_PARTIAL_SYNC=1",
                       "PARTIAL_SYNC_ENABLED=0", "QUORUM=99", "PATH=/bin"),
                   &c));
    ck_assert_uint_eq(c->engine.policy.min_delta, 7);
    ck_assert_uint_eq(c->engine.policy.quorum, 5);
    ck_assert_uint_eq(c->engine.policy.min_peers, 4);
    ck_assert_uint_eq(c->engine.policy.key_count, 2);
    ck_assert_uint_eq(c->engine.request_rate_seconds, 9);
    ck_assert_str_eq(c->engine.checkpoint_url, "http://c.example/x");
    ck_assert_str_eq(c->engine.peers[0], "http://a.example");
    ck_assert_str_eq(c->engine.peers[1], "http://b.example");
    ck_assert_ptr_null(c->engine.peers[2]);
    ck_assert_str_eq(c->params.network, "mainnet");
    ck_assert(c->engine.force_at_start);
    ck_assert(!c->engine.bootstrap_at_start);
}
END_TEST

START_TEST(the_prefix_of_stock_code_counts_too)
{
    static const struct {
        const char *variable, *path;
    } cases[] = {
        {"XAI_PARTIAL_SYNC_ENABLED=1", "checkpoint.bootstrap_at_start"},
        {"XAI_P2P_PARTIAL_SYNC_ENABLED=1", "checkpoint.bootstrap_at_start"},
        {"XAI_P2P_PARTIAL_SYNC_MIN_DELTA=1", "checkpoint.min_delta"},
        {"XAI_CHECKPOINT_QUORUM=1", "checkpoint.quorum"},
        {"XAI_CHECKPOINT_MIN_PEERS=1", "checkpoint.min_peers"},
        {"XAI_TRUSTED_CHECKPOINT_PUBKEYS=" KEY1, "checkpoint.trusted_pubkeys"},
        {"XAI_CHECKPOINT_REQUEST_RATE_SECONDS=1", "checkpoint.request_rate_seconds"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *name = cases[i].variable, *bare = name + 4;
        AUTOFREE char *want =
            xasprintf("environment %.*s", (int)strcspn(name, "="), name);
        CLEANUP(config_free) struct config *c = NULL, *other = NULL;

        ASSERT_OK(load("", ENV(name), &c));
        ck_assert_str_eq(origin(c, cases[i].path), want);
        ASSERT_OK(load("", ENV(bare), &other));
        ck_assert_str_eq(origin(other, cases[i].path) + 12,
                         want + strlen("environment XAI_"));
    }
}
END_TEST

START_TEST(two_names_of_one_variable_must_agree)
{
    CLEANUP(config_free) struct config *c = NULL;

    ASSERT_OK(load("", ENV("CHECKPOINT_QUORUM=2", "XAI_CHECKPOINT_QUORUM=2"), &c));
    ck_assert_uint_eq(c->engine.policy.quorum, 2);
    assert_refused(
        ENV("CHECKPOINT_QUORUM=2", "XAI_CHECKPOINT_QUORUM=3"),
        "environment: XAI_CHECKPOINT_QUORUM and CHECKPOINT_QUORUM differ; set "
        "one of them");
}
END_TEST

START_TEST(each_wins_over_the_one_before)
{
    static const char text[] = "# a comment\n"
                               "checkpoint:\n"
                               "  quorum: 4\n"
                               "  min_peers: 3\n"
                               "log: {level: debug}\n"
                               "data_dir: /file\n";
    CLEANUP(config_free) struct config *c = NULL;

    ASSERT_OK(load(text, ENV("CHECKPOINT_QUORUM=6"), &c));
    ck_assert_uint_eq(c->engine.policy.quorum, 6);
    ck_assert_str_eq(origin(c, "checkpoint.quorum"), "environment CHECKPOINT_QUORUM");
    ck_assert_uint_eq(c->engine.policy.min_peers, 3);
    ck_assert_str_eq(origin(c, "checkpoint.min_peers"), "cairn.yaml:4");
    ck_assert_str_eq(c->data_dir, "/d");
    ck_assert_str_eq(origin(c, "data_dir"), "--data-dir");
    ck_assert_str_eq(origin(c, "log.level"), "cairn.yaml:5");
    ck_assert_str_eq(origin(c, "network"), "default");
}
END_TEST

START_TEST(an_empty_variable_is_not_set)
{
    CLEANUP(config_free) struct config *c = NULL;

    ASSERT_OK(load("checkpoint: {quorum: 4}\n",
                   ENV("CHECKPOINT_QUORUM=", "XAI_CHECKPOINT_URL="), &c));
    ck_assert_uint_eq(c->engine.policy.quorum, 4);
    ck_assert_str_eq(origin(c, "checkpoint.quorum"), "cairn.yaml:1");
}
END_TEST

START_TEST(a_switch_is_off_when_one_of_its_variables_says_so)
{
    static const struct {
        const char *a, *b;
        bool on;
    } cases[] = {
        {"PARTIAL_SYNC_ENABLED=1", "P2P_PARTIAL_SYNC_ENABLED=on", true},
        {"PARTIAL_SYNC_ENABLED=0", "P2P_PARTIAL_SYNC_ENABLED=1", false},
        {"PARTIAL_SYNC_ENABLED=Yes", "P2P_PARTIAL_SYNC_ENABLED=FALSE", false},
        {"PARTIAL_SYNC_ENABLED=true", "X=0", true}, /* wins over the file's false */
        {"P2P_PARTIAL_SYNC_ENABLED=no", "X=1", false},
        {"X=1", "Y=1", false},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CLEANUP(config_free) struct config *c = NULL;

        ASSERT_OK(load("checkpoint: {bootstrap_at_start: false}\n",
                       ENV(cases[i].a, cases[i].b), &c));
        ck_assert_msg(c->engine.bootstrap_at_start == cases[i].on, "case %zu", i);
    }
}
END_TEST

START_TEST(a_malformed_variable_is_named)
{
    assert_refused(
        ENV("CHECKPOINT_QUORUM=many"),
        "environment: CHECKPOINT_QUORUM: wants a whole number from 0 to 256");
    assert_refused(ENV("XAI_CHECKPOINT_QUORUM=257"),
                   "environment: XAI_CHECKPOINT_QUORUM: wants a whole number from 0 to "
                   "256");
    assert_refused(ENV("CHECKPOINT_MIN_PEERS= 3"),
                   "environment: CHECKPOINT_MIN_PEERS: wants a whole number from 0 to "
                   "256");
    assert_refused(ENV("PARTIAL_SYNC_ENABLED=maybe"),
                   "environment: PARTIAL_SYNC_ENABLED: wants 0 or 1");
    assert_refused(ENV("XAI_BOOTSTRAP_PEERS=http://a.example,"),
                   "environment: XAI_BOOTSTRAP_PEERS: : the URL does not start with "
                   "http:// or https://");
    assert_refused(ENV("TRUSTED_CHECKPOINT_PUBKEYS=02ab"),
                   "environment: TRUSTED_CHECKPOINT_PUBKEYS: wants public keys: 33, 64 "
                   "or 65 bytes of secp256k1 in hex, or ed25519: and 32 bytes in hex");
    assert_refused(
        ENV("XAI_NETWORK=null"),
        "environment: XAI_NETWORK: wants testnet, mainnet, or the path, with "
        "a /, of a file of chain parameters");
    assert_refused(ENV("XAI_FORCE_PARTIAL_SYNC=1"),
                   "checkpoint.force_at_start needs checkpoint.url");
}
END_TEST

START_TEST(a_list_of_the_environment_is_bounded)
{
    AUTOFREE char *text = xcalloc(1, 8192);
    size_t len = strlen("XAI_BOOTSTRAP_PEERS=");

    memcpy(text, "XAI_BOOTSTRAP_PEERS=", len);
    for (size_t i = 0; i < 3000; i++)
        text[len++] = ',';
    assert_refused(ENV(text), "environment: XAI_BOOTSTRAP_PEERS: wants at most 256 "
                              "members");
}
END_TEST

#define HASH1 "b2:1111111111111111111111111111111111111111111111111111111111111111"
#define HASH2 "b2:2222222222222222222222222222222222222222222222222222222222222222"

START_TEST(tokens_have_a_name_a_role_and_a_hash)
{
    CLEANUP(config_free) struct config *c = NULL;

    ASSERT_OK(load("rpc:\n  tokens:\n"
                   "  - {name: grafana, role: read, hash: \"" HASH1 "\"}\n"
                   "  - {name: ops_2, role: admin, hash: \"" HASH2 "\"}\n",
                   NULL, &c));
    ck_assert_uint_eq(c->rpc.token_count, 2);
    ck_assert_str_eq(c->rpc.tokens[0].name, "grafana");
    ck_assert_int_eq(c->rpc.tokens[0].role, RPC_ROLE_READ);
    ck_assert_uint_eq(c->rpc.tokens[0].hash[31], 0x11);
    ck_assert_str_eq(c->rpc.tokens[1].name, "ops_2");
    ck_assert_int_eq(c->rpc.tokens[1].role, RPC_ROLE_ADMIN);
    ck_assert_uint_eq(c->rpc.tokens[1].hash[0], 0x22);
    ck_assert_ptr_nonnull(strstr(c->rpc.config_json, "\"grafana\""));
    ck_assert_ptr_null(strstr(c->rpc.config_json, "1111"));
    ck_assert_str_eq(origin(c, "rpc.tokens"), "cairn.yaml:3");
}
END_TEST

START_TEST(a_token_that_could_let_in_others_is_refused)
{
    static const struct {
        const char *token, *message;
    } cases[] = {
        {"x", "wants {name, role, hash}"},
        {"{name: a, role: read}", "wants {name, role, hash}"},
        {"{name: a, role: read, hash: \"" HASH1 "\", x: 1}",
         "wants {name, role, hash}"},
        {"{name: a b, role: read, hash: \"" HASH1 "\"}", "name wants 1 to 64 letters"},
        {"{name: \"\", role: read, hash: \"" HASH1 "\"}", "name wants 1 to 64 letters"},
        {"{name: cookie, role: read, hash: \"" HASH1 "\"}", "cookie is taken"},
        {"{name: [], role: read, hash: \"" HASH1 "\"}", "name wants 1 to 64 letters"},
        {"{name: a, role: root, hash: \"" HASH1 "\"}", "role wants read or admin"},
        {"{name: a, role: read, hash: \"11\"}", "hash wants b2: and 64"},
        {"{name: a, role: read, hash: \"b2:\"}", "hash wants b2: and 64"},
        {"{name: a, role: read, hash: \"" HASH1 "1\"}", "hash wants b2: and 64"},
        {"{name: a, role: read, hash: \"" HASH1
         "\"}, {name: a, role: read, hash: \"" HASH2 "\"}",
         "a and a: one token, or one name"},
        {"{name: a, role: read, hash: \"" HASH1
         "\"}, {name: b, role: read, hash: \"" HASH1 "\"}",
         "a and b: one token, or one name"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        AUTOFREE char *text = xasprintf("rpc:\n  tokens: [%s]\n", cases[i].token);
        struct config *c = NULL;

        ASSERT_ERR(ERR_INVALID, load(text, NULL, &c));
        ck_assert_msg(strstr(test_err.msg, cases[i].message) != NULL, "%s\n  gives %s",
                      text, test_err.msg);
        ck_assert_msg(strstr(test_err.msg, "cairn.yaml:2: rpc.tokens: ") != NULL, "%s",
                      test_err.msg);
    }
}
END_TEST

START_TEST(every_key_is_documented)
{
    AUTOFREE char *doc = NULL;
    size_t len = 0;

    ASSERT_OK(conf_place_read(TEST_DATA "/../../docs/configuration.md", &doc, &len,
                              &test_err));
    for (const struct conf_key *k = conf_key_next(NULL); k; k = conf_key_next(k)) {
        AUTOFREE char *row = xasprintf("| `%s` |", k->path);

        ck_assert_msg(strstr(doc, row) != NULL, "no row for %s", k->path);
    }
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("config_env");
    TCase *tc = tcase_create("core");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, every_variable_lands_where_it_belongs);
    tcase_add_test(tc, the_prefix_of_stock_code_counts_too);
    tcase_add_test(tc, two_names_of_one_variable_must_agree);
    tcase_add_test(tc, each_wins_over_the_one_before);
    tcase_add_test(tc, an_empty_variable_is_not_set);
    tcase_add_test(tc, a_switch_is_off_when_one_of_its_variables_says_so);
    tcase_add_test(tc, a_malformed_variable_is_named);
    tcase_add_test(tc, a_list_of_the_environment_is_bounded);
    tcase_add_test(tc, tokens_have_a_name_a_role_and_a_hash);
    tcase_add_test(tc, a_token_that_could_let_in_others_is_refused);
    tcase_add_test(tc, every_key_is_documented);
    suite_add_tcase(s, tc);
    return s;
}
