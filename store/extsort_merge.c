#include <stdbool.h>

#include "base/mem.h"
#include "store/extsort_merge.h"

struct head {
    struct extsort_run *run;
    size_t order; /* of the run among all */
    const uint8_t *record;
    size_t len;
    uint64_t first; /* extsort_first_of */
};

struct extsort_merge {
    struct extsort_options opt;
    size_t count;
    bool given; /* heap[0] was handed out: step its run before looking again */
    struct head heap[];
};

static bool before(const struct extsort_merge *m, const struct head *a,
                   const struct head *b)
{
    int order;

    if (a->first != b->first)
        return a->first < b->first;
    order = m->opt.compare(a->record, a->len, b->record, b->len);
    return order != 0 ? order < 0 : a->order < b->order;
}

static void sift_down(struct extsort_merge *m, size_t at)
{
    for (;;) {
        size_t least = at;
        struct head tmp;

        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < m->count;
             child++)
            if (before(m, &m->heap[child], &m->heap[least]))
                least = child;
        if (least == at)
            return;
        tmp = m->heap[at];
        m->heap[at] = m->heap[least];
        m->heap[least] = tmp;
        at = least;
    }
}

static enum errc next(const struct extsort_merge *m, struct head *h, struct err *err)
{
    enum errc rc = extsort_run_next(h->run, &h->record, &h->len, err);

    if (!rc && h->record)
        h->first = extsort_first_of(&m->opt, h->record, h->len);
    return rc;
}

enum errc extsort_merge_create(struct extsort_run *const *runs, size_t count,
                               const struct extsort_options *opt,
                               struct extsort_merge **out, struct err *err)
{
    CLEANUP(extsort_merge_free)
    struct extsort_merge *m = xcalloc(1, sizeof(*m) + count * sizeof(m->heap[0]));

    m->opt = *opt;
    for (size_t i = 0; i < count; i++) {
        struct head *h = &m->heap[m->count];
        enum errc rc;

        h->run = runs[i];
        h->order = i;
        rc = next(m, h, err);
        if (rc)
            return rc;
        if (h->record)
            m->count++;
    }
    for (size_t i = m->count / 2; i-- > 0;)
        sift_down(m, i);
    *out = TAKE(m);
    return ERR_OK;
}

void extsort_merge_free(struct extsort_merge *m)
{
    free(m);
}

static enum errc step(struct extsort_merge *m, struct err *err)
{
    struct head *top = &m->heap[0];
    enum errc rc = next(m, top, err);

    if (rc)
        return rc;
    if (!top->record)
        *top = m->heap[--m->count];
    sift_down(m, 0);
    return ERR_OK;
}

enum errc extsort_merge_next(struct extsort_merge *m, const uint8_t **record,
                             size_t *len, struct err *err)
{
    if (m->given) {
        enum errc rc = step(m, err);

        if (rc)
            return rc;
    }
    m->given = m->count > 0;
    *record = m->given ? m->heap[0].record : NULL;
    *len = m->given ? m->heap[0].len : 0;
    return ERR_OK;
}
