#include <fcntl.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/hash.h"
#include "sync/bundle/bundle_headers.h"
#include "tests/unit/lines.h"
#include "tests/unit/snapshot_kit.h"

/* A bundle comes back as it was, and whatever is changed in one is seen. */

enum { CHAIN = 241, HEIGHT = 5, COINS = 3 };

static struct snapshot_kit kit;
static struct header chain[CHAIN];
static char path[256], unpacked[256];
static _Atomic uint64_t done;

static void read_chain(void)
{
    size_t n = 0;

    for (struct lines l = lines_open("chain/headers.jsonl"); lines_next(&l); n++)
        ASSERT_OK(header_parse(l.v, &chain[n], &test_err));
    ck_assert_uint_eq(n, CHAIN);
}

static void make_snapshot(uint64_t height)
{
    struct coin coins[COINS] = {{.at.vout = 1}, {.at.vout = 2}, {.at.vout = 3}};
    struct work work = {.be = {0}};

    for (uint64_t i = 0; i <= height; i++)
        work = work_add(work, work_of_block(chain[i].difficulty));
    kit.about.header = chain[height];
    kit.about.work = work;
    for (size_t i = 0; i < COINS; i++) {
        coins[i].amount = 0.5 + (double)i;
        (void)strncpy(coins[i].address, "somebody", COIN_ADDRESS_MAX);
    }
    manifest_free(snapshot_kit_make(&kit, coins, COINS, NULL));
}

static void begin(void)
{
    read_chain();
    snapshot_kit_init(&kit);
    (void)snprintf(path, sizeof(path), "%s/bundle", kit.parent);
    (void)snprintf(unpacked, sizeof(unpacked), "%s/unpacked", kit.parent);
}

static void end(void)
{
    ASSERT_OK(snapdir_remove(unpacked, &test_err));
    (void)unlink(path);
    snapshot_kit_fini(&kit);
}

static enum errc give(void *arg, uint64_t from, size_t count, struct header *room,
                      struct err *err)
{
    (void)arg;
    (void)err;
    ck_assert_uint_le(from + count, CHAIN);
    memcpy(room, chain + from, count * sizeof(*room));
    return ERR_OK;
}

static enum errc write_bundle(const char *to)
{
    const struct bundle_source from = {
        .dir = kit.path, .params = params_find("testnet"), .headers = give};

    test_err.reason = REASON_NONE;
    return bundle_write(&from, to, &done, &test_err);
}

static enum errc read_bundle(const char *dir)
{
    CLEANUP(bundle_close) struct bundle *b = NULL;

    test_err.reason = REASON_NONE;
    if (bundle_open(path, &b, &test_err))
        return test_err.code;
    return bundle_read(b, params_find("testnet"), dir, &done, &test_err);
}

static uint8_t *bytes_of(const char *file, size_t *len)
{
    FILE *f = fopen(file, "rb");
    uint8_t *bytes = xcalloc(1, 1 << 20);

    ck_assert_ptr_nonnull(f);
    *len = fread(bytes, 1, 1 << 20, f);
    ck_assert_int_eq(fclose(f), 0);
    return bytes;
}

static void put_bytes(const uint8_t *bytes, size_t len)
{
    FILE *f = fopen(path, "wb");

    if (!f || fwrite(bytes, 1, len, f) != len || fclose(f) != 0)
        ck_abort_msg("%s cannot be written", path);
}

static void assert_same_file(const char *a, const char *b)
{
    size_t a_len, b_len;
    AUTOFREE uint8_t *a_bytes = bytes_of(a, &a_len), *b_bytes = bytes_of(b, &b_len);

    ck_assert_uint_eq(a_len, b_len);
    ck_assert_mem_eq(a_bytes, b_bytes, a_len);
}

START_TEST(a_bundle_comes_back_as_it_was)
{
    static const char *const names[] = {SNAPDIR_MANIFEST, SNAPDIR_TABLE,
                                        SNAPDIR_FRAMES};
    char again[300], a[300], b[300];
    CLEANUP(bundle_headers_close) struct bundle_headers *kept = NULL;
    size_t len;
    AUTOFREE uint8_t *bytes = NULL;

    make_snapshot(CHAIN - 1);
    ASSERT_OK(write_bundle(path));
    bytes = bytes_of(path, &len);
    atomic_store(&done, 0);
    ASSERT_OK(read_bundle(unpacked));
    ck_assert_uint_gt(atomic_load(&done), len - 3000); /* all but manifest and hash */
    for (size_t i = 0; i < 3; i++) {
        (void)snprintf(a, sizeof(a), "%s/%s", kit.path, names[i]);
        (void)snprintf(b, sizeof(b), "%s/%s", unpacked, names[i]);
        assert_same_file(a, b);
    }
    ASSERT_OK(bundle_headers_open(unpacked, &kept, &test_err));
    (void)snprintf(again, sizeof(again), "%s/again", kit.parent);
    ASSERT_OK(bundle_write(&(struct bundle_source){unpacked, params_find("testnet"),
                                                   bundle_headers_next, kept},
                           again, &done, &test_err));
    assert_same_file(path, again);
    ck_assert_int_eq(unlink(again), 0);
}
END_TEST

