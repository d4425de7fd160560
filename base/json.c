#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/json_doc.h"
#include "base/pyfloat.h"

void json_free(struct json_doc *doc)
{
    if (!doc)
        return;
    arena_fini(&doc->arena);
    free(doc);
}

const struct json *json_root(const struct json_doc *doc)
{
    return doc->root;
}

int json_key_compare(const char *a, size_t a_len, const char *b, size_t b_len)
{
    int order = memcmp(a, b, a_len < b_len ? a_len : b_len);

    if (order != 0)
        return order;
    return a_len < b_len ? -1 : a_len > b_len;
}

enum { FEW = 16 }; /* members that are faster looked through */

static const struct json *look_through(const struct json *v, const char *key,
                                       size_t len)
{
    for (const struct json *m = v->first; m; m = m->next)
        if (m->key_len == len && memcmp(m->key, key, len) == 0)
            return m;
    return NULL;
}

const struct json *json_get(const struct json *v, const char *key)
{
    size_t key_len = strlen(key), low = 0, high;

    if (!v || v->type != JSON_OBJECT)
        return NULL;
    if (v->len <= FEW)
        return look_through(v, key, key_len);
    high = v->len;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        const struct json *m = v->sorted[mid];
        int order = json_key_compare(key, key_len, m->key, m->key_len);

        if (order == 0)
            return m;
        if (order < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return NULL;
}

bool json_u64(const struct json *v, uint64_t *out)
{
    uint64_t value = 0;

    if (!v || v->type != JSON_INT || v->text[0] == '-')
        return false;
    for (const char *p = v->text; *p; p++)
        if (__builtin_mul_overflow(value, (uint64_t)10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(*p - '0'), &value))
            return false;
    *out = value;
    return true;
}

bool json_double(const struct json *v, double *out)
{
    double value;

    if (!v || (v->type != JSON_FLOAT && v->type != JSON_INT))
        return false;
    value = v->type == JSON_FLOAT ? v->number : pyfloat_parse(v->text, v->len);
    if (!isfinite(value))
        return false;
    *out = value;
    return true;
}

bool json_text(const struct json *v, const char **out)
{
    if (!v || v->type != JSON_STRING)
        return false;
    if (!v->canon && memchr(v->text, '\0', v->len)) /* a NUL comes from an escape */
        return false;
    *out = v->text;
    return true;
}

bool json_hash(const struct json *v, uint8_t out[32])
{
    uint8_t hash[32];

    if (!v || v->type != JSON_STRING || v->len != 64 ||
        !hex_decode(v->text, 32, true, hash))
        return false;
    memcpy(out, hash, sizeof(hash));
    return true;
}

bool json_is_null(const struct json *v)
{
    return !v || v->type == JSON_NULL;
}
