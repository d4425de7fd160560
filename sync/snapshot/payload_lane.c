#include <string.h>

#include "base/hex.h"
#include "base/pyfloat.h"
#include "sync/snapshot/payload_lane.h"

enum {
    UNIT_MAX = 1024,  /* an entry: its address twice, txid, numbers, names */
    INTEGER_MAX = 15, /* digits */
};

static const char opening[] = "\"utxo_set\": {";

struct cursor {
    const char *at, *end;
};

static bool eat(struct cursor *c, const char *text, size_t len)
{
    if ((size_t)(c->end - c->at) < len || memcmp(c->at, text, len) != 0)
        return false;
    c->at += len;
    return true;
}

#define EAT(c, literal) eat(c, literal, sizeof(literal) - 1)

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static size_t digits(const struct cursor *c, size_t max)
{
    size_t n = 0, left = (size_t)(c->end - c->at);

    while (n < left && n < max && is_digit(c->at[n]))
        n++;
    return n;
}

static bool is_integer(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!is_digit(text[i]))
            return false;
    return len <= INTEGER_MAX && (text[0] != '0' || len == 1);
}

static bool is_repr(const char *text, size_t len)
{
    char repr[PYFLOAT_TEXT];

    for (size_t i = 0; i < len; i++)
        if (!is_digit(text[i]) && text[i] != '.' && text[i] != 'e' && text[i] != '-' &&
            text[i] != '+')
            return false;
    return pyfloat_repr(pyfloat_parse(text, len), repr) == len &&
           memcmp(repr, text, len) == 0;
}

/* In canonical spelling: an integer, or what the double is written as. */
static bool eat_amount(struct cursor *c, struct payload_entry *e)
{
    const char *comma = memchr(c->at, ',', (size_t)(c->end - c->at));
    size_t len = comma ? (size_t)(comma - c->at) : 0;

    if (len == 0 || len >= PYFLOAT_TEXT || !is_digit(c->at[0]))
        return false;
    e->short_amount = pyfloat_is_short(c->at, len);
    if (!e->short_amount && !is_integer(c->at, len) && !is_repr(c->at, len))
        return false;
    e->amount = pyfloat_parse(c->at, len);
    c->at = comma;
    return true;
}

static bool eat_txid(struct cursor *c, struct payload_entry *e)
{
    if (c->end - c->at < 64 || !hex_decode(c->at, 32, true, e->txid))
        return false;
    memcpy(e->txid_hex, c->at, 64);
    c->at += 64;
    return true;
}

/* Nine digits are enough for any that was ever made, and fit. */
static bool eat_vout(struct cursor *c, uint32_t *out)
{
    size_t len = digits(c, 9);

    *out = 0;
    if (len == 0 || (c->at[0] == '0' && len > 1))
        return false;
    for (size_t i = 0; i < len; i++)
        *out = *out * 10 + (uint32_t)(c->at[i] - '0');
    c->at += len;
    return true;
}

static bool eat_spent(struct cursor *c, bool *out)
{
    *out = EAT(c, "true");
    return *out || EAT(c, "false");
}

static bool eat_entry(struct cursor *c, const char *owner, struct payload_entry *e)
{
    size_t len = strlen(owner);

    return EAT(c, "{\"address\": \"") && eat(c, owner, len) &&
           EAT(c, "\", \"amount\": ") && eat_amount(c, e) &&
           EAT(c, ", \"script_pubkey\": \"P2PKH ") && eat(c, owner, len) &&
           EAT(c, "\", \"spent\": ") && eat_spent(c, &e->spent) &&
           EAT(c, ", \"txid\": \"") && eat_txid(c, e) && EAT(c, "\", \"vout\": ") &&
           eat_vout(c, &e->vout) && EAT(c, "}");
}

static enum errc take_entry(struct payload_lane *lane, struct cursor *c, bool *taken,
                            struct err *err)
{
    struct payload_walk *w = lane->walk;
    struct cursor next = *c;
    const char *begin;
    enum errc rc;

