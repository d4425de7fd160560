#include <stdlib.h>
#include <string.h>

#include "base/json_doc.h"
#include "base/mem.h"

/* A container that is not closed yet; [0] is around the root. */
struct frame {
    struct json *node, *last;
    const char *key; /* of the next member */
    size_t key_len;
    size_t odd; /* the reader's, where it began */
};

struct parser {
    struct json_reader r;
    struct json_doc *doc;
    const struct json_limits *limits;
    struct frame *frames;
    unsigned depth;
    size_t nodes;
};

bool json_read_failed(struct json_reader *r, const char *why)
{
    r->why = why;
    return false;
}

static bool fail(struct parser *p, const char *why)
{
    return json_read_failed(&p->r,
                            p->r.at < p->r.end ? why : "the text ends too early");
}

static void skip_space(struct json_reader *r)
{
    const char *from = r->at;

    while (*r->at == ' ' || *r->at == '\n' || *r->at == '\r' || *r->at == '\t')
        r->at++;
    r->odd += r->at != from;
}

/* The value that begins where the reader stands; NULL when there are too many. */
static struct json *add(struct parser *p)
{
    struct frame *f = &p->frames[p->depth];
    struct json *v;

    if (++p->nodes > p->limits->max_nodes) {
        (void)fail(p, "too many values");
        return NULL;
    }
    v = arena_alloc(&p->doc->arena, 1, sizeof(*v));
    v->key = f->key;
    v->key_len = f->key_len;
    v->canon = p->r.at;
    if (f->last)
        f->last->next = v;
    else if (f->node)
        f->node->first = v;
    else
        p->doc->root = v;
    f->last = v;
    if (f->node)
        f->node->len++;
    return v;
}

/* The value ends where the reader stands; odd is from where it began. */
static void finish(const struct parser *p, struct json *v, size_t odd)
{
    if (p->r.odd == odd)
        v->canon_len = (size_t)(p->r.at - v->canon);
    else
        v->canon = NULL;
}

static bool open_container(struct parser *p, enum json_type type)
{
    struct json *v;

    if (p->depth >= p->limits->max_depth)
        return fail(p, "nested too deep");
    v = add(p);
    if (!v)
        return false;
    v->type = type;
    p->r.at++;
    p->frames[++p->depth] = (struct frame){.node = v, .odd = p->r.odd};
    return true;
}

static bool read_word(struct parser *p, struct json *v, const char *word,
                      enum json_type type)
{
    size_t len = strlen(word);

    if (strncmp(p->r.at, word, len) != 0)
        return fail(p, "not JSON");
    v->type = type;
    v->boolean = *word == 't';
    p->r.at += len;
    return true;
}

static bool read_meaning(struct parser *p, struct json *v)
{
    switch (*p->r.at) {
    case '"':
        v->type = JSON_STRING;
        return json_read_string(&p->r, &v->text, &v->len);
    case 't':
        return read_word(p, v, "true", JSON_BOOL);
    case 'f':
        return read_word(p, v, "false", JSON_BOOL);
    case 'n':
        return read_word(p, v, "null", JSON_NULL);
    default:
        return *p->r.at == '-' || (*p->r.at >= '0' && *p->r.at <= '9')
                   ? json_read_number(&p->r, &p->doc->arena, v)
                   : fail(p, "not JSON");
    }
}

/* A value; of a container its bracket. */
static bool read_value(struct parser *p)
{
    struct json *v;
    size_t odd;

    skip_space(&p->r);
    if (*p->r.at == '{')
        return open_container(p, JSON_OBJECT);
    if (*p->r.at == '[')
        return open_container(p, JSON_ARRAY);
    odd = p->r.odd;
    v = add(p);
    if (!v || !read_meaning(p, v))
        return false;
    finish(p, v, odd);
    return true;
}

static int by_key(const void *a, const void *b)
{
    const struct json *const *x = a, *const *y = b;

    return json_key_compare((*x)->key, (*x)->key_len, (*y)->key, (*y)->key_len);
}

/* In most documents every object's members stand in order. */
static bool sort_members(struct parser *p, struct json *node)
{
    const struct json **sorted = arena_alloc(&p->doc->arena, node->len, sizeof(void *));
    bool in_order = true;
    size_t n = 0;

    for (const struct json *v = node->first; v; v = v->next) {
        sorted[n++] = v;
        in_order = in_order && (n == 1 || by_key(&sorted[n - 2], &sorted[n - 1]) < 0);
    }
    node->sorted = sorted;
    if (in_order)
        return true;
    p->r.odd++;
    qsort(sorted, n, sizeof(void *), by_key);
    for (size_t i = 1; i < n; i++)
        if (by_key(&sorted[i - 1], &sorted[i]) == 0)
            return json_read_failed(&p->r, "a key twice in one object");
    return true;
}

static bool close_container(struct parser *p)
{
    const struct frame *f = &p->frames[p->depth--];

    p->r.at++;
    if (f->node->type == JSON_OBJECT && !sort_members(p, f->node))
        return false;
    finish(p, f->node, f->odd);
    return true;
}

static bool read_key(struct parser *p)
{
    struct frame *f = &p->frames[p->depth];

    skip_space(&p->r);
    if (*p->r.at != '"')
        return fail(p, "a key is missing");
    if (!json_read_key(&p->r, &f->key, &f->key_len))
        return false;
    skip_space(&p->r);
    if (*p->r.at != ':')
        return fail(p, "a colon is missing");
    p->r.at++;
    return true;
}

/* Behind a value or an opening bracket: past the brackets that close, and up to the
   next value.  False when there is none, or with why. */
static bool has_more(struct parser *p)
{
    while (p->depth > 0) {
        const struct json *node = p->frames[p->depth].node;
        bool object = node->type == JSON_OBJECT;

        skip_space(&p->r);
        if (*p->r.at == (object ? '}' : ']')) {
            if (!close_container(p))
                return false;
            continue;
        }
        if (node->len > 0 && *p->r.at != ',')
            return fail(p, "a comma is missing");
        p->r.at += node->len > 0;
        return !object || read_key(p);
    }
    skip_space(&p->r);
    return p->r.at < p->r.end && fail(p, "something behind the value");
}

static bool read_document(struct parser *p)
{
    do {
        if (!read_value(p))
            return false;
    } while (has_more(p));
    return !p->r.why;
}

enum errc json_parse(const char *text, size_t len, const struct json_limits *limits,
                     struct json_doc **out, struct err *err)
{
    CLEANUP(json_free) struct json_doc *doc = NULL;
    AUTOFREE struct frame *frames = NULL;
    struct parser p = {.limits = limits};
    const char *source;

    if (len > limits->max_bytes)
        return err_fail(err, REASON_BLOCK_MALFORMED, "JSON of %zu bytes, limit %zu",
                        len, limits->max_bytes);
    doc = xcalloc(1, sizeof(*doc));
    frames = xcalloc(limits->max_depth + 1U, sizeof(*frames));
    source = arena_text(&doc->arena, text, len);
    p.r = (struct json_reader){
        .at = source,
        .end = source + len,
        .put = arena_alloc(&doc->arena, len + JSON_READER_SPARE, 1)};
    p.doc = doc;
    p.frames = frames;
    if (!read_document(&p))
        return err_fail(err, REASON_BLOCK_MALFORMED, "JSON byte %zu: %s",
                        (size_t)(p.r.at - source), p.r.why);
    *out = TAKE(doc);
    return ERR_OK;
}
