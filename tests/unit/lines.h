#ifndef TESTS_UNIT_LINES_H
#define TESTS_UNIT_LINES_H

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "tests/unit/test.h"

/* The lines of a file under tests/data, each parsed as JSON:
   for (struct lines l = lines_open("vectors/x.jsonl"); lines_next(&l);) use l.v */
struct lines {
    FILE *file;
    char *text;
    size_t cap;
    ssize_t len;
    size_t number;
    struct json_doc *doc;
    const struct json *v;
};

static inline struct lines lines_open(const char *name)
{
    char path[512];
    struct lines l = {0};

    (void)snprintf(path, sizeof(path), "%s/%s", TEST_DATA, name);
    l.file = fopen(path, "r");
    ck_assert_msg(l.file != NULL, "%s", path);
    return l;
}

static inline bool lines_next(struct lines *l)
{
    const struct json_limits limits = {1U << 26, 1U << 20, 64};

    json_free(l->doc);
    l->doc = NULL;
    l->len = getline(&l->text, &l->cap, l->file);
    if (l->len <= 0) {
        free(l->text);
        (void)fclose(l->file);
        ck_assert_uint_gt(l->number, 0);
        return false;
    }
    l->number++;
    ASSERT_OK(json_parse(l->text, (size_t)l->len, &limits, &l->doc, &test_err));
    l->v = json_root(l->doc);
    return true;
}

/* A whole file parsed as one document, to be freed. */
static inline struct json_doc *lines_document(const char *name)
{
    struct lines l = lines_open(name);
    const struct json_limits limits = {1U << 26, 1U << 20, 64};
    struct json_doc *doc;
    ssize_t len = getdelim(&l.text, &l.cap, EOF, l.file);

    ck_assert_int_gt(len, 0);
    ASSERT_OK(json_parse(l.text, (size_t)len, &limits, &doc, &test_err));
    free(l.text);
    (void)fclose(l.file);
    return doc;
}

/* Members that must be there. */
static inline const char *text_of(const struct json *v, const char *key)
{
    const char *text = NULL;

    ck_assert_msg(json_text(json_get(v, key), &text), "%s", key);
    return text;
}

static inline double double_of(const struct json *v, const char *key)
{
    double value = 0;

    ck_assert_msg(json_double(json_get(v, key), &value), "%s", key);
    return value;
}

static inline uint64_t u64_of(const struct json *v, const char *key)
{
    uint64_t value = 0;

    ck_assert_msg(json_u64(json_get(v, key), &value), "%s", key);
    return value;
}

static inline bool bool_of(const struct json *v, const char *key)
{
    const struct json *b = json_get(v, key);

    ck_assert_msg(b && b->type == JSON_BOOL, "%s", key);
    return b->boolean;
}

static inline void hash_of(const struct json *v, const char *key, uint8_t out[32])
{
    ck_assert_msg(json_hash(json_get(v, key), out), "%s", key);
}

static inline double from_bits(const char *hex)
{
    uint64_t bits = strtoull(hex, NULL, 16);
    double value;

    memcpy(&value, &bits, sizeof(value));
    return value;
}

#endif
