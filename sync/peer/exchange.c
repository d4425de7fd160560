#include <curl/curl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "sync/peer/answer.h"
#include "sync/peer/answer_body.h"
#include "sync/peer/exchange.h"
#include "sync/peer/url.h"

enum { FILE_BUFFER = 256 * 1024, RANGE_TEXT = 48 };

struct exchange {
    struct transfer_request *r;
    const struct exchange_env *env;
    char host[URL_HOST_MAX];
    CURL *easy;
    struct curl_slist *fields;
    struct answer_body body;
    struct dial dial;
    unsigned redirects;
    int64_t started_mono_ms;
    char why[CURL_ERROR_SIZE];
};

struct exchange *exchange_create(struct transfer_request *r,
                                 const struct exchange_env *env)
{
    struct exchange *x = xcalloc(1, sizeof(*x));

    x->r = r;
    x->env = env;
    x->dial = (struct dial){.hostile = r->hostile, .allow = &env->allow};
    if (!url_host(r->url, x->host))
        x->host[0] = '\0';
    return x;
}

const char *exchange_host(const struct exchange *x)
{
    return x->host;
}

bool exchange_is_cancelled(const struct exchange *x)
{
    return atomic_load_explicit(&x->r->cancel, memory_order_relaxed);
}

void *exchange_handle(const struct exchange *x)
{
    return x->easy;
}

struct exchange *exchange_of(void *handle)
{
    char *x = NULL;

    (void)curl_easy_getinfo(handle, CURLINFO_PRIVATE, &x);
    return (void *)x;
}

/* --- what libcurl is told --- */

#define SET(option, value) (curl_easy_setopt(x->easy, (option), (value)) == CURLE_OK)

/* Nothing from the environment, nothing but HTTP, nothing decoded, no signals. */
static bool set_fixed(struct exchange *x)
{
    return SET(CURLOPT_PRIVATE, (char *)x) && SET(CURLOPT_ERRORBUFFER, x->why) &&
           SET(CURLOPT_NOSIGNAL, 1L) && SET(CURLOPT_QUICK_EXIT, 1L) &&
           SET(CURLOPT_PROTOCOLS_STR, "http,https") && SET(CURLOPT_PROXY, "") &&
           SET(CURLOPT_NOPROXY, "*") && SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) &&
           SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L) &&
           SET(CURLOPT_FOLLOWLOCATION, 0L) && SET(CURLOPT_TCP_KEEPALIVE, 1L) &&
           SET(CURLOPT_USERAGENT, x->env->user_agent);
}

static long clamp(uint64_t n)
{
    return n < INT32_MAX ? (long)n : INT32_MAX;
}

static bool set_limits(struct exchange *x)
{
    const struct transfer_request *r = x->r;

    return SET(CURLOPT_TIMEOUT_MS, clamp(r->timeout_ms)) &&
           SET(CURLOPT_CONNECTTIMEOUT_MS, clamp(r->connect_timeout_ms)) &&
           SET(CURLOPT_LOW_SPEED_LIMIT, clamp(r->min_speed)) &&
           SET(CURLOPT_LOW_SPEED_TIME, clamp(r->min_speed_seconds)) &&
           (!r->path || SET(CURLOPT_BUFFERSIZE, (long)FILE_BUFFER));
}

static bool add_field(struct exchange *x, const char *name, const char *value)
{
    AUTOFREE char *field = xasprintf("%s: %s", name, value);
    struct curl_slist *more = curl_slist_append(x->fields, field);

    if (more)
        x->fields = more;
    return more != NULL;
}

static bool set_range(struct exchange *x)
{
    const struct transfer_request *r = x->r;
    char range[RANGE_TEXT];

    if (!r->has_range && r->offset == 0)
        return true;
    if (!r->has_range)
        (void)snprintf(range, sizeof(range), "%" PRIu64 "-", r->offset);
    else if (r->range_from == UINT64_MAX)
        (void)snprintf(range, sizeof(range), "-%" PRIu64, r->range_to);
    else
        (void)snprintf(range, sizeof(range), "%" PRIu64 "-%" PRIu64, r->range_from,
                       r->range_to);
    if (!SET(CURLOPT_RANGE, range))
        return false;
    return !r->etag || !answer_etag_ok(r->etag) || answer_etag_weak(r->etag) ||
           add_field(x, "If-Range", r->etag);
}

static bool set_fields(struct exchange *x)
{
    const struct transfer_request *r = x->r;

    return (!r->accept_zstd || add_field(x, "Accept-Encoding", "zstd")) &&
           (!x->fields || SET(CURLOPT_HTTPHEADER, x->fields));
}

enum errc exchange_begin(struct exchange *x, struct err *err)
{
    struct transfer_request *r = x->r;

    if (url_check(r->url, err) != ERR_OK)
        return err->code;
    if ((r->has_range && r->path) || (r->offset > 0 && !r->path))
        return err_set(err, ERR_INVALID, "ranges go to memory, resumes to a file");
    x->started_mono_ms = clock_mono_ms();
    metrics_add(METRIC_FETCH_REQUESTS, 1);
    x->easy = curl_easy_init();
    if (!x->easy || !set_fixed(x) || !set_limits(x) || !set_range(x) ||
        !set_fields(x) || !SET(CURLOPT_URL, r->url) || !dial_guard(x->easy, &x->dial) ||
        !answer_body_connect(&x->body, x->easy, r))
        return err_fail(err, REASON_INTERNAL, "libcurl lacks something we need");
    return ERR_OK;
}

