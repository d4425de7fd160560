#include <sodium.h>

#include "store/coinparts.h"
#include "store/coinroot.h"
#include "tests/unit/snapshot_kit.h"

/* Nothing of a snapshot is uncommitted: whatever byte of the three files changes, it is
   seen (scenarios 43 and 44), and so is a table or a frame that has its hash and lies.
 */

enum { SMALL = 30, LARGE = 20000 };

static struct snapshot_kit kit;
static struct trust_key key;
static uint8_t secret[crypto_sign_SECRETKEYBYTES];

static void begin(void)
{
    static const uint8_t seed[32] = {7};

    snapshot_kit_init(&kit);
    key.alg = TRUST_ED25519;
    ck_assert_int_eq(crypto_sign_seed_keypair(key.bytes, secret, seed), 0);
}

static void end(void)
{
    snapshot_kit_fini(&kit);
}

static void sign(struct manifest *m)
{
    struct trust_signed sig = {.key = key};
    uint8_t digest[32];

    manifest_digest(m, digest);
    (void)crypto_sign_detached(sig.signature, NULL, digest, 32, secret);
    ASSERT_OK(manifest_add(m, &sig, &test_err));
}

static enum errc open_and_verify(void)
{
    CLEANUP(snapdir_close) struct snapdir *s = NULL;
    enum errc rc = snapdir_open(kit.path, &s, &test_err);

    return rc ? rc : snapdir_verify(s, NULL, NULL, &test_err);
}

static void each_bit_of(const char *name)
{
    size_t len;
    AUTOFREE uint8_t *bytes = snapshot_kit_read(&kit, name, &len);

    ck_assert_uint_gt(len, 0);
    for (size_t i = 0; i < 8 * len; i += i < 800 ? 1 : 8) {
        uint8_t bit = (uint8_t)(1U << (i < 800 ? i % 8 : i / 8 % 8));

        bytes[i / 8] ^= bit;
        snapshot_kit_write(&kit, name, bytes, len);
        bytes[i / 8] ^= bit;
        if (open_and_verify() != ERR_VERIFY ||
            test_err.reason != REASON_PAYLOAD_HASH_MISMATCH)
            ck_abort_msg("%s: bit %zu: %s", name, i, test_err.msg);
    }
    snapshot_kit_write(&kit, name, bytes, len - 1);
    ASSERT_ERR(ERR_VERIFY, open_and_verify());
    bytes = xrealloc(bytes, len + 1);
    bytes[len] = 0;
    snapshot_kit_write(&kit, name, bytes, len + 1);
    ASSERT_ERR(ERR_VERIFY, open_and_verify());
    snapshot_kit_write(&kit, name, bytes, len);
    ASSERT_OK(open_and_verify());
}

START_TEST(every_changed_byte_of_table_and_body_is_seen)
{
    AUTOFREE struct coin *coins = coins_many(3, SMALL);
    CLEANUP(manifest_free)
    struct manifest *m = snapshot_kit_make(&kit, coins, SMALL, NULL);

    ck_assert_uint_eq(m->chunk_count, 1);
    each_bit_of(SNAPDIR_TABLE);
    each_bit_of(SNAPDIR_FRAMES);
}
END_TEST

/* What a reader holds a manifest against: its form, its digest, those who signed. */
static bool is_seen(const char *text, size_t len, const uint8_t digest[32])
{
    CLEANUP(manifest_free) struct manifest *m = NULL;
    uint8_t now[32];
    bool signed_by[1];

    if (manifest_parse(text, len, &m, &test_err))
        return test_err.reason == REASON_METADATA_MALFORMED;
    manifest_digest(m, now);
    if (memcmp(now, digest, 32) != 0)
        return manifest_signed(m, &key, 1, signed_by) == 0 && !signed_by[0] &&
               manifest_check_signatures(m, &test_err) == ERR_VERIFY &&
               test_err.reason == REASON_BAD_SIGNATURE;
    return manifest_check_signatures(m, &test_err) == ERR_VERIFY ||
           manifest_signed(m, &key, 1, NULL) == 0;
}

