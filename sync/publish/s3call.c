#include <curl/curl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/hex.h"
#include "base/mem.h"
#include "sync/peer/answer.h"
#include "sync/publish/s3call.h"

enum {
    CONNECT_MS = 30000,
    BUFFER = 256 * 1024,
    VALUE_MAX = 256, /* of a field of an answer that is looked at */
    RETRY_AFTER_MAX = 300,
};

#define META_SHA256 "x-amz-meta-cairn-sha256"

struct exchange {
    struct s3 *s;
    const struct s3call *call;
    struct s3answer *out;
    struct curl_slist *fields;
    uint64_t at; /* of the body */
    char why[CURL_ERROR_SIZE];
};

bool s3call_is_cancelled(const struct s3 *s)
{
    return s->cancel && atomic_load_explicit(s->cancel, memory_order_relaxed);
}

void s3call_answer_fini(struct s3answer *a)
{
    buf_fini(&a->body);
    *a = (struct s3answer){0};
}

/* --- what libcurl calls --- */

static size_t give(char *to, size_t size, size_t count, void *arg)
{
    struct exchange *x = arg;
    const struct s3body *b = x->call->body;
    uint64_t left = b->size - x->at;
    size_t n = size * count < left ? size * count : (size_t)left;
    ssize_t got = (ssize_t)n;

    if (b->bytes)
        memcpy(to, (const char *)b->bytes + x->at, n);
    else
        got = pread(b->fd, to, n, (off_t)(b->offset + x->at));
    if (got < 0 || (got == 0 && n > 0))
        return CURL_READFUNC_ABORT; /* the disk, or the file became shorter */
    x->at += (size_t)got;
    return (size_t)got;
}

/* A connection that the store had closed: once more from the start. */
static int rewind_body(void *arg, curl_off_t offset, int origin)
{
    struct exchange *x = arg;

    if (origin != SEEK_SET || offset < 0 || (uint64_t)offset > x->call->body->size)
        return CURL_SEEKFUNC_FAIL;
    x->at = (uint64_t)offset;
    return CURL_SEEKFUNC_OK;
}

static size_t take_body(char *bytes, size_t size, size_t count, void *arg)
{
    struct exchange *x = arg;

    buf_put(&x->out->body, bytes, size * count);
    return x->out->body.full ? 0 : size * count;
}

static void take_field(struct s3answer *out, const char *name, const char *value)
{
    uint64_t n;

    if (strcasecmp(name, "etag") == 0 && s3xml_etag_ok(value))
        memcpy(out->etag, value, strlen(value) + 1);
    else if (strcasecmp(name, META_SHA256) == 0)
        out->has_sha256 = hex_hash(value, out->sha256);
    else if (strcasecmp(name, "content-length") == 0)
        out->has_bytes = answer_u64_parse(value, &out->bytes);
    else if (strcasecmp(name, "retry-after") == 0 && answer_u64_parse(value, &n))
        out->retry_after_s = n < RETRY_AFTER_MAX ? (uint32_t)n : RETRY_AFTER_MAX;
}

static size_t take_header(char *bytes, size_t size, size_t count, void *arg)
{
    struct exchange *x = arg;
    size_t len = size * count, end = len;
    const char *colon = memchr(bytes, ':', len);
    char line[VALUE_MAX];
    size_t value;

    if (len >= 5 && memcmp(bytes, "HTTP/", 5) == 0) { /* after 100 Continue */
        x->out->etag[0] = '\0';
        x->out->has_sha256 = x->out->has_bytes = false;
        x->out->retry_after_s = 0;
    }
    while (end > 0 &&
           (bytes[end - 1] == '\r' || bytes[end - 1] == '\n' || bytes[end - 1] == ' '))
        end--;
    if (!colon || end >= sizeof(line))
        return len; /* none of those that are looked at */
    memcpy(line, bytes, end);
    line[end] = '\0';
    value = (size_t)(colon - bytes);
    if (value >= end)
        return len;
    line[value++] = '\0';
    value += strspn(line + value, " \t");
    take_field(x->out, line, line + value);
    return len;
}

static int look(void *arg, curl_off_t down_total, curl_off_t down, curl_off_t up_total,
                curl_off_t up)
{
    const struct exchange *x = arg;

    (void)down_total, (void)down, (void)up_total;
    if (x->s->moved && x->call->body)
        x->s->moved(x->s->arg, (uint64_t)up);
    return s3call_is_cancelled(x->s) ? 1 : 0;
}

/* --- what libcurl is told --- */

#define SET(option, value) (curl_easy_setopt(easy, (option), (value)) == CURLE_OK)

/* Nothing from the environment, nothing but HTTP, no redirect: a signature is for one
   address. */
static bool set_fixed(CURL *easy, struct exchange *x)
{
    return SET(CURLOPT_ERRORBUFFER, x->why) && SET(CURLOPT_NOSIGNAL, 1L) &&
           SET(CURLOPT_PROTOCOLS_STR, "http,https") && SET(CURLOPT_PROXY, "") &&
           SET(CURLOPT_NOPROXY, "*") && SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) &&
           SET(CURLOPT_FOLLOWLOCATION, 0L) && SET(CURLOPT_TCP_KEEPALIVE, 1L) &&
           SET(CURLOPT_USERAGENT, "cairn/" CAIRN_VERSION) &&
           SET(CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS) &&
           SET(CURLOPT_LOW_SPEED_LIMIT, 1L) &&
           SET(CURLOPT_LOW_SPEED_TIME, (long)x->s->stall_seconds) &&
           SET(CURLOPT_NOPROGRESS, 0L) && SET(CURLOPT_XFERINFOFUNCTION, look) &&
           SET(CURLOPT_XFERINFODATA, (void *)x) &&
           SET(CURLOPT_WRITEFUNCTION, take_body) && SET(CURLOPT_WRITEDATA, (void *)x) &&
           SET(CURLOPT_HEADERFUNCTION, take_header) &&
           SET(CURLOPT_HEADERDATA, (void *)x);
}

