#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "sync/peer/book.h"
#include "tests/unit/test.h"

static const int64_t now = INT64_C(1800000000000);
static const uint8_t salt[BOOK_SALT] = "pepper";
enum { HOUR_MS = 3600 * 1000 };

static struct book *book;

static void setup(void)
{
    book = book_create(salt);
}

static void teardown(void)
{
    book_free(book);
}

static enum book_result tell(const char *url, enum peer_origin origin,
                             const char *source, struct book_entry **out)
{
    struct book_advert a = {.origin = origin, .source = source};
    char base[URL_MAX];

    ASSERT_OK(url_normalise_base(url, base, &test_err));
    a.url = base;
    groups_of_url(NULL, base, &a.place);
    return book_add(book, &a, now, out);
}

static struct book_entry *told(const char *url, enum peer_origin origin)
{
    struct book_entry *entry = NULL;

    ck_assert_int_eq(tell(url, origin, "192.0.0.0/16", &entry), BOOK_ADDED);
    return entry;
}

START_TEST(an_address_is_known_once_and_rises_to_a_better_origin)
{
    struct book_entry *a = told("ws://198.51.100.1", PEER_ADVERTISED), *again = NULL;

    ck_assert_str_eq(a->url, "ws://198.51.100.1:8333");
    ck_assert_int_eq(a->kind, PEER_WS);
    ck_assert_str_eq(a->place.group, "198.51.0.0/16");
    ck_assert_str_eq(a->source, "192.0.0.0/16");
    ck_assert(a->changed && !a->saved);
    a->changed = false;
    ck_assert_int_eq(tell("WS://198.51.100.1:8333/", PEER_SEED, NULL, &again),
                     BOOK_KNOWN);
    ck_assert_ptr_eq(again, a);
    ck_assert_int_eq(a->origin, PEER_ADVERTISED);
    ck_assert(!a->changed);
    ck_assert_int_eq(tell("ws://198.51.100.1", PEER_OPERATOR, NULL, NULL), BOOK_KNOWN);
    ck_assert_int_eq(a->origin, PEER_OPERATOR);
    ck_assert(a->changed);
    ck_assert_uint_eq(book_count(book), 1);
    ck_assert_ptr_eq(book_find(book, "ws://198.51.100.1:8333"), a);
    ck_assert_ptr_null(book_find(book, "ws://198.51.100.2:8333"));
}
END_TEST

/* Scenario 6. */
START_TEST(a_banned_peer_stays_banned_under_a_new_advert)
{
    static const char *const spellings[] = {
        "http://198.51.100.1:8545",
        "HTTP://198.51.100.1:08545/",
        "http://[::ffff:198.51.100.1]:8545",
        "https://198.51.100.1:8545/api",
        "ws://198.51.100.1:8545",
    };
    struct book_entry *a = told("http://198.51.100.1:8545", PEER_ADVERTISED), *out;

    book_set_identity(book, a, "ed25519:aa");
    book_set_ban(book, a, now + HOUR_MS, REASON_BLOCK_LOW_POW, "block 7", now);
    for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
        ck_assert_msg(tell(spellings[i], PEER_ADVERTISED, NULL, &out) == BOOK_BANNED,
                      "%s", spellings[i]);
        ck_assert_ptr_eq(out, a);
    }
    ck_assert_uint_eq(book_count(book), 1);
    /* another port, and a name: they may be others, until they say who they are */
    ck_assert_int_eq(tell("http://198.51.100.1:8546", PEER_ADVERTISED, NULL, NULL),
                     BOOK_ADDED);
    ck_assert_ptr_eq(book_banned(book, "ws://203.0.113.9", NULL, "ed25519:aa", now), a);
    ck_assert_ptr_eq(
        book_banned(book, "http://node.example:8545", "198.51.100.1", "", now), a);
    ck_assert_ptr_null(
        book_banned(book, "http://node.example:8545", "198.51.100.2", "", now));
    ck_assert_ptr_null(book_banned(book, "http://node.example", NULL, "", now));
    /* and not for ever */
    ck_assert_ptr_null(book_banned(book, a->url, NULL, NULL, now + HOUR_MS));
}
END_TEST

