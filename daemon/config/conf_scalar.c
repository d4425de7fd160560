#include <inttypes.h>
#include <string.h>

#include "daemon/config/conf_scalar.h"

/* Digits from *p on, which is left behind them. */
static bool digits(const char **p, uint64_t *out)
{
    const char *start = *p;
    uint64_t n = 0;

    for (; **p >= '0' && **p <= '9'; (*p)++) {
        unsigned d = (unsigned)(**p - '0');

        if (n > ((uint64_t)INT64_MAX - d) / 10)
            return false;
        n = n * 10 + d;
    }
    *out = n;
    return *p > start;
}

bool conf_scalar_number(const struct conf_node *n, uint64_t *out)
{
    const char *p = n->text;
    uint64_t value;

    if (n->kind != CONF_TEXT || !n->plain || !digits(&p, &value) || *p != '\0')
        return false;
    *out = value;
    return true;
}

static enum errc wanted(const struct conf_key *key, struct err *err)
{
    return err_set(err, ERR_INVALID,
                   "wants a whole number from %" PRIu64 " to %" PRIu64, key->min,
                   key->max);
}

enum errc conf_scalar_unsigned(CONF_SET_ARGS)
{
    uint64_t n;
    unsigned value;

    if (!conf_scalar_number(*at, &n) || n < key->min || n > key->max)
        return wanted(key, err);
    value = (unsigned)n;
    memcpy((char *)c + key->offset, &value, sizeof(value));
    return ERR_OK;
}

static enum errc put_u64(struct config *c, const struct conf_key *key, uint64_t n)
{
    memcpy((char *)c + key->offset, &n, sizeof(n));
    return ERR_OK;
}

enum errc conf_scalar_u64(CONF_SET_ARGS)
{
    uint64_t n;

    if (!conf_scalar_number(*at, &n) || n < key->min || n > key->max)
        return wanted(key, err);
    return put_u64(c, key, n);
}

enum errc conf_scalar_size(CONF_SET_ARGS)
{
    static const char *const units[] = {"", "KiB", "MiB", "GiB", "TiB"};
    const char *p = (*at)->text;
    uint64_t n;

    if ((*at)->kind != CONF_TEXT || !digits(&p, &n))
        return err_set(err, ERR_INVALID,
                       "wants bytes, such as 1048576, 10MiB or 64GiB");
    for (unsigned i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(p, units[i]) != 0)
            continue;
        if (n > key->max >> (10 * i) || n << (10 * i) < key->min)
            return err_set(err, ERR_INVALID,
                           "wants from %" PRIu64 " to %" PRIu64 " bytes", key->min,
                           key->max);
        return put_u64(c, key, n << (10 * i));
    }
    return err_set(err, ERR_INVALID, "wants bytes, such as 1048576, 10MiB or 64GiB");
}

enum errc conf_scalar_bool(CONF_SET_ARGS)
{
    const struct conf_node *n = *at;
    bool on;

    if (n->kind != CONF_TEXT || !n->plain ||
        (strcmp(n->text, "true") != 0 && strcmp(n->text, "false") != 0))
        return err_set(err, ERR_INVALID, "wants true or false");
    on = n->text[0] == 't';
    memcpy((char *)c + key->offset, &on, sizeof(on));
    return ERR_OK;
}

enum errc conf_scalar_off(CONF_SET_ARGS)
{
    const struct conf_node *n = *at;

    (void)c;
    if (conf_tree_is_null(n) ||
        (n->kind == CONF_TEXT && strcmp(n->text, key->off) == 0))
        return ERR_OK;
    if (key->off[0] == '\0')
        return err_set(err, ERR_INVALID,
                       "%s: not supported by this version; leave it out", key->feature);
    return err_set(err, ERR_INVALID,
                   "%s: not supported by this version; leave it out or set it to %s",
                   key->feature, key->off);
}
