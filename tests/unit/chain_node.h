#ifndef TESTS_UNIT_CHAIN_NODE_H
#define TESTS_UNIT_CHAIN_NODE_H

#include "tests/unit/coin_table.h"
#include "tests/unit/lines.h"

/* A node of the fixture chain: everything a block is checked against. */
struct node {
    const struct chain_params *params;
    struct header_window window;
    struct coins coins;
    struct work work;
};

static inline void node_init(struct node *n)
{
    memset(n, 0, sizeof(*n));
    n->params = params_find("testnet");
    header_window_init(&n->window, 0);
}

/* Decodes, checks and connects one block as the engine would; REASON_NONE if it is
   good. changes may be NULL. */
static inline enum reason node_judge(struct node *n, const char *text, size_t len,
                                     struct header *header,
                                     struct connect_changes *changes)
{
    CLEANUP(block_free) struct block *b = NULL;
    struct connect_view view = coins_view(&n->coins);
    struct connect_changes own = {0};

    test_err.reason = REASON_NONE;
    if (block_decode(text, len, n->params, &b, &test_err) != ERR_OK ||
        header_check(&b->header, &n->window, n->params, &test_err) != ERR_OK ||
        block_check_signatures(b, n->params, &test_err) != ERR_OK ||
        connect_block(b, n->params, &view, &own, &test_err) != ERR_OK) {
        ck_assert_int_ne(test_err.reason, REASON_NONE);
        return test_err.reason;
    }
    *header = b->header;
    if (changes)
        *changes = own;
    else
        connect_changes_fini(&own);
    return REASON_NONE;
}

static inline void node_take(struct node *n, const char *text, size_t len)
{
    struct connect_changes changes;
    struct header header;

    ck_assert_msg(node_judge(n, text, len, &header, &changes) == REASON_NONE, "%s",
                  test_err.msg);
    header_window_push(&n->window, &header);
    n->work = work_add(n->work, work_of_block(header.difficulty));
    coins_apply(&n->coins, &changes);
    connect_changes_fini(&changes);
}

#endif
