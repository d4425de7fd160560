#ifndef TESTS_UNIT_COIN_TABLE_H
#define TESTS_UNIT_COIN_TABLE_H

#include <string.h>

#include "base/mem.h"
#include "sync/chain/connect.h"
#include "tests/unit/test.h"

/* The unspent coins in memory, for connect_block. */
struct coins {
    struct coin *all;
    size_t count;
    u128 supply;
    bool broken; /* the lookup fails as a storage would */
};

static inline struct coin *coins_at(const struct coins *c, const struct outpoint *at)
{
    for (size_t i = 0; i < c->count; i++)
        if (outpoint_compare(&c->all[i].at, at) == 0)
            return &c->all[i];
    return NULL;
}

static inline bool coins_find(void *arg, const struct outpoint *at, struct coin *out,
                              struct err *err)
{
    const struct coins *c = arg;
    const struct coin *coin = coins_at(c, at);

    if (c->broken) {
        (void)err_fail(err, REASON_STORAGE_FAILED, "broken on purpose");
        return false;
    }
    if (coin)
        *out = *coin;
    return coin != NULL;
}

static inline struct connect_view coins_view(struct coins *c)
{
    return (struct connect_view){coins_find, c, c->supply};
}

static inline void coins_apply(struct coins *c, const struct connect_changes *ch)
{
    for (size_t i = 0; i < ch->spent_count; i++) {
        struct coin *coin = coins_at(c, &ch->spent[i].at);

        ck_assert_ptr_nonnull(coin);
        *coin = c->all[--c->count];
    }
    c->all = xrealloc(c->all, (c->count + ch->made_count + 1) * sizeof(struct coin));
    for (size_t i = 0; i < ch->made_count; i++)
        c->all[c->count++] = ch->made[i];
    c->supply = ch->supply;
}

static inline void coins_fini(struct coins *c)
{
    free(c->all);
    *c = (struct coins){0};
}

#endif
