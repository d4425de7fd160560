#include "store/coinhead.h"
#include "store/coinparts.h"
#include "tests/unit/snapshot_kit.h"

/* A snapshot holds the coins it was made of, is the same wherever it is made, and gives
   the very coin file and index that a writer of those makes. */

enum { SMALL = 40, LARGE = 30200, VECTOR = 30200 };

static struct snapshot_kit kit;
static struct coins_dir dir;

static void begin(void)
{
    snapshot_kit_init(&kit);
    dir = coins_dir_make();
}

static void end(void)
{
    snapshot_kit_fini(&kit);
    coins_dir_remove(&dir);
}

/* Six chunks: docs/snapshot-format.md. */
static struct coin *vector_coins(void)
{
    struct coin *coins = xcalloc(VECTOR, sizeof(*coins));

    for (uint32_t i = 0; i < VECTOR; i++) {
        coins[i].at.txid[0] = (uint8_t)(i >> 24);
        coins[i].at.txid[1] = (uint8_t)(i >> 16);
        coins[i].at.txid[2] = (uint8_t)(i >> 8);
        coins[i].at.txid[3] = (uint8_t)i;
        coins[i].amount = 0.25;
        memset(coins[i].address, 'x', COIN_ADDRESS_MAX);
    }
    return coins;
}

struct expected {
    const struct coin *coins;
    size_t at, count;
};

static enum errc expect(void *arg, const struct coin *coin, struct err *err)
{
    struct expected *e = arg;

    if (e->at >= e->count || !coins_same(coin, &e->coins[e->at++]))
        return err_set(err, ERR_INVALID, "coin %zu is another", e->at);
    return ERR_OK;
}

static void expect_hex(const uint8_t hash[32], const char *want)
{
    char hex[65];

    hex_encode(hash, 32, hex);
    ck_assert_str_eq(hex, want);
}

START_TEST(a_snapshot_holds_its_coins)
{
    AUTOFREE struct coin *coins = coins_many(9, LARGE);
    CLEANUP(manifest_free)
    struct manifest *m = snapshot_kit_make(&kit, coins, LARGE, NULL);
    CLEANUP(snapdir_close) struct snapdir *s = NULL;
    struct expected e = {coins, 0, LARGE};
    _Atomic uint64_t done = 0;

    ASSERT_OK(snapdir_open(kit.path, &s, &test_err));
    ck_assert_uint_eq(snapdir_manifest(s)->coin_count, LARGE);
    ck_assert(m->total == coins_sum(coins, LARGE));
    ck_assert_uint_gt(m->chunk_count, 1);
    ASSERT_OK(snapdir_scan(s, expect, &e, &test_err));
    ck_assert_uint_eq(e.at, LARGE);
    ASSERT_OK(snapdir_verify(s, NULL, &done, &test_err));
    ck_assert_uint_eq(done + COINHEAD_BYTES, m->bytes);
}
END_TEST

START_TEST(it_is_the_state_of_the_coin_file)
{
    AUTOFREE struct coin *coins = coins_many(9, LARGE);
    CLEANUP(manifest_free)
    struct manifest *m = snapshot_kit_make(&kit, coins, LARGE, NULL);
    const struct coinfile_id id = manifest_coinfile_id(m);
    const struct coinfile_info info = coins_write(&dir, &id, coins, LARGE);

    ck_assert_mem_eq(m->state_root, info.state_root, 32);
    ck_assert_uint_eq(m->bytes, info.file_bytes);
    ck_assert_uint_eq(m->chunk_count, info.chunk_count);
    ck_assert_uint_eq(m->coin_count, info.coin_count);
    ck_assert(m->total == info.total);
}
END_TEST

START_TEST(it_is_the_same_wherever_it_is_made)
{
    AUTOFREE struct coin *coins = coins_many(4, SMALL);
    struct snapshot_kit other;
    CLEANUP(manifest_free)
    struct manifest *a = snapshot_kit_make(&kit, coins, SMALL, NULL);
    CLEANUP(manifest_free) struct manifest *b = NULL;
    static const char *const names[] = {SNAPDIR_MANIFEST, SNAPDIR_TABLE,
                                        SNAPDIR_FRAMES};

    snapshot_kit_init(&other);
    b = snapshot_kit_make(&other, coins, SMALL, NULL);
    ck_assert_mem_eq(a->table_sha256, b->table_sha256, 32);
    ck_assert_str_eq(kit.path + strlen(kit.parent), other.path + strlen(other.parent));
    for (size_t i = 0; i < 3; i++) {
        size_t n, n2;
        AUTOFREE uint8_t *x = snapshot_kit_read(&kit, names[i], &n);
        AUTOFREE uint8_t *y = snapshot_kit_read(&other, names[i], &n2);

        ck_assert_uint_eq(n, n2);
        ck_assert_mem_eq(x, y, n);
    }
    snapshot_kit_fini(&other);
}
END_TEST

