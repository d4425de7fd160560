#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "sync/peer/roster.h"
#include "tests/unit/test.h"

static const int64_t now = INT64_C(1800000000000);
static const uint8_t salt[BOOK_SALT] = "pepper";
enum { HOUR_MS = 3600 * 1000, MONO = 50000 };

static struct roster r;
static const struct roster_want eight = {PEER_WS, 8};

static void setup(void)
{
    r = (struct roster){.peers = peers_create(), .book = book_create(salt)};
}

static void teardown(void)
{
    peers_free(r.peers);
    book_free(r.book);
}

static struct book_entry *known(const char *url, enum peer_origin origin)
{
    struct book_advert a = {.origin = origin};
    struct book_entry *entry = NULL;
    char base[URL_MAX];

    ASSERT_OK(url_normalise_base(url, base, &test_err));
    a.url = base;
    groups_of_url(r.groups, base, &a.place);
    ck_assert_int_eq(book_add(r.book, &a, now, &entry), BOOK_ADDED);
    return entry;
}

static struct peer *use(struct book_entry *entry)
{
    struct peer *p = NULL;

    ASSERT_OK(roster_take(&r, entry, now, &p, &test_err));
    return p;
}

static size_t use_all(const struct roster_want *w)
{
    struct book_entry *entry;
    size_t n = 0;

    for (; (entry = roster_next(&r, w, now)); n++)
        (void)use(entry);
    return n;
}

START_TEST(a_quarter_of_one_network_and_no_more)
{
    ck_assert_uint_eq(roster_per_network(0), 1);
    ck_assert_uint_eq(roster_per_network(1), 1);
    ck_assert_uint_eq(roster_per_network(8), 2);
    ck_assert_uint_eq(roster_per_network(16), 4);
    ck_assert_uint_eq(roster_per_network(17), 5);
    for (int i = 0; i < 60; i++) {
        AUTOFREE char *url = xasprintf("ws://198.51.100.%d", i);

        (void)known(url, PEER_ADVERTISED);
    }
    ck_assert_uint_eq(use_all(&eight), 2);
    (void)known("ws://203.0.113.1", PEER_ADVERTISED);
    ck_assert_uint_eq(use_all(&eight), 1);
    (void)known("http://192.0.2.1", PEER_ADVERTISED); /* another kind */
    ck_assert_uint_eq(use_all(&eight), 0);
}
END_TEST

START_TEST(networks_that_are_not_there_yet_come_first)
{
    struct book_entry *here = known("ws://198.51.100.1", PEER_ADVERTISED),
                      *near = known("ws://198.51.100.2", PEER_ADVERTISED),
                      *far = known("ws://203.0.113.1", PEER_ADVERTISED),
                      *seen = known("ws://192.0.2.1", PEER_SEED);

    near->last_good_ms = seen->last_good_ms = now;
    near->score = 100;
    seen->score = 3;
    (void)use(here);
    ck_assert_ptr_eq(roster_next(&r, &eight, now), seen); /* reached once */
    (void)use(seen);
    ck_assert_ptr_eq(roster_next(&r, &eight, now), far);
    (void)use(far);
    ck_assert_ptr_eq(roster_next(&r, &eight, now), near);
}
END_TEST

START_TEST(the_operators_are_used_whatever_the_target)
{
    static const struct roster_want two = {PEER_HTTP, 2};

    for (int i = 0; i < 5; i++) {
        AUTOFREE char *url = xasprintf("http://198.51.100.%d", i);

        (void)known(url, i % 2 ? PEER_OPERATOR : PEER_CONFIGURED);
    }
    (void)known("http://203.0.113.1", PEER_ADVERTISED);
    (void)known("http://192.0.2.1", PEER_ADVERTISED);
    /* and half of the places are for others */
    ck_assert_uint_eq(use_all(&two), 6);
    ck_assert_ptr_null(roster_leaver(&r, &two, now));
}
END_TEST

