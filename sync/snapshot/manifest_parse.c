#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/hex.h"
#include "base/json.h"
#include "base/mem.h"
#include "store/coinhead.h"
#include "sync/snapshot/manifest.h"

/*
 * Members are read, and then the whole is written again: a text that is not what comes
 * out is refused, so there is no other member, order or spelling.
 */
static const struct json_limits limits = {
    .max_bytes = MANIFEST_MAX, .max_nodes = 1024, .max_depth = 4};

static const uint64_t number_max = (UINT64_C(1) << 53) - 1; /* as JSON readers keep */

static enum errc wrong(struct err *err, const char *member)
{
    return err_fail(err, REASON_METADATA_MALFORMED,
                    "manifest: %s: missing or malformed", member);
}

static enum errc odd(struct err *err, const char *what)
{
    return err_fail(err, REASON_METADATA_MALFORMED, "manifest: %s", what);
}

/* Printable ASCII from first on, 1 to max of it. */
static bool read_text(const struct json *v, char first, size_t max, char *out)
{
    const char *text;
    size_t len;

    if (!json_text(v, &text))
        return false;
    len = strlen(text);
    if (len == 0 || len > max)
        return false;
    for (size_t i = 0; i < len; i++)
        if (text[i] < first || text[i] > 0x7e)
            return false;
    memcpy(out, text, len + 1);
    return true;
}

static bool read_u64(const struct json *v, uint64_t max, uint64_t *out)
{
    uint64_t n;

    if (!json_u64(v, &n) || n > max)
        return false;
    *out = n;
    return true;
}

static enum errc read_block(const struct json *root, struct manifest *m,
                            struct err *err)
{
    struct err why;

    if (!read_text(json_get(root, "network"), 0x21, sizeof(m->network) - 1, m->network))
        return wrong(err, "network");
    if (!json_hash(json_get(root, "genesis_hash"), m->genesis_hash))
        return wrong(err, "genesis_hash");
    if (!read_u64(json_get(root, "height"), number_max, &m->height))
        return wrong(err, "height");
    if (!json_hash(json_get(root, "block_hash"), m->block_hash))
        return wrong(err, "block_hash");
    if (header_parse(json_get(root, "header"), &m->header, &why))
        return odd(err, why.msg);
    if (m->header.height != m->height ||
        memcmp(m->header.hash, m->block_hash, sizeof(m->block_hash)) != 0)
        return odd(err, "header: of another block");
    if (m->header.signature[0] || m->header.miner_pubkey[0])
        return odd(err, "header: with a signature, which its hash does not cover");
    return ERR_OK;
}

/* Of decimal text: *out is of the type that parse has. */
static enum errc read_amounts(const struct json *root, struct manifest *m,
                              struct err *err)
{
    const char *text;

    if (!json_text(json_get(root, "total"), &text) || !u128_parse(text, &m->total))
        return wrong(err, "total");
    if (!json_text(json_get(root, "work"), &text) || !work_parse(text, &m->work))
        return wrong(err, "work");
    return ERR_OK;
}

static enum errc read_sizes(const struct json *root, struct manifest *m,
                            struct err *err)
{
    uint64_t chunks;

    if (!read_u64(json_get(root, "bytes"), COINFILE_BYTES_MAX, &m->bytes) ||
        m->bytes < COINHEAD_BYTES)
        return wrong(err, "bytes");
    if (!read_u64(json_get(root, "chunk_count"), CHUNKTABLE_CHUNKS_MAX, &chunks))
        return wrong(err, "chunk_count");
    m->chunk_count = (uint32_t)chunks;
    if (!read_u64(json_get(root, "coin_count"), number_max, &m->coin_count))
        return wrong(err, "coin_count");
    if (!read_u64(json_get(root, "frames_bytes"), number_max, &m->frames_bytes))
        return wrong(err, "frames_bytes");
    return read_amounts(root, m, err);
}

/* What a set of coins of these numbers can be: docs/snapshot-format.md. */
static enum errc check_sizes(const struct manifest *m, struct err *err)
{
    const u128 amount_max = (u128)1000000000 * 1000000000000000000U;
    uint64_t body = m->bytes - COINHEAD_BYTES, chunks = m->chunk_count;
    uint64_t frames_max = body + body / 256 + 64 * chunks;

    if (body < m->coin_count * COINREC_MIN || body > m->coin_count * COINREC_MAX)
        return odd(err, "bytes: impossible for coin_count");
    if (body > chunks * COINFILE_CHUNK_MAX ||
        (chunks > 0 && body <= (chunks - 1) * (COINFILE_CHUNK_MAX - COINREC_MAX)))
        return odd(err, "chunk_count: impossible for bytes");
    if (m->frames_bytes < chunks || m->frames_bytes > frames_max)
        return odd(err, "frames_bytes: impossible for bytes");
    if (m->total > m->coin_count * amount_max)
        return odd(err, "total: impossible for coin_count");
    if (chunks == 0 && body > 0)
        return odd(err, "chunk_count: none");
    return ERR_OK;
}

