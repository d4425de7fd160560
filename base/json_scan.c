#include <endian.h>
#include <string.h>

#include "base/json_doc.h"

#define ONES UINT64_C(0x0101010101010101)

/* Bit 7 of the bytes of x that are c; of bytes above such a one, too. */
static uint64_t equal_bytes(uint64_t x, unsigned char c)
{
    x ^= ONES * c;
    return (x - ONES) & ~x & ONES * 0x80;
}

/* Eight bytes, the first one lowest. */
static uint64_t load(const char *p)
{
    uint64_t x;

    memcpy(&x, p, sizeof(x));
    return le64toh(x);
}

/* How many of the bytes of x are plain, before the first that is not. */
static unsigned plain_bytes(uint64_t x)
{
    uint64_t odd = ((x | ((x - ONES * 0x20) & ~x)) & ONES * 0x80) |
                   equal_bytes(x, '"') | equal_bytes(x, '\\') | equal_bytes(x, 0x7f);

    return odd ? (unsigned)__builtin_ctzll(odd) / 8 : 8;
}

static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

size_t json_plain(const char *text, size_t len)
{
    size_t n = 0;

    while (len - n >= 8) {
        unsigned run = plain_bytes(load(text + n));

        n += run;
        if (run < 8)
            return n;
    }
    while (n < len && is_plain((unsigned char)text[n]))
        n++;
    return n;
}

static void put(struct json_reader *r, const void *bytes, size_t len)
{
    memcpy(r->put, bytes, len);
    r->put += len;
}

/* What is plain from here on.  Eight bytes are copied for any, if only one is. */
static void copy_plain(struct json_reader *r)
{
    unsigned run = 8;
    size_t rest;

    while (run == 8 && r->end - r->at >= 8) {
        memcpy(r->put, r->at, 8);
        run = plain_bytes(load(r->at));
        r->put += run;
        r->at += run;
    }
    if (run < 8)
        return;
    rest = json_plain(r->at, (size_t)(r->end - r->at));
    put(r, r->at, rest);
    r->at += rest;
}

/* One character above U+007F (RFC 3629, table 3-7 of Unicode).  The NUL behind the text
   is no tail. */
static bool read_utf8(struct json_reader *r)
{
    const unsigned char *p = (const unsigned char *)r->at;
    size_t tails = p[0] >= 0xf0 ? 3 : p[0] >= 0xe0 ? 2 : 1;

    if (p[0] < 0xc2 || p[0] > 0xf4)
        return json_read_failed(r, "not UTF-8");
    for (size_t i = 1; i <= tails; i++)
        if ((p[i] & 0xc0) != 0x80)
            return json_read_failed(r, "not UTF-8");
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
        (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
        return json_read_failed(r, "not UTF-8");
    put(r, p, tails + 1);
    r->at += tails + 1;
    return true;
}

static void put_utf8(struct json_reader *r, unsigned code)
{
    if (code < 0x80)
        put(r, (uint8_t[]){(uint8_t)code}, 1);
    else if (code < 0x800)
        put(r, (uint8_t[]){(uint8_t)(0xc0 | code >> 6), (uint8_t)(0x80 | (code & 63))},
            2);
    else if (code < 0x10000)
        put(r,
            (uint8_t[]){(uint8_t)(0xe0 | code >> 12),
                        (uint8_t)(0x80 | (code >> 6 & 63)),
                        (uint8_t)(0x80 | (code & 63))},
            3);
    else
        put(r,
            (uint8_t[]){
                (uint8_t)(0xf0 | code >> 18), (uint8_t)(0x80 | (code >> 12 & 63)),
                (uint8_t)(0x80 | (code >> 6 & 63)), (uint8_t)(0x80 | (code & 63))},
            4);
}

static int hex_value(unsigned char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The four digits of the \u escape at p; -1 if there is none.  The NUL behind the text
   is no digit. */
static int unit_at(const char *p)
{
    int value = 0;

    if (p[0] != '\\' || p[1] != 'u')
        return -1;
    for (size_t i = 2; i < 6; i++) {
        int digit = hex_value((unsigned char)p[i]);

        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

static bool read_unit(struct json_reader *r)
{
    int high = unit_at(r->at), low;

    if (high < 0)
        return json_read_failed(r, "\\u without four hex digits");
    if (high < 0xd800 || high > 0xdfff) {
        put_utf8(r, (unsigned)high);
        r->at += 6;
        return true;
    }
    low = unit_at(r->at + 6);
    if (high > 0xdbff || low < 0xdc00 || low > 0xdfff)
        return json_read_failed(r, "half a surrogate pair");
    put_utf8(r, 0x10000U + ((unsigned)high - 0xd800U) * 0x400U +
                    ((unsigned)low - 0xdc00U));
    r->at += 12;
    return true;
}

static bool read_escape(struct json_reader *r)
{
    static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    const char *letter;

    if (r->at[1] == 'u')
        return read_unit(r);
    letter = r->at[1] ? strchr(letters, r->at[1]) : NULL;
    if (!letter)
        return json_read_failed(r, "no such escape");
    put(r, &meanings[letter - letters], 1);
    r->at += 2;
    return true;
}

/* A character that is not plain, and not the quote at the end. */
static bool read_odd(struct json_reader *r)
{
    unsigned char c = (unsigned char)*r->at;

    r->odd++;
    if (r->at == r->end)
        return json_read_failed(r, "a string without an end");
    if (c == '\\')
        return read_escape(r);
    if (c >= 0x80)
        return read_utf8(r);
    if (c < 0x20)
        return json_read_failed(r, "a control character in a string");
    put(r, r->at++, 1); /* U+007F */
    return true;
}

bool json_read_string(struct json_reader *r, const char **text, size_t *len)
{
    const char *meaning = r->put;

    r->at++;
    for (copy_plain(r); *r->at != '"'; copy_plain(r))
        if (!read_odd(r))
            return false;
    r->at++;
    *text = meaning;
    *len = (size_t)(r->put - meaning);
    *r->put++ = '\0';
    return true;
}

bool json_read_key(struct json_reader *r, const char **key, size_t *len)
{
    const char *text = r->at + 1;
    size_t run = json_plain(text, (size_t)(r->end - text));

    if (text[run] != '"')
        return json_read_string(r, key, len);
    r->at = text + run + 1;
    *key = text;
    *len = run;
    return true;
}
