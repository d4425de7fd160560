#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/hex.h"
#include "rpc/jsonpart.h"
#include "rpc/param.h"

static enum errc parse_int(const struct param_spec *p, const cJSON *v, void *field,
                           struct err *err)
{
    double d = cJSON_IsNumber(v) ? v->valuedouble : -1.0;

    /* Range first: converting an out-of-range double is undefined. */
    if (!(d >= (double)p->min && d <= (double)p->max) || d != (double)(uint64_t)d)
        return err_set(err, ERR_INVALID, "%s: integer %llu..%llu expected", p->name,
                       (unsigned long long)p->min, (unsigned long long)p->max);
    *(struct param_int *)field =
        (struct param_int){.given = true, .value = (uint64_t)d};
    return ERR_OK;
}

static enum errc parse_string(const struct param_spec *p, const char *text, void *field,
                              struct err *err)
{
    size_t len = strlen(text);

    if (len < p->min || len > p->max)
        return err_set(err, ERR_INVALID, "%s: string of %llu..%llu bytes expected",
                       p->name, (unsigned long long)p->min, (unsigned long long)p->max);
    *(const char **)field = text;
    return ERR_OK;
}

static enum errc parse_hash(const struct param_spec *p, const char *text, void *field,
                            struct err *err)
{
    uint8_t bytes[32];

    if (!hex_hash(text, bytes))
        return err_set(err, ERR_INVALID, "%s: 64 lower-case hex digits expected",
                       p->name);
    *(const char **)field = text;
    return ERR_OK;
}

static enum errc parse_enum(const struct param_spec *p, const char *text, void *field,
                            struct err *err)
{
    struct buf CLEANUP_BUF names = BUF(128);

    for (int i = 0; p->names[i]; i++) {
        if (strcmp(p->names[i], text) == 0) {
            *(int *)field = i;
            return ERR_OK;
        }
        buf_printf(&names, "%s%s", i > 0 ? ", " : "", p->names[i]);
    }
    return err_set(err, ERR_INVALID, "%s: %s expected", p->name, names.data);
}

/* A positive decimal of at most 18 digits, no leading zero. */
static bool read_id(const char *text, int64_t *out)
{
    size_t len = strspn(text, "0123456789");

    if (len == 0 || len > 18 || text[len] != '\0' || text[0] == '0')
        return false;
    *out = (int64_t)strtoll(text, NULL, 10);
    return true;
}

static enum errc parse_job(const struct param_spec *p, const char *text, void *field,
                           struct err *err)
{
    int64_t id;

    if (strncmp(text, "job-", 4) != 0 || !read_id(text + 4, &id))
        return err_set(err, ERR_INVALID, "%s: \"job-<number>\" expected", p->name);
    *(int64_t *)field = id;
    return ERR_OK;
}

static enum errc parse_cursor(const struct param_spec *p, const char *text, void *field,
                              struct err *err)
{
    int64_t id;

    if (!read_id(text, &id))
        return err_set(err, ERR_INVALID, "%s: a list's next expected", p->name);
    *(int64_t *)field = id;
    return ERR_OK;
}

/* The number that n digits spell; the caller saw that they are digits. */
static int digits(const char *text, int n)
{
    int value = 0;

    for (int i = 0; i < n; i++)
        value = value * 10 + (text[i] - '0');
    return value;
}

/* d: a digit; everything else stands for itself. */
static bool has_shape(const char *text, const char *shape)
{
    for (; *shape; shape++, text++) {
        if (*shape == 'd' ? *text < '0' || *text > '9' : *text != *shape)
            return false;
    }
    return *text == '\0';
}

static enum errc parse_time(const struct param_spec *p, const char *text, void *field,
                            struct err *err)
{
    bool ms = has_shape(text, "dddd-dd-ddTdd:dd:dd.dddZ");
    struct tm tm, same;
    time_t t = -1;