    if (EAT(&next, "]")) {
        *c = next;
        *taken = lane->any_list = true;
        w->level = WALK_SET;
        return payload_canon_list_end(w->canon, err);
    }
    if (lane->any_entry && !EAT(&next, ", "))
        return ERR_OK;
    begin = next.at;
    if (!eat_entry(&next, w->owner, &lane->entry))
        return ERR_OK;
    *taken = lane->any_entry = true;
    *c = next;
    rc = payload_canon_entry_text(w->canon, begin, (size_t)(next.at - begin), err);
    return rc ? rc : payload_coins_add_owned(w->coins, &lane->entry, w->owner, err);
}

static enum errc take_list(struct payload_lane *lane, struct cursor *c, bool *taken,
                           struct err *err)
{
    struct payload_walk *w = lane->walk;
    struct cursor next = *c;
    bool descends = false;
    const char *name;
    size_t len;
    enum errc rc;

    if ((lane->any_list && !EAT(&next, ", ")) || !EAT(&next, "\""))
        return ERR_OK;
    name = next.at;
    len = json_plain(name, (size_t)(next.end - name));
    next.at += len;
    if (len == 0 || len > COIN_ADDRESS_MAX || !EAT(&next, "\": ["))
        return ERR_OK;
    memcpy(w->owner, name, len);
    w->owner[len] = '\0';
    w->level = WALK_LIST;
    *c = next;
    *taken = true;
    lane->any_entry = false;
    rc = payload_canon_list(w->canon, w->owner, &descends, err);
    return !rc && descends && w->in_order ? payload_walk_out_of_order(w, err) : rc;
}

/* Up to the first thing that is cut off by the end of the text or spelled otherwise. */
static enum errc take(struct payload_lane *lane, struct cursor *c, struct err *err)
{
    bool taken = true;
    enum errc rc = ERR_OK;

    while (!rc && taken) {
        taken = false;
        rc = lane->walk->level == WALK_SET ? take_list(lane, c, &taken, err)
                                           : take_entry(lane, c, &taken, err);
    }
    return rc;
}

/* What brings the parser, which stands behind the opening, to where the lane ends. */
static enum errc hand_back(struct payload_lane *lane, struct payload_parser *p,
                           struct err *err)
{
    bool in_list = lane->walk->level == WALK_LIST;
    const char *text = in_list          ? (lane->any_entry ? "\"\":[null" : "\"\":[")
                       : lane->any_list ? "\"\":null"
                                        : "";

    lane->over = true;
    lane->walk->muted = !*text ? 0 : in_list && lane->any_entry ? 3 : 2;
    return payload_parser_insert(p, text, err);
}

static enum errc begin(struct payload_lane *lane, struct payload_parser *p,
                       const struct payload_text *t, size_t *used, struct err *err)
{
    const char *found = memmem(t->text, t->len, opening, sizeof(opening) - 1);
    enum errc rc;

    *used = found ? (size_t)(found - t->text) + sizeof(opening) - 1 : t->len;
    rc = payload_parser_feed(p, t->text, *used, err);
    lane->begun = !rc && found && lane->walk->level == WALK_SET;
    lane->over = !lane->begun;
    return rc;
}

enum errc payload_lane_feed(struct payload_lane *lane, struct payload_parser *p,
                            const struct payload_text *t, size_t *used, struct err *err)
{
    struct cursor c = {t->text, t->text + t->len};
    enum errc rc = ERR_OK;

    *used = 0;
    if (!lane->begun && !lane->over) {
        rc = begin(lane, p, t, used, err);
        c.at += *used;
    }
    if (!rc && !lane->over) {
        const char *from = c.at;
        bool pass = payload_canon_pass_begin(lane->walk->canon);

        rc = take(lane, &c, err);
        if (pass)
            payload_canon_pass_end(lane->walk->canon, from, (size_t)(c.at - from));
        payload_parser_pass(p, (size_t)(c.at - from));
        if (rc)
            return payload_parser_place(p, err);
        *used = (size_t)(c.at - t->text);
        if (!t->last && c.end - c.at < UNIT_MAX)
            return ERR_OK;
        rc = hand_back(lane, p, err);
    }
    if (!rc)
        rc = payload_parser_feed(p, c.at, (size_t)(c.end - c.at), err);
    *used = t->len;
    return rc;
}
