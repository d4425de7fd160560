#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "sync/serve/serve_payload.h"

int serve_payload_open(const char *data_dir, int64_t generation, uint64_t *len)
{
    AUTOFREE char *path =
        xasprintf("%s/generations/%" PRId64 "/payload.json", data_dir, generation);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct stat st;

    if (fd < 0)
        return -1;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        (void)close(fd);
        return -1;
    }
    *len = (uint64_t)st.st_size;
    return fd;
}
