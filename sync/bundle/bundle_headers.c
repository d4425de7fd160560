#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "sync/bundle/bundle_body.h"
#include "sync/bundle/bundle_headers.h"
#include "sync/bundle/bundle_part.h"
#include "sync/snapshot/snapdir.h"

struct bundle_headers {
    char *path;
    int fd;
    uint64_t at;
    uint8_t bytes[HEADERS_WIRE_BYTES_MAX];
};

enum errc bundle_headers_open(const char *dir, struct bundle_headers **out,
                              struct err *err)
{
    CLEANUP(bundle_headers_close) struct bundle_headers *h = xcalloc(1, sizeof(*h));

    h->path = xasprintf("%s/%s", dir, SNAPDIR_HEADERS);
    h->fd = open(h->path, O_RDONLY | O_CLOEXEC);
    if (h->fd < 0)
        return err_errno(err, "open %s", h->path);
    *out = TAKE(h);
    return ERR_OK;
}

void bundle_headers_close(struct bundle_headers *h)
{
    if (!h)
        return;
    if (h->fd >= 0)
        (void)close(h->fd);
    free(h->path);
    free(h);
}

enum errc bundle_headers_next(void *headers, uint64_t from, size_t count,
                              struct header *room, struct err *err)
{
    struct bundle_headers *h = headers;
    struct headers_wire_batch batch = {.from = from, .room = room, .max = count};
    uint8_t le[BUNDLE_PART_LENGTH];
    size_t len;

    if (bundle_body_read(h->fd, h->at, le, sizeof(le), h->path, err))
        return err->code;
    len = bundle_part_length(le);
    if (len > sizeof(h->bytes))
        return err_fail(err, REASON_PAYLOAD_MALFORMED, "%s: no headers", h->path);
    if (bundle_body_read(h->fd, h->at + sizeof(le), h->bytes, len, h->path, err) ||
        bundle_part_headers(h->bytes, len, &batch, err))
        return err->code;
    h->at += sizeof(le) + len;
    return ERR_OK;
}
