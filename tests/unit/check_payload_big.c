#include <stdlib.h>
#include <sys/resource.h>

#include "tests/unit/payload_kit.h"

/* Two hundred thousand coins with little memory to sort in; fewer where a sanitizer
   makes each ten times as slow. */
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
enum { LISTS = 2000 };
#else
enum { LISTS = 500 };
#endif
enum { COINS_A_LIST = 100, COINS = LISTS * COINS_A_LIST };

static struct pk p;

static void setup(void)
{
    pk_init(&p);
}

static void teardown(void)
{
    pk_fini(&p);
}

static size_t list_at(bool ascending, size_t i)
{
    return ascending ? i : i * 1237 % LISTS; /* 1237 has no factor with LISTS */
}

static void add_list(struct buf *out, size_t list)
{
    char owner[16];

    (void)snprintf(owner, sizeof(owner), "TXAI%06zu", list);
    buf_printf(out, "\"%s\": [", owner);
    for (size_t i = 0; i < COINS_A_LIST; i++) {
        uint8_t txid[32];
        char hex[65];

        hash_sha256((size_t[]){list, i}, 2 * sizeof(size_t), txid);
        hex_encode(txid, 32, hex);
        buf_printf(out,
                   "%s{\"address\": \"%s\", \"amount\": 1.5, \"script_pubkey\": "
                   "\"P2PKH %s\", \"spent\": false, \"txid\": \"%s\", \"vout\": %zu}",
                   i ? ", " : "", owner, owner, hex, i);
    }
    buf_puts(out, "]");
}

/* Writes the file list by list; hash is the one of the canonical text. */
static void write_payload(bool ascending, char hash[65])
{
    FILE *f = fopen(p.payload, "wb");
    CLEANUP(hasher_free) struct hasher *h = hasher_create();
    CLEANUP_BUF struct buf text = BUF(64U << 20);
    uint8_t digest[32];

    ck_assert_ptr_nonnull(f);
    buf_printf(&text,
               "{\"utxo_snapshot\": {\"total_utxos\": %d, \"total_value\": %d.0, "
               "\"utxo_set\": {",
               COINS, COINS / 2 * 3);
    hasher_add(h, text.data, text.len);
    (void)fprintf(f, "{\"height\": 9, \"block_hash\": \"%s\", \"data\": %s", pk_block,
                  text.data);
    for (size_t i = 0; i < LISTS; i++) {
        buf_reset(&text);
        buf_puts(&text, i ? ", " : "");
        add_list(&text, list_at(ascending, i));
        (void)fwrite(text.data, 1, text.len, f);
        buf_reset(&text);
        buf_puts(&text, i ? ", " : "");
        add_list(&text, i);
        hasher_add(h, text.data, text.len);
    }
    hasher_add(h, "}}}", 3);
    hasher_finish(h, digest);
    hex_encode(digest, 32, hash);
    (void)fprintf(f, "}}}, \"state_hash\": \"%s\"}", hash);
    ck_assert_int_eq(fclose(f), 0);
}

static long peak_kib(void)
{
    struct rusage usage;

    ck_assert_int_eq(getrusage(RUSAGE_SELF, &usage), 0);
    return usage.ru_maxrss;
}

static void ingest(bool ascending, uint8_t root[32])
{
    char hash[65], got[65];
    long before;

    write_payload(ascending, hash);
    p.limits.sort_memory = 2U << 20;
    before = peak_kib();
    EXPECT_OK(&p, pk_ingest_file(&p, p.payload));
    ck_assert_uint_gt(p.result.bytes, 160U * COINS);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    ck_assert_int_lt(peak_kib() - before, 16 << 10);
#else
    ck_assert_int_lt(peak_kib() - before, 256 << 10); /* sanitizers keep some */
#endif
    hex_encode(p.result.state_hash, 32, got);
    ck_assert_str_eq(got, hash);
    ck_assert_uint_eq(p.result.coins.coin_count, COINS);
    memcpy(root, p.result.coins.state_root, 32);
}

START_TEST(memory_is_bounded_in_any_order)
{
    uint8_t ascending[32], scattered[32];

    ingest(true, ascending);
    ingest(false, scattered);
    ck_assert_mem_eq(ascending, scattered, 32);
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("payload_big");
    TCase *tc = tcase_create("big");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 240);
    tcase_add_test(tc, memory_is_bounded_in_any_order);
    suite_add_tcase(s, tc);
    return s;
}
