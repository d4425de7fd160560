#include <stdlib.h>
#include <string.h>

#include "sync/chain/difficulty.h"

enum { MEDIAN_HEADERS = 11, VERSION = 1, GAP_SLACK_SECONDS = 2 };

#define FAIL(err, reason, h, what) \
    err_fail(err, reason, "block %llu: " what, (unsigned long long)(h)->height)

static double last_timestamp(const struct header_window *w)
{
    return w->timestamp[(w->next_height - 1) % HEADER_WINDOW];
}

static int by_value(const void *a, const void *b)
{
    const double *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

/* Most headers are after all eleven: the median is looked for when one is not. */
static bool is_after_median(double time, const struct header_window *w)
{
    size_t n = w->count < MEDIAN_HEADERS ? w->count : MEDIAN_HEADERS, earlier = 0;
    double t[MEDIAN_HEADERS];

    for (size_t i = 0; i < n; i++) {
        t[i] = w->timestamp[(w->next_height - 1 - i) % HEADER_WINDOW];
        earlier += t[i] < time;
    }
    if (earlier == n)
        return true;
    qsort(t, n, sizeof(t[0]), by_value);
    return time > (n % 2 == 1 ? t[n / 2] : (t[n / 2 - 1] + t[n / 2]) / 2);
}

/* The miner looked at its clock for rule 1 just before it stamped the header: a gap a
   little over the limit may have been one below it. */
static bool has_right_difficulty(const struct header *h, const struct header_window *w,
                                 const struct chain_params *params)
{
    double gap = h->timestamp - last_timestamp(w);
    struct difficulty_range regular = difficulty_regular(w, params);

    if (params->min_difficulty_after_gap && gap >= DIFFICULTY_GAP_SECONDS) {
        if (h->difficulty == DIFFICULTY_AFTER_GAP)
            return true;
        if (gap > DIFFICULTY_GAP_SECONDS + GAP_SLACK_SECONDS)
            return false;
    }
    return h->difficulty >= regular.low && h->difficulty <= regular.high;
}

static enum errc check_genesis(const struct header *h,
                               const struct chain_params *params, struct err *err)
{
    if (h->height != 0 ||
        memcmp(h->hash, params->genesis_hash, sizeof(params->genesis_hash)) != 0)
        return FAIL(err, REASON_BLOCK_BAD_LINK, h, "not this network's genesis");
    return ERR_OK;
}

enum errc header_check(const struct header *h, const struct header_window *w,
                       const struct chain_params *params, struct err *err)
{
    if (w->next_height == 0)
        return check_genesis(h, params, err);
    if (w->count < HEADER_WINDOW_MIN && w->count < w->next_height)
        return FAIL(err, REASON_INTERNAL, h, "too few headers below to judge it");
    if (h->height != w->next_height)
        return FAIL(err, REASON_BLOCK_BAD_LINK, h, "not the next height");
    if (memcmp(h->prev, w->last_hash, sizeof(h->prev)) != 0)
        return FAIL(err, REASON_BLOCK_BAD_LINK, h, "not on the block below");
    if (!h->has_version || h->version != VERSION)
        return FAIL(err, REASON_BLOCK_BAD_VERSION, h, "version is not 1");
    if (!header_has_pow(h))
        return FAIL(err, REASON_BLOCK_LOW_POW, h, "hash does not meet the difficulty");
    if (!has_right_difficulty(h, w, params))
        return FAIL(err, REASON_BLOCK_BAD_DIFFICULTY, h, "not the expected difficulty");
    if (h->timestamp <= last_timestamp(w))
        return FAIL(err, REASON_BLOCK_BAD_TIMESTAMP, h, "not after its parent");
    if (!is_after_median(h->timestamp, w))
        return FAIL(err, REASON_BLOCK_BAD_TIMESTAMP, h,
                    "not after the median of eleven");
    return ERR_OK;
}
