#ifndef STORE_FSUTIL_H
#define STORE_FSUTIL_H

#include <stddef.h>

#include "base/err.h"

/* File calls that retry what is interrupted and name what failed.  Any thread. */

enum errc fsutil_write(int fd, const void *bytes, size_t len, const char *path,
                       struct err *err);
/* Makes the names in the directory of path durable. */
enum errc fsutil_sync_dir_of(const char *path, struct err *err);

#endif
