#include "base/json.h"

static void put_unit(unsigned unit, struct buf *out)
{
    static const char digit[] = "0123456789abcdef";
    const char text[6] = {'\\',
                          'u',
                          digit[unit >> 12],
                          digit[unit >> 8 & 15],
                          digit[unit >> 4 & 15],
                          digit[unit & 15]};

    buf_put(out, text, sizeof(text));
}

/* One character of valid UTF-8 as \u escapes; returns its bytes. */
static size_t put_multibyte(const unsigned char *p, struct buf *out)
{
    unsigned code;

    if (p[0] < 0x80) {
        put_unit(p[0], out);
        return 1;
    }
    if (p[0] < 0xe0) {
        put_unit((p[0] & 0x1fU) << 6 | (p[1] & 0x3fU), out);
        return 2;
    }
    if (p[0] < 0xf0) {
        put_unit((p[0] & 0xfU) << 12 | (p[1] & 0x3fU) << 6 | (p[2] & 0x3fU), out);
        return 3;
    }
    code =
        (p[0] & 7U) << 18 | (p[1] & 0x3fU) << 12 | (p[2] & 0x3fU) << 6 | (p[3] & 0x3fU);
    code -= 0x10000;
    put_unit(0xd800 + (code >> 10), out);
    put_unit(0xdc00 + (code & 0x3ff), out);
    return 4;
}

/* The letter of a two-character escape, or 0. */
static char short_escape(unsigned char c)
{
    switch (c) {
    case '"':
    case '\\':
        return (char)c;
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    case '\b':
        return 'b';
    case '\f':
        return 'f';
    default:
        return 0;
    }
}

void json_write_string(const char *utf8, size_t len, struct buf *out)
{
    const unsigned char *p = (const unsigned char *)utf8;

    buf_put(out, "\"", 1);
    for (size_t i = 0; i < len;) {
        size_t run = json_plain(utf8 + i, len - i);
        char escape;

        buf_put(out, utf8 + i, run);
        i += run;
        if (i == len)
            break;
        escape = short_escape(p[i]);
        if (escape) {
            buf_put(out, (char[]){'\\', escape}, 2);
            i++;
        } else {
            i += put_multibyte(p + i, out);
        }
    }
    buf_put(out, "\"", 1);
}

static void put_comma(enum json_form form, size_t index, struct buf *out)
{
    if (index > 0)
        buf_put(out, ", ", form == JSON_CANON ? 1 : 2);
}

static void put_member(const struct json *v, enum json_form form, struct buf *out)
{
    json_write_string(v->key, v->key_len, out);
    buf_put(out, ": ", form == JSON_CANON ? 1 : 2);
    json_write(v, form, out);
}

static void put_object(const struct json *v, enum json_form form, struct buf *out)
{
    const struct json *member = v->first;

    buf_put(out, "{", 1);
    for (size_t i = 0; i < v->len; i++, member = member->next) {
        put_comma(form, i, out);
        put_member(form == JSON_UNSORTED ? member : v->sorted[i], form, out);
    }
    buf_put(out, "}", 1);
}

static void put_array(const struct json *v, enum json_form form, struct buf *out)
{
    size_t i = 0;

    buf_put(out, "[", 1);
    for (const struct json *item = v->first; item; item = item->next) {
        put_comma(form, i++, out);
        json_write(item, form, out);
    }
    buf_put(out, "]", 1);
}

/* What has nothing in it is spelled alike in all forms. */
void json_write(const struct json *v, enum json_form form, struct buf *out)
{
    if (v->canon && (form == JSON_CANON || !v->first)) {
        buf_put(out, v->canon, v->canon_len);
        return;
    }
    switch (v->type) {
    case JSON_NULL:
        buf_put(out, "null", 4);
        break;
    case JSON_BOOL:
        buf_puts(out, v->boolean ? "true" : "false");
        break;
    case JSON_INT:
    case JSON_FLOAT:
        buf_put(out, v->text, v->len);
        break;
    case JSON_STRING:
        json_write_string(v->text, v->len, out);
        break;
    case JSON_ARRAY:
        put_array(v, form, out);
        break;
    case JSON_OBJECT:
        put_object(v, form, out);
        break;
    }
}
