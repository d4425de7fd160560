#include <openssl/evp.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "sync/p2p/upgrade.h"

enum { KEY_BYTES = 16, SHA1_BYTES = 20, VALUE_MAX = 1024 };

/* What the fields say that an upgrade looks at. */
struct fields {
    bool host, upgrade, connection, version, other_version, extensions, protocol, body;
    char key[UPGRADE_KEY], accept[UPGRADE_ACCEPT];
};

size_t upgrade_head_end(const char *data, size_t len, size_t from)
{
    size_t start = from > 3 ? from - 3 : 0;
    const char *end =
        len > start ? memmem(data + start, len - start, "\r\n\r\n", 4) : NULL;

    return end ? (size_t)(end - data) + 4 : 0;
}

bool upgrade_may_begin(const char *data, size_t len, bool request)
{
    const char *want = request ? "GET /" : "HTTP/1.1 101";
    size_t want_len = strlen(want);

    return memcmp(data, want, len < want_len ? len : want_len) == 0;
}

void upgrade_key(char out[UPGRADE_KEY])
{
    uint8_t bytes[KEY_BYTES];

    randombytes_buf(bytes, sizeof(bytes));
    (void)EVP_EncodeBlock((unsigned char *)out, bytes, sizeof(bytes));
}

void upgrade_accept(const char key[UPGRADE_KEY], char out[UPGRADE_ACCEPT])
{
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    char text[UPGRADE_KEY - 1 + sizeof(guid)];
    uint8_t digest[SHA1_BYTES];

    memcpy(text, key, UPGRADE_KEY - 1);
    memcpy(text + UPGRADE_KEY - 1, guid, sizeof(guid));
    if (EVP_Digest(text, sizeof(text) - 1, digest, NULL, EVP_sha1(), NULL) != 1)
        abort(); /* libcrypto without SHA-1, or without memory */
    (void)EVP_EncodeBlock((unsigned char *)out, digest, sizeof(digest));
}

void upgrade_put_request(const char *authority, const char *path,
                         const char key[UPGRADE_KEY], struct buf *out)
{
    buf_printf(out,
               "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\n"
               "Connection: Upgrade\r\nSec-WebSocket-Key: %s\r\n"
               "Sec-WebSocket-Version: 13\r\n\r\n",
               path, authority, key);
}

void upgrade_put_answer(const char accept[UPGRADE_ACCEPT], struct buf *out)
{
    buf_printf(out,
               "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
               "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
               accept);
}

void upgrade_put_refusal(struct buf *out)
{
    buf_puts(out, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n"
                  "Sec-WebSocket-Version: 13\r\nContent-Length: 0\r\n\r\n");
}

/* --- fields --- */

