#include <string.h>

#include "sync/snapshot/payload_walk.h"

enum { FRAME_TEXT_MAX = 8 << 20 }; /* 1 MiB as spelled, floats written out, twice */

void payload_walk_init(struct payload_walk *w)
{
    memset(w, 0, sizeof(*w));
    payload_members_init(&w->top);
    payload_frame_init(&w->frame);
    payload_entry_init(&w->entry);
}

void payload_walk_fini(struct payload_walk *w)
{
    payload_members_fini(&w->top);
    payload_frame_fini(&w->frame);
    payload_entry_fini(&w->entry);
}

static enum errc malformed(struct err *err, const char *what)
{
    return err_fail(err, REASON_PAYLOAD_MALFORMED, "%s", what);
}

enum errc payload_walk_out_of_order(struct payload_walk *w, struct err *err)
{
    w->disorder = true;
    return err_set(err, ERR_CONFLICT, "keys are not in order");
}

/* --- the three objects with one big member --- */

struct object {
    struct payload_members *members;
    const char *big; /* its key */
    bool *seen;
    enum payload_level at_big, outside;
    bool hashed;
};

static struct object object_of(struct payload_walk *w)
{
    if (w->level == WALK_TOP)
        return (struct object){&w->top,      "data",    &w->seen_data,
                               WALK_AT_DATA, WALK_DONE, false};
    if (w->level == WALK_DATA)
        return (struct object){&w->frame.data,   "utxo_snapshot", &w->seen_snapshot,
                               WALK_AT_SNAPSHOT, WALK_TOP,        true};
    return (struct object){&w->frame.snapshot, "utxo_set", &w->seen_set,
                           WALK_AT_SET,        WALK_DATA,  true};
}

static enum errc object_key(struct payload_walk *w, const struct payload_event *ev,
                            struct err *err)
{
    struct object o = object_of(w);

    if (!payload_event_is(ev, o.big)) {
        /* What canonical text has before the big member was hashed by now. */
        if (o.hashed && w->in_order && *o.seen &&
            json_key_compare(ev->text, ev->len, o.big, strlen(o.big)) < 0)
            return payload_walk_out_of_order(w, err);
        w->taking = o.members;
        return payload_members_key(o.members, ev, err);
    }
    if (*o.seen)
        return err_fail(err, REASON_PAYLOAD_MALFORMED, "%s twice", o.big);
    *o.seen = true;
    w->level = o.at_big;
    return ERR_OK;
}

static enum errc object_event(struct payload_walk *w, const struct payload_event *ev,
                              struct err *err)
{
    struct object o = object_of(w);

    if (ev->type == PAYLOAD_KEY)
        return object_key(w, ev, err);
    if (!*o.seen)
        return err_fail(err, REASON_PAYLOAD_MALFORMED, "%s: missing", o.big);
    w->level = o.outside;
    return ERR_OK;
}

/* --- going in --- */

/* In order, the text before the first address is hashed now, so it must be here now. */
static enum errc enter_set(struct payload_walk *w, struct err *err)
{
    CLEANUP_BUF struct buf before = BUF(FRAME_TEXT_MAX), after = BUF(FRAME_TEXT_MAX);
    struct payload_totals totals;
    bool have;
    enum errc rc;

    w->level = WALK_SET;
    if (!w->in_order)
        return ERR_OK;
    rc = payload_frame_totals(&w->frame, &have, &totals, err);
    if (!rc && !have)
        return payload_walk_out_of_order(w, err); /* canonical text has them first */
    if (!rc)
        rc = payload_frame_write(&w->frame, &before, &after, err);
    if (!rc)
        payload_canon_start(w->canon, &before);
    return rc;
}

static enum errc enter(struct payload_walk *w, const struct payload_event *ev,
                       struct err *err)
{
    bool map = ev->type == PAYLOAD_MAP;

    if (w->level == WALK_START) {
        w->level = WALK_TOP;
        return map ? ERR_OK : malformed(err, "not an object");
    }
    if (w->level == WALK_AT_DATA) {
        w->level = w->coins ? WALK_DATA : WALK_SKIM;
        return map ? ERR_OK : malformed(err, "data: not an object");
    }
    if (w->level == WALK_AT_SNAPSHOT) {
        w->level = WALK_SNAPSHOT;
        return map ? ERR_OK : malformed(err, "utxo_snapshot: not an object");
    }
    return map ? enter_set(w, err) : malformed(err, "utxo_set: not an object");
}

static void skim_event(struct payload_walk *w, const struct payload_event *ev)
{
    if (ev->type == PAYLOAD_MAP || ev->type == PAYLOAD_ARRAY) {
        w->skim_depth++;
        return;
    }
    if (ev->type != PAYLOAD_MAP_END && ev->type != PAYLOAD_ARRAY_END)
        return;
    if (w->skim_depth == 0)
        w->level = WALK_TOP;
    else
        w->skim_depth--;
}

static enum errc take(struct payload_walk *w, const struct payload_event *ev,
                      struct err *err)
{
    bool done = false;
    enum errc rc = payload_members_value(w->taking, ev, &done, err);

    if (done)
        w->taking = NULL;
    return rc;
}

enum errc payload_walk_event(void *walk, const struct payload_event *ev,
                             struct err *err)
{
    struct payload_walk *w = walk;

    if (w->muted > 0) {
        w->muted--;
        return ERR_OK;
    }
    if (w->taking)
        return take(w, ev, err);
    switch (w->level) {
    case WALK_TOP:
    case WALK_DATA:
    case WALK_SNAPSHOT:
        return object_event(w, ev, err);
    case WALK_START:
    case WALK_AT_DATA:
    case WALK_AT_SNAPSHOT:
    case WALK_AT_SET:
        return enter(w, ev, err);
    case WALK_SET:
    case WALK_AT_LIST:
    case WALK_LIST:
    case WALK_ENTRY:
        return payload_walk_coins(w, ev, err);
    case WALK_SKIM:
        skim_event(w, ev);
        return ERR_OK;
    case WALK_DONE:
        break;
    }
    return malformed(err, "something follows the payload");
}

enum errc payload_walk_hash(struct payload_walk *w, uint8_t hash[32], struct err *err)
{
    CLEANUP_BUF struct buf before = BUF(FRAME_TEXT_MAX), after = BUF(FRAME_TEXT_MAX);
    enum errc rc = payload_frame_write(&w->frame, &before, &after, err);

    return rc ? rc : payload_canon_finish(w->canon, &before, &after, hash, err);
}
