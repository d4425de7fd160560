#include <stdio.h>
#include <string.h>

#include "rpc/embedded.h"
#include "rpc/methods.h"
#include "tests/unit/test.h"

/* The method table and openapi/openrpc.json say the same, in both directions. */
static cJSON *doc;

static void set_up(void)
{
    doc = cJSON_ParseWithLength((const char *)openrpc_doc, openrpc_doc_len);
    ck_assert_ptr_nonnull(doc);
}

static void tear_down(void)
{
    cJSON_Delete(doc);
}

static const cJSON *member(const cJSON *o, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(o, name);
}

static const cJSON *by_name(const cJSON *list, const char *name)
{
    const cJSON *item = NULL;

    cJSON_ArrayForEach (item, list)
        if (strcmp(member(item, "name")->valuestring, name) == 0)
            return item;
    return NULL;
}

static void assert_text(const cJSON *o, const char *name, const char *want,
                        const char *where)
{
    const cJSON *v = member(o, name);

    ck_assert_msg(cJSON_IsString(v) && strcmp(v->valuestring, want) == 0,
                  "%s: %s is not \"%s\"", where, name, want);
}

static void assert_number(const cJSON *o, const char *name, uint64_t want,
                          const char *where)
{
    const cJSON *v = member(o, name);

    ck_assert_msg(cJSON_IsNumber(v) && v->valuedouble == (double)want,
                  "%s: %s is not %llu", where, name, (unsigned long long)want);
}

static void assert_names(const cJSON *schema, const char *const *names,
                         const char *where)
{
    const cJSON *list = member(schema, "enum"), *v = NULL;
    int n = 0;

    cJSON_ArrayForEach (v, list) {
        ck_assert_msg(names[n], "%s: enum has more", where);
        ck_assert_str_eq(v->valuestring, names[n]);
        n++;
    }
    ck_assert_msg(n > 0 && !names[n], "%s: enum has fewer", where);
}

static void assert_schema(const struct param_spec *p, const cJSON *s, const char *where)
{
    switch (p->type) {
    case PARAM_INT:
        assert_text(s, "type", "integer", where);
        assert_number(s, "minimum", p->min, where);
        assert_number(s, "maximum", p->max, where);
        if (p->initial != 0 || member(s, "default"))
            assert_number(s, "default", p->initial, where);
        return;
    case PARAM_STRING:
        assert_text(s, "type", "string", where);
        assert_number(s, "minLength", p->min, where);
        assert_number(s, "maxLength", p->max, where);
        return;
    case PARAM_BOOL:
        assert_text(s, "type", "boolean", where);
        return;
    case PARAM_HASH:
        assert_text(s, "type", "string", where);
        assert_text(s, "pattern", "^[0-9a-f]{64}$", where);
        return;
    case PARAM_ENUM:
        assert_text(s, "type", "string", where);
        assert_names(s, p->names, where);
        return;
    case PARAM_TIME:
        assert_text(s, "type", "string", where);
        assert_text(s, "format", "date-time", where);
        return;
    case PARAM_JOB:
        assert_text(s, "type", "string", where);
        assert_text(s, "pattern", "^job-[1-9][0-9]{0,17}$", where);
        return;
    case PARAM_CURSOR:
        assert_text(s, "type", "string", where);
        assert_text(s, "pattern", "^[1-9][0-9]{0,17}$", where);
        return;
    case PARAM_OBJECT:
        assert_text(s, "type", "object", where);
        return;
    }
    ck_abort_msg("%s: unknown type", where);
}

static void assert_params(const struct method *m, const cJSON *list)
{
    int n = 0;

    for (const struct param_spec *p = m->params; p->name; p++, n++) {
        const cJSON *said = by_name(list, p->name);
        char where[100];

        (void)snprintf(where, sizeof(where), "%s: %s", m->name, p->name);
        ck_assert_msg(said, "%s is not in openrpc.json", where);
        ck_assert_msg(cJSON_IsTrue(member(said, "required")) == p->required,
                      "%s: required", where);
        ck_assert_msg((member(said, "x-role") != NULL) == p->admin, "%s: x-role",
                      where);
        assert_schema(p, member(said, "schema"), where);
    }
    ck_assert_msg(cJSON_GetArraySize(list) == n, "%s: openrpc.json has more parameters",
                  m->name);
}

START_TEST(every_method_of_the_table_is_described)
{
    for (const struct method *m = methods_table(); m->name; m++) {
        const cJSON *said = by_name(member(doc, "methods"), m->name);

        ck_assert_msg(said, "%s is not in openrpc.json", m->name);
        assert_text(said, "summary", m->summary, m->name);
        assert_text(said, "x-role", m->role == RPC_ROLE_ADMIN ? "admin" : "read",
                    m->name);
        assert_text(said, "paramStructure", "by-name", m->name);
        assert_params(m, member(said, "params"));
    }
}
END_TEST

START_TEST(every_method_described_is_in_the_table)
{
    const cJSON *said = NULL;
    size_t described = 0, have = 0;

    cJSON_ArrayForEach (said, member(doc, "methods")) {
        const char *name = member(said, "name")->valuestring;
        const struct method *m = methods_table();

        while (m->name && strcmp(m->name, name) != 0)
            m++;
        ck_assert_msg(m->name, "%s is not in the table", name);
        described++;
    }
    for (const struct method *m = methods_table(); m->name; m++)
        have++;
    ck_assert_uint_eq(described, have);
}
END_TEST

START_TEST(the_examples_are_calls_the_table_takes)
{
    for (const struct method *m = methods_table(); m->name; m++) {
        const cJSON *said = by_name(member(doc, "methods"), m->name), *p = NULL;
        const cJSON *example = cJSON_GetArrayItem(member(said, "examples"), 0);
        cJSON *params = cJSON_CreateObject();
        struct params target = {0};
        char *text;

        ck_assert_msg(example, "%s: no example", m->name);
        cJSON_ArrayForEach (p, member(example, "params"))
            cJSON_AddItemToObject(params, member(p, "name")->valuestring,
                                  cJSON_Duplicate(member(p, "value"), true));
        text = cJSON_PrintUnformatted(params);
        ASSERT_OK(param_parse(m->params, params, (struct span){text, strlen(text)},
                              &target, &test_err));
        free(text);
        cJSON_Delete(params);
    }
}
END_TEST

static void assert_refs(const cJSON *v)
{
    static const char schemas[] = "#/components/schemas/";
    static const char errors[] = "#/components/errors/";
    const cJSON *child = NULL, *components = member(doc, "components");

    if (v->string && strcmp(v->string, "$ref") == 0) {
        const char *to = v->valuestring;

        if (strncmp(to, schemas, strlen(schemas)) == 0)
            ck_assert_msg(member(member(components, "schemas"), to + strlen(schemas)),
                          "%s", to);
        else
            ck_assert_msg(strncmp(to, errors, strlen(errors)) == 0 &&
                              member(member(components, "errors"), to + strlen(errors)),
                          "%s", to);
    }
    cJSON_ArrayForEach (child, v)
        assert_refs(child);
}

START_TEST(every_reference_leads_somewhere)
{
    assert_refs(doc);
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("openrpc");
    TCase *t = tcase_create("openrpc");

    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_add_test(t, every_method_of_the_table_is_described);
    tcase_add_test(t, every_method_described_is_in_the_table);
    tcase_add_test(t, the_examples_are_calls_the_table_takes);
    tcase_add_test(t, every_reference_leads_somewhere);
    suite_add_tcase(s, t);
    return s;
}
