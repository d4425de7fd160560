#include <string.h>

#include "base/hex.h"
#include "daemon/config/conf_hold.h"
#include "daemon/config/conf_list.h"
#include "daemon/config/conf_token.h"

bool conf_token_is_name(const char *text)
{
    size_t len = strlen(text);

    return len >= 1 && strcmp(text, "cookie") != 0 && len <= CONF_TOKEN_NAME_MAX &&
           strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                        "._-") == len;
}

static const char *text_of(const struct conf_node *map, const char *key)
{
    const struct conf_node *n = conf_tree_get(map, key);

    return n && n->kind == CONF_TEXT ? n->text : "";
}

static bool take_role(const char *text, enum rpc_role *out)
{
    if (strcmp(text, "read") != 0 && strcmp(text, "admin") != 0)
        return false;
    *out = text[0] == 'r' ? RPC_ROLE_READ : RPC_ROLE_ADMIN;
    return true;
}

static enum errc take_token(struct config *c, const struct conf_node *m,
                            struct rpc_token *out, struct err *err)
{
    static const size_t scheme = sizeof(CONF_TOKEN_SCHEME) - 1;
    const char *name, *hash;

    if (m->kind != CONF_MAP || m->count != 3)
        return err_set(err, ERR_INVALID, "wants {name, role, hash}");
    name = text_of(m, "name");
    hash = text_of(m, "hash");
    if (!conf_token_is_name(name))
        return err_set(
            err, ERR_INVALID,
            "name wants 1 to %d letters, digits, '.', '_', '-'; cookie is taken",
            CONF_TOKEN_NAME_MAX);
    if (!take_role(text_of(m, "role"), &out->role))
        return err_set(err, ERR_INVALID, "role wants read or admin");
    if (strncmp(hash, CONF_TOKEN_SCHEME, scheme) != 0 ||
        !hex_hash(hash + scheme, out->hash))
        return err_set(err, ERR_INVALID,
                       "hash wants " CONF_TOKEN_SCHEME
                       " and 64 lower-case hex digits; cairn token create makes one");
    out->name = conf_hold_text(c, name);
    return ERR_OK;
}

enum errc conf_token_list(CONF_SET_ARGS)
{
    const struct conf_node *n = *at;
    struct rpc_token *all;
    size_t count = 0;

    if (conf_list_check(n, key->max, err) != ERR_OK)
        return err->code;
    all = conf_hold_alloc(c, n->count + 1, sizeof(*all));
    for (const struct conf_node *m = n->first; m; m = m->next) {
        *at = m;
        if (take_token(c, m, &all[count], err) != ERR_OK)
            return err->code;
        for (size_t i = 0; i < count; i++)
            if (strcmp(all[i].name, all[count].name) == 0 ||
                memcmp(all[i].hash, all[count].hash, sizeof(all[i].hash)) == 0)
                return err_set(err, ERR_INVALID, "%s and %s: one token, or one name",
                               all[i].name, all[count].name);
        count++;
    }
    c->rpc.tokens = all;
    c->rpc.token_count = count;
    return ERR_OK;
}
