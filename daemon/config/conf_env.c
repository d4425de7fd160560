#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "daemon/config/conf_env.h"
#include "daemon/config/conf_hold.h"
#include "daemon/config/conf_key.h"

enum { LIST_MAX = 257 }; /* one over the longest list: the key says what is too many */

/* How a variable's text is read; after that it is as if the file had said it. */
enum form { FORM_TEXT, FORM_NUMBER, FORM_LIST, FORM_SWITCH };

static const struct variable {
    const char *name; /* with XAI_; where bare, also without */
    bool bare;
    enum form form;
    const char *path;
} variables[] = {
    {"XAI_PARTIAL_SYNC_ENABLED", true, FORM_SWITCH, "checkpoint.bootstrap_at_start"},
    {"XAI_P2P_PARTIAL_SYNC_ENABLED", true, FORM_SWITCH,
     "checkpoint.bootstrap_at_start"},
    {"XAI_FORCE_PARTIAL_SYNC", false, FORM_SWITCH, "checkpoint.force_at_start"},
    {"XAI_P2P_PARTIAL_SYNC_MIN_DELTA", true, FORM_NUMBER, "checkpoint.min_delta"},
    {"XAI_CHECKPOINT_QUORUM", true, FORM_NUMBER, "checkpoint.quorum"},
    {"XAI_CHECKPOINT_MIN_PEERS", true, FORM_NUMBER, "checkpoint.min_peers"},
    {"XAI_TRUSTED_CHECKPOINT_PUBKEYS", true, FORM_LIST, "checkpoint.trusted_pubkeys"},
    {"XAI_CHECKPOINT_REQUEST_RATE_SECONDS", true, FORM_NUMBER,
     "checkpoint.request_rate_seconds"},
    {"XAI_CHECKPOINT_URL", false, FORM_TEXT, "checkpoint.url"},
    {"XAI_BOOTSTRAP_PEERS", false, FORM_LIST, "peers"},
    {"XAI_NETWORK", false, FORM_TEXT, "network"},
};

enum {
    PREFIX = sizeof("XAI_") - 1,
    VARIABLES = sizeof(variables) / sizeof(variables[0])
};

/* NULL when not there or empty. */
static const char *value_of(const char *const *environment, const char *name)
{
    size_t len = strlen(name);

    for (; *environment; environment++)
        if (strncmp(*environment, name, len) == 0 && (*environment)[len] == '=' &&
            (*environment)[len + 1] != '\0')
            return *environment + len + 1;
    return NULL;
}

static struct conf_node *new_text(struct config *c, const char *text, size_t len)
{
    struct conf_node *n = conf_hold_alloc(c, 1, sizeof(*n));

    n->kind = CONF_TEXT;
    n->text = conf_hold_alloc(c, len + 1, 1);
    memcpy(n->text, text, len);
    return n;
}

/* "a, b" */
static struct conf_node *new_list(struct config *c, const char *text)
{
    struct conf_node *list = conf_hold_alloc(c, 1, sizeof(*list)), **last;

    list->kind = CONF_LIST;
    for (last = &list->first; list->count < LIST_MAX; last = &(*last)->next) {
        size_t space = strspn(text, " \t"), len;

        text += space;
        len = strcspn(text, ",");
        space = len;
        while (space > 0 && strchr(" \t", text[space - 1]))
            space--;
        *last = new_text(c, text, space);
        list->count++;
        text += len;
        if (*text++ == '\0')
            break;
    }
    return list;
}

/* NULL when it is neither on nor off. */
static struct conf_node *new_switch(struct config *c, const char *text)
{
    static const char *const names[][2] = {
        {"0", "false"}, {"false", "false"}, {"no", "false"}, {"off", "false"},
        {"1", "true"},  {"true", "true"},   {"yes", "true"}, {"on", "true"},
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcasecmp(text, names[i][0]) == 0)
            return new_text(c, names[i][1], strlen(names[i][1]));
    return NULL;
}

static struct conf_node *new_value(struct config *c, enum form form, const char *text)
{
    struct conf_node *n = NULL;

    switch (form) {
    case FORM_LIST:
        return new_list(c, text);
    case FORM_SWITCH:
        n = new_switch(c, text);
        break;
    case FORM_TEXT:
        return new_text(c, text, strlen(text));
    case FORM_NUMBER:
        n = new_text(c, text, strlen(text));
        break;
    }
    if (n)
        n->plain = true;
    return n;
}

/* Of two variables for one switch, the one that turns it off holds. */
static bool is_outvoted(const struct config *c, const struct conf_key *key,
                        enum form form, const struct conf_node *n)
{
    return form == FORM_SWITCH && n->text[0] == 't' &&
           strncmp(conf_key_origin(c, key), "environment ", 12) == 0;
}

static enum errc set_variable(struct config *c, const struct variable *v,
                              const char *name, const char *text, struct err *err)
{
    const struct conf_key *key = conf_key_find(v->path);
    const struct conf_node *n = new_value(c, v->form, text), *at = n;
    AUTOFREE char *origin = xasprintf("environment %s", name);

    if (!n)
        return err_set(err, ERR_INVALID, "environment: %s: wants 0 or 1", name);
    if (is_outvoted(c, key, v->form, n))
        return ERR_OK;
    if (key->set(c, key, &at, err) != ERR_OK)
        return err_wrap(err, "environment: %s", name);
    conf_key_note(c, key, conf_hold_text(c, origin));
    return ERR_OK;
}

enum errc conf_env_set(struct config *c, const char *const *environment,
                       struct err *err)
{
    for (size_t i = 0; environment && i < VARIABLES; i++) {
        const struct variable *v = &variables[i];
        const char *prefixed = value_of(environment, v->name);
        const char *bare = v->bare ? value_of(environment, v->name + PREFIX) : NULL;

        if (prefixed && bare && strcmp(prefixed, bare) != 0)
            return err_set(err, ERR_INVALID,
                           "environment: %s and %s differ; set one of them", v->name,
                           v->name + PREFIX);
        if ((prefixed || bare) &&
            set_variable(c, v, prefixed ? v->name : v->name + PREFIX,
                         prefixed ? prefixed : bare, err) != ERR_OK)
            return err->code;
    }
    return ERR_OK;
}