static bool set_signature(CURL *easy, const struct s3 *s)
{
    AUTOFREE char *scope = xasprintf("aws:amz:%s:s3", s->target->region);

    return SET(CURLOPT_AWS_SIGV4, scope) && SET(CURLOPT_USERNAME, s->keys->id) &&
           SET(CURLOPT_PASSWORD, s->keys->secret);
}

static bool add_field(struct exchange *x, const char *name, const char *value)
{
    AUTOFREE char *field = xasprintf("%s: %s", name, value);
    struct curl_slist *more = curl_slist_append(x->fields, field);

    if (more)
        x->fields = more;
    return more != NULL;
}

static bool add_hash(struct exchange *x, const char *name, const uint8_t hash[32])
{
    char text[65];

    hex_encode(hash, 32, text);
    return add_field(x, name, text);
}

static bool set_fields(CURL *easy, struct exchange *x)
{
    static const uint8_t of_nothing[32] = {
        0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4,
        0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b,
        0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55}; /* SHA-256 of "" */
    const struct s3call *c = x->call;

    return add_hash(x, "x-amz-content-sha256",
                    c->body ? c->body->sha256 : of_nothing) &&
           (!c->content_type || add_field(x, "Content-Type", c->content_type)) &&
           (!c->cache_control || add_field(x, "Cache-Control", c->cache_control)) &&
           (!c->meta_sha256 || add_hash(x, META_SHA256, c->meta_sha256)) &&
           (x->s->keys->token[0] == '\0' ||
            add_field(x, "x-amz-security-token", x->s->keys->token)) &&
           SET(CURLOPT_HTTPHEADER, x->fields);
}

static bool set_range(CURL *easy, const struct s3call *c)
{
    char range[48];

    if (!c->has_range)
        return true;
    (void)snprintf(range, sizeof(range), "%" PRIu64 "-%" PRIu64, c->range_from,
                   c->range_from + c->range_size - 1);
    return SET(CURLOPT_RANGE, range);
}

/* PUT and POST always have a body, if one of no bytes. */
static bool set_method(CURL *easy, struct exchange *x)
{
    const struct s3call *c = x->call;

    if (strcmp(c->method, "HEAD") == 0)
        return SET(CURLOPT_NOBODY, 1L);
    if (!c->body)
        return SET(CURLOPT_HTTPGET, 1L) && SET(CURLOPT_CUSTOMREQUEST, c->method);
    return SET(CURLOPT_UPLOAD, 1L) && SET(CURLOPT_CUSTOMREQUEST, c->method) &&
           SET(CURLOPT_UPLOAD_BUFFERSIZE, (long)BUFFER) &&
           SET(CURLOPT_INFILESIZE_LARGE, (curl_off_t)c->body->size) &&
           SET(CURLOPT_READFUNCTION, give) && SET(CURLOPT_READDATA, (void *)x) &&
           SET(CURLOPT_SEEKFUNCTION, rewind_body) && SET(CURLOPT_SEEKDATA, (void *)x);
}

static void start_curl(void)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        abort();
}

static void set_all(struct exchange *x)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    const struct s3call *c = x->call;
    AUTOFREE char *url = s3target_url(x->s->target, c->key, c->query);
    CURL *easy;

    (void)pthread_once(&once, start_curl);
    if (!x->s->easy)
        x->s->easy = curl_easy_init();
    easy = x->s->easy;
    if (!easy)
        abort();           /* memory */
    curl_easy_reset(easy); /* keeps the connection */
    if (!set_fixed(easy, x) || !SET(CURLOPT_URL, url) || !set_signature(easy, x->s) ||
        !set_fields(easy, x) || !set_range(easy, c) || !set_method(easy, x))
        abort(); /* memory, or a libcurl without SigV4: CMakeLists.txt asks for one */
}

static enum errc failed(const struct exchange *x, CURLcode code, struct err *err)
{
    if (s3call_is_cancelled(x->s))
        return err_set(err, ERR_CANCELED, "the publication was cancelled");
    if (x->out->body.full)
        return err_fail(err, REASON_STORE_BAD_ANSWER, "an answer is over %zu bytes",
                        x->call->answer_max);
    if (code == CURLE_ABORTED_BY_CALLBACK)
        return err_fail(err, REASON_STORAGE_FAILED,
                        "the file that is sent cannot be read, or became shorter");
    return err_fail(err, REASON_STORE_UNREACHABLE, "%.80s: %.100s",
                    x->s->target->endpoint,
                    x->why[0] != '\0' ? x->why : curl_easy_strerror(code));
}

enum errc s3call_perform(struct s3 *s, const struct s3call *call, struct s3answer *out,
                         struct err *err)
{
    struct exchange x = {.s = s, .call = call, .out = out};
    CURLcode code;

    s3call_answer_fini(out);
    out->body = BUF(call->answer_max);
    set_all(&x);
    code = curl_easy_perform(s->easy);
    (void)curl_easy_getinfo(s->easy, CURLINFO_RESPONSE_CODE, &out->status);
    curl_easy_reset(s->easy); /* nothing of x stays behind */
    curl_slist_free_all(x.fields);
    return code == CURLE_OK ? ERR_OK : failed(&x, code, err);
}

void s3call_fini(struct s3 *s)
{
    curl_easy_cleanup(s->easy);
    s->easy = NULL;
}
