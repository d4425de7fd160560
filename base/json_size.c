#include "base/json.h"

/* The character at p as json_write_string writes it; *bytes is its own length. */
static size_t escaped_size(const unsigned char *p, size_t *bytes)
{
    *bytes = p[0] < 0x80 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    if (p[0] == '"' || p[0] == '\\' || (p[0] >= 0x08 && p[0] <= 0x0d && p[0] != 0x0b))
        return 2;
    return *bytes == 4 ? 12 : 6;
}

static size_t string_size(const char *text, size_t len)
{
    size_t n = 2;

    for (size_t i = 0; i < len;) {
        size_t run = json_plain(text + i, len - i), bytes;

        n += run;
        i += run;
        if (i == len)
            break;
        n += escaped_size((const unsigned char *)text + i, &bytes);
        i += bytes;
    }
    return n;
}

/* Brackets and commas, and the colons of an object. */
static size_t children_size(const struct json *v)
{
    size_t n = v->len > 0 ? v->len + 1 : 2;

    for (const struct json *child = v->first; child; child = child->next) {
        if (v->type == JSON_OBJECT)
            n += string_size(child->key, child->key_len) + 1;
        n += json_size(child);
    }
    return n;
}

size_t json_size(const struct json *v)
{
    if (v->canon)
        return v->canon_len;
    switch (v->type) {
    case JSON_NULL:
        return 4;
    case JSON_BOOL:
        return v->boolean ? 4 : 5;
    case JSON_INT:
    case JSON_FLOAT:
        return v->len;
    case JSON_STRING:
        return string_size(v->text, v->len);
    case JSON_ARRAY:
    case JSON_OBJECT:
        return children_size(v);
    }
    return 0;
}
