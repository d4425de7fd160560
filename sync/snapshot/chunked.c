#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/pack.h"
#include "sync/snapshot/chunked.h"

enum { NODES_MAX = 2 * CHUNKED_CHUNKS_MAX };

static enum errc malformed(struct err *err, const char *what)
{
    return err_fail(err, REASON_METADATA_MALFORMED, "chunked snapshot: %s", what);
}

static bool read_u32(const struct json *o, const char *key, uint64_t max, uint32_t *out)
{
    uint64_t n;

    if (!json_u64(json_get(o, key), &n) || n > max)
        return false;
    *out = (uint32_t)n;
    return true;
}

static bool read_hash(const struct json *o, const char *key, char out[65])
{
    uint8_t hash[32];

    if (!json_hash(json_get(o, key), hash))
        return false;
    hex_encode(hash, 32, out);
    return true;
}

/* Its path on a server has the name in it, so there is only the one it must have. */
static bool read_id(const struct json *o, struct chunked_meta *out)
{
    const char *id;

    (void)snprintf(out->id, sizeof(out->id), "height_%" PRIu64 "_%.8s", out->height,
                   out->block_hash);
    return json_text(json_get(o, "snapshot_id"), &id) && strcmp(id, out->id) == 0;
}

static bool sizes_agree(const struct chunked_meta *m)
{
    return m->chunks > 0 && m->chunk_size > 0 &&
           m->total_size > (uint64_t)(m->chunks - 1) * m->chunk_size &&
           m->total_size <= (uint64_t)m->chunks * m->chunk_size;
}

static enum errc read_meta(const struct json *o, struct chunked_meta *out,
                           struct err *err)
{
    const struct json *compressed = json_get(o, "compression_enabled");

    if (!json_u64(json_get(o, "height"), &out->height) ||
        !read_hash(o, "block_hash", out->block_hash) ||
        !read_hash(o, "state_hash", out->state_hash))
        return malformed(err, "height, block_hash or state_hash");
    if (!read_id(o, out))
        return malformed(err, "snapshot_id is not that of the block");
    if (!read_u32(o, "total_chunks", CHUNKED_CHUNKS_MAX, &out->chunks) ||
        !read_u32(o, "chunk_size", CHUNKED_CHUNK_MAX, &out->chunk_size) ||
        !json_u64(json_get(o, "total_size"), &out->total_size) || !sizes_agree(out))
        return malformed(err, "total_chunks, chunk_size and total_size");
    if (!compressed || compressed->type != JSON_BOOL)
        return malformed(err, "compression_enabled");
    out->compressed = compressed->boolean;
    return ERR_OK;
}

static enum errc parse(const char *text, size_t len, size_t max, struct json_doc **doc,
                       struct err *err)
{
    const struct json_limits limits = {
        .max_bytes = max, .max_nodes = NODES_MAX, .max_depth = 8};

    if (json_parse(text, len, &limits, doc, err)) {
        struct err why = *err;

        return malformed(err, why.msg);
    }
    return ERR_OK;
}

enum errc chunked_meta_parse(const char *text, size_t len, struct chunked_meta *out,
                             struct err *err)
{
    CLEANUP(json_free) struct json_doc *doc = NULL;
    const struct json *o;

    *out = (struct chunked_meta){0};
    if (parse(text, len, CHUNKED_META_MAX, &doc, err))
        return err->code;
    o = json_get(json_root(doc), "snapshot");
    return read_meta(o ? o : json_root(doc), out, err);
}

bool chunked_meta_same(const struct chunked_meta *a, const struct chunked_meta *b)
{
    return strcmp(a->id, b->id) == 0 && strcmp(a->block_hash, b->block_hash) == 0 &&
           strcmp(a->state_hash, b->state_hash) == 0 && a->chunks == b->chunks &&
           a->chunk_size == b->chunk_size && a->total_size == b->total_size;
}

uint32_t chunked_size(const struct chunked_meta *m, uint32_t i)
{
    return i + 1 < m->chunks ? m->chunk_size
                             : (uint32_t)(m->total_size - (uint64_t)i * m->chunk_size);
}

enum errc chunked_checksum_parse(const char *text, size_t len, uint32_t i,
                                 uint8_t out[32], struct err *err)
{
    enum { TEXT_MAX = 4096 };
    CLEANUP(json_free) struct json_doc *doc = NULL;
    uint64_t index;

    if (parse(text, len, TEXT_MAX, &doc, err))
        return err->code;
    if (!json_u64(json_get(json_root(doc), "chunk_index"), &index) || index != i ||
        !json_hash(json_get(json_root(doc), "checksum"), out))
        return malformed(err, "chunk_index or checksum of a chunk");
    return ERR_OK;
}

static bool is_gzip(const uint8_t *bytes, size_t len)
{
    return len > 2 && bytes[0] == 0x1f && bytes[1] == 0x8b;
}

/* JSON never begins as gzip does, but a piece from its middle is anything: so plain is
   what has the right size and hash, and gzip what has not. */
static bool is_plain(const void *bytes, size_t len, size_t size,
                     const uint8_t checksum[32])
{
    uint8_t hash[32];

    if (len != size)
        return false;
    hash_sha256(bytes, len, hash);
    return memcmp(hash, checksum, 32) == 0;
}

enum errc chunked_open(const struct chunked_meta *m, uint32_t i,
                       const struct chunked_chunk *chunk, struct buf *out,
                       struct err *err)
{
    size_t size = chunked_size(m, i);

    out->max = size;
    if (is_plain(chunk->bytes, chunk->len, size, chunk->checksum)) {
        buf_put(out, chunk->bytes, chunk->len);
        return ERR_OK;
    }
    if (is_gzip(chunk->bytes, chunk->len) &&
        pack_gunzip(chunk->bytes, chunk->len, out, err))
        return err_wrap(err, "chunk %u", i);
    if (!is_plain(out->data, out->len, size, chunk->checksum))
        return err_fail(err, REASON_PEER_BAD_ANSWER,
                        "chunk %u is not what its checksum says", i);
    return ERR_OK;
}
