#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "sync/peer/peers.h"
#include "tests/unit/test.h"

enum { HOUR_MS = 3600 * 1000, MONO = 50000 };
static const int64_t now = INT64_C(1800000000000);

static struct peers *peers;

static void setup(void)
{
    peers = peers_create();
}

static void teardown(void)
{
    peers_free(peers);
}

static struct peer *add(const char *url)
{
    struct peer *peer = NULL;

    ASSERT_OK(peers_add(peers, url, PEER_CONFIGURED, &peer, &test_err));
    return peer;
}

static void blame(struct peer *peer, enum peer_fault fault, uint32_t retry_after_s)
{
    peer_blame(peer, fault, REASON_PEER_BAD_ANSWER, retry_after_s, "seen", MONO, now);
}

static bool not_this(const struct peer *peer, void *arg)
{
    return peer != arg;
}

START_TEST(a_peer_is_known_once_however_spelled)
{
    struct peer *a = add("http://Node.example:8545/"), *b = NULL;

    ck_assert_str_eq(a->url, "http://node.example:8545");
    ASSERT_ERR(ERR_CONFLICT,
               peers_add(peers, "http://node.example:08545", PEER_SEED, &b, &test_err));
    ASSERT_ERR(ERR_INVALID,
               peers_add(peers, "ws://node.example/x", PEER_SEED, &b, &test_err));
    ck_assert_ptr_null(b);
    ck_assert_uint_eq(peers_count(peers), 1);
    ck_assert_ptr_eq(peers_find(peers, "HTTP://NODE.example:8545//"), a);
    ck_assert_ptr_null(peers_find(peers, "http://other"));
    ck_assert_ptr_eq(peers_at(peers, 0), a);
}
END_TEST

START_TEST(kind_and_hostility_follow_from_url_and_origin)
{
    static const struct {
        const char *url;
        enum peer_origin origin;
        enum peer_kind kind;
        bool hostile;
        const char *kind_name, *origin_name;
    } rows[] = {
        {"http://a", PEER_CONFIGURED, PEER_HTTP, false, "http", "configured"},
        {"https://a", PEER_OPERATOR, PEER_HTTP, false, "http", "operator"},
        {"WS://a", PEER_ADVERTISED, PEER_WS, true, "p2p", "advertised"},
        {"wss://a", PEER_SEED, PEER_WS, true, "p2p", "seed"},
        {"ws://1.2.3.4:5", PEER_INBOUND, PEER_WS, true, "p2p", "inbound"},
    };
    enum peer_origin origin;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct peer *p;

        ASSERT_OK(peers_add(peers, rows[i].url, rows[i].origin, &p, &test_err));
        ck_assert_int_eq(p->kind, rows[i].kind);
        ck_assert_int_eq(p->origin, rows[i].origin);
        ck_assert_int_eq(p->hostile, rows[i].hostile);
        ck_assert_str_eq(peer_kind_name(p->kind), rows[i].kind_name);
        ck_assert_str_eq(peer_origin_name(p->origin), rows[i].origin_name);
        ck_assert(peer_origin_find(rows[i].origin_name, &origin));
        ck_assert_int_eq(origin, rows[i].origin);
    }
    ck_assert(!peer_origin_find("friend", &origin));
    ck_assert_str_eq(peers_at(peers, 2)->url, "ws://a:8333");
}
END_TEST

START_TEST(a_removed_peer_is_off_the_list_and_kept_while_in_use)
{
    struct peer *a = add("http://a"), *b = add("http://b"), *c = add("http://c"), *d;

    a->conn = 7;
    ck_assert_ptr_eq(peers_find_conn(peers, 7), a);
    ck_assert_ptr_null(peers_find_conn(peers, 0));
    a->in_flight = 1;
    peers_remove(peers, a);
    peers_remove(peers, a);
    ck_assert_uint_eq(peers_count(peers), 2);
    ck_assert_ptr_eq(peers_at(peers, 0), b);
    ck_assert_ptr_eq(peers_at(peers, 1), c);
    ck_assert_ptr_null(peers_find(peers, "http://a"));
    ck_assert_ptr_null(peers_find_conn(peers, 7));
    ck_assert_ptr_ne(peers_pick(peers, MONO, now, 9, NULL, NULL), a);
    ck_assert_uint_eq(peers_forget(peers, NULL, NULL), 1);
    ck_assert_str_eq(a->url, "http://a"); /* still there for who has it in flight */
    d = add("http://a");                  /* and may be known again meanwhile */
    ck_assert_ptr_ne(d, a);
    ck_assert_uint_ne(d->slot, a->slot);
    a->in_flight = 0;
    ck_assert_uint_eq(peers_forget(peers, not_this, d), 1); /* held */
    ck_assert_uint_eq(peers_forget(peers, NULL, NULL), 0);
}
END_TEST

