#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/extsort.h"
#include "store/extsort_merge.h"
#include "store/extsort_order.h"
#include "store/extsort_run.h"

/*
 * Runs have levels: a spill is level 0, and as soon as the newest FAN_IN runs share a
 * level they are merged into one of the next.  So a record is rewritten once a level,
 * and fewer than FAN_IN runs of each level are open.  Only neighbours merge: order is
 * kept.
 */
enum { FAN_IN = 64, LEVELS = 6, RUNS_MAX = FAN_IN * LEVELS };

struct extsort {
    struct extsort_options opt;
    uint8_t *arena;
    size_t arena_bytes, used;
    struct extsort_item *items; /* cap of them, and as many again to sort in */
    size_t count, cap, given;
    struct {
        struct extsort_run *run;
        unsigned level;
    } runs[RUNS_MAX];
    size_t run_count;
    struct extsort_merge *merge;
};

enum errc extsort_create(const struct extsort_options *opt, struct extsort **out,
                         struct err *err)
{
    struct extsort *s;

    if (opt->record_max == 0 || opt->record_max > UINT32_MAX ||
        opt->memory_bytes > UINT32_MAX)
        return err_set(err, ERR_INVALID, "sort record of up to %zu bytes",
                       opt->record_max);
    s = xcalloc(1, sizeof(*s));
    s->opt = *opt;
    s->arena_bytes =
        opt->memory_bytes > opt->record_max ? opt->memory_bytes : opt->record_max;
    s->arena = xcalloc(1, s->arena_bytes);
    *out = s;
    return ERR_OK;
}

static void drop_memory(struct extsort *s)
{
    free(TAKE(s->arena));
    free(TAKE(s->items));
}

void extsort_free(struct extsort *s)
{
    if (!s)
        return;
    drop_memory(s);
    extsort_merge_free(s->merge);
    for (size_t i = 0; i < s->run_count; i++)
        extsort_run_free(s->runs[i].run);
    free(s);
}

static void sort_items(struct extsort *s)
{
    extsort_order(s->items, s->count, s->items + s->cap, s->arena, s->opt.compare);
}

/* The newest runs from first on become one. */
static enum errc merge_runs(struct extsort *s, size_t first, struct err *err)
{
    CLEANUP(extsort_run_free) struct extsort_run *merged = NULL;
    CLEANUP(extsort_merge_free) struct extsort_merge *m = NULL;
    struct extsort_run *runs[RUNS_MAX];
    const uint8_t *record;
    size_t len;
    enum errc rc;

    for (size_t i = first; i < s->run_count; i++)
        runs[i - first] = s->runs[i].run;
    rc = extsort_run_create(s->opt.dir, s->opt.record_max, &merged, err);
    if (!rc)
        rc = extsort_merge_create(runs, s->run_count - first, &s->opt, &m, err);
    for (;;) {
        if (!rc)
            rc = extsort_merge_next(m, &record, &len, err);
        if (rc || !record)
            break;
        rc = extsort_run_add(merged, record, len, err);
    }
    if (!rc)
        rc = extsort_run_seal(merged, err);
    if (rc)
        return rc;
    for (size_t i = first; i < s->run_count; i++)
        extsort_run_free(s->runs[i].run);
    s->runs[first].run = TAKE(merged);
    s->runs[first].level++;
    s->run_count = first + 1;
    return ERR_OK;
}

static enum errc settle_levels(struct extsort *s, struct err *err)
{
    enum errc rc = ERR_OK;

    while (!rc && s->run_count >= FAN_IN) {
        size_t first = s->run_count - FAN_IN;

        if (s->runs[first].level != s->runs[s->run_count - 1].level ||
            s->runs[first].level + 1 == LEVELS)
            break;
        rc = merge_runs(s, first, err);
    }
    return rc;
}

static enum errc spill(struct extsort *s, struct err *err)
{
    CLEANUP(extsort_run_free) struct extsort_run *run = NULL;
    enum errc rc;

    if (s->run_count == RUNS_MAX) /* 64^6 spills: more than any disk */
        return err_fail(err, REASON_INTERNAL, "sort has too many runs");
    rc = extsort_run_create(s->opt.dir, s->opt.record_max, &run, err);
    sort_items(s);
    for (size_t i = 0; i < s->count && !rc; i++)
        rc = extsort_run_add(run, s->arena + s->items[i].offset, s->items[i].len, err);
    if (!rc)
        rc = extsort_run_seal(run, err);
    if (rc)
        return rc;
    s->runs[s->run_count].run = TAKE(run);
    s->runs[s->run_count++].level = 0;
    s->count = s->used = 0;
    return settle_levels(s, err);
}

enum errc extsort_add(struct extsort *s, const void *record, size_t len,
                      struct err *err)
{
    size_t held = s->used + 2 * s->count * sizeof(struct extsort_item);

    if (len == 0 || len > s->opt.record_max)
        return err_set(err, ERR_INVALID, "sort record of %zu bytes, at most %zu", len,
                       s->opt.record_max);
    if (s->count > 0 &&
        (len > s->arena_bytes - s->used || held + len > s->arena_bytes)) {
        enum errc rc = spill(s, err);

        if (rc)
            return rc;
    }
    if (s->count == s->cap) {
        s->cap = s->cap ? 2 * s->cap : 256;
        s->items = xrealloc(s->items, 2 * s->cap * sizeof(s->items[0]));
    }
    memcpy(s->arena + s->used, record, len);
    s->items[s->count++] = (struct extsort_item){extsort_first_of(&s->opt, record, len),
                                                 (uint32_t)s->used, (uint32_t)len};
    s->used += len;
    return ERR_OK;
}

enum errc extsort_finish(struct extsort *s, struct err *err)
{
    struct extsort_run *runs[RUNS_MAX];
    enum errc rc;

    if (s->run_count == 0) {
        if (s->count > 1)
            sort_items(s);
        return ERR_OK;
    }
    if (s->count > 0) {
        rc = spill(s, err);
        if (rc)
            return rc;
    }
    drop_memory(s);
    for (size_t i = 0; i < s->run_count; i++)
        runs[i] = s->runs[i].run;
    return extsort_merge_create(runs, s->run_count, &s->opt, &s->merge, err);
}

enum errc extsort_next(struct extsort *s, const uint8_t **record, size_t *len,
                       struct err *err)
{
    if (s->merge)
        return extsort_merge_next(s->merge, record, len, err);
    if (s->given == s->count) {
        *record = NULL;
        *len = 0;
        return ERR_OK;
    }
    *record = s->arena + s->items[s->given].offset;
    *len = s->items[s->given++].len;
    return ERR_OK;
}