    if (ms || has_shape(text, "dddd-dd-ddTdd:dd:ddZ")) {
        tm = (struct tm){
            .tm_year = digits(text, 4) - 1900,
            .tm_mon = digits(text + 5, 2) - 1,
            .tm_mday = digits(text + 8, 2),
            .tm_hour = digits(text + 11, 2),
            .tm_min = digits(text + 14, 2),
            .tm_sec = digits(text + 17, 2),
        };
        same = tm; /* timegm turns the 31st of a short month into another day */
        t = timegm(&tm);
        if (tm.tm_mon != same.tm_mon || tm.tm_mday != same.tm_mday ||
            tm.tm_hour != same.tm_hour || tm.tm_min != same.tm_min ||
            tm.tm_sec != same.tm_sec)
            t = -1;
    }
    if (t < 0)
        return err_set(err, ERR_INVALID,
                       "%s: time like 2026-11-22T09:00:00.000Z expected", p->name);
    *(int64_t *)field = (int64_t)t * 1000 + (ms ? digits(text + 20, 3) : 0);
    return ERR_OK;
}

static enum errc parse_text(const struct param_spec *p, const cJSON *v, void *field,
                            struct err *err)
{
    if (!cJSON_IsString(v))
        return err_set(err, ERR_INVALID, "%s: string expected", p->name);
    switch (p->type) {
    case PARAM_STRING:
        return parse_string(p, v->valuestring, field, err);
    case PARAM_HASH:
        return parse_hash(p, v->valuestring, field, err);
    case PARAM_ENUM:
        return parse_enum(p, v->valuestring, field, err);
    case PARAM_TIME:
        return parse_time(p, v->valuestring, field, err);
    case PARAM_JOB:
        return parse_job(p, v->valuestring, field, err);
    case PARAM_CURSOR:
        return parse_cursor(p, v->valuestring, field, err);
    case PARAM_INT:
    case PARAM_BOOL:
    case PARAM_OBJECT:
        break;
    }
    abort();
}

static enum errc parse_one(const struct param_spec *p, const cJSON *v,
                           struct span source, void *field, struct err *err)
{
    switch (p->type) {
    case PARAM_INT:
        return parse_int(p, v, field, err);
    case PARAM_BOOL:
        if (!cJSON_IsBool(v))
            return err_set(err, ERR_INVALID, "%s: boolean expected", p->name);
        *(bool *)field = cJSON_IsTrue(v);
        return ERR_OK;
    case PARAM_OBJECT:
        if (!cJSON_IsObject(v) || !jsonpart_member(source, p->name, field))
            return err_set(err, ERR_INVALID, "%s: object expected", p->name);
        return ERR_OK;
    case PARAM_STRING:
    case PARAM_HASH:
    case PARAM_ENUM:
    case PARAM_TIME:
    case PARAM_JOB:
    case PARAM_CURSOR:
        return parse_text(p, v, field, err);
    }
    abort();
}

static void set_initial(const struct param_spec *p, void *field)
{
    if (p->type == PARAM_INT)
        *(struct param_int *)field = (struct param_int){.value = p->initial};
    if (p->type == PARAM_ENUM)
        *(int *)field = -1;
}

static bool is_known(const struct param_spec *spec, const char *name)
{
    for (; spec->name; spec++)
        if (strcmp(spec->name, name) == 0)
            return true;
    return false;
}

enum errc param_parse(const struct param_spec *spec, const cJSON *params,
                      struct span source, void *target, struct err *err)
{
    const cJSON *v = NULL;

    if (params && !cJSON_IsObject(params))
        return err_set(err, ERR_INVALID, "params: object expected, fields by name");
    cJSON_ArrayForEach (v, params) {
        if (!is_known(spec, v->string))
            return err_set(err, ERR_INVALID, "%.64s: unknown field", v->string);
    }
    for (const struct param_spec *p = spec; p->name; p++) {
        void *field = (char *)target + p->offset;

        set_initial(p, field);
        v = cJSON_GetObjectItemCaseSensitive(params, p->name);
        if (!v && p->required)
            return err_set(err, ERR_INVALID, "%s: required", p->name);
        if (v && parse_one(p, v, source, field, err))
            return err->code;
    }
    return ERR_OK;
}