static bool is_token_char(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static bool is_text(const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (((unsigned char)s[i] < 0x20 && s[i] != '\t') || s[i] == 0x7f)
            return false;
    return true;
}

/* word stands in a list of values separated by commas. */
static bool lists(const char *value, const char *word)
{
    size_t word_len = strlen(word);

    for (;;) {
        size_t len;

        value += strspn(value, " \t");
        len = strcspn(value, ", \t");
        if (len == word_len && strncasecmp(value, word, len) == 0)
            return true;
        value += strcspn(value, ",");
        if (*value == '\0')
            return false;
        value++;
    }
}

static bool is(const char *name, const char *want)
{
    return strcasecmp(name, want) == 0;
}

/* Once, of exactly that length. */
static bool take_once(char *out, size_t size, const char *value)
{
    if (out[0] != '\0' || strlen(value) != size - 1)
        return false;
    memcpy(out, value, size);
    return true;
}

/* False: the field is wrong whatever the others say. */
static bool take_field(struct fields *f, const char *name, const char *value)
{
    bool again = false;

    if (is(name, "host")) {
        again = f->host;
        f->host = true;
    } else if (is(name, "upgrade")) {
        f->upgrade = f->upgrade || lists(value, "websocket");
    } else if (is(name, "connection")) {
        f->connection = f->connection || lists(value, "upgrade");
    } else if (is(name, "sec-websocket-version")) {
        again = f->version;
        f->version = strcmp(value, "13") == 0;
        f->other_version = !f->version;
    } else if (is(name, "sec-websocket-key")) {
        return take_once(f->key, sizeof(f->key), value);
    } else if (is(name, "sec-websocket-accept")) {
        return take_once(f->accept, sizeof(f->accept), value);
    } else if (is(name, "sec-websocket-extensions")) {
        f->extensions = true;
    } else if (is(name, "sec-websocket-protocol")) {
        f->protocol = true;
    } else if (is(name, "transfer-encoding") ||
               (is(name, "content-length") && strcmp(value, "0") != 0)) {
        f->body = true;
    }
    return !again;
}

/* "Name: value", without its line end. */
static bool read_field(struct fields *f, const char *line, size_t len)
{
    const char *colon = memchr(line, ':', len);
    size_t name_len = colon ? (size_t)(colon - line) : 0, from, to = len;
    char name[32] = "", value[VALUE_MAX];

    if (name_len == 0 || !is_text(line, len))
        return false;
    for (size_t i = 0; i < name_len; i++)
        if (!is_token_char(line[i]))
            return false;
    from = name_len + 1;
    while (from < to && (line[from] == ' ' || line[from] == '\t'))
        from++;
    while (to > from && (line[to - 1] == ' ' || line[to - 1] == '\t'))
        to--;
    if (name_len >= sizeof(name))
        return true; /* none that matters has such a long name */
    memcpy(name, line, name_len);
    if (to - from >= sizeof(value))
        return !is(name, "upgrade") && !is(name, "connection");
    memcpy(value, line + from, to - from);
    value[to - from] = '\0';
    return take_field(f, name, value);
}

/* What follows the first line. */
static enum errc read_fields(const char *head, size_t len, struct fields *f,
                             struct err *err)
{
    const char *at = head, *end = head + len - 2; /* the blank line */
    size_t count = 0;

    while (at < end) {
        const char *eol = memmem(at, (size_t)(end - at), "\r\n", 2);

        if (!eol || ++count > UPGRADE_FIELDS_MAX)
            return err_fail(err, REASON_PEER_BAD_ANSWER, "the upgrade has odd lines");
        if (!read_field(f, at, (size_t)(eol - at)))
            return err_fail(err, REASON_PEER_BAD_ANSWER,
                            "field %zu of the upgrade is malformed", count);
        at = eol + 2;
    }
    if (f->body)
        return err_fail(err, REASON_PEER_BAD_ANSWER, "the upgrade announces a body");
    if (!f->upgrade || !f->connection)
        return err_fail(err, REASON_PEER_BAD_ANSWER, "no upgrade to a WebSocket");
    return ERR_OK;
}

static const char *first_line(const char *head, size_t len, size_t *line_len)
{
    const char *eol = memmem(head, len, "\r\n", 2);

    *line_len = eol ? (size_t)(eol - head) : 0;
    return eol ? eol + 2 : NULL;
}

/* "GET /any/path HTTP/1.1" */
static bool is_request_line(const char *line, size_t len)
{
    static const char get[] = "GET /", http[] = " HTTP/1.1";
    const size_t get_len = sizeof(get) - 1, http_len = sizeof(http) - 1;

    if (len < get_len + http_len || memcmp(line, get, get_len) != 0 ||
        memcmp(line + len - http_len, http, http_len) != 0)
        return false;
    for (size_t i = get_len; i < len - http_len; i++)
        if (line[i] <= 0x20 || line[i] >= 0x7f)
            return false;
    return true;
}

enum errc upgrade_read_request(const char *head, size_t len,
                               char accept[UPGRADE_ACCEPT], struct err *err)
{
    struct fields f = {.host = false};
    unsigned char bytes[UPGRADE_KEY];
    size_t line_len;
    const char *rest = first_line(head, len, &line_len);

    if (!rest || !is_request_line(head, line_len))
        return err_fail(err, REASON_PEER_BAD_ANSWER, "no GET of HTTP/1.1");
    if (read_fields(rest, len - line_len - 2, &f, err) != ERR_OK)
        return err->code;
    if (!f.host || !f.version || f.other_version)
        return err_fail(err, REASON_PEER_BAD_ANSWER,
                        "the upgrade names no host, or not version 13");
    if (f.key[0] == '\0' || strcmp(f.key + UPGRADE_KEY - 3, "==") != 0 ||
        EVP_DecodeBlock(bytes, (const unsigned char *)f.key, UPGRADE_KEY - 1) < 0)
        return err_fail(err, REASON_PEER_BAD_ANSWER, "the upgrade has no good key");
    upgrade_accept(f.key, accept);
    return ERR_OK;
}

enum errc upgrade_read_answer(const char *head, size_t len,
                              const char accept[UPGRADE_ACCEPT], struct err *err)
{
    static const char status[] = "HTTP/1.1 101";
    struct fields f = {.host = false};
    size_t line_len;
    const char *rest = first_line(head, len, &line_len);

    if (!rest || line_len < sizeof(status) - 1 ||
        memcmp(head, status, sizeof(status) - 1) != 0 ||
        (line_len > sizeof(status) - 1 && head[sizeof(status) - 1] != ' ') ||
        !is_text(head, line_len))
        return err_fail(err, REASON_PEER_BAD_ANSWER, "no status 101 of HTTP/1.1");
    if (read_fields(rest, len - line_len - 2, &f, err) != ERR_OK)
        return err->code;
    if (f.extensions || f.protocol)
        return err_fail(err, REASON_PEER_BAD_ANSWER,
                        "an extension or protocol that was not offered");
    if (strcmp(f.accept, accept) != 0)
        return err_fail(err, REASON_PEER_BAD_ANSWER,
                        "Sec-WebSocket-Accept is not that of our key");
    return ERR_OK;
}
