#include "base/hex.h"
#include "sync/peer/headers_wire.h"
#include "sync/peer/hello.h"
#include "sync/peer/signed.h"
#include "tests/unit/public_kit.h"

START_TEST(other_paths_lead_nowhere)
{
    static const char *const paths[] = {
        "",
        "/",
        "/rpc",
        "/healthz",
        "/readyz",
        "/metrics",
        "/peers/",
        "/statsx",
        "/openapi.yaml",
        "/peer/v1",
        "/peer/v1/",
        "/peer/v2/",
        "/peer/v1/hello/",
        "/snapshots",
        "/api/v1/status",
        "/snapshots/x/manifest.json",
        "/api/v1/audit.ndjson",
    };

    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        assert_error(paths[i], NULL, 404, "{\"error\":\"Not found\"}\n");
}
END_TEST

/* The fixture's blocks are in the databases. */
static const struct json *block_at(struct lines *l, size_t height)
{
    *l = lines_open("chain/blocks.jsonl");
    while (lines_next(l))
        if (l->number == height + 1)
            return l->v;
    ck_abort_msg("no block %zu", height);
}

static void block_done(struct lines *l)
{
    json_free(l->doc);
    free(l->text);
    (void)fclose(l->file);
}

START_TEST(a_block_is_its_canonical_text)
{
    CLEANUP_BUF struct buf want = BUF(1U << 20);
    struct lines l;
    char hex[67], path[100];
    const char *hash = text_of(block_at(&l, 220), "hash");

    json_write(l.v, JSON_CANON, &want);
    buf_puts(&want, "\n");
    ck_assert_str_eq(ask("/blocks/220", NULL), want.data);
    ck_assert_uint_eq(say.status, 200);
    ck_assert(!say.lasting);
    (void)snprintf(hex, sizeof(hex), "\"%s\"", hash);
    ck_assert_str_eq(say.etag, hex);
    ck_assert_str_eq(ask_known("/blocks/220", NULL, hex), "");
    ck_assert_uint_eq(say.status, 304);
    (void)snprintf(path, sizeof(path), "/block/0X%s", hash);
    ck_assert_str_eq(ask(path, NULL), want.data);
    ck_assert(say.lasting);
    ck_assert_str_eq(ask("/blocks/+0220", NULL), want.data);
    block_done(&l);
}
END_TEST

#define NO_BLOCK "{\"error\":\"Block not found\"}\n"

START_TEST(blocks_that_are_not_here)
{
    char path[100], hex[65];
    struct lines l;

    (void)snprintf(hex, sizeof(hex), "%s", text_of(block_at(&l, 100), "hash"));
    block_done(&l);
    (void)snprintf(path, sizeof(path), "/block/%s", hex); /* a header, no body */
    assert_error(path, NULL, 404, NO_BLOCK);
    assert_error("/blocks/100", NULL, 404, NO_BLOCK);
    assert_error("/blocks/241", NULL, 404, NO_BLOCK);
    assert_error("/blocks/-0", NULL, 404, NO_BLOCK);
    assert_error("/blocks/99999999999999999999999", NULL, 404, NO_BLOCK);
    assert_error("/blocks/", NULL, 400,
                 "{\"error\":\"Block index must be integer\"}\n");
    assert_error("/blocks/2 ", NULL, 400,
                 "{\"error\":\"Block index must be integer\"}\n");
    assert_error("/block/0x", NULL, 400, "{\"error\":\"Invalid block hash\"}\n");
    path[strlen(path) - 1] = 'g';
    assert_error(path, NULL, 400, "{\"error\":\"Invalid block hash\"}\n");
}
END_TEST

START_TEST(a_page_goes_down_to_bare_headers)
{
    CLEANUP(json_free) struct json_doc *doc = NULL;
    const struct json_limits limits = {1U << 24, 1U << 16, 32};
    const struct json *b;
    uint64_t height = 202;

    ck_assert_ptr_nonnull(ask("/blocks", QUERY("limit", "4", "offset", "38")));
    ASSERT_OK(json_parse(say.body.data, say.body.len, &limits, &doc, &test_err));
    ck_assert_uint_eq(u64_of(json_root(doc), "total"), 241);
    ck_assert_uint_eq(u64_of(json_root(doc), "limit"), 4);
    ck_assert_uint_eq(u64_of(json_root(doc), "offset"), 38);
    for (b = json_get(json_root(doc), "blocks")->first; b; b = b->next, height--) {
        struct header h;

        ck_assert_uint_eq(u64_of(b, "index"), height);
        ASSERT_OK(header_parse(b, &h, &test_err));
        ck_assert_int_eq(json_get(b, "transactions") != NULL, height > 200);
    }
    ck_assert_uint_eq(height, 198);
    ck_assert_str_eq(ask("/blocks", QUERY("limit", "200", "offset", "241")),
                     "{\"blocks\":[],\"limit\":200,\"offset\":241,\"total\":241}\n");
}
END_TEST

