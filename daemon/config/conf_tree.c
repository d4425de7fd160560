#include <string.h>
#include <yaml.h>

#include "base/mem.h"
#include "daemon/config/conf_tree.h"

enum { DEPTH_MAX = 8, NODES_MAX = 10000 };

struct reader {
    yaml_parser_t parser;
    yaml_event_t event; /* the current one */
    bool has_event;
    const char *name;
    size_t nodes;
};

static enum errc fail(const struct reader *r, const char *what, struct err *err)
{
    return err_set(err, ERR_INVALID, "%.80s:%zu: %.120s", r->name,
                   r->event.start_mark.line + 1, what);
}

static enum errc next(struct reader *r, struct err *err)
{
    if (r->has_event)
        yaml_event_delete(&r->event);
    r->has_event = yaml_parser_parse(&r->parser, &r->event) == 1;
    if (r->has_event)
        return ERR_OK;
    return err_set(err, ERR_INVALID, "%.80s:%zu: %.100s", r->name,
                   r->parser.problem_mark.line + 1,
                   r->parser.problem ? r->parser.problem : "not YAML");
}

static struct conf_node *new_node(struct reader *r, enum conf_kind kind)
{
    struct conf_node *n = xcalloc(1, sizeof(*n));

    n->kind = kind;
    n->line = r->event.start_mark.line + 1;
    r->nodes++;
    return n;
}

static enum errc check_plain_yaml(const struct reader *r, const yaml_char_t *anchor,
                                  const yaml_char_t *tag, struct err *err)
{
    if (anchor)
        return fail(r, "anchors are not allowed", err);
    if (tag)
        return fail(r, "tags are not allowed", err);
    if (r->nodes >= NODES_MAX)
        return fail(r, "too many values", err);
    return ERR_OK;
}

/* These give NULL when err says why. */
static struct conf_node *take_text(struct reader *r, struct err *err)
{
    const char *text = (const char *)r->event.data.scalar.value;
    size_t len = r->event.data.scalar.length;
    struct conf_node *n;

    if (check_plain_yaml(r, r->event.data.scalar.anchor, r->event.data.scalar.tag,
                         err) != ERR_OK)
        return NULL;
    if (strlen(text) != len) {
        (void)fail(r, "a text holds a NUL", err);
        return NULL;
    }
    n = new_node(r, CONF_TEXT);
    n->text = xstrdup(text);
    n->plain = r->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    return n;
}

static struct conf_node *take_value(struct reader *r, unsigned depth, struct err *err);

/* A map's key; the event is its value's then. */
static char *take_key(struct reader *r, const struct conf_node *map, struct err *err)
{
    CLEANUP(conf_tree_free) struct conf_node *key = NULL;

    if (r->event.type != YAML_SCALAR_EVENT) {
        (void)fail(r, "a key must be a text", err);
        return NULL;
    }
    key = take_text(r, err);
    if (!key)
        return NULL;
    if (conf_tree_get(map, key->text)) {
        (void)err_set(err, ERR_INVALID, "%.80s:%zu: %.60s: given twice", r->name,
                      key->line, key->text);
        return NULL;
    }
    return next(r, err) == ERR_OK ? TAKE(key->text) : NULL;
}

static struct conf_node *take_member(struct reader *r, unsigned depth,
                                     const struct conf_node *into, struct err *err)
{
    AUTOFREE char *key = NULL;
    struct conf_node *n;

    if (into->kind == CONF_MAP) {
        key = take_key(r, into, err);
        if (!key)
            return NULL;
    }
    n = take_value(r, depth, err);
    if (n)
        n->key = TAKE(key);
    return n;
}

/* A map or a list, up to the event that ends it. */
static struct conf_node *take_group(struct reader *r, unsigned depth,
                                    enum conf_kind kind, struct err *err)
{
    CLEANUP(conf_tree_free) struct conf_node *n = new_node(r, kind);
    yaml_event_type_t end =
        kind == CONF_MAP ? YAML_MAPPING_END_EVENT : YAML_SEQUENCE_END_EVENT;
    struct conf_node **last = &n->first;

