/* Frames of peers: what opens, opens again with the same payload when sealed anew; what
   is a message is within its bounds. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sync/p2p/envelope.h"
#include "sync/p2p/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The frames of the corpus are from the minutes before. */
static const int64_t now_ms = INT64_C(1795332530000);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static const struct p2p_key *key(void)
{
    static struct p2p_key *k; /* kept until the end */
    char path[] = "/tmp/fuzz_p2p.XXXXXX";
    struct err err;

    if (k)
        return k;
    must(close(mkstemp(path)) == 0 && unlink(path) == 0);
    must(p2p_key_open(path, &k, &err) == ERR_OK);
    (void)unlink(path);
    return k;
}

static bool is_text(const char *text, size_t max)
{
    return text && strlen(text) <= max;
}

static bool is_number(uint64_t n)
{
    return n < UINT64_C(1) << 53;
}

static void check_range(const struct message *m)
{
    uint64_t index, expected = m->u.chain_range.offset;

    must(is_number(expected) && is_number(m->u.chain_range.total));
    must(m->u.chain_range.blocks->len <= MESSAGE_RANGE_MAX);
    for (const struct json *b = m->u.chain_range.blocks->first; b; b = b->next)
        must(json_u64(json_get(b, "index"), &index) && index == expected++);
}

static void check_lists(const struct message *m)
{
    if (m->type == MESSAGE_INV || m->type == MESSAGE_GETDATA)
        must(m->u.inventory.count <= MESSAGE_HASHES_MAX);
    if (m->type != MESSAGE_PEERS)
        return;
    must(m->u.peers.count <= MESSAGE_PEERS_MAX);
    for (size_t i = 0; i < m->u.peers.count; i++)
        must(is_text(m->u.peers.uris[i], MESSAGE_TEXT_MAX));
}

static void check_members(const struct message *m)
{
    if (m->type == MESSAGE_HANDSHAKE)
        must(is_text(m->u.handshake.version, MESSAGE_TEXT_MAX) &&
             is_text(m->u.handshake.node_id, MESSAGE_TEXT_MAX) &&
             is_number(m->u.handshake.height) &&
             (!m->u.handshake.api_endpoint ||
              is_text(m->u.handshake.api_endpoint, MESSAGE_TEXT_MAX)));
    if (m->type == MESSAGE_CHECKPOINT && m->u.checkpoint.some)
        must(is_number(m->u.checkpoint.height) &&
             (!m->u.checkpoint.url || is_text(m->u.checkpoint.url, 2047)));
    if (m->type == MESSAGE_CHECKPOINT_REQUEST)
        must(is_number(m->u.checkpoint_request.height));
    if (m->type == MESSAGE_CHECKPOINT_PAYLOAD)
        must(m->u.checkpoint_payload->type == JSON_OBJECT);
    if (m->type == MESSAGE_BLOCK)
        must(m->u.block->type == JSON_OBJECT);
    if (m->type == MESSAGE_GET_CHAIN_RANGE)
        must(is_number(m->u.get_chain_range.offset) &&
             m->u.get_chain_range.limit <= MESSAGE_RANGE_MAX);
    if (m->type == MESSAGE_CHUNK_REQUEST)
        must(is_text(m->u.chunk_request.snapshot_id, MESSAGE_TEXT_MAX) &&
             is_number(m->u.chunk_request.index));
}

static void check_message(const struct json *payload)
{
    static struct message m;
    struct err err = {.code = ERR_OK};

    if (message_parse(payload, &m, &err) != ERR_OK) {
        must(err.reason == REASON_PEER_BAD_MESSAGE);
        return;
    }
    check_lists(&m);
    check_members(&m);
    if (m.type == MESSAGE_CHAIN_RANGE)
        check_range(&m);
}

/* payload: canonical text of an object. */
static void check_seal(const struct buf *payload)
{
    CLEANUP_BUF struct buf sealed = BUF(ENVELOPE_MAX), again = BUF(8U << 20);
    struct envelope e = {0};
    struct err err;

    envelope_seal(key(), payload->data, payload->len, now_ms, &sealed);
    if (sealed.full) {
        must(payload->len > ENVELOPE_MAX - 1024);
        return;
    }
    must(envelope_open(sealed.data, sealed.len, now_ms, false, &e, &err) == ERR_OK);
    json_write(e.payload, JSON_CANON, &again);
    must(again.len == payload->len &&
         memcmp(again.data, payload->data, again.len) == 0);
    envelope_fini(&e);
}

static void check_payload(const struct json *payload)
{
    CLEANUP_BUF struct buf text = BUF(8U << 20);

    check_message(payload);
    json_write(payload, JSON_CANON, &text);
    must(!text.full);
    if (payload->type == JSON_OBJECT)
        check_seal(&text);
}

static void check_frame(const char *text, size_t left)
{
    const char *piece;
    size_t len;

    while (envelope_next(&text, &left, &piece, &len)) {
        struct envelope e = {0};
        struct err err = {.code = ERR_OK};

        must(len > 0 && memchr(piece, '\n', len) == NULL);
        if (envelope_open(piece, len, now_ms, true, &e, &err) == ERR_OK)
            check_payload(e.payload);
        else
            must(err.reason == REASON_PEER_BAD_ENVELOPE && !e.doc);
        envelope_fini(&e);
    }
}

/* A frame; and, since no fuzzer makes signatures, what could be in one. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct json_limits limits = {ENVELOPE_MAX, 1U << 16, 60};
    CLEANUP(json_free) struct json_doc *doc = NULL;
    struct err err;

    if (size > 1U << 16)
        return 0;
    check_frame((const char *)data, size);
    if (json_parse((const char *)data, size, &limits, &doc, &err) == ERR_OK)
        check_payload(json_root(doc));
    return 0;
}
