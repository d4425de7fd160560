#include <sqlite3.h>

#include "store/state_at.h"
#include "sync/chain/unspent.h"
#include "tests/unit/chain_node.h"
#include "tests/unit/coins.h"

enum { HEIGHTS = 256, UNIVERSE = 600, ROUNDS = 120 };

static struct coins_dir dir;

static void make_dir(void)
{
    dir = coins_dir_make();
}

static void remove_dir(void)
{
    coins_dir_remove(&dir);
}

/* A state that follows the fixture chain, and what stock says of each height. */
struct chain {
    struct node node;
    struct chaindb *db;
    struct state *s;
    uint8_t tip[32];
    uint8_t hashes[HEIGHTS][32], roots[HEIGHTS][32];
    u128 supply[HEIGHTS];
};

static void expect_line(struct chain *c, struct lines *states)
{
    uint64_t height = c->node.window.next_height - 1;

    ck_assert(lines_next(states));
    ck_assert_uint_eq(u64_of(states->v, "height"), height);
    hash_of(states->v, "unspent_merkle_root", c->roots[height]);
    memcpy(c->hashes[height], c->tip, 32);
    c->supply[height] = c->node.coins.supply;
}

static void take_genesis(struct chain *c, const struct lines *block)
{
    struct coinfile_id id = {.network = "testnet"};
    struct coinfile_info info;
    struct node *n = &c->node;

    node_take(n, block->text, (size_t)block->len);
    qsort(n->coins.all, n->coins.count, sizeof(n->coins.all[0]), coins_compare);
    hash_of(block->v, "hash", c->tip);
    memcpy(id.block_hash, c->tip, 32);
    info = coins_write(&dir, &id, n->coins.all, (uint32_t)n->coins.count);
    ASSERT_OK(chaindb_open(dir.db, CHAINDB_WRITER, &c->db, &test_err));
    ASSERT_OK(chaindb_begin(c->db, &test_err));
    ASSERT_OK(state_init(c->db, &info, n->work.be, &test_err));
    ASSERT_OK(chaindb_commit(c->db, &test_err));
    ASSERT_OK(state_open(dir.path, c->db, &c->s, &test_err));
}

static void take_block(struct chain *c, const struct lines *block)
{
    struct node *n = &c->node;
    struct connect_changes changes;
    struct state_block b = {.height = n->window.next_height};
    struct header header;

    ck_assert_int_eq(
        (int)node_judge(n, block->text, (size_t)block->len, &header, &changes),
        REASON_NONE);
    b.spent = changes.spent;
    b.spent_count = changes.spent_count;
    b.made = changes.made;
    b.made_count = changes.made_count;
    b.supply = changes.supply;
    memcpy(b.prev, c->tip, 32);
    hash_of(block->v, "hash", b.hash);
    header_window_push(&n->window, &header);
    n->work = work_add(n->work, work_of_block(header.difficulty));
    memcpy(b.work, n->work.be, sizeof(b.work));
    ASSERT_OK(chaindb_begin(c->db, &test_err));
    ASSERT_OK(state_apply(c->s, &b, &test_err));
    ASSERT_OK(chaindb_commit(c->db, &test_err));
    coins_apply(&n->coins, &changes);
    connect_changes_fini(&changes);
    memcpy(c->tip, b.hash, 32);
}

static struct chain *follow(uint64_t height)
{
    struct lines blocks = lines_open("chain/blocks.jsonl");
    struct lines states = lines_open("chain/utxo_state_by_height.jsonl");
    struct chain *c = xcalloc(1, sizeof(*c));

    node_init(&c->node);
    while (lines_next(&blocks)) {
        if (c->node.window.next_height > height)
            continue;
        if (c->node.window.next_height == 0)
            take_genesis(c, &blocks);
        else
            take_block(c, &blocks);
        expect_line(c, &states);
    }
    while (lines_next(&states))
        continue;
    return c;
}

static void chain_free(struct chain *c)
{
    state_close(c->s);
    chaindb_close(c->db);
    coins_fini(&c->node.coins);
    free(c);
}

struct pile {
    struct coin *all;
    size_t count;
};

