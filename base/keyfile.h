#ifndef BASE_KEYFILE_H
#define BASE_KEYFILE_H

#include <stdint.h>

#include "base/err.h"

/*
 * Files that hold one secret: 64 lower-case hex digits and a newline, mode 0600.  Any
 * thread; copies made on the way are wiped, out is the caller's to wipe.
 */
enum { KEYFILE_SECRET = 32 };

/* NOT_FOUND: no such file.  CONFLICT: it holds no key; it is left alone. */
enum errc keyfile_read(const char *path, uint8_t out[KEYFILE_SECRET], struct err *err);
/* Durable when it returns. */
enum errc keyfile_write(const char *path, const uint8_t secret[KEYFILE_SECRET],
                        struct err *err);
/* CONFLICT, in the words of keyfile_read: for who finds that the digits are no key. */
enum errc keyfile_refuse(const char *path, struct err *err);

#endif
