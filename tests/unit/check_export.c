#include "sync/snapshot/chunked.h"
#include "sync/snapshot/cpfile.h"
#include "sync/snapshot/export.h"
#include "tests/unit/payload_kit.h"
#include "tests/unit/snapshot_kit.h"

/* A snapshot in XAI's shapes: read back by what reads stock's. */

enum { COINS = 9000 }; /* over two chunks of text */

static struct snapshot_kit k;
static struct pk p;
static struct manifest *made;
static struct export_order order;

static void setup(void)
{
    AUTOFREE struct coin *coins = coins_many(5, COINS);

    snapshot_kit_init(&k);
    made = snapshot_kit_make(&k, coins, COINS, NULL);
    pk_init(&p);
    order = (struct export_order){
        .snapshot = k.path, .tmp_dir = p.dir, .sort_memory = 1U << 20};
}

static void teardown(void)
{
    manifest_free(made);
    snapshot_kit_fini(&k);
    pk_fini(&p);
}

static void assert_is_the_state(void)
{
    EXPECT_OK(&p, pk_ingest_file(&p, p.payload));
    ck_assert_mem_eq(p.result.coins.state_root, made->state_root, 32);
    ck_assert_mem_eq(p.result.coins.id.block_hash, made->block_hash, 32);
    ck_assert_uint_eq(p.result.meta.height, 77);
}

START_TEST(the_payload_has_the_snapshots_coins_block_and_work)
{
    struct payload_written w;
    _Atomic uint64_t done = 0;

    order.done = &done;
    ASSERT_OK(export_payload(&order, p.payload, &w, &test_err));
    assert_is_the_state();
    ck_assert_str_eq(p.result.meta.work, "20000");
    ck_assert(!p.result.meta.has_signature);
    ck_assert_uint_eq(w.coins, COINS);
    ck_assert_uint_eq(done, COINS);
}
END_TEST

START_TEST(a_signature_that_is_not_there_leaves_nothing)
{
    struct payload_written w;

    order.signer = "02ab";
    ASSERT_ERR(ERR_NOTFOUND, export_payload(&order, p.payload, &w, &test_err));
    ck_assert_int_ne(access(p.payload, F_OK), 0);
}
END_TEST

START_TEST(chunks_are_stocks)
{
    AUTOFREE char *dir = xasprintf("%s/chunks", p.dir);
    char id[CHUNKED_ID];

    ASSERT_OK(export_chunks(&order, dir, id, &test_err));
    ck_assert_int_eq(strncmp(id, "height_77_", 10), 0);
    ck_assert(chunked_is_dir(dir));
    ASSERT_OK(chunked_join(dir, p.payload, 1U << 30, NULL, &test_err));
    assert_is_the_state();
    ck_assert_uint_gt(p.result.bytes, 2U * EXPORT_CHUNK);
    ASSERT_ERR(ERR_IO, export_chunks(&order, dir, id, &test_err)); /* it is there */
    ck_assert(chunked_is_dir(dir));
    export_remove_chunks(dir);
    ck_assert_int_ne(access(dir, F_OK), 0);
}
END_TEST

START_TEST(a_nodes_directory_has_its_checkpoint_and_its_chunks)
{
    AUTOFREE char *dir = xasprintf("%s/stock", p.dir);
    AUTOFREE char *cp = xasprintf("%s/checkpoints/cp_77.json", dir);
    AUTOFREE char *checkpoints = xasprintf("%s/checkpoints", dir);
    AUTOFREE char *snapshots = xasprintf("%s/chunked_sync/snapshots", dir);
    AUTOFREE char *sync = xasprintf("%s/chunked_sync", dir);
    AUTOFREE char *chunks = NULL;
    const struct cpfile_options opt = {.network = "testnet",
                                       .limits = &p.limits,
                                       .out = {p.payload, p.coins, p.idx, p.dir},
                                       .progress = &p.progress};
    char hash[65];

    ASSERT_OK(export_stock(&order, dir, &test_err));
    ck_assert(cpfile_is(cp));
    ASSERT_OK(
        cpfile_convert(cp, &opt, &test_err)); /* and its checkpoint_hash is right */
    assert_is_the_state();
    hex_encode(made->block_hash, 32, hash);
    chunks = xasprintf("%s/height_77_%.8s", snapshots, hash);
    ASSERT_OK(chunked_join(chunks, p.payload, 1U << 30, NULL, &test_err));
    assert_is_the_state();
    export_remove_chunks(chunks);
    ck_assert_int_eq(unlink(cp) | rmdir(checkpoints) | rmdir(snapshots) | rmdir(sync) |
                         rmdir(dir),
                     0);
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("export");
    TCase *t = tcase_create("export");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, the_payload_has_the_snapshots_coins_block_and_work);
    tcase_add_test(t, a_signature_that_is_not_there_leaves_nothing);
    tcase_add_test(t, chunks_are_stocks);
    tcase_add_test(t, a_nodes_directory_has_its_checkpoint_and_its_chunks);
    suite_add_tcase(s, t);
    return s;
}
