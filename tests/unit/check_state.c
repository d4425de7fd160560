#include <sqlite3.h>

#include "store/state_root.h"
#include "tests/unit/coins.h"

enum { BASE_COINS = 400, UNIVERSE = 2000, STEPS = 3000, BLOCKS_MAX = 400 };

static struct coins_dir dir;
static const struct coinfile_id base_id = {
    .network = "testnet", .height = 100, .block_hash = {100}};
static const uint8_t base_work[40] = {[39] = 100};

static void make_dir(void)
{
    dir = coins_dir_make();
}

static void remove_dir(void)
{
    coins_dir_remove(&dir);
}

/* The naive model: all coins there can be, and which are unspent now. */
struct model {
    struct coin all[UNIVERSE]; /* sorted by outpoint */
    uint64_t made_at[UNIVERSE];
    bool unspent[UNIVERSE];
};

/* What a block did, to take it back in the model. */
struct change {
    bool before[UNIVERSE];
    uint64_t made_before[UNIVERSE];
    uint8_t hash[32];
    u128 supply;
};

struct walk {
    struct model m;
    struct change *undo; /* by height above the base */
    uint64_t height;
    uint32_t seed;
    struct chaindb *db;
    struct state *s;
};

static uint32_t next_random(struct walk *w, uint32_t below)
{
    w->seed = w->seed * 1664525U + 1013904223U;
    return (w->seed >> 8) % below;
}

static u128 supply_of(const struct model *m, uint64_t *count)
{
    u128 sum = 0;

    *count = 0;
    for (uint32_t i = 0; i < UNIVERSE; i++) {
        if (m->unspent[i]) {
            sum += coins_sum(&m->all[i], 1);
            (*count)++;
        }
    }
    return sum;
}

static void begin_state(struct walk *w)
{
    AUTOFREE struct coin *all = coins_many(11, UNIVERSE), *base;
    struct coinfile_info info;
    uint32_t n = 0;

    base = xcalloc(BASE_COINS, sizeof(*base));
    memcpy(w->m.all, all, sizeof(w->m.all));
    for (uint32_t i = 0; i < UNIVERSE; i += UNIVERSE / BASE_COINS) {
        w->m.unspent[i] = true;
        base[n++] = w->m.all[i];
    }
    info = coins_write(&dir, &base_id, base, n);
    ASSERT_OK(chaindb_open(dir.db, CHAINDB_WRITER, &w->db, &test_err));
    ASSERT_OK(chaindb_begin(w->db, &test_err));
    ASSERT_OK(state_init(w->db, &info, base_work, &test_err));
    ASSERT_OK(chaindb_commit(w->db, &test_err));
    ASSERT_OK(state_open(dir.path, w->db, &w->s, &test_err));
    w->height = base_id.height;
}

static struct walk *walk_start(void)
{
    struct walk *w = xcalloc(1, sizeof(*w));

    w->undo = xcalloc(BLOCKS_MAX + 1, sizeof(*w->undo));
    w->seed = 1;
    begin_state(w);
    return w;
}

static void walk_end(struct walk *w)
{
    state_close(w->s);
    chaindb_close(w->db);
    free(w->undo);
    free(w);
}

static void tip_hash(const struct walk *w, uint8_t out[32])
{
    if (w->height == base_id.height)
        memcpy(out, base_id.block_hash, 32);
    else
        memcpy(out, w->undo[w->height - base_id.height].hash, 32);
}

static void apply_random(struct walk *w)
{
    struct coin spent[16], made[16];
    struct state_block b = {
        .height = w->height + 1, .spent = spent, .made = made, .work = {[39] = 1}};
    struct change *c = &w->undo[b.height - base_id.height];
    uint64_t count;

    tip_hash(w, b.prev);
    memcpy(c->before, w->m.unspent, sizeof(c->before));
    memcpy(c->made_before, w->m.made_at, sizeof(c->made_before));
    for (uint32_t i = 0; i < 16; i++) {
        uint32_t k = next_random(w, UNIVERSE);

        if (w->m.unspent[k] && c->before[k]) {
            spent[b.spent_count++] = w->m.all[k];
            w->m.unspent[k] = false;
        } else if (!w->m.unspent[k]) { /* now and then one just spent: made again */
            made[b.made_count++] = w->m.all[k];
            w->m.unspent[k] = true;
            w->m.made_at[k] = b.height;
        }
    }
    b.supply = supply_of(&w->m, &count);
    hash_sha256(w, sizeof(w->m), b.hash);
    ASSERT_OK(chaindb_begin(w->db, &test_err));
    ASSERT_OK(state_apply(w->s, &b, &test_err));
    ASSERT_OK(chaindb_commit(w->db, &test_err));
    memcpy(c->hash, b.hash, 32);
    w->height = b.height;
}

