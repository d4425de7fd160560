#include <math.h>
#include <yajl/yajl_parse.h>

#include "base/json_doc.h"
#include "base/mem.h"
#include "base/pyfloat.h"

struct frame {
    struct json *node, *last;
    const char *key; /* of the next member, set by map_key */
    size_t key_len;
};

struct builder {
    struct json_doc *doc;
    const struct json_limits *limits;
    struct frame *frames; /* [0] is around the root */
    unsigned depth;
    size_t nodes;
    const char *why;
};

static int refuse(struct builder *b, const char *why)
{
    b->why = why;
    return 0; /* yajl stops */
}

/* The next value where the parser stands; NULL when there are too many. */
static struct json *add(struct builder *b, enum json_type type)
{
    struct frame *f = &b->frames[b->depth];
    struct json *v;

    if (++b->nodes > b->limits->max_nodes) {
        (void)refuse(b, "too many values");
        return NULL;
    }
    v = arena_alloc(&b->doc->arena, 1, sizeof(*v));
    v->type = type;
    v->key = f->key;
    v->key_len = f->key_len;
    if (f->last)
        f->last->next = v;
    else if (f->node)
        f->node->first = v;
    else
        b->doc->root = v;
    f->last = v;
    if (f->node)
        f->node->len++;
    return v;
}

static int on_null(void *ctx)
{
    return add(ctx, JSON_NULL) != NULL;
}

static int on_boolean(void *ctx, int value)
{
    struct json *v = add(ctx, JSON_BOOL);

    if (v)
        v->boolean = value != 0;
    return v != NULL;
}

static bool is_integer(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (text[i] == '.' || text[i] == 'e' || text[i] == 'E')
            return false;
    return true;
}

static int on_number(void *ctx, const char *text, size_t len)
{
    struct builder *b = ctx;
    bool integer = is_integer(text, len);
    struct json *v = add(b, integer ? JSON_INT : JSON_FLOAT);
    char spelling[PYFLOAT_TEXT];

    if (!v)
        return 0;
    if (integer) {
        if (len == 2 && text[0] == '-' && text[1] == '0') {
            text++;
            len--;
        }
        v->text = arena_text(&b->doc->arena, text, len);
        v->len = len;
        return 1;
    }
    v->number = pyfloat_parse(text, len);
    if (!isfinite(v->number))
        return refuse(b, "a number beyond a double");
    v->len = pyfloat_repr(v->number, spelling);
    v->text = arena_text(&b->doc->arena, spelling, v->len);
    return 1;
}

static int on_string(void *ctx, const unsigned char *text, size_t len)
{
    struct builder *b = ctx;
    struct json *v = add(b, JSON_STRING);

    if (!v)
        return 0;
    v->text = arena_text(&b->doc->arena, text, len);
    v->len = len;
    return 1;
}

static int on_key(void *ctx, const unsigned char *text, size_t len)
{
    struct builder *b = ctx;
    struct frame *f = &b->frames[b->depth];

    f->key = arena_text(&b->doc->arena, text, len);
    f->key_len = len;
    return 1;
}

static int open_container(struct builder *b, enum json_type type)
{
    struct json *v;

    if (b->depth >= b->limits->max_depth)
        return refuse(b, "nested too deep");
    v = add(b, type);
    if (!v)
        return 0;
    b->frames[++b->depth] = (struct frame){.node = v};
    return 1;
}

static int on_map(void *ctx)
{
    return open_container(ctx, JSON_OBJECT);
}

static int on_array(void *ctx)
{
    return open_container(ctx, JSON_ARRAY);
}

static int on_array_end(void *ctx)
{
    struct builder *b = ctx;

    b->depth--;
    return 1;
}

static int by_key(const void *a, const void *b)
{
    const struct json *const *x = a, *const *y = b;

    return json_key_compare((*x)->key, (*x)->key_len, (*y)->key, (*y)->key_len);
}

/* In most documents every object's members stand in order. */
static int on_map_end(void *ctx)
{
    struct builder *b = ctx;
    struct json *node = b->frames[b->depth--].node;
    const struct json **sorted = arena_alloc(&b->doc->arena, node->len, sizeof(void *));
    bool in_order = true;
    size_t n = 0;

    for (const struct json *v = node->first; v; v = v->next) {
        sorted[n++] = v;
        in_order = in_order && (n == 1 || by_key(&sorted[n - 2], &sorted[n - 1]) < 0);
    }
    node->sorted = sorted;
    if (in_order)
        return 1;
    qsort(sorted, n, sizeof(void *), by_key);
    for (size_t i = 1; i < n; i++)
        if (by_key(&sorted[i - 1], &sorted[i]) == 0)
            return refuse(b, "a key twice in one object");
    return 1;
}

static const yajl_callbacks callbacks = {
    .yajl_null = on_null,
    .yajl_boolean = on_boolean,
    .yajl_number = on_number,
    .yajl_string = on_string,
    .yajl_start_map = on_map,
    .yajl_map_key = on_key,
    .yajl_end_map = on_map_end,
    .yajl_start_array = on_array,
    .yajl_end_array = on_array_end,
};

/* yajl's own message is two lines with the text in it: the first says enough. */
static enum errc parse_failed(yajl_handle h, const struct builder *b, struct err *err)
{
    size_t at = yajl_get_bytes_consumed(h);
    unsigned char *text;

    if (b->why)
        return err_fail(err, REASON_BLOCK_MALFORMED, "JSON byte %zu: %s", at, b->why);
    text = yajl_get_error(h, 0, NULL, 0);
    text[strcspn((char *)text, "\n")] = '\0';
    (void)err_fail(err, REASON_BLOCK_MALFORMED, "JSON byte %zu: %.120s", at,
                   (const char *)text);
    yajl_free_error(h, text);
    return err->code;
}

static enum errc run(struct builder *b, const char *text, size_t len, struct err *err)
{
    yajl_handle h = yajl_alloc(&callbacks, NULL, b);
    yajl_status status;
    enum errc rc = ERR_OK;

    if (!h)
        abort();
    (void)yajl_config(h, yajl_dont_validate_strings, 1); /* json_scan did */
    status = yajl_parse(h, (const unsigned char *)text, len);
    if (status == yajl_status_ok)
        status = yajl_complete_parse(h);
    if (status != yajl_status_ok)
        rc = parse_failed(h, b, err);
    yajl_free(h);
    return rc;
}

enum errc json_parse(const char *text, size_t len, const struct json_limits *limits,
                     struct json_doc **out, struct err *err)
{
    CLEANUP(json_free) struct json_doc *doc = NULL;
    AUTOFREE struct frame *frames = NULL;
    struct builder b = {.limits = limits};
    const char *why;
    size_t at;
    enum errc rc;

    if (len > limits->max_bytes)
        return err_fail(err, REASON_BLOCK_MALFORMED, "JSON of %zu bytes, limit %zu",
                        len, limits->max_bytes);
    if (!json_scan(text, len, &at, &why))
        return err_fail(err, REASON_BLOCK_MALFORMED, "JSON byte %zu: %s", at, why);
    doc = xcalloc(1, sizeof(*doc));
    frames = xcalloc(limits->max_depth + 1U, sizeof(*frames));
    b.doc = doc;
    b.frames = frames;
    rc = run(&b, text, len, err);
    if (rc != ERR_OK)
        return rc;
    *out = TAKE(doc);
    return ERR_OK;
}
