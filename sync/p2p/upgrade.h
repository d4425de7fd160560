#ifndef SYNC_P2P_UPGRADE_H
#define SYNC_P2P_UPGRADE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * The HTTP/1.1 upgrade to a WebSocket (RFC 6455, section 4), both sides of it, strict:
 * any path, no extension, no subprotocol, no body.  Pure; any thread.
 */
enum {
    UPGRADE_HEAD_MAX = 8192,
    UPGRADE_FIELDS_MAX = 64,
    UPGRADE_KEY = 25,    /* with its NUL */
    UPGRADE_ACCEPT = 29, /* with its NUL */
};

/* Bytes of the head in data[0..len), blank line included; 0 when it has not ended.
   from: how much of it was looked at before. */
size_t upgrade_head_end(const char *data, size_t len, size_t from);

/* False: whatever follows, these are no first bytes of a request, or of an answer. */
bool upgrade_may_begin(const char *data, size_t len, bool request);

void upgrade_key(char out[UPGRADE_KEY]); /* random */
void upgrade_accept(const char key[UPGRADE_KEY], char out[UPGRADE_ACCEPT]);

void upgrade_put_request(const char *authority, const char *path,
                         const char key[UPGRADE_KEY], struct buf *out);
void upgrade_put_answer(const char accept[UPGRADE_ACCEPT], struct buf *out);
void upgrade_put_refusal(struct buf *out);

/* A head of len bytes: PEER_BAD_ANSWER says what is wrong. */
enum errc upgrade_read_request(const char *head, size_t len,
                               char accept[UPGRADE_ACCEPT], struct err *err);
enum errc upgrade_read_answer(const char *head, size_t len,
                              const char accept[UPGRADE_ACCEPT], struct err *err);

#endif