START_TEST(vectors)
{
    AUTOFREE struct coin *coins = vector_coins();
    CLEANUP(manifest_free)
    struct manifest *m = snapshot_kit_make(&kit, coins, VECTOR, NULL);
    uint8_t digest[32], sha[32];
    size_t len;
    AUTOFREE uint8_t *text = snapshot_kit_read(&kit, SNAPDIR_MANIFEST, &len);

    expect_hex(m->state_root,
               "a49540e04f33e3d8427fa76745ca6b38b865458d1b8aa31012a420b0f6a62144");
    ck_assert_uint_eq(m->chunk_count, 6);
    ck_assert(m->total == (u128)VECTOR * 250000000000000000U);
    manifest_digest(m, digest);
    hash_sha256(text, len, sha);
    if (strcmp(m->software, "cairn/0.1.0 zstd/1.5.4") != 0)
        return; /* another libzstd makes other frames: docs/adr/0029 */
    ck_assert_uint_eq(m->frames_bytes, 58778);
    expect_hex(m->table_sha256,
               "af67bb745f98ac21c3ffffac761eb8401a48cfcd10b62252909ccefe54e5f86d");
    expect_hex(digest,
               "110b244aa31330ae377eab77c704cd2074c0edfd1d2d736977b5c3f690c1ec7c");
    expect_hex(sha, "2088d2232acc547667a141b7ee6b87726b349c0ad2ad2a0b6c00318028394c26");
}
END_TEST

START_TEST(no_coins_are_a_snapshot_too)
{
    CLEANUP(manifest_free) struct manifest *m = snapshot_kit_make(&kit, NULL, 0, NULL);
    CLEANUP(snapdir_close) struct snapdir *s = NULL;
    struct expected e = {NULL, 0, 0};

    ck_assert_uint_eq(m->bytes, COINHEAD_BYTES);
    ck_assert_uint_eq(m->frames_bytes, 0);
    expect_hex(m->state_root,
               "23846fc4a56d58e0b39d4c7083d5c21c2c58c049c4b4c4c8510320a909cf6d58");
    ASSERT_OK(snapdir_open(kit.path, &s, &test_err));
    ASSERT_OK(snapdir_scan(s, expect, &e, &test_err));
}
END_TEST

/* The raw chunks into a coin file, last first, as a download may have them, each part
   put away; half of them by a process that is then gone. */
static void take_chunks(struct snapdir *s, FILE *coins, const char *parts_path)
{
    const struct chunktable *t = snapdir_table(s);
    uint32_t count = chunktable_count(t);
    CLEANUP(coinparts_free) struct coinparts *parts = NULL;

    ASSERT_OK(coinparts_open(parts_path, t, &parts, &test_err));
    for (uint32_t i = count; i-- > 0;) {
        const struct coinpart *part;
        const uint8_t *raw;
        struct chunktable_row row;

        if (i == count / 2) {
            coinparts_free(TAKE(parts));
            ASSERT_OK(coinparts_open(parts_path, t, &parts, &test_err));
        }
        ck_assert(!coinparts_has(parts, i));
        ASSERT_OK(snapdir_chunk(s, i, &raw, &part, &test_err));
        chunktable_row(t, i, &row);
        ck_assert_int_eq(fseek(coins, (long)row.raw_offset, SEEK_SET), 0);
        ck_assert_uint_eq(fwrite(raw, 1, row.raw_bytes, coins), row.raw_bytes);
        ASSERT_OK(coinparts_put(parts, i, part, &test_err));
        ck_assert(coinparts_has(parts, i));
    }
    ASSERT_OK(coinparts_sync(parts, &test_err));
}

static void assemble(const struct manifest *m, char parts_path[128])
{
    const struct coinfile_id id = manifest_coinfile_id(m);
    CLEANUP(coinparts_free) struct coinparts *parts = NULL;
    CLEANUP(snapdir_close) struct snapdir *s = NULL;
    uint8_t head[COINHEAD_BYTES];
    FILE *coins = fopen(dir.coins, "wb");

    (void)snprintf(parts_path, 128, "%s.parts", dir.coins);
    ck_assert_ptr_nonnull(coins);
    ASSERT_OK(coinhead_encode(&id, head, &test_err));
    ck_assert_uint_eq(fwrite(head, 1, sizeof(head), coins), sizeof(head));
    ASSERT_OK(snapdir_open(kit.path, &s, &test_err));
    take_chunks(s, coins, parts_path);
    (void)fclose(coins);
    ASSERT_OK(coinparts_open(parts_path, snapdir_table(s), &parts, &test_err));
    ASSERT_OK(coinparts_finish(parts, &id, m->total, dir.idx, &test_err));
}

