#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/durable.h"
#include "base/fernet.h"
#include "base/hash.h"
#include "base/hex.h"
#include "base/inflate.h"
#include "base/json.h"
#include "base/mem.h"
#include "sync/snapshot/cpfile.h"
#include "sync/snapshot/member.h"

enum {
    LOOK_BYTES = 64 << 10, /* the members beside utxo_snapshot are a few */
    REST_MAX = 64 << 10,
    ENCRYPTED_REST_MAX = 512, /* of {"_encrypted", "_version", "_data"} */
    PIECE = 256 << 10,
};

static enum errc malformed(struct err *err, const char *what)
{
    return err_fail(err, REASON_PAYLOAD_MALFORMED, "checkpoint file: %s", what);
}

bool cpfile_is(const char *path)
{
    struct member m = {.rest = BUF(REST_MAX)};
    struct stat st;
    struct err err;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool is = false;

    if (fd >= 0 && fstat(fd, &st) == 0) {
        uint64_t size = (uint64_t)st.st_size,
                 look = size < LOOK_BYTES ? size : LOOK_BYTES;

        /* its value need not end here */
        is =
            member_find(fd, 0, look, "utxo_snapshot", &m, &err) == ERR_OK && m.from > 0;
    }
    if (fd >= 0)
        (void)close(fd);
    buf_fini(&m.rest);
    return is;
}

struct convert {
    const struct cpfile_options *opt;
    int in, out;
    uint64_t left; /* bytes that the payload may still have */
    struct member snapshot;
    uint64_t height;
    uint8_t block_hash[32];
};

static enum errc put(void *arg, const void *bytes, size_t len, struct err *err)
{
    struct convert *c = arg;

    if (len > c->left)
        return err_fail(err, REASON_PAYLOAD_TOO_LARGE,
                        "checkpoint file: over %" PRIu64 " bytes",
                        c->opt->limits->max_bytes);
    c->left -= len;
    return durable_write(c->out, bytes, len, c->opt->out.payload, err);
}

static enum errc put_text(struct convert *c, const char *text, struct err *err)
{
    return put(c, text, strlen(text), err);
}

/* --- the fields around the coins --- */

/* SPACED JSON of these, sorted (protocol.md 10.1). */
static enum errc check_hash(const struct json *o, struct err *err)
{
    static const char *const names[] = {"block_hash",  "difficulty",  "height",
                                        "merkle_root", "nonce",       "previous_hash",
                                        "timestamp",   "total_supply"};
    CLEANUP_BUF struct buf text = BUF(REST_MAX);
    uint8_t want[32], got[32];

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const struct json *v = json_get(o, names[i]);

        if (!v)
            return malformed(err, "a field of checkpoint_hash is missing");
        buf_printf(&text, "%s\"%s\": ", i == 0 ? "{" : ", ", names[i]);
        json_write(v, JSON_SPACED, &text);
    }
    buf_puts(&text, "}");
    hash_sha256(text.data, text.len, got);
    if (text.full || !json_hash(json_get(o, "checkpoint_hash"), want) ||
        memcmp(want, got, 32) != 0)
        return err_fail(err, REASON_PAYLOAD_HASH_MISMATCH,
                        "checkpoint file: checkpoint_hash is not that of its fields");
    return ERR_OK;
}

static enum errc read_fields(struct convert *c, struct err *err)
{
    const struct json_limits limits = {
        .max_bytes = REST_MAX, .max_nodes = 256, .max_depth = 8};
    CLEANUP(json_free) struct json_doc *doc = NULL;
    const struct json *o;
    struct err why;

    if (!c->snapshot.found || c->snapshot.rest.full)
        return malformed(err, "no whole utxo_snapshot");
    if (json_parse(c->snapshot.rest.data, c->snapshot.rest.len, &limits, &doc, &why))
        return malformed(err, why.msg);
    o = json_root(doc);
    if (!json_u64(json_get(o, "height"), &c->height) ||
        !json_hash(json_get(o, "block_hash"), c->block_hash))
        return malformed(err, "height or block_hash");
    return check_hash(o, err);
}

/* --- the coins --- */

static enum errc copy_plain(struct convert *c, struct err *err)
{
    AUTOFREE char *piece = xcalloc(PIECE, 1);
    uint64_t at = c->snapshot.from;

    while (at < c->snapshot.to) {
        uint64_t left = c->snapshot.to - at;
        ssize_t n = pread(c->in, piece, left < PIECE ? (size_t)left : PIECE, (off_t)at);

        if (n <= 0)
            return err_errno(err, "reading a checkpoint file");
        if (put(c, piece, (size_t)n, err))
            return err->code;
        at += (uint64_t)n;
    }
    return ERR_OK;
}

static enum errc read_key(const char *path, uint8_t key[FERNET_KEY], struct err *err)
{
    char text[128] = "";
    FILE *f;

    if (!path)
        return malformed(err, "it is encrypted, and checkpoint.file_key is not set");
    f = fopen(path, "re");
    if (!f)
        return err_errno(err, "checkpoint.file_key: %.120s", path);
    if (!fgets(text, sizeof(text), f))
        text[0] = '\0';
    (void)fclose(f);
    if (!fernet_key_parse(text, strcspn(text, "\n"), key))
        return malformed(err, "checkpoint.file_key has no Fernet key in it");
    return ERR_OK;
}

