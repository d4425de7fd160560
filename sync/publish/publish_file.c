#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/mem.h"
#include "sync/publish/publish_impl.h"
#include "sync/publish/publish_state.h"
#include "sync/publish/s3upload.h"

enum { READ_BYTES = 256 * 1024 };

struct putting {
    struct publication *p;
    const struct publish_file *file;
    char *key, *state_path;
    struct s3put put;
    struct publish_state state; /* upload_id NULL: no upload is under way */
    struct s3part *parts;       /* what the store has of it */
    size_t part_count;
};

/* --- what is there --- */

static enum errc look(struct putting *x, bool *there, struct err *err)
{
    const struct publish_file *f = x->file;
    struct s3info info;

    if (s3_head(&x->p->s3, x->key, &info, err) != ERR_OK)
        return err->code;
    *there = info.exists;
    if (!info.exists)
        return ERR_OK;
    if (info.bytes != f->bytes)
        return err_fail(err, REASON_STORE_EXISTS,
                        "%.120s is there with %" PRIu64 " bytes and not %" PRIu64,
                        x->key, info.bytes, f->bytes);
    if (!info.has_sha256)
        return err_fail(err, REASON_STORE_EXISTS,
                        "%.120s is there, and not by cairn: it says no SHA-256",
                        x->key);
    if (memcmp(info.sha256, f->sha256, sizeof(f->sha256)) != 0)
        return err_fail(err, REASON_STORE_EXISTS, "%.120s is there with another hash",
                        x->key);
    return ERR_OK;
}

/* --- in parts --- */

static uint64_t part_size(const struct putting *x, unsigned number)
{
    uint64_t from = (number - 1) * x->state.part_bytes;
    uint64_t left = x->file->bytes - from;

    return left < x->state.part_bytes ? left : x->state.part_bytes;
}

static unsigned part_total(const struct putting *x)
{
    return (unsigned)((x->file->bytes + x->state.part_bytes - 1) / x->state.part_bytes);
}

static struct s3upload upload_of(const struct putting *x)
{
    return (struct s3upload){.key = x->key, .id = x->state.upload_id};
}

static void forget(struct putting *x)
{
    publish_state_forget(x->state_path);
    free(TAKE(x->state.upload_id));
}

static enum errc refresh_parts(struct putting *x, struct err *err)
{
    struct s3upload u = upload_of(x);

    free(TAKE(x->parts));
    x->part_count = 0;
    return s3upload_parts(&x->p->s3, &u, &x->parts, &x->part_count, err);
}

/* The upload of a run before this one, if it is of these bytes and still there. */
static enum errc resume(struct putting *x, struct err *err)
{
    struct err why;

    if (publish_state_read(x->state_path, &x->state, &why) != ERR_OK)
        return ERR_OK;
    if (x->state.part_bytes != s3upload_part_bytes(x->file->bytes) ||
        memcmp(x->state.sha256, x->file->sha256, sizeof(x->state.sha256)) != 0) {
        forget(x);
        return ERR_OK;
    }
    if (refresh_parts(x, &why) == ERR_OK)
        return ERR_OK;
    if (why.reason == REASON_NOT_FOUND)
        forget(x);
    else
        *err = why;
    return why.reason == REASON_NOT_FOUND ? ERR_OK : err->code;
}

static enum errc begin(struct putting *x, struct err *err)
{
    x->state.part_bytes = s3upload_part_bytes(x->file->bytes);
    memcpy(x->state.sha256, x->file->sha256, sizeof(x->state.sha256));
    if (s3upload_begin(&x->p->s3, &x->put, &x->state.upload_id, err) != ERR_OK)
        return err->code;
    return publish_state_write(x->state_path, &x->state, err);
}

static enum errc hash_part(int fd, struct s3body *body, struct err *err)
{
    CLEANUP(hasher_free) struct hasher *h = hasher_create();
    AUTOFREE uint8_t *bytes = xcalloc(1, READ_BYTES);
    uint64_t done = 0;

    while (done < body->size) {
        uint64_t left = body->size - done;
        size_t want = left < READ_BYTES ? (size_t)left : READ_BYTES;
        ssize_t n = pread(fd, bytes, want, (off_t)(body->offset + done));

        if (n < 0)
            return err_errno(err, "the file that is sent");
        if (n == 0)
            return err_fail(err, REASON_SOURCE_CHANGED,
                            "the file that is sent became shorter");
        hasher_add(h, bytes, (size_t)n);
        done += (uint64_t)n;
    }
    hasher_finish(h, body->sha256);
    return ERR_OK;
}