START_TEST(chunks_in_any_order_make_the_coin_file_and_its_index)
{
    AUTOFREE struct coin *coins = coins_many(9, LARGE);
    CLEANUP(manifest_free)
    struct manifest *m = snapshot_kit_make(&kit, coins, LARGE, NULL);
    CLEANUP(coinfile_close) struct coinfile *f = NULL;
    char parts_path[128];

    assemble(m, parts_path);
    ASSERT_OK(coinfile_open(dir.coins, dir.idx, m->state_root, &f, &test_err));
    ck_assert_msg(!coinfile_info(f)->index_rebuilt, "the index is another");
    ASSERT_OK(coinfile_verify(f, NULL, &test_err)); /* compares it byte by byte */
    (void)unlink(parts_path);
}
END_TEST

static void flip(const char *path, long at)
{
    FILE *f = fopen(path, "r+b");
    int c;

    ck_assert_ptr_nonnull(f);
    ck_assert_int_eq(fseek(f, at, SEEK_SET), 0);
    c = getc(f);
    ck_assert_int_eq(fseek(f, at, SEEK_SET), 0);
    ck_assert_int_ne(putc(c ^ 1, f), EOF);
    (void)fclose(f);
}

START_TEST(a_slot_that_is_not_sound_is_not_there)
{
    AUTOFREE struct coin *coins = coins_many(9, LARGE);
    CLEANUP(manifest_free)
    struct manifest *m = snapshot_kit_make(&kit, coins, LARGE, NULL);
    const struct coinfile_id id = manifest_coinfile_id(m);
    CLEANUP(coinparts_free) struct coinparts *parts = NULL;
    CLEANUP(snapdir_close) struct snapdir *s = NULL;
    static const long places[] = {0, 31, 32, 47, 48, 52, 56, 90, 11000, 11351};
    char parts_path[128];

    assemble(m, parts_path);
    ASSERT_OK(snapdir_open(kit.path, &s, &test_err));
    ASSERT_OK(coinparts_open(parts_path, snapdir_table(s), &parts, &test_err));
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        flip(parts_path, places[i]);
        ck_assert_msg(!coinparts_has(parts, 0), "byte %ld", places[i]);
        ASSERT_ERR(ERR_IO, coinparts_finish(parts, &id, m->total, dir.idx, &test_err));
        ck_assert_int_eq(test_err.reason, REASON_STORAGE_CORRUPT);
        flip(parts_path, places[i]);
        ck_assert(coinparts_has(parts, 0));
    }
    ASSERT_ERR(ERR_VERIFY,
               coinparts_finish(parts, &id, m->total + 1, dir.idx, &test_err));
    ck_assert_int_eq(test_err.reason, REASON_PAYLOAD_MALFORMED);
    ASSERT_OK(coinparts_finish(parts, &id, m->total, dir.idx, &test_err));
    (void)unlink(parts_path);
}
END_TEST

START_TEST(a_slot_of_another_download_is_not_there)
{
    AUTOFREE struct coin *coins = coins_many(9, SMALL);
    CLEANUP(manifest_free)
    struct manifest *m = snapshot_kit_make(&kit, coins, SMALL, NULL);
    CLEANUP(manifest_free) struct manifest *other = NULL;
    CLEANUP(coinparts_free) struct coinparts *parts = NULL;
    CLEANUP(snapdir_close) struct snapdir *s = NULL;
    char parts_path[128];

    assemble(m, parts_path);
    ASSERT_OK(snapdir_remove(kit.path, &test_err));
    coins[0].amount += 1.0; /* the same sizes and keys */
    other = snapshot_kit_make(&kit, coins, SMALL, NULL);
    ck_assert_uint_eq(other->bytes, m->bytes);
    ASSERT_OK(snapdir_open(kit.path, &s, &test_err));
    ASSERT_OK(coinparts_open(parts_path, snapdir_table(s), &parts, &test_err));
    ck_assert(!coinparts_has(parts, 0));
    (void)unlink(parts_path);
}
END_TEST

