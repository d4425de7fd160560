#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "rpc/byterange.h"
#include "rpc/public_file.h"

void public_file_say(const struct public_ask *ask, int fd, uint64_t size,
                     struct public_say *say)
{
    /* A tag that is not this one, or a date: what the asker has is of something else */
    bool same = !ask->if_range || strcmp(ask->if_range, say->etag) == 0;
    uint64_t first = 0, len = size;

    switch (byterange_read(same ? ask->range : NULL, size, &first, &len)) {
    case BYTERANGE_NONE:
        break;
    case BYTERANGE_PART:
        say->status = 206;
        (void)snprintf(say->range, sizeof(say->range),
                       "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, first, first + len - 1,
                       size);
        break;
    case BYTERANGE_OUTSIDE:
        (void)close(fd);
        public_call_error(say, 416, "Range not satisfiable");
        (void)snprintf(say->range, sizeof(say->range), "bytes */%" PRIu64, size);
        return;
    }
    say->file = (struct public_file){true, fd, first, len};
}