static enum errc read_state(const struct json *root, struct manifest *m,
                            struct err *err)
{
    const struct json *hash = json_get(root, "xai_state_hash");

    if (!json_hash(json_get(root, "state_root"), m->state_root))
        return wrong(err, "state_root");
    if (!json_hash(json_get(root, "table_sha256"), m->table_sha256))
        return wrong(err, "table_sha256");
    m->has_xai_state_hash = !json_is_null(hash);
    if (m->has_xai_state_hash && !json_hash(hash, m->xai_state_hash))
        return wrong(err, "xai_state_hash");
    if (!read_text(json_get(root, "software"), 0x20, MANIFEST_SOFTWARE_MAX,
                   m->software))
        return wrong(err, "software");
    return ERR_OK;
}

/* Lower-case digits, a whole number of bytes. */
static bool read_hex(const struct json *v, size_t max, char *out)
{
    uint8_t bytes[65];
    const char *text;
    size_t len;

    if (!json_text(v, &text))
        return false;
    len = strlen(text);
    if (len > max || len % 2 != 0 || !hex_decode(text, len / 2, true, bytes))
        return false;
    memcpy(out, text, len + 1);
    return true;
}

static bool read_xai(const struct json *v, struct manifest_xai *out)
{
    struct trust_key key;

    return read_hex(json_get(v, "pubkey"), sizeof(out->pubkey) - 1, out->pubkey) &&
           read_hex(json_get(v, "signature"), sizeof(out->signature) - 1,
                    out->signature) &&
           strlen(out->signature) == 128 && trust_key_parse(out->pubkey, &key) &&
           key.alg == TRUST_SECP256K1;
}

static bool ascends(const struct manifest *m, const struct manifest_xai *next)
{
    struct trust_key last, key;

    return m->xai_count == 0 ||
           (trust_key_parse(m->xai[m->xai_count - 1].pubkey, &last) &&
            trust_key_parse(next->pubkey, &key) && trust_key_compare(&last, &key) < 0);
}

static enum errc read_signatures(const struct json *root, struct manifest *m,
                                 struct err *err)
{
    const struct json *list = json_get(root, "xai_signatures");

    if (!trust_signed_read(json_get(root, "signatures"), &m->signatures,
                           &m->signature_count))
        return wrong(err, "signatures");
    if (!list || list->type != JSON_ARRAY || list->len > MANIFEST_SIGNATURES_MAX)
        return wrong(err, "xai_signatures");
    if (list->len > 0 && !m->has_xai_state_hash)
        return odd(err, "xai_signatures: of no xai_state_hash");
    m->xai = xcalloc(list->len + 1, sizeof(*m->xai));
    for (const struct json *one = list->first; one; one = one->next) {
        struct manifest_xai sig;

        if (!read_xai(one, &sig) || !ascends(m, &sig))
            return wrong(err, "xai_signatures");
        m->xai[m->xai_count++] = sig;
    }
    return ERR_OK;
}

static enum errc read_all(const struct json *root, struct manifest *m, struct err *err)
{
    const char *format;
    enum errc rc;

    if (!json_text(json_get(root, "format"), &format) ||
        strcmp(format, MANIFEST_FORMAT) != 0)
        return odd(err, "format: not " MANIFEST_FORMAT);
    rc = read_block(root, m, err);
    if (!rc)
        rc = read_sizes(root, m, err);
    if (!rc)
        rc = check_sizes(m, err);
    if (!rc)
        rc = read_state(root, m, err);
    return rc ? rc : read_signatures(root, m, err);
}

enum errc manifest_parse(const char *text, size_t len, struct manifest **out,
                         struct err *err)
{
    CLEANUP(manifest_free) struct manifest *m = xcalloc(1, sizeof(*m));
    CLEANUP(json_free) struct json_doc *doc = NULL;
    CLEANUP_BUF struct buf again = BUF(MANIFEST_MAX);
    struct err why;

    if (json_parse(text, len, &limits, &doc, &why))
        return odd(err, why.msg);
    if (read_all(json_root(doc), m, err))
        return err->code;
    manifest_write(m, &again);
    if (again.full || again.len != len || memcmp(again.data, text, len) != 0)
        return odd(err, "not in its canonical spelling, or with members that do not "
                        "belong");
    *out = TAKE(m);
    return ERR_OK;
}

/* One byte more than may be is enough to refuse it. */
static enum errc read_file(int fd, const char *path, struct buf *out, struct err *err)
{
    char piece[4096];

    while (!out->full) {
        ssize_t n = read(fd, piece, sizeof(piece));

        if (n < 0)
            return err_errno(err, "read %s", path);
        if (n == 0)
            return ERR_OK;
        buf_put(out, piece, (size_t)n);
    }
    return odd(err, "too large");
}

enum errc manifest_read(const char *path, struct manifest **out, struct err *err)
{
    CLEANUP_BUF struct buf text = BUF(MANIFEST_MAX);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    enum errc rc;

    if (fd < 0)
        return err_errno(err, "open %s", path);
    rc = read_file(fd, path, &text, err);
    (void)close(fd);
    return rc ? rc : manifest_parse(text.data ? text.data : "", text.len, out, err);
}
