#ifndef BASE_FERNET_H
#define BASE_FERNET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/*
 * Fernet tokens (github.com/fernet/spec): AES-128-CBC under HMAC-SHA256, in base64url;
 * what XAI's checkpoint files are encrypted with (protocol.md 10.1).  A token of any
 * size is read from a file, in constant memory.  Any thread.
 */
enum { FERNET_KEY = 32 }; /* half for the HMAC, half for AES */

/* 44 characters of base64url. */
bool fernet_key_parse(const char *text, size_t len, uint8_t key[FERNET_KEY]);

struct fernet_token { /* its text: bytes from..to of a file */
    int fd;
    uint64_t from, to;
};

/*
 * Hands what is in it to put, in pieces.  The HMAC is checked before the first one, so
 * the file must not change while it is read.  PAYLOAD_MALFORMED when it is no token or
 * the key does not open it.
 */
enum errc fernet_open(const uint8_t key[FERNET_KEY], const struct fernet_token *token,
                      enum errc (*put)(void *arg, const void *bytes, size_t len,
                                       struct err *err),
                      void *arg, struct err *err);

#endif
