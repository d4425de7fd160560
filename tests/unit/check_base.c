#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "tests/unit/test.h"

/* --- err, reason --- */

START_TEST(reasons_bring_their_code)
{
    struct err err;

    ASSERT_ERR(ERR_VERIFY, err_fail(&err, REASON_NO_QUORUM, "%d of %d", 2, 3));
    ck_assert_int_eq(err.code, ERR_VERIFY);
    ck_assert_int_eq(err.reason, REASON_NO_QUORUM);
    ck_assert_str_eq(err.msg, "2 of 3");
    ASSERT_ERR(ERR_NET, err_fail(&err, REASON_PEER_TIMEOUT, "x"));
    ASSERT_ERR(ERR_INVALID, err_set(&err, ERR_INVALID, "y"));
    ck_assert_int_eq(err.reason, REASON_INVALID);
}
END_TEST

START_TEST(every_reason_has_a_code_of_its_own_a_hint_and_a_way_back)
{
    for (int i = 1; i < REASON_COUNT; i++) {
        const char *code = reason_code((enum reason)i);
        enum reason found = REASON_NONE;

        ck_assert(reason_find(code, &found));
        ck_assert_int_eq(found, i); /* the first with this code: no two share one */
        ck_assert_uint_gt(strlen(reason_hint((enum reason)i)), 10);
        ck_assert_uint_eq(strspn(code, "abcdefghijklmnopqrstuvwxyz_0123456789"),
                          strlen(code));
    }
    ck_assert_str_eq(reason_code(REASON_NONE), "");
    ck_assert_str_eq(reason_code(REASON_NO_QUORUM), "no_quorum");
}
END_TEST

START_TEST(what_is_no_reason_is_not_found)
{
    enum reason found = REASON_BUSY;

    ck_assert(!reason_find("", &found));
    ck_assert(!reason_find("no_quorum ", &found));
    ck_assert_int_eq(found, REASON_BUSY);
}
END_TEST

START_TEST(errno_tells_a_full_disk_from_the_rest)
{
    struct err err;

    errno = ENOSPC;
    ASSERT_ERR(ERR_IO, err_errno(&err, "writing %s", "f"));
    ck_assert_int_eq(err.reason, REASON_DISK_FULL);
    ck_assert_str_eq(err.msg, "writing f: No space left on device");
    errno = EDQUOT;
    (void)err_errno(&err, "x");
    ck_assert_int_eq(err.reason, REASON_DISK_FULL);
    errno = EACCES;
    ASSERT_ERR(ERR_IO, err_errno(&err, "x"));
    ck_assert_int_eq(err.reason, REASON_STORAGE_FAILED);
    ck_assert_str_eq(err.msg, "x: Permission denied");
}
END_TEST

START_TEST(context_goes_before_the_cause_and_long_ones_are_cut)
{
    struct err err;
    char text[400];

    (void)err_fail(&err, REASON_NO_PEERS, "cause");
    ASSERT_ERR(ERR_NET, err_wrap(&err, "job %d", 7));
    ck_assert_str_eq(err.msg, "job 7: cause");
    ck_assert_int_eq(err.reason, REASON_NO_PEERS);
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    (void)err_set(&err, ERR_BUSY, "%s", text);
    ck_assert_uint_eq(strlen(err.msg), sizeof(err.msg) - 1);
    (void)err_wrap(&err, "%s", text);
    ck_assert_uint_lt(strlen(err.msg), sizeof(err.msg));
    ck_assert_str_eq(errc_name(ERR_OK), "ok");
    ck_assert_str_eq(errc_name(ERR_NOTFOUND), "not_found");
}
END_TEST

/* --- hex --- */

START_TEST(hex_goes_both_ways)
{
    const uint8_t bytes[] = {0x00, 0x0f, 0xa5, 0xff};
    uint8_t back[4] = {0};
    char text[9];

    hex_encode(bytes, 4, text);
    ck_assert_str_eq(text, "000fa5ff");
    ck_assert(hex_decode(text, 4, true, back));
    ck_assert_mem_eq(back, bytes, 4);
    ck_assert(hex_decode("000FA5fF", 4, false, back));
    ck_assert_mem_eq(back, bytes, 4);
    ck_assert(!hex_decode("000FA5fF", 4, true, back));
    hex_encode(bytes, 0, text);
    ck_assert_str_eq(text, "");
}
END_TEST

START_TEST(what_is_no_hex_is_refused)
{
    static const char *const bad[] = {"0g", "g0", "0 ", "/0",
                                      ":0", "@0", "`0", "\xff\xff"};
    uint8_t out[32];
    char hash[66];

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_msg(!hex_decode(bad[i], 1, false, out), "%s", bad[i]);
    memset(hash, 'a', 65);
    hash[65] = '\0';
    ck_assert(!hex_hash(hash, out));
    hash[64] = '\0';
    ck_assert(hex_hash(hash, out));
    ck_assert_uint_eq(out[31], 0xaa);
    hash[63] = 'A';
    ck_assert(!hex_hash(hash, out));
    hash[63] = '\0';
    ck_assert(!hex_hash(hash, out));
}
END_TEST

