#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "sync/publish/s3upload.h"

enum { COMPLETE_MAX = 4 << 20 }; /* of the text that names every part */

static const uint8_t no_bytes[1];

uint64_t s3upload_part_bytes(uint64_t object_bytes)
{
    uint64_t bytes = S3UPLOAD_PART_BYTES;

    while (object_bytes / bytes >= S3XML_PARTS_MAX)
        bytes *= 2;
    return bytes;
}

/* The answer's XML, of this root element: an error may come with status 200, after the
   store has worked on it for a while. */
static enum errc ask(struct s3 *s, const struct s3call *call, const char *root,
                     struct s3xml **out, struct err *err)
{
    CLEANUP(s3xml_free) struct s3xml *x = NULL;
    struct s3answer a = {0};
    enum errc rc = s3_do(s, call, &a, err);

    if (!rc)
        rc = s3xml_read(a.body.data ? a.body.data : "", a.body.len, &x, err);
    s3call_answer_fini(&a);
    if (!rc && strcmp(x->root, "Error") == 0)
        rc = err_fail(err, REASON_STORE_UNREACHABLE, "%.80s: %.40s %.80s", call->key,
                      x->code ? x->code : "", x->message ? x->message : "");
    else if (!rc && strcmp(x->root, root) != 0)
        rc = err_fail(err, REASON_STORE_BAD_ANSWER, "%.80s: %.40s where %s belongs",
                      call->key, x->root, root);
    if (!rc)
        *out = TAKE(x);
    return rc;
}

static bool is_id(const char *id)
{
    size_t len = id ? strlen(id) : 0;

    if (len == 0 || len > S3UPLOAD_ID_MAX)
        return false;
    for (; *id != '\0'; id++)
        if (*id <= ' ' || *id > '~')
            return false;
    return true;
}

enum errc s3upload_begin(struct s3 *s, const struct s3put *put, char **id,
                         struct err *err)
{
    CLEANUP(s3xml_free) struct s3xml *x = NULL;
    struct s3body empty = {.bytes = no_bytes};
    struct s3call call = {.method = "POST",
                          .key = put->key,
                          .query = "uploads=",
                          .body = &empty,
                          .content_type = put->content_type,
                          .cache_control = put->cache_control,
                          .meta_sha256 = put->meta_sha256,
                          .answer_max = S3XML_MAX};

    hash_sha256("", 0, empty.sha256);
    if (ask(s, &call, "InitiateMultipartUploadResult", &x, err) != ERR_OK)
        return err->code;
    if (!is_id(x->upload_id))
        return err_fail(err, REASON_STORE_BAD_ANSWER,
                        "%.80s: the store gives an upload no usable id", put->key);
    *id = TAKE(x->upload_id);
    return ERR_OK;
}

enum errc s3upload_part(struct s3 *s, const struct s3upload *u, unsigned number,
                        const struct s3body *body, struct err *err)
{
    AUTOFREE char *id = s3target_encode(u->id);
    AUTOFREE char *query = xasprintf("partNumber=%u&uploadId=%s", number, id);
    struct s3call call = {.method = "PUT",
                          .key = u->key,
                          .query = query,
                          .body = body,
                          .answer_max = S3XML_MAX};
    struct s3answer a = {0};
    enum errc rc = s3_do(s, &call, &a, err);

    s3call_answer_fini(&a);
    return rc;
}

/* Appends a page; *last: it was the last. */
static enum errc list_page(struct s3 *s, const struct s3upload *u,
                           struct s3part **parts, size_t *count, bool *last,
                           struct err *err)
{
    CLEANUP(s3xml_free) struct s3xml *x = NULL;
    AUTOFREE char *id = s3target_encode(u->id);
    unsigned after = *count > 0 ? (*parts)[*count - 1].number : 0;
    AUTOFREE char *query =
        xasprintf("max-parts=1000&part-number-marker=%u&uploadId=%s", after, id);
    struct s3call call = {
        .method = "GET", .key = u->key, .query = query, .answer_max = S3XML_MAX};

    if (ask(s, &call, "ListPartsResult", &x, err) != ERR_OK)
        return err->code;
    if ((x->part_count > 0 && x->parts[0].number <= after) ||
        (x->part_count == 0 && x->is_truncated))
        return err_fail(err, REASON_STORE_BAD_ANSWER,
                        "%.80s: the store's list of parts goes round", u->key);
    *parts = xrealloc(*parts, (*count + x->part_count + 1) * sizeof(**parts));
    if (x->part_count > 0)
        memcpy(*parts + *count, x->parts, x->part_count * sizeof(**parts));
    *count += x->part_count; /* numbers ascend: at most S3XML_PARTS_MAX */
    *last = !x->is_truncated;
    return ERR_OK;
}

enum errc s3upload_parts(struct s3 *s, const struct s3upload *u, struct s3part **out,
                         size_t *count, struct err *err)
{
    AUTOFREE struct s3part *parts = NULL;
    size_t n = 0;
    bool last = false;

    while (!last)
        if (list_page(s, u, &parts, &n, &last, err) != ERR_OK)
            return err->code;
    *out = TAKE(parts);
    *count = n;
    return ERR_OK;
}

static void put_etag(struct buf *out, const char *etag)
{
    for (; *etag != '\0'; etag++) /* the reader let none of < > & through */
        if (*etag == '"')
            buf_puts(out, "&quot;");
        else
            buf_put(out, etag, 1);
}

enum errc s3upload_complete(struct s3 *s, const struct s3upload *u,
                            const struct s3part *parts, size_t count, struct err *err)
{
    CLEANUP(s3xml_free) struct s3xml *x = NULL;
    CLEANUP_BUF struct buf text = BUF(COMPLETE_MAX);
    AUTOFREE char *id = s3target_encode(u->id);
    AUTOFREE char *query = xasprintf("uploadId=%s", id);
    struct s3body body;
    struct s3call call = {.method = "POST",
                          .key = u->key,
                          .query = query,
                          .body = &body,
                          .content_type = "application/xml",
                          .answer_max = S3XML_MAX};

    buf_puts(&text, "<CompleteMultipartUpload>");
    for (size_t i = 0; i < count; i++) {
        buf_printf(&text, "<Part><PartNumber>%u</PartNumber><ETag>", parts[i].number);
        put_etag(&text, parts[i].etag);
        buf_puts(&text, "</ETag></Part>");
    }
    buf_puts(&text, "</CompleteMultipartUpload>");
    body = (struct s3body){.bytes = text.data, .size = text.len};
    hash_sha256(text.data, text.len, body.sha256);
    return ask(s, &call, "CompleteMultipartUploadResult", &x, err);
}

enum errc s3upload_abort(struct s3 *s, const struct s3upload *u, struct err *err)
{
    AUTOFREE char *id = s3target_encode(u->id);
    AUTOFREE char *query = xasprintf("uploadId=%s", id);
    struct s3call call = {
        .method = "DELETE", .key = u->key, .query = query, .answer_max = S3XML_MAX};
    struct s3answer a = {0};
    enum errc rc = s3_do(s, &call, &a, err);

    s3call_answer_fini(&a);
    return rc && err->reason != REASON_NOT_FOUND ? rc : ERR_OK;
}
