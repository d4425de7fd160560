#include "tests/unit/node_kit.h"

/* Two nodes that talk to each other, plain (0) and over TLS (1). */

static struct kit a, b;

static void start(bool tls)
{
    kit_init(&a);
    kit_init(&b);
    a.cfg.testnet = b.cfg.testnet = !tls;
    a.cfg.listen = NULL;
    b.cfg.api_endpoint = "https://b.example:8080";
    kit_start(&a);
    kit_start(&b);
}

static void stop(void)
{
    kit_stop(&a);
    kit_stop(&b);
}

START_TEST(both_hear_of_each_other)
{
    struct p2p_event at_a, at_b;
    uint8_t key[33];
    uint64_t conn;

    start(_i);
    b.count = 7;
    conn = kit_dial(&a, &b);
    at_a = kit_expect(&a, P2P_OPENED);
    at_b = kit_expect(&b, P2P_OPENED);
    ck_assert_uint_eq(at_a.conn, conn);
    ck_assert(!at_a.inbound && at_b.inbound);
    ck_assert_str_eq(at_a.ip, "127.0.0.1");
    ck_assert_str_eq(at_b.ip, "127.0.0.1");
    ck_assert_str_eq(at_a.api_endpoint, "https://b.example:8080");
    ck_assert_str_eq(at_b.api_endpoint, "");
    ck_assert(at_a.has_height && at_b.has_height);
    ck_assert_uint_eq(at_a.height, 6);
    ck_assert_uint_eq(at_b.height, KIT_BLOCKS - 1);
    p2p_public_key(b.p, key);
    ck_assert_mem_eq(at_a.key, key, sizeof(key));
    p2p_public_key(a.p, key);
    ck_assert_mem_eq(at_b.key, key, sizeof(key));
    stop();
}
END_TEST

START_TEST(every_ask_is_answered)
{
    struct p2p_request *r;
    uint64_t conn;

    start(_i);
    conn = kit_dial(&a, &b);

    r = kit_ask(&a, kit_request(P2P_PEERS, conn));
    ck_assert_int_eq(r->err.code, ERR_OK);
    ck_assert_str_eq(r->body, "[\"http://192.0.2.1:12001\",\"ws://192.0.2.2:8765\"]");
    p2p_request_free(r);

    r = kit_ask(&a, kit_request(P2P_CHECKPOINT, conn));
    ck_assert_int_eq(r->err.code, ERR_OK);
    ck_assert(r->has_claim && r->claim.own);
    ck_assert_uint_eq(r->claim.height, 5);
    ck_assert_mem_eq(r->claim.block_hash, b.blocks[5].hash, 32);
    ck_assert_str_eq(r->claim.url, "");
    p2p_request_free(r);

    r = kit_ask(&a, kit_request(P2P_PAYLOAD, conn));
    ck_assert_int_eq(r->err.code, ERR_OK);
    ck_assert_str_eq(r->body, "{\"url\":\"https://example.org/payload.json\"}");
    p2p_request_free(r);

    r = kit_request(P2P_BLOCK_AT, conn);
    r->height = 3;
    r = kit_ask(&a, r);
    ck_assert_int_eq(r->err.code, ERR_OK);
    ck_assert_str_eq(r->body, b.blocks[3].text);
    ck_assert_uint_eq(r->body_len, strlen(b.blocks[3].text));
    p2p_request_free(r);

    r = kit_request(P2P_BLOCK, conn);
    memcpy(r->hash, b.blocks[9].hash, 32);
    r = kit_ask(&a, r);
    ck_assert_int_eq(r->err.code, ERR_OK);
    ck_assert_str_eq(r->body, b.blocks[9].text);
    p2p_request_free(r);

    r = kit_ask(&a, kit_request(P2P_TIP, conn));
    ck_assert_int_eq(r->err.code, ERR_OK);
    ck_assert_uint_eq(r->height, KIT_BLOCKS - 1);
    ck_assert_mem_eq(r->hash, b.blocks[KIT_BLOCKS - 1].hash, 32);
    p2p_request_free(r);
    stop();
}
END_TEST