START_TEST(a_failed_address_waits_longer_each_time_and_a_banned_one_till_its_end)
{
    struct book_entry *a = known("ws://198.51.100.1", PEER_ADVERTISED);
    int64_t wait = 60000, t = now;

    for (int i = 0; i < 14;
         i++, wait = wait * 2 < 24 * HOUR_MS ? wait * 2 : 24 * HOUR_MS) {
        struct peer *p;

        ck_assert_ptr_eq(roster_next(&r, &eight, t), a);
        ASSERT_OK(roster_take(&r, a, t, &p, &test_err));
        ck_assert_ptr_null(roster_next(&r, &eight, t)); /* in use */
        roster_release(&r, p, t);
        ck_assert_ptr_null(roster_next(&r, &eight, t + wait - 1));
        t += wait;
    }
    a->tried_ms = t + HOUR_MS; /* the clock was set back */
    ck_assert_ptr_eq(roster_next(&r, &eight, t), a);
    a->tries = 0;
    book_set_ban(r.book, a, t + HOUR_MS, REASON_BLOCK_LOW_POW, "", t);
    ck_assert_ptr_null(roster_next(&r, &eight, t + HOUR_MS - 1));
    ck_assert_ptr_eq(roster_next(&r, &eight, t + HOUR_MS), a);
}
END_TEST

START_TEST(what_is_learned_is_kept_and_comes_back)
{
    struct book_entry *a = known("ws://node.example", PEER_ADVERTISED);
    struct peer *p = use(a);

    ck_assert(p->hostile);
    ck_assert_ptr_eq(p->entry, a);
    ck_assert_str_eq(p->group, "");
    peer_answered(p, 10, 100, "198.51.100.7", now);
    (void)snprintf(p->identity, sizeof(p->identity), "secp256k1:02aa");
    p->score = 77;
    a->changed = false;
    roster_keep(&r, p, now);
    ck_assert(a->changed);
    ck_assert_str_eq(a->ip, "198.51.100.7");
    ck_assert_str_eq(a->place.group, "198.51.0.0/16");
    ck_assert_str_eq(a->identity, "secp256k1:02aa");
    ck_assert_int_eq(a->score, 77);
    ck_assert_uint_eq(a->tries, 0);
    ck_assert_int_eq(a->last_good_ms, now);
    a->changed = false;
    roster_keep(&r, p, now + 1000);
    ck_assert(!a->changed); /* nothing worth a write */
    peer_blame(p, PEER_FAULT_LIE, REASON_BLOCK_LOW_POW, 0, "block 7", MONO, now);
    roster_release(&r, p, now);
    ck_assert_uint_eq(peers_count(r.peers), 0);
    ck_assert(a->changed && !a->in_use);
    ck_assert_int_eq(a->banned_until_ms, now + HOUR_MS);
    ck_assert_str_eq(a->ban_evidence, "block 7");
    ck_assert_uint_eq(a->faults, 1);
    p = use(a);
    ck_assert_int_eq(p->banned_until_ms, now + HOUR_MS);
    ck_assert_int_eq(p->ban_reason, REASON_BLOCK_LOW_POW);
    ck_assert_uint_eq(p->bans, 1);
    ck_assert_str_eq(p->group, "198.51.0.0/16");
    ck_assert_str_eq(p->identity, "secp256k1:02aa");
}
END_TEST

/* Scenario 6, where only the connection tells. */
START_TEST(a_banned_identity_is_banned_at_its_new_address)
{
    struct peer *liar = use(known("ws://198.51.100.1", PEER_ADVERTISED)), *again;

    (void)snprintf(liar->identity, sizeof(liar->identity), "secp256k1:02aa");
    peer_blame(liar, PEER_FAULT_LIE, REASON_BLOCK_LOW_POW, 0, "block 7", MONO, now);
    roster_release(&r, liar, now);
    again = use(known("ws://203.0.113.1", PEER_ADVERTISED));
    ck_assert(roster_vet(&r, again, now));
    (void)snprintf(again->identity, sizeof(again->identity), "secp256k1:02aa");
    roster_keep(&r, again, now);
    ck_assert_int_eq(again->banned_until_ms, now + HOUR_MS);
    ck_assert_str_eq(again->ban_evidence, "block 7");
    ck_assert(!roster_vet(&r, again, now));
    ck_assert_ptr_eq(roster_leaver(&r, &eight, now), again);
}
END_TEST

