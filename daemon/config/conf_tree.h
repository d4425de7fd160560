#ifndef DAEMON_CONFIG_CONF_TREE_H
#define DAEMON_CONFIG_CONF_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/err.h"

/*
 * YAML as a tree that remembers its lines: maps, lists and texts, nothing else.
 * Aliases, anchors, tags, several documents, duplicate keys, depth and size out of
 * bounds are refused.  Main thread.
 */
enum { CONF_TEXT_MAX = 1 << 20 };

enum conf_kind { CONF_TEXT, CONF_MAP, CONF_LIST };

struct conf_node {
    enum conf_kind kind;
    size_t line;
    char *key;  /* in a map; else NULL */
    char *text; /* CONF_TEXT; without NULs */
    bool plain; /* not quoted: may be a number, a boolean, null */
    struct conf_node *parent, *first, *next;
    size_t count; /* of a map's or list's members */
};

/* The document's map; an empty one when there is nothing.  ERR_INVALID: "name:3: ...".
 */
enum errc conf_tree_parse(const char *name, const char *text, size_t len,
                          struct conf_node **out, struct err *err);
void conf_tree_free(struct conf_node *n);
DEFINE_CLEANUP(struct conf_node, conf_tree_free)

/* Plain nothing, "~" or "null". */
bool conf_tree_is_null(const struct conf_node *n);

/* NULL when the map has no such key. */
const struct conf_node *conf_tree_get(const struct conf_node *map, const char *key);

#endif