START_TEST(what_a_peer_has_not_is_not_found)
{
    struct p2p_request *r;
    uint64_t conn;

    start(_i);
    b.no_checkpoint = true;
    conn = kit_dial(&a, &b);

    r = kit_request(P2P_BLOCK_AT, conn);
    r->height = KIT_BLOCKS;
    r = kit_ask(&a, r);
    ck_assert_int_eq(r->err.reason, REASON_NOT_FOUND);
    p2p_request_free(r);

    r = kit_request(P2P_BLOCK, conn);
    memset(r->hash, 7, 32);
    r = kit_ask(&a, r);
    ck_assert_int_eq(r->err.reason, REASON_NOT_FOUND);
    p2p_request_free(r);

    r = kit_ask(&a, kit_request(P2P_CHECKPOINT, conn));
    ck_assert_int_eq(r->err.code, ERR_OK);
    ck_assert(!r->has_claim);
    p2p_request_free(r);

    b.count = 0; /* from now on */
    r = kit_ask(&a, kit_request(P2P_TIP, conn));
    ck_assert_int_eq(r->err.reason, REASON_NOT_FOUND);
    p2p_request_free(r);
    stop();
}
END_TEST

START_TEST(a_tip_that_moved_is_followed)
{
    struct p2p_request *r;
    uint64_t conn;

    start(false);
    b.count = 4;
    conn = kit_dial(&a, &b);
    (void)kit_expect(&b, P2P_OPENED); /* b told its height: 3 */
    b.count = 9;
    r = kit_ask(&a, kit_request(P2P_TIP, conn));
    ck_assert_uint_eq(r->height, 8);
    ck_assert_mem_eq(r->hash, b.blocks[8].hash, 32);
    p2p_request_free(r);
    stop();
}
END_TEST

START_TEST(more_asks_than_fit_at_once_all_come_back)
{
    enum { ASKS = 50 };
    bool seen[ASKS] = {false};
    uint64_t conn;

    start(_i);
    conn = kit_dial(&a, &b);
    for (uint64_t i = 0; i < ASKS; i++) {
        struct p2p_request *r = kit_request(P2P_BLOCK_AT, conn);

        r->height = i % KIT_BLOCKS;
        r->tag = i;
        r->timeout_ms = KIT_WAIT_MS;
        p2p_submit(a.p, r);
    }
    for (int i = 0; i < ASKS; i++) {
        struct p2p_request *r = chan_recv_for(a.done, KIT_WAIT_MS);

        ck_assert_ptr_nonnull(r);
        ck_assert_msg(r->err.code == ERR_OK, "%s", r->err.msg);
        ck_assert_str_eq(r->body, b.blocks[r->height].text);
        ck_assert(!seen[r->tag]);
        seen[r->tag] = true;
        p2p_request_free(r);
    }
    stop();
}
END_TEST

START_TEST(a_new_block_is_announced_to_all)
{
    struct p2p_event ev;

    start(_i);
    (void)kit_dial(&a, &b);
    (void)kit_expect(&b, P2P_OPENED);
    p2p_announce(b.p, b.blocks[11].hash);
    ev = kit_expect(&a, P2P_NEWS);
    ck_assert(ev.has_hash);
    ck_assert_mem_eq(ev.hash, b.blocks[11].hash, 32);
    p2p_announce(a.p, b.blocks[10].hash);
    ev = kit_expect(&b, P2P_NEWS);
    ck_assert_mem_eq(ev.hash, b.blocks[10].hash, 32);
    stop();
}
END_TEST

START_TEST(a_height_told_again_is_news)
{
    struct p2p_event ev;

    kit_init(&a);
    kit_init(&b);
    b.cfg.times.announce = 300;
    b.count = 5;
    kit_start(&a);
    kit_start(&b);
    (void)kit_dial(&a, &b);
    ev = kit_expect(&a, P2P_OPENED);
    ck_assert_uint_eq(ev.height, 4);
    (void)kit_expect(&b, P2P_OPENED);
    b.count = 6;
    ev = kit_expect(&a, P2P_NEWS);
    ck_assert(!ev.has_hash);
    ck_assert_uint_eq(ev.height, 5);
    stop();
}
END_TEST

