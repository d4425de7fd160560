#include "base/hex.h"
#include "base/mem.h"
#include "base/pack.h"
#include "sync/peer/headers_layout.h"
#include "tests/unit/lines.h"

enum { CHAIN = 241 };

static struct header chain[CHAIN], back[HEADERS_WIRE_MAX];

static void read_chain(void)
{
    size_t n = 0;

    for (struct lines l = lines_open("chain/headers.jsonl"); lines_next(&l); n++)
        ASSERT_OK(header_parse(l.v, &chain[n], &test_err));
    ck_assert_uint_eq(n, CHAIN);
}

static struct buf compact(const struct header *h, size_t n)
{
    struct buf out = BUF(HEADERS_WIRE_BYTES_MAX);
    struct headers_wire w;

    headers_wire_begin(&w, n > 0 ? h->height : 0, &out);
    for (size_t i = 0; i < n; i++)
        ASSERT_OK(headers_wire_add(&w, &h[i], &out, &test_err));
    headers_wire_end(&w, &out);
    ck_assert(!out.full);
    return out;
}

static struct buf lines_of(const struct header *h, size_t n)
{
    struct buf out = BUF(HEADERS_WIRE_BYTES_MAX);

    for (size_t i = 0; i < n; i++)
        headers_wire_line(&h[i], &out);
    return out;
}

static enum errc decode_bytes(const void *bytes, size_t len, uint64_t from, size_t max,
                              size_t *n)
{
    struct headers_wire_batch batch = {
        .from = from, .room = back, .max = max, .count = *n};
    enum errc rc;

    test_err.reason = REASON_NONE;
    rc = headers_wire_decode(bytes, len, &batch, &test_err);
    *n = batch.count;
    return rc;
}

static enum errc decode(const struct buf *b, uint64_t from, size_t max, size_t *n)
{
    return decode_bytes(b->data, b->len, from, max, n);
}

static void assert_same(const struct header *a, const struct header *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        ck_assert_uint_eq(a[i].height, b[i].height);
        ck_assert_mem_eq(a[i].hash, b[i].hash, 32);
        ck_assert_mem_eq(a[i].prev, b[i].prev, 32);
        ck_assert_mem_eq(a[i].merkle_root, b[i].merkle_root, 32);
        ck_assert_mem_eq(&a[i].timestamp, &b[i].timestamp, sizeof(double));
        ck_assert_uint_eq(a[i].difficulty, b[i].difficulty);
        ck_assert_uint_eq(a[i].nonce, b[i].nonce);
        ck_assert_uint_eq(a[i].has_version, b[i].has_version);
        ck_assert_uint_eq(a[i].version, b[i].version);
        ck_assert_str_eq(a[i].signature, b[i].signature);
        ck_assert_str_eq(a[i].miner_pubkey, b[i].miner_pubkey);
    }
}

/* Both as they are and packed. */
static void assert_comes_back(const struct buf *b, const struct header *want, size_t n)
{
    CLEANUP_BUF struct buf packed = BUF(HEADERS_WIRE_BYTES_MAX);
    size_t count = 0;

    ASSERT_OK(decode(b, want->height, n, &count));
    ck_assert_uint_eq(count, n);
    assert_same(back, want, n);
    pack_zstd(b->data, b->len, &packed);
    memset(back, 0, sizeof(back));
    ASSERT_OK(decode(&packed, want->height, n, &count));
    ck_assert_uint_eq(count, n);
    assert_same(back, want, n);
}

static void assert_refused(const struct buf *b, uint64_t from, const char *what)
{
    size_t count = 77;

    ASSERT_ERR(ERR_NET, decode(b, from, HEADERS_WIRE_MAX, &count));
    ck_assert_int_eq(test_err.reason, REASON_PEER_BAD_ANSWER);
    ck_assert_msg(strstr(test_err.msg, what) != NULL, "%s: %s", what, test_err.msg);
}

START_TEST(a_chain_comes_back_as_it_was)
{
    CLEANUP_BUF struct buf all = compact(chain, CHAIN), some = compact(chain + 100, 50);
    CLEANUP_BUF struct buf text = lines_of(chain, CHAIN);

    assert_comes_back(&all, chain, CHAIN);
    assert_comes_back(&some, chain + 100, 50);
    assert_comes_back(&text, chain, CHAIN);
    ck_assert_uint_lt(all.len, 108 * CHAIN);
    ck_assert_uint_gt(text.len, 600 * (CHAIN - 1));
}
END_TEST

