/* Bundles of strangers: read whole or refused with a reason; what is unpacked makes the
   same bundle again, byte by byte. */
#include <ftw.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "sync/bundle/bundle_headers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition)
        abort();
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)kind;
    (void)at;
    return remove(path);
}

/* Of an accepted one, which only whoever mines can make. */
static void check_again(const char *dir, const char *unpacked, const uint8_t *data,
                        size_t size)
{
    CLEANUP(bundle_headers_close) struct bundle_headers *headers = NULL;
    AUTOFREE char *path = xasprintf("%s/again", dir);
    AUTOFREE uint8_t *bytes = xcalloc(1, size + 1);
    _Atomic uint64_t done = 0;
    struct err err = {0};
    FILE *f;

    require(bundle_headers_open(unpacked, &headers, &err) == ERR_OK);
    require(bundle_write(&(struct bundle_source){unpacked, params_find("testnet"),
                                                 bundle_headers_next, headers},
                         path, &done, &err) == ERR_OK);
    f = fopen(path, "rb");
    require(f && fread(bytes, 1, size + 1, f) == size &&
            memcmp(bytes, data, size) == 0);
    require(fclose(f) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(bundle_close) struct bundle *b = NULL;
    char path[64], dir[] = "/tmp/fuzz_bundle.XXXXXX";
    int fd = memfd_create("bundle", MFD_CLOEXEC);
    _Atomic uint64_t done = 0;
    struct err err = {0};
    enum errc rc;

    require(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    rc = bundle_open(path, &b, &err);
    if (rc == ERR_OK) {
        AUTOFREE char *unpacked = NULL;

        require(mkdtemp(dir) != NULL);
        unpacked = xasprintf("%s/unpacked", dir);
        rc = bundle_read(b, params_find("testnet"), unpacked, &done, &err);
        if (rc == ERR_OK)
            check_again(dir, unpacked, data, size);
        require(nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS) == 0);
    }
    require(rc == ERR_OK ||
            (rc == ERR_VERIFY && err.reason != REASON_NONE && err.msg[0] != '\0'));
    require(close(fd) == 0);
    return 0;
}