START_TEST(who_is_dropped_is_gone_for_both)
{
    struct p2p_request *r;
    struct p2p_event ev;
    uint64_t conn;

    start(_i);
    conn = kit_dial(&a, &b);
    ev = kit_expect(&b, P2P_OPENED);
    p2p_drop(b.p, ev.conn, 0);
    ev = kit_expect(&b, P2P_CLOSED);
    ck_assert_int_eq(ev.reason, REASON_CANCELLED);
    ev = kit_expect(&a, P2P_CLOSED);
    ck_assert_uint_eq(ev.conn, conn);
    ck_assert_int_eq(ev.reason, REASON_PEER_UNREACHABLE);
    r = kit_ask(&a, kit_request(P2P_TIP, conn));
    ck_assert_int_eq(r->err.reason, REASON_PEER_UNREACHABLE);
    p2p_request_free(r);
    conn = kit_dial(&a, &b); /* it may come again, under another number */
    ck_assert_uint_ne(conn, ev.conn);
    stop();
}
END_TEST

START_TEST(who_is_banned_is_not_let_in)
{
    struct p2p_request *r;
    struct p2p_event ev;
    char url[P2P_URL_MAX];

    start(false);
    (void)kit_dial(&a, &b);
    ev = kit_expect(&b, P2P_OPENED);
    p2p_drop(b.p, ev.conn, 5000); /* long enough for a slow machine to be refused */
    (void)kit_expect(&a, P2P_CLOSED);
    kit_url(&b, false, url);
    r = kit_try_dial(&a, url, false);
    ck_assert_int_eq(r->err.reason, REASON_PEER_UNREACHABLE);
    p2p_request_free(r);
    for (int i = 0; i < 1000; i++) { /* till the ban ends */
        r = kit_try_dial(&a, url, false);
        if (r->err.code == ERR_OK)
            break;
        ck_assert_int_eq(r->err.reason, REASON_PEER_UNREACHABLE);
        p2p_request_free(r);
        (void)usleep(10000);
    }
    ck_assert_int_eq(r->err.code, ERR_OK);
    p2p_request_free(r);
    stop();
}
END_TEST

START_TEST(one_identity_is_connected_once)
{
    struct p2p_request *r;
    uint64_t conn;
    char url[P2P_URL_MAX];

    start(false);
    conn = kit_dial(&a, &b);
    kit_url(&b, false, url);
    r = kit_try_dial(&a, url, false);
    ck_assert_int_eq(r->err.code, ERR_CONFLICT);
    p2p_request_free(r);
    r = kit_ask(&a, kit_request(P2P_TIP, conn)); /* the older one stayed */
    ck_assert_int_eq(r->err.code, ERR_OK);
    p2p_request_free(r);
    stop();
}
END_TEST

/* How many of the two dialled connections carry a question. */
static unsigned count_alive(uint64_t from_a, uint64_t from_b)
{
    struct p2p_request *r = kit_ask(&a, kit_request(P2P_TIP, from_a));
    unsigned alive = r->err.code == ERR_OK;

    p2p_request_free(r);
    r = kit_ask(&b, kit_request(P2P_TIP, from_b));
    alive += r->err.code == ERR_OK;
    p2p_request_free(r);
    return alive;
}

/* Whatever each of them saw first: one connection is left, and it is the same one. */
START_TEST(two_that_dial_each_other_keep_one)
{
    struct p2p_request *to_b = p2p_request_new(P2P_DIAL);
    struct p2p_request *to_a = p2p_request_new(P2P_DIAL);
    int64_t until;

    kit_init(&a);
    kit_init(&b);
    kit_start(&a);
    kit_start(&b);
    kit_url(&a, false, to_a->url);
    kit_url(&b, false, to_b->url);
    to_a->timeout_ms = to_b->timeout_ms = KIT_WAIT_MS;
    p2p_submit(a.p, to_b);
    p2p_submit(b.p, to_a);
    to_b = chan_recv_for(a.done, KIT_WAIT_MS);
    to_a = chan_recv_for(b.done, KIT_WAIT_MS);
    ck_assert(to_a && to_b);
    /* Both may be there at first. */
    until = clock_mono_ms() + KIT_WAIT_MS;
    while (count_alive(to_b->conn, to_a->conn) != 1)
        ck_assert_int_lt(clock_mono_ms(), until);
    ck_assert_uint_eq(count_alive(to_b->conn, to_a->conn), 1);
    p2p_request_free(to_a);
    p2p_request_free(to_b);
    stop();
}
END_TEST

START_TEST(a_node_does_not_talk_to_itself)
{
    struct p2p_request *r;
    char url[P2P_URL_MAX];

    start(_i);
    kit_url(&b, _i, url);
    r = kit_try_dial(&b, url, false);
    ck_assert_int_eq(r->err.code, ERR_CONFLICT);
    ck_assert_ptr_nonnull(strstr(r->err.msg, "itself"));
    p2p_request_free(r);
    stop();
}
END_TEST