START_TEST(every_changed_bit_of_the_manifest_is_seen)
{
    AUTOFREE struct coin *coins = coins_many(3, SMALL);
    const uint8_t xai[32] = {1};
    CLEANUP(manifest_free)
    struct manifest *m = snapshot_kit_make(&kit, coins, SMALL, xai);
    CLEANUP_BUF struct buf text = BUF(MANIFEST_MAX);
    uint8_t digest[32];

    sign(m);
    manifest_digest(m, digest);
    ASSERT_OK(snapdir_replace_manifest(kit.path, m, &test_err));
    ASSERT_OK(open_and_verify());
    manifest_write(m, &text);
    ck_assert(!is_seen(text.data, text.len, digest));
    for (size_t i = 0; i < 8 * text.len; i++) {
        text.data[i / 8] = (char)(text.data[i / 8] ^ (1 << i % 8));
        if (!is_seen(text.data, text.len, digest))
            ck_abort_msg("byte %zu, bit %zu: %s", i / 8, i % 8, text.data);
        text.data[i / 8] = (char)(text.data[i / 8] ^ (1 << i % 8));
    }
    for (size_t n = 0; n < text.len; n++)
        if (!is_seen(text.data, n, digest))
            ck_abort_msg("cut at %zu", n);
}
END_TEST

/* --- a table that has its hash --- */

struct liar {
    uint8_t *table;
    size_t len;
    struct chunktable_want want;
};

static void liar_init(struct liar *l, const struct manifest *m)
{
    l->table = snapshot_kit_read(&kit, SNAPDIR_TABLE, &l->len);
    l->want = manifest_table(m);
}

static enum errc liar_read(struct liar *l)
{
    CLEANUP(chunktable_free) struct chunktable *t = NULL;

    hash_sha256(l->table, l->len, l->want.sha256);
    return chunktable_read(l->table, l->len, &l->want, &t, &test_err);
}

START_TEST(a_table_that_lies_is_seen)
{
    AUTOFREE struct coin *coins = coins_many(3, LARGE);
    CLEANUP(manifest_free)
    struct manifest *m = snapshot_kit_make(&kit, coins, LARGE, NULL);
    struct liar l;

    liar_init(&l, m);
    ck_assert_uint_eq(m->chunk_count, 2);
    ASSERT_OK(liar_read(&l));
    for (size_t i = 0; i < l.len; i++) {
        /* The frames' hashes stand for nothing but frames. */
        size_t in_row = i < 8 ? 0 : (i - 8) % CHUNKTABLE_ROW;
        bool frame_sha = i >= 8 && in_row >= 80;

        l.table[i] ^= 1;
        /* nor do first keys that still ascend: chunks are held against them */
        if (!frame_sha && !(i >= 8 && in_row < COINREC_KEY) &&
            (liar_read(&l) != ERR_VERIFY ||
             test_err.reason != REASON_PAYLOAD_MALFORMED))
            ck_abort_msg("byte %zu is not seen", i);
        l.table[i] ^= 1;
    }
    free(l.table);
}
END_TEST

static void put_le32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++, v >>= 8)
        p[i] = (uint8_t)v;
}

static uint32_t le32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
           (uint32_t)p[3] << 24;
}

/* Two rows that lie against each other, so that the sums are right. */
static void shift(struct liar *l, size_t at, uint32_t by)
{
    uint8_t *a = l->table + 8 + at, *b = a + CHUNKTABLE_ROW;

    put_le32(a, le32(a) + by);
    put_le32(b, le32(b) - by);
}

START_TEST(rows_are_bounded_one_by_one)
{
    static const struct {
        size_t at; /* in a row */
        uint32_t by;
        const char *why;
    } cases[] = {
        {36, 1000, "no size of a chunk"},
        {36, (uint32_t)-1000, "no size of a chunk"},
        {40, 1 << 20, "no size of a frame"},
        {40, (uint32_t) - (1 << 20), "no size"},
        {44, 20000, "coins that cannot"},
        {44, (uint32_t)-5900, "coins that cannot"},
    };
    AUTOFREE struct coin *coins = coins_many(3, LARGE);
    CLEANUP(manifest_free)
    struct manifest *m = snapshot_kit_make(&kit, coins, LARGE, NULL);
    struct liar l;

    liar_init(&l, m);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        shift(&l, cases[i].at, cases[i].by);
        ASSERT_ERR(ERR_VERIFY, liar_read(&l));
        ck_assert_int_eq(test_err.reason, REASON_PAYLOAD_MALFORMED);
        ck_assert_msg(strstr(test_err.msg, cases[i].why), "%zu: %s", i, test_err.msg);
        shift(&l, cases[i].at, -cases[i].by);
    }
    memcpy(l.table + 8 + CHUNKTABLE_ROW, l.table + 8, COINREC_KEY);
    ASSERT_ERR(ERR_VERIFY, liar_read(&l));
    ck_assert_ptr_nonnull(strstr(test_err.msg, "keys do not ascend"));
    free(l.table);
}
END_TEST