/* Every character at every place, of words and of what is left over. */
START_TEST(hex_looks_at_each_character)
{
    static const char digits[] = "0123456789abcdefABCDEF";

    for (size_t at = 0; at < 22; at++) {
        for (int c = 0; c < 256; c++) {
            char text[] = "00f1a97e5b3c8d246e0f91";
            const char *found = c ? strchr(digits, c) : NULL;
            bool lower = found && found - digits < 16;
            uint8_t out[11];
            char back[23];

            text[at] = (char)c;
            ck_assert_int_eq(hex_decode(text, 11, true, out), lower);
            ck_assert_int_eq(hex_decode(text, 11, false, out), found != NULL);
            if (!found)
                continue;
            text[at] = (char)tolower(c);
            hex_encode(out, 11, back);
            ck_assert_str_eq(back, text);
        }
    }
}
END_TEST

/* --- buf, mem --- */

START_TEST(a_buffer_grows_to_its_maximum_and_no_further)
{
    CLEANUP_BUF struct buf b = BUF(100);

    for (int i = 0; i < 10; i++)
        buf_puts(&b, "0123456789");
    ck_assert_uint_eq(b.len, 100);
    ck_assert(!b.full);
    buf_put(&b, "", 0);
    ck_assert(!b.full);
    buf_put(&b, "x", 1);
    ck_assert(b.full);
    ck_assert_uint_eq(b.len, 100);
    ck_assert_uint_eq(strlen(b.data), 100);
    buf_reset(&b);
    buf_printf(&b, "%d-%s", 42, "abc");
    ck_assert_str_eq(b.data, "42-abc");
    buf_printf(&b, "%0100d", 1);
    ck_assert(b.full);
    ck_assert_str_eq(b.data, "42-abc");
    buf_puts(&b, "y"); /* full is for good: no hole in the middle */
    ck_assert_str_eq(b.data, "42-abc");
}
END_TEST

START_TEST(a_buffer_is_taken_whole)
{
    CLEANUP_BUF struct buf b = BUF(1000);
    AUTOFREE char *empty = buf_take(&b), *text = NULL;

    ck_assert_str_eq(empty, "");
    buf_put(&b, "a\0b", 3);
    text = buf_take(&b);
    ck_assert_mem_eq(text, "a\0b", 4);
    ck_assert_uint_eq(b.len, 0);
    ck_assert_ptr_null(b.data);
    buf_put(&b, "c", 1);
    ck_assert_str_eq(b.data, "c");
}
END_TEST

START_TEST(texts_are_made_and_copied)
{
    AUTOFREE char *text = xasprintf("%s-%d", "a", 7), *copy = xstrdup(text);
    AUTOFREE char *part = xstrndup("abcdef", 3);
    AUTOFREE uint64_t *zeroed = xcalloc(4, sizeof(*zeroed));

    ck_assert_str_eq(copy, "a-7");
    ck_assert_str_eq(part, "abc");
    ck_assert_uint_eq(zeroed[0] | zeroed[3], 0);
}
END_TEST

/* --- clock --- */

START_TEST(times_are_spelled_as_rfc_3339)
{
    char text[CLOCK_TEXT];

    clock_text(INT64_C(1795338000000), text);
    ck_assert_str_eq(text, "2026-11-22T09:00:00.000Z");
    clock_text(7, text);
    ck_assert_str_eq(text, "1970-01-01T00:00:00.007Z");
    clock_text(INT64_C(253402300799999), text);
    ck_assert_str_eq(text, "9999-12-31T23:59:59.999Z");
}
END_TEST

START_TEST(the_wall_clock_can_be_shifted_and_the_other_not)
{
    int64_t mono = clock_mono_ms(), wall = clock_now_ms();

    ck_assert_int_eq(setenv("CAIRN_TEST_CLOCK_OFFSET", "-3600", 1), 0);
    ck_assert_int_le(clock_now_ms(), wall - 3600000 + 60000);
    ck_assert_int_ge(clock_now_ms(), wall - 3600000);
    ck_assert_int_ge(clock_mono_ms(), mono);
    ck_assert_int_le(clock_mono_ms(), mono + 60000);
    ck_assert_int_eq(unsetenv("CAIRN_TEST_CLOCK_OFFSET"), 0);
}
END_TEST

/* --- metrics --- */