START_TEST(plain_and_tls_do_not_understand_each_other)
{
    struct p2p_request *r;
    char url[P2P_URL_MAX];

    start(true);
    kit_url(&b, false, url);
    r = kit_try_dial(&a, url, false);
    ck_assert_int_eq(r->err.code, ERR_NET);
    p2p_request_free(r);
    stop();
    start(false);
    kit_url(&b, true, url);
    r = kit_try_dial(&a, url, false);
    ck_assert_int_eq(r->err.reason, REASON_PEER_BAD_ANSWER);
    p2p_request_free(r);
    stop();
}
END_TEST

START_TEST(a_bad_url_is_refused)
{
    static const char *const bad[] = {
        "",
        "http://127.0.0.1:1",
        "ws://",
        "ws://a b:1",
        "ws://u:p@127.0.0.1:1",
        "ws://127.0.0.1:0",
        "ws://127.0.0.1:70000",
        "ws://2130706433:1",
        "ws:127.0.0.1:1",
        "ws://127.0.0.1:1/x?y",
        "ws://127.0.0.1:1/#x",
    };

    start(false);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct p2p_request *r = kit_try_dial(&a, bad[i], false);

        ck_assert_msg(r->err.code == ERR_INVALID, "%s", bad[i]);
        p2p_request_free(r);
    }
    stop();
}
END_TEST

/* What a peer named may not lead into the operator's networks, by name or number. */
START_TEST(a_hostile_url_leads_nowhere_near)
{
    static const char *const local[] = {
        "ws://127.0.0.1:%s",          "ws://localhost:%s",       "ws://10.0.0.1:%s",
        "ws://192.168.1.1:%s",        "ws://169.254.169.254:%s", "ws://[::1]:%s",
        "ws://[::ffff:127.0.0.1]:%s", "ws://0.0.0.0:%s",         "ws://[fe80::1]:%s",
        "ws://[64:ff9b::7f00:1]:%s",
    };
    struct p2p_request *r;
    struct cidr allow;
    char url[P2P_URL_MAX];

    start(false);
    for (size_t i = 0; i < sizeof(local) / sizeof(local[0]); i++) {
        const char *mark = strstr(local[i], "%s");

        (void)snprintf(url, sizeof(url), "%.*s%s", (int)(mark - local[i]), local[i],
                       strchr(p2p_address(b.p), ':') + 1);
        r = kit_try_dial(&a, url, true);
        ck_assert_msg(r->err.reason == REASON_SOURCE_FORBIDDEN, "%s: %s", url,
                      r->err.msg);
        p2p_request_free(r);
    }
    stop();

    kit_init(&a);
    kit_init(&b);
    ck_assert(cidr_parse("127.0.0.0/8", &allow));
    a.cfg.allow_networks = &allow;
    a.cfg.allow_count = 1;
    kit_start(&a);
    kit_start(&b);
    kit_url(&b, false, url);
    r = kit_try_dial(&a, url, true);
    ck_assert_msg(r->err.code == ERR_OK, "%s", r->err.msg);
    p2p_request_free(r);
    stop();
}
END_TEST

START_TEST(a_name_is_resolved)
{
    struct p2p_request *r;
    char url[P2P_URL_MAX];

    start(false);
    (void)snprintf(url, sizeof(url), "ws://LOCALHOST:%s",
                   strchr(p2p_address(b.p), ':') + 1);
    r = kit_try_dial(&a, url, false); /* ::1 may come first: nobody is there */
    ck_assert_msg(r->err.code == ERR_OK, "%s", r->err.msg);
    p2p_request_free(r);
    stop();
}
END_TEST

START_TEST(nobody_there_is_unreachable)
{
    struct p2p_request *r;
    char url[P2P_URL_MAX];

    start(false);
    kit_url(&b, false, url);
    kit_stop(&b);
    r = kit_try_dial(&a, url, false);
    ck_assert_int_eq(r->err.reason, REASON_PEER_UNREACHABLE);
    p2p_request_free(r);
    kit_stop(&a);
}
END_TEST

