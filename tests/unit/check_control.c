#include <sqlite3.h>

#include "store/control.h"
#include "tests/unit/coins.h"

static struct coins_dir dir;
static struct control *db;

static void open_db(void)
{
    dir = coins_dir_make();
    ASSERT_OK(control_open(dir.db, CONTROL_WRITER, &db, &test_err));
}

static void close_db(void)
{
    control_close(db);
    coins_dir_remove(&dir);
}

static void run_sql(const char *sql)
{
    sqlite3 *raw = NULL;

    ck_assert_int_eq(sqlite3_open(dir.db, &raw), SQLITE_OK);
    ck_assert_msg(sqlite3_exec(raw, sql, NULL, NULL, NULL) == SQLITE_OK, "%s: %s", sql,
                  sqlite3_errmsg(raw));
    (void)sqlite3_close(raw);
}

/* Ids in the order given, as text: "3 2 1 ". */
struct ids {
    char text[64];
    size_t stop_after;
};

static enum errc note_id(struct ids *ids, int64_t id, struct err *err)
{
    size_t n = strlen(ids->text);

    (void)snprintf(ids->text + n, sizeof(ids->text) - n, "%lld ", (long long)id);
    if (ids->stop_after > 0 && --ids->stop_after == 0)
        return err_set(err, ERR_CANCELED, "enough");
    return ERR_OK;
}

static char text_a[] = "{\"a\":1}", text_b[] = "{\"b\":2}", text_c[] = "c";

static struct control_job job(char *key)
{
    return (struct control_job){.state = 3,
                                .kind = text_c,
                                .request = text_a,
                                .idempotency_key = key,
                                .created_ms = 10,
                                .updated_ms = 11};
}

static int64_t add_job(char *key)
{
    const struct control_job j = job(key);
    int64_t id = 0;

    ASSERT_OK(control_job_insert(db, &j, &id, &test_err));
    return id;
}

START_TEST(a_job_is_kept_updated_and_found)
{
    char key[] = "key-1";
    int64_t id = add_job(key);
    struct control_job got = {0}, changed;
    bool found = false;

    ASSERT_OK(control_job_get(db, id, &got, &test_err));
    ck_assert_int_eq(got.id, id);
    ck_assert_int_eq(got.state, 3);
    ck_assert_str_eq(got.kind, "c");
    ck_assert_str_eq(got.request, text_a);
    ck_assert_str_eq(got.idempotency_key, key);
    ck_assert(!got.candidate && !got.error && got.generation == 0 && got.ended_ms == 0);
    ck_assert(got.created_ms == 10 && got.updated_ms == 11);
    changed = got;
    changed.state = 9;
    changed.candidate = text_b;
    changed.error = text_c;
    changed.generation = 4;
    changed.updated_ms = 20;
    changed.ended_ms = 21;
    ASSERT_OK(control_job_update(db, &changed, &test_err));
    control_job_fini(&got);
    ck_assert_ptr_null(got.kind);
    ASSERT_OK(control_job_find_key(db, key, &found, &got, &test_err));
    ck_assert(found && got.id == id && got.state == 9 && got.generation == 4);
    ck_assert_str_eq(got.candidate, text_b);
    ck_assert_str_eq(got.error, "c");
    ck_assert(got.created_ms == 10 && got.updated_ms == 20 && got.ended_ms == 21);
    control_job_fini(&got);
    ASSERT_OK(control_job_find_key(db, "other", &found, &got, &test_err));
    ck_assert(!found);
}
END_TEST

START_TEST(a_job_that_is_not_there_is_not_found)
{
    struct control_job got = job(NULL);

    ASSERT_ERR(ERR_NOTFOUND, control_job_get(db, 7, &got, &test_err));
    ck_assert_str_eq(test_err.msg, "no job 7");
    got.id = 7;
    ASSERT_ERR(ERR_NOTFOUND, control_job_update(db, &got, &test_err));
}
END_TEST

START_TEST(an_idempotency_key_is_one_jobs)
{
    char key[] = "key-1";
    const struct control_job second = job(key);
    int64_t id;

    (void)add_job(key);
    ASSERT_ERR(ERR_CONFLICT, control_job_insert(db, &second, &id, &test_err));
}
END_TEST

static enum errc note_job(void *arg, const struct control_job *j, struct err *err)
{
    ck_assert_str_eq(j->request, text_a);
    return note_id(arg, j->id, err);
}

