#include "sync/snapshot/delta.h"
#include "sync/snapshot/delta_layout.h"
#include "tests/unit/snapshot_kit.h"

/* From one snapshot's coins to another's: made, applied, and broken in every place. */

static struct snapshot_kit a, b;
static char file[128], out[128];
static const struct delta_watch quiet = {0};

static void setup(void)
{
    snapshot_kit_init(&a);
    snapshot_kit_init(&b);
    b.about.header.height = 78;
    header_hash(&b.about.header, b.about.header.hash);
    (void)snprintf(file, sizeof(file), "%s/delta", b.parent);
    (void)snprintf(out, sizeof(out), "%s/out", b.parent);
    ck_assert_int_eq(mkdir(out, 0700), 0);
}

static void teardown(void)
{
    (void)unlink(file);
    ck_assert_int_eq(rmdir(out), 0); /* nothing half-made is left */
    snapshot_kit_fini(&a);
    snapshot_kit_fini(&b);
}

/* A tenth of the coins go, some get another owner, others come. */
static uint32_t change(const struct coin *from, uint32_t n, uint32_t seed,
                       struct coin *to)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < n; i++) {
        struct coin coin = from[i];

        if ((i * 7 + seed) % 10 == 0)
            continue;
        if ((i * 5 + seed) % 31 == 0)
            (void)snprintf(coin.address, sizeof(coin.address), "somebody else %u", i);
        to[count++] = coin;
    }
    for (uint32_t i = 0; i < n / 8; i++)
        to[count++] = coins_make(seed + 1000, i);
    qsort(to, count, sizeof(*to), coins_compare);
    return count;
}

static void make_two(uint32_t n, uint32_t seed)
{
    CLEANUP(manifest_free) struct manifest *first = NULL;
    CLEANUP(manifest_free) struct manifest *second = NULL;
    AUTOFREE struct coin *from = coins_many(seed, n);
    AUTOFREE struct coin *to = xcalloc((size_t)2 * n + 1, sizeof(*to));
    uint8_t xai[32] = {7};

    first = snapshot_kit_make(&a, from, n, NULL);
    second =
        snapshot_kit_make(&b, to, change(from, n, seed, to), seed % 2 ? xai : NULL);
}

static enum errc apply(void)
{
    CLEANUP(manifest_free) struct manifest *made = NULL;

    return delta_apply(a.path, file, out, &quiet, &made, &test_err);
}

static void assert_same_file(const char *dir, const char *name)
{
    struct snapshot_kit made;
    size_t len, want_len;
    AUTOFREE uint8_t *want = snapshot_kit_read(&b, name, &want_len);
    AUTOFREE uint8_t *have = NULL;

    (void)snprintf(made.path, sizeof(made.path), "%s", dir);
    have = snapshot_kit_read(&made, name, &len);
    ck_assert_uint_eq(len, want_len);
    ck_assert_mem_eq(have, want, len);
}

/* What was applied is the later snapshot, byte by byte. */
static void assert_leads_there(void)
{
    CLEANUP(manifest_free) struct manifest *made = NULL;
    char id[MANIFEST_ID], dir[256];

    ASSERT_OK(delta_apply(a.path, file, out, &quiet, &made, &test_err));
    manifest_id(made, id);
    (void)snprintf(dir, sizeof(dir), "%s/%s", out, id);
    assert_same_file(dir, SNAPDIR_MANIFEST);
    assert_same_file(dir, SNAPDIR_TABLE);
    assert_same_file(dir, SNAPDIR_FRAMES);
    ASSERT_ERR(ERR_CONFLICT, apply());
    ASSERT_OK(snapdir_remove(dir, &test_err));
}

/* The same in coin files. */
static void assert_coins_lead_there(const struct coin *from, uint32_t n)
{
    struct coins_dir one = coins_dir_make(), two = coins_dir_make();
    const struct coinfile_id id = {.network = "testnet", .height = 5};
    const struct delta_coins paths = {one.coins, one.idx, file, two.coins, two.idx};
    CLEANUP(coinfile_close) struct coinfile *f = NULL;
    CLEANUP(snapdir_close) struct snapdir *to = NULL;
    struct coinfile_info info;

    (void)coins_write(&one, &id, from, n);
    ASSERT_OK(snapdir_open(b.path, &to, &test_err));
    ASSERT_OK(delta_apply_coins(&paths, &quiet, &info, &test_err));
    ck_assert_mem_eq(info.state_root, snapdir_manifest(to)->state_root, 32);
    ck_assert_uint_eq(info.id.height, 78);
    ck_assert_uint_eq(info.file_bytes, snapdir_manifest(to)->bytes);
    ASSERT_OK(coinfile_open(two.coins, two.idx, info.state_root, &f, &test_err));
    ck_assert(!coinfile_info(f)->index_rebuilt);
    ASSERT_OK(coinfile_verify(f, NULL, &test_err));
    coins_dir_remove(&two);
    if (n > 0) { /* of a coin less */
        (void)coins_write(&one, &id, from, n - 1);
        ASSERT_ERR(ERR_VERIFY, delta_apply_coins(&paths, &quiet, &info, &test_err));
        ck_assert_int_eq(test_err.reason, REASON_PAYLOAD_HASH_MISMATCH);
        ck_assert_int_ne(access(two.coins, F_OK), 0);
    }
    coins_dir_remove(&one);
}