START_TEST(headers_come_from_genesis_in_both_forms)
{
    static struct header room[300];
    struct headers_wire_batch batch = {.room = room, .max = 300};
    const char *const *forms[] = {
        QUERY("from", "0", "count", "10000"),
        QUERY("from", "0", "count", "10000", "form", "compact")};

    for (size_t i = 0; i < 2; i++) {
        ck_assert_ptr_nonnull(ask("/peer/v1/headers", forms[i]));
        ck_assert_uint_eq(say.status, 200);
        ASSERT_OK(headers_wire_decode(say.body.data, say.body.len, &batch, &test_err));
        ck_assert_uint_eq(batch.count, 241);
        ck_assert_mem_eq(room[0].hash, cfg.params->genesis_hash, 32);
    }
}
END_TEST

START_TEST(a_row_that_rotted_is_not_served)
{
    struct chaindb_header h;
    struct chaindb *db;
    char path[100];
    bool found;

    (void)snprintf(path, sizeof(path), "%s/generations/1/chain.db", dir);
    ASSERT_OK(chaindb_open(path, CHAINDB_WRITER, &db, &test_err));
    ASSERT_OK(chaindb_active_at(db, 7, &found, &h, &test_err));
    h.hash[31] ^= 1; /* another row, and the active chain leads to it */
    ASSERT_OK(chaindb_header_put(db, &h, &found, &test_err));
    ck_assert(found);
    ASSERT_OK(chaindb_active_set(db, 7, h.hash, &test_err));
    chaindb_close(db);
    ck_assert_ptr_nonnull(ask("/peer/v1/headers", QUERY("from", "0", "count", "7")));
    ck_assert_uint_eq(say.status, 200);
    assert_error("/peer/v1/headers", QUERY("from", "0", "count", "8"), 500,
                 "{\"error\":\"Internal error\"}\n");
}
END_TEST

START_TEST(hello_can_be_read_and_is_ours)
{
    uint8_t nonce[32], key[32];
    struct hello h;

    memset(nonce, 1, sizeof(nonce));
    identity_public(identity, key);
    ck_assert_ptr_nonnull(ask("/peer/v1/hello", QUERY("nonce", nonce_hex)));
    ASSERT_OK(hello_read(say.body.data, say.body.len, nonce, &h, &test_err));
    ck_assert_mem_eq(h.identity, key, 32);
    ck_assert_str_eq(h.network, "testnet");
    ck_assert(h.has_tip && h.tip_height == 240 && !work_is_zero(&h.tip_work));
    ck_assert(h.has_headers && h.headers_from == 0);
    ck_assert(h.has_blocks && h.blocks_from == 201);
    fake.status.generation = 0; /* none yet */
    ck_assert_ptr_nonnull(ask("/peer/v1/hello", QUERY("nonce", nonce_hex)));
    ASSERT_OK(hello_read(say.body.data, say.body.len, nonce, &h, &test_err));
    ck_assert(!h.has_tip && !h.has_headers && !h.has_blocks);
}
END_TEST

static const struct json *read_checkpoint(struct json_doc **doc)
{
    const struct json_limits limits = {1U << 20, 1U << 12, 16};
    const struct json *body;
    uint8_t key[32];

    ck_assert_ptr_nonnull(ask("/peer/v1/checkpoints", QUERY("nonce", nonce_hex)));
    ASSERT_OK(signed_read("checkpoints", say.body.data, say.body.len, &limits, doc,
                          &body, key, &test_err));
    ck_assert_str_eq(text_of(body, "nonce"), nonce_hex);
    return json_get(body, "checkpoints")->first;
}

static void add_checkpoint(const char *source, const char *provenance)
{
    struct control_checkpoint k = {.height = 500, .generation = 1, .job_id = 1};
    struct control *control;
    char path[100];
    int64_t id;

    k.source = xstrdup(source);
    k.trust = xstrdup("attested");
    k.provenance = xstrdup(provenance);
    (void)snprintf(path, sizeof(path), "%s/control.db", dir);
    ASSERT_OK(control_open(path, CONTROL_WRITER, &control, &test_err));
    ASSERT_OK(control_checkpoint_insert(control, &k, &id, &test_err));
    control_close(control);
    free(k.source);
    free(k.trust);
    free(k.provenance);
}

