#include <inttypes.h>
#include <string.h>

#include "base/hex.h"
#include "base/pyfloat.h"
#include "sync/chain/header.h"

static void put_hash(const char *key, const uint8_t hash[32], struct buf *out)
{
    char hex[65];

    hex_encode(hash, 32, hex);
    buf_printf(out, "\"%s\":\"%s\",", key, hex);
}

static void put_optional(const char *key, const char *text, struct buf *out)
{
    buf_printf(out, "\"%s\":", key);
    if (text[0] == '\0')
        buf_puts(out, "null");
    else
        json_write_string(text, strlen(text), out);
    buf_puts(out, ",");
}

void header_write(const struct header *h, struct buf *out)
{
    char time[PYFLOAT_TEXT];

    (void)pyfloat_repr(h->timestamp, time);
    buf_printf(out, "{\"difficulty\":%" PRIu32 ",", h->difficulty);
    put_hash("hash", h->hash, out);
    buf_printf(out, "\"index\":%" PRIu64 ",", h->height);
    put_hash("merkle_root", h->merkle_root, out);
    put_optional("miner_pubkey", h->miner_pubkey, out);
    buf_printf(out, "\"nonce\":%" PRIu64 ",", h->nonce);
    put_hash("previous_hash", h->prev, out);
    put_optional("signature", h->signature, out);
    buf_printf(out, "\"timestamp\":%s", time);
    if (h->has_version)
        buf_printf(out, ",\"version\":%" PRIu64, h->version);
    buf_puts(out, "}");
}