static enum errc send_part(struct putting *x, unsigned number, struct err *err)
{
    struct s3upload u = upload_of(x);
    struct s3body body = {.fd = x->file->fd,
                          .offset = (number - 1) * x->state.part_bytes,
                          .size = part_size(x, number)};

    if (hash_part(x->file->fd, &body, err) != ERR_OK ||
        s3upload_part(&x->p->s3, &u, number, &body, err) != ERR_OK)
        return err->code;
    x->p->result.sent_bytes += body.size;
    return ERR_OK;
}

static enum errc send_missing(struct putting *x, struct err *err)
{
    size_t at = 0;

    for (unsigned number = 1; number <= part_total(x); number++) {
        while (at < x->part_count && x->parts[at].number < number)
            at++;
        if (at < x->part_count && x->parts[at].number == number &&
            x->parts[at].bytes == part_size(x, number))
            x->p->result.kept_bytes += part_size(x, number);
        else if (send_part(x, number, err) != ERR_OK)
            return err->code;
        x->p->before += part_size(x, number);
        publish_say(x->p, 0);
    }
    return ERR_OK;
}

/* The store's list is exactly ours. */
static enum errc check_parts(struct putting *x, struct err *err)
{
    if (refresh_parts(x, err) != ERR_OK)
        return err->code;
    if (x->part_count != part_total(x))
        return err_fail(err, REASON_STORE_BAD_ANSWER,
                        "%.120s: the store has %zu parts where %u were sent", x->key,
                        x->part_count, part_total(x));
    for (size_t i = 0; i < x->part_count; i++)
        if (x->parts[i].number != i + 1 ||
            x->parts[i].bytes != part_size(x, (unsigned)i + 1))
            return err_fail(err, REASON_STORE_BAD_ANSWER,
                            "%.120s: part %u is not as it was sent", x->key,
                            x->parts[i].number);
    return ERR_OK;
}

static enum errc complete(struct putting *x, struct err *err)
{
    struct s3upload u = upload_of(x);
    bool there = false;
    enum errc rc = check_parts(x, err);

    if (!rc)
        rc = s3upload_complete(&x->p->s3, &u, x->parts, x->part_count, err);
    if (rc && err->reason != REASON_NOT_FOUND)
        return rc; /* else: completed by a request whose answer was lost, or gone */
    forget(x);
    if (look(x, &there, err) != ERR_OK)
        return err->code;
    return there
               ? ERR_OK
               : err_fail(err, REASON_STORE_BAD_ANSWER,
                          "%.120s: the upload is gone, and nothing came of it", x->key);
}

static enum errc put_in_parts(struct putting *x, struct err *err)
{
    if (resume(x, err) != ERR_OK)
        return err->code;
    if (!x->state.upload_id && begin(x, err) != ERR_OK)
        return err->code;
    if (send_missing(x, err) != ERR_OK)
        return err->code;
    return complete(x, err);
}

/* --- one file --- */

static enum errc put_whole(struct putting *x, struct err *err)
{
    const struct publish_file *f = x->file;
    struct s3body body = {.fd = f->fd, .size = f->bytes};

    memcpy(body.sha256, f->sha256, sizeof(body.sha256));
    x->put.body = &body;
    if (s3_put(&x->p->s3, &x->put, err) != ERR_OK)
        return err->code;
    x->p->result.sent_bytes += f->bytes;
    x->p->before += f->bytes;
    return ERR_OK;
}

static enum errc put_file(struct putting *x, struct err *err)
{
    bool there = false;

    if (look(x, &there, err) != ERR_OK)
        return err->code;
    if (there) {
        publish_state_forget(x->state_path);
        x->p->result.kept_bytes += x->file->bytes;
        x->p->before += x->file->bytes;
        return ERR_OK;
    }
    return x->file->bytes <= S3UPLOAD_PART_BYTES ? put_whole(x, err)
                                                 : put_in_parts(x, err);
}

enum errc publish_file_put(struct publication *p, const struct publish_file *f,
                           struct err *err)
{
    struct putting x = {.p = p, .file = f};
    enum errc rc;

    x.key = publish_names_key(p->order->store.target, p->source->id, f->name);
    x.state_path = publish_state_path(p->source->dir, p->order->store.target, x.key);
    x.put = (struct s3put){.key = x.key,
                           .content_type = "application/octet-stream",
                           .cache_control = PUBLISH_IMMUTABLE,
                           .meta_sha256 = f->sha256};
    rc = put_file(&x, err);
    free(x.key);
    free(x.state_path);
    free(x.state.upload_id);
    free(x.parts);
    return rc;
}