static void undo_one(struct walk *w)
{
    const struct change *c = &w->undo[w->height - base_id.height];

    ASSERT_OK(chaindb_begin(w->db, &test_err));
    ASSERT_OK(state_undo(w->s, &test_err));
    ASSERT_OK(chaindb_commit(w->db, &test_err));
    memcpy(w->m.unspent, c->before, sizeof(c->before));
    memcpy(w->m.made_at, c->made_before, sizeof(c->made_before));
    w->height--;
}

struct scan {
    const struct model *m;
    uint32_t at, wrong;
};

static enum errc expect_next(void *arg, const struct coin *coin, struct err *err)
{
    struct scan *s = arg;

    (void)err;
    while (s->at < UNIVERSE && !s->m->unspent[s->at])
        s->at++;
    if (s->at == UNIVERSE || !coins_same(&s->m->all[s->at++], coin))
        s->wrong++;
    return ERR_OK;
}

static void compare(struct walk *w)
{
    struct scan scan = {.m = &w->m};
    struct state_tip tip;
    uint8_t hash[32];
    uint64_t count;

    ASSERT_OK(state_get_tip(w->s, &tip, &test_err));
    tip_hash(w, hash);
    ck_assert_uint_eq(tip.height, w->height);
    ck_assert_mem_eq(tip.hash, hash, 32);
    ck_assert(tip.supply == supply_of(&w->m, &count));
    ck_assert_uint_eq(tip.coin_count, count);
    ck_assert_uint_eq(tip.work[39], w->height == base_id.height ? 100 : 1);
    ASSERT_OK(state_scan(w->s, expect_next, &scan, &test_err));
    ck_assert_uint_eq(scan.wrong, 0);
    while (scan.at < UNIVERSE)
        ck_assert(!w->m.unspent[scan.at++]);
    ASSERT_OK(state_verify(w->s, &test_err));
}

/* The root is that of the coin file which would be written of the state. */
static void compare_root(struct walk *w)
{
    struct coins_dir other = coins_dir_make();
    AUTOFREE struct coin *left = xcalloc(UNIVERSE, sizeof(*left));
    struct coinfile_info info;
    struct state_root root;
    atomic_bool cancel = false;
    uint32_t n = 0;

    for (uint32_t i = 0; i < UNIVERSE; i++)
        if (w->m.unspent[i])
            left[n++] = w->m.all[i];
    info = coins_write(&other, &base_id, left, n);
    ASSERT_OK(chaindb_begin(w->db, &test_err));
    ASSERT_OK(state_root_compute(w->s, &cancel, &root, &test_err));
    ck_assert_mem_eq(root.root, info.state_root, 32);
    ck_assert_uint_eq(root.coin_count, n);
    ck_assert(root.total == info.total);
    cancel = true;
    ASSERT_ERR(ERR_CANCELED, state_root_compute(w->s, &cancel, &root, &test_err));
    chaindb_rollback(w->db);
    coins_dir_remove(&other);
}

static void find_random(struct walk *w)
{
    uint32_t k = next_random(w, UNIVERSE);
    struct coin got;
    uint64_t made_at = 99;
    bool found;

    if (state_find(w->s, &w->m.all[k].at, &found, &got, &made_at, &test_err) ||
        found != w->m.unspent[k])
        ck_abort_msg("coin %u: found is %d", k, found);
    if (found && (!coins_same(&got, &w->m.all[k]) || made_at != w->m.made_at[k]))
        ck_abort_msg("coin %u differs", k);
}

