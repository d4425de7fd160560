#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/mem.h"
#include "store/bytes.h"
#include "sync/snapshot/delta.h"
#include "sync/snapshot/delta_layout.h"

/*
 * Any bytes as a delta.  What is read to its end and written again holds the same items
 * under the same head, frame by frame, and is read again.  The first byte chooses
 * repairs of the hashes, which a fuzzer cannot find: 1 the frames' and the table's, 2
 * the head's.
 */
enum { REPAIR_TABLE = 1, REPAIR_HEAD = 2 };

static char out_path[64];

static void remove_out(void)
{
    (void)unlink(out_path);
}

static void make_path(void)
{
    if (out_path[0])
        return;
    (void)snprintf(out_path, sizeof(out_path), "/dev/shm/fuzz_delta-%ld",
                   (long)getpid());
    (void)atexit(remove_out);
}

/* Lengths as the head says them, where they lead into the bytes. */
static void repair(uint8_t *bytes, size_t len, uint8_t what)
{
    struct delta_head h;
    uint8_t copy[DELTA_HEAD];
    uint64_t frame_at, table_at;

    if (len < DELTA_HEAD)
        return;
    memcpy(copy, bytes, sizeof(copy));
    hash_sha256(copy, DELTA_HEAD - 32, copy + DELTA_HEAD - 32);
    if (!delta_head_read(copy, &h) || delta_head_file(&h) != len)
        return;
    frame_at = DELTA_HEAD + h.manifest_bytes;
    table_at = frame_at + h.frames_bytes;
    for (uint32_t i = 0; (what & REPAIR_TABLE) && i < h.info.frames; i++) {
        uint8_t *row = bytes + table_at + (uint64_t)i * DELTA_ROW;
        uint64_t n = bytes_le32(row);

        if (n > table_at - frame_at)
            break;
        hash_sha256(bytes + frame_at, n, row + 8);
        frame_at += n;
    }
    if (what & REPAIR_TABLE)
        hash_sha256(bytes + table_at, len - table_at, bytes + DELTA_HEAD - 64);
    if (what & (REPAIR_TABLE | REPAIR_HEAD))
        hash_sha256(bytes, DELTA_HEAD - 32, bytes + DELTA_HEAD - 32);
}

/* Everything in it, into another file; false: it was refused. */
static bool copy(const char *path, struct delta_info *info)
{
    CLEANUP(delta_close) struct delta *d = NULL;
    CLEANUP(delta_writer_free) struct delta_writer *w = NULL;
    struct manifest *from;
    struct delta_item item;
    struct err err;

    if (delta_open(path, &d, &err))
        return false;
    if (delta_writer_create(out_path, delta_manifest(d), &w, &err))
        abort();
    for (;;) {
        if (delta_next(d, &item, &err))
            return false;
        if (!item.rec)
            break;
        if (delta_writer_add(w, item.removed, item.rec, item.len, &err))
            abort();
    }
    from = xcalloc(1, sizeof(*from)); /* only its digest and root are told */
    if (delta_writer_finish(w, from, info, &err))
        abort();
    free(from);
    if (info->removed != delta_info(d)->removed ||
        info->added != delta_info(d)->added || info->frames != delta_info(d)->frames ||
        memcmp(info->to_digest, delta_info(d)->to_digest, 32) != 0)
        abort();
    return true;
}

static void read_again(const struct delta_info *info)
{
    CLEANUP(delta_close) struct delta *d = NULL;
    struct delta_item item = {0};
    struct err err;

    if (delta_open(out_path, &d, &err) || delta_info(d)->bytes != info->bytes)
        abort();
    do {
        if (delta_next(d, &item, &err))
            abort();
    } while (item.rec);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTOFREE uint8_t *bytes = NULL;
    struct delta_info info;
    char path[64];
    int fd;

    if (size < 1)
        return 0;
    make_path();
    bytes = xcalloc(size, 1);
    memcpy(bytes, data + 1, size - 1);
    repair(bytes, size - 1, data[0]);
    fd = memfd_create("delta", MFD_CLOEXEC);
    if (fd < 0 || write(fd, bytes, size - 1) != (ssize_t)(size - 1))
        abort();
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    if (copy(path, &info))
        read_again(&info);
    (void)close(fd);
    return 0;
}