static enum errc add_coin(void *arg, const struct coin *coin, struct err *err)
{
    struct pile *p = arg;

    (void)err;
    if (p->count > 0 && outpoint_compare(&p->all[p->count - 1].at, &coin->at) >= 0)
        ck_abort_msg("coin %zu is out of order", p->count);
    if ((p->count & (p->count - 1)) == 0)
        p->all = xrealloc(p->all, (2 * p->count + 1) * sizeof(*p->all));
    p->all[p->count++] = *coin;
    return ERR_OK;
}

/* In the transaction of the caller. */
static struct pile coins_then(struct state *s, uint64_t height, struct state_tip *tip)
{
    CLEANUP(state_at_close) struct state_at *at = NULL;
    struct pile p = {.all = NULL};

    ASSERT_OK(state_at_open(s, height, dir.path, &at, &test_err));
    state_at_tip(at, tip);
    ASSERT_OK(state_at_scan(at, add_coin, &p, &test_err));
    ck_assert_uint_eq(tip->height, height);
    ck_assert_uint_eq(tip->coin_count, p.count);
    return p;
}

static void compare_all(struct chain *c)
{
    uint64_t top = c->node.window.next_height - 1;

    ASSERT_OK(chaindb_begin(c->db, &test_err));
    for (uint64_t h = 0; h <= top; h++) {
        struct state_tip tip;
        struct pile p = coins_then(c->s, h, &tip);
        uint8_t root[32];

        unspent_root(p.all, p.count, root);
        ck_assert_mem_eq(root, c->roots[h], 32);
        ck_assert_mem_eq(tip.hash, c->hashes[h], 32);
        ck_assert(tip.supply == c->supply[h]);
        free(p.all);
    }
    chaindb_rollback(c->db);
}

START_TEST(every_height_of_the_chain_has_stocks_own_root)
{
    struct chain *c = follow(240);

    compare_all(c);
    chain_free(c);
}
END_TEST

/* Up a branch, back to the fork, up the other one. */
static void climb(struct chain *c, const char *pair, const char *branch)
{
    char blocks_name[64], states_name[64];
    struct lines blocks, states;

    (void)snprintf(blocks_name, sizeof(blocks_name), "forks/%s/branch_%s.jsonl", pair,
                   branch);
    (void)snprintf(states_name, sizeof(states_name), "forks/%s/utxo_state_%s.jsonl",
                   pair, branch);
    blocks = lines_open(blocks_name);
    states = lines_open(states_name);
    ck_assert(lines_next(&states)); /* of the fork */
    while (lines_next(&blocks)) {
        take_block(c, &blocks);
        expect_line(c, &states);
    }
    while (lines_next(&states))
        continue;
}

/* The state alone: the node that judges blocks has to be told anew. */
static void back_to(struct chain *c, uint64_t height)
{
    struct lines blocks = lines_open("chain/blocks.jsonl");
    uint64_t top = c->node.window.next_height - 1;

    for (; top > height; top--) {
        ASSERT_OK(chaindb_begin(c->db, &test_err));
        ASSERT_OK(state_undo(c->s, &test_err));
        ASSERT_OK(chaindb_commit(c->db, &test_err));
    }
    coins_fini(&c->node.coins);
    node_init(&c->node);
    while (lines_next(&blocks))
        if (c->node.window.next_height <= height)
            node_take(&c->node, blocks.text, (size_t)blocks.len);
    memcpy(c->tip, c->hashes[height], 32);
}

START_TEST(after_a_reorganisation_it_is_the_other_branch)
{
    struct chain *c = follow(200);
    uint8_t first[32];

    climb(c, "pair1", "a");
    compare_all(c);
    memcpy(first, c->roots[201], 32);
    back_to(c, 200);
    compare_all(c);
    climb(c, "pair1", "b");
    ck_assert_mem_ne(first, c->roots[201], 32);
    compare_all(c);
    chain_free(c);
}
END_TEST