START_TEST(a_random_walk_agrees_with_a_naive_model)
{
    struct walk *w = walk_start();

    compare(w);
    for (int i = 0; i < STEPS; i++) {
        uint64_t above = w->height - base_id.height;

        if (above > 0 && (next_random(w, 100) < 48 || above == BLOCKS_MAX))
            undo_one(w);
        else
            apply_random(w);
        find_random(w);
        if (i % 100 == 0)
            compare(w);
        if (i % 1000 == 500)
            compare_root(w);
    }
    while (w->height > base_id.height)
        undo_one(w);
    compare(w);
    walk_end(w);
}
END_TEST

START_TEST(the_root_is_cut_into_chunks_as_a_file_is)
{
    enum { MANY = 40000 };
    AUTOFREE struct coin *all = coins_many(5, MANY);
    CLEANUP(chaindb_close) struct chaindb *db = NULL;
    CLEANUP(state_close) struct state *s = NULL;
    struct coinfile_info info = coins_write(&dir, &base_id, all, MANY);
    struct state_root root;
    atomic_bool cancel = false;

    ck_assert_uint_gt(info.file_bytes, 2 * COINFILE_CHUNK_MAX);
    ASSERT_OK(chaindb_open(dir.db, CHAINDB_WRITER, &db, &test_err));
    ASSERT_OK(chaindb_begin(db, &test_err));
    ASSERT_OK(state_init(db, &info, base_work, &test_err));
    ASSERT_OK(chaindb_commit(db, &test_err));
    ASSERT_OK(state_open(dir.path, db, &s, &test_err));
    ASSERT_OK(chaindb_begin(db, &test_err));
    ASSERT_OK(state_root_compute(s, &cancel, &root, &test_err));
    chaindb_rollback(db);
    ck_assert_mem_eq(root.root, info.state_root, 32);
}
END_TEST

START_TEST(the_base_is_not_taken_back)
{
    struct walk *w = walk_start();

    ASSERT_ERR(ERR_CONFLICT, state_undo(w->s, &test_err));
    walk_end(w);
}
END_TEST

static struct state_block block_on(struct walk *w, const struct coin *spent,
                                   size_t spends, const struct coin *made, size_t makes)
{
    struct state_block b = {.height = w->height + 1,
                            .hash = {1},
                            .spent = spent,
                            .spent_count = spends,
                            .made = made,
                            .made_count = makes};

    tip_hash(w, b.prev);
    return b;
}

static void expect_unfit(struct walk *w, const struct state_block *b, const char *why)
{
    ASSERT_OK(chaindb_begin(w->db, &test_err));
    ASSERT_ERR(ERR_IO, state_apply(w->s, b, &test_err));
    chaindb_rollback(w->db);
    ck_assert_int_eq((int)test_err.reason, REASON_STORAGE_CORRUPT);
    ck_assert_ptr_nonnull(strstr(test_err.msg, why));
    compare(w); /* and nothing changed */
}

START_TEST(a_change_that_does_not_fit_is_refused)
{
    struct walk *w = walk_start();
    const struct coin in_base = w->m.all[0], absent = w->m.all[1];
    const struct coin twice[2] = {in_base, in_base}, two_new[2] = {absent, absent};
    struct coin changed = in_base;
    struct state_block b = block_on(w, &absent, 1, NULL, 0);

    expect_unfit(w, &b, "is to be spent and is not there");
    b = block_on(w, twice, 2, NULL, 0);
    expect_unfit(w, &b, "is to be spent and is not there");
    b = block_on(w, NULL, 0, &in_base, 1);
    expect_unfit(w, &b, "is to be made and is there already");
    b = block_on(w, NULL, 0, two_new, 2);
    expect_unfit(w, &b, "is to be made and is there already");
    changed.amount += 1.0;
    b = block_on(w, &changed, 1, NULL, 0);
    expect_unfit(w, &b, "is to be spent and is another one");
    walk_end(w);
}
END_TEST

