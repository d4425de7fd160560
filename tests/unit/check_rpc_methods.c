#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hex.h"
#include "rpc/jsonrpc.h"
#include "store/control.h"
#include "sync/job_fsm.h"
#include "tests/unit/coins.h"
#include "tests/unit/fake_engine.h"
#include "tests/unit/test.h"

/* Each method on real databases, with an engine that says what the test wants. */
static char dir[64];
static struct control *control;
static struct reads *reads;
static struct chain_params params;
static struct rpc_config cfg;
static struct rpc_ctx ctx;
static struct buf out;

static void set_up(void)
{
    char path[100];

    fake_reset();
    (void)snprintf(dir, sizeof(dir), "/tmp/cairn-methods-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    (void)snprintf(path, sizeof(path), "%s/control.db", dir);
    ASSERT_OK(control_open(path, CONTROL_WRITER, &control, &test_err));
    (void)snprintf(params.network, sizeof(params.network), "testnet");
    cfg = (struct rpc_config){
        .data_dir = dir, .params = &params, .config_json = "{\"quorum\": 3.0}"};
    reads = reads_create(&fake, dir);
    ctx = (struct rpc_ctx){.cfg = &cfg,
                           .engine = &fake,
                           .reads = reads,
                           .methods = methods_table(),
                           .role = RPC_ROLE_ADMIN,
                           .actor = "deploy"};
    out = BUF(JSONRPC_ANSWER_MAX);
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
    buf_fini(&out);
    reads_free(reads);
    control_close(control);
    fake_forget();
    ck_assert_int_eq(nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static const char *ask(const char *method, const char *fields)
{
    char text[600];
    int n = snprintf(text, sizeof(text),
                     "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":%s}",
                     method, fields);

    buf_reset(&out);
    ck_assert_int_eq(jsonrpc_answer(&ctx, (struct span){text, (size_t)n}, &out),
                     JSONRPC_ANSWERED);
    return out.data;
}

/* The result, as text. */
static void assert_result(const char *method, const char *fields, const char *want)
{
    char *whole = xasprintf("{\"jsonrpc\":\"2.0\",\"result\":%s,\"id\":1}", want);

    ck_assert_str_eq(ask(method, fields), whole);
    free(whole);
}

static void assert_error(const char *method, const char *fields, int code,
                         const char *detail)
{
    char code_text[40];

    ask(method, fields);
    (void)snprintf(code_text, sizeof(code_text), "\"error\":{\"code\":%d,", code);
    ck_assert_msg(strstr(out.data, code_text), "%s", out.data);
    ck_assert_msg(strstr(out.data, detail), "%s", out.data);
}

#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define Z64 "0000000000000000000000000000000000000000000000000000000000000000"

START_TEST(status_has_one_shape)
{
    struct engine_status *s = &fake.status;

    s->started_ms = INT64_MAX; /* a clock set back: no negative uptime */
    assert_result("sync.status", "{}",
                  "{\"state\":\"idle\",\"waiting_for\":null,\"job_id\":null,"
                  "\"progress\":{\"stage\":null,\"done\":0,\"total\":null,"
                  "\"percent\":null,\"unit\":null,\"rate\":0,\"eta_seconds\":null},"
                  "\"tip\":null,\"network_height\":null,\"behind\":null,"
                  "\"checkpoint\":null,\"generation\":null,\"incidents\":0,"
                  "\"uptime_seconds\":0}");
    s->state = ENGINE_FOLLOWING;
    s->job_id = 7;
    s->has_tip = s->has_network_height = s->has_checkpoint = true;
    s->tip_height = 240;
    memset(s->tip_hash, 0xaa, 32);
    s->tip_work.be[WORK_BYTES - 2] = 1;
    s->network_height = 243;
    s->checkpoint_height = 200;
    (void)snprintf(s->checkpoint_trust, sizeof(s->checkpoint_trust), "attested");
    s->generation = 2;
    s->incidents_open = 1;
    (void)snprintf(s->progress.stage, sizeof(s->progress.stage), "blocks");
    (void)snprintf(s->progress.unit, sizeof(s->progress.unit), "blocks");
    s->progress.done = 1;
    s->progress.total = 3;
    s->progress.rate = 12.345;
    s->progress.eta_seconds = 0;
    (void)snprintf(s->waiting_for, sizeof(s->waiting_for), "a \xff");
    assert_result(
        "sync.status", "{}",
        "{\"state\":\"following\",\"waiting_for\":\"a ?\",\"job_id\":\"job-7\","
        "\"progress\":{\"stage\":\"blocks\",\"done\":1,\"total\":3,"
        "\"percent\":33.33,\"unit\":\"blocks\",\"rate\":12.35,"
        "\"eta_seconds\":0},"
        "\"tip\":{\"height\":240,\"block_hash\":\"" A64
        "\",\"work\":\"256\"},\"network_height\":243,\"behind\":3,"
        "\"checkpoint\":{\"height\":200,\"block_hash\":\"" Z64
        "\",\"trust\":\"attested\"},\"generation\":2,\"incidents\":1,"
        "\"uptime_seconds\":0}");
    s->network_height = 100; /* peers behind us */
    ck_assert_ptr_nonnull(strstr(ask("sync.status", "{}"), "\"behind\":0,"));
}
END_TEST

START_TEST(a_start_reaches_the_engine_as_it_was_asked)
{
    fake.answer = "{\"job_id\":\"job-9\"}";
    assert_result(
        "sync.start",
        "{\"payload\":{\"a\":12.0,\"b\":12},\"height\":5,\"block_hash\":\"" A64
        "\",\"mode\":\"full\",\"dry_run\":true,\"idempotency_key\":\"k\"}",
        "{\"job_id\":\"job-9\"}");
    ck_assert_int_eq(fake.op, ENGINE_SYNC_START);
    ck_assert_str_eq(fake.payload, "{\"a\":12.0,\"b\":12}");
    ck_assert(fake.has_height && fake.full && fake.dry_run);
    ck_assert_uint_eq(fake.height, 5);
    ck_assert_str_eq(fake.block_hash, A64);
    ck_assert_str_eq(fake.key, "k");
    ck_assert_str_eq(fake.actor, "deploy");
    ck_assert_ptr_null(fake.url);
    ask("sync.rebootstrap", "{\"reason\":\"why\",\"url\":\"u\",\"mode\":\"partial\"}");
    ck_assert_int_eq(fake.op, ENGINE_SYNC_REBOOTSTRAP);
    ck_assert_str_eq(fake.reason, "why");
    ck_assert_str_eq(fake.actor, "deploy");
    ck_assert_str_eq(fake.url, "u");
    ck_assert(!fake.full && !fake.dry_run && !fake.has_height);
    ask("sync.start", "{}");
    ck_assert(!fake.full);
    ck_assert_ptr_null(fake.payload);
    fake_forget();
    assert_error("sync.start", "{\"url\":\"u\",\"path\":\"p\"}", -32602,
                 "url, path, payload: at most one of them");
    ck_assert_ptr_null(fake.url);
}
END_TEST

START_TEST(other_calls_reach_the_engine_too)
{
    fake.answer = "{\"accepted\":false,\"rules\":[]}";
    assert_result("checkpoint.evaluate", "{\"path\":\"p\"}",
                  "{\"accepted\":false,\"rules\":[]}");
    ck_assert_int_eq(fake.op, ENGINE_EVALUATE);
    ck_assert_str_eq(fake.path, "p");
    assert_result("peers.list", "{}", "{\"accepted\":false,\"rules\":[]}");
    ck_assert_int_eq(fake.op, ENGINE_PEERS_LIST);
    (void)err_fail(&fake.err, REASON_BUSY, "full");
    assert_error("peers.list", "{}", -32005, "\"detail\":\"full\"");
    assert_error("sync.start", "{}", -32005, "\"detail\":\"full\"");
    assert_error("checkpoint.evaluate", "{}", -32005, "\"detail\":\"full\"");
    assert_error("sync.cancel", "{\"job_id\":\"job-1\"}", -32005,
                 "\"detail\":\"full\"");
    ck_assert_int_eq(fake.op, ENGINE_SYNC_CANCEL);
    ck_assert_int_eq(fake.job_id, 1);
    ck_assert_str_eq(fake.actor, "deploy");
}
END_TEST

static char kind_bootstrap[] = "bootstrap";

static int64_t put_job(enum job_state state)
{
    char request[] = "{\"source\":\"http:\\/\\/x\",\"height\":12.0}";
    struct control_job j = {.state = (int)state,
                            .kind = kind_bootstrap,
                            .request = request,
                            .created_ms = 1000,
                            .updated_ms = 1000};
    int64_t id;

    ASSERT_OK(control_job_insert(control, &j, &id, &test_err));
    return id;
}

static void end_job(int64_t id, enum job_state state)
{
    struct control_job j = {0};

    ASSERT_OK(control_job_get(control, id, &j, &test_err));
    j.state = (int)state;
    j.ended_ms = 3500;
    j.error = xstrdup("{\"reason\":\"no_peers\"}");
    ASSERT_OK(control_job_update(control, &j, &test_err));
    control_job_fini(&j);
}

#define JOB_1                                                                           \
    "{\"job_id\":\"job-1\",\"kind\":\"bootstrap\",\"state\":\"failed\",\"stage\":"      \
    "\"failed\",\"stages\":[{\"name\":\"discovering\",\"state\":\"failed\","            \
    "\"started_at\":\"1970-01-01T00:00:01.500Z\",\"ended_at\":null,\"detail\":\"d\"}]," \
    "\"checkpoint\":null,\"result\":null,\"error\":{\"reason\":\"no_peers\"},"          \
    "\"request\":{\"source\":\"http:\\/\\/x\",\"height\":12.0},"                        \
    "\"sources\":[{\"url\":\"http://x\"}],\"progress\":null,"                           \
    "\"created_at\":\"1970-01-01T00:00:01.000Z\","                                      \
    "\"ended_at\":\"1970-01-01T00:00:03.500Z\"}"

START_TEST(a_job_is_shown_with_its_stages)
{
    char outcome[] = "failed", detail[] = "d";
    struct control_stage stage = {.job_id = put_job(JOB_DISCOVERING),
                                  .state = JOB_DISCOVERING,
                                  .started_ms = 1500,
                                  .outcome = outcome,
                                  .detail = detail};

    ASSERT_OK(control_stage_put(control, &stage, &test_err));
    end_job(1, JOB_FAILED);
    assert_result("jobs.get", "{\"job_id\":\"job-1\"}", JOB_1);
    assert_result("sync.wait", "{\"job_id\":\"job-1\"}", JOB_1);
    assert_result("sync.cancel", "{\"job_id\":\"job-1\"}", JOB_1);
    assert_result("jobs.list", "{}", "{\"jobs\":[" JOB_1 "],\"next\":null}");
    assert_error("jobs.get", "{\"job_id\":\"job-2\"}", -32003, "job");
    assert_error("sync.wait", "{\"job_id\":\"job-2\"}", -32003, "job");
}
END_TEST

START_TEST(acts_on_peers_go_to_the_engine)
{
    fake.answer = "{\"removed\":\"x\"}";
    assert_result("peers.remove", "{\"peer\":\"ws://a\"}", "{\"removed\":\"x\"}");
    ck_assert_int_eq(fake.op, ENGINE_PEERS_REMOVE);
    ck_assert_str_eq(fake.peer, "ws://a");
    ck_assert_str_eq(fake.actor, "deploy");
    ask("peers.ban", "{\"peer\":\"ws://b\",\"reason\":\"why\",\"seconds\":60}");
    ck_assert_int_eq(fake.op, ENGINE_PEERS_BAN);
    ck_assert_uint_eq(fake.ban_seconds, 60);
    ck_assert_str_eq(fake.reason, "why");
    ask("peers.ban", "{\"peer\":\"ws://b\"}");
    ck_assert_uint_eq(fake.ban_seconds, 86400);
    ck_assert_ptr_null(fake.reason);
    ask("peers.add", "{\"peer\":\"ws://c\"}");
    ck_assert_int_eq(fake.op, ENGINE_PEERS_ADD);
    ask("peers.unban", "{\"peer\":\"ws://d\"}");
    ck_assert_int_eq(fake.op, ENGINE_PEERS_UNBAN);
    ck_assert_str_eq(fake.peer, "ws://d");
    assert_error("peers.add", "{}", -32602, "peer");
    assert_error("peers.ban", "{\"peer\":\"ws://b\",\"seconds\":59}", -32602,
                 "seconds");
}
END_TEST

START_TEST(a_wait_is_asked_for_while_the_job_runs)
{
    static const char text[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"sync.wait\","
                               "\"params\":{\"job_id\":\"job-1\"}}";
    struct span body = {text, sizeof(text) - 1};

    put_job(JOB_FETCHING);
    ctx.may_wait = true;
    ck_assert_int_eq(jsonrpc_answer(&ctx, body, &out), JSONRPC_WAIT);
    ck_assert_int_eq(ctx.wait_job, 1);
    ck_assert_int_eq(ctx.wait_ms, 30000);
    ctx.wait_job = 0;
    ask("sync.wait", "{\"job_id\":\"job-1\",\"timeout_ms\":0}");
    ck_assert_ptr_nonnull(strstr(out.data, "\"state\":\"running\""));
    end_job(1, JOB_CANCELLED);
    buf_reset(&out);
    ck_assert_int_eq(jsonrpc_answer(&ctx, body, &out), JSONRPC_ANSWERED);
    ck_assert_ptr_nonnull(strstr(out.data, "\"state\":\"cancelled\""));
}
END_TEST

/* The job ids of a page, "3 2 ", and its cursor. */
static const char *page_of_jobs(const char *fields, char cursor[24])
{
    static char ids[200];
    cJSON *answer = cJSON_Parse(ask("jobs.list", fields));
    const cJSON *result = cJSON_GetObjectItem(answer, "result"), *job = NULL;
    const cJSON *next = cJSON_GetObjectItem(result, "next");
    size_t n = 0;

    ids[0] = cursor[0] = '\0';
    cJSON_ArrayForEach (job, cJSON_GetObjectItem(result, "jobs"))
        n += (size_t)snprintf(ids + n, sizeof(ids) - n, "%s ",
                              cJSON_GetObjectItem(job, "job_id")->valuestring + 4);
    if (cJSON_IsString(next))
        (void)snprintf(cursor, 24, "%s", next->valuestring);
    cJSON_Delete(answer);
    return ids;
}

START_TEST(jobs_come_in_pages_whatever_the_filter)
{
    char cursor[24];

    for (int i = 1; i <= 9; i++) {
        put_job(JOB_FETCHING);
        if (i % 3 != 0)
            end_job(i, JOB_CANCELLED);
    }
    ck_assert_str_eq(page_of_jobs("{}", cursor), "9 8 7 6 5 4 3 2 1 ");
    ck_assert_str_eq(cursor, "");
    ck_assert_str_eq(page_of_jobs("{\"limit\":4}", cursor), "9 8 7 6 ");
    ck_assert_str_eq(cursor, "6");
    ck_assert_str_eq(page_of_jobs("{\"limit\":5,\"cursor\":\"6\"}", cursor),
                     "5 4 3 2 1 ");
    ck_assert_str_eq(cursor, "");
    ck_assert_str_eq(page_of_jobs("{\"limit\":2,\"state\":\"running\"}", cursor),
                     "9 6 ");
    ck_assert_str_eq(cursor, "6");
    ck_assert_str_eq(
        page_of_jobs("{\"limit\":2,\"state\":\"running\",\"cursor\":\"6\"}", cursor),
        "3 ");
    ck_assert_str_eq(cursor, "");
    ck_assert_str_eq(page_of_jobs("{\"state\":\"succeeded\"}", cursor), "");
}
END_TEST

static void put_checkpoint(uint64_t height)
{
    char source[] = "inline", trust[] = "attested";
    char provenance[] = "{\"amount\":12.0}";
    struct control_checkpoint k = {.height = height,
                                   .work = {[39] = 9},
                                   .source = source,
                                   .trust = trust,
                                   .provenance = provenance,
                                   .job_id = put_job(JOB_FOLLOWING),
                                   .accepted_ms = 2000};
    int64_t id;

    ASSERT_OK(control_generation_insert(control, 1000, &k.generation, &test_err));
    memset(k.block_hash, 0xaa, 32);
    ASSERT_OK(control_checkpoint_insert(control, &k, &id, &test_err));
}

#define CHECKPOINT(id, height)                                                     \
    "\"checkpoint_id\":" id ",\"height\":" height ",\"block_hash\":\"" A64         \
    "\",\"state_root\":\"" Z64 "\",\"state_hash\":null,\"work\":\"9\",\"source\":" \
    "\"inline\",\"trust\":\"attested\",\"generation\":" id ",\"job_id\":\"job-" id \
    "\",\"accepted_at\":\"1970-01-01T00:00:02.000Z\""

START_TEST(checkpoints_and_their_provenance)
{
    put_checkpoint(100);
    put_checkpoint(200);
    assert_result("checkpoint.list", "{}",
                  "{\"checkpoints\":[{" CHECKPOINT("2", "200") "},{" CHECKPOINT(
                      "1", "100") "}],\"next\":null}");
    assert_result("checkpoint.list", "{\"limit\":1}",
                  "{\"checkpoints\":[{" CHECKPOINT("2", "200") "}],\"next\":\"2\"}");
    assert_result("checkpoint.list", "{\"cursor\":\"2\"}",
                  "{\"checkpoints\":[{" CHECKPOINT("1", "100") "}],\"next\":null}");
    assert_result("checkpoint.provenance", "{\"height\":100}",
                  "{" CHECKPOINT("1", "100") ",\"provenance\":{\"amount\":12.0}}");
    assert_result("checkpoint.provenance", "{\"checkpoint_id\":2}",
                  "{" CHECKPOINT("2", "200") ",\"provenance\":{\"amount\":12.0}}");
    assert_error("checkpoint.provenance", "{\"height\":101}", -32003, "not_found");
    assert_error("checkpoint.provenance", "{}", -32602, "one of them expected");
    assert_error("checkpoint.provenance", "{\"height\":100,\"checkpoint_id\":1}",
                 -32602, "one of them expected");
}
END_TEST

static void put_rejection(int64_t at_ms, const char *reason, uint64_t height)
{
    char source[] = "http://s", peers[] = "[\"http://p\"]";
    char verdict[] = "{\"accepted\":false,\"rules\":[{\"rule\":\"quorum\"}]}";
    struct control_rejection r = {.at_ms = at_ms,
                                  .has_height = height > 0,
                                  .height = height,
                                  .source = source,
                                  .peers = peers,
                                  .reason = xstrdup(reason),
                                  .verdict = verdict};
    int64_t id;

    ASSERT_OK(control_rejection_insert(control, &r, &id, &test_err));
    free(r.reason);
}

static void assert_rejections(const char *fields, int count)
{
    cJSON *answer = cJSON_Parse(ask("rejections.list", fields));
    const cJSON *result = cJSON_GetObjectItem(answer, "result");

    ck_assert_msg(cJSON_GetArraySize(cJSON_GetObjectItem(result, "rejections")) ==
                      count,
                  "%s: %s", fields, out.data);
    cJSON_Delete(answer);
}

START_TEST(rejections_are_found_by_what_is_known_of_them)
{
    put_rejection(1000, "unsigned", 100);
    put_rejection(2000, "no_quorum", 0);
    assert_result(
        "rejections.list", "{\"limit\":1}",
        "{\"rejections\":[{\"id\":2,\"at\":\"1970-01-01T00:00:02.000Z\",\"height\":null,"
        "\"block_hash\":null,\"state_hash\":null,\"source\":\"http://s\",\"peers\":"
        "[\"http://p\"],\"reason\":\"no_quorum\",\"rules\":[{\"rule\":\"quorum\"}]}],"
        "\"next\":\"2\"}");
    assert_rejections("{}", 2);
    assert_rejections("{\"cursor\":\"2\"}", 1);
    assert_rejections("{\"reason\":\"unsigned\"}", 1);
    assert_rejections("{\"height\":100}", 1);
    assert_rejections("{\"height\":101}", 0);
    assert_rejections("{\"peer\":\"http://p\"}", 2);
    assert_rejections("{\"peer\":\"http://q\"}", 0);
    assert_rejections("{\"since\":\"1970-01-01T00:00:02.000Z\"}", 1);
    assert_error("rejections.list", "{\"reason\":\"bad luck\"}", -32602,
                 "reason: a reason code expected");
}
END_TEST

START_TEST(the_audit_log_is_read_and_verified)
{
    cJSON *answer;
    const cJSON *result;
    char first[65];

    for (int i = 1; i <= 3; i++)
        ASSERT_OK(
            control_audit_append(control, i * 1000, "kind", "{\"n\":1.0}", &test_err));
    answer = cJSON_Parse(ask("audit.list", "{\"limit\":1}"));
    result = cJSON_GetObjectItem(answer, "result");
    ck_assert_ptr_nonnull(strstr(out.data,
                                 "\"seq\":1,\"at\":\"1970-01-01T00:00:01.000Z\","
                                 "\"kind\":\"kind\",\"body\":{\"n\":1.0},"
                                 "\"prev\":\"" Z64 "\""));
    ck_assert_int_eq(cJSON_GetObjectItem(result, "next")->valueint, 1);
    (void)snprintf(
        first, sizeof(first), "%s",
        cJSON_GetObjectItem(
            cJSON_GetArrayItem(cJSON_GetObjectItem(result, "entries"), 0), "hash")
            ->valuestring);
    cJSON_Delete(answer);
    ask("audit.list", "{\"after\":1}");
    ck_assert_ptr_nonnull(strstr(out.data, "\"entries\":[{\"seq\":2,"));
    ck_assert_ptr_nonnull(strstr(out.data, first)); /* as the second's prev */
    ck_assert_ptr_nonnull(strstr(out.data, "\"next\":null"));
    ask("audit.verify", "{}");
    ck_assert_ptr_nonnull(strstr(out.data, "{\"ok\":true,\"entries\":3,\"head\":\""));
    ck_assert_ptr_nonnull(strstr(out.data, "\"first_bad\":null,\"what\":null"));
}
END_TEST

START_TEST(incidents_say_what_to_do)
{
    char kind[] = "reorg_below_checkpoint", subject[] = "s", evidence[] = "{\"h\":1.0}";
    struct control_incident i = {
        .opened_ms = 1000, .kind = kind, .subject = subject, .evidence = evidence};
    bool fresh;
    int64_t id;

    ASSERT_OK(control_incident_open(control, &i, &fresh, &id, &test_err));
    assert_result(
        "incidents.list", "{}",
        "{\"incidents\":[{\"id\":1,\"kind\":\"reorg_below_checkpoint\","
        "\"subject\":\"s\",\"opened_at\":\"1970-01-01T00:00:01.000Z\","
        "\"resolved_at\":null,\"hint\":\"a heavier chain leaves ours below the "
        "checkpoint; see incidents.list\",\"resolved_by\":null,"
        "\"choice\":null,\"note\":null,\"choices\":[\"keep\",\"replaced\"],\"evidence\":{\"h\":1.0}}]}");
}
END_TEST

START_TEST(the_daemon_tells_of_itself)
{
    fake.status.started_ms = 1000;
    ask("daemon.info", "{}");
    ck_assert_ptr_nonnull(
        strstr(out.data, "{\"version\":\"" CAIRN_VERSION "\",\"network\":\"testnet\""));
    ck_assert_ptr_nonnull(strstr(out.data, "\"configuration\":{\"quorum\": 3.0}"));
    ck_assert(!ctx.stop);
    assert_result("daemon.stop", "{}", "{\"stopping\":true}");
    ck_assert(ctx.stop);
    ck_assert_int_eq(fake.op, ENGINE_NOTE_ACT);
    ck_assert_str_eq(fake.reason, "daemon.stop");
    ck_assert_str_eq(fake.actor, "deploy");
    ctx.stop = false;
    (void)err_fail(&fake.err, REASON_DISK_FULL,
                   "full"); /* it can be stopped then too */
    assert_result("daemon.stop", "{}", "{\"stopping\":true}");
    ck_assert(ctx.stop);
}
END_TEST

/* --- the chain: a generation with a base at 100, block 101 on it, 101' beside it ---
 */
static struct coin coins[3];

static const uint8_t *db_hash(uint8_t id)
{
    static uint8_t hash[32];

    memset(hash, id, sizeof(hash));
    return hash;
}

static void put_header(struct chaindb *db, uint8_t id, uint64_t height)
{
    struct chaindb_header h = {.height = height,
                               .timestamp = 1795331962.249715,
                               .difficulty = 4,
                               .nonce = UINT64_MAX,
                               .version = 1,
                               .has_version = true,
                               .status = CHAINDB_VALID,
                               .work = {[39] = id}};
    bool added;

    memset(h.hash, id, 32);
    memset(h.prev, 0x64, 32);
    ASSERT_OK(chaindb_header_put(db, &h, &added, &test_err));
}

static void make_generation(int64_t id)
{
    struct coinfile_id base = {.network = "testnet", .height = 100};
    struct state_block b = {.height = 101,
                            .work = {[39] = 0x65},
                            .spent = &coins[0],
                            .made = &coins[2],
                            .spent_count = 1,
                            .made_count = 1};
    static const char body[] = "{\"index\":101,\"x\":12.0}";
    char *where = xasprintf("%s/generations/%d", dir, (int)id);
    char *file = xasprintf("%s/base.coins", where),
         *idx = xasprintf("%s/base.idx", where);
    char *path = xasprintf("%s/chain.db", where);
    struct coinfile_writer *w;
    struct coinfile_info info;
    struct chaindb *db;
    struct state *s;

    for (uint8_t i = 0; i < 3; i++) {
        coins[i] = (struct coin){.amount = 0.25 + i};
        memset(coins[i].at.txid, 0x10 + i, 32);
        coins[i].at.vout = i;
        (void)snprintf(coins[i].address, sizeof(coins[i].address), "TXAI%d", i);
    }
    ASSERT_OK(coinfile_writer_create(file, idx, &base, &w, &test_err));
    ASSERT_OK(coinfile_writer_add(w, &coins[0], &test_err));
    ASSERT_OK(coinfile_writer_add(w, &coins[1], &test_err));
    ASSERT_OK(coinfile_writer_finish(w, &info, &test_err));
    coinfile_writer_free(w);
    ASSERT_OK(chaindb_open(path, CHAINDB_WRITER, &db, &test_err));
    ASSERT_OK(chaindb_begin(db, &test_err));
    ASSERT_OK(state_init(db, &info, b.work, &test_err));
    ASSERT_OK(chaindb_commit(db, &test_err));
    ASSERT_OK(state_open(where, db, &s, &test_err));
    memset(b.hash, 0x65, 32);
    b.supply = coins_sum(&coins[1], 2);
    ASSERT_OK(chaindb_begin(db, &test_err));
    put_header(db, 0x65, 101);
    put_header(db, 0x66, 101);
    ASSERT_OK(state_apply(s, &b, &test_err));
    ASSERT_OK(chaindb_body_put(db, b.hash, body, sizeof(body) - 1, &test_err));
    ASSERT_OK(chaindb_commit(db, &test_err));
    state_close(s);
    chaindb_close(db);
    free(path);
    free(idx);
    free(file);
    free(where);
}

static void make_generations(void)
{
    char path[100];

    for (int64_t id = 0; id <= 2; id++) {
        (void)snprintf(path, sizeof(path), id ? "%s/generations/%d" : "%s/generations",
                       dir, (int)id);
        ck_assert_int_eq(mkdir(path, 0700), 0);
        if (id > 0)
            make_generation(id);
    }
    fake.status.generation = 1;
}

#define H65 "6565656565656565656565656565656565656565656565656565656565656565"
#define H66 "6666666666666666666666666666666666666666666666666666666666666666"
#define T10 "1010101010101010101010101010101010101010101010101010101010101010"
#define T11 "1111111111111111111111111111111111111111111111111111111111111111"
#define T12 "1212121212121212121212121212121212121212121212121212121212121212"

START_TEST(without_a_state_there_is_no_chain)
{
    static const char *const methods[][2] = {
        {"chain.tip", "{}"},
        {"chain.supply", "{}"},
        {"chain.header", "{\"height\":1}"},
        {"chain.headers", "{\"from\":1}"},
        {"chain.block", "{\"height\":1}"},
        {"chain.coin", "{\"txid\":\"" T10 "\",\"vout\":0}"}};

    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
        assert_error(methods[i][0], methods[i][1], -32004, "no state yet");
    fake.status.generation = 5; /* whose files are gone */
    assert_error("chain.tip", "{}", -32008, "generations/5");
}
END_TEST

START_TEST(the_tip_and_the_supply)
{
    make_generations();
    assert_result("chain.tip", "{}",
                  "{\"height\":101,\"block_hash\":\"" H65
                  "\",\"work\":\"101\",\"supply\":\"3.5\",\"coins\":2}");
    assert_result("chain.supply", "{}",
                  "{\"height\":101,\"block_hash\":\"" H65
                  "\",\"supply\":\"3.5\",\"coins\":2}");
}
END_TEST

#define HEADER(hash, work, active)                                                  \
    "{\"height\":101,\"block_hash\":\"" hash "\",\"previous_hash\":"                \
    "\"6464646464646464646464646464646464646464646464646464646464646464\","         \
    "\"merkle_root\":\"" Z64 "\",\"timestamp\":1795331962.249715,\"difficulty\":4," \
    "\"nonce\":18446744073709551615,\"version\":1,\"signature\":null,"              \
    "\"miner_pubkey\":null,\"work\":\"" work "\",\"active\":" active                \
    ",\"status\":\"valid\"}"

START_TEST(headers_of_every_branch)
{
    make_generations();
    assert_result("chain.header", "{\"height\":101}", HEADER(H65, "101", "true"));
    assert_result("chain.header", "{\"hash\":\"" H65 "\"}", HEADER(H65, "101", "true"));
    assert_result("chain.header", "{\"hash\":\"" H66 "\"}",
                  HEADER(H66, "102", "false"));
    assert_error("chain.header", "{\"hash\":\"" A64 "\"}", -32003, "no block " A64);
    assert_error("chain.header", "{\"height\":102}", -32003, "above the tip, 101");
    assert_error("chain.header", "{\"height\":99}", -32003, "below the checkpoint");
    assert_error("chain.header", "{}", -32602, "height, hash: one of them expected");
    assert_error("chain.header", "{\"height\":101,\"hash\":\"" H65 "\"}", -32602,
                 "height, hash: one of them expected");
}
END_TEST

START_TEST(headers_upwards_to_the_tip)
{
    struct chaindb *db;
    char path[100];

    make_generations();
    assert_result("chain.headers", "{\"from\":101}",
                  "{\"headers\":[" HEADER(H65, "101", "true") "],\"next\":null}");
    assert_error("chain.headers", "{\"from\":102}", -32003, "above the tip, 101");
    assert_error("chain.headers", "{\"from\":99}", -32003, "below the checkpoint");
    (void)snprintf(path, sizeof(path), "%s/generations/1/chain.db", dir);
    ASSERT_OK(chaindb_open(path, CHAINDB_WRITER, &db, &test_err));
    ASSERT_OK(chaindb_begin(db, &test_err));
    put_header(db, 0x64, 100); /* the checkpoint's own, held by who walked its chain */
    ASSERT_OK(chaindb_active_set(db, 100, db_hash(0x64), &test_err));
    ASSERT_OK(chaindb_active_set(db, 102, db_hash(0x66), &test_err)); /* not applied */
    ASSERT_OK(chaindb_commit(db, &test_err));
    chaindb_close(db);
    ask("chain.headers", "{\"from\":100}");
    ck_assert_ptr_nonnull(strstr(out.data, "{\"headers\":[{\"height\":100,"));
    ck_assert_ptr_nonnull(
        strstr(out.data, "," HEADER(H65, "101", "true") "],\"next\":null}"));
    ask("chain.headers", "{\"from\":100,\"count\":1}");
    ck_assert_ptr_null(strstr(out.data, H65));
    ck_assert_ptr_nonnull(strstr(out.data, "}],\"next\":101}"));
}
END_TEST

START_TEST(blocks_as_they_are_stored)
{
    make_generations();
    assert_result("chain.block", "{\"height\":101}",
                  "{\"height\":101,\"block_hash\":\"" H65
                  "\",\"active\":true,\"block\":{\"index\":101,\"x\":12.0}}");
    assert_error("chain.block", "{\"hash\":\"" H66 "\"}", -32003,
                 "only the header of this block is held");
    assert_error("chain.block", "{\"height\":100}", -32003, "below the checkpoint");
}
END_TEST

#define COIN(txid, vout, rest) "{\"txid\":\"" txid "\",\"vout\":" vout "," rest "}"
#define NO_COIN                                                                  \
    "\"unspent\":false,\"amount\":null,\"address\":null,\"script_pubkey\":null," \
    "\"height\":null,\"base\":null"

START_TEST(coins_unspent_and_not)
{
    make_generations();
    assert_result(
        "chain.coin", "{\"txid\":\"" T11 "\",\"vout\":1}",
        COIN(T11, "1",
             "\"unspent\":true,\"amount\":\"1.25\",\"address\":\"TXAI1\","
             "\"script_pubkey\":\"P2PKH TXAI1\",\"height\":null,\"base\":true"));
    assert_result(
        "chain.coin", "{\"txid\":\"" T12 "\",\"vout\":2}",
        COIN(T12, "2",
             "\"unspent\":true,\"amount\":\"2.25\",\"address\":\"TXAI2\","
             "\"script_pubkey\":\"P2PKH TXAI2\",\"height\":101,\"base\":false"));
    assert_result("chain.coin", "{\"txid\":\"" T10 "\",\"vout\":0}",
                  COIN(T10, "0", NO_COIN)); /* spent */
    assert_result("chain.coin", "{\"txid\":\"" T11 "\",\"vout\":4294967295}",
                  COIN(T11, "4294967295", NO_COIN));
}
END_TEST

START_TEST(another_generation_is_read_once_it_is_live)
{
    struct chaindb *db;
    char path[100];

    make_generations();
    ck_assert_ptr_nonnull(strstr(ask("chain.tip", "{}"), "\"height\":101"));
    (void)snprintf(path, sizeof(path), "%s/generations/2/chain.db", dir);
    ASSERT_OK(chaindb_open(path, CHAINDB_WRITER, &db, &test_err));
    ASSERT_OK(chaindb_begin(db, &test_err));
    put_header(db, 0x67, 102);
    ASSERT_OK(chaindb_commit(db, &test_err));
    chaindb_close(db);
    assert_error(
        "chain.header",
        "{\"hash\":\"6767676767676767676767676767676767676767676767676767676767"
        "676767\"}",
        -32003, "no block");
    fake.status.generation = 2;
    ask("chain.header",
        "{\"hash\":\"6767676767676767676767676767676767676767676767676767676767676767\"}");
    ck_assert_ptr_nonnull(strstr(out.data, "\"height\":102"));
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("rpc_methods");
    TCase *t = tcase_create("rpc_methods");

    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, status_has_one_shape);
    tcase_add_test(t, a_start_reaches_the_engine_as_it_was_asked);
    tcase_add_test(t, other_calls_reach_the_engine_too);
    tcase_add_test(t, a_job_is_shown_with_its_stages);
    tcase_add_test(t, acts_on_peers_go_to_the_engine);
    tcase_add_test(t, a_wait_is_asked_for_while_the_job_runs);
    tcase_add_test(t, jobs_come_in_pages_whatever_the_filter);
    tcase_add_test(t, checkpoints_and_their_provenance);
    tcase_add_test(t, rejections_are_found_by_what_is_known_of_them);
    tcase_add_test(t, the_audit_log_is_read_and_verified);
    tcase_add_test(t, incidents_say_what_to_do);
    tcase_add_test(t, the_daemon_tells_of_itself);
    tcase_add_test(t, without_a_state_there_is_no_chain);
    tcase_add_test(t, the_tip_and_the_supply);
    tcase_add_test(t, headers_of_every_branch);
    tcase_add_test(t, headers_upwards_to_the_tip);
    tcase_add_test(t, blocks_as_they_are_stored);
    tcase_add_test(t, coins_unspent_and_not);
    tcase_add_test(t, another_generation_is_read_once_it_is_live);
    suite_add_tcase(s, t);
    return s;
}
