#include <stdlib.h>

#include "base/mem.h"
#include "sync/core.h"
#include "sync/outputs.h"

/* A body re-written canonically can be longer than what came: every character escaped.
 */
enum { BODY_MAX = 16 << 20 };

static void run(struct task *task)
{
    struct decoded *d = (void *)task;
    CLEANUP(block_free) struct block *b = NULL;
    enum errc rc = block_decode(d->text, d->len, d->params, &b, &d->err);

    if (!rc)
        rc = d->check_transfers ? block_check_signatures(b, d->params, &d->err)
                                : header_check_signature(&b->header, &d->err);
    if (rc)
        return;
    d->header = b->header;
    if (d->want_body)
        block_write(b, &d->body);
    if (d->want_outputs)
        outputs_note(b, &d->outputs);
    if (d->body.full || d->outputs.full)
        (void)err_fail(&d->err, REASON_BLOCK_TOO_LARGE, "block %llu",
                       (unsigned long long)d->header.height);
}

static void free_task(struct job_task *t)
{
    decoded_free((void *)t);
}

struct decoded *decoded_new(struct transfer_request *r, struct peer *from,
                            const struct chain_params *params)
{
    struct decoded *d = xcalloc(1, sizeof(*d));

    d->base.task.run = run;
    d->base.free = free_task;
    d->text = r->body ? TAKE(r->body) : xstrdup("");
    d->len = r->body_len;
    d->params = params;
    d->peer = from;
    if (from)
        atomic_fetch_add(&from->held, 1);
    d->body = BUF(BODY_MAX);
    d->outputs = BUF(BODY_MAX);
    return d;
}

void decoded_free(struct decoded *d)
{
    if (!d)
        return;
    if (d->peer)
        atomic_fetch_sub(&d->peer->held, 1);
    buf_fini(&d->body);
    buf_fini(&d->outputs);
    free(d->text);
    free(d);
}
