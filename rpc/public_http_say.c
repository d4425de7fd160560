#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "base/pack.h"
#include "rpc/encoding.h"
#include "rpc/public_http_impl.h"

enum {
    PACK_MIN = 512, /* shorter ones gain nothing */
    PIECE = 32 << 10,
    /* Who reads more slowly than this lets go of what is kept for it. */
    GRACE_MS = 20000,
    LEAST_PER_MS = 32,
    OVERLOAD_SECONDS = 2,
    /* What an open file counts as, so that few clients do not have all descriptors. */
    FILE_HELD = 1 << 20,
};

/* An answer on its way; the address is kept to give its bytes back. */
struct sending {
    struct public_http *http;
    struct sockaddr_storage from;
    char *text;
    struct public_file file; /* instead of the text, when open */
    size_t held;
    uint64_t len;
    int64_t started_mono_ms;
};

static void end_sending(void *cls)
{
    struct sending *s = cls;

    budget_release(s->http->budget, (const struct sockaddr *)&s->from, s->held);
    if (s->file.open)
        (void)close(s->file.fd);
    free(s->text);
    free(s);
}

/* Paid for as it goes: whoever hangs up has not used up what others share. */
static ssize_t read_file(struct sending *s, uint64_t pos, char *out, size_t len)
{
    ssize_t n;

    do
        n = pread(s->file.fd, out, len, (off_t)(s->file.first + pos));
    while (n < 0 && errno == EINTR);
    if (n <= 0)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    budget_pay(s->http->budget, (const struct sockaddr *)&s->from, (size_t)n,
               clock_mono_ms());
    metrics_add(METRIC_PUBLIC_BYTES, (uint64_t)n);
    return n;
}

/* libmicrohttpd asks for the next piece when the last one is on its way. */
static ssize_t send_piece(void *cls, uint64_t pos, char *out, size_t room)
{
    struct sending *s = cls;
    int64_t spent = clock_mono_ms() - s->started_mono_ms;
    uint64_t left = s->len - pos;
    size_t len = left < room ? (size_t)left : room;

    if (spent > GRACE_MS + (int64_t)(pos / LEAST_PER_MS))
        return MHD_CONTENT_READER_END_WITH_ERROR;
    if (s->file.open)
        return read_file(s, pos, out, len);
    memcpy(out, s->text + pos, len);
    return (ssize_t)len;
}

static void keep_address(const struct sockaddr *from, struct sockaddr_storage *out)
{
    *out = (struct sockaddr_storage){0};
    memcpy(out, from,
           from->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                       : sizeof(struct sockaddr_in));
}

/* Takes the text or the file.  NULL when too much is held already. */
static struct MHD_Response *hold_answer(struct public_http *h,
                                        const struct sockaddr *from,
                                        struct public_say *say)
{
    size_t held = say->file.open ? FILE_HELD : say->body.len;
    struct MHD_Response *response;
    struct sending *s;

    if (held == 0)
        return MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    if (!budget_hold(h->budget, from, held))
        return NULL;
    s = xcalloc(1, sizeof(*s));
    s->http = h;
    keep_address(from, &s->from);
    s->held = held;
    s->started_mono_ms = clock_mono_ms();
    s->len = say->file.open ? say->file.len : say->body.len;
    s->file = say->file;
    say->file.fd = -1; /* taken */
    s->text = buf_take(&say->body);
    response =
        MHD_create_response_from_callback(s->len, PIECE, send_piece, s, end_sending);
    if (!response)
        end_sending(s);
    return response;
}

