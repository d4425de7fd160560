#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sync/peer/groups.h"
#include "tests/unit/test.h"

/* tests/data/asn/make_mmdb.py says what is in the database. */
#define DATABASE TEST_DATA "/asn/asn.mmdb"

START_TEST(an_address_is_in_its_prefix_and_its_as)
{
    static const struct {
        const char *ip, *group;
        uint32_t as_number;
    } rows[] = {
        {"192.0.2.77", "192.0.0.0/16", 64496},
        {"198.51.100.1", "198.51.0.0/16", 64497},
        {"::ffff:198.51.100.1", "198.51.0.0/16", 64497},
        {"203.0.113.255", "203.0.0.0/16", 64496},
        {"203.0.112.255", "203.0.0.0/16", 0},
        {"100.70.1.1", "100.70.0.0/16", 4200000000},
        {"2001:db8:ffff::1", "2001:db8::/32", 64499},
        {"2001:db9::1", "2001:db9::/32", 0},
        {"100.64.0.9", "100.64.0.0/16", 0}, /* its number is a text */
        {"100.65.0.9", "100.65.0.0/16", 0}, /* it has none */
        {"8.8.8.8", "8.8.0.0/16", 0},
    };
    CLEANUP(groups_close) struct groups *g = NULL;
    struct groups_place place = {.as_number = 9};

    ASSERT_OK(groups_open(DATABASE, &g, &test_err));
    ck_assert(!groups_of(g, "example.org", &place));
    ck_assert(!groups_of(g, "", &place));
    ck_assert_uint_eq(place.as_number, 9);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        ck_assert(groups_of(g, rows[i].ip, &place));
        ck_assert_str_eq(place.group, rows[i].group);
        ck_assert_msg(place.as_number == rows[i].as_number, "%s: AS%u", rows[i].ip,
                      place.as_number);
    }
}
END_TEST

START_TEST(without_a_database_there_are_prefixes_alone)
{
    CLEANUP(groups_close) struct groups *g = NULL;
    struct groups_place place;

    ASSERT_OK(groups_open("", &g, &test_err));
    ck_assert(groups_of(g, "192.0.2.77", &place));
    ck_assert_str_eq(place.group, "192.0.0.0/16");
    ck_assert_uint_eq(place.as_number, 0);
    ck_assert(groups_of(NULL, "192.0.2.77", &place));
}
END_TEST

/* The first len bytes of the database, one of them changed unless at is len. */
static const char *spoil(const char *name, size_t len, size_t at)
{
    static char path[64], bytes[1 << 16];
    FILE *f = fopen(DATABASE, "r");
    size_t n = fread(bytes, 1, sizeof(bytes), f);

    ck_assert_uint_ge(n, len);
    (void)fclose(f);
    bytes[at] ^= (char)0x5a;
    (void)snprintf(path, sizeof(path), "/tmp/%s.%d", name, getpid());
    f = fopen(path, "w");
    ck_assert_uint_eq(fwrite(bytes, 1, len, f), len);
    ck_assert_int_eq(fclose(f), 0);
    return path;
}

START_TEST(a_missing_or_broken_file_is_named)
{
    struct groups *g = NULL;
    const char *path;

    ASSERT_ERR(ERR_INVALID, groups_open("/nowhere/asn.mmdb", &g, &test_err));
    ck_assert_str_eq(test_err.msg,
                     "p2p.asn_database: /nowhere/asn.mmdb: No such file or directory");
    path = spoil("cut", 1000, 1000);
    ASSERT_ERR(ERR_INVALID, groups_open(path, &g, &test_err));
    ck_assert_ptr_nonnull(strstr(test_err.msg, path));
    ck_assert_ptr_nonnull(strstr(test_err.msg, "metadata"));
    (void)unlink(path);
    path = spoil("empty", 0, 0);
    ASSERT_ERR(ERR_INVALID, groups_open(path, &g, &test_err));
    (void)unlink(path);
    ASSERT_ERR(ERR_INVALID, groups_open(TEST_DATA "/asn/city.mmdb", &g, &test_err));
    ck_assert_ptr_nonnull(strstr(test_err.msg, "is of type Test-City"));
    ASSERT_ERR(ERR_INVALID, groups_open(TEST_DATA "/keys.json", &g, &test_err));
    ck_assert_ptr_null(g);
}
END_TEST

/* Whatever byte is wrong: an error at open, or answers, and never more than that. */
START_TEST(a_damaged_file_harms_nobody)
{
    struct groups_place place;
    size_t opened = 0;

    for (size_t at = 0; at < 2273; at += 3) {
        const char *path = spoil("damaged", 2273, at);
        struct groups *g = NULL;

        if (groups_open(path, &g, &test_err) == ERR_OK) {
            opened++;
            ck_assert(groups_of(g, "192.0.2.77", &place));
            ck_assert(groups_of(g, "2001:db8::1", &place));
            ck_assert_str_eq(place.group, "2001:db8::/32");
        }
        groups_close(g);
        (void)unlink(path);
    }
    ck_assert_uint_gt(opened, 100);
}
END_TEST

START_TEST(a_name_is_in_the_group_of_its_domain)
{
    static const struct {
        const char *url, *group;
    } rows[] = {
        {"http://a.b.example.org:8545", "name:example.org"},
        {"ws://c.example.org", "name:example.org"},
        {"http://example.org", "name:example.org"},
        {"http://example.net", "name:example.net"},
        {"http://node1", "name:node1"},
        {"ws://198.51.100.1:8333", "198.51.0.0/16"},
        {"http://[2001:db8::1]:80/x", "2001:db8::/32"},
    };
    CLEANUP(groups_close) struct groups *g = NULL;
    struct groups_place place;

    ASSERT_OK(groups_open(DATABASE, &g, &test_err));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        groups_of_url(g, rows[i].url, &place);
        ck_assert_str_eq(place.group, rows[i].group);
    }
    ck_assert_uint_eq(place.as_number, 64499);
}
END_TEST

START_TEST(one_as_is_one_network_when_known)
{
    struct groups_place a = {"192.0.0.0/16", 64496}, b = {"203.0.0.0/16", 64496},
                        c = {"198.51.0.0/16", 0}, d = {"8.8.0.0/16", 0};

    ck_assert(groups_same(&a, &b));
    ck_assert(groups_same(&c, &c));
    ck_assert(!groups_same(&c, &d)); /* both unknown is not the same */
    b.as_number = 64497;
    ck_assert(!groups_same(&a, &b));
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("groups");
    TCase *tc = tcase_create("core");

    tcase_add_test(tc, an_address_is_in_its_prefix_and_its_as);
    tcase_add_test(tc, without_a_database_there_are_prefixes_alone);
    tcase_add_test(tc, a_missing_or_broken_file_is_named);
    tcase_add_test(tc, a_damaged_file_harms_nobody);
    tcase_add_test(tc, a_name_is_in_the_group_of_its_domain);
    tcase_add_test(tc, one_as_is_one_network_when_known);
    suite_add_tcase(s, tc);
    return s;
}