static void expect_jobs(int64_t before, size_t limit, bool live, const char *want)
{
    struct ids ids = {.text = ""};

    ASSERT_OK(control_job_each(db, before, limit, live, note_job, &ids, &test_err));
    ck_assert_str_eq(ids.text, want);
}

START_TEST(jobs_come_newest_first_and_in_pages)
{
    struct ids one = {.stop_after = 1};
    struct control_job j = {0};

    for (int i = 0; i < 5; i++)
        (void)add_job(NULL);
    ASSERT_OK(control_job_get(db, 4, &j, &test_err));
    j.ended_ms = 99;
    ASSERT_OK(control_job_update(db, &j, &test_err));
    control_job_fini(&j);
    expect_jobs(0, 100, false, "5 4 3 2 1 ");
    expect_jobs(0, 2, false, "5 4 ");
    expect_jobs(4, 2, false, "3 2 ");
    expect_jobs(1, 2, false, "");
    expect_jobs(0, SIZE_MAX, true, "5 3 2 1 ");
    ASSERT_ERR(ERR_CANCELED,
               control_job_each(db, 0, 100, false, note_job, &one, &test_err));
    ck_assert_str_eq(one.text, "5 ");
}
END_TEST

static enum errc note_stage(void *arg, const struct control_stage *s, struct err *err)
{
    ck_assert_int_eq(s->job_id, 1);
    ck_assert_str_eq(s->outcome, s->ended_ms ? "succeeded" : "running");
    ck_assert(s->state != 5 || strcmp(s->detail, "c") == 0);
    return note_id(arg, s->state, err);
}

START_TEST(a_stage_is_one_row_of_its_job)
{
    char running[] = "running", succeeded[] = "succeeded", odd[] = "odd";
    struct control_stage s = {
        .job_id = add_job(NULL), .state = 7, .started_ms = 50, .outcome = running};
    struct ids ids = {.text = ""};

    ASSERT_OK(control_stage_put(db, &s, &test_err));
    s.state = 5;
    s.started_ms = 60;
    s.detail = text_c;
    ASSERT_OK(control_stage_put(db, &s, &test_err));
    s.ended_ms = 70;
    s.outcome = succeeded;
    ASSERT_OK(control_stage_put(db, &s, &test_err));
    ASSERT_OK(control_stage_each(db, s.job_id, note_stage, &ids, &test_err));
    ck_assert_str_eq(ids.text, "7 5 ");
    s.outcome = odd;
    ASSERT_ERR(ERR_CONFLICT, control_stage_put(db, &s, &test_err));
    s.outcome = running;
    s.job_id = 77;
    ASSERT_ERR(ERR_CONFLICT, control_stage_put(db, &s, &test_err)); /* no such job */
}
END_TEST

static enum errc note_generation(void *arg, const struct control_generation *g,
                                 struct err *err)
{
    enum errc rc = note_id(arg, g->id, err);

    return rc ? rc : note_id(arg, g->state, err);
}

static void expect_generations(const char *want)
{
    struct ids ids = {.text = ""};

    ASSERT_OK(control_generation_each(db, note_generation, &ids, &test_err));
    ck_assert_str_eq(ids.text, want);
}

START_TEST(one_generation_is_live)
{
    struct control_generation g;
    bool found = true;
    int64_t a, b;

    ASSERT_OK(control_generation_live(db, &found, &g, &test_err));
    ck_assert(!found);
    ASSERT_OK(control_generation_insert(db, 5, &a, &test_err));
    ASSERT_OK(control_generation_insert(db, 6, &b, &test_err));
    ck_assert(a == 1 && b == 2);
    expect_generations("2 1 1 1 ");
    ASSERT_OK(control_generation_activate(db, a, 7, &test_err));
    ASSERT_OK(control_generation_activate(db, a, 8, &test_err)); /* again: as it was */
    expect_generations("2 1 1 2 ");
    ASSERT_OK(control_begin(db, &test_err));
    ASSERT_OK(control_generation_activate(db, b, 9, &test_err));
    control_rollback(db);
    expect_generations("2 1 1 2 ");
    ASSERT_OK(control_begin(db, &test_err));
    ASSERT_OK(control_generation_activate(db, b, 9, &test_err));
    ASSERT_OK(control_commit(db, &test_err));
    expect_generations("2 2 1 3 ");
    ASSERT_OK(control_generation_live(db, &found, &g, &test_err));
    ck_assert(found && g.id == b && g.created_ms == 6 && g.activated_ms == 9);
    ASSERT_ERR(ERR_NOTFOUND, control_generation_activate(db, 77, 9, &test_err));
    expect_generations("2 2 1 3 "); /* the live one was not retired for it */
    g.id = a;
    ASSERT_ERR(ERR_CONFLICT, control_generation_update(db, &g, &test_err));
}
END_TEST

