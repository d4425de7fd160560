#include <stdlib.h>

#include "base/mem.h"
#include "sync/span.h"

static void run(struct task *task)
{
    struct span *s = (void *)task;
    struct headers_wire_batch *b = &s->batch;

    b->room = xcalloc(b->max, sizeof(b->room[0]));
    if (headers_wire_decode(s->answer, s->len, b, &s->err) == ERR_OK)
        for (size_t i = 0; i < b->count && !s->err.code; i++)
            (void)header_check_signature(&b->room[i], &s->err);
    free(TAKE(s->answer));
}

static void free_task(struct job_task *t)
{
    span_free((void *)t);
}

struct span *span_new(struct transfer_request *r, uint64_t low, size_t count)
{
    struct span *s = xcalloc(1, sizeof(*s));

    s->base.task.run = run;
    s->base.free = free_task;
    s->answer = r->body ? TAKE(r->body) : xstrdup("");
    s->len = r->body_len;
    s->batch.from = low;
    s->batch.max = count;
    return s;
}

void span_free(struct span *s)
{
    if (!s)
        return;
    if (s->peer)
        atomic_fetch_sub(&s->peer->held, 1);
    free(s->answer);
    free(s->batch.room);
    free(s);
}
