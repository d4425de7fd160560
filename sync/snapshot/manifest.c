#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/mem.h"
#include "sync/snapshot/manifest.h"

enum { ID_DIGITS = 16 };

void manifest_free(struct manifest *m)
{
    if (!m)
        return;
    free(m->signatures);
    free(m->xai);
    free(m);
}

static void *copy_of(const void *list, size_t count, size_t size)
{
    void *copy = count > 0 ? xcalloc(count, size) : NULL;

    if (copy)
        memcpy(copy, list, count * size);
    return copy;
}

struct manifest *manifest_copy(const struct manifest *m)
{
    struct manifest *copy = xcalloc(1, sizeof(*copy));

    *copy = *m;
    copy->signatures =
        copy_of(m->signatures, m->signature_count, sizeof(*m->signatures));
    copy->xai = copy_of(m->xai, m->xai_count, sizeof(*m->xai));
    return copy;
}

/* --- the text: members in the order of their names, no space anywhere --- */

static void put_hex(struct buf *out, const char *name, const uint8_t hash[32])
{
    char hex[65];

    hex_encode(hash, 32, hex);
    buf_printf(out, "\"%s\":\"%s\",", name, hex);
}

static void put_number(struct buf *out, const char *name, uint64_t value)
{
    buf_printf(out, "\"%s\":%" PRIu64 ",", name, value);
}

static void put_text(struct buf *out, const char *name, const char *value)
{
    buf_printf(out, "\"%s\":", name);
    json_write_string(value, strlen(value), out);
    buf_puts(out, ",");
}

static void put_xai(struct buf *out, const struct manifest *m)
{
    buf_puts(out, "\"xai_signatures\":[");
    for (size_t i = 0; i < m->xai_count; i++)
        buf_printf(out, "%s{\"pubkey\":\"%s\",\"signature\":\"%s\"}", i > 0 ? "," : "",
                   m->xai[i].pubkey, m->xai[i].signature);
    buf_puts(out, "],");
}

static void put_amounts(struct buf *out, const struct manifest *m)
{
    char total[U128_TEXT], work[WORK_TEXT];

    u128_text(m->total, total);
    work_text(&m->work, work);
    put_text(out, "total", total);
    put_text(out, "work", work);
}

static void put_all(const struct manifest *m, bool signatures, struct buf *out)
{
    char hex[65];

    buf_puts(out, "{");
    put_hex(out, "block_hash", m->block_hash);
    put_number(out, "bytes", m->bytes);
    put_number(out, "chunk_count", m->chunk_count);
    put_number(out, "coin_count", m->coin_count);
    put_text(out, "format", MANIFEST_FORMAT);
    put_number(out, "frames_bytes", m->frames_bytes);
    put_hex(out, "genesis_hash", m->genesis_hash);
    buf_puts(out, "\"header\":");
    header_write(&m->header, out);
    buf_puts(out, ",");
    put_number(out, "height", m->height);
    put_text(out, "network", m->network);
    if (signatures) {
        buf_puts(out, "\"signatures\":");
        trust_signed_write(m->signatures, m->signature_count, out);
        buf_puts(out, ",");
    }
    put_text(out, "software", m->software);
    put_hex(out, "state_root", m->state_root);
    put_hex(out, "table_sha256", m->table_sha256);
    put_amounts(out, m);
    if (signatures)
        put_xai(out, m);
    hex_encode(m->xai_state_hash, 32, hex);
    if (m->has_xai_state_hash)
        buf_printf(out, "\"xai_state_hash\":\"%s\"}", hex);
    else
        buf_puts(out, "\"xai_state_hash\":null}");
}

void manifest_write(const struct manifest *m, struct buf *out)
{
    put_all(m, true, out);
}

void manifest_digest(const struct manifest *m, uint8_t out[32])
{
    static const char domain[] = "cairn-manifest-v1"; /* its NUL is hashed */
    CLEANUP_BUF struct buf text = BUF(MANIFEST_MAX);

    buf_put(&text, domain, sizeof(domain));
    put_all(m, false, &text);
    hash_sha256(text.data, text.len, out);
}

/* --- names and what follows from it --- */

void manifest_id(const struct manifest *m, char out[MANIFEST_ID])
{
    uint8_t digest[32];
    char hex[65];

    manifest_digest(m, digest);
    hex_encode(digest, 32, hex);
    (void)snprintf(out, MANIFEST_ID, "%" PRIu64 "-%.*s", m->height, ID_DIGITS, hex);
}

bool manifest_id_valid(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    uint8_t half[ID_DIGITS / 2];

    return digits >= 1 && digits <= 16 && (digits == 1 || text[0] != '0') &&
           text[digits] == '-' && strlen(text + digits + 1) == ID_DIGITS &&
           hex_decode(text + digits + 1, sizeof(half), true, half);
}

struct coinfile_id manifest_coinfile_id(const struct manifest *m)
{
    struct coinfile_id id = {.height = m->height};

    memcpy(id.network, m->network, sizeof(id.network));
    memcpy(id.block_hash, m->block_hash, sizeof(id.block_hash));
    return id;
}

struct chunktable_want manifest_table(const struct manifest *m)
{
    struct chunktable_want want = {
        .chunks = m->chunk_count,
        .coins = m->coin_count,
        .bytes = m->bytes,
        .frames_bytes = m->frames_bytes,
        .total = m->total,
    };

    memcpy(want.sha256, m->table_sha256, sizeof(want.sha256));
    memcpy(want.state_root, m->state_root, sizeof(want.state_root));
    return want;
}
