#include <poll.h>
#include <sodium.h>
#include <string.h>

#include "base/clock.h"
#include "sync/publish/s3.h"

enum {
    ATTEMPTS = 6,         /* of one request */
    FIRST_WAIT_MS = 1000, /* then doubled: half a minute in all */
    LOOK_MS = 100,
    ERROR_MAX = 64 * 1024, /* of the XML that says what is wrong */
};

/* What a store's own word for what is wrong means here; Amazon S3, error responses. */
static const struct {
    const char *code;
    enum reason reason;
} codes[] = {
    {"NoSuchBucket", REASON_STORE_NO_BUCKET},
    {"NoSuchKey", REASON_NOT_FOUND},
    {"NoSuchUpload", REASON_NOT_FOUND},
    {"RequestTimeTooSkewed", REASON_STORE_CLOCK},
    {"RequestExpired", REASON_STORE_CLOCK},
    {"SlowDown", REASON_STORE_UNREACHABLE},
    {"RequestTimeout", REASON_STORE_UNREACHABLE},
    {"InternalError", REASON_STORE_UNREACHABLE},
    {"ServiceUnavailable", REASON_STORE_UNREACHABLE},
};

static enum reason reason_of(long status, const char *code)
{
    for (size_t i = 0; code && i < sizeof(codes) / sizeof(codes[0]); i++)
        if (strcmp(codes[i].code, code) == 0)
            return codes[i].reason;
    if (status >= 500 || status == 429 || status == 408)
        return REASON_STORE_UNREACHABLE;
    if (status == 404)
        return REASON_NOT_FOUND;
    return status == 401 || status == 403 ? REASON_STORE_DENIED : REASON_STORE_REFUSED;
}

static enum errc judge(const struct s3call *call, const struct s3answer *a,
                       struct err *err)
{
    CLEANUP(s3xml_free) struct s3xml *x = NULL;
    struct err ignored;

    if (a->status >= 200 && a->status < 300)
        return ERR_OK;
    if (a->body.len > 0)
        (void)s3xml_read(a->body.data, a->body.len, &x, &ignored); /* or no XML */
    return err_fail(err, reason_of(a->status, x ? x->code : NULL),
                    "%s %.80s: HTTP %ld %.40s %.60s", call->method, call->key,
                    a->status, x && x->code ? x->code : "",
                    x && x->message ? x->message : "");
}

static bool may_help(const struct err *err)
{
    return err->reason == REASON_STORE_UNREACHABLE;
}

/* Between half of it and all, so that many do not come back at once. */
static uint32_t wait_of(unsigned attempt, const struct s3answer *a)
{
    uint32_t full = (uint32_t)FIRST_WAIT_MS << attempt;
    uint32_t ms = full / 2 + randombytes_uniform(full / 2);

    return a->retry_after_s * 1000 > ms ? a->retry_after_s * 1000 : ms;
}

static enum errc wait_for(const struct s3 *s, uint32_t ms, struct err *err)
{
    int64_t until = clock_mono_ms() + ms;

    while (clock_mono_ms() < until) {
        if (s3call_is_cancelled(s))
            return err_set(err, ERR_CANCELED, "the publication was cancelled");
        (void)poll(NULL, 0, LOOK_MS);
    }
    return ERR_OK;
}

enum errc s3_do(struct s3 *s, const struct s3call *call, struct s3answer *out,
                struct err *err)
{
    for (unsigned attempt = 0;; attempt++) {
        enum errc rc = s3call_perform(s, call, out, err);
        uint32_t ms;

        if (!rc)
            rc = judge(call, out, err);
        if (!rc || !may_help(err) || attempt + 1 == ATTEMPTS)
            return rc;
        ms = wait_of(attempt, out);
        if (s->retrying)
            s->retrying(s->arg, err, ms);
        if (wait_for(s, ms, err) != ERR_OK)
            return err->code;
    }
}

static struct s3call simple(const char *method, const char *key)
{
    return (struct s3call){
        .method = method, .key = key, .query = "", .answer_max = ERROR_MAX};
}

enum errc s3_head(struct s3 *s, const char *key, struct s3info *out, struct err *err)
{
    struct s3call call = simple("HEAD", key);
    struct s3answer a = {0};
    enum errc rc = s3_do(s, &call, &a, err);
    struct s3info info = {.exists = !rc, .bytes = a.bytes, .has_sha256 = a.has_sha256};

    memcpy(info.sha256, a.sha256, sizeof(info.sha256));
    if (!rc && !a.has_bytes)
        rc = err_fail(err, REASON_STORE_BAD_ANSWER, "%.80s: the store gives no size",
                      key);
    s3call_answer_fini(&a);
    if (rc && err->reason != REASON_NOT_FOUND)
        return rc;
    *out = info;
    return ERR_OK;
}

enum errc s3_get(struct s3 *s, const char *key, struct buf *out, struct err *err)
{
    struct s3call call = simple("GET", key);
    struct s3answer a = {0};

    call.answer_max = S3_SMALL_MAX;
    if (s3_do(s, &call, &a, err) == ERR_OK) {
        buf_fini(out);
        *out = a.body;
        a.body = BUF(0);
        return ERR_OK;
    }
    s3call_answer_fini(&a);
    return err->code;
}

enum errc s3_get_range(struct s3 *s, const char *key, uint64_t from, struct buf *out,
                       struct err *err)
{
    struct s3call call = simple("GET", key);
    struct s3answer a = {0};
    enum errc rc;

    call.has_range = true;
    call.range_from = from;
    call.range_size = out->max;
    call.answer_max = out->max > ERROR_MAX ? out->max : ERROR_MAX;
    rc = s3_do(s, &call, &a, err);
    if (!rc && (a.status != 206 || a.body.len != out->max))
        rc = err_fail(err, REASON_STORE_BAD_ANSWER,
                      "%.80s: HTTP %ld with %zu bytes for a range of %zu", key,
                      a.status, a.body.len, out->max);
    if (!rc) {
        buf_reset(out);
        buf_put(out, a.body.data, a.body.len);
    }
    s3call_answer_fini(&a);
    return rc;
}

enum errc s3_put(struct s3 *s, const struct s3put *put, struct err *err)
{
    struct s3call call = simple("PUT", put->key);
    struct s3answer a = {0};
    enum errc rc;

    call.body = put->body;
    call.content_type = put->content_type;
    call.cache_control = put->cache_control;
    call.meta_sha256 = put->meta_sha256;
    rc = s3_do(s, &call, &a, err);
    s3call_answer_fini(&a);
    return rc;
}

enum errc s3_delete(struct s3 *s, const char *key, struct err *err)
{
    struct s3call call = simple("DELETE", key);
    struct s3answer a = {0};
    enum errc rc = s3_do(s, &call, &a, err);

    s3call_answer_fini(&a);
    return rc && err->reason != REASON_NOT_FOUND ? rc : ERR_OK;
}
