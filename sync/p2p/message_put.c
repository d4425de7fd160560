#include <inttypes.h>
#include <string.h>

#include "base/hex.h"
#include "sync/p2p/message.h"

/* Members in the order of canonical text. */

static void close_message(enum message_type type, struct buf *out)
{
    buf_printf(out, ",\"type\":\"%s\"}", message_type_name(type));
}

static void put_text(const char *text, struct buf *out)
{
    if (text)
        json_write_string(text, strlen(text), out);
    else
        buf_puts(out, "null");
}

void message_put_handshake(const struct message_self *self, struct buf *out)
{
    buf_puts(out, "{\"payload\":{\"api_endpoint\":");
    put_text(self->api_endpoint, out);
    buf_printf(out, ",\"features\":[\"ws\"],\"height\":%" PRIu64 ",\"node_id\":",
               self->height);
    put_text(self->node_id, out);
    buf_puts(out, ",\"version\":\"1\"}");
    close_message(MESSAGE_HANDSHAKE, out);
}

void message_put_plain(enum message_type type, struct buf *out)
{
    buf_printf(out, "{\"type\":\"%s\"}", message_type_name(type));
}

void message_put_get_range(uint64_t offset, uint64_t limit, struct buf *out)
{
    buf_printf(out,
               "{\"payload\":{\"include_pending\":false,\"limit\":%" PRIu64
               ",\"offset\":%" PRIu64 "}",
               limit, offset);
    close_message(MESSAGE_GET_CHAIN_RANGE, out);
}

/* As captured: an inv names what there is, a getdata both lists. */
void message_put_hashes(enum message_type type, const uint8_t *hashes, size_t count,
                        struct buf *out)
{
    buf_puts(out, "{\"payload\":{\"blocks\":[");
    for (size_t i = 0; i < count; i++) {
        char hex[65];

        hex_encode(hashes + 32 * i, 32, hex);
        buf_printf(out, "%s\"%s\"", i > 0 ? "," : "", hex);
    }
    buf_puts(out, type == MESSAGE_GETDATA ? "],\"transactions\":[]}" : "]}");
    close_message(type, out);
}

void message_put_checkpoint_request(bool want_payload, struct buf *out)
{
    buf_printf(out, "{\"payload\":{\"want_payload\":%s}",
               want_payload ? "true" : "false");
    close_message(MESSAGE_CHECKPOINT_REQUEST, out);
}

void message_put_value(enum message_type type, const char *value, size_t len,
                       struct buf *out)
{
    buf_puts(out, "{\"payload\":");
    buf_put(out, value, len);
    close_message(type, out);
}