START_TEST(any_two_states_have_a_delta_that_leads_from_one_to_the_other)
{
    static const uint32_t sizes[] = {0, 1, 2, 9, 400, 30000};
    AUTOFREE struct coin *coins = NULL;
    struct delta_info info;

    make_two(sizes[_i], (uint32_t)_i + 1);
    ASSERT_OK(delta_make(a.path, b.path, file, &quiet, &info, &test_err));
    ck_assert_uint_eq(info.frames > 0, info.removed + info.added > 0);
    assert_leads_there();
    coins = coins_many((uint32_t)_i + 1, sizes[_i]);
    assert_coins_lead_there(coins, sizes[_i]);
}
END_TEST

START_TEST(of_equal_states_it_is_empty)
{
    CLEANUP(manifest_free) struct manifest *first = NULL;
    CLEANUP(manifest_free) struct manifest *second = NULL;
    AUTOFREE struct coin *coins = coins_many(3, 500);
    struct delta_info info;

    first = snapshot_kit_make(&a, coins, 500, NULL);
    second = snapshot_kit_make(&b, coins, 500, NULL);
    ASSERT_OK(delta_make(a.path, b.path, file, &quiet, &info, &test_err));
    ck_assert_uint_eq(info.removed + info.added + info.frames, 0);
    assert_leads_there();
}
END_TEST

START_TEST(it_goes_forward_and_begins_where_it_was_made)
{
    struct delta_info info;

    make_two(50, 1);
    ASSERT_ERR(ERR_INVALID, delta_make(b.path, a.path, file, &quiet, &info, &test_err));
    ck_assert_int_ne(access(file, F_OK), 0);
    ASSERT_OK(delta_make(a.path, b.path, file, &quiet, &info, &test_err));
    {
        CLEANUP(manifest_free) struct manifest *made = NULL;

        ASSERT_ERR(ERR_VERIFY,
                   delta_apply(b.path, file, out, &quiet, &made, &test_err));
    }
    ck_assert_int_eq(test_err.reason, REASON_PAYLOAD_HASH_MISMATCH);
}
END_TEST

/* --- broken ones --- */

static void put_bytes(const uint8_t *bytes, size_t len)
{
    FILE *f = fopen(file, "wb");

    if (!f || fwrite(bytes, 1, len, f) != len || fclose(f) != 0)
        ck_abort_msg("%s cannot be written", file);
}

static uint8_t *delta_bytes(size_t *len)
{
    struct snapshot_kit k;

    (void)snprintf(k.path, sizeof(k.path), "%s", b.parent);
    return snapshot_kit_read(&k, "delta", len);
}

static enum errc read_all(void)
{
    CLEANUP(delta_close) struct delta *d = NULL;
    struct delta_item item = {0};
    enum errc rc = delta_open(file, &d, &test_err);

    do {
        if (!rc)
            rc = delta_next(d, &item, &test_err);
    } while (!rc && item.rec);
    return rc;
}

START_TEST(every_changed_byte_and_every_cut_is_refused)
{
    struct delta_info info;
    AUTOFREE uint8_t *bytes = NULL;
    size_t len;

    make_two(40, 1);
    ASSERT_OK(delta_make(a.path, b.path, file, &quiet, &info, &test_err));
    bytes = delta_bytes(&len);
    ck_assert_uint_eq(len, info.bytes);
    for (size_t i = 0; i < len; i++) {
        uint8_t was = bytes[i];

        bytes[i] = (uint8_t)(was ^ 1U << i % 8);
        put_bytes(bytes, len);
        if ((i % 97 ? read_all() : apply()) != ERR_VERIFY)
            ck_abort_msg("byte %zu: %s", i, test_err.msg);
        bytes[i] = was;
    }
    for (size_t cut = 0; cut < len; cut += cut < 400 ? 1 : 37) {
        put_bytes(bytes, cut);
        ASSERT_ERR(ERR_VERIFY, read_all());
    }
    put_bytes(bytes, len);
    ASSERT_OK(read_all());
    assert_leads_there();
}
END_TEST

