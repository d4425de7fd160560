#include <string.h>
#include <zlib.h>

#include "base/mem.h"
#include "base/pack.h"
#include "sync/peer/blocks_wire.h"
#include "tests/unit/test.h"

static const char text[] = "the same again, the same again, the same again, the same";

static void assert_refused(const void *bytes, size_t len, size_t room, const char *what)
{
    CLEANUP_BUF struct buf out = BUF(room);

    ASSERT_ERR(ERR_NET, pack_unzstd(bytes, len, &out, &test_err));
    ck_assert_int_eq(test_err.reason, REASON_PEER_BAD_ANSWER);
    ck_assert_msg(strstr(test_err.msg, what) != NULL, "%s: %s", what, test_err.msg);
}

START_TEST(zstd_gives_back_what_was_packed)
{
    CLEANUP_BUF struct buf packed = BUF(1000), out = BUF(sizeof(text)), none = BUF(100);

    pack_zstd(text, sizeof(text), &packed);
    ck_assert(pack_is_zstd(packed.data, packed.len));
    ck_assert(!pack_is_zstd(packed.data, 3));
    ck_assert(!pack_is_zstd(text, sizeof(text)));
    ASSERT_OK(pack_unzstd(packed.data, packed.len, &out, &test_err));
    ck_assert_uint_eq(out.len, sizeof(text));
    ck_assert_str_eq(out.data, text);
    pack_zstd("", 0, &none);
    buf_reset(&out);
    ASSERT_OK(pack_unzstd(none.data, none.len, &out, &test_err));
    ck_assert_uint_eq(out.len, 0);
}
END_TEST

START_TEST(a_frame_that_is_none_is_refused)
{
    CLEANUP_BUF struct buf packed = BUF(1000), two = BUF(1000);

    pack_zstd(text, sizeof(text), &packed);
    for (size_t len = 0; len < packed.len; len++)
        assert_refused(packed.data, len, 1000, "zstd: ");
    assert_refused(packed.data, packed.len, sizeof(text) - 1, "over 56 bytes");
    buf_put(&two, packed.data, packed.len);
    buf_put(&two, packed.data, packed.len);
    assert_refused(two.data, two.len, 1000, "bytes after the frame");
    packed.data[packed.len - 1] ^= 1; /* of its checksum */
    assert_refused(packed.data, packed.len, 1000, "zstd: ");
    assert_refused(text, sizeof(text), 1000, "zstd: ");
}
END_TEST

START_TEST(a_window_over_8_mib_is_refused)
{
    /* a frame header alone: no checksum, window descriptor of 2^24, an empty block */
    static const uint8_t frame[] = {0x28, 0xb5, 0x2f, 0xfd, 0x00, 14 << 3, 1, 0, 0};
    static const uint8_t fits[] = {0x28, 0xb5, 0x2f, 0xfd, 0x00, 13 << 3, 1, 0, 0};
    CLEANUP_BUF struct buf out = BUF(10);

    assert_refused(frame, sizeof(frame), 1000, "too much memory");
    ASSERT_OK(pack_unzstd(fits, sizeof(fits), &out, &test_err));
}
END_TEST

START_TEST(gzip_is_read_by_others)
{
    CLEANUP_BUF struct buf packed = BUF(1000);
    char out[100];
    z_stream z = {0};

    pack_gzip(text, sizeof(text), &packed);
    ck_assert_uint_lt(packed.len, sizeof(text));
    ck_assert_int_eq(inflateInit2(&z, 15 + 16), Z_OK);
    z.next_in = (Bytef *)packed.data;
    z.avail_in = (uInt)packed.len;
    z.next_out = (Bytef *)out;
    z.avail_out = sizeof(out);
    ck_assert_int_eq(inflate(&z, Z_FINISH), Z_STREAM_END);
    ck_assert_uint_eq(z.total_out, sizeof(text));
    ck_assert_str_eq(out, text);
    (void)inflateEnd(&z);
}
END_TEST

