#include "rpc/byterange.h"
#include "tests/unit/test.h"

/* Ranges as RFC 9110, 14.1.2 has them, of 10 bytes. */
START_TEST(one_range_is_read_and_all_else_is_everything)
{
    static const struct {
        const char *header;
        enum byterange kind;
        uint64_t first, len;
    } cases[] = {
        {NULL, BYTERANGE_NONE, 0, 0},
        {"bytes=0-0", BYTERANGE_PART, 0, 1},
        {"bytes=0-9", BYTERANGE_PART, 0, 10},
        {"bytes=3-", BYTERANGE_PART, 3, 7},
        {"Bytes=3-4", BYTERANGE_PART, 3, 2},
        {"bytes=9-9", BYTERANGE_PART, 9, 1},
        {"bytes=9-10", BYTERANGE_PART, 9, 1},
        {"bytes=5-18446744073709551615", BYTERANGE_PART, 5, 5},
        {"bytes=5-99999999999999999999999999999999", BYTERANGE_PART, 5, 5},
        {"bytes=-1", BYTERANGE_PART, 9, 1},
        {"bytes=-10", BYTERANGE_PART, 0, 10},
        {"bytes=-99999999999999999999999999999999", BYTERANGE_PART, 0, 10},
        {"bytes=-0", BYTERANGE_OUTSIDE, 0, 0},
        {"bytes=10-", BYTERANGE_OUTSIDE, 0, 0},
        {"bytes=10-20", BYTERANGE_OUTSIDE, 0, 0},
        {"bytes=18446744073709551616-", BYTERANGE_OUTSIDE, 0, 0},
        {"bytes=4-3", BYTERANGE_NONE, 0, 0},
        {"bytes=", BYTERANGE_NONE, 0, 0},
        {"bytes=-", BYTERANGE_NONE, 0, 0},
        {"bytes=--1", BYTERANGE_NONE, 0, 0},
        {"bytes=1", BYTERANGE_NONE, 0, 0},
        {"bytes=1-2,4-5", BYTERANGE_NONE, 0, 0},
        {"bytes=1-2x", BYTERANGE_NONE, 0, 0},
        {"bytes=-2x", BYTERANGE_NONE, 0, 0},
        {"bytes=+1-2", BYTERANGE_NONE, 0, 0},
        {"bytes 1-2", BYTERANGE_NONE, 0, 0},
        {"lines=1-2", BYTERANGE_NONE, 0, 0},
        {"", BYTERANGE_NONE, 0, 0},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t first = 0, len = 0;
        enum byterange kind = byterange_read(cases[i].header, 10, &first, &len);

        ck_assert_msg(kind == cases[i].kind && first == cases[i].first &&
                          len == cases[i].len,
                      "%s: %u %llu %llu", cases[i].header, kind,
                      (unsigned long long)first, (unsigned long long)len);
    }
}
END_TEST

START_TEST(the_ends_of_what_can_be_counted)
{
    uint64_t first, len;

    ck_assert(byterange_read("bytes=0-", 0, &first, &len) == BYTERANGE_OUTSIDE);
    ck_assert(byterange_read("bytes=-1", 0, &first, &len) == BYTERANGE_OUTSIDE);
    ck_assert(byterange_read("bytes=0-18446744073709551615", UINT64_MAX, &first,
                             &len) == BYTERANGE_PART);
    ck_assert(first == 0 && len == UINT64_MAX);
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("byterange");
    TCase *t = tcase_create("byterange");

    tcase_add_test(t, one_range_is_read_and_all_else_is_everything);
    tcase_add_test(t, the_ends_of_what_can_be_counted);
    suite_add_tcase(s, t);
    return s;
}