START_TEST(who_connected_to_us_is_remembered_when_it_lied)
{
    struct peer *p, *q;

    ASSERT_OK(
        peers_add(r.peers, "ws://198.51.100.1:50001", PEER_INBOUND, &p, &test_err));
    ASSERT_OK(
        peers_add(r.peers, "ws://198.51.100.1:50002", PEER_INBOUND, &q, &test_err));
    (void)snprintf(p->identity, sizeof(p->identity), "secp256k1:02aa");
    roster_release(&r, q, now);
    ck_assert_uint_eq(book_count(r.book), 0);
    peer_blame(p, PEER_FAULT_LIE, REASON_PEER_REPLAY, 0, "nonce", MONO, now);
    roster_release(&r, p, now);
    ck_assert_uint_eq(book_count(r.book), 1);
    ck_assert_ptr_nonnull(book_banned(r.book, NULL, NULL, "secp256k1:02aa", now));
    ck_assert_ptr_null(roster_next(&r, &eight, now + 2 * HOUR_MS)); /* never dialled */
}
END_TEST

START_TEST(a_ban_holds_at_all_addresses_that_are_in_use)
{
    struct peer *p = use(known("http://198.51.100.1", PEER_CONFIGURED)),
                *q = use(known("http://203.0.113.1", PEER_CONFIGURED)),
                *other = use(known("http://192.0.2.1", PEER_CONFIGURED));

    (void)snprintf(p->identity, sizeof(p->identity), "ed25519:aa");
    (void)snprintf(q->identity, sizeof(q->identity), "ed25519:aa");
    for (struct peer **each = (struct peer *[]){p, q, other, NULL}; *each; each++)
        roster_keep(&r, *each, now);
    peer_blame(p, PEER_FAULT_LIE, REASON_HEADER_CHAIN_INVALID, 0, "block 7", MONO, now);
    roster_keep(&r, p, now);
    ck_assert_int_gt(q->banned_until_ms, now);
    ck_assert_int_eq(q->banned_until_ms, p->banned_until_ms);
    ck_assert_int_eq(q->ban_reason, REASON_HEADER_CHAIN_INVALID);
    ck_assert_str_eq(q->ban_evidence, "block 7");
    ck_assert_int_eq(other->banned_until_ms, 0);
}
END_TEST

START_TEST(one_identity_is_used_once)
{
    struct book_entry *a = known("ws://198.51.100.1", PEER_ADVERTISED),
                      *b = known("ws://203.0.113.1", PEER_ADVERTISED);
    struct peer *p = use(a), *q;

    (void)snprintf(p->identity, sizeof(p->identity), "secp256k1:02aa");
    book_set_identity(r.book, b, "secp256k1:02aa");
    ck_assert_ptr_null(roster_next(&r, &eight, now));
    book_set_identity(r.book, b, "");
    q = use(b);
    ck_assert_ptr_null(roster_leaver(&r, &eight, now));
    (void)snprintf(q->identity, sizeof(q->identity), "secp256k1:02aa");
    ck_assert_ptr_eq(roster_twin(&r, q), p);
    ck_assert_ptr_null(roster_twin(&r, p));
    ck_assert_ptr_eq(roster_leaver(&r, &eight, now), q);
}
END_TEST

START_TEST(the_operators_addresses_of_one_node_take_one_place)
{
    static const struct roster_want four = {PEER_HTTP, 4};

    for (int i = 1; i <= 6; i++) {
        AUTOFREE char *own = xasprintf("http://198.51.%d.1", i);
        AUTOFREE char *other = xasprintf("http://203.%d.113.1", i);
        struct peer *p = use(known(own, PEER_CONFIGURED));

        (void)known(other, PEER_ADVERTISED);
        (void)snprintf(p->identity, sizeof(p->identity), "ed25519:aa");
    }
    ck_assert_uint_eq(use_all(&four), 3); /* not 2, as beside two nodes of his */
    ck_assert_ptr_null(roster_leaver(&r, &four, now));
}
END_TEST

