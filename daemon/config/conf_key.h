#ifndef DAEMON_CONFIG_CONF_KEY_H
#define DAEMON_CONFIG_CONF_KEY_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "daemon/config/conf_tree.h"
#include "daemon/config/config.h"

/* Every key of the configuration, how its value is read, and where it goes. */
struct conf_key {
    const char *path; /* "checkpoint.quorum" */
    /*
     * Reads the value into the configuration.  NULL: a section.  The message of an
     * error says what is wanted; the caller puts file, line and key before it.  *at,
     * the key's node at first, is set to the member that is wrong.
     */
    enum errc (*set)(struct config *c, const struct conf_key *key,
                     const struct conf_node **at, struct err *err);
    size_t offset;     /* of a number in struct config */
    uint64_t min, max; /* of a number */
    uint64_t fallback; /* a number's default */
    const char *off; /* not acted on by this version: the value that asks for nothing */
    const char *feature; /* ... and what it is that is not there */
};

/* The parameters of set, for those who define one. */
#define CONF_SET_ARGS                                                          \
    struct config *c, const struct conf_key *key, const struct conf_node **at, \
        struct err *err

/* NULL when there is no such key. */
const struct conf_key *conf_key_find(const char *path);

enum { CONF_KEY_TEXT = 80 };
/* What somebody who wrote this may have meant; "" when nothing is near. */
void conf_key_nearest(const char *path, char out[CONF_KEY_TEXT]);

/* Numbers and switches get their fallbacks. */
void conf_key_defaults(struct config *c);

/* Where a key's value is from: "cairn.yaml:12", "environment CHECKPOINT_QUORUM",
   "--data-dir", "default".  The text is borrowed for the configuration's life. */
void conf_key_note(struct config *c, const struct conf_key *key, const char *origin);
const char *conf_key_origin(const struct config *c, const struct conf_key *key);

/* Every key that is no section, in order; NULL after the last. */
const struct conf_key *conf_key_next(const struct conf_key *before);

#endif
