#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hex.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/pack.h"
#include "base/pyfloat.h"
#include "sync/answers.h"
#include "sync/engine.h"
#include "sync/reads.h"
#include "sync/serve/serve_chunks.h"
#include "sync/serve/serve_payload.h"

enum { FRAME_ROOM = 512, BODY_MAX = 16 << 20 };

struct answers {
    struct engine *engine;
    struct reads *reads;
    char *data_dir, *public_url;
    struct p2p_answers table;
};

/* What is not there is nothing to tell the log about; a disk that fails is. */
static bool note(const struct err *err)
{
    if (err->code == ERR_IO)
        log_warn("a peer's question was not answered", KV_S("detail", err->msg));
    return false;
}

static uint64_t count(void *arg)
{
    const struct answers *a = arg;
    struct engine_status s;

    engine_status(a->engine, &s);
    return s.has_tip ? s.tip_height + 1 : 0;
}

static bool peers(void *arg, struct buf *out)
{
    const struct answers *a = arg;

    (void)engine_peers_told(a->engine, out);
    return true;
}

/* --- blocks --- */

/* *found false: the active chain has no body there. */
static enum errc body_at(struct reader *r, uint64_t height, bool *found,
                         struct chaindb_header *h, struct buf *out, struct err *err)
{
    if (chaindb_active_at(r->chain, height, found, h, err) || !*found)
        return err->code;
    return chaindb_body_get(r->chain, h->hash, found, out, err);
}

static void put_frame(uint64_t offset, uint64_t limit, uint64_t n, uint64_t total,
                      uint32_t difficulty, struct buf *out)
{
    bool more = offset + n < total;

    buf_printf(out,
               "],\"difficulty\":%" PRIu32 ",\"pagination\":{\"count\":%" PRIu64
               ",\"has_more\":%s,\"limit\":%" PRIu64 ",\"next_offset\":",
               difficulty, n, more ? "true" : "false", limit);
    if (more)
        buf_printf(out, "%" PRIu64, offset + n);
    else
        buf_puts(out, "null");
    buf_printf(out, ",\"offset\":%" PRIu64 ",\"total_blocks\":%" PRIu64 "}", offset,
               total);
    buf_printf(out, ",\"stats\":{\"blocks\":%" PRIu64 ",\"difficulty\":%" PRIu32 "}}",
               total, difficulty);
}

static enum errc put_range(struct reader *r, uint64_t offset, uint64_t limit,
                           size_t max, struct buf *out, struct err *err)
{
    struct chaindb_header h = {0};
    struct state_tip tip;
    uint64_t n = 0;
    bool found = true;

    if (state_get_tip(r->state, &tip, err))
        return err->code;
    buf_puts(out, "{\"chain\":[");
    while (n < limit && offset + n <= tip.height) {
        CLEANUP_BUF struct buf body = BUF(BODY_MAX);

        if (body_at(r, offset + n, &found, &h, &body, err))
            return err->code;
        if (!found || out->len + body.len + FRAME_ROOM > max)
            break;
        if (n++ > 0)
            buf_puts(out, ",");
        buf_put(out, body.data, body.len);
    }
    put_frame(offset, limit, n, tip.height + 1, h.difficulty, out);
    return ERR_OK;
}

static bool range(void *arg, uint64_t offset, uint64_t limit, size_t max,
                  struct buf *out)
{
    const struct answers *a = arg;
    CLEANUP(reader_release) struct reader *r = NULL;
    struct err err;

    if (offset > INT64_MAX)
        return false;
    if (reads_chain(a->reads, &r, &err) || put_range(r, offset, limit, max, out, &err))
        return note(&err);
    return !out->full;
}

static bool block(void *arg, const uint8_t hash[32], size_t max, struct buf *out)
{
    const struct answers *a = arg;
    CLEANUP(reader_release) struct reader *r = NULL;
    struct chaindb_header h, active;
    struct err err;
    bool found;

    if (reads_chain(a->reads, &r, &err) ||
        chaindb_header_get(r->chain, hash, &found, &h, &err))
        return note(&err);
    if (!found)
        return false;
    if (chaindb_active_at(r->chain, h.height, &found, &active, &err))
        return note(&err);
    if (!found || memcmp(active.hash, hash, 32) != 0)
        return false;
    if (chaindb_body_get(r->chain, hash, &found, out, &err))
        return note(&err);
    return found && out->len <= max && !out->full;
}

/* --- the checkpoint --- */

static void put_url(const struct answers *a, const struct engine_status *s,
                    struct buf *out)
{
    uint64_t len;
    int fd = serve_payload_open(a->data_dir, s->generation, &len);
    char hash[65];

    if (fd < 0)
        return;
    (void)close(fd);
    hex_encode(s->checkpoint_hash, 32, hash);
    if (len <= P2P_PAYLOAD_MAX)
        buf_puts(out, ",\"url\":\"" P2P_URL_ASK "\"");
    else if (a->public_url[0] != '\0')
        buf_printf(out, ",\"url\":\"%s/peer/v1/payload/%s\"", a->public_url, hash);
}