/* --- frames that have their hash --- */

struct frames {
    struct frame *frame;
    struct coinpart *part;
    struct chunktable_row row;
    uint8_t *raw, *packed, *out;
};

static void frames_init(struct frames *f, const struct coin *coins, uint32_t n)
{
    size_t len, used = 0;
    u128 atto;

    f->frame = frame_create();
    f->part = xcalloc(1, sizeof(*f->part));
    f->raw = xcalloc(COINFILE_CHUNK_MAX, 1);
    f->out = xcalloc(COINFILE_CHUNK_MAX, 1);
    f->packed = xcalloc(2 * CHUNKTABLE_FRAME_MAX, 1);
    for (uint32_t i = 0; i < n; i++, used += len)
        ASSERT_OK(coinrec_encode(&coins[i], f->raw + used, &len, &atto, &test_err));
    ASSERT_OK(coinpart_read(f->raw, used, 120, f->part, &test_err));
    frame_seal(f->frame, f->raw, f->part, f->packed, &f->row);
    f->row.last = true;
    f->row.raw_offset = 120;
}

static void frames_fini(struct frames *f)
{
    frame_free(f->frame);
    free(f->part);
    free(f->raw);
    free(f->out);
    free(f->packed);
}

static void expect_malformed(struct frames *f, const char *why)
{
    hash_sha256(f->packed, f->row.frame_bytes, f->row.frame_sha256);
    ASSERT_ERR(ERR_VERIFY,
               frame_open(f->frame, &f->row, f->packed, f->out, f->part, &test_err));
    ck_assert_int_eq(test_err.reason, REASON_PAYLOAD_MALFORMED);
    ck_assert_msg(strstr(test_err.msg, why), "%s", test_err.msg);
}

/* The raw chunk as it is now, packed, with every hash right. */
static void reseal(struct frames *f, uint32_t len)
{
    struct coinpart of = {.bytes = len, .coins = f->row.coins};

    memcpy(of.first_key, f->raw, COINREC_KEY);
    frame_seal(f->frame, f->raw, &of, f->packed, &f->row);
    f->row.last = true;
}

START_TEST(a_frame_is_one_frame_of_its_size)
{
    AUTOFREE struct coin *coins = coins_many(3, SMALL);
    struct frames f;
    struct chunktable_row good;
    static const uint8_t skippable[] = {0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4};

    frames_init(&f, coins, SMALL);
    ASSERT_OK(frame_open(f.frame, &f.row, f.packed, f.out, f.part, &test_err));
    ck_assert_mem_eq(f.out, f.raw, f.row.raw_bytes);
    good = f.row;

    memcpy(f.packed + good.frame_bytes, skippable, sizeof(skippable));
    f.row.frame_bytes += sizeof(skippable);
    expect_malformed(&f, "no zstd frame");
    memcpy(f.packed + good.frame_bytes, f.packed, good.frame_bytes);
    f.row.frame_bytes = 2 * good.frame_bytes;
    expect_malformed(&f, "no zstd frame");
    f.row.frame_bytes = good.frame_bytes - 1;
    expect_malformed(&f, "no zstd frame");
    f.row = good;
    f.row.raw_bytes--;
    expect_malformed(&f, "no zstd frame");
    f.row.raw_bytes += 2;
    expect_malformed(&f, "no zstd frame");
    f.row = good;
    f.packed[0] ^= 1;
    expect_malformed(&f, "no zstd frame");
    frames_fini(&f);
}
END_TEST