START_TEST(a_reader_sees_its_moment_while_the_writer_goes_on)
{
    struct chain *c = follow(200);
    CLEANUP(chaindb_close) struct chaindb *db = NULL;
    CLEANUP(state_close) struct state *s = NULL;
    CLEANUP(state_at_close) struct state_at *at = NULL;
    struct pile p = {.all = NULL};
    struct state_tip tip;
    uint8_t root[32];

    ASSERT_OK(chaindb_open(dir.db, CHAINDB_READER, &db, &test_err));
    ASSERT_OK(state_open(dir.path, db, &s, &test_err));
    ASSERT_OK(chaindb_begin(db, &test_err));
    ASSERT_OK(state_at_open(s, 190, dir.path, &at, &test_err));
    climb(c, "pair1", "a");
    back_to(c, 180);
    ASSERT_OK(state_at_scan(at, add_coin, &p, &test_err));
    unspent_root(p.all, p.count, root);
    ck_assert_mem_eq(root, c->roots[190], 32);
    ASSERT_OK(state_get_tip(s, &tip, &test_err));
    ck_assert_uint_eq(tip.height, 200);
    chaindb_rollback(db);
    free(p.all);
    chain_free(c);
}
END_TEST

/* --- coins that come and go: one outpoint is made and spent again and again --- */

struct model {
    struct coin all[UNIVERSE];
    bool unspent[ROUNDS + 1][UNIVERSE];
};

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525U + 1013904223U;
    return *seed >> 8;
}

static struct state *begin_model(struct model *m, struct chaindb *db)
{
    AUTOFREE struct coin *all = coins_many(7, UNIVERSE), *base;
    const struct coinfile_id id = {.network = "testnet", .height = 1000};
    struct coinfile_info info;
    struct state *s = NULL;
    uint32_t n = 0;

    base = xcalloc(UNIVERSE, sizeof(*base));
    memcpy(m->all, all, sizeof(m->all));
    for (uint32_t i = 0; i < UNIVERSE; i += 3) {
        m->unspent[0][i] = true;
        base[n++] = m->all[i];
    }
    info = coins_write(&dir, &id, base, n);
    ASSERT_OK(chaindb_begin(db, &test_err));
    ASSERT_OK(state_init(db, &info, (uint8_t[40]){0}, &test_err));
    ASSERT_OK(chaindb_commit(db, &test_err));
    ASSERT_OK(state_open(dir.path, db, &s, &test_err));
    return s;
}

static void apply_model(struct model *m, struct chaindb *db, struct state *s,
                        uint32_t round, uint32_t *seed)
{
    const bool *was = m->unspent[round - 1];
    bool *is = m->unspent[round];
    struct coin spent[UNIVERSE], made[UNIVERSE];
    struct state_block b = {.height = 1000 + round,
                            .hash = {(uint8_t)round, 1},
                            .spent = spent,
                            .made = made};

    if (round > 1)
        memcpy(b.prev, (uint8_t[32]){(uint8_t)(round - 1), 1}, 32);
    for (uint32_t i = 0; i < UNIVERSE; i++) {
        is[i] = was[i];
        if (next_random(seed) % 16 > 0)
            continue;
        if (was[i])
            spent[b.spent_count++] = m->all[i];
        /* now and then spent and made again in one block */
        is[i] = !was[i] || next_random(seed) % 4 == 0;
        if (is[i])
            made[b.made_count++] = m->all[i];
    }
    for (uint32_t i = 0; i < UNIVERSE; i++)
        b.supply += is[i] ? coins_sum(&m->all[i], 1) : 0;
    ASSERT_OK(chaindb_begin(db, &test_err));
    ASSERT_OK(state_apply(s, &b, &test_err));
    ASSERT_OK(chaindb_commit(db, &test_err));
}

static void compare_model(const struct model *m, struct state *s, uint32_t round)
{
    struct state_tip tip;
    struct pile p = coins_then(s, 1000 + round, &tip);
    size_t at = 0;

    for (uint32_t i = 0; i < UNIVERSE; i++)
        if (m->unspent[round][i] &&
            (at == p.count || !coins_same(&p.all[at++], &m->all[i])))
            ck_abort_msg("round %u: coin %u differs", round, i);
    ck_assert_uint_eq(at, p.count);
    free(p.all);
}