START_TEST(what_does_not_fit_is_dropped)
{
    CLEANUP_BUF struct buf small = BUF(10), other = BUF(10);

    pack_zstd(text, sizeof(text), &small);
    pack_gzip(text, sizeof(text), &other);
    ck_assert(small.full && other.full);
    ck_assert_uint_eq(small.len + other.len, 0);
}
END_TEST

static enum errc split(const char *lines, size_t len, size_t max, struct buf *out)
{
    struct blocks_wire w;
    const char *line;
    size_t n;

    if (blocks_wire_open(lines, len, max, &w, &test_err) != ERR_OK)
        return test_err.code;
    while (blocks_wire_next(&w, &line, &n, &test_err) == ERR_OK && line) {
        buf_put(out, line, n);
        buf_puts(out, "|");
    }
    blocks_wire_close(&w);
    return line ? ERR_OK : w.at == w.end ? ERR_OK : test_err.code;
}

START_TEST(blocks_are_lines)
{
    static const char three[] = "{a}\n{bc}\n{}\n";
    CLEANUP_BUF struct buf packed = BUF(1000), out = BUF(1000);

    ASSERT_OK(split(three, strlen(three), 3, &out));
    ck_assert_str_eq(out.data, "{a}|{bc}|{}|");
    buf_reset(&out);
    pack_zstd(three, strlen(three), &packed);
    ASSERT_OK(split(packed.data, packed.len, 3, &out));
    ck_assert_str_eq(out.data, "{a}|{bc}|{}|");
    buf_reset(&out);
    ASSERT_OK(split("", 0, 3, &out));
    ASSERT_OK(split(NULL, 0, 3, &out));
    ck_assert_uint_eq(out.len, 0);
    ASSERT_ERR(ERR_NET, split(three, strlen(three), 2, &out));
    ck_assert_str_eq(test_err.msg, "blocks: more than 2");
    ck_assert_str_eq(out.data, "{a}|{bc}|");
}
END_TEST

START_TEST(lines_that_are_none_are_refused)
{
    size_t len = BLOCKS_WIRE_LINE_MAX + 2;
    AUTOFREE char *line = xcalloc(1, BLOCKS_WIRE_BYTES_MAX + 1);
    CLEANUP_BUF struct buf out = BUF(BLOCKS_WIRE_BYTES_MAX), packed = BUF(1U << 20);

    ASSERT_ERR(ERR_NET, split("{a}\n{b", 6, 9, &out));
    ck_assert_int_eq(test_err.reason, REASON_PEER_BAD_ANSWER);
    ck_assert_str_eq(test_err.msg,
                     "blocks: line 2 has no end, is empty or is too long");
    ASSERT_ERR(ERR_NET, split("{a}\n\n{b}\n", 9, 9, &out));
    memset(line, 'x', BLOCKS_WIRE_BYTES_MAX + 1);
    line[len - 1] = '\n';
    ASSERT_ERR(ERR_NET, split(line, len, 9, &out));
    ASSERT_OK(split(line + 1, len - 1, 9, &out));
    ASSERT_ERR(ERR_NET, split(line, BLOCKS_WIRE_BYTES_MAX + 1, 9, &out));
    ck_assert_str_eq(test_err.msg, "blocks: over 12582912 bytes");
    pack_zstd(line, BLOCKS_WIRE_BYTES_MAX + 1, &packed);
    ASSERT_ERR(ERR_NET, split(packed.data, packed.len, 9, &out));
    ck_assert_str_eq(test_err.msg, "zstd: over 12582912 bytes");
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("pack");
    TCase *t = tcase_create("pack");

    tcase_add_test(t, zstd_gives_back_what_was_packed);
    tcase_add_test(t, a_frame_that_is_none_is_refused);
    tcase_add_test(t, a_window_over_8_mib_is_refused);
    tcase_add_test(t, gzip_is_read_by_others);
    tcase_add_test(t, what_does_not_fit_is_dropped);
    tcase_add_test(t, blocks_are_lines);
    tcase_add_test(t, lines_that_are_none_are_refused);
    suite_add_tcase(s, t);
    return s;
}