START_TEST(a_source_that_is_private_is_not_told)
{
    static const struct {
        const char *source;
        bool told;
    } sources[] = {
        {"https://example.org/cp.json", true},
        {"http://192.0.2.1/cp", true},
        {"https://u:pw@example.org/cp", false},
        {"https://example.org/cp?sig=1", false},
        {"/srv/cp.json", false},
        {"inline", false},
        {"ftp://example.org/cp", false},
        {"https://example.org/cp#x", false},
    };

    for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
        CLEANUP(json_free) struct json_doc *doc = NULL;
        const struct json *k;

        add_checkpoint(sources[i].source, "{}");
        k = read_checkpoint(&doc); /* the newest is the first */
        ck_assert_uint_eq(u64_of(k, "height"), 500);
        if (sources[i].told)
            ck_assert_str_eq(text_of(k, "source"), sources[i].source);
        else
            ck_assert(json_is_null(json_get(k, "source")));
    }
}
END_TEST

START_TEST(signatures_are_those_of_the_provenance)
{
    CLEANUP(json_free) struct json_doc *one = NULL, *two = NULL;
    const struct json *k;

    add_checkpoint("inline", "{\"signatures\":[{\"b\":1,\"a\":\"x\"}],"
                             "\"header_proof\":{\"kind\":\"full\"}}");
    k = read_checkpoint(&one);
    ck_assert_str_eq(text_of(json_get(k, "signatures")->first, "a"), "x");
    ck_assert(bool_of(k, "work_proven"));
    add_checkpoint("inline", "no document");
    k = read_checkpoint(&two);
    ck_assert_uint_eq(json_get(k, "signatures")->len, 0);
    ck_assert(!bool_of(k, "work_proven"));
}
END_TEST

START_TEST(health_names_what_is_wrong)
{
    static const struct {
        bool chain, peers, ready;
        const char *error;
    } cases[] = {{true, true, true, NULL},
                 {true, true, false, "\"error\":\"not_synced\""},
                 {true, false, true, "\"error\":\"no_connected_peers\""},
                 {false, true, true, "\"error\":\"no_chain\""}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fake.status.generation = cases[i].chain ? 1 : 0;
        fake.status.ready = cases[i].ready;
        fake.peers = cases[i].peers ? 1 : 0;
        ck_assert_ptr_nonnull(ask("/health", NULL));
        ck_assert_uint_eq(say.status, cases[i].error ? 503 : 200);
        if (cases[i].error)
            ck_assert_ptr_nonnull(strstr(say.body.data, cases[i].error));
        else
            ck_assert_ptr_null(strstr(say.body.data, "\"error\""));
    }
}
END_TEST

START_TEST(peers_are_told_as_json)
{
    ck_assert_str_eq(ask("/peers", NULL),
                     "{\"count\":2,\"peers\":[\"http://a\",\"b\\\"\"],"
                     "\"verbose\":false}\n");
}
END_TEST

START_TEST(no_uptime_is_negative)
{
    fake.status.started_ms = INT64_MAX;
    ck_assert_ptr_nonnull(strstr(ask("/stats", NULL), "\"node_uptime\":0.0,"));
}
END_TEST

START_TEST(numbers_have_a_range)
{
    assert_error("/peer/v1/headers", NULL, 400,
                 "{\"error\":\"from must be a height\"}\n");
    assert_error("/peer/v1/headers", QUERY("from", "9223372036854775808", "count", "1"),
                 400, "{\"error\":\"from must be a height\"}\n");
    assert_error("/peer/v1/headers", QUERY("from", "1", "count", "10001"), 400,
                 "{\"error\":\"count must be from 1 to 10000\"}\n");
    assert_error("/peer/v1/blocks", QUERY("from", "1", "count", "0"), 400,
                 "{\"error\":\"count must be from 1 to 1000\"}\n");
    assert_error("/peer/v1/headers", QUERY("from", "1", "count", "1", "form", ""), 400,
                 "{\"error\":\"form must be json or compact\"}\n");
    assert_error("/peer/v1/hello", QUERY("nonce", "00"), 400,
                 "{\"error\":\"nonce must be 64 lower-case hex digits\"}\n");
    ck_assert_str_eq(
        ask("/peer/v1/headers", QUERY("from", "9223372036854775807", "count", "10000")),
        "");
    ck_assert_uint_eq(say.status, 200);
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("public");
    TCase *t = tcase_create("public");

    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_add_test(t, other_paths_lead_nowhere);
    tcase_add_test(t, a_block_is_its_canonical_text);
    tcase_add_test(t, blocks_that_are_not_here);
    tcase_add_test(t, a_page_goes_down_to_bare_headers);
    tcase_add_test(t, headers_come_from_genesis_in_both_forms);
    tcase_add_test(t, a_row_that_rotted_is_not_served);
    tcase_add_test(t, hello_can_be_read_and_is_ours);
    tcase_add_test(t, a_source_that_is_private_is_not_told);
    tcase_add_test(t, signatures_are_those_of_the_provenance);
    tcase_add_test(t, health_names_what_is_wrong);
    tcase_add_test(t, peers_are_told_as_json);
    tcase_add_test(t, no_uptime_is_negative);
    tcase_add_test(t, numbers_have_a_range);
    suite_add_tcase(s, t);
    return s;
}
