#include <string.h>

#include "sync/snapshot/payload_walk.h"

/* Addresses, their lists, and the entries in them. */

static enum errc malformed(struct err *err, const char *what)
{
    return err_fail(err, REASON_PAYLOAD_MALFORMED, "%s", what);
}

static bool is_address(const struct payload_event *ev)
{
    for (size_t i = 0; i < ev->len; i++)
        if ((unsigned char)ev->text[i] < 0x20 || ev->text[i] == 0x7f)
            return false;
    return ev->len > 0 && ev->len <= COIN_ADDRESS_MAX;
}

static enum errc set_event(struct payload_walk *w, const struct payload_event *ev,
                           struct err *err)
{
    bool descends = false;
    enum errc rc;

    if (ev->type == PAYLOAD_MAP_END) {
        w->level = WALK_SNAPSHOT;
        return ERR_OK;
    }
    if (!is_address(ev))
        return malformed(err, "a key of utxo_set is no address");
    memcpy(w->owner, ev->text, ev->len);
    w->owner[ev->len] = '\0';
    w->level = WALK_AT_LIST;
    rc = payload_canon_list(w->canon, w->owner, &descends, err);
    return !rc && descends && w->in_order ? payload_walk_out_of_order(w, err) : rc;
}

static enum errc list_event(struct payload_walk *w, const struct payload_event *ev,
                            struct err *err)
{
    if (ev->type == PAYLOAD_ARRAY_END) {
        w->level = WALK_SET;
        return payload_canon_list_end(w->canon, err);
    }
    if (ev->type != PAYLOAD_MAP)
        return malformed(err, "an entry that is not an object");
    payload_entry_begin(&w->entry);
    w->level = WALK_ENTRY;
    return ERR_OK;
}

static enum errc entry_event(struct payload_walk *w, const struct payload_event *ev,
                             struct err *err)
{
    enum errc rc;

    if (ev->type == PAYLOAD_KEY)
        return payload_entry_key(&w->entry, ev, err);
    if (ev->type != PAYLOAD_MAP_END)
        return payload_entry_value(&w->entry, ev, err);
    w->level = WALK_LIST;
    rc = payload_entry_end(&w->entry, err);
    if (!rc)
        rc = payload_canon_entry(w->canon, &w->entry, err);
    return rc ? rc : payload_coins_add(w->coins, &w->entry, w->owner, err);
}

enum errc payload_walk_coins(struct payload_walk *w, const struct payload_event *ev,
                             struct err *err)
{
    if (w->level == WALK_SET)
        return set_event(w, ev, err);
    if (w->level == WALK_LIST)
        return list_event(w, ev, err);
    if (w->level == WALK_ENTRY)
        return entry_event(w, ev, err);
    w->level = WALK_LIST;
    return ev->type == PAYLOAD_ARRAY ? ERR_OK
                                     : malformed(err, "an address without a list");
}