START_TEST(slots_are_unique_and_come_round)
{
    bool seen[PEERS_MAX] = {false};
    struct peer *first = NULL, *p;

    for (int i = 0; i < PEERS_MAX; i++) {
        AUTOFREE char *url = xasprintf("http://10.0.%d.%d", i / 250, i % 250);

        p = add(url);
        ck_assert_uint_lt(p->slot, PEERS_MAX);
        ck_assert(!seen[p->slot]);
        seen[p->slot] = true;
        first = first ? first : p;
    }
    first->in_flight = 1;
    peers_remove(peers, first);
    /* its slot and its memory are not free yet */
    ASSERT_ERR(ERR_BUSY, peers_add(peers, "http://one.more", PEER_SEED, &p, &test_err));
    first->in_flight = 0;
    ck_assert_uint_eq(peers_forget(peers, NULL, NULL), 0);
    ck_assert_uint_eq(add("http://one.more")->slot, 0);
}
END_TEST

START_TEST(there_is_a_most)
{
    struct peer *peer;

    for (int i = 0; i < PEERS_MAX; i++) {
        AUTOFREE char *url = xasprintf("http://10.0.%d.%d", i / 250, i % 250);

        (void)add(url);
    }
    ASSERT_ERR(ERR_BUSY,
               peers_add(peers, "http://one.more", PEER_CONFIGURED, &peer, &test_err));
}
END_TEST

START_TEST(picking_prefers_idle_then_good_then_fast)
{
    struct peer *a = add("http://a"), *b = add("http://b"), *c = add("http://c");

    a->latency_ms = 30;
    b->latency_ms = 20;
    c->latency_ms = 10;
    ck_assert_ptr_eq(peers_pick(peers, MONO, now, 2, NULL, NULL), c);
    c->score = 99;
    ck_assert_ptr_eq(peers_pick(peers, MONO, now, 2, NULL, NULL), b);
    b->in_flight = 1;
    ck_assert_ptr_eq(peers_pick(peers, MONO, now, 2, NULL, NULL), a);
    a->in_flight = b->in_flight = c->in_flight = 2;
    ck_assert_ptr_null(peers_pick(peers, MONO, now, 2, NULL, NULL));
}
END_TEST

START_TEST(picking_leaves_out_who_may_not_be_asked)
{
    struct peer *a = add("http://a"), *b = add("http://b");

    ck_assert_ptr_eq(peers_pick(peers, MONO, now, 1, not_this, a), b);
    b->backoff_until_mono_ms = MONO + 1;
    ck_assert_ptr_null(peers_pick(peers, MONO, now, 1, not_this, a));
    ck_assert_ptr_eq(peers_pick(peers, MONO + 1, now, 1, not_this, a), b);
    b->banned_until_ms = now + 1;
    ck_assert_ptr_null(peers_pick(peers, MONO + 1, now, 1, not_this, a));
    ck_assert_ptr_eq(peers_pick(peers, MONO + 1, now + 1, 1, not_this, a), b);
}
END_TEST

START_TEST(answers_raise_the_score_and_average_the_latency)
{
    struct peer *a = add("http://a");

    a->score = 98;
    peer_answered(a, 800, 1000, "127.1.2.3", now);
    ck_assert_int_eq(a->score, 99);
    ck_assert_uint_eq(a->latency_ms, 800);
    ck_assert_str_eq(a->group, "127.1.0.0/16");
    ck_assert_str_eq(a->ip, "127.1.2.3");
    ck_assert_int_eq(a->last_good_ms, now);
    peer_answered(a, 0, 24, "", now);
    peer_answered(a, 0, 0, "", now);
    ck_assert_int_eq(a->score, 100);
    ck_assert_uint_eq(a->latency_ms, 612);
    ck_assert_uint_eq(a->bytes, 1024);
    ck_assert_uint_eq(a->requests, 3);
    ck_assert_str_eq(a->group, "127.1.0.0/16");
    peer_answered(a, UINT32_MAX, 0, "", now);
    ck_assert_uint_eq(a->latency_ms, (612U * 7ULL + UINT32_MAX) / 8);
}
END_TEST

START_TEST(failures_back_off_doubling_to_five_minutes)
{
    struct peer *a = add("http://a");
    int64_t wait = 1000;

    for (int i = 0; i < 12; i++, wait = wait < 150000 ? wait * 2 : 300000) {
        a->backoff_until_mono_ms = 0;
        blame(a, PEER_FAULT_UNREACHABLE, 0);
        ck_assert_int_eq(a->backoff_until_mono_ms,
                         MONO + (wait < 300000 ? wait : 300000));
    }
    ck_assert(!peer_usable(a, MONO, now));
    ck_assert(peer_usable(a, MONO + 300000, now));
    ck_assert_int_eq(a->score, 0);
    ck_assert_uint_eq(a->faults, 12);
    ck_assert_uint_eq(a->requests, 12);
    ck_assert_str_eq(a->last_error, "seen");
    peer_answered(a, 10, 0, "", now);
    a->backoff_until_mono_ms = 0;
    blame(a, PEER_FAULT_ERROR, 0);
    ck_assert_int_eq(a->backoff_until_mono_ms, MONO + 1000);
}
END_TEST