    if (depth >= DEPTH_MAX) {
        (void)fail(r, "nested too deep", err);
        return NULL;
    }
    for (;;) {
        if (next(r, err) != ERR_OK)
            return NULL;
        if (r->event.type == end)
            return TAKE(n);
        *last = take_member(r, depth + 1, n, err);
        if (!*last)
            return NULL;
        (*last)->parent = n;
        last = &(*last)->next;
        n->count++;
    }
}

/* NOLINTNEXTLINE(misc-no-recursion): DEPTH_MAX bounds it */
static struct conf_node *take_value(struct reader *r, unsigned depth, struct err *err)
{
    const yaml_event_t *e = &r->event;

    if (e->type == YAML_SCALAR_EVENT)
        return take_text(r, err);
    if (e->type == YAML_MAPPING_START_EVENT)
        return check_plain_yaml(r, e->data.mapping_start.anchor,
                                e->data.mapping_start.tag, err) == ERR_OK
                   ? take_group(r, depth, CONF_MAP, err)
                   : NULL;
    if (e->type == YAML_SEQUENCE_START_EVENT)
        return check_plain_yaml(r, e->data.sequence_start.anchor,
                                e->data.sequence_start.tag, err) == ERR_OK
                   ? take_group(r, depth, CONF_LIST, err)
                   : NULL;
    (void)fail(r, "aliases are not allowed", err);
    return NULL;
}

static enum errc skip(struct reader *r, unsigned events, struct err *err)
{
    for (; events > 0; events--)
        if (next(r, err) != ERR_OK)
            return err->code;
    return ERR_OK;
}

static enum errc take_document(struct reader *r, struct conf_node **out,
                               struct err *err)
{
    CLEANUP(conf_tree_free) struct conf_node *root = NULL;

    if (skip(r, 2, err) != ERR_OK) /* to the stream's start, and past it */
        return err->code;
    if (r->event.type == YAML_STREAM_END_EVENT) {
        *out = new_node(r, CONF_MAP);
        return ERR_OK;
    }
    if (next(r, err) != ERR_OK)
        return err->code;
    root = take_value(r, 0, err);
    if (!root)
        return err->code;
    if (conf_tree_is_null(root))
        root->kind = CONF_MAP;
    if (root->kind != CONF_MAP)
        return fail(r, "the configuration is a map of keys", err);
    if (skip(r, 2, err) != ERR_OK) /* to the document's end, and past it */
        return err->code;
    if (r->event.type != YAML_STREAM_END_EVENT)
        return fail(r, "one document only", err);
    *out = TAKE(root);
    return ERR_OK;
}

enum errc conf_tree_parse(const char *name, const char *text, size_t len,
                          struct conf_node **out, struct err *err)
{
    struct reader r = {.name = name};
    enum errc rc;

    if (len > CONF_TEXT_MAX)
        return err_set(err, ERR_INVALID, "%.80s: over %d bytes", name, CONF_TEXT_MAX);
    if (yaml_parser_initialize(&r.parser) != 1)
        abort(); /* memory */
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, len);
    rc = take_document(&r, out, err);
    if (r.has_event)
        yaml_event_delete(&r.event);
    yaml_parser_delete(&r.parser);
    return rc;
}

/* NOLINTNEXTLINE(misc-no-recursion): the tree's depth is bounded */
void conf_tree_free(struct conf_node *n)
{
    struct conf_node *next_member;

    if (!n)
        return;
    for (struct conf_node *m = n->first; m; m = next_member) {
        next_member = m->next;
        conf_tree_free(m);
    }
    free(n->key);
    free(n->text);
    free(n);
}

bool conf_tree_is_null(const struct conf_node *n)
{
    return n->kind == CONF_TEXT && n->plain &&
           (n->text[0] == '\0' || strcmp(n->text, "~") == 0 ||
            strcmp(n->text, "null") == 0);
}

const struct conf_node *conf_tree_get(const struct conf_node *map, const char *key)
{
    for (const struct conf_node *n = map->first; n; n = n->next)
        if (n->key && strcmp(n->key, key) == 0)
            return n;
    return NULL;
}