/* --- what came of it --- */

static uint32_t elapsed_ms(const struct exchange *x)
{
    return (uint32_t)clamp((uint64_t)(clock_mono_ms() - x->started_mono_ms));
}

/* Text of libcurl, which may quote the server. */
static const char *reason_text(struct exchange *x, CURLcode code)
{
    for (char *p = x->why; *p != '\0'; p++)
        if (*p < 0x20 || *p >= 0x7f)
            *p = '?';
    return x->why[0] != '\0' ? x->why : curl_easy_strerror(code);
}

static enum errc time_is_up(struct exchange *x, struct err *err)
{
    const struct transfer_request *r = x->r;
    curl_off_t asked_us = 0;

    (void)curl_easy_getinfo(x->easy, CURLINFO_PRETRANSFER_TIME_T, &asked_us);
    if (asked_us > 0 && r->min_speed > 0 &&
        (r->timeout_ms == 0 || elapsed_ms(x) < r->timeout_ms))
        return err_fail(err, REASON_SOURCE_TOO_SLOW,
                        "under %" PRIu64 " bytes a second over %" PRIu32 " seconds",
                        r->min_speed, r->min_speed_seconds);
    return err_fail(err, REASON_PEER_TIMEOUT, "%.180s",
                    reason_text(x, CURLE_OPERATION_TIMEDOUT));
}

static enum errc explain(struct exchange *x, CURLcode code, struct err *err)
{
    if (x->body.err.code != ERR_OK || x->dial.err.code != ERR_OK) {
        *err = x->body.err.code != ERR_OK ? x->body.err : x->dial.err;
        return err->code;
    }
    if (code == CURLE_OPERATION_TIMEDOUT)
        return time_is_up(x, err);
    return err_fail(err, REASON_SOURCE_UNREACHABLE, "%s%.180s",
                    code == CURLE_PARTIAL_FILE ? "the answer ended early: " : "",
                    reason_text(x, code));
}

static bool is_https(const char *url)
{
    return strncasecmp(url, "https:", 6) == 0;
}

/* url is the server's word, made absolute by libcurl. */
static enum errc follow(struct exchange *x, const char *url, struct err *err)
{
    struct err why;
    const char *now = NULL;

    if (x->redirects >= x->r->max_redirects)
        return err_fail(err, REASON_SOURCE_UNREACHABLE, "more than %u redirects",
                        x->r->max_redirects);
    if (url_check(url, &why) != ERR_OK)
        return err_fail(err, REASON_SOURCE_FORBIDDEN, "redirected to a bad URL: %.120s",
                        why.msg);
    (void)curl_easy_getinfo(x->easy, CURLINFO_EFFECTIVE_URL, &now);
    if (now && is_https(now) && !is_https(url))
        return err_fail(err, REASON_SOURCE_FORBIDDEN, "redirected from https to http");
    if (x->r->timeout_ms > 0 && elapsed_ms(x) >= x->r->timeout_ms)
        return err_fail(err, REASON_PEER_TIMEOUT, "the time was used up by redirects");
    x->redirects++;
    (void)url_host(url, x->host);
    if (!SET(CURLOPT_TIMEOUT_MS,
             x->r->timeout_ms > 0 ? clamp(x->r->timeout_ms - elapsed_ms(x)) : 0L) ||
        !SET(CURLOPT_URL, url))
        return err_fail(err, REASON_INTERNAL, "libcurl does not take the redirect");
    answer_body_reset(&x->body);
    return ERR_OK;
}

static void note_answer(struct exchange *x)
{
    struct transfer_request *r = x->r;
    curl_off_t wait_s = 0;
    const char *ip = NULL;

    r->elapsed_ms = elapsed_ms(x);
    (void)curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &r->status);
    (void)curl_easy_getinfo(x->easy, CURLINFO_RETRY_AFTER, &wait_s);
    r->retry_after_s = wait_s > 0 ? (uint32_t)clamp((uint64_t)wait_s) : 0;
    (void)curl_easy_getinfo(x->easy, CURLINFO_PRIMARY_IP, &ip);
    (void)snprintf(r->ip, sizeof(r->ip), "%.45s", ip ? ip : "");
}

bool exchange_ended(struct exchange *x, int curl_code)
{
    struct err *err = &x->r->err;
    CURLcode code = (CURLcode)curl_code;
    char *to = NULL;

    note_answer(x);
    if (code != CURLE_OK && !(code == CURLE_WRITE_ERROR && x->body.enough)) {
        (void)explain(x, code, err);
        return false;
    }
    (void)curl_easy_getinfo(x->easy, CURLINFO_REDIRECT_URL, &to);
    if (to) {
        AUTOFREE char *url = xstrdup(to); /* the handle's until it runs again */

        return follow(x, url, err) == ERR_OK;
    }
    *err = (struct err){.code = ERR_OK};
    (void)answer_body_finish(&x->body, err);
    return false;
}

struct transfer_request *exchange_release(struct exchange *x, const struct err *err)
{
    struct transfer_request *r = x->r;

    if (err)
        r->err = *err;
    if (x->easy) {
        sink_fini(&x->body.sink);
        curl_easy_cleanup(x->easy);
        curl_slist_free_all(x->fields);
    }
    if (r->err.code != ERR_OK && r->err.code != ERR_CANCELED)
        metrics_add(METRIC_FETCH_FAILURES, 1);
    free(x);
    return r;
}