static bool checkpoint(void *arg, struct buf *out)
{
    const struct answers *a = arg;
    CLEANUP(reader_release) struct reader *r = NULL;
    struct chaindb_header h = {0};
    char hash[65], time[PYFLOAT_TEXT];
    struct engine_status s;
    struct err err;
    bool found;

    engine_status(a->engine, &s);
    if (!s.has_checkpoint)
        return false;
    if (reads_chain(a->reads, &r, &err) ||
        chaindb_header_get(r->chain, s.checkpoint_hash, &found, &h, &err))
        return note(&err);
    hex_encode(s.checkpoint_hash, 32, hash);
    (void)pyfloat_repr(found ? h.timestamp : 0.0, time);
    buf_printf(out,
               "{\"block_hash\":\"%s\",\"height\":%" PRIu64
               ",\"source\":\"local\",\"timestamp\":%s",
               hash, s.checkpoint_height, time);
    put_url(a, &s, out);
    buf_puts(out, "}");
    return !out->full;
}

static bool read_all(int fd, uint64_t len, struct buf *out)
{
    char piece[65536];

    while (len > 0) {
        ssize_t n = read(fd, piece, len < sizeof(piece) ? len : sizeof(piece));

        if (n <= 0)
            return false;
        buf_put(out, piece, (size_t)n);
        len -= (uint64_t)n;
    }
    return !out->full;
}

/* It may have come in any spelling; envelopes are signed over the canonical one. */
static bool put_canonical(const struct buf *text, struct buf *out)
{
    CLEANUP(json_free) struct json_doc *doc = NULL;
    const struct json_limits limits = JSON_LIMITS_BLOCK;
    struct err err;

    if (json_parse(text->data, text->len, &limits, &doc, &err))
        return false;
    json_write(json_root(doc), JSON_CANON, out);
    return !out->full;
}

static bool payload(void *arg, const uint64_t *height, size_t max, struct buf *out)
{
    const struct answers *a = arg;
    CLEANUP_BUF struct buf text = BUF(P2P_PAYLOAD_MAX);
    struct engine_status s;
    uint64_t len;
    bool ok;
    int fd;

    engine_status(a->engine, &s);
    if (!s.has_checkpoint || (height && *height != s.checkpoint_height))
        return false;
    fd = serve_payload_open(a->data_dir, s.generation, &len);
    if (fd < 0)
        return false;
    ok = len <= P2P_PAYLOAD_MAX && read_all(fd, len, &text);
    (void)close(fd);
    return ok && put_canonical(&text, out) && out->len <= max;
}

/* As much of it as one message holds: packed, and in base64. */
static bool put_chunk(const char *id, uint64_t index, const struct serve_chunk *c,
                      struct buf *out)
{
    CLEANUP_BUF struct buf packed = BUF(SERVE_CHUNK_MAX);
    AUTOFREE char *bytes = NULL, *text = NULL;
    size_t room;

    if (c->len > SERVE_CHUNK_MAX)
        return false;
    bytes = xcalloc((size_t)c->len + 1, 1);
    if (pread(c->fd, bytes, (size_t)c->len, 0) != (ssize_t)c->len)
        return false;
    pack_gzip(bytes, (size_t)c->len, &packed);
    if (packed.full)
        return false;
    room = sodium_base64_ENCODED_LEN(packed.len, sodium_base64_VARIANT_ORIGINAL);
    text = xcalloc(room, 1);
    (void)sodium_bin2base64(text, room, (const unsigned char *)packed.data, packed.len,
                            sodium_base64_VARIANT_ORIGINAL);
    buf_printf(out,
               "{\"checksum\":\"%s\",\"chunk_index\":%" PRIu64
               ",\"compressed\":true,\"data\":\"",
               c->checksum, index);
    buf_puts(out, text);
    buf_printf(out,
               "\",\"size_bytes\":%" PRIu64
               ",\"snapshot_id\":\"%s\",\"total_chunks\":%" PRIu32 "}",
               c->len, id, c->chunks);
    return !out->full;
}

/* Stock has no answer to this; ours has the fields of its chunk files, and the bytes.
 */
static bool chunk(void *arg, const char *snapshot_id, uint64_t index, size_t max,
                  struct buf *out)
{
    const struct answers *a = arg;
    struct serve_chunk c;
    bool ok;

    if (!serve_chunks_open(a->data_dir, snapshot_id, index, &c))
        return false;
    ok = put_chunk(snapshot_id, index, &c, out);
    (void)close(c.fd);
    return ok && out->len <= max;
}

struct answers *answers_create(struct engine *engine, const char *data_dir,
                               const char *public_url)
{
    struct answers *a = xcalloc(1, sizeof(*a));

    a->engine = engine;
    a->reads = reads_create(engine, data_dir);
    a->data_dir = xstrdup(data_dir);
    a->public_url = xstrdup(public_url ? public_url : "");
    a->table = (struct p2p_answers){.arg = a,
                                    .count = count,
                                    .peers = peers,
                                    .checkpoint = checkpoint,
                                    .payload = payload,
                                    .range = range,
                                    .block = block,
                                    .chunk = chunk};
    return a;
}

const struct p2p_answers *answers_table(const struct answers *a)
{
    return &a->table;
}

void answers_free(struct answers *a)
{
    if (!a)
        return;
    reads_free(a->reads);
    free(a->data_dir);
    free(a->public_url);
    free(a);
}
