#include <curl/curl.h>
#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "base/metrics.h"
#include "sync/peer/answer.h"
#include "sync/peer/intake.h"

enum { ERROR_BODY_MAX = 4096 };

static const char *field(const struct intake *in, const char *name)
{
    struct curl_header *h;

    if (curl_easy_header(in->easy, name, 0, CURLH_HEADER, -1, &h) != CURLHE_OK)
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

static enum errc open_sink(struct intake *in, uint64_t offset)
{
    const struct transfer_request *r = in->r;

    in->wanted = true;
    if (r->path)
        return sink_open_file(&in->sink, r->path, offset, r->max_bytes, &in->err);
    sink_open_memory(&in->sink, r->max_bytes);
    return ERR_OK;
}

static enum errc too_large(struct intake *in, uint64_t size)
{
    return err_fail(&in->err, REASON_PAYLOAD_TOO_LARGE,
                    "the body has %" PRIu64 " bytes, at most %" PRIu64 " are allowed",
                    size, in->r->max_bytes);
}

static enum errc decide_part(struct intake *in)
{
    struct transfer_request *r = in->r;
    const char *range = field(in, "Content-Range"), *etag = field(in, "ETag");
    struct answer_range part;

    if (!is_ranged(r))
        return err_fail(&in->err, REASON_SOURCE_UNREACHABLE,
                        "the source answered with a part that was not asked for");
    if (!range || !answer_range_parse(range, &part))
        return err_fail(&in->err, REASON_SOURCE_CHANGED,
                        "the source answered with a part and does not say which");
    if (!part_fits(r, &part))
        return err_fail(&in->err, REASON_SOURCE_CHANGED,
                        "the source answered with bytes %" PRIu64 " to %" PRIu64
                        ", not with those asked for",
                        part.first, part.last);
    if (r->etag && etag && strcmp(etag, r->etag) != 0)
        return err_fail(&in->err, REASON_SOURCE_CHANGED,
                        "the source has another version than the one begun with");
    in->part_size = part.last - part.first + 1;
    if (r->offset > r->max_bytes || in->part_size > r->max_bytes - r->offset)
        return too_large(in, r->offset + in->part_size);
    r->total = part.total;
    r->resumed = r->offset > 0;
    return open_sink(in, r->offset);
}

static enum errc decide_whole(struct intake *in)
{
    curl_off_t length = -1;

    (void)curl_easy_getinfo(in->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    if (length > 0 && (uint64_t)length > in->r->max_bytes)
        return too_large(in, (uint64_t)length);
    in->r->total = length > 0 ? (uint64_t)length : 0;
    return open_sink(in, 0);
}

static enum errc decide(struct intake *in)
{
    in->decided = true;
    (void)curl_easy_getinfo(in->easy, CURLINFO_RESPONSE_CODE, &in->r->status);
    if (in->r->status == 200)
        return decide_whole(in);
    if (in->r->status == 206)
        return decide_part(in);
    sink_open_memory(&in->sink, ERROR_BODY_MAX);
    return ERR_OK;
}

static size_t put_error_page(struct intake *in, const char *bytes, size_t len)
{
    size_t room = ERROR_BODY_MAX - in->sink.body.len;
    size_t take = len < room ? len : room;

    if (sink_put(&in->sink, bytes, take, &in->err) != ERR_OK)
        return 0;
    in->enough = take < len;
    return take;
}

/* A count other than len ends the transfer. */
static size_t on_body(char *bytes, size_t size, size_t count, void *arg)
{
    struct intake *in = arg;
    size_t len = size * count;

    metrics_add(METRIC_FETCH_BYTES, len);
    if (!in->decided && decide(in) != ERR_OK)
        return CURL_WRITEFUNC_ERROR;
    if (!in->wanted)
        return put_error_page(in, bytes, len);
    if (sink_put(&in->sink, bytes, len, &in->err) != ERR_OK)
        return CURL_WRITEFUNC_ERROR;
    atomic_fetch_add_explicit(&in->r->received, len, memory_order_relaxed);
    return len;
}

bool intake_connect(struct intake *in, void *easy, struct transfer_request *r)
{
    in->easy = easy;
    in->r = r;
    in->sink = SINK_NONE;
    return curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEDATA, in) == CURLE_OK;
}

enum errc intake_finish(struct intake *in, struct err *err)
{
    const char *etag = field(in, "ETag");
    struct transfer_request *r = in->r;

    if (!in->decided && decide(in) != ERR_OK) {
        *err = in->err;
        return err->code;
    }
    if (in->part_size > 0 && atomic_load(&r->received) != in->part_size)
        return err_fail(err, REASON_SOURCE_UNREACHABLE,
                        "the answer ended early, after %" PRIu64 " of %" PRIu64
                        " bytes",
                        (uint64_t)atomic_load(&r->received), in->part_size);
    if (sink_finish(&in->sink, err) != ERR_OK)
        return err->code;
    if (!r->path || !in->wanted) {
        r->body_len = in->sink.body.len;
        r->body = buf_take(&in->sink.body);
    }
    if (in->wanted && etag && answer_etag_ok(etag))
        r->answer_etag = xstrdup(etag);
    return ERR_OK;
}

void intake_reset(struct intake *in)
{
    void *easy = in->easy;
    struct transfer_request *r = in->r;

    sink_fini(&in->sink);
    *in = (struct intake){.easy = easy, .r = r, .sink = SINK_NONE};
    r->total = 0;
    r->resumed = false;
    atomic_store(&r->received, 0);
}