/* Written by another program from docs/peer-protocol.md. */
START_TEST(answers_made_elsewhere_are_read)
{
    static const struct {
        const char *name;
        size_t count;
    } made[] = {
        {"compact_3", 3}, {"compact_200", 200}, {"zstd_60", 59}, {"lines_3", 3}};

    for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++) {
        AUTOFREE char *path =
            xasprintf("%s/../fuzz/corpus/fuzz_headers/%s", TEST_DATA, made[i].name);
        char bytes[30000];
        FILE *f = fopen(path, "r");
        size_t len, count = 0;

        ck_assert_msg(f != NULL, "%s", path);
        len = fread(bytes, 1, sizeof(bytes), f);
        (void)fclose(f);
        ASSERT_OK(decode_bytes(bytes, len, 1, 200, &count));
        ck_assert_uint_eq(count, made[i].count);
        assert_same(back, chain + 1, count);
    }
}
END_TEST

START_TEST(nothing_is_an_answer_too)
{
    CLEANUP_BUF struct buf none = compact(chain, 0), text = BUF(10);
    size_t count = 77;

    ASSERT_OK(decode(&none, 0, 5, &count));
    ck_assert_uint_eq(count, 0);
    count = 77;
    ASSERT_OK(decode_bytes("", 0, 9, 5, &count));
    ck_assert_uint_eq(count, 0);
    buf_put(&text, "\n", 1);
    assert_refused(&text, 9, "header 9");
}
END_TEST

/* All that the hash covers is held by the hash at the end; the rest by the signature,
   or the answer is no answer. */
START_TEST(an_altered_byte_is_seen)
{
    enum { N = 4 };
    CLEANUP_BUF struct buf b = compact(chain, N);
    size_t count = 0, by_signature = 0;

    for (size_t i = 0; i < b.len; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            bool seen = false;

            b.data[i] = (char)(b.data[i] ^ 1 << bit);
            if (decode(&b, 0, N, &count) == ERR_OK) {
                ck_assert_uint_eq(count, N);
                for (size_t k = 0; k < N && !seen; k++) {
                    ck_assert_mem_eq(back[k].hash, chain[k].hash, 32);
                    seen = seen || header_check_signature(&back[k], &test_err);
                    /* genesis has a literal that nobody signs with */
                    seen = seen || strcmp(back[0].miner_pubkey, chain[0].miner_pubkey);
                }
                ck_assert_msg(seen, "byte %zu bit %u", i, bit);
                by_signature++;
            } else {
                ck_assert_int_eq(test_err.reason, REASON_PEER_BAD_ANSWER);
            }
            b.data[i] = (char)(b.data[i] ^ 1 << bit);
        }
    }
    /* the bits of signatures, of one key, and of the literal */
    ck_assert_uint_gt(by_signature, (N - 1) * 512 + 512);
    ck_assert_uint_lt(by_signature, (N - 1) * 512 + 2 * 512 + 160);
}
END_TEST

START_TEST(what_is_cut_off_or_goes_on_is_refused)
{
    CLEANUP_BUF struct buf b = compact(chain, 6), text = lines_of(chain, 6);
    CLEANUP_BUF struct buf packed = BUF(10000);
    size_t whole = b.len, count = 0;

    for (b.len = 8; b.len < whole; b.len++) {
        ck_assert_int_eq(decode(&b, 0, 6, &count), ERR_NET);
        ck_assert_int_eq(test_err.reason, REASON_PEER_BAD_ANSWER);
    }
    buf_put(&b, "", 1);
    assert_refused(&b, 0, "bytes after the end");
    b.len = whole;
    pack_zstd(b.data, b.len, &packed);
    packed.len--;
    assert_refused(&packed, 0, "zstd");
    text.len--;
    assert_refused(&text, 0, "header 5: cut off");
}
END_TEST

START_TEST(other_heights_and_more_than_asked_for_are_refused)
{
    CLEANUP_BUF struct buf b = compact(chain + 3, 6), text = lines_of(chain + 3, 6);
    size_t count = 0;

    assert_refused(&b, 4, "from another height");
    assert_refused(&text, 4, "another one stands in its place");
    ASSERT_ERR(ERR_NET, decode(&b, 3, 5, &count));
    ck_assert_str_eq(test_err.msg, "header 8: more than were asked for");
    ASSERT_ERR(ERR_NET, decode(&text, 3, 5, &count));
    ck_assert_str_eq(test_err.msg, "header 8: more than were asked for");
}
END_TEST

