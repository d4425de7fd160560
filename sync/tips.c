#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "sync/ask.h"
#include "sync/peer/stock.h"

static void on_tip(struct engine *e, const struct fetch *f, struct transfer_request *r)
{
    struct stock_tip tip;
    struct err err;

    if (r->err.code == ERR_OK && r->status == 200) {
        if (stock_tip_parse(r->body, r->body_len, &tip, &err)) {
            peer_blame(f->peer, PEER_FAULT_ERROR, err.reason, 0, err.msg,
                       clock_mono_ms(), clock_now_ms());
        } else {
            f->peer->has_tip = true;
            f->peer->tip_height = tip.height;
            memcpy(f->peer->tip_hash, tip.hash, 32);
            f->peer->tip_at_mono_ms = clock_mono_ms();
        }
    } else if (r->err.code == ERR_OK && r->status != 429) {
        peer_blame(f->peer, PEER_FAULT_ERROR, REASON_PEER_BAD_ANSWER, 0, "no tip",
                   clock_mono_ms(), clock_now_ms());
    }
    if (--*e->polls[f->slot].out == 0)
        e->polls[f->slot].done(e);
}

void tips_poll(struct engine *e, unsigned *out, void (*done)(struct engine *e))
{
    size_t which = out == &e->polls_out ? 0 : 1;
    int64_t mono = clock_mono_ms(), now = clock_now_ms();

    e->polls[which].out = out;
    e->polls[which].done = done;
    *out = 1; /* so that the last answer cannot come before the last question */
    for (size_t i = 0; i < peers_count(e->peers); i++) {
        struct peer *p = peers_at(e->peers, i);

        if (ask_can(p, mono, now) && !(which == 1 && e->job.tip_heard[p->slot]))
            *out +=
                ask_tip(e, &(struct fetch){.peer = p, .slot = which, .done = on_tip});
    }
    if (--*out == 0)
        done(e);
}

bool tips_height(struct engine *e, uint64_t *height)
{
    int64_t mono = clock_mono_ms(), now = clock_now_ms();
    bool any = false;

    for (size_t i = 0; i < peers_count(e->peers); i++) {
        const struct peer *p = peers_at(e->peers, i);

        if (!p->has_tip || !peer_usable(p, mono, now))
            continue;
        if (!any || p->tip_height > *height)
            *height = p->tip_height;
        any = true;
    }
    return any;
}
