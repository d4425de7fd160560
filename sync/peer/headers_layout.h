#ifndef SYNC_PEER_HEADERS_LAYOUT_H
#define SYNC_PEER_HEADERS_LAYOUT_H

#include <stdbool.h>

#include "sync/peer/headers_wire.h"

/*
 * The compact form, shared by headers_*.c alone.  There is one way to write given
 * headers: what reads back differently is refused.
 *
 *   magic, from (varint), headers, end
 *
 * A header: a byte of what follows; the first one's previous hash; difficulty (varint)
 * if it differs from that of the header before (0); version (varint) if it is neither 1
 * nor absent; nonce (varint); the change of the timestamp's bits (zigzag varint; from
 * 0); merkle root; key; signature.  The end: a byte, and if there were headers the hash
 * of the last.
 * A varint has 7 bits a byte, lowest first, and is as short as can be.
 */
#define HEADERS_MAGIC "CAIRNHD1"
enum { HEADERS_MAGIC_LEN = 8, HEADERS_VARINT_MAX = 10, HEADERS_RAW = 64 };

enum { /* the byte */
       HEADERS_DIFFICULTY = 1,
       HEADERS_VERSION_SHIFT = 1,
       HEADERS_SIGNATURE_SHIFT = 3,
       HEADERS_KEY_SHIFT = 5,
       HEADERS_FIELD = 3,
       HEADERS_END = 0x80, /* alone */
};
enum { HEADERS_VERSION_ONE, HEADERS_VERSION_NONE, HEADERS_VERSION_OTHER };
enum { /* of a signature or key; RAW: 64 bytes for 128 lower-case hex digits; TEXT: a
          byte of length, plain characters */
       HEADERS_TEXT_NONE,
       HEADERS_TEXT_RAW,
       HEADERS_TEXT_PLAIN,
       HEADERS_TEXT_SEEN, /* keys: varint, how many were spelled out since */
};

/* Which of the four text is; raw is filled for HEADERS_TEXT_RAW.  False: none of them.
 */
bool headers_layout_kind(const char *text, unsigned *kind, uint8_t raw[HEADERS_RAW]);

/* How many keys were spelled out since this one; false: not among those remembered. */
bool headers_layout_seen(const struct headers_wire_keys *keys, const char *text,
                         uint64_t *since);
void headers_layout_remember(struct headers_wire_keys *keys, const char *text);

/* The two halves of headers_wire_decode, unpacked. */
enum errc headers_compact_read(const uint8_t *bytes, size_t len,
                               struct headers_wire_batch *batch, struct err *err);
enum errc headers_lines_read(const char *text, size_t len,
                             struct headers_wire_batch *batch, struct err *err);

#endif