START_TEST(a_generation_keeps_what_it_is_built_on)
{
    struct control_generation g = {.state = CONTROL_GEN_QUARANTINED,
                                   .height = 1234567,
                                   .block_hash = {1},
                                   .state_root = {2},
                                   .checkpoint_id = 3,
                                   .created_ms = 4,
                                   .activated_ms = 5},
                              live;
    bool found = false;

    ASSERT_OK(control_generation_insert(db, 1, &g.id, &test_err));
    ASSERT_OK(control_generation_update(db, &g, &test_err));
    expect_generations("1 4 ");
    ASSERT_OK(control_generation_activate(db, g.id, 6, &test_err));
    ASSERT_OK(control_generation_live(db, &found, &live, &test_err));
    ck_assert(found && live.height == 1234567 && live.checkpoint_id == 3);
    ck_assert_mem_eq(live.block_hash, g.block_hash, 32);
    ck_assert_mem_eq(live.state_root, g.state_root, 32);
    g.id = 99;
    ASSERT_ERR(ERR_NOTFOUND, control_generation_update(db, &g, &test_err));
}
END_TEST

static int64_t add_checkpoint(uint64_t height, bool has_state_hash)
{
    char source[] = "https://x", trust[] = "attested";
    const struct control_checkpoint k = {.height = height,
                                         .block_hash = {1},
                                         .state_root = {2},
                                         .work = {[0] = 3, [39] = 4},
                                         .state_hash = has_state_hash ? text_c : NULL,
                                         .source = source,
                                         .trust = trust,
                                         .provenance = text_a,
                                         .generation = 5,
                                         .job_id = 6,
                                         .accepted_ms = 7};
    int64_t id = 0;

    ASSERT_OK(control_checkpoint_insert(db, &k, &id, &test_err));
    return id;
}

static enum errc note_checkpoint(void *arg, const struct control_checkpoint *k,
                                 struct err *err)
{
    return note_id(arg, k->id, err);
}

START_TEST(checkpoints_are_kept_and_found)
{
    struct control_checkpoint k;
    struct ids ids = {.text = ""};
    bool found = true;

    ASSERT_OK(control_checkpoint_latest(db, &found, &k, &test_err));
    ck_assert(!found);
    (void)add_checkpoint(100, true);
    (void)add_checkpoint(200, false);
    (void)add_checkpoint(100, false);
    ASSERT_OK(control_checkpoint_get(db, 1, &k, &test_err));
    ck_assert(k.height == 100 && k.work[0] == 3 && k.work[39] == 4 &&
              k.generation == 5);
    ck_assert(k.job_id == 6 && k.accepted_ms == 7 && k.block_hash[0] == 1);
    ck_assert_uint_eq(k.state_root[0], 2);
    ck_assert_str_eq(k.state_hash, "c");
    ck_assert_str_eq(k.source, "https://x");
    ck_assert_str_eq(k.trust, "attested");
    ck_assert_str_eq(k.provenance, text_a);
    control_checkpoint_fini(&k);
    ASSERT_OK(control_checkpoint_at(db, 100, &k, &test_err));
    ck_assert(k.id == 3 && !k.state_hash);
    control_checkpoint_fini(&k);
    ASSERT_OK(control_checkpoint_latest(db, &found, &k, &test_err));
    ck_assert(found && k.id == 3);
    control_checkpoint_fini(&k);
    ASSERT_ERR(ERR_NOTFOUND, control_checkpoint_get(db, 9, &k, &test_err));
    ASSERT_ERR(ERR_NOTFOUND, control_checkpoint_at(db, UINT64_MAX, &k, &test_err));
    ASSERT_OK(control_checkpoint_each(db, 3, 10, note_checkpoint, &ids, &test_err));
    ck_assert_str_eq(ids.text, "2 1 ");
}
END_TEST

static char quorum[] = "no_quorum", low[] = "low_work";