START_TEST(a_name_is_banned_by_the_address_it_was_at)
{
    struct book_entry *a = told("http://node.example:8545", PEER_ADVERTISED);
    struct groups_place place = {.group = "198.51.0.0/16"};

    book_set_address(book, a, "198.51.100.1", &place);
    book_set_ban(book, a, now + HOUR_MS, REASON_BLOCK_LOW_POW, "block 7", now);
    ck_assert_int_eq(tell("ws://198.51.100.1:8545", PEER_ADVERTISED, NULL, NULL),
                     BOOK_BANNED);
    ck_assert_uint_eq(book_group_count(book, "198.51.0.0/16"), 1);
    ck_assert_uint_eq(book_group_count(book, "name:node.example"), 0);
}
END_TEST

START_TEST(what_the_operator_adds_is_taken_and_still_banned)
{
    struct book_entry *a = told("ws://198.51.100.1:8545", PEER_ADVERTISED), *b;

    book_set_ban(book, a, now + HOUR_MS, REASON_BLOCK_LOW_POW, "block 7", now);
    ck_assert_int_eq(tell("http://198.51.100.1:8545", PEER_OPERATOR, NULL, &b),
                     BOOK_BANNED);
    ck_assert_ptr_ne(a, b);
    ck_assert_int_eq(b->origin, PEER_OPERATOR);
    ck_assert_int_eq(b->banned_until_ms, now + HOUR_MS);
    ck_assert_str_eq(b->ban_evidence, "block 7");
}
END_TEST

/* --- floods --- */

static char *address(unsigned a, unsigned b, unsigned n)
{
    return xasprintf("ws://%u.%u.%u.%u:8333", a, b, n / 250 % 250, n % 250);
}

static size_t flood(unsigned a, unsigned b, size_t count, const char *source)
{
    size_t added = 0;

    for (unsigned n = 0; n < count; n++) {
        AUTOFREE char *url = address(a, b, n);

        added += tell(url, PEER_ADVERTISED, source, NULL) == BOOK_ADDED;
    }
    return added;
}

static void add_honest(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        AUTOFREE char *url = address(60 + i / 200, i % 200, 1);

        ck_assert_int_eq(tell(url, PEER_ADVERTISED, NULL, NULL), BOOK_ADDED);
    }
}

static size_t honest_left(unsigned count)
{
    size_t left = 0;

    for (unsigned i = 0; i < count; i++) {
        AUTOFREE char *url = address(60 + i / 200, i % 200, 1);

        left += book_find(book, url) != NULL;
    }
    return left;
}

START_TEST(sixty_thousand_addresses_of_one_network_push_nobody_out)
{
    int64_t start = clock_mono_ms();

    add_honest(300);
    (void)flood(198, 51, 60000, NULL);
    ck_assert_uint_eq(book_group_count(book, "198.51.0.0/16"), BOOK_GROUP_MAX);
    ck_assert_uint_eq(honest_left(300), 300);
    ck_assert_uint_eq(book_count(book), 300 + BOOK_GROUP_MAX);
    ck_assert_int_lt(clock_mono_ms() - start, 60000);
}
END_TEST

START_TEST(repeating_a_flood_changes_nothing)
{
    (void)flood(198, 51, 2000, NULL);
    ck_assert_uint_eq(flood(198, 51, 2000, NULL), 0);
}
END_TEST

/* Neither first come nor last come: what a flooder could time. */
START_TEST(who_stays_does_not_depend_on_the_order)
{
    struct book *forwards = book;

    (void)flood(198, 51, 500, NULL);
    book = book_create(salt);
    for (unsigned n = 500; n-- > 0;) {
        AUTOFREE char *url = address(198, 51, n);

        (void)tell(url, PEER_ADVERTISED, NULL, NULL);
    }
    ck_assert_uint_eq(book_count(book), BOOK_GROUP_MAX);
    for (size_t i = 0; i < book_count(book); i++)
        ck_assert_ptr_nonnull(book_find(forwards, book_at(book, i)->url));
    book_free(forwards);
}
END_TEST

START_TEST(in_a_full_book_the_largest_networks_give_way)
{
    struct book_entry *e;

    for (unsigned i = 0; i < BOOK_MAX / BOOK_GROUP_MAX; i++)
        (void)flood(198, i, 100, NULL);
    ck_assert_uint_eq(book_count(book), BOOK_MAX);
    add_honest(500);
    ck_assert_uint_eq(honest_left(500), 500);
    ck_assert_uint_eq(book_count(book), BOOK_MAX);
    (void)flood(198, 3, 500, NULL);
    ck_assert_uint_eq(honest_left(500), 500);
    /* the operator's word has a place in any case */
    ck_assert_int_eq(tell("ws://198.3.9.9", PEER_OPERATOR, NULL, &e), BOOK_ADDED);
}
END_TEST

