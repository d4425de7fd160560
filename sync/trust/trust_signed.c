#include <string.h>

#include "base/hex.h"
#include "base/mem.h"
#include "sync/trust/trust_signed.h"

enum errc trust_signed_add(struct trust_signed **list, size_t *count,
                           const struct trust_signed *sig, struct err *err)
{
    struct trust_signed *l = *list;
    size_t at = 0;

    while (at < *count && trust_key_compare(&l[at].key, &sig->key) < 0)
        at++;
    if (at < *count && trust_key_equal(&l[at].key, &sig->key))
        return err_set(err, ERR_CONFLICT, "this key has signed already");
    if (*count == TRUST_SIGNED_MAX)
        return err_set(err, ERR_CONFLICT, "there are %d signatures already",
                       TRUST_SIGNED_MAX);
    *list = l = xrealloc(l, (*count + 1) * sizeof(*l));
    memmove(l + at + 1, l + at, (*count - at) * sizeof(*l));
    l[at] = *sig;
    ++*count;
    return ERR_OK;
}

void trust_signed_write(const struct trust_signed *list, size_t count, struct buf *out)
{
    char key[TRUST_KEY_HEX], hex[129];

    buf_puts(out, "[");
    for (size_t i = 0; i < count; i++) {
        trust_key_hex(&list[i].key, key);
        hex_encode(list[i].signature, 64, hex);
        buf_printf(out, "%s{\"alg\":\"%s\",\"key\":\"%s\",\"signature\":\"%s\"}",
                   i > 0 ? "," : "", trust_key_alg_name(list[i].key.alg), key, hex);
    }
    buf_puts(out, "]");
}

static bool read_one(const struct json *v, struct trust_signed *out)
{
    enum trust_key_alg alg;
    const char *text;

    return json_text(json_get(v, "alg"), &text) && trust_key_alg_parse(text, &alg) &&
           json_text(json_get(v, "key"), &text) &&
           trust_key_parse_hex(alg, text, &out->key) &&
           json_text(json_get(v, "signature"), &text) && strlen(text) == 128 &&
           hex_decode(text, 64, true, out->signature);
}

bool trust_signed_read(const struct json *v, struct trust_signed **list, size_t *count)
{
    if (!v || v->type != JSON_ARRAY || v->len > TRUST_SIGNED_MAX)
        return false;
    for (const struct json *one = v->first; one; one = one->next) {
        struct trust_signed sig;
        struct err err;

        if (!read_one(one, &sig) || trust_signed_add(list, count, &sig, &err))
            return false;
    }
    return true;
}
