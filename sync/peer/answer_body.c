#include <curl/curl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/durable.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "sync/peer/answer.h"
#include "sync/peer/answer_body.h"

enum { ERROR_BODY_MAX = 4096 };

static const char *field(const struct answer_body *b, const char *name)
{
    struct curl_header *h;

    if (curl_easy_header(b->easy, name, 0, CURLH_HEADER, -1, &h) != CURLHE_OK)
        return NULL;
    return h->value;
}

static bool is_ranged(const struct transfer_request *r)
{
    return r->has_range || r->offset > 0;
}

/* The part that came is the part that was asked for. */
static bool part_fits(const struct transfer_request *r, const struct answer_range *part)
{
    if (!r->has_range)
        return part->first == r->offset;
    if (r->range_from != UINT64_MAX)
        return part->first == r->range_from && part->last <= r->range_to;
    if (part->total == 0)
        return false;
    return part->last == part->total - 1 &&
           part->last - part->first <
               (r->range_to < part->total ? r->range_to : part->total);
}

/* At no moment a tag beside bytes that it is not of: whoever is killed resumes by it.
 */
static enum errc open_file(struct answer_body *b, uint64_t offset)
{
    const struct transfer_request *r = b->r;
    const char *etag = field(b, "ETag");

    if (r->etag_path && offset == 0)
        (void)unlink(r->etag_path);
    if (sink_open_file(&b->sink, r->path, offset, r->max_bytes, &b->err))
        return b->err.code;
    if (!r->etag_path || offset > 0 || !etag || !answer_etag_ok(etag))
        return ERR_OK;
    return durable_replace(r->etag_path, etag, strlen(etag), &b->err);
}

static enum errc open_sink(struct answer_body *b, uint64_t offset)
{
    const struct transfer_request *r = b->r;

    b->wanted = true;
    if (r->path)
        return open_file(b, offset);
    sink_open_memory(&b->sink, r->max_bytes);
    return ERR_OK;
}

static enum errc too_large(struct answer_body *b, uint64_t size)
{
    return err_fail(&b->err, REASON_PAYLOAD_TOO_LARGE,
                    "the body has %" PRIu64 " bytes, at most %" PRIu64 " are allowed",
                    size, b->r->max_bytes);
}

static enum errc decide_part(struct answer_body *b)
{
    struct transfer_request *r = b->r;
    const char *range = field(b, "Content-Range"), *etag = field(b, "ETag");
    struct answer_range part;

    if (!is_ranged(r))
        return err_fail(&b->err, REASON_SOURCE_UNREACHABLE,
                        "the source answered with a part that was not asked for");
    if (!range || !answer_range_parse(range, &part))
        return err_fail(&b->err, REASON_SOURCE_CHANGED,
                        "the source answered with a part and does not say which");
    if (!part_fits(r, &part))
        return err_fail(&b->err, REASON_SOURCE_CHANGED,
                        "the source answered with bytes %" PRIu64 " to %" PRIu64
                        ", not with those asked for",
                        part.first, part.last);
    if (r->etag && etag && strcmp(etag, r->etag) != 0)
        return err_fail(&b->err, REASON_SOURCE_CHANGED,
                        "the source has another version than the one begun with");
    b->part_size = part.last - part.first + 1;
    if (r->offset > r->max_bytes || b->part_size > r->max_bytes - r->offset)
        return too_large(b, r->offset + b->part_size);
    r->total = part.total;
    r->resumed = r->offset > 0;
    return open_sink(b, r->offset);
}

static enum errc decide_whole(struct answer_body *b)
{
    curl_off_t length = -1;

    (void)curl_easy_getinfo(b->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    if (length > 0 && (uint64_t)length > b->r->max_bytes)
        return too_large(b, (uint64_t)length);
    b->r->total = length > 0 ? (uint64_t)length : 0;
    return open_sink(b, 0);
}

static enum errc decide(struct answer_body *b)
{
    b->decided = true;
    (void)curl_easy_getinfo(b->easy, CURLINFO_RESPONSE_CODE, &b->r->status);
    if (b->r->status == 200)
        return decide_whole(b);
    if (b->r->status == 206)
        return decide_part(b);
    sink_open_memory(&b->sink, ERROR_BODY_MAX);
    return ERR_OK;
}

static size_t put_error_page(struct answer_body *b, const char *bytes, size_t len)
{
    size_t room = ERROR_BODY_MAX - b->sink.body.len;
    size_t take = len < room ? len : room;

    if (sink_put(&b->sink, bytes, take, &b->err) != ERR_OK)
        return 0;
    b->enough = take < len;
    return take;
}

/* A count other than len ends the transfer. */
static size_t on_body(char *bytes, size_t size, size_t count, void *arg)
{
    struct answer_body *b = arg;
    size_t len = size * count;

    metrics_add(METRIC_FETCH_BYTES, len);
    if (!b->decided && decide(b) != ERR_OK)
        return CURL_WRITEFUNC_ERROR;
    if (!b->wanted)
        return put_error_page(b, bytes, len);
    if (sink_put(&b->sink, bytes, len, &b->err) != ERR_OK)
        return CURL_WRITEFUNC_ERROR;
    atomic_fetch_add_explicit(&b->r->received, len, memory_order_relaxed);
    return len;
}

bool answer_body_connect(struct answer_body *b, void *easy, struct transfer_request *r)
{
    b->easy = easy;
    b->r = r;
    b->sink = SINK_NONE;
    return curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEDATA, b) == CURLE_OK;
}

enum errc answer_body_finish(struct answer_body *b, struct err *err)
{
    struct transfer_request *r = b->r;
    const char *checksum = field(b, "X-Chunk-Checksum");

    if (checksum)
        (void)snprintf(r->checksum, sizeof(r->checksum), "%s", checksum);
    if (!b->decided && decide(b) != ERR_OK) {
        *err = b->err;
        return err->code;
    }
    if (b->part_size > 0 && atomic_load(&r->received) != b->part_size)
        return err_fail(err, REASON_SOURCE_UNREACHABLE,
                        "the answer ended early, after %" PRIu64 " of %" PRIu64
                        " bytes",
                        (uint64_t)atomic_load(&r->received), b->part_size);
    if (sink_finish(&b->sink, err) != ERR_OK)
        return err->code;
    if (!r->path || !b->wanted) {
        r->body_len = b->sink.body.len;
        r->body = buf_take(&b->sink.body);
    }
    return ERR_OK;
}

void answer_body_reset(struct answer_body *b)
{
    void *easy = b->easy;
    struct transfer_request *r = b->r;

    sink_fini(&b->sink);
    *b = (struct answer_body){.easy = easy, .r = r, .sink = SINK_NONE};
    r->total = 0;
    r->resumed = false;
    atomic_store(&r->received, 0);
}