START_TEST(rows_and_their_places)
{
    AUTOFREE struct coin *coins = coins_many(9, LARGE);
    CLEANUP(manifest_free)
    struct manifest *m = snapshot_kit_make(&kit, coins, LARGE, NULL);
    CLEANUP(snapdir_close) struct snapdir *s = NULL;
    uint64_t raw = COINHEAD_BYTES, frame = 0;
    uint8_t low[COINREC_KEY] = {0};

    ASSERT_OK(snapdir_open(kit.path, &s, &test_err));
    for (uint32_t i = 0; i < m->chunk_count; i++) {
        struct chunktable_row row;

        chunktable_row(snapdir_table(s), i, &row);
        ck_assert_uint_eq(row.raw_offset, raw);
        ck_assert_uint_eq(row.frame_offset, frame);
        ck_assert_uint_eq(chunktable_of_frame(snapdir_table(s), frame), i);
        frame += row.frame_bytes;
        raw += row.raw_bytes;
        ck_assert_uint_eq(chunktable_of_frame(snapdir_table(s), frame - 1), i);
        ck_assert_uint_eq(chunktable_of_key(snapdir_table(s), row.first_key), i);
        ck_assert_int_eq(row.last, i + 1 == m->chunk_count);
    }
    ck_assert_uint_eq(chunktable_of_key(snapdir_table(s), low), 0);
    ck_assert_uint_eq(raw, m->bytes);
    ck_assert_uint_eq(frame, m->frames_bytes);
}
END_TEST

START_TEST(an_unfinished_one_leaves_nothing)
{
    CLEANUP(snapdir_writer_free) struct snapdir_writer *w = NULL;
    struct coin coin = coins_make(1, 1);

    ASSERT_OK(snapdir_writer_create(kit.parent, &kit.about, &w, &test_err));
    ASSERT_OK(snapdir_writer_add(w, &coin, &test_err));
    ASSERT_ERR(ERR_VERIFY, snapdir_writer_add(w, &coin, &test_err));
    ck_assert_int_eq(test_err.reason, REASON_STATE_BOUNDS);
} /* kit_fini finds an empty directory */
END_TEST

START_TEST(one_that_is_there_stays)
{
    AUTOFREE struct coin *coins = coins_many(4, SMALL);
    CLEANUP(manifest_free)
    struct manifest *m = snapshot_kit_make(&kit, coins, SMALL, NULL);
    CLEANUP(manifest_free) struct manifest *again = NULL;
    CLEANUP(snapdir_writer_free) struct snapdir_writer *w = NULL;

    ASSERT_OK(snapdir_writer_create(kit.parent, &kit.about, &w, &test_err));
    for (uint32_t i = 0; i < SMALL; i++)
        ASSERT_OK(snapdir_writer_add(w, &coins[i], &test_err));
    ASSERT_ERR(ERR_CONFLICT, snapdir_writer_finish(w, &again, &test_err));
    ck_assert_uint_eq(m->coin_count, SMALL);
}
END_TEST

START_TEST(a_leftover_goes)
{
    AUTOFREE struct coin *coins = coins_many(4, SMALL);
    CLEANUP(manifest_free) struct manifest *m = NULL;
    char hex[65], path[256], file[300];
    FILE *f;

    hex_encode(kit.about.header.hash, 32, hex);
    (void)snprintf(path, sizeof(path), "%s/77-%.16s.incomplete", kit.parent, hex);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    (void)snprintf(file, sizeof(file), "%s/chunks.bin", path);
    f = fopen(file, "wb");
    ck_assert_ptr_nonnull(f);
    (void)fclose(f);
    m = snapshot_kit_make(&kit, coins, SMALL, NULL);
    ck_assert_int_ne(access(path, F_OK), 0);
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("snapshot");
    TCase *t = tcase_create("snapshot");

    tcase_add_checked_fixture(t, begin, end);
    tcase_add_test(t, a_snapshot_holds_its_coins);
    tcase_add_test(t, it_is_the_state_of_the_coin_file);
    tcase_add_test(t, it_is_the_same_wherever_it_is_made);
    tcase_add_test(t, vectors);
    tcase_add_test(t, no_coins_are_a_snapshot_too);
    tcase_add_test(t, chunks_in_any_order_make_the_coin_file_and_its_index);
    tcase_add_test(t, a_slot_that_is_not_sound_is_not_there);
    tcase_add_test(t, a_slot_of_another_download_is_not_there);
    tcase_add_test(t, rows_and_their_places);
    tcase_add_test(t, an_unfinished_one_leaves_nothing);
    tcase_add_test(t, one_that_is_there_stays);
    tcase_add_test(t, a_leftover_goes);
    suite_add_tcase(s, t);
    return s;
}