START_TEST(lines_must_link)
{
    CLEANUP_BUF struct buf text = lines_of(chain, 2);
    struct header odd = chain[2];

    odd.prev[0] ^= 1;
    header_hash(&odd, odd.hash);
    headers_wire_line(&odd, &text);
    assert_refused(&text, 0, "header 2: not on the one before it");
    buf_reset(&text);
    odd.hash[0] ^= 1;
    headers_wire_line(&odd, &text);
    assert_refused(&text, 2, "hash is not the hash of its fields");
}
END_TEST

/* A made-up chain with every kind of field at its ends; more keys than are remembered.
 */
static void make_odd_chain(struct header *h, size_t n)
{
    static const double times[] = {0.0, 5e-324, 253402300799.0, 1.5, 1795303359.692372};
    static const uint64_t numbers[] = {0, 1, 127, 128, UINT64_MAX, UINT64_MAX - 1};

    for (size_t i = 0; i < n; i++) {
        h[i] = (struct header){
            .height = 500 + i,
            .timestamp = times[i % 5],
            .difficulty = (uint32_t)(i * 31 % 65),
            .nonce = numbers[i % 6],
            .has_version = i % 3 != 0,
            .version = i % 3 != 0 ? numbers[i % 5] : 0,
        };
        memset(h[i].merkle_root, (int)i, 32);
        if (i > 0)
            memcpy(h[i].prev, h[i - 1].hash, 32);
        if (i % 4 == 1) { /* HEADERS_TEXT_RAW */
            memset(h[i].signature, 'a', 128);
            (void)snprintf(h[i].miner_pubkey, sizeof(h[i].miner_pubkey), "%0128zx",
                           i % 90);
        } else if (i % 4 == 2) { /* plain, the longest and of upper case */
            memset(h[i].signature, 'A', 128);
            (void)snprintf(h[i].miner_pubkey, sizeof(h[i].miner_pubkey), "%0128zX",
                           i % 90 + 0xa000);
        } else if (i % 4 == 3) {
            h[i].miner_pubkey[0] = '7';
        }
        header_hash(&h[i], h[i].hash);
    }
}

START_TEST(every_kind_of_field_comes_back)
{
    AUTOFREE struct header *h = xcalloc(400, sizeof(*h));
    struct buf b;

    make_odd_chain(h, 400);
    for (size_t n = 1; n <= 400; n += 57) {
        b = compact(h, n);
        assert_comes_back(&b, h, n);
        buf_fini(&b);
        b = lines_of(h, n);
        assert_comes_back(&b, h, n);
        buf_fini(&b);
    }
}
END_TEST

START_TEST(only_what_comes_next_can_be_added)
{
    CLEANUP_BUF struct buf b = BUF(1000);
    struct headers_wire w;
    struct header odd = chain[1];
    size_t len;

    headers_wire_begin(&w, 0, &b);
    ASSERT_OK(headers_wire_add(&w, &chain[0], &b, &test_err));
    len = b.len;
    ASSERT_ERR(ERR_INVALID, headers_wire_add(&w, &chain[2], &b, &test_err));
    odd.prev[31] ^= 1;
    ASSERT_ERR(ERR_INVALID, headers_wire_add(&w, &odd, &b, &test_err));
    odd = chain[1];
    odd.signature[0] = '\n';
    ASSERT_ERR(ERR_INVALID, headers_wire_add(&w, &odd, &b, &test_err));
    ck_assert_str_eq(test_err.msg, "header 1: signature or key is no plain text");
    ck_assert_uint_eq(b.len, len);
    ASSERT_OK(headers_wire_add(&w, &chain[1], &b, &test_err));
}
END_TEST

/* One header of height 7 as hex, after magic and prev, and how it must be read. */
static void assert_reads(const char *flags, const char *fields, const char *what)
{
    CLEANUP_BUF struct buf b = BUF(1000), hex = BUF(2000);
    uint8_t bytes[500], hash[32];
    struct header h = {.height = 7, .difficulty = 0, .nonce = 5, .timestamp = 2.0};
    size_t count = 0;

    buf_puts(&b, HEADERS_MAGIC);
    buf_printf(&hex, "07%s%064d%s", flags, 0, fields);
    ck_assert(hex_decode(hex.data, hex.len / 2, true, bytes));
    buf_put(&b, bytes, hex.len / 2);
    if (what) {
        assert_refused(&b, 7, what);
        return;
    }
    header_hash(&h, hash);
    buf_put(&b, "\x80", 1);
    buf_put(&b, hash, 32);
    ASSERT_OK(decode(&b, 7, 1, &count));
    ck_assert_mem_eq(back[0].hash, hash, 32);
}