static enum errc inflate_some(void *arg, const void *bytes, size_t len, struct err *err)
{
    return inflater_put(arg, bytes, len, err);
}

/* The bytes of the string that stands in from..to, without its quotes. */
static enum errc find_token(int fd, const struct member *m, struct fernet_token *out,
                            struct err *err)
{
    char space[64];
    size_t len =
        m->to - m->from < sizeof(space) ? (size_t)(m->to - m->from) : sizeof(space);
    const char *quote;
    uint64_t to = m->to;

    if (pread(fd, space, len, (off_t)m->from) != (ssize_t)len ||
        !(quote = memchr(space, '"', len)))
        return malformed(err, "_data is no text");
    *out = (struct fernet_token){.fd = fd,
                                 .from = m->from + (uint64_t)(quote - space) + 1};
    while (to > out->from && to > m->to - len) {
        char c;

        if (pread(fd, &c, 1, (off_t)--to) != 1)
            break;
        if (c != '"')
            continue;
        out->to = to;
        return ERR_OK;
    }
    return malformed(err, "_data is no text");
}

static enum errc copy_encrypted(struct convert *c, const struct member *data,
                                struct err *err)
{
    const struct inflater_sink sink = {put, c};
    CLEANUP(inflater_free) struct inflater *inflater = NULL;
    struct fernet_token token;
    uint8_t key[FERNET_KEY];
    enum errc rc;

    if (find_token(c->in, data, &token, err) || read_key(c->opt->key_path, key, err))
        return err->code;
    inflater = inflater_create(c->left, &sink);
    rc = fernet_open(key, &token, inflate_some, inflater, err);
    explicit_bzero(key, sizeof(key));
    return rc ? rc : inflater_finish(inflater, err);
}

static enum errc copy_coins(struct convert *c, struct err *err)
{
    struct member data = {.rest = BUF(ENCRYPTED_REST_MAX)};
    enum errc rc =
        member_find(c->in, c->snapshot.from, c->snapshot.to, "_data", &data, err);

    if (!rc)
        rc = data.found && !data.rest.full ? copy_encrypted(c, &data, err)
                                           : copy_plain(c, err);
    buf_fini(&data.rest);
    return rc;
}

/* --- the payload --- */

static const char head[] = "{\"state_hash\": \"";

static enum errc write_payload(struct convert *c, struct err *err)
{
    char zeros[65], hash[65], rest[160];

    (void)snprintf(zeros, sizeof(zeros), "%064d", 0);
    hex_encode(c->block_hash, 32, hash);
    (void)snprintf(rest, sizeof(rest),
                   "\", \"height\": %" PRIu64
                   ", \"block_hash\": \"%s\", \"data\": {\"utxo_snapshot\": ",
                   c->height, hash);
    if (put_text(c, head, err) || put_text(c, zeros, err) || put_text(c, rest, err) ||
        copy_coins(c, err))
        return err->code;
    return put_text(c, "}}", err);
}

/* Reads it as a payload without a claim, for the hash that then becomes its claim. */
static enum errc fill_hash(struct convert *c, struct err *err)
{
    struct payload_limits limits = *c->opt->limits;
    struct payload_result result;
    char hex[65];
    enum errc rc;

    limits.unclaimed = true;
    rc = payload_ingest(&c->opt->out, c->opt->network, &limits, c->opt->progress,
                        &result, err);
    (void)unlink(c->opt->out.coins); /* it was made for its hash */
    (void)unlink(c->opt->out.idx);
    if (rc)
        return rc;
    hex_encode(result.state_hash, 32, hex);
    if (pwrite(c->out, hex, 64, sizeof(head) - 1) != 64)
        return err_errno(err, "%.150s", c->opt->out.payload);
    return durable_sync(c->out, c->opt->out.payload, err);
}

static enum errc convert(struct convert *c, struct err *err)
{
    struct stat st;

    if (fstat(c->in, &st) != 0)
        return err_errno(err, "reading a checkpoint file");
    if (member_find(c->in, 0, (uint64_t)st.st_size, "utxo_snapshot", &c->snapshot,
                    err) ||
        read_fields(c, err) || write_payload(c, err))
        return err->code;
    return fill_hash(c, err);
}

enum errc cpfile_convert(const char *path, const struct cpfile_options *opt,
                         struct err *err)
{
    struct convert c = {.opt = opt,
                        .left = opt->limits->max_bytes,
                        .snapshot = {.rest = BUF(REST_MAX)}};
    enum errc rc;

    c.in = open(path, O_RDONLY | O_CLOEXEC);
    if (c.in < 0)
        return err_errno(err, "%.150s", path);
    c.out = open(opt->out.payload, O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC, 0600);
    rc = c.out < 0 ? err_errno(err, "%.150s", opt->out.payload) : convert(&c, err);
    if (c.out >= 0)
        (void)close(c.out); /* synced, or of no use */
    (void)close(c.in);
    if (rc)
        (void)unlink(opt->out.payload);
    buf_fini(&c.snapshot.rest);
    return rc;
}
