#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"

/*
 * JSON of the chain, where 12 and 12.0 differ and every byte is hashed.  (The control
 * plane's JSON is cJSON.)  A document is an immutable tree in one arena, read within
 * limits, with the kind of each number kept, and of each value whether it stands in the
 * text as it would be written (docs/adr/0028).  Stricter than Python on purpose:
 * duplicate keys, lone surrogates, non-finite numbers (1e400 too), invalid UTF-8 and
 * trailing bytes are refused.  A document may be read by any thread.
 */
enum json_type {
    JSON_NULL,
    JSON_BOOL,
    JSON_INT,   /* text: canonical decimal digits ("-0" became "0"), any length */
    JSON_FLOAT, /* number: the double, finite; text: its canonical spelling */
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT,
};

struct json {
    enum json_type type;
    bool boolean;
    union {
        double number;                    /* of a JSON_FLOAT */
        const struct json *const *sorted; /* of a JSON_OBJECT, its members by key */
    };
    const char *text; /* JSON_STRING: UTF-8, may hold NULs, NUL-terminated; numbers */
    size_t len;       /* bytes of text; members of an array or object */
    const char *key;  /* in an object, else NULL; no NUL */
    size_t key_len;
    const struct json *first, *next; /* children in document order; siblings */
    const char *canon; /* its JSON_CANON, if the text was spelled so, else NULL */
    size_t canon_len;
};

struct json_limits {
    size_t max_bytes; /* of text */
    size_t max_nodes;
    unsigned max_depth;
};

/* What a block may be: 2 MB of canonical text, indented text and all (protocol.md 5.3).
 */
#define JSON_LIMITS_BLOCK  \
    ((struct json_limits){ \
        .max_bytes = 8U << 20, .max_nodes = 1U << 20, .max_depth = 64})
/* Small control answers of peers. */
#define JSON_LIMITS_SMALL  \
    ((struct json_limits){ \
        .max_bytes = 1U << 20, .max_nodes = 1U << 16, .max_depth = 32})

struct json_doc;

/* ERR_VERIFY / BLOCK_MALFORMED names the byte and what is wrong; the caller may give it
   its own reason.  text is copied and not needed afterwards. */
enum errc json_parse(const char *text, size_t len, const struct json_limits *limits,
                     struct json_doc **out, struct err *err);
void json_free(struct json_doc *doc);
DEFINE_CLEANUP(struct json_doc, json_free)
const struct json *json_root(const struct json_doc *doc);

/* Member by name; NULL if v is NULL, no object, or has none. */
const struct json *json_get(const struct json *v, const char *key);

/* Typed reads: false (out untouched) if v is NULL, of another type, or does not fit. */
bool json_u64(const struct json *v, uint64_t *out);     /* JSON_INT >= 0 */
bool json_double(const struct json *v, double *out);    /* JSON_FLOAT or JSON_INT */
bool json_text(const struct json *v, const char **out); /* JSON_STRING without NULs */
bool json_hash(const struct json *v, uint8_t out[32]);  /* 64 lower-case hex digits */
bool json_is_null(const struct json *v);                /* JSON_NULL, or NULL */

/* The three spellings of protocol.md 1.1.  All escape everything outside 0x20..0x7e. */
enum json_form {
    JSON_CANON,    /* sorted keys, "," and ":" */
    JSON_SPACED,   /* sorted keys, ", " and ": " */
    JSON_UNSORTED, /* document order, ", " and ": " */
};
void json_write(const struct json *v, enum json_form form, struct buf *out);
size_t json_size(const struct json *v); /* bytes of its JSON_CANON */

/* The pieces, for who writes a fixed object in canonical order by hand. */
void json_write_string(const char *utf8, size_t len, struct buf *out);

/* How many bytes from the first on stand in JSON text as they are: printable ASCII
   without quote and backslash. */
size_t json_plain(const char *text, size_t len);

/* Order of keys in canonical text: by code point, which is the order of UTF-8 bytes. */
int json_key_compare(const char *a, size_t a_len, const char *b, size_t b_len);

#endif