START_TEST(a_chunk_is_the_table_s_and_sound)
{
    AUTOFREE struct coin *coins = coins_many(3, SMALL);
    struct frames f;
    uint32_t len;

    frames_init(&f, coins, SMALL);
    len = f.row.raw_bytes;
    f.row.raw_sha256[5] ^= 1;
    expect_malformed(&f, "another chunk");
    f.row.raw_sha256[5] ^= 1;
    f.row.coins++;
    expect_malformed(&f, "number");
    f.row.coins--;
    f.row.first_key[3] ^= 1;
    expect_malformed(&f, "first coin");
    f.row.first_key[3] ^= 1;
    f.row.last = false;
    memcpy(f.row.next_key, f.part->last_key, COINREC_KEY);
    expect_malformed(&f, "not before the next");

    f.raw[COINREC_KEY] |= 0x80; /* an amount below zero */
    reseal(&f, len);
    expect_malformed(&f, "no coin at byte 0");
    f.raw[COINREC_KEY] &= 0x7f;
    f.raw[0] = 0xff; /* the first key above the second */
    reseal(&f, len);
    expect_malformed(&f, "out of order");
    frames_fini(&f);
}
END_TEST

/* --- a snapshot whose every hash is right --- */

enum { FULL = 6026 }; /* records of 174 bytes leave 52 of a chunk */

static struct coin *full_chunk_and_one(void)
{
    struct coin *coins = xcalloc(FULL + 1, sizeof(*coins));

    for (uint32_t i = 0; i <= FULL; i++) {
        coins[i].at.txid[0] = (uint8_t)(i >> 8);
        coins[i].at.txid[1] = (uint8_t)i;
        coins[i].amount = 2.5;
        memset(coins[i].address, 'x', i < FULL ? COIN_ADDRESS_MAX : 1);
    }
    return coins;
}

/* Cut before the last coin, which has 47 bytes and belongs to the first chunk. */
static void cut_early(struct manifest *m, const struct coin *coins)
{
    static uint8_t table[CHUNKTABLE_HEAD + 2 * CHUNKTABLE_ROW], leaves[64];
    struct frames a, b;
    uint8_t *both;
    size_t len;

    frames_init(&a, coins, FULL);
    frames_init(&b, coins + FULL, 1);
    chunktable_head_write(table);
    chunktable_row_write(&a.row, table + CHUNKTABLE_HEAD);
    chunktable_row_write(&b.row, table + CHUNKTABLE_HEAD + CHUNKTABLE_ROW);
    memcpy(leaves, a.row.raw_sha256, 32);
    memcpy(leaves + 32, b.row.raw_sha256, 32);
    len = a.row.frame_bytes + b.row.frame_bytes;
    both = xcalloc(len, 1);
    memcpy(both, a.packed, a.row.frame_bytes);
    memcpy(both + a.row.frame_bytes, b.packed, b.row.frame_bytes);
    snapshot_kit_write(&kit, SNAPDIR_TABLE, table, sizeof(table));
    snapshot_kit_write(&kit, SNAPDIR_FRAMES, both, len);
    m->chunk_count = 2;
    m->frames_bytes = len;
    hash_sha256(table, sizeof(table), m->table_sha256);
    coinroot_compute(leaves, 2, m->coin_count, m->total, m->state_root);
    free(both);
    frames_fini(&a);
    frames_fini(&b);
}

static void write_manifest(const struct manifest *m)
{
    CLEANUP_BUF struct buf text = BUF(MANIFEST_MAX);

    manifest_write(m, &text);
    snapshot_kit_write(&kit, SNAPDIR_MANIFEST, (const uint8_t *)text.data, text.len);
}

/* What a download of it comes to. */
static enum errc finish_parts(void)
{
    CLEANUP(coinparts_free) struct coinparts *parts = NULL;
    CLEANUP(snapdir_close) struct snapdir *s = NULL;
    const struct manifest *m;
    struct coinfile_id id;
    char parts_path[256], idx_path[256];
    enum errc rc;

