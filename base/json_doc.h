#ifndef BASE_JSON_DOC_H
#define BASE_JSON_DOC_H

#include "base/arena.h"
#include "base/json.h"

/* Private to base/json*.c. */
struct json_doc {
    struct arena arena;
    struct json *root;
};

/*
 * What yajl lets pass and we do not: UTF-8 that is none (overlong, surrogates, beyond
 * U+10FFFF), \u escapes of half a surrogate pair, and white space that is not JSON's.
 * False with the byte and what is wrong.
 */
bool json_scan(const char *text, size_t len, size_t *at, const char **why);

#endif