/* 2.0 is 4000000000000000 in bits: zigzag 8000000000000000, ten bytes. */
#define TIME "80808080808080808001"
#define ROOT "0000000000000000000000000000000000000000000000000000000000000000"

START_TEST(there_is_one_spelling)
{
    assert_reads("02", "05" TIME ROOT, NULL);
    assert_reads("02", "8500" TIME ROOT, "nonce");
    assert_reads("02", "ffffffffffffffffff02" TIME ROOT, "nonce");
    assert_reads("02", "ffffffffffffffffffff01" TIME ROOT, "nonce");
    assert_reads("03",
                 "00"
                 "05" TIME ROOT,
                 "difficulty");
    assert_reads("03",
                 "41"
                 "05" TIME ROOT,
                 "difficulty");
    assert_reads("04",
                 "01"
                 "05" TIME ROOT,
                 "version");
    assert_reads("06", "05" TIME ROOT, "version");
    /* -0.0 in bits is 8000000000000000, infinity 7ff0000000000000 */
    assert_reads("02",
                 "05"
                 "ffffffffffffffffff01" ROOT,
                 "timestamp");
    assert_reads("02",
                 "05"
                 "80808080808080f0ff01" ROOT,
                 "timestamp");
    /* texts: none there, empty, too long, with a NUL, not plain, one that is hex */
    assert_reads("1a", "05" TIME ROOT, "signature");
    assert_reads("12", "05" TIME ROOT "00", "signature");
    assert_reads("12", "05" TIME ROOT "81" ROOT ROOT ROOT ROOT "00", "signature");
    assert_reads("12", "05" TIME ROOT "0100", "signature");
    assert_reads("12", "05" TIME ROOT "0122", "signature");
    assert_reads("12", "05" TIME ROOT "01ff", "signature");
    assert_reads("62", "05" TIME ROOT "00", "key");
    assert_reads("42", "05" TIME ROOT "0122", "key");
    assert_reads("82", "05" TIME ROOT, "more than were asked for");
}
END_TEST

START_TEST(a_key_is_spelled_out_once)
{
    CLEANUP_BUF struct buf b = compact(chain + 1, 2);
    uint8_t key[64];
    const char *at;

    ck_assert_str_eq(chain[1].miner_pubkey, chain[2].miner_pubkey);
    ck_assert(hex_decode(chain[1].miner_pubkey, 64, true, key));
    at = memmem(b.data, b.len, key, 64);
    ck_assert_ptr_nonnull(at);
    ck_assert_ptr_null(
        memmem(at + 1, b.len - 1 - (size_t)(at - b.data), key, sizeof(key)));
}
END_TEST

START_TEST(a_bomb_is_left)
{
    CLEANUP_BUF struct buf zeros = BUF(100U << 20), packed = BUF(1U << 20);
    AUTOFREE char *piece = xcalloc(1, 1U << 20);

    for (size_t i = 0; i < 90; i++)
        buf_put(&zeros, piece, 1U << 20);
    pack_zstd(zeros.data, zeros.len, &packed);
    ck_assert_uint_lt(packed.len, 20000);
    assert_refused(&packed, 0, "zstd: over 8388608 bytes");
    assert_refused(&zeros, 0, "headers: over 8388608 bytes");
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("headers_wire");
    TCase *t = tcase_create("headers_wire");

    tcase_add_unchecked_fixture(t, read_chain, NULL);
    tcase_add_test(t, a_chain_comes_back_as_it_was);
    tcase_add_test(t, answers_made_elsewhere_are_read);
    tcase_add_test(t, nothing_is_an_answer_too);
    tcase_add_test(t, an_altered_byte_is_seen);
    tcase_add_test(t, what_is_cut_off_or_goes_on_is_refused);
    tcase_add_test(t, other_heights_and_more_than_asked_for_are_refused);
    tcase_add_test(t, lines_must_link);
    tcase_add_test(t, every_kind_of_field_comes_back);
    tcase_add_test(t, only_what_comes_next_can_be_added);
    tcase_add_test(t, there_is_one_spelling);
    tcase_add_test(t, a_key_is_spelled_out_once);
    tcase_add_test(t, a_bomb_is_left);
    suite_add_tcase(s, t);
    return s;
}