START_TEST(one_teller_fills_an_eighth_with_what_nobody_reached)
{
    add_honest(500);
    for (unsigned i = 0; i < 3000; i++) { /* of as many networks */
        AUTOFREE char *url = address(100 + i / 200, i % 200, 7);

        (void)tell(url, PEER_ADVERTISED, "192.0.0.0/16", NULL);
    }
    ck_assert_uint_eq(book_count(book), 500 + BOOK_SOURCE_MAX);
    ck_assert_uint_eq(honest_left(500), 500);
}
END_TEST

START_TEST(who_was_reached_stays_and_who_was_tried_goes_first)
{
    struct book_entry *good = told("ws://198.51.200.1", PEER_ADVERTISED),
                      *tired = told("ws://198.51.200.2", PEER_ADVERTISED),
                      *used = told("ws://198.51.200.3", PEER_ADVERTISED);
    char *gone;

    good->last_good_ms = now;
    tired->tries = 1;
    tired->saved = true;
    used->in_use = true;
    used->tries = 9;
    (void)flood(198, 51, BOOK_GROUP_MAX - 3, NULL);
    ck_assert_ptr_nonnull(book_find(book, "ws://198.51.200.2:8333"));
    (void)flood(198, 51, 3000, NULL);
    ck_assert_ptr_eq(book_find(book, "ws://198.51.200.1:8333"), good);
    ck_assert_ptr_eq(book_find(book, "ws://198.51.200.3:8333"), used);
    ck_assert_ptr_null(book_find(book, "ws://198.51.200.2:8333"));
    gone = book_next_dropped(book);
    ck_assert_str_eq(gone, "ws://198.51.200.2:8333");
    free(gone);
    ck_assert_ptr_null(book_next_dropped(book)); /* the others had no row */
}
END_TEST

START_TEST(the_bans_that_end_first_are_forgotten)
{
    for (unsigned i = 0; i < BOOK_BANNED_MAX + 10; i++) {
        AUTOFREE char *url = address(60 + i / 200, i % 200, 1);
        struct book_entry *entry = NULL;

        (void)tell(url, PEER_ADVERTISED, NULL, &entry);
        book_set_ban(book, entry, now + 10 + (i * 7919) % 2000, REASON_BLOCK_LOW_POW,
                     "", now);
    }
    ck_assert_uint_eq(book_count(book), BOOK_BANNED_MAX);
    for (size_t i = 0; i < book_count(book); i++)
        ck_assert_int_gt(book_at(book, i)->banned_until_ms, now + 15);
    /* a flood takes no banned one's place either */
    for (unsigned i = 0; i < BOOK_MAX / BOOK_GROUP_MAX; i++)
        (void)flood(198, i, 100, NULL);
    for (size_t i = 0, banned = 0; i < book_count(book); i++) {
        banned += book_at(book, i)->banned_until_ms > now;
        if (i + 1 == book_count(book))
            ck_assert_uint_eq(banned, BOOK_BANNED_MAX);
    }
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("book");
    TCase *tc = tcase_create("core");

    tcase_set_timeout(tc, 120);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, an_address_is_known_once_and_rises_to_a_better_origin);
    tcase_add_test(tc, a_banned_peer_stays_banned_under_a_new_advert);
    tcase_add_test(tc, a_name_is_banned_by_the_address_it_was_at);
    tcase_add_test(tc, what_the_operator_adds_is_taken_and_still_banned);
    tcase_add_test(tc, sixty_thousand_addresses_of_one_network_push_nobody_out);
    tcase_add_test(tc, repeating_a_flood_changes_nothing);
    tcase_add_test(tc, who_stays_does_not_depend_on_the_order);
    tcase_add_test(tc, in_a_full_book_the_largest_networks_give_way);
    tcase_add_test(tc, one_teller_fills_an_eighth_with_what_nobody_reached);
    tcase_add_test(tc, who_was_reached_stays_and_who_was_tried_goes_first);
    tcase_add_test(tc, the_bans_that_end_first_are_forgotten);
    suite_add_tcase(s, tc);
    return s;
}
