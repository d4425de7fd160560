#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/hex.h"
#include "base/pyfloat.h"
#include "rpc/jsontext.h"
#include "rpc/out.h"

void out_u64(cJSON *o, const char *name, uint64_t value)
{
    char text[24];

    (void)snprintf(text, sizeof(text), "%" PRIu64, value);
    cJSON_AddRawToObject(o, name, text);
}

void out_text(cJSON *o, const char *name, const char *text)
{
    AUTOFREE char *clean = NULL;

    if (!text) {
        cJSON_AddNullToObject(o, name);
        return;
    }
    clean = jsontext_clean(text);
    cJSON_AddStringToObject(o, name, clean);
}

void out_hash(cJSON *o, const char *name, const uint8_t hash[32])
{
    char text[65];

    if (hash)
        hex_encode(hash, 32, text);
    out_text(o, name, hash ? text : NULL);
}

void out_work(cJSON *o, const char *name, const struct work *work)
{
    char text[WORK_TEXT];

    work_text(work, text);
    out_text(o, name, text);
}

void out_work_bytes(cJSON *o, const char *name, const uint8_t be[WORK_BYTES])
{
    struct work work;

    memcpy(work.be, be, sizeof(work.be));
    out_work(o, name, &work);
}

void out_amount(cJSON *o, const char *name, double amount)
{
    char text[PYFLOAT_TEXT];

    pyfloat_repr(amount, text);
    out_text(o, name, text);
}

void out_time(cJSON *o, const char *name, int64_t ms)
{
    char text[CLOCK_TEXT];

    if (ms != 0)
        clock_text(ms, text);
    out_text(o, name, ms != 0 ? text : NULL);
}

void out_id(cJSON *o, const char *name, int64_t id)
{
    if (id > 0)
        out_u64(o, name, (uint64_t)id);
    else
        cJSON_AddNullToObject(o, name);
}

void out_job(cJSON *o, const char *name, int64_t id)
{
    char text[28];

    (void)snprintf(text, sizeof(text), "job-%" PRId64, id);
    out_text(o, name, id > 0 ? text : NULL);
}

void out_cursor(cJSON *o, const char *name, int64_t id)
{
    char text[24];

    (void)snprintf(text, sizeof(text), "%" PRId64, id);
    out_text(o, name, id > 0 ? text : NULL);
}

enum errc out_document(cJSON *o, const char *name, const char *text, struct err *err)
{
    struct err why;

    if (!text) {
        cJSON_AddNullToObject(o, name);
        return ERR_OK;
    }
    if (jsontext_check(text, strlen(text), 128, &why))
        return err_fail(err, REASON_STORAGE_CORRUPT, "stored %s: %.120s", name,
                        why.msg);
    cJSON_AddRawToObject(o, name, text);
    return ERR_OK;
}

void out_adopt(cJSON *o, cJSON *object)
{
    cJSON *member;

    while ((member = cJSON_DetachItemFromArray(object, 0)))
        cJSON_AddItemToObject(o, member->string, member);
    cJSON_Delete(object);
}
