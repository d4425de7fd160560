#include <inttypes.h>
#include <string.h>

#include "base/hex.h"
#include "base/json.h"
#include "base/mem.h"
#include "sync/peer/hello.h"
#include "sync/peer/signed.h"

static const struct json_limits limits = {
    .max_bytes = 4096, .max_nodes = 64, .max_depth = 4};

char *hello_url(const char *base, const uint8_t nonce[32])
{
    char hex[65];

    hex_encode(nonce, 32, hex);
    return xasprintf("%s/peer/v1/hello?nonce=%s", base, hex);
}

static void put_hash(const char *key, const uint8_t hash[32], struct buf *out)
{
    char hex[65];

    hex_encode(hash, 32, hex);
    buf_printf(out, "\"%s\":\"%s\",", key, hex);
}

static void put_from(const char *key, bool has, uint64_t from, struct buf *out)
{
    if (has)
        buf_printf(out, "\"%s\":%" PRIu64 ",", key, from);
    else
        buf_printf(out, "\"%s\":null,", key);
}

/* Keys in canonical order. */
void hello_write(const struct hello *h, const uint8_t nonce[32], struct buf *out)
{
    char work[WORK_TEXT];

    buf_puts(out, "{");
    put_from("blocks_from", h->has_blocks, h->blocks_from, out);
    put_hash("genesis", h->genesis, out);
    put_from("headers_from", h->has_headers, h->headers_from, out);
    put_hash("identity", h->identity, out);
    buf_puts(out, "\"network\":");
    json_write_string(h->network, strlen(h->network), out);
    buf_puts(out, ",");
    put_hash("nonce", nonce, out);
    if (h->snapshots)
        buf_printf(out, "\"snapshots\":%s,", h->snapshots);
    buf_puts(out, "\"software\":");
    json_write_string(h->software, strlen(h->software), out);
    if (!h->has_tip) {
        buf_puts(out, ",\"tip\":null}");
        return;
    }
    work_text(&h->tip_work, work);
    buf_puts(out, ",\"tip\":{");
    put_hash("hash", h->tip_hash, out);
    buf_printf(out, "\"height\":%" PRIu64 ",\"work\":\"%s\"}}", h->tip_height, work);
}

static enum errc bad(const char *what, struct err *err)
{
    return err_fail(err, REASON_PEER_BAD_ANSWER, "hello: %s", what);
}

static bool read_plain(const struct json *v, char *out, size_t room)
{
    const char *text;

    if (!json_text(v, &text) || v->len == 0 || v->len >= room ||
        json_plain(text, v->len) != v->len)
        return false;
    memcpy(out, text, v->len + 1);
    return true;
}

static bool read_from(const struct json *v, bool *has, uint64_t *from)
{
    *has = v && v->type != JSON_NULL;
    return v && (!*has || json_u64(v, from));
}

static bool read_tip(const struct json *v, struct hello *out)
{
    const char *work;

    out->has_tip = v && v->type != JSON_NULL;
    if (!out->has_tip)
        return v != NULL;
    return json_u64(json_get(v, "height"), &out->tip_height) &&
           json_hash(json_get(v, "hash"), out->tip_hash) &&
           json_text(json_get(v, "work"), &work) && work_parse(work, &out->tip_work);
}

enum errc hello_read(const char *text, size_t len, const uint8_t nonce[32],
                     struct hello *out, struct err *err)
{
    CLEANUP(json_free) struct json_doc *doc = NULL;
    const struct json *v;
    struct hello h = {0};
    uint8_t answered[32];

    if (signed_read("hello", text, len, &limits, &doc, &v, h.identity, err) != ERR_OK)
        return err->code;
    if (!json_hash(json_get(v, "nonce"), answered) ||
        memcmp(answered, nonce, sizeof(answered)) != 0)
        return bad("not the answer to our nonce", err);
    if (!read_plain(json_get(v, "network"), h.network, sizeof(h.network)) ||
        !json_hash(json_get(v, "genesis"), h.genesis))
        return bad("no network or no genesis", err);
    if (!read_plain(json_get(v, "software"), h.software, sizeof(h.software)))
        return bad("software is no short plain text", err);
    if (!read_tip(json_get(v, "tip"), &h))
        return bad("tip has no height, hash and work", err);
    if (!read_from(json_get(v, "headers_from"), &h.has_headers, &h.headers_from) ||
        !read_from(json_get(v, "blocks_from"), &h.has_blocks, &h.blocks_from))
        return bad("headers_from or blocks_from is no height", err);
    *out = h;
    return ERR_OK;
}