/* No file and no directory is left of what did not hold. */
static void assert_nothing_unpacked(void)
{
    char incomplete[300];

    (void)snprintf(incomplete, sizeof(incomplete), "%s%s", unpacked,
                   SNAPDIR_INCOMPLETE);
    if (access(unpacked, F_OK) == 0 || access(incomplete, F_OK) == 0)
        ck_abort_msg("something was unpacked");
}

START_TEST(every_changed_byte_is_seen)
{
    size_t len;
    AUTOFREE uint8_t *bytes = NULL;
    int fd;

    make_snapshot(HEIGHT);
    ASSERT_OK(write_bundle(path));
    bytes = bytes_of(path, &len);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    for (size_t i = 0; i < len; i++) {
        const uint8_t flip = (uint8_t)(i % 9 == 0 ? 0xff : 1 << i % 8);
        const uint8_t changed = (uint8_t)(bytes[i] ^ flip);

        if (pwrite(fd, &changed, 1, (off_t)i) != 1 || read_bundle(NULL) == ERR_OK ||
            pwrite(fd, &bytes[i], 1, (off_t)i) != 1)
            ck_abort_msg("byte %zu changed by %02x is not seen", i, flip);
    }
    ASSERT_OK(read_bundle(NULL));
    ck_assert_int_eq(close(fd), 0);
}
END_TEST

START_TEST(a_cut_or_longer_one_is_refused_and_leaves_nothing)
{
    size_t len;
    AUTOFREE uint8_t *bytes = NULL;

    make_snapshot(HEIGHT);
    ASSERT_OK(write_bundle(path));
    bytes = bytes_of(path, &len);
    for (size_t i = 0; i < len; i += 7) {
        put_bytes(bytes, i);
        ASSERT_ERR(ERR_VERIFY, read_bundle(i % 3 == 0 ? unpacked : NULL));
        assert_nothing_unpacked();
    }
    put_bytes(bytes, len + 1); /* a zero: the buffer's own */
    ASSERT_ERR(ERR_VERIFY, read_bundle(unpacked));
    ck_assert_int_eq(test_err.reason, REASON_PAYLOAD_MALFORMED);
    assert_nothing_unpacked();
}
END_TEST

START_TEST(headers_that_do_not_lead_there_make_no_bundle)
{
    make_snapshot(HEIGHT);
    chain[3].nonce++;
    header_hash(&chain[3], chain[3].hash);
    ASSERT_ERR(ERR_VERIFY, write_bundle(path));
    ck_assert_int_eq(test_err.reason, REASON_HEADER_CHAIN_INVALID);
    ck_assert_ptr_nonnull(strstr(test_err.msg, "block 3: hash does not meet"));
    read_chain();
    chain[2].signature[0] = chain[2].signature[0] == 'a' ? 'b' : 'a';
    ASSERT_ERR(ERR_VERIFY, write_bundle(path));
    ck_assert_int_eq(test_err.reason, REASON_HEADER_CHAIN_INVALID);
    ck_assert_int_ne(access(path, F_OK), 0);
}
END_TEST

START_TEST(a_lie_about_the_work_makes_none)
{
    make_snapshot(HEIGHT);
    ASSERT_OK(snapdir_remove(kit.path, &test_err));
    kit.about.work = work_add(kit.about.work, work_of_block(1));
    {
        struct coin coin = {.amount = 1, .address = "x"};

        manifest_free(snapshot_kit_make(&kit, &coin, 1, NULL));
    }
    ASSERT_ERR(ERR_VERIFY, write_bundle(path));
    ck_assert_int_eq(test_err.reason, REASON_WORK_MISMATCH);
}
END_TEST

START_TEST(another_network_is_refused)
{
    CLEANUP(bundle_close) struct bundle *b = NULL;
    struct chain_params other = *params_find("testnet");

    make_snapshot(HEIGHT);
    ASSERT_OK(write_bundle(path));
    other.genesis_hash[0] ^= 1;
    ASSERT_OK(bundle_open(path, &b, &test_err));
    ASSERT_ERR(ERR_VERIFY, bundle_read(b, &other, NULL, &done, &test_err));
    ck_assert_int_eq(test_err.reason, REASON_NETWORK_MISMATCH);
}
END_TEST

START_TEST(nothing_is_overwritten)
{
    make_snapshot(HEIGHT);
    ASSERT_OK(write_bundle(path));
    ASSERT_ERR(ERR_CONFLICT, write_bundle(path));
    ASSERT_OK(read_bundle(unpacked));
    ASSERT_ERR(ERR_CONFLICT, read_bundle(unpacked));
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("bundle");
    TCase *t = tcase_create("bundle");

    tcase_add_checked_fixture(t, begin, end);
    tcase_add_test(t, a_bundle_comes_back_as_it_was);
    tcase_add_test(t, every_changed_byte_is_seen);
    tcase_add_test(t, a_cut_or_longer_one_is_refused_and_leaves_nothing);
    tcase_add_test(t, headers_that_do_not_lead_there_make_no_bundle);
    tcase_add_test(t, a_lie_about_the_work_makes_none);
    tcase_add_test(t, another_network_is_refused);
    tcase_add_test(t, nothing_is_overwritten);
    suite_add_tcase(s, t);
    return s;
}
