#ifndef SYNC_PEER_SIGNED_H
#define SYNC_PEER_SIGNED_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"

/*
 * What a Cairn says of itself and signs (docs/peer-protocol.md): one JSON object,
 *
 *   {"<what>":<body>,"signature":"<128 hex digits>"}
 *
 * where body is canonical JSON with the signer's Ed25519 key as "identity", and the
 * signature (RFC 8032) is over "cairn-<what>-v1", a NUL, and the text of body as it
 * stands there.  Pure; any thread.
 */
void signed_message(const char *what, const char *body, size_t len, struct buf *out);
void signed_write(const char *what, const char *body, size_t len,
                  const uint8_t signature[64], struct buf *out);

/* *body is in *doc, the caller's; identity: the key that signed it.  PEER_BAD_ANSWER
   when it is no such object, or the signature is not that key's. */
enum errc signed_read(const char *what, const char *text, size_t len,
                      const struct json_limits *limits, struct json_doc **doc,
                      const struct json **body, uint8_t identity[32], struct err *err);

#endif