START_TEST(a_block_that_does_not_stand_on_the_tip_is_refused)
{
    struct walk *w = walk_start();
    struct state_block b = block_on(w, NULL, 0, NULL, 0);

    b.height++;
    ASSERT_ERR(ERR_CONFLICT, state_apply(w->s, &b, &test_err));
    b.height--;
    b.prev[0] ^= 1;
    ASSERT_ERR(ERR_CONFLICT, state_apply(w->s, &b, &test_err));
    compare(w);
    walk_end(w);
}
END_TEST

START_TEST(a_state_opens_on_its_own_base_only)
{
    struct walk *w = walk_start();
    struct coinfile_info info = *state_base(w->s);
    AUTOFREE struct coin *others = coins_many(12, 10);
    const struct coinfile_id later = {
        .network = "testnet", .height = 101, .block_hash = {100}};
    struct state *s = NULL;

    ASSERT_OK(state_init(w->db, &info, base_work, &test_err)); /* nothing applied yet */
    (void)coins_write(&dir, &base_id, others, 10);
    ASSERT_ERR(ERR_IO, state_open(dir.path, w->db, &s, &test_err));
    ck_assert_int_eq((int)test_err.reason, REASON_STORAGE_CORRUPT);
    for (uint32_t i = 0; i < BASE_COINS; i++) /* the same coins, another block */
        w->m.all[i] = w->m.all[(size_t)i * (UNIVERSE / BASE_COINS)];
    (void)coins_write(&dir, &later, w->m.all, BASE_COINS);
    ASSERT_ERR(ERR_IO, state_open(dir.path, w->db, &s, &test_err));
    ck_assert_ptr_nonnull(strstr(test_err.msg, "is of another block than chain.db"));
    walk_end(w);
}
END_TEST

START_TEST(a_state_begins_anew_only_before_its_first_block)
{
    struct walk *w = walk_start();
    const struct coinfile_info info = *state_base(w->s);
    struct state_block b = block_on(w, NULL, 0, NULL, 0); /* not even a coin in it */

    ASSERT_OK(state_init(w->db, &info, base_work, &test_err));
    ASSERT_OK(state_apply(w->s, &b, &test_err));
    ASSERT_ERR(ERR_CONFLICT, state_init(w->db, &info, base_work, &test_err));
    ck_assert_str_eq(test_err.msg, "chain.db has blocks on a base already");
    ASSERT_OK(state_undo(w->s, &test_err));
    ASSERT_OK(state_init(w->db, &info, base_work, &test_err));
    compare(w);
    walk_end(w);
}
END_TEST

START_TEST(without_a_beginning_there_is_no_state)
{
    CLEANUP(chaindb_close) struct chaindb *db = NULL;
    struct state *s = NULL;

    ASSERT_OK(chaindb_open(dir.db, CHAINDB_WRITER, &db, &test_err));
    ASSERT_ERR(ERR_NOTFOUND, state_open(dir.path, db, &s, &test_err));
}
END_TEST

static void run_sql(const char *sql)
{
    sqlite3 *raw = NULL;

    ck_assert_int_eq(sqlite3_open(dir.db, &raw), SQLITE_OK);
    ck_assert_msg(sqlite3_exec(raw, sql, NULL, NULL, NULL) == SQLITE_OK, "%s: %s", sql,
                  sqlite3_errmsg(raw));
    ck_assert_int_eq(sqlite3_changes(raw), 1);
    (void)sqlite3_close(raw);
}

#define ONE(table) " WHERE txid || vout = (SELECT txid || vout FROM " table " LIMIT 1)"
static const char *const rots[] = {
    "UPDATE coin_made SET amount = amount + 1" ONE("coin_made"),
    "UPDATE coin_made SET address = address || 'x'" ONE("coin_made"),
    "UPDATE coin_made SET height = height + 1" ONE("coin_made"),
    "DELETE FROM coin_made" ONE("coin_made"),
    "UPDATE coin_spent SET vout = vout + 7" ONE("coin_spent"),
    "DELETE FROM coin_spent" ONE("coin_spent"),
    "UPDATE state SET digest = zeroblob(32)",
};