static void add_rejection(int64_t at_ms, uint64_t height, bool no_quorum)
{
    char source[] = "http://source:1", peers[] = "[\"http://p%1:1\"]", none[] = "[]";
    const struct control_rejection r = {.at_ms = at_ms,
                                        .has_height = height > 0,
                                        .height = height,
                                        .block_hash = height > 0 ? text_c : NULL,
                                        .source = source,
                                        .peers = no_quorum ? peers : none,
                                        .reason = no_quorum ? quorum : low,
                                        .verdict = text_b};
    int64_t id = 0;

    ASSERT_OK(control_rejection_insert(db, &r, &id, &test_err));
}

static enum errc note_rejection(void *arg, const struct control_rejection *r,
                                struct err *err)
{
    ck_assert_str_eq(r->verdict, text_b);
    ck_assert_ptr_null(r->state_hash);
    ck_assert(r->has_height == (r->block_hash != NULL) || r->height == 0);
    return note_id(arg, r->id, err);
}

static void expect_rejections(struct control_rejection_filter f, const char *want)
{
    struct ids ids = {.text = ""};

    f.limit = f.limit ? f.limit : 100;
    ASSERT_OK(control_rejection_each(db, &f, note_rejection, &ids, &test_err));
    ck_assert_str_eq(ids.text, want);
}

START_TEST(rejections_are_filtered)
{
    add_rejection(10, 100, true);
    add_rejection(20, 200, false);
    add_rejection(30, 0, false);
    add_rejection(40, UINT64_MAX, false);
    expect_rejections((struct control_rejection_filter){0}, "4 3 2 1 ");
    expect_rejections((struct control_rejection_filter){.limit = 2}, "4 3 ");
    expect_rejections((struct control_rejection_filter){.before_id = 3}, "2 1 ");
    expect_rejections((struct control_rejection_filter){.since_ms = 20}, "4 3 2 ");
    expect_rejections((struct control_rejection_filter){.reason = low}, "4 3 2 ");
    expect_rejections((struct control_rejection_filter){.peer = "http://p%1:1"}, "1 ");
    expect_rejections((struct control_rejection_filter){.peer = "source:1"},
                      "4 3 2 1 ");
    expect_rejections((struct control_rejection_filter){.peer = "%"}, "1 ");
    expect_rejections(
        (struct control_rejection_filter){.has_height = true, .height = 200}, "2 ");
    expect_rejections(
        (struct control_rejection_filter){.has_height = true, .height = UINT64_MAX},
        "");
}
END_TEST

static enum errc note_incident(void *arg, const struct control_incident *i,
                               struct err *err)
{
    ck_assert_str_eq(i->evidence, text_a);
    return note_id(arg, i->id, err);
}

static void expect_incidents(bool open_only, size_t limit, const char *want)
{
    struct ids ids = {.text = ""};

    ASSERT_OK(
        control_incident_each(db, open_only, limit, note_incident, &ids, &test_err));
    ck_assert_str_eq(ids.text, want);
}

START_TEST(an_incident_is_open_once)
{
    char other[] = "other";
    struct control_incident i = {
        .opened_ms = 5, .kind = text_c, .subject = text_b, .evidence = text_a};
    bool fresh = false;
    int64_t id = 0;
    size_t open = 99;

    ASSERT_OK(control_incident_open(db, &i, &fresh, &id, &test_err));
    ck_assert(fresh && id == 1);
    i.subject = other;
    ASSERT_OK(control_incident_open(db, &i, &fresh, &id, &test_err));
    ck_assert(fresh && id == 2);
    i.subject = text_b;
    ASSERT_OK(control_incident_open(db, &i, &fresh, &id, &test_err));
    ck_assert(!fresh && id == 1);
    ASSERT_OK(control_incident_count(db, &open, &test_err));
    ck_assert_uint_eq(open, 2);
    run_sql("UPDATE incident SET resolved_ms = 9 WHERE id = 1");
    expect_incidents(true, 10, "2 ");
    expect_incidents(false, 10, "2 1 ");
    expect_incidents(false, 1, "2 ");
    ASSERT_OK(control_incident_open(db, &i, &fresh, &id, &test_err));
    ck_assert(fresh && id > 2);
}
END_TEST

static enum errc note_peer(void *arg, const struct control_peer *p, struct err *err)
{
    ck_assert(p->score != -7 || strcmp(p->ban_reason, "c") == 0);
    return note_id(arg, p->score, err);
}

static enum errc note_known_peer(void *arg, const struct control_peer *p,
                                 struct err *err)
{
    (void)err;
    ck_assert_str_eq(p->origin, text_b);
    ck_assert_str_eq(p->source, text_c);
    ck_assert_str_eq(p->ip, text_b);
    ck_assert_str_eq(p->identity, text_c);
    ck_assert_uint_eq(p->tries, UINT32_MAX);
    ck_assert_int_eq(p->tried_ms, 7);
    ck_assert_int_eq(p->last_good_ms, INT64_MAX);
    ck_assert_uint_eq(p->bans, 3);
    ++*(int *)arg;
    return ERR_OK;
}

