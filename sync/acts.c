#include <string.h>

#include "base/clock.h"
#include "base/hex.h"
#include "base/log.h"
#include "sync/core.h"

/* What operators did, in the audit log beside what the rules decided; and the log's
   head, signed, so that somebody who kept it can tell a later log from another. */

enum errc acts_write(struct engine *e, const struct engine_request *req,
                     const char *act, cJSON *detail, struct err *err)
{
    cJSON *o = cJSON_CreateObject(), *member;
    char *text;
    enum errc rc;

    cJSON_AddStringToObject(o, "act", act);
    cJSON_AddStringToObject(o, "actor", req->actor ? req->actor : "operator");
    while (detail && detail->child) {
        member = cJSON_DetachItemViaPointer(detail, detail->child);
        cJSON_AddItemToObject(o, member->string, member);
    }
    cJSON_Delete(detail);
    text = cJSON_PrintUnformatted(o);
    cJSON_Delete(o);
    rc = control_audit_append(e->control, clock_now_ms(), "admin_act", text, err);
    cJSON_free(text);
    return rc;
}

enum errc acts_note(struct engine *e, const struct engine_request *req, const char *act,
                    int64_t job_id, struct err *err)
{
    cJSON *detail = cJSON_CreateObject();

    if (job_id != 0)
        cJSON_AddNumberToObject(detail, "job", (double)job_id);
    if (req->op == ENGINE_SYNC_REBOOTSTRAP && req->reason)
        cJSON_AddStringToObject(detail, "reason", req->reason);
    return acts_write(e, req, act, detail, err);
}

/* "cairn-audit-head-v1\0", entries and time as 8 bytes big-endian each, the head. */
enum { HEAD_DOMAIN = 20, HEAD_MESSAGE = HEAD_DOMAIN + 8 + 8 + 32 };

static void put_be64(uint64_t value, uint8_t *out)
{
    for (size_t i = 0; i < 8; i++)
        out[i] = (uint8_t)(value >> (56 - 8 * i));
}

enum errc acts_head(struct engine *e, cJSON **result, struct err *err)
{
    uint8_t message[HEAD_MESSAGE] = "cairn-audit-head-v1", head[32], key[32], sig[64];
    char hex[129], when[CLOCK_TEXT];
    int64_t entries, now = clock_now_ms();
    cJSON *o;

    if (control_audit_head(e->control, &entries, head, err))
        return err->code;
    put_be64((uint64_t)entries, message + HEAD_DOMAIN);
    put_be64((uint64_t)now, message + HEAD_DOMAIN + 8);
    memcpy(message + HEAD_DOMAIN + 16, head, 32);
    identity_sign(e->identity, message, sizeof(message), sig);
    identity_public(e->identity, key);
    o = cJSON_CreateObject();
    cJSON_AddNumberToObject(o, "entries", (double)entries);
    hex_encode(head, 32, hex);
    cJSON_AddStringToObject(o, "head", hex);
    clock_text(now, when);
    cJSON_AddStringToObject(o, "signed_at", when);
    cJSON_AddNumberToObject(o, "signed_at_ms", (double)now);
    hex_encode(key, 32, hex);
    cJSON_AddStringToObject(o, "public_key", hex);
    hex_encode(sig, 64, hex);
    cJSON_AddStringToObject(o, "signature", hex);
    *result = o;
    return ERR_OK;
}
