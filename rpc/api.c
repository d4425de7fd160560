#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "rpc/api.h"

static const struct {
    const char *path, *method;
} paths[] = {
    {"/api/v1/status", "sync.status"},
    {"/api/v1/jobs", "jobs.list"},
    {"/api/v1/checkpoints", "checkpoint.list"},
    {"/api/v1/rejections", "rejections.list"},
    {"/api/v1/peers", "peers.list"},
    {"/api/v1/incidents", "incidents.list"},
};

const char *api_method(const char *path)
{
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        if (strcmp(paths[i].path, path) == 0)
            return paths[i].method;
    return NULL;
}

static void json_delete(cJSON *json)
{
    cJSON_Delete(json);
}
DEFINE_CLEANUP(cJSON, json_delete)

static bool is_number(const struct method *m, const cJSON *value)
{
    size_t len = strlen(value->valuestring);

    for (const struct param_spec *p = m->params; p->name; p++)
        if (strcmp(p->name, value->string) == 0)
            return p->type == PARAM_INT && len >= 1 && len <= 16 &&
                   strspn(value->valuestring, "0123456789") == len;
    return false;
}

/* The query with numbers where the method wants them. */
static cJSON *typed(const struct method *m, const cJSON *query)
{
    cJSON *params = cJSON_CreateObject();
    const cJSON *v = NULL;

    cJSON_ArrayForEach (v, query) {
        if (is_number(m, v))
            cJSON_AddNumberToObject(params, v->string, strtod(v->valuestring, NULL));
        else
            cJSON_AddStringToObject(params, v->string, v->valuestring);
    }
    return params;
}

enum errc api_answer(struct rpc_ctx *ctx, const char *method, const cJSON *query,
                     char **text, struct err *err)
{
    const struct method *m = methods_find(ctx->methods, method);
    CLEANUP(json_delete) cJSON *result = cJSON_CreateObject();
    CLEANUP(json_delete) cJSON *params = typed(m, query);
    struct params p = {0};

    if (param_parse(m->params, params, (struct span){0}, &p, err) ||
        m->call(ctx, &p, result, err))
        return err->code;
    *text = cJSON_PrintUnformatted(result);
    return ERR_OK;
}