    snapshot_kit_name(&kit, "parts", parts_path);
    snapshot_kit_name(&kit, "idx", idx_path);
    ASSERT_OK(snapdir_open(kit.path, &s, &test_err));
    m = snapdir_manifest(s);
    id = manifest_coinfile_id(m);
    ASSERT_OK(coinparts_open(parts_path, snapdir_table(s), &parts, &test_err));
    for (uint32_t i = 0; i < m->chunk_count; i++) {
        const struct coinpart *part;
        const uint8_t *raw;

        ASSERT_OK(snapdir_chunk(s, i, &raw, &part, &test_err));
        ASSERT_OK(coinparts_put(parts, i, part, &test_err));
    }
    rc = coinparts_finish(parts, &id, m->total, idx_path, &test_err);
    (void)unlink(parts_path);
    (void)unlink(idx_path);
    return rc;
}

START_TEST(a_chunk_cut_early_is_seen)
{
    AUTOFREE struct coin *coins = full_chunk_and_one();
    CLEANUP(manifest_free)
    struct manifest *m = snapshot_kit_make(&kit, coins, FULL + 1, NULL);

    ck_assert_uint_eq(m->chunk_count, 1);
    ASSERT_OK(finish_parts());
    cut_early(m, coins);
    write_manifest(m);
    ASSERT_ERR(ERR_VERIFY, open_and_verify());
    ck_assert_int_eq(test_err.reason, REASON_PAYLOAD_MALFORMED);
    ck_assert_ptr_nonnull(strstr(test_err.msg, "has room for"));
    ASSERT_ERR(ERR_VERIFY, finish_parts());
    ck_assert_int_eq(test_err.reason, REASON_PAYLOAD_MALFORMED);
    ck_assert_ptr_nonnull(strstr(test_err.msg, "has room for"));
}
END_TEST

START_TEST(another_total_is_seen)
{
    AUTOFREE struct coin *coins = coins_many(3, SMALL);
    CLEANUP(manifest_free)
    struct manifest *m = snapshot_kit_make(&kit, coins, SMALL, NULL);
    struct chunktable_row row;
    CLEANUP(snapdir_close) struct snapdir *s = NULL;

    ASSERT_OK(snapdir_open(kit.path, &s, &test_err));
    chunktable_row(snapdir_table(s), 0, &row);
    m->total--;
    coinroot_compute(row.raw_sha256, 1, m->coin_count, m->total, m->state_root);
    write_manifest(m);
    ASSERT_ERR(ERR_VERIFY, open_and_verify());
    ck_assert_int_eq(test_err.reason, REASON_PAYLOAD_MALFORMED);
    ck_assert_ptr_nonnull(strstr(test_err.msg, "add up"));
    ASSERT_ERR(ERR_VERIFY, finish_parts());
    ck_assert_ptr_nonnull(strstr(test_err.msg, "add up"));
}
END_TEST

START_TEST(a_raw_chunk_is_checked_alike)
{
    AUTOFREE struct coin *coins = coins_many(3, SMALL);
    struct frames f;

    frames_init(&f, coins, SMALL);
    ASSERT_OK(frame_check_raw(&f.row, f.raw, f.part, &test_err));
    f.raw[7] ^= 1;
    ASSERT_ERR(ERR_VERIFY, frame_check_raw(&f.row, f.raw, f.part, &test_err));
    ck_assert_int_eq(test_err.reason, REASON_PAYLOAD_HASH_MISMATCH);
    frames_fini(&f);
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("snapshot_damage");
    TCase *t = tcase_create("damage");

    tcase_set_timeout(t, 120);
    tcase_add_checked_fixture(t, begin, end);
    tcase_add_test(t, every_changed_byte_of_table_and_body_is_seen);
    tcase_add_test(t, every_changed_bit_of_the_manifest_is_seen);
    tcase_add_test(t, a_table_that_lies_is_seen);
    tcase_add_test(t, rows_are_bounded_one_by_one);
    tcase_add_test(t, a_frame_is_one_frame_of_its_size);
    tcase_add_test(t, a_chunk_is_the_table_s_and_sound);
    tcase_add_test(t, a_chunk_cut_early_is_seen);
    tcase_add_test(t, another_total_is_seen);
    tcase_add_test(t, a_raw_chunk_is_checked_alike);
    suite_add_tcase(s, t);
    return s;
}