START_TEST(an_outpoint_made_and_spent_again_is_as_it_was_first)
{
    AUTOFREE struct model *m = xcalloc(1, sizeof(*m));
    CLEANUP(chaindb_close) struct chaindb *db = NULL;
    CLEANUP(state_close) struct state *s = NULL;
    uint32_t seed = 3;

    ASSERT_OK(chaindb_open(dir.db, CHAINDB_WRITER, &db, &test_err));
    s = begin_model(m, db);
    for (uint32_t round = 1; round <= ROUNDS; round++)
        apply_model(m, db, s, round, &seed);
    ASSERT_OK(chaindb_begin(db, &test_err));
    for (uint32_t round = 0; round <= ROUNDS; round++)
        compare_model(m, s, round);
    chaindb_rollback(db);
}
END_TEST

/* --- what is refused --- */

START_TEST(a_height_that_is_not_here_is_named)
{
    struct chain *c = follow(20);
    struct state_at *at = NULL;

    ASSERT_ERR(ERR_NOTFOUND, state_at_open(c->s, 21, dir.path, &at, &test_err));
    ck_assert_str_eq(test_err.msg, "the state at height 21 is not here: it reaches "
                                   "from 0 to 20");
    chain_free(c);
}
END_TEST

static void run_sql(const char *sql)
{
    sqlite3 *raw = NULL;

    ck_assert_int_eq(sqlite3_open(dir.db, &raw), SQLITE_OK);
    ck_assert_msg(sqlite3_exec(raw, sql, NULL, NULL, NULL) == SQLITE_OK, "%s: %s", sql,
                  sqlite3_errmsg(raw));
    (void)sqlite3_close(raw);
}

static const struct {
    const char *sql, *why;
} rots[] = {
    {"DELETE FROM undo WHERE height = 15", "undo record of block 15 is missing"},
    {"DELETE FROM undo WHERE height = 11", "undo record of block 11 is missing"},
    {"DELETE FROM undo WHERE height = 20", "undo record of block 20 is missing"},
    {"UPDATE undo SET hash = zeroblob(32) WHERE height = 20",
     "undo record of block 20 is not of the tip"},
    {"UPDATE undo SET prev_hash = zeroblob(32) WHERE height = 14",
     "undo record of block 14 does not stand on the one below"},
    {"UPDATE undo SET coins = zeroblob(40) WHERE height = 13",
     "undo record lost its hash"},
    {"UPDATE undo SET prev_supply = zeroblob(16) WHERE height = 11",
     "the coins at height 10 are not as many as there were"},
};

START_TEST(undo_records_that_rotted_are_found)
{
    struct chain *c = follow(20);
    CLEANUP(state_at_close) struct state_at *at = NULL;
    struct pile p = {.all = NULL};
    enum errc rc;

    run_sql(rots[_i].sql);
    ASSERT_OK(chaindb_begin(c->db, &test_err));
    rc = state_at_open(c->s, 10, dir.path, &at, &test_err);
    if (!rc)
        rc = state_at_scan(at, add_coin, &p, &test_err);
    ck_assert_int_eq(rc, ERR_IO);
    ck_assert_int_eq((int)test_err.reason, REASON_STORAGE_CORRUPT);
    ck_assert_str_eq(test_err.msg, rots[_i].why);
    chaindb_rollback(c->db);
    free(p.all);
    chain_free(c);
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("state_at");
    TCase *tc = tcase_create("core");

    tcase_set_timeout(tc, 120);
    tcase_add_checked_fixture(tc, make_dir, remove_dir);
    tcase_add_test(tc, every_height_of_the_chain_has_stocks_own_root);
    tcase_add_test(tc, after_a_reorganisation_it_is_the_other_branch);
    tcase_add_test(tc, a_reader_sees_its_moment_while_the_writer_goes_on);
    tcase_add_test(tc, an_outpoint_made_and_spent_again_is_as_it_was_first);
    tcase_add_test(tc, a_height_that_is_not_here_is_named);
    tcase_add_loop_test(tc, undo_records_that_rotted_are_found, 0,
                        (int)(sizeof(rots) / sizeof(rots[0])));
    suite_add_tcase(s, tc);
    return s;
}
