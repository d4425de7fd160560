#include <sodium.h>
#include <string.h>

#include "base/hex.h"
#include "sync/peer/signed.h"

void signed_message(const char *what, const char *body, size_t len, struct buf *out)
{
    buf_printf(out, "cairn-%s-v1", what);
    buf_put(out, "", 1);
    buf_put(out, body, len);
}

void signed_write(const char *what, const char *body, size_t len,
                  const uint8_t signature[64], struct buf *out)
{
    char hex[129];

    hex_encode(signature, 64, hex);
    buf_printf(out, "{\"%s\":", what);
    buf_put(out, body, len);
    buf_printf(out, ",\"signature\":\"%s\"}\n", hex);
}

/* The body is written again: only canonical text has the signature. */
static bool fits(const char *what, const struct json *body, const uint8_t key[32],
                 const uint8_t signature[64], size_t max)
{
    CLEANUP_BUF struct buf text = BUF(max), message = BUF(max + 64);

    json_write(body, JSON_CANON, &text);
    if (text.full)
        return false;
    signed_message(what, text.data, text.len, &message);
    return crypto_sign_verify_detached(signature, (const uint8_t *)message.data,
                                       message.len, key) == 0;
}

/* NOLINTNEXTLINE(readability-function-size): what, of what, and what is in it */
enum errc signed_read(const char *what, const char *text, size_t len,
                      const struct json_limits *limits, struct json_doc **doc,
                      const struct json **body, uint8_t identity[32], struct err *err)
{
    CLEANUP(json_free) struct json_doc *d = NULL;
    uint8_t key[32], signature[64];
    const struct json *root, *b;
    const char *hex;

    if (json_parse(text, len, limits, &d, err) != ERR_OK) {
        const struct err cause = *err;

        return err_fail(err, REASON_PEER_BAD_ANSWER, "%s: %.180s", what, cause.msg);
    }
    root = json_root(d);
    b = json_get(root, what);
    if (!json_text(json_get(root, "signature"), &hex) || strlen(hex) != 128 ||
        !hex_decode(hex, 64, true, signature) ||
        !json_hash(json_get(b, "identity"), key))
        return err_fail(err, REASON_PEER_BAD_ANSWER, "%s: no signature or no identity",
                        what);
    if (!fits(what, b, key, signature, limits->max_bytes))
        return err_fail(err, REASON_PEER_BAD_ANSWER,
                        "%s: the signature is not that of its identity", what);
    memcpy(identity, key, sizeof(key));
    *body = b;
    *doc = TAKE(d);
    return ERR_OK;
}
