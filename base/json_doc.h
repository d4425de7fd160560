#ifndef BASE_JSON_DOC_H
#define BASE_JSON_DOC_H

#include "base/arena.h"
#include "base/json.h"

/* Private to base/json*.c. */
struct json_doc {
    struct arena arena; /* nodes, the text as it came, what its strings mean */
    struct json *root;
};

enum { JSON_READER_SPARE = 8 };

/* Where reading stands in a text that a NUL follows. */
struct json_reader {
    const char *at, *end;
    char *put;  /* the next text goes here: room for what is left to be read, and 1 */
    size_t odd; /* rises with whatever is not spelled as canonical text */
    const char *why; /* what is wrong at at */
};

/* False with why. */
bool json_read_failed(struct json_reader *r, const char *why);

/* The literal that begins at at: its meaning, with a NUL, to *text. */
bool json_read_string(struct json_reader *r, const char **text, size_t *len);

/* The same of a key, which has no NUL: most stand in the text as they are. */
bool json_read_key(struct json_reader *r, const char **key, size_t *len);

/* The same of a number; fills type, number, text and len of v. */
bool json_read_number(struct json_reader *r, struct arena *arena, struct json *v);

#endif