START_TEST(errors_cost_more_than_silence)
{
    struct peer *a = add("http://a"), *b = add("http://b");

    blame(a, PEER_FAULT_UNREACHABLE, 0);
    blame(b, PEER_FAULT_ERROR, 0);
    ck_assert_int_eq(a->score, 90);
    ck_assert_int_eq(b->score, 80);
}
END_TEST

START_TEST(a_rate_limit_is_honoured_and_costs_nothing)
{
    struct peer *a = add("http://a");

    blame(a, PEER_FAULT_RATE_LIMIT, 900);
    ck_assert_int_eq(a->backoff_until_mono_ms, MONO + 900 * 1000);
    ck_assert_int_eq(a->score, 100);
    ck_assert_uint_eq(a->faults, 0);
    blame(a, PEER_FAULT_RATE_LIMIT, 0); /* does not shorten it */
    ck_assert_int_eq(a->backoff_until_mono_ms, MONO + 900 * 1000);
    blame(a, PEER_FAULT_RATE_LIMIT, UINT32_MAX);
    ck_assert_int_eq(a->backoff_until_mono_ms, MONO + HOUR_MS);
}
END_TEST

START_TEST(a_lie_bans_for_an_hour_doubling_to_a_week)
{
    struct peer *a = add("http://a");
    int64_t hours = 1;

    for (int i = 0; i < 10; i++, hours *= 2) {
        a->banned_until_ms = 0;
        peer_blame(a, PEER_FAULT_LIE, REASON_BLOCK_LOW_POW, 0, "block 7", MONO, now);
        ck_assert_int_eq(a->banned_until_ms,
                         now + (hours < 168 ? hours : 168) * (int64_t)HOUR_MS);
    }
    ck_assert_int_eq(a->score, 0);
    ck_assert_uint_eq(a->bans, 10);
    ck_assert_uint_eq(a->requests, 0);
    ck_assert_int_eq(a->ban_reason, REASON_BLOCK_LOW_POW);
    ck_assert_str_eq(a->ban_evidence, "block 7");
    peer_unban(a);
    ck_assert(peer_usable(a, MONO, now));
    ck_assert_int_eq(a->ban_reason, REASON_NONE);
    ck_assert_str_eq(a->ban_evidence, "");
    blame(a, PEER_FAULT_LIE, 0);
    ck_assert_int_eq(a->banned_until_ms, now + HOUR_MS);
}
END_TEST

START_TEST(an_operator_bans_for_a_time_and_pardons)
{
    struct peer *a = add("http://a");

    peer_ban(a, HOUR_MS, "spam", now);
    ck_assert(!peer_usable(a, MONO, now + HOUR_MS - 1));
    ck_assert(peer_usable(a, MONO, now + HOUR_MS));
    ck_assert_str_eq(reason_code(a->ban_reason), "peer_banned_by_operator");
    ck_assert_str_eq(a->ban_evidence, "spam");
    ck_assert_uint_eq(a->faults, 0);
    peer_unban(a);
    ck_assert(peer_usable(a, MONO, now));
}
END_TEST

START_TEST(long_evidence_is_cut)
{
    struct peer *a = add("http://a");
    char text[1000];

    memset(text, 'e', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    peer_blame(a, PEER_FAULT_LIE, REASON_BLOCK_LOW_POW, 0, text, MONO, now);
    ck_assert_uint_eq(strlen(a->ban_evidence), sizeof(a->ban_evidence) - 1);
    ck_assert_uint_eq(strlen(a->last_error), sizeof(a->last_error) - 1);
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("peers");
    TCase *tc = tcase_create("core");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, a_peer_is_known_once_however_spelled);
    tcase_add_test(tc, kind_and_hostility_follow_from_url_and_origin);
    tcase_add_test(tc, a_removed_peer_is_off_the_list_and_kept_while_in_use);
    tcase_add_test(tc, slots_are_unique_and_come_round);
    tcase_add_test(tc, there_is_a_most);
    tcase_add_test(tc, picking_prefers_idle_then_good_then_fast);
    tcase_add_test(tc, picking_leaves_out_who_may_not_be_asked);
    tcase_add_test(tc, answers_raise_the_score_and_average_the_latency);
    tcase_add_test(tc, failures_back_off_doubling_to_five_minutes);
    tcase_add_test(tc, errors_cost_more_than_silence);
    tcase_add_test(tc, a_rate_limit_is_honoured_and_costs_nothing);
    tcase_add_test(tc, a_lie_bans_for_an_hour_doubling_to_a_week);
    tcase_add_test(tc, an_operator_bans_for_a_time_and_pardons);
    tcase_add_test(tc, long_evidence_is_cut);
    suite_add_tcase(s, tc);
    return s;
}
