#ifndef TESTS_UNIT_PAYLOAD_KIT_H
#define TESTS_UNIT_PAYLOAD_KIT_H

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/mem.h"
#include "sync/snapshot/payload.h"
#include "tests/unit/test.h"

/* Payloads made of texts and of the fixtures, ingested into a directory of their own.
 */
struct pk {
    char dir[64], payload[96], coins[96], idx[96];
    struct payload_limits limits;
    struct payload_progress progress;
    struct payload_result result;
    struct err err;
};

static const char pk_block[] =
    "0001cb9c3a02a4cef3730b4d1f57764765e140e87f949712642aee0066c90a71";

static inline void pk_init_in(struct pk *p, const char *parent)
{
    memset(p, 0, sizeof(*p));
    (void)snprintf(p->dir, sizeof(p->dir), "%s/cairn-payload-XXXXXX", parent);
    ck_assert_ptr_nonnull(mkdtemp(p->dir));
    (void)snprintf(p->payload, sizeof(p->payload), "%s/payload.json", p->dir);
    (void)snprintf(p->coins, sizeof(p->coins), "%s/base.coins", p->dir);
    (void)snprintf(p->idx, sizeof(p->idx), "%s/base.idx", p->dir);
    p->limits = (struct payload_limits){.max_bytes = 64U << 20,
                                        .max_coins = 1U << 20,
                                        .sort_memory = 1U << 20,
                                        .max_supply = (u128)121000000 *
                                                      (u128)1000000000000000000U};
}

static inline void pk_init(struct pk *p)
{
    pk_init_in(p, "/tmp");
}

static inline void pk_fini(struct pk *p)
{
    (void)unlink(p->payload);
    (void)unlink(p->coins);
    (void)unlink(p->idx);
    ck_assert_int_eq(rmdir(p->dir), 0); /* nothing else was left behind */
}

static inline char *pk_read(const char *name, size_t *len)
{
    char path[512];
    FILE *f;
    char *text = xcalloc(1, 1U << 20);

    (void)snprintf(path, sizeof(path), "%s/checkpoint/%s", TEST_DATA, name);
    f = fopen(path, "rb");
    ck_assert_msg(f != NULL, "%s", path);
    *len = fread(text, 1, (1U << 20) - 1, f);
    (void)fclose(f);
    return text;
}

static inline enum errc pk_ingest_file(struct pk *p, const char *path)
{
    const struct payload_paths paths = {path, p->coins, p->idx, p->dir};
    enum errc rc;

    (void)unlink(p->coins);
    (void)unlink(p->idx);
    memset(&p->err, 0, sizeof(p->err));
    memset(&p->result, 0, sizeof(p->result));
    rc = payload_ingest(&paths, "testnet", &p->limits, &p->progress, &p->result,
                        &p->err);
    ck_assert_int_eq(rc, p->err.code);
    ck_assert_int_eq(access(p->coins, F_OK) == 0, rc == ERR_OK);
    ck_assert_int_eq(access(p->idx, F_OK) == 0, rc == ERR_OK);
    return rc;
}

static inline enum errc pk_ingest(struct pk *p, const char *text, size_t len)
{
    FILE *f = fopen(p->payload, "wb");

    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(text, 1, len, f), len);
    ck_assert_int_eq(fclose(f), 0);
    return pk_ingest_file(p, p->payload);
}

static inline enum errc pk_ingest_fixture(struct pk *p, const char *name)
{
    char path[512];

    (void)snprintf(path, sizeof(path), "%s/checkpoint/%s", TEST_DATA, name);
    return pk_ingest_file(p, path);
}

/* A payload at height 200 of data, spelled as given, with its right state_hash. */
static inline void pk_wrap(const char *data, struct buf *out)
{
    const struct json_limits limits = {
        .max_bytes = 64U << 20, .max_nodes = 1U << 24, .max_depth = 100};
    CLEANUP(json_free) struct json_doc *doc = NULL;
    CLEANUP_BUF struct buf canon = BUF(64U << 20);
    uint8_t hash[32];
    char hex[65];

    ASSERT_OK(json_parse(data, strlen(data), &limits, &doc, &test_err));
    json_write(json_root(doc), JSON_SPACED, &canon);
    hash_sha256(canon.data, canon.len, hash);
    hex_encode(hash, 32, hex);
    buf_printf(out,
               "{\"height\": 200, \"block_hash\": \"%s\", \"state_hash\": \"%s\", ",
               pk_block, hex);
    buf_puts(out, "\"data\": ");
    buf_puts(out, data);
    buf_puts(out, "}");
}

static inline enum errc pk_ingest_data(struct pk *p, const char *data)
{
    CLEANUP_BUF struct buf text = BUF(64U << 20);

    pk_wrap(data, &text);
    return pk_ingest(p, text.data, text.len);
}

/* One entry; txid is digit 64 times. */
static inline void pk_entry(struct buf *out, const char *owner, char digit,
                            unsigned vout, const char *amount, bool spent)
{
    char txid[65];

    memset(txid, digit, 64);
    txid[64] = '\0';
    buf_printf(out,
               "{\"address\": \"%s\", \"amount\": %s, \"script_pubkey\": \"P2PKH %s\", "
               "\"spent\": %s, \"txid\": \"%s\", \"vout\": %u}",
               owner, amount, owner, spent ? "true" : "false", txid, vout);
}

#define EXPECT_REASON(p, why, call)                                         \
    do {                                                                    \
        enum errc rc_ = (call);                                             \
        ck_assert_msg(rc_ == ERR_VERIFY && (p)->err.reason == REASON_##why, \
                      "%s: %s: %s", #call, reason_code((p)->err.reason),    \
                      (p)->err.msg);                                        \
    } while (0)
#define EXPECT_OK(p, call)                                         \
    do {                                                           \
        enum errc rc_ = (call);                                    \
        ck_assert_msg(rc_ == ERR_OK, "%s: %s: %s", #call,          \
                      reason_code((p)->err.reason), (p)->err.msg); \
    } while (0)
#define EXPECT_SAYS(p, text) \
    ck_assert_msg(strstr((p)->err.msg, (text)) != NULL, "%s", (p)->err.msg)

#endif
