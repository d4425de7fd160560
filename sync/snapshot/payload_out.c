#include <fcntl.h>
#include <unistd.h>

#include "base/durable.h"
#include "base/hash.h"
#include "sync/snapshot/payload_out.h"

enum errc payload_out_open(struct payload_out *o, const char *path, struct err *err)
{
    *o = PAYLOAD_OUT_NONE;
    o->path = path;
    if (!path)
        return ERR_OK;
    o->fd = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
    return o->fd < 0 ? err_errno(err, "%.150s", path) : ERR_OK;
}

enum errc payload_out_flush(struct payload_out *o, struct err *err)
{
    enum errc rc = ERR_OK;

    if (o->text.full)
        return err_fail(err, REASON_INTERNAL, "a piece of the payload over its bound");
    if (o->hasher)
        hasher_add(o->hasher, o->text.data, o->text.len);
    if (o->fd >= 0)
        rc = durable_write(o->fd, o->text.data, o->text.len, o->path, err);
    o->bytes += o->text.len;
    buf_reset(&o->text);
    return rc;
}

enum errc payload_out_pump(struct payload_out *o, struct err *err)
{
    return o->text.len < PAYLOAD_OUT_PIECE ? ERR_OK : payload_out_flush(o, err);
}

enum errc payload_out_finish(struct payload_out *o, struct err *err)
{
    enum errc rc = payload_out_flush(o, err);

    if (!rc && o->fd >= 0)
        rc = durable_sync(o->fd, o->path, err);
    if (rc || o->fd < 0)
        return rc;
    (void)close(o->fd); /* synced */
    o->fd = -1;
    return ERR_OK;
}

void payload_out_fini(struct payload_out *o)
{
    if (o->fd >= 0) {
        (void)close(o->fd);
        (void)unlink(o->path);
    }
    o->fd = -1;
    buf_fini(&o->text);
}
