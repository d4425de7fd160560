#include <stdbool.h>
#include <string.h>

#include "sync/p2p/message.h"

enum { RANGE_DEFAULT = 100, URL_TEXT_MAX = 2047 };
#define NUMBER_END (UINT64_C(1) << 53) /* heights and counts, as everywhere */

static const char *const names[] = {
#define X(id, name) name,
    MESSAGE_TYPES(X)
#undef X
        "other",
};

const char *message_type_name(enum message_type type)
{
    return names[type];
}

static enum message_type type_of(const char *name)
{
    for (int i = 0; i < MESSAGE_OTHER; i++)
        if (strcmp(names[i], name) == 0)
            return (enum message_type)i;
    return MESSAGE_OTHER;
}

static enum errc bad(struct err *err, const struct message *m, const char *member)
{
    return err_fail(err, REASON_PEER_BAD_MESSAGE, "%s: %s", names[m->type], member);
}

static bool number(const struct json *v, uint64_t *out)
{
    uint64_t n;

    if (!json_u64(v, &n) || n >= NUMBER_END)
        return false;
    *out = n;
    return true;
}

static bool text(const struct json *v, size_t max, const char **out)
{
    return v && v->len <= max && json_text(v, out);
}

/* Absent is the same as null. */
static bool number_or(const struct json *v, uint64_t fallback, uint64_t *out)
{
    if (!json_is_null(v))
        return number(v, out);
    *out = fallback;
    return true;
}

static bool text_or_null(const struct json *v, size_t max, const char **out)
{
    return json_is_null(v) || text(v, max, out);
}

static bool is_object(const struct json *v)
{
    return v && v->type == JSON_OBJECT;
}

static enum errc read_handshake(const struct json *v, struct message *m,
                                struct err *err)
{
    if (!text(json_get(v, "version"), MESSAGE_TEXT_MAX, &m->u.handshake.version))
        return bad(err, m, "version is no text");
    if (!text(json_get(v, "node_id"), MESSAGE_TEXT_MAX, &m->u.handshake.node_id))
        return bad(err, m, "node_id is no text");
    if (!number(json_get(v, "height"), &m->u.handshake.height))
        return bad(err, m, "height is no count");
    if (!text_or_null(json_get(v, "api_endpoint"), MESSAGE_TEXT_MAX,
                      &m->u.handshake.api_endpoint))
        return bad(err, m, "api_endpoint is no text");
    return ERR_OK;
}

/* A stock node passes on what others told it: an address too long is skipped. */
static enum errc read_peers(const struct json *v, struct message *m, struct err *err)
{
    if (!v || v->type != JSON_ARRAY)
        return bad(err, m, "payload is no array");
    for (const struct json *uri = v->first; uri; uri = uri->next) {
        const char *s;

        if (m->u.peers.count == MESSAGE_PEERS_MAX)
            break;
        if (uri->type != JSON_STRING)
            return bad(err, m, "an address is no text");
        if (text(uri, MESSAGE_TEXT_MAX, &s))
            m->u.peers.uris[m->u.peers.count++] = s;
    }
    return ERR_OK;
}

/* What another node said, passed on unverified, is no fault of who passes it on. */
static enum errc read_checkpoint(const struct json *v, struct message *m,
                                 struct err *err)
{
    const char *source;
    const char *wrong = NULL;

    if (json_is_null(v))
        return ERR_OK;
    if (!is_object(v))
        return bad(err, m, "payload is no object");
    m->u.checkpoint.own =
        json_text(json_get(v, "source"), &source) && strcmp(source, "local") == 0;
    if (!number(json_get(v, "height"), &m->u.checkpoint.height))
        wrong = "height is no height";
    else if (!json_hash(json_get(v, "block_hash"), m->u.checkpoint.block_hash))
        wrong = "block_hash is no hash";
    else if (!text_or_null(json_get(v, "url"), URL_TEXT_MAX, &m->u.checkpoint.url))
        wrong = "url is no text";
    if (wrong && m->u.checkpoint.own)
        return bad(err, m, wrong);
    m->u.checkpoint.some = !wrong;
    return ERR_OK;
}

static enum errc read_checkpoint_request(const struct json *v, struct message *m,
                                         struct err *err)
{
    const struct json *want = json_get(v, "want_payload"),
                      *height = json_get(v, "height");

    if (!is_object(v))
        return bad(err, m, "payload is no object");
    if (want && want->type != JSON_BOOL)
        return bad(err, m, "want_payload is no boolean");
    m->u.checkpoint_request.want_payload = want && want->boolean;
    m->u.checkpoint_request.has_height = !json_is_null(height);
    if (!number_or(height, 0, &m->u.checkpoint_request.height))
        return bad(err, m, "height is no height");
    return ERR_OK;
}

static enum errc read_get_chain_range(const struct json *v, struct message *m,
                                      struct err *err)
{
    uint64_t limit;

