#include <math.h>
#include <string.h>

#include "base/json_doc.h"
#include "base/pyfloat.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* At least one. */
static bool skip_digits(struct json_reader *r)
{
    if (!is_digit(*r->at))
        return json_read_failed(r, "a digit is missing");
    while (is_digit(*r->at))
        r->at++;
    return true;
}

/* Past a number as JSON has it.  What follows a leading zero is not part of it. */
static bool skip_number(struct json_reader *r, bool *integer)
{
    if (*r->at == '-')
        r->at++;
    if (*r->at == '0')
        r->at++;
    else if (!skip_digits(r))
        return false;
    *integer = true;
    if (*r->at == '.') {
        *integer = false;
        r->at++;
        if (!skip_digits(r))
            return false;
    }
    if (*r->at != 'e' && *r->at != 'E')
        return true;
    *integer = false;
    r->at++;
    if (*r->at == '+' || *r->at == '-')
        r->at++;
    return skip_digits(r);
}

/* Into the room for what is read: there are as many bytes, and a delimiter behind. */
static void keep(struct json_reader *r, struct json *v, const char *text, size_t len)
{
    v->text = r->put;
    v->len = len;
    memcpy(r->put, text, len);
    r->put += len;
    *r->put++ = '\0';
}

static void take_integer(struct json_reader *r, struct json *v, const char *text,
                         size_t len)
{
    v->type = JSON_INT;
    if (len == 2 && text[0] == '-' && text[1] == '0') {
        r->odd++;
        text++;
        len--;
    }
    keep(r, v, text, len);
}

static bool is_repr(double value, const char *text, size_t len)
{
    char repr[PYFLOAT_TEXT];

    return pyfloat_repr(value, repr) == len && memcmp(repr, text, len) == 0;
}

static bool take_float(struct json_reader *r, struct arena *arena, struct json *v,
                       const char *text, size_t len)
{
    char spelling[PYFLOAT_TEXT];

    v->type = JSON_FLOAT;
    v->number = pyfloat_parse(text, len);
    if (!isfinite(v->number))
        return json_read_failed(r, "a number beyond a double");
    if (pyfloat_is_short(text, len) || is_repr(v->number, text, len)) {
        keep(r, v, text, len);
        return true;
    }
    r->odd++;
    v->len = pyfloat_repr(v->number, spelling);
    v->text = arena_text(arena, spelling, v->len);
    return true;
}

bool json_read_number(struct json_reader *r, struct arena *arena, struct json *v)
{
    const char *text = r->at;
    bool integer;
    size_t len;

    if (!skip_number(r, &integer))
        return false;
    len = (size_t)(r->at - text);
    if (!integer)
        return take_float(r, arena, v, text, len);
    take_integer(r, v, text, len);
    return true;
}