START_TEST(what_is_known_of_a_peer_comes_back)
{
    char a[] = "http://a";
    struct control_peer p = {.url = a,
                             .origin = text_b,
                             .source = text_c,
                             .ip = text_b,
                             .identity = text_c,
                             .tries = UINT32_MAX,
                             .tried_ms = 7,
                             .last_good_ms = INT64_MAX,
                             .bans = 3};
    int seen = 0;

    ASSERT_OK(control_peer_put(db, &p, &test_err));
    ASSERT_OK(control_peer_each(db, note_known_peer, &seen, &test_err));
    ck_assert_int_eq(seen, 1);
    ASSERT_OK(control_peer_delete(db, "http://b", &test_err));
    ASSERT_OK(control_peer_delete(db, a, &test_err));
    ASSERT_OK(control_peer_each(db, note_known_peer, &seen, &test_err));
    ck_assert_int_eq(seen, 1);
}
END_TEST

START_TEST(a_peer_is_one_row)
{
    char a[] = "http://a", b[] = "http://b";
    struct control_peer p = {
        .url = b, .score = 1, .faults = UINT64_MAX, .origin = text_b};
    struct ids ids = {.text = ""};

    ASSERT_OK(control_peer_put(db, &p, &test_err));
    p.url = a;
    ASSERT_OK(control_peer_put(db, &p, &test_err));
    p.score = -7;
    p.banned_until_ms = 99;
    p.ban_reason = text_c;
    p.ban_evidence = text_b;
    ASSERT_OK(control_peer_put(db, &p, &test_err));
    ASSERT_OK(control_peer_each(db, note_peer, &ids, &test_err));
    ck_assert_str_eq(ids.text, "-7 1 ");
}
END_TEST

START_TEST(meta_is_kept)
{
    AUTOFREE char *value = NULL;
    bool found = true;

    ASSERT_OK(control_meta_get(db, "network", &found, &value, &test_err));
    ck_assert(!found);
    ASSERT_OK(control_meta_set(db, "network", "mainnet", &test_err));
    ASSERT_OK(control_meta_set(db, "network", "testnet", &test_err));
    ASSERT_OK(control_meta_get(db, "network", &found, &value, &test_err));
    ck_assert(found);
    ck_assert_str_eq(value, "testnet");
}
END_TEST

START_TEST(a_reader_reads_beside_the_writer)
{
    CLEANUP(control_close) struct control *reader = NULL;
    struct control_job got;
    bool found;

    ASSERT_OK(control_open(dir.db, CONTROL_READER, &reader, &test_err));
    ASSERT_OK(control_begin(db, &test_err));
    (void)add_job(text_c);
    ASSERT_OK(control_job_find_key(reader, "c", &found, &got, &test_err));
    ck_assert(!found);
    ASSERT_OK(control_commit(db, &test_err));
    ASSERT_OK(control_job_find_key(reader, "c", &found, &got, &test_err));
    ck_assert(found);
    ASSERT_ERR(ERR_IO, control_job_update(reader, &got, &test_err));
    control_job_fini(&got);
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("control");
    TCase *t = tcase_create("control");

    tcase_add_checked_fixture(t, open_db, close_db);
    tcase_add_test(t, a_job_is_kept_updated_and_found);
    tcase_add_test(t, a_job_that_is_not_there_is_not_found);
    tcase_add_test(t, an_idempotency_key_is_one_jobs);
    tcase_add_test(t, jobs_come_newest_first_and_in_pages);
    tcase_add_test(t, a_stage_is_one_row_of_its_job);
    tcase_add_test(t, one_generation_is_live);
    tcase_add_test(t, a_generation_keeps_what_it_is_built_on);
    tcase_add_test(t, checkpoints_are_kept_and_found);
    tcase_add_test(t, rejections_are_filtered);
    tcase_add_test(t, an_incident_is_open_once);
    tcase_add_test(t, what_is_known_of_a_peer_comes_back);
    tcase_add_test(t, a_peer_is_one_row);
    tcase_add_test(t, meta_is_kept);
    tcase_add_test(t, a_reader_reads_beside_the_writer);
    suite_add_tcase(s, t);
    return s;
}
