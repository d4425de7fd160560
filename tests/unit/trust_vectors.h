#ifndef TESTS_UNIT_TRUST_VECTORS_H
#define TESTS_UNIT_TRUST_VECTORS_H

#include "sync/trust/trust_set.h"
#include "tests/unit/trust_kit.h"

/* tests/data/trust/vectors.json: what another program signed.  Never freed in a test
   that fails; texts and statements live until vectors_fini. */
struct vectors {
    cJSON *doc;
    struct trust_statement *kept[32];
    size_t count;
};

static inline void vectors_init(struct vectors *v)
{
    *v = (struct vectors){.doc = kit_read("../trust/vectors.json")};
}

static inline void vectors_fini(struct vectors *v)
{
    for (size_t i = 0; i < v->count; i++)
        trust_statement_free(v->kept[i]);
    cJSON_Delete(v->doc);
}

static inline const cJSON *vectors_statement(const struct vectors *v, const char *name)
{
    const cJSON *s =
        cJSON_GetObjectItem(cJSON_GetObjectItem(v->doc, "statements"), name);

    ck_assert_msg(s != NULL, "%s", name);
    return s;
}

static inline const struct trust_statement *vectors_parse(struct vectors *v,
                                                          const char *name)
{
    const char *text = kit_text(vectors_statement(v, name), "text");

    ASSERT_OK(trust_statement_parse(text, strlen(text), &v->kept[v->count], &test_err));
    return v->kept[v->count++];
}

/* kind: "signers", "nodes". */
static inline struct trust_key vectors_key(const struct vectors *v, const char *kind,
                                           int i)
{
    const cJSON *list = cJSON_GetObjectItem(cJSON_GetObjectItem(v->doc, "keys"), kind);
    struct trust_key key;

    ck_assert(trust_key_parse(cJSON_GetStringValue(cJSON_GetArrayItem(list, i)), &key));
    return key;
}

#endif