START_TEST(a_new_network_takes_the_place_of_the_worst_of_the_largest)
{
    static const struct roster_want four = {PEER_WS, 8};
    struct peer *worst = NULL;

    for (int i = 0; i < 8; i++) {
        AUTOFREE char *url = xasprintf("ws://198.%d.100.%d", i / 2, i);
        struct peer *p = use(known(url, PEER_ADVERTISED));

        p->score = i == 5 ? 20 : 90;
        worst = i == 5 ? p : worst;
    }
    ck_assert_ptr_null(roster_leaver(&r, &four, now)); /* nobody waits */
    (void)known("ws://198.1.7.7", PEER_ADVERTISED);
    ck_assert_ptr_null(roster_leaver(&r, &four, now)); /* of a network that is there */
    (void)known("ws://203.0.113.1", PEER_ADVERTISED);
    ck_assert_ptr_eq(roster_leaver(&r, &four, now), worst);
    roster_release(&r, worst, now);
    ck_assert_str_eq(roster_next(&r, &four, now)->url, "ws://203.0.113.1:8333");
    (void)use(roster_next(&r, &four, now));
    ck_assert_ptr_null(roster_leaver(&r, &four, now));
}
END_TEST

START_TEST(one_as_is_one_network)
{
    CLEANUP(groups_close) struct groups *g = NULL;

    ASSERT_OK(groups_open(TEST_DATA "/asn/asn.mmdb", &g, &test_err));
    r.groups = g;
    (void)known("ws://127.2.0.1", PEER_ADVERTISED);
    (void)known("ws://127.3.0.1", PEER_ADVERTISED); /* the same AS */
    (void)known("ws://127.2.0.2", PEER_ADVERTISED);
    (void)known("ws://127.1.0.1", PEER_ADVERTISED);
    ck_assert_uint_eq(use_all(&eight), 3);
    ck_assert_uint_eq(book_group_count(r.book, "127.2.0.0/16"), 2);
    r.groups = NULL;
}
END_TEST

START_TEST(a_thousand_peers_are_decided_on_quickly)
{
    static const struct roster_want many = {PEER_WS, 1000};
    int64_t start;

    for (int i = 0; i < 2000; i++) {
        AUTOFREE char *url = xasprintf("ws://%d.%d.1.1", 60 + i / 200, i % 200);

        (void)known(url, PEER_ADVERTISED);
    }
    for (int i = 0; i < 999; i++)
        (void)use(book_at(r.book, (size_t)i));
    start = clock_mono_ms();
    ck_assert_ptr_nonnull(roster_next(&r, &many, now));
    (void)use(roster_next(&r, &many, now));
    ck_assert_ptr_null(roster_next(&r, &many, now));
    ck_assert_ptr_null(roster_leaver(&r, &many, now));
    for (size_t i = 0; i < peers_count(r.peers); i++)
        roster_keep(&r, peers_at(r.peers, i), now);
    ck_assert_int_lt(clock_mono_ms() - start, 2000); /* unoptimised, under load */
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("roster");
    TCase *tc = tcase_create("core");

    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, a_quarter_of_one_network_and_no_more);
    tcase_add_test(tc, networks_that_are_not_there_yet_come_first);
    tcase_add_test(tc, the_operators_are_used_whatever_the_target);
    tcase_add_test(
        tc, a_failed_address_waits_longer_each_time_and_a_banned_one_till_its_end);
    tcase_add_test(tc, what_is_learned_is_kept_and_comes_back);
    tcase_add_test(tc, a_banned_identity_is_banned_at_its_new_address);
    tcase_add_test(tc, who_connected_to_us_is_remembered_when_it_lied);
    tcase_add_test(tc, a_ban_holds_at_all_addresses_that_are_in_use);
    tcase_add_test(tc, one_identity_is_used_once);
    tcase_add_test(tc, the_operators_addresses_of_one_node_take_one_place);
    tcase_add_test(tc, a_new_network_takes_the_place_of_the_worst_of_the_largest);
    tcase_add_test(tc, one_as_is_one_network);
    tcase_add_test(tc, a_thousand_peers_are_decided_on_quickly);
    suite_add_tcase(s, tc);
    return s;
}
