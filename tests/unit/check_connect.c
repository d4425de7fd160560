#include <math.h>

#include "sync/chain/rules.h"
#include "tests/unit/chain_node.h"

static void assert_state(struct node *n, const struct json *state)
{
    uint8_t want[32], root[32];

    ck_assert_uint_eq(u64_of(state, "height"), n->window.next_height - 1);
    ck_assert_uint_eq(u64_of(state, "total_utxos"), n->coins.count);
    ck_assert(fabs(double_of(state, "total_value") - (double)n->coins.supply / 1e18) <
              1e-6);
    hash_of(state, "unspent_merkle_root", want);
    unspent_root(n->coins.all, n->coins.count, root);
    ck_assert_mem_eq(root, want, sizeof(root));
}

static void assert_work(const struct node *n, const struct json *entry)
{
    char text[WORK_TEXT];

    work_text(&n->work, text);
    ck_assert_str_eq(text, text_of(entry, "cumulative_work"));
}

/* Takes blocks from genesis up to and with height. */
static void replay(struct node *n, uint64_t height)
{
    struct json_doc *work = lines_document("chain/cumulative_work.json");
    const struct json *entry = json_root(work)->first;
    struct lines states = lines_open("chain/utxo_state_by_height.jsonl");
    struct lines blocks = lines_open("chain/blocks.jsonl");

    while (lines_next(&blocks)) {
        if (n->window.next_height > height)
            continue;
        node_take(n, blocks.text, (size_t)blocks.len);
        ck_assert(lines_next(&states));
        assert_state(n, states.v);
        assert_work(n, entry);
        entry = entry->next;
    }
    while (lines_next(&states))
        continue;
    ck_assert_uint_eq(n->window.next_height, height + 1);
    json_free(work);
}

START_TEST(replays_the_chain_to_stocks_own_roots)
{
    struct node n;

    node_init(&n);
    replay(&n, 240);
    coins_fini(&n.coins);
}
END_TEST

static void replay_branch(uint64_t fork, const char *dir, const char *branch)
{
    char blocks_name[64], states_name[64];
    struct lines blocks, states;
    struct node n;

    (void)snprintf(blocks_name, sizeof(blocks_name), "forks/%s/branch_%s.jsonl", dir,
                   branch);
    (void)snprintf(states_name, sizeof(states_name), "forks/%s/utxo_state_%s.jsonl",
                   dir, branch);
    node_init(&n);
    replay(&n, fork);
    blocks = lines_open(blocks_name);
    states = lines_open(states_name);
    ck_assert(lines_next(&states)); /* of the fork point */
    assert_state(&n, states.v);
    while (lines_next(&blocks)) {
        node_take(&n, blocks.text, (size_t)blocks.len);
        ck_assert(lines_next(&states));
        assert_state(&n, states.v);
    }
    ck_assert(!lines_next(&states));
    coins_fini(&n.coins);
}

START_TEST(replays_both_branches_of_both_forks)
{
    replay_branch(200, "pair1", "a");
    replay_branch(200, "pair1", "b");
    replay_branch(140, "pair2", "a");
    replay_branch(140, "pair2", "b");
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("connect");
    TCase *tc = tcase_create("core");

    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, replays_the_chain_to_stocks_own_roots);
    tcase_add_test(tc, replays_both_branches_of_both_forks);
    suite_add_tcase(s, tc);
    return s;
}
