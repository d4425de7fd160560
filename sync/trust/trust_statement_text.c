#include <inttypes.h>
#include <string.h>

#include "base/hex.h"
#include "base/json.h"
#include "sync/trust/trust_statement_text.h"

/* Members in the order of their names; no space anywhere. */

static void put_hex(struct buf *out, const char *name, const uint8_t *bytes, size_t len)
{
    char hex[129];

    hex_encode(bytes, len, hex);
    buf_printf(out, "\"%s\":\"%s\"", name, hex);
}

static void put_string(struct buf *out, const char *name, const char *value)
{
    buf_printf(out, "\"%s\":", name);
    json_write_string(value, strlen(value), out);
}

static void put_keys(struct buf *out, const struct trust_set *set)
{
    char text[TRUST_KEY_TEXT];

    buf_puts(out, "\"keys\":[");
    for (size_t i = 0; i < set->key_count; i++) {
        trust_key_text(&set->keys[i], text);
        buf_printf(out, "%s\"%s\"", i > 0 ? "," : "", text);
    }
    buf_puts(out, "],");
}

static void put_signatures(struct buf *out, const struct trust_statement *s)
{
    buf_puts(out, "\"signatures\":");
    trust_signed_write(s->signatures, s->signature_count, out);
    buf_puts(out, ",");
}

/* Between "genesis_hash" and "network", and between "network" and "type". */
static void put_set(struct buf *out, const struct trust_statement *s, bool signatures)
{
    put_keys(out, s->set);
    put_string(out, "network", s->network);
    buf_puts(out, ",");
    put_hex(out, "previous", s->set->previous, 32);
    buf_printf(out, ",\"sequence\":%" PRIu64 ",", s->set->sequence);
    if (signatures)
        put_signatures(out, s);
    buf_printf(out, "\"threshold\":%u,", s->set->threshold);
}

static void put_block(struct buf *out, const struct trust_statement *s, bool signatures)
{
    buf_printf(out, "\"height\":%" PRIu64 ",", s->height);
    put_string(out, "network", s->network);
    buf_puts(out, ",");
    if (s->type == TRUST_REVOCATION) {
        put_string(out, "reason", s->reason);
        buf_puts(out, ",");
    }
    if (signatures)
        put_signatures(out, s);
    if (s->type == TRUST_ATTESTATION) {
        put_hex(out, "state_root", s->state_root, 32);
        buf_puts(out, ",");
    }
}

void trust_statement_text_body(const struct trust_statement *s, bool with_signatures,
                               struct buf *out)
{
    buf_puts(out, "{");
    if (s->type != TRUST_SIGNER_SET) {
        put_hex(out, "block_hash", s->block_hash, 32);
        buf_puts(out, ",");
    }
    put_hex(out, "genesis_hash", s->genesis_hash, 32);
    buf_puts(out, ",");
    if (s->type == TRUST_SIGNER_SET)
        put_set(out, s, with_signatures);
    else
        put_block(out, s, with_signatures);
    put_string(out, "type", trust_statement_type_name(s->type));
    buf_puts(out, "}");
}
