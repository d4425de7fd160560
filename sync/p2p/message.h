#ifndef SYNC_P2P_MESSAGE_H
#define SYNC_P2P_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"

/*
 * What the payload of an envelope says (protocol.md 9.4), read strictly within bounds,
 * and the texts of ours.  Pure; any thread.  Texts of a message point into the document
 * it was read from.
 */
#define MESSAGE_TYPES(X)                        \
    X(HANDSHAKE, "handshake")                   \
    X(PING, "ping")                             \
    X(PONG, "pong")                             \
    X(GET_PEERS, "get_peers")                   \
    X(PEERS, "peers")                           \
    X(GET_CHECKPOINT, "get_checkpoint")         \
    X(CHECKPOINT, "checkpoint")                 \
    X(CHECKPOINT_REQUEST, "checkpoint_request") \
    X(CHECKPOINT_PAYLOAD, "checkpoint_payload") \
    X(GET_CHAIN_RANGE, "get_chain_range")       \
    X(CHAIN_RANGE, "chain_range")               \
    X(GET_CHAIN, "get_chain")                   \
    X(INV, "inv")                               \
    X(GETDATA, "getdata")                       \
    X(BLOCK, "block")                           \
    X(CHUNK_REQUEST, "chunk_request")           \
    X(CHUNK_RESPONSE, "chunk_response")

enum message_type {
#define X(id, name) MESSAGE_##id,
    MESSAGE_TYPES(X)
#undef X
        MESSAGE_OTHER, /* known to nobody, or of no use to us ("transaction", ..):
                          ignored */
};
const char *message_type_name(enum message_type type);

enum {
    MESSAGE_PEERS_MAX = 256,
    MESSAGE_HASHES_MAX = 256, /* of an inv or getdata: the rest is dropped */
    MESSAGE_RANGE_MAX = 100,  /* blocks of a get_chain_range we ask for or answer */
    MESSAGE_TEXT_MAX = 256,
};

struct message {
    enum message_type type;
    union {
        struct {                                          /* handshake */
            const char *version, *node_id, *api_endpoint; /* endpoint NULL: none */
            uint64_t height; /* a count: the tip's index + 1 */
        } handshake;
        struct { /* peers: those too long are left out, the rest is dropped */
            const char *uris[MESSAGE_PEERS_MAX];
            size_t count;
        } peers;
        struct { /* checkpoint: stock's metadata; nothing: it has none */
            bool some;
            bool own; /* source "local": the peer's own word, not one relayed;
                         a relayed one that is malformed counts as none */
            uint64_t height;
            uint8_t block_hash[32];
            const char *url; /* of the payload; NULL: not said */
        } checkpoint;
        struct { /* checkpoint_request */
            bool want_payload, has_height;
            uint64_t height;
        } checkpoint_request;
        const struct json *checkpoint_payload; /* or {"url": ..} */
        struct {                               /* get_chain_range */
            uint64_t offset, limit;            /* limit: cut to MESSAGE_RANGE_MAX */
        } get_chain_range;
        struct {                       /* chain_range */
            const struct json *blocks; /* array; index is offset, offset + 1, .. */
            uint64_t offset, total;
        } chain_range;
        struct { /* inv, getdata: blocks alone */
            uint8_t hashes[MESSAGE_HASHES_MAX][32];
            size_t count;
        } inventory;
        const struct json *block;
        struct { /* chunk_request: of a stock-shaped snapshot */
            const char *snapshot_id;
            uint64_t index;
        } chunk_request;
    } u;
};

/* PEER_BAD_MESSAGE names the member.  An unknown type is no error.  All numbers are
   below 2^53, texts at most MESSAGE_TEXT_MAX bytes (a checkpoint's url 2047). */
enum errc message_parse(const struct json *payload, struct message *out,
                        struct err *err);

/* Canonical texts for envelope_seal; appended.  MESSAGE_OTHER has none. */
struct message_self {         /* what a handshake says of us */
    const char *node_id;      /* 16 hex digits */
    const char *api_endpoint; /* NULL: we serve none */
    uint64_t height;          /* a count */
};
void message_put_handshake(const struct message_self *self, struct buf *out);
void message_put_plain(enum message_type type, struct buf *out); /* no payload member */
void message_put_get_range(uint64_t offset, uint64_t limit, struct buf *out);
/* inv, getdata; hashes: count times 32 bytes */
void message_put_hashes(enum message_type type, const uint8_t *hashes, size_t count,
                        struct buf *out);
void message_put_checkpoint_request(bool want_payload, struct buf *out);
/* value: canonical JSON text of the payload member. */
void message_put_value(enum message_type type, const char *value, size_t len,
                       struct buf *out);

#endif