    if (!is_object(v))
        return bad(err, m, "payload is no object");
    if (!number_or(json_get(v, "offset"), 0, &m->u.get_chain_range.offset))
        return bad(err, m, "offset is no height");
    if (!number_or(json_get(v, "limit"), RANGE_DEFAULT, &limit))
        return bad(err, m, "limit is no count");
    m->u.get_chain_range.limit = limit < MESSAGE_RANGE_MAX ? limit : MESSAGE_RANGE_MAX;
    return ERR_OK;
}

static enum errc read_chain_range(const struct json *v, struct message *m,
                                  struct err *err)
{
    const struct json *chain = json_get(v, "chain"), *page = json_get(v, "pagination");
    uint64_t index, expected;

    if (!chain || chain->type != JSON_ARRAY || chain->len > MESSAGE_RANGE_MAX)
        return bad(err, m, "chain is no array of at most 100 blocks");
    if (!number(json_get(page, "offset"), &m->u.chain_range.offset) ||
        !number(json_get(page, "total_blocks"), &m->u.chain_range.total))
        return bad(err, m, "pagination lacks offset or total_blocks");
    expected = m->u.chain_range.offset;
    for (const struct json *block = chain->first; block; block = block->next)
        if (!json_u64(json_get(block, "index"), &index) || index != expected++)
            return bad(err, m, "a block is not at its place");
    m->u.chain_range.blocks = chain;
    return ERR_OK;
}

static enum errc read_inventory(const struct json *v, struct message *m,
                                struct err *err)
{
    const struct json *blocks = json_get(v, "blocks");

    if (!is_object(v))
        return bad(err, m, "payload is no object");
    if (json_is_null(blocks))
        return ERR_OK; /* of transactions */
    if (blocks->type != JSON_ARRAY)
        return bad(err, m, "blocks is no array");
    for (const struct json *hash = blocks->first; hash; hash = hash->next) {
        if (m->u.inventory.count == MESSAGE_HASHES_MAX)
            break;
        if (!json_hash(hash, m->u.inventory.hashes[m->u.inventory.count]))
            return bad(err, m, "a hash is none");
        m->u.inventory.count++;
    }
    return ERR_OK;
}

static enum errc read_chunk_request(const struct json *v, struct message *m,
                                    struct err *err)
{
    if (!text(json_get(v, "snapshot_id"), MESSAGE_TEXT_MAX,
              &m->u.chunk_request.snapshot_id))
        return bad(err, m, "snapshot_id is no text");
    if (!number(json_get(v, "chunk_index"), &m->u.chunk_request.index))
        return bad(err, m, "chunk_index is no count");
    return ERR_OK;
}

static enum errc read_object(const struct json *v, const struct json **out,
                             const struct message *m, struct err *err)
{
    if (!is_object(v))
        return bad(err, m, "payload is no object");
    *out = v;
    return ERR_OK;
}

static enum errc read_payload(const struct json *v, struct message *m, struct err *err)
{
    switch (m->type) {
    case MESSAGE_HANDSHAKE:
        return read_handshake(v, m, err);
    case MESSAGE_PEERS:
        return read_peers(v, m, err);
    case MESSAGE_CHECKPOINT:
        return read_checkpoint(v, m, err);
    case MESSAGE_CHECKPOINT_REQUEST:
        return read_checkpoint_request(v, m, err);
    case MESSAGE_CHECKPOINT_PAYLOAD:
        return read_object(v, &m->u.checkpoint_payload, m, err);
    case MESSAGE_GET_CHAIN_RANGE:
        return read_get_chain_range(v, m, err);
    case MESSAGE_CHAIN_RANGE:
        return read_chain_range(v, m, err);
    case MESSAGE_INV:
    case MESSAGE_GETDATA:
        return read_inventory(v, m, err);
    case MESSAGE_BLOCK:
        return read_object(v, &m->u.block, m, err);
    case MESSAGE_CHUNK_REQUEST:
        return read_chunk_request(v, m, err);
    case MESSAGE_PING: /* what comes with these is not looked at */
    case MESSAGE_PONG:
    case MESSAGE_GET_PEERS:
    case MESSAGE_GET_CHECKPOINT:
    case MESSAGE_GET_CHAIN:
    case MESSAGE_CHUNK_RESPONSE:
    case MESSAGE_OTHER:
        return ERR_OK;
    }
    return ERR_OK;
}

enum errc message_parse(const struct json *payload, struct message *out,
                        struct err *err)
{
    const char *name;

    *out = (struct message){.type = MESSAGE_OTHER};
    if (!json_text(json_get(payload, "type"), &name))
        return err_fail(err, REASON_PEER_BAD_MESSAGE, "type is no text");
    out->type = type_of(name);
    return read_payload(json_get(payload, "payload"), out, err);
}
