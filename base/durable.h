#ifndef BASE_DURABLE_H
#define BASE_DURABLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/*
 * Files that must survive a crash: every fsync and rename of the program is here, with
 * a failpoint on either side.  Errors name the file; DISK_FULL is told apart.  Any
 * thread.
 */

/* All of it, whatever interrupts. */
enum errc durable_write(int fd, const void *bytes, size_t len, const char *path,
                        struct err *err);
/* The same at a place of the file, whatever the descriptor's own is. */
enum errc durable_write_at(int fd, const void *bytes, size_t len, uint64_t at,
                           const char *path, struct err *err);
enum errc durable_sync(int fd, const char *path, struct err *err);
/* The names in the directory of path. */
enum errc durable_sync_dir_of(const char *path, struct err *err);
/* from, synced already, becomes to; durable when it returns. */
enum errc durable_rename(const char *from, const char *to, struct err *err);
/* A small file replaced whole, mode 0600: the old text or the new one, never a part. */
enum errc durable_replace(const char *path, const void *bytes, size_t len,
                          struct err *err);
/* The same of a path where nothing is: CONFLICT when something is there, which is left
   alone.  A crash may leave a part of it. */
enum errc durable_create(const char *path, const void *bytes, size_t len,
                         struct err *err);

#endif
