#include <string.h>

#include "sync/snapshot/payload_fields.h"
#include "sync/snapshot/payload_walk.h"

/*
 * The middle is missing, so the members after data are found from the end: going
 * backwards, strings can be told apart since a quote is escaped by what precedes it.
 * The container that is still open where the tail begins is data.
 */
struct back {
    const char *text;
    size_t at; /* bytes before it are still to be seen */
    unsigned depth;
};

/* From the closing quote at b->at to the opening one; false if that is not here. */
static bool back_over_string(struct back *b)
{
    while (b->at > 0) {
        size_t slashes = 0;

        if (b->text[--b->at] != '"')
            continue;
        while (slashes < b->at && b->text[b->at - 1 - slashes] == '\\')
            slashes++;
        if (slashes == b->at)
            return false; /* the run of backslashes may begin before the tail */
        if (slashes % 2 == 0)
            return true;
    }
    return false;
}

/* Where the members after data begin, just behind its brace. */
static bool find_end_of_data(const char *tail, size_t len, size_t *end)
{
    struct back b = {.text = tail, .at = len};

    while (b.at > 0) {
        char c = tail[--b.at];

        if (c == '"' && !back_over_string(&b))
            break; /* inside data's strings, or not to be told */
        if ((c == '}' || c == ']') && ++b.depth == 2)
            *end = b.at + 1;
        if (c != '{' && c != '[')
            continue;
        if (b.depth <= 1)
            return false; /* the top object begins in the tail: nothing is missing */
        b.depth--;
    }
    return b.depth >= 2 && tail[*end - 1] == '}';
}

/* Stops the parser where data begins. */
static enum errc head_event(void *walk, const struct payload_event *ev, struct err *err)
{
    struct payload_walk *w = walk;

    if (w->level == WALK_AT_DATA)
        return err_set(err, ERR_CONFLICT, "data begins");
    return payload_walk_event(w, ev, err);
}

static bool read_head(struct payload_walk *w, const char *head, size_t len)
{
    const struct payload_sink sink = {head_event, w};
    CLEANUP(payload_parser_free)
    struct payload_parser *p = payload_parser_create(&sink);
    struct err err = {0};

    (void)payload_parser_feed(p, head, len, &err); /* told by where the walk stands */
    return w->level == WALK_AT_DATA && err.reason != REASON_PAYLOAD_MALFORMED;
}

/* The members after data as an object's: ", ..." with the top brace in front. */
static bool read_tail(struct payload_walk *w, const char *tail, size_t len)
{
    const struct payload_sink sink = {payload_walk_event, w};
    CLEANUP(payload_parser_free)
    struct payload_parser *p = payload_parser_create(&sink);
    static const char opened[] = "{\"data\":{}";
    struct err err;

    return payload_parser_feed(p, opened, sizeof(opened) - 1, &err) == ERR_OK &&
           payload_parser_feed(p, tail, len, &err) == ERR_OK &&
           payload_parser_finish(p, &err) == ERR_OK;
}

static bool join(struct payload_walk *head, struct payload_walk *tail,
                 struct payload_meta *out)
{
    CLEANUP(json_free) struct json_doc *doc = NULL;
    struct payload_members all;
    struct err err;
    bool ok;

    payload_members_init(&all);
    buf_put(&all.text, head->top.text.data + 1, head->top.text.len - 1);
    if (head->top.text.len > 1 && tail->top.text.len > 1)
        buf_puts(&all.text, ",");
    buf_put(&all.text, tail->top.text.data + 1, tail->top.text.len - 1);
    ok = !all.text.full && payload_members_parse(&all, &doc, &err) == ERR_OK;
    if (ok)
        payload_fields_read(json_root(doc), out);
    payload_members_fini(&all);
    return ok;
}

/* A brace too many at the end looks as if data were the last member, and hides what was
   behind it.  Where something is missing, the whole text has to tell why. */
static bool is_told(const struct payload_walk *tail, const struct payload_meta *m)
{
    return tail->top.text.len > 1 || (m->has_signature && m->has_pubkey);
}

bool payload_meta_peek(const char *head, size_t head_len, const char *tail,
                       size_t tail_len, struct payload_meta *out)
{
    struct payload_walk front, back;
    size_t end = 0;
    bool ok;

    if (!find_end_of_data(tail, tail_len, &end))
        return false;
    payload_walk_init(&front);
    payload_walk_init(&back);
    ok = read_head(&front, head, head_len) &&
         read_tail(&back, tail + end, tail_len - end) && join(&front, &back, out) &&
         is_told(&back, out);
    payload_walk_fini(&front);
    payload_walk_fini(&back);
    return ok;
}