/* A delta with true hashes that lies: frames made by hand. */
static void forge(const struct coin *added, uint32_t n, const uint8_t *removed,
                  bool removed_last)
{
    CLEANUP(delta_writer_free) struct delta_writer *w = NULL;
    CLEANUP(snapdir_close) struct snapdir *from = NULL;
    CLEANUP(snapdir_close) struct snapdir *to = NULL;
    struct delta_info info;

    ASSERT_OK(snapdir_open(a.path, &from, &test_err));
    ASSERT_OK(snapdir_open(b.path, &to, &test_err));
    ASSERT_OK(delta_writer_create(file, snapdir_manifest(to), &w, &test_err));
    if (removed && !removed_last)
        ASSERT_OK(delta_writer_add(w, true, removed, COINREC_KEY, &test_err));
    for (uint32_t i = 0; i < n; i++) {
        uint8_t rec[COINREC_MAX];
        size_t len;
        u128 atto;

        ASSERT_OK(coinrec_encode(&added[i], rec, &len, &atto, &test_err));
        ASSERT_OK(delta_writer_add(w, false, rec, len, &test_err));
    }
    if (removed && removed_last)
        ASSERT_OK(delta_writer_add(w, true, removed, COINREC_KEY, &test_err));
    ASSERT_OK(delta_writer_finish(w, snapdir_manifest(from), &info, &test_err));
}

static void expect(enum reason reason, const char *says)
{
    ASSERT_ERR(ERR_VERIFY, apply());
    ck_assert_msg(test_err.reason == reason && strstr(test_err.msg, says), "%s: %s",
                  reason_code(test_err.reason), test_err.msg);
}

START_TEST(one_that_lies_is_refused)
{
    AUTOFREE struct coin *coins = coins_many(1, 40);
    struct coin other = coins_make(77, 0);
    uint8_t key[COINREC_KEY];

    make_two(40, 1);
    forge(NULL, 0, NULL, false);
    expect(REASON_PAYLOAD_HASH_MISMATCH, "state root");
    forge(&other, 1, NULL, false);
    expect(REASON_PAYLOAD_HASH_MISMATCH, "state root");
    forge(&coins[3], 1, NULL, false);
    expect(REASON_STATE_BOUNDS, "to be added, is there");
    coinrec_key(&coins[3].at, key);
    forge(&coins[3], 1, key, false);
    expect(REASON_STATE_BOUNDS, "is the same");
    coinrec_key(&other.at, key);
    forge(&other, 1, key, true);
    expect(REASON_PAYLOAD_MALFORMED, "out of order");
    forge(NULL, 0, key, false);
    expect(REASON_STATE_BOUNDS, "to be removed, is not there");
    memset(key, 0xff, sizeof(key)); /* behind the last coin */
    forge(NULL, 0, key, false);
    expect(REASON_STATE_BOUNDS, "to be removed, is not there");
    {
        AUTOFREE struct coin *more = coins_many(78, 2);
        struct coin two[2] = {more[1], more[0]};

        forge(two, 2, NULL, false);
        expect(REASON_PAYLOAD_MALFORMED, "out of order");
    }
}
END_TEST

START_TEST(it_ends_when_cancelled)
{
    atomic_bool cancel = true;
    const struct delta_watch watch = {.cancel = &cancel};
    CLEANUP(manifest_free) struct manifest *made = NULL;
    struct delta_info info;

    make_two(40, 1);
    ASSERT_ERR(ERR_CANCELED,
               delta_make(a.path, b.path, file, &watch, &info, &test_err));
    ck_assert_int_ne(access(file, F_OK), 0);
    ASSERT_OK(delta_make(a.path, b.path, file, &quiet, &info, &test_err));
    ASSERT_ERR(ERR_CANCELED, delta_apply(a.path, file, out, &watch, &made, &test_err));
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("delta");
    TCase *t = tcase_create("delta");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, any_two_states_have_a_delta_that_leads_from_one_to_the_other,
                        0, 6);
    tcase_add_test(t, of_equal_states_it_is_empty);
    tcase_add_test(t, it_goes_forward_and_begins_where_it_was_made);
    tcase_add_test(t, every_changed_byte_and_every_cut_is_refused);
    tcase_add_test(t, one_that_lies_is_refused);
    tcase_add_test(t, it_ends_when_cancelled);
    suite_add_tcase(s, t);
    return s;
}
