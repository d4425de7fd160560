#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hex.h"
#include "rpc/api.h"
#include "rpc/audit_export.h"
#include "rpc/jsonpart.h"
#include "store/control.h"
#include "store/control_audit_chain.h"
#include "tests/unit/fake_engine.h"
#include "tests/unit/test.h"

/* What is kept, as it is read over plain HTTP and for an export. */
static char dir[64];
static struct control *control;
static struct reads *reads;
static struct rpc_config cfg;
static struct rpc_ctx ctx;

static void set_up(void)
{
    char path[100];

    fake_reset();
    (void)snprintf(dir, sizeof(dir), "/tmp/cairn-reads-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    (void)snprintf(path, sizeof(path), "%s/control.db", dir);
    ASSERT_OK(control_open(path, CONTROL_WRITER, &control, &test_err));
    reads = reads_create(&fake, dir);
    cfg = (struct rpc_config){.data_dir = dir};
    ctx = (struct rpc_ctx){
        .cfg = &cfg, .engine = &fake, .reads = reads, .methods = methods_table()};
}

static int remove_one(const char *path, const struct stat *st, int flag,
                      struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

static void tear_down(void)
{
    reads_free(reads);
    control_close(control);
    fake_forget();
    ck_assert_int_eq(nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

/* What a read answers to a query, an object of strings. */
static void assert_read(const char *method, const char *query, const char *want)
{
    cJSON *values = cJSON_Parse(query);
    char *text;

    ASSERT_OK(api_answer(&ctx, method, values, &text, &test_err));
    ck_assert_str_eq(text, want);
    free(text);
    cJSON_Delete(values);
}

static void assert_refused(const char *method, const char *query, const char *why)
{
    cJSON *values = cJSON_Parse(query);
    struct err err;
    char *text = NULL;

    ck_assert_int_eq(api_answer(&ctx, method, values, &text, &err), ERR_INVALID);
    ck_assert_str_eq(err.msg, why);
    ck_assert_ptr_null(text);
    cJSON_Delete(values);
}

static void reject(int64_t at_ms, const char *reason, const char *source)
{
    char peers[] = "[]", verdict[] = "{}";
    struct control_rejection r = {.at_ms = at_ms, .peers = peers, .verdict = verdict};
    int64_t id;

    r.reason = xstrdup(reason);
    r.source = xstrdup(source);
    ASSERT_OK(control_rejection_insert(control, &r, &id, &test_err));
    free(r.reason);
    free(r.source);
}

START_TEST(rejections_are_counted)
{
    assert_read("rejections.stats", "{}",
                "{\"by_reason\":[],\"by_source\":[],\"total\":0}");
    reject(1000, "unsigned", "b");
    reject(2000, "no_quorum", "a");
    reject(3000, "no_quorum", "b");
    reject(4000, "expired", "b");
    assert_read("rejections.stats", "{}",
                "{\"by_reason\":[{\"reason\":\"no_quorum\",\"count\":2},"
                "{\"reason\":\"expired\",\"count\":1},"
                "{\"reason\":\"unsigned\",\"count\":1}],"
                "\"by_source\":[{\"source\":\"b\",\"count\":3},"
                "{\"source\":\"a\",\"count\":1}],\"total\":4}");
    assert_read("rejections.stats", "{\"since\":\"1970-01-01T00:00:03.000Z\"}",
                "{\"by_reason\":[{\"reason\":\"expired\",\"count\":1},"
                "{\"reason\":\"no_quorum\",\"count\":1}],"
                "\"by_source\":[{\"source\":\"b\",\"count\":2}],\"total\":2}");
}
END_TEST

START_TEST(of_many_sources_the_worst_are_named)
{
    cJSON *query = cJSON_CreateObject(), *answer;
    const cJSON *by_source;
    char source[20], *text;

    for (int i = 0; i < 101; i++) {
        (void)snprintf(source, sizeof(source), "s%03d", i);
        reject(1000, "unsigned", source);
    }
    reject(1000, "unsigned", "s100");
    ASSERT_OK(api_answer(&ctx, "rejections.stats", query, &text, &test_err));
    answer = cJSON_Parse(text);
    by_source = cJSON_GetObjectItem(answer, "by_source");
    ck_assert_int_eq(cJSON_GetArraySize(by_source), 100);
    ck_assert_str_eq(
        cJSON_GetObjectItem(cJSON_GetArrayItem(by_source, 0), "source")->valuestring,
        "s100");
    ck_assert_int_eq(cJSON_GetObjectItem(answer, "total")->valueint, 102);
    cJSON_Delete(answer);
    cJSON_Delete(query);
    free(text);
}
END_TEST

START_TEST(queries_are_checked_as_parameters_are)
{
    reject(1000, "unsigned", "a");
    reject(2000, "unsigned", "b");
    assert_read("rejections.list", "{\"limit\":\"1\",\"cursor\":\"2\"}",
                "{\"rejections\":[{\"id\":1,\"at\":\"1970-01-01T00:00:01.000Z\","
                "\"height\":null,\"block_hash\":null,\"state_hash\":null,"
                "\"source\":\"a\",\"peers\":[],\"reason\":\"unsigned\","
                "\"rules\":null}],\"next\":null}");
    assert_refused("rejections.list", "{\"limit\":\"0\"}",
                   "limit: integer 1..1000 expected");
    assert_refused("rejections.list", "{\"limit\":\"1001\"}",
                   "limit: integer 1..1000 expected");
    assert_refused("rejections.list", "{\"limit\":\"\"}",
                   "limit: integer 1..1000 expected");
    assert_refused("rejections.list", "{\"limit\":\"1e2\"}",
                   "limit: integer 1..1000 expected");
    assert_refused("rejections.list", "{\"limit\":\"00000000000000005\"}",
                   "limit: integer 1..1000 expected");
    assert_refused("rejections.list", "{\"cursor\":\"-1\"}",
                   "cursor: a list's next expected");
    assert_refused("sync.status", "{\"limit\":\"1\"}", "limit: unknown field");
}
END_TEST

START_TEST(every_path_reads_a_method_of_the_table)
{
    static const char *const paths[] = {"/api/v1/status",      "/api/v1/jobs",
                                        "/api/v1/checkpoints", "/api/v1/rejections",
                                        "/api/v1/peers",       "/api/v1/incidents"};

    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        const char *name = api_method(paths[i]);
        const struct method *m;

        ck_assert_msg(name != NULL, "%s", paths[i]);
        m = methods_find(methods_table(), name);
        ck_assert_ptr_nonnull(m);
        ck_assert_int_eq(m->role, RPC_ROLE_READ);
        for (const struct param_spec *p = m->params; p->name; p++)
            ck_assert(!p->admin && !p->required && p->type != PARAM_OBJECT);
    }
    ck_assert_ptr_null(api_method("/api/v1/stop"));
    ck_assert_ptr_null(api_method("/api/v1/"));
}
END_TEST

START_TEST(generations_are_listed)
{
    struct control_generation g = {.state = CONTROL_GEN_FAILED};
    int64_t id;

    ASSERT_OK(control_generation_insert(control, 1000, &id, &test_err));
    g.id = id;
    g.created_ms = 1000;
    g.height = 7; /* of a base that was never complete */
    ASSERT_OK(control_generation_update(control, &g, &test_err));
    ASSERT_OK(control_generation_insert(control, 2000, &id, &test_err));
    g = (struct control_generation){.id = id,
                                    .state = CONTROL_GEN_BUILDING,
                                    .height = 200,
                                    .block_hash = {[31] = 1},
                                    .state_root = {[31] = 2},
                                    .created_ms = 2000};
    ASSERT_OK(control_generation_update(control, &g, &test_err));
    ASSERT_OK(control_generation_activate(control, id, 3000, &test_err));
#define ZEROS "00000000000000000000000000000000000000000000000000000000000000"
    assert_read(
        "generations.list", "{}",
        "{\"generations\":[{\"generation\":2,\"state\":\"live\",\"height\":200,"
        "\"block_hash\":\"" ZEROS "01\",\"state_root\":\"" ZEROS "02\","
        "\"checkpoint_id\":null,\"created_at\":\"1970-01-01T00:00:02.000Z\","
        "\"activated_at\":\"1970-01-01T00:00:03.000Z\"},"
        "{\"generation\":1,\"state\":\"failed\",\"height\":null,\"block_hash\":null,"
        "\"state_root\":null,\"checkpoint_id\":null,"
        "\"created_at\":\"1970-01-01T00:00:01.000Z\",\"activated_at\":null}]}");
}
END_TEST

START_TEST(the_policy_in_force_is_the_engines)
{
    fake.answer = "{\"quorum\":3}";
    assert_read("policy.get", "{}", "{\"quorum\":3}");
    ck_assert_int_eq(fake.op, ENGINE_POLICY_GET);
}
END_TEST

START_TEST(the_head_is_the_engines_word)
{
    fake.answer = "{\"entries\":3,\"head\":\"x\"}";
    assert_read("audit.head", "{}", "{\"entries\":3,\"head\":\"x\"}");
    ck_assert_int_eq(fake.op, ENGINE_AUDIT_HEAD);
    ASSERT_OK(control_audit_append(control, 1, "kind", "{}", &test_err));
    assert_read("audit.export", "{}",
                "{\"url\":\"/api/v1/audit.ndjson\",\"entries\":1}");
}
END_TEST

/* The whole export in pieces of at most room bytes; the caller frees it. */
static char *export_all(struct audit_export *x, size_t room)
{
    struct buf text = BUF(1 << 24);
    char *piece = xcalloc(1, room);
    size_t len;

    do {
        ASSERT_OK(audit_export_read(x, piece, room, &len, &test_err));
        ck_assert_uint_le(len, room);
        buf_put(&text, piece, len);
    } while (len > 0);
    ASSERT_OK(audit_export_read(x, piece, room, &len, &test_err));
    ck_assert_uint_eq(len, 0); /* it stays at the end */
    free(piece);
    return text.data ? buf_take(&text) : xstrdup("");
}

/* Walks the chain of an export by nothing but its lines. */
static int64_t walk(char *text, uint8_t head[32])
{
    struct control_audit_chain chain = {.check.ok = true};
    char *save = NULL;

    for (char *line = strtok_r(text, "\n", &save); line;
         line = strtok_r(NULL, "\n", &save)) {
        cJSON *o = cJSON_Parse(line);
        struct control_audit_entry e = {.kind = "kind"};
        struct span body;
        char *stored;

        ck_assert_ptr_nonnull(o);
        e.seq = (int64_t)cJSON_GetObjectItem(o, "seq")->valuedouble;
        e.at_ms = e.seq * 1000 + 7;
        ck_assert(jsonpart_member((struct span){line, strlen(line)}, "body", &body));
        e.body = stored = xstrndup(body.at, body.len);
        ck_assert(hex_hash(cJSON_GetObjectItem(o, "prev")->valuestring, e.prev));
        ck_assert(hex_hash(cJSON_GetObjectItem(o, "hash")->valuestring, e.hash));
        control_audit_chain_add(&chain, &e, true, true);
        free(stored);
        cJSON_Delete(o);
    }
    ck_assert_msg(chain.check.ok, "%s", chain.check.what);
    memcpy(head, chain.hash, 32);
    return chain.check.entries;
}

static void append(int64_t from, int64_t to)
{
    for (int64_t i = from; i <= to; i++)
        ASSERT_OK(control_audit_append(control, i * 1000 + 7, "kind",
                                       "{\"n\": 1.0,\"t\":\"\\u0041\"}", &test_err));
}

START_TEST(an_export_is_whole_in_pieces_of_any_size)
{
    static const size_t rooms[] = {1, 7, 300, 1 << 20};
    uint8_t head[32], want[32];
    int64_t entries;

    append(1, 50);
    ASSERT_OK(control_audit_head(control, &entries, want, &test_err));
    for (size_t i = 0; i < sizeof(rooms) / sizeof(rooms[0]); i++) {
        struct audit_export *x;
        char *text;

        ASSERT_OK(audit_export_open(reads, &x, &test_err));
        text = export_all(x, rooms[i]);
        ck_assert_ptr_nonnull(strstr(text, "\"at\":\"1970-01-01T00:00:01.007Z\","
                                           "\"kind\":\"kind\",\"body\":{\"n\": 1.0,"
                                           "\"t\":\"\\u0041\"},\"prev\":"));
        ck_assert_int_eq(walk(text, head), 50);
        ck_assert_int_eq(memcmp(head, want, 32), 0);
        free(text);
        audit_export_free(x);
    }
}
END_TEST

START_TEST(an_export_ends_where_the_log_ended_when_it_began)
{
    struct audit_export *x;
    uint8_t head[32], want[32];
    int64_t entries;
    char *text;

    ASSERT_OK(audit_export_open(reads, &x, &test_err));
    append(1, 1);
    text = export_all(x, 100);
    ck_assert_str_eq(text, "");
    free(text);
    audit_export_free(x);
    append(2, 20);
    ASSERT_OK(control_audit_head(control, &entries, want, &test_err));
    ASSERT_OK(audit_export_open(reads, &x, &test_err));
    append(21, 40);
    text = export_all(x, 100);
    ck_assert_int_eq(walk(text, head), 20);
    ck_assert_int_eq(memcmp(head, want, 32), 0);
    free(text);
    audit_export_free(x);
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("rpc_reads");
    TCase *t = tcase_create("rpc_reads");

    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, rejections_are_counted);
    tcase_add_test(t, of_many_sources_the_worst_are_named);
    tcase_add_test(t, queries_are_checked_as_parameters_are);
    tcase_add_test(t, every_path_reads_a_method_of_the_table);
    tcase_add_test(t, generations_are_listed);
    tcase_add_test(t, the_policy_in_force_is_the_engines);
    tcase_add_test(t, the_head_is_the_engines_word);
    tcase_add_test(t, an_export_is_whole_in_pieces_of_any_size);
    tcase_add_test(t, an_export_ends_where_the_log_ended_when_it_began);
    suite_add_tcase(s, t);
    return s;
}