START_TEST(metrics_are_prometheus_text)
{
    CLEANUP_BUF struct buf b = BUF(1 << 20);

    metrics_add(METRIC_REORGS, 2);
    metrics_add(METRIC_REORGS, 3);
    metrics_set(METRIC_TIP_HEIGHT, 41);
    metrics_set(METRIC_TIP_HEIGHT, 42);
    metrics_write(&b);
    ck_assert(!b.full);
    ck_assert_ptr_nonnull(strstr(b.data, "# HELP cairn_tip_height Height of"));
    ck_assert_ptr_nonnull(
        strstr(b.data, "# TYPE cairn_tip_height gauge\ncairn_tip_height 42\n"));
    ck_assert_ptr_nonnull(strstr(b.data, "# TYPE cairn_reorganisations_total counter\n"
                                         "cairn_reorganisations_total 5\n"));
    ck_assert_ptr_nonnull(strstr(b.data, "\nxai_checkpoint_height 0\n"));
    ck_assert_int_eq(b.data[b.len - 1], '\n');
}
END_TEST

/* --- log --- */

static char logged[8192];

/* What one call writes to stderr. */
#define CAPTURE(call)                                      \
    do {                                                   \
        int fds_[2], old_ = dup(STDERR_FILENO);            \
        ssize_t n_;                                        \
        ck_assert_int_eq(pipe(fds_), 0);                   \
        ck_assert_int_ge(dup2(fds_[1], STDERR_FILENO), 0); \
        call;                                              \
        (void)dup2(old_, STDERR_FILENO);                   \
        (void)close(old_);                                 \
        (void)close(fds_[1]);                              \
        n_ = read(fds_[0], logged, sizeof(logged) - 1);    \
        (void)close(fds_[0]);                              \
        logged[n_ > 0 ? n_ : 0] = '\0';                    \
    } while (0)

START_TEST(a_line_is_logfmt)
{
    CAPTURE(log_info("job state", KV_U("job", 7), KV_S("to", "done")));
    ck_assert_str_eq(logged, "level=info msg=\"job state\" job=7 to=\"done\"\n");
    CAPTURE(log_error("x", KV_U("n", UINT64_MAX)));
    ck_assert_str_eq(logged, "level=error msg=\"x\" n=18446744073709551615\n");
}
END_TEST

START_TEST(what_a_peer_chose_cannot_break_the_line)
{
    CAPTURE(log_warn("w", KV_S("peer", "a\"b\\c\nlevel=error\x1b\xc3\xa4\x7f")));
    ck_assert_str_eq(logged, "level=warn msg=\"w\" peer=\"a\\\"b\\\\c\\x0alevel=error"
                             "\\x1b\\xc3\\xa4\\x7f\"\n");
}
END_TEST

START_TEST(levels_above_the_set_one_are_silent)
{
    CAPTURE(log_debug("d"));
    ck_assert_str_eq(logged, "");
    log_set_level(LOG_LVL_DEBUG);
    CAPTURE(log_debug("d"));
    ck_assert_str_eq(logged, "level=debug msg=\"d\"\n");
    log_set_level(LOG_LVL_ERROR);
    CAPTURE(log_warn("w"));
    ck_assert_str_eq(logged, "");
    log_set_level(LOG_LVL_INFO);
}
END_TEST

START_TEST(a_long_line_is_cut_and_still_one_line)
{
    static const size_t lengths[] = {900, 1000, 1023, 1024, 1100, 5000, 20000};

    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        AUTOFREE char *text = xcalloc(1, lengths[i] + 1);

        memset(text, 'x', lengths[i]);
        CAPTURE(log_info("long", KV_S("text", text), KV_U("after", 1)));
        ck_assert_uint_gt(strlen(logged), 900);
        ck_assert_uint_le(strlen(logged), 1024);
        ck_assert_ptr_eq(strchr(logged, '\n'), logged + strlen(logged) - 1);
        ck_assert_int_eq(strncmp(logged, "level=info msg=\"long\" text=\"xxx", 31), 0);
    }
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("base");
    TCase *tc = tcase_create("core");

    tcase_add_test(tc, reasons_bring_their_code);
    tcase_add_test(tc, every_reason_has_a_code_of_its_own_a_hint_and_a_way_back);
    tcase_add_test(tc, what_is_no_reason_is_not_found);
    tcase_add_test(tc, errno_tells_a_full_disk_from_the_rest);
    tcase_add_test(tc, context_goes_before_the_cause_and_long_ones_are_cut);
    tcase_add_test(tc, hex_goes_both_ways);
    tcase_add_test(tc, what_is_no_hex_is_refused);
    tcase_add_test(tc, hex_looks_at_each_character);
    tcase_add_test(tc, a_buffer_grows_to_its_maximum_and_no_further);
    tcase_add_test(tc, a_buffer_is_taken_whole);
    tcase_add_test(tc, texts_are_made_and_copied);
    tcase_add_test(tc, times_are_spelled_as_rfc_3339);
    tcase_add_test(tc, the_wall_clock_can_be_shifted_and_the_other_not);
    tcase_add_test(tc, metrics_are_prometheus_text);
    tcase_add_test(tc, a_line_is_logfmt);
    tcase_add_test(tc, what_a_peer_chose_cannot_break_the_line);
    tcase_add_test(tc, levels_above_the_set_one_are_silent);
    tcase_add_test(tc, a_long_line_is_cut_and_still_one_line);
    suite_add_tcase(s, tc);
    return s;
}