static enum encoding pack(struct MHD_Connection *c, struct buf *text)
{
    enum encoding e = encoding_choose(
        MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Accept-Encoding"));
    struct buf packed = BUF(text->len);

    if (text->len < PACK_MIN || e == ENCODING_NONE)
        return ENCODING_NONE;
    if (e == ENCODING_ZSTD)
        pack_zstd(text->data, text->len, &packed);
    else
        pack_gzip(text->data, text->len, &packed);
    if (packed.full) { /* longer than it was */
        buf_fini(&packed);
        return ENCODING_NONE;
    }
    buf_fini(text);
    *text = packed;
    return e;
}

/* As stock's nodes tell which chunk it is (protocol.md 8.2). */
static void add_chunk(struct MHD_Response *response, const struct public_say *say)
{
    char text[24];

    (void)snprintf(text, sizeof(text), "%" PRIu64, say->chunk.index);
    MHD_add_response_header(response, "X-Chunk-Index", text);
    (void)snprintf(text, sizeof(text), "%" PRIu32, say->chunk.chunks);
    MHD_add_response_header(response, "X-Total-Chunks", text);
    MHD_add_response_header(response, "X-Chunk-Checksum", say->chunk.checksum);
    MHD_add_response_header(response, "X-Compressed", "false");
}

static void add_headers(struct MHD_Response *response, const struct public_say *say,
                        enum encoding e)
{
    char etag[PUBLIC_ETAG_TEXT + 2];

    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    MHD_add_response_header(response, "Vary", "Accept-Encoding");
    MHD_add_response_header(response, "Cache-Control",
                            say->lasting ? "public, max-age=31536000, immutable"
                            : say->etag[0] != '\0' ? "no-cache"
                                                   : "no-store");
    if (say->etag[0] != '\0') { /* weak when these are not the very bytes */
        (void)snprintf(etag, sizeof(etag), "%s%s", e == ENCODING_NONE ? "" : "W/",
                       say->etag);
        MHD_add_response_header(response, "ETag", etag);
    }
    if (say->file.open)
        MHD_add_response_header(response, "Accept-Ranges", "bytes");
    if (say->chunk.chunks > 0)
        add_chunk(response, say);
    if (say->range[0] != '\0')
        MHD_add_response_header(response, "Content-Range", say->range);
    if (e != ENCODING_NONE)
        MHD_add_response_header(response, "Content-Encoding", encoding_name(e));
    if (say->status == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(response, "Allow", "GET, HEAD");
    if (say->status == MHD_HTTP_SERVICE_UNAVAILABLE)
        MHD_add_response_header(response, "Retry-After", "5");
    if (say->status != MHD_HTTP_NOT_MODIFIED)
        MHD_add_response_header(response, "Content-Type", say->type);
}

enum MHD_Result public_http_say(struct public_http *h, struct MHD_Connection *c,
                                struct public_say *say)
{
    const struct sockaddr *from = public_http_client(c);
    struct MHD_Response *response;
    enum MHD_Result rc;
    enum encoding e;

    budget_pay(h->budget, from, say->body.len, clock_mono_ms());
    e = pack(c, &say->body);
    metrics_add(METRIC_PUBLIC_BYTES, say->body.len);
    response = hold_answer(h, from, say);
    buf_fini(&say->body);
    if (say->file.open && say->file.fd >= 0)
        (void)close(say->file.fd);
    if (!response)
        return public_http_wait(c, OVERLOAD_SECONDS);
    add_headers(response, say, e);
    rc = MHD_queue_response(c, say->status, response);
    MHD_destroy_response(response);
    return rc;
}

enum MHD_Result public_http_wait(struct MHD_Connection *c, unsigned seconds)
{
    static char text[] = "{\"error\":\"Too many requests\"}\n";
    struct MHD_Response *response =
        MHD_create_response_from_buffer(sizeof(text) - 1, text, MHD_RESPMEM_PERSISTENT);
    enum MHD_Result rc;
    char value[12];

    if (!response)
        return MHD_NO;
    metrics_add(METRIC_PUBLIC_LIMITED, 1);
    (void)snprintf(value, sizeof(value), "%u", seconds);
    MHD_add_response_header(response, "Content-Type", "application/json");
    MHD_add_response_header(response, "Retry-After", value);
    MHD_add_response_header(response, "Connection", "close");
    rc = MHD_queue_response(c, MHD_HTTP_TOO_MANY_REQUESTS, response);
    MHD_destroy_response(response);
    return rc;
}