START_TEST(a_change_that_rotted_is_seen)
{
    struct walk *w = walk_start();

    for (int i = 0; i < 20; i++)
        apply_random(w);
    ASSERT_OK(state_verify(w->s, &test_err));
    run_sql(rots[_i]);
    ASSERT_ERR(ERR_IO, state_verify(w->s, &test_err));
    ck_assert_int_eq((int)test_err.reason, REASON_STORAGE_CORRUPT);
    walk_end(w);
}
END_TEST

START_TEST(a_coin_that_rotted_is_not_served)
{
    struct walk *w = walk_start();
    struct scan scan = {.m = &w->m};
    const struct coin made = w->m.all[1];
    struct state_block b = block_on(w, NULL, 0, &made, 1);
    struct coin got;
    uint64_t height;
    bool found;

    ASSERT_OK(state_apply(w->s, &b, &test_err));
    ASSERT_OK(state_find(w->s, &made.at, &found, &got, &height, &test_err));
    ck_assert(found && height == base_id.height + 1);
    run_sql("UPDATE coin_made SET amount = amount + 1");
    ASSERT_ERR(ERR_IO, state_find(w->s, &made.at, &found, &got, &height, &test_err));
    ck_assert_str_eq(test_err.msg, "stored coin lost its hash");
    ASSERT_ERR(ERR_IO, state_scan(w->s, expect_next, &scan, &test_err));
    ASSERT_ERR(ERR_IO, state_undo(w->s, &test_err));
    walk_end(w);
}
END_TEST

START_TEST(an_undo_record_that_rotted_is_not_used)
{
    struct walk *w = walk_start();

    apply_random(w);
    run_sql(
        "UPDATE undo SET coins = CAST(substr(coins, 1, 40) || x'a5' || substr(coins, 42) AS BLOB)");
    ASSERT_ERR(ERR_IO, state_undo(w->s, &test_err));
    ck_assert_str_eq(test_err.msg, "undo record lost its hash");
    walk_end(w);
}
END_TEST

START_TEST(a_reader_sees_the_state_of_its_transaction)
{
    struct walk *w = walk_start();
    CLEANUP(chaindb_close) struct chaindb *db = NULL;
    struct state *reader = NULL;
    struct state_tip tip;

    ASSERT_OK(chaindb_open(dir.db, CHAINDB_READER, &db, &test_err));
    ASSERT_OK(state_open(dir.path, db, &reader, &test_err));
    ASSERT_OK(chaindb_begin(db, &test_err));
    ASSERT_OK(state_get_tip(reader, &tip, &test_err));
    apply_random(w);
    ASSERT_OK(state_get_tip(reader, &tip, &test_err));
    ck_assert_uint_eq(tip.height, 100);
    ASSERT_OK(chaindb_commit(db, &test_err));
    ASSERT_OK(state_get_tip(reader, &tip, &test_err));
    ck_assert_uint_eq(tip.height, 101);
    state_close(reader);
    walk_end(w);
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("state");
    TCase *t = tcase_create("state");

    tcase_add_checked_fixture(t, make_dir, remove_dir);
    tcase_set_timeout(t, 120);
    tcase_add_test(t, a_random_walk_agrees_with_a_naive_model);
    tcase_add_test(t, the_root_is_cut_into_chunks_as_a_file_is);
    tcase_add_test(t, the_base_is_not_taken_back);
    tcase_add_test(t, a_change_that_does_not_fit_is_refused);
    tcase_add_test(t, a_block_that_does_not_stand_on_the_tip_is_refused);
    tcase_add_test(t, a_state_opens_on_its_own_base_only);
    tcase_add_test(t, a_state_begins_anew_only_before_its_first_block);
    tcase_add_test(t, without_a_beginning_there_is_no_state);
    tcase_add_loop_test(t, a_change_that_rotted_is_seen, 0,
                        sizeof(rots) / sizeof(rots[0]));
    tcase_add_test(t, a_coin_that_rotted_is_not_served);
    tcase_add_test(t, an_undo_record_that_rotted_is_not_used);
    tcase_add_test(t, a_reader_sees_the_state_of_its_transaction);
    suite_add_tcase(s, t);
    return s;
}