/* Each request comes back once, whatever state the stop met it in. */
START_TEST(a_stop_hands_everything_back)
{
    enum { EACH = 20 };
    unsigned back = 0;
    struct p2p_request *r;
    uint64_t conn;

    start(_i);
    conn = kit_dial(&a, &b);
    for (int i = 0; i < EACH; i++) {
        r = kit_request(P2P_BLOCK_AT, conn);
        r->height = 1;
        r->timeout_ms = KIT_WAIT_MS;
        p2p_submit(a.p, r);
        r = kit_request(P2P_DIAL, 0);
        (void)snprintf(r->url, sizeof(r->url), "ws://192.0.2.1:1");
        r->timeout_ms = KIT_WAIT_MS;
        p2p_submit(a.p, r);
    }
    p2p_stop(TAKE(a.p));
    while ((r = chan_recv_for(a.done, 0))) {
        back++;
        ck_assert(r->err.code == ERR_OK || r->err.reason == REASON_SHUTTING_DOWN ||
                  r->err.reason == REASON_PEER_UNREACHABLE);
        p2p_request_free(r);
    }
    ck_assert_uint_eq(back, 2 * EACH);
    (void)kit_expect(&b, P2P_CLOSED);
    stop();
}
END_TEST

START_TEST(keys_and_certificate_are_kept)
{
    uint8_t before[33], after[33];

    start(true);
    p2p_public_key(b.p, before);
    p2p_stop(TAKE(b.p));
    kit_start(&b);
    p2p_public_key(b.p, after);
    ck_assert_mem_eq(before, after, sizeof(before));
    (void)kit_dial(&a, &b);
    stop();
}
END_TEST

/* No event beyond those the engine has room for, and none lost when it catches up. */
START_TEST(an_engine_that_lags_is_waited_for)
{
    enum { NEWS = P2P_EVENTS_MAX + 100 };
    struct p2p_event *held[P2P_EVENTS_MAX];
    unsigned news = 0;

    start(false);
    (void)kit_dial(&a, &b);
    (void)kit_expect(&b, P2P_OPENED);
    for (int i = 0; i < NEWS; i++)
        p2p_announce(b.p, b.blocks[i % KIT_BLOCKS].hash);
    for (size_t i = 0; i < P2P_EVENTS_MAX; i++) {
        held[i] = kit_next_event(&a, KIT_WAIT_MS);
        ck_assert_ptr_nonnull(held[i]);
        news += held[i]->kind == P2P_NEWS;
    }
    ck_assert_ptr_null(kit_next_event(&a, 1500));
    for (size_t i = 0; i < P2P_EVENTS_MAX; i++)
        p2p_event_free(a.p, held[i]);
    for (; news < NEWS; news++)
        (void)kit_expect(&a, P2P_NEWS);
    stop();
}
END_TEST

Suite *suite(void);

Suite *suite(void)
{
    Suite *s = suite_create("p2p");
    TCase *t = tcase_create("nodes");

    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, both_hear_of_each_other, 0, 2);
    tcase_add_loop_test(t, every_ask_is_answered, 0, 2);
    tcase_add_loop_test(t, what_a_peer_has_not_is_not_found, 0, 2);
    tcase_add_test(t, a_tip_that_moved_is_followed);
    tcase_add_loop_test(t, more_asks_than_fit_at_once_all_come_back, 0, 2);
    tcase_add_loop_test(t, a_new_block_is_announced_to_all, 0, 2);
    tcase_add_test(t, a_height_told_again_is_news);
    tcase_add_loop_test(t, who_is_dropped_is_gone_for_both, 0, 2);
    tcase_add_test(t, who_is_banned_is_not_let_in);
    tcase_add_test(t, one_identity_is_connected_once);
    tcase_add_test(t, two_that_dial_each_other_keep_one);
    tcase_add_loop_test(t, a_node_does_not_talk_to_itself, 0, 2);
    tcase_add_test(t, plain_and_tls_do_not_understand_each_other);
    tcase_add_test(t, a_bad_url_is_refused);
    tcase_add_test(t, a_hostile_url_leads_nowhere_near);
    tcase_add_test(t, a_name_is_resolved);
    tcase_add_test(t, nobody_there_is_unreachable);
    tcase_add_loop_test(t, a_stop_hands_everything_back, 0, 2);
    tcase_add_test(t, keys_and_certificate_are_kept);
    tcase_add_test(t, an_engine_that_lags_is_waited_for);
    suite_add_tcase(s, t);
    return s;
}
