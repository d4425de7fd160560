#include "sync/p2p/upgrade.h"
#include "tests/unit/node_kit.h"
#include "tests/unit/p2p_kit.h"
#include "tests/unit/ws_raw.h"

/* Asks of a node to a peer that answers late, wrongly or not at all. */

static struct kit a;
static struct p2p_key *key;
static int listener, peer;
static uint64_t conn;

static void setup(void)
{
    kit_init(&a);
    a.cfg.listen = NULL;
    key = p2p_kit_key(NULL);
    listener = raw_socket();
    ck_assert_int_eq(listen(listener, 8), 0); /* on a port of its own */
    peer = -1;
}

static void teardown(void)
{
    kit_stop(&a);
    p2p_key_close(key);
    (void)close(listener);
    if (peer >= 0)
        (void)close(peer);
}

static struct p2p_request *begin_dial(void)
{
    struct p2p_request *r = p2p_request_new(P2P_DIAL);
    struct sockaddr_in at;
    socklen_t len = sizeof(at);

    ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&at, &len), 0);
    (void)snprintf(r->url, sizeof(r->url), "ws://127.0.0.1:%u",
                   (unsigned)ntohs(at.sin_port));
    r->timeout_ms = KIT_WAIT_MS;
    p2p_submit(a.p, r);
    return r;
}

static struct p2p_request *came_back(void)
{
    struct p2p_request *r = chan_recv_for(a.done, 2 * KIT_WAIT_MS);

    ck_assert_ptr_nonnull(r);
    return r;
}

/* The node's request for an upgrade; key: its Sec-WebSocket-Key. */
static void take_in(char ws_key[UPGRADE_KEY])
{
    char head[4096];
    const char *at;

    peer = accept(listener, NULL, NULL);
    ck_assert_int_ge(peer, 0);
    ck_assert(raw_read_head(peer, head));
    at = strstr(head, "Sec-WebSocket-Key: ");
    ck_assert_ptr_nonnull(at);
    (void)snprintf(ws_key, UPGRADE_KEY, "%s", at + 19);
}

/* The next message of the node has mark in it; its masks are taken off. */
static bool heard(const char *mark)
{
    for (;;) {
        uint8_t head[2], mask[4], more[2];
        AUTOFREE char *text = NULL;
        size_t len;

        if (!raw_read(peer, head, 2))
            return false;
        len = head[1] & 0x7f;
        if (len == 126) {
            ck_assert(raw_read(peer, more, 2));
            len = (size_t)(more[0] << 8 | more[1]);
        }
        ck_assert((head[1] & 0x80) && len < 127 * 512); /* a client masks */
        ck_assert(raw_read(peer, mask, 4));
        text = xcalloc(1, len + 1);
        ck_assert(raw_read(peer, text, len));
        for (size_t i = 0; i < len; i++)
            text[i] = (char)(text[i] ^ mask[i % 4]);
        if ((head[0] & 0x0f) == RAW_TEXT)
            return strstr(text, mark) != NULL;
    }
}

/* A server's frame: not masked. */
static void say(const char *payload)
{
    CLEANUP_BUF struct buf sealed = raw_sealed(key, payload);
    uint8_t head[14];
    size_t n = raw_frame_head(head, RAW_TEXT, true, false, sealed.len);

    ck_assert(raw_send(peer, head, n) && raw_send(peer, sealed.data, sealed.len));
}

static void open_up(void)
{
    CLEANUP_BUF struct buf answer = BUF(4096);
    char ws_key[UPGRADE_KEY], accept[UPGRADE_ACCEPT];
    struct p2p_request *r;

    kit_start(&a);
    r = begin_dial();
    take_in(ws_key);
    upgrade_accept(ws_key, accept);
    upgrade_put_answer(accept, &answer);
    ck_assert(raw_send(peer, answer.data, answer.len));
    ck_assert(heard("\"handshake\""));
    say(RAW_HANDSHAKE);
    ck_assert_ptr_eq(came_back(), r);
    ck_assert_msg(r->err.code == ERR_OK, "%s", r->err.msg);
    conn = r->conn;
    p2p_request_free(r);
    (void)kit_expect(&a, P2P_OPENED);
}

static struct p2p_request *ask(enum p2p_ask what, uint32_t timeout_ms)
{
    struct p2p_request *r = kit_request(what, conn);

    r->timeout_ms = timeout_ms;
    p2p_submit(a.p, r);
    return r;
}

static char *range_of(uint64_t offset)
{
    return xasprintf("{\"payload\":{\"chain\":[%s],\"pagination\":{\"offset\":%u,"
                     "\"total_blocks\":12}},\"type\":\"chain_range\"}",
                     a.blocks[offset].text, (unsigned)offset);
}

START_TEST(an_answer_to_another_key_is_no_upgrade)
{
    static const char *const answers[] = {
        ("HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"),
        "HTTP/1.1 302 Found\r\nLocation: ws://127.0.0.1/\r\n\r\n", "garbage"};
    char ws_key[UPGRADE_KEY];

    kit_start(&a);
    for (size_t i = 0; i < 3; i++) {
        struct p2p_request *r = begin_dial();

        take_in(ws_key);
        ck_assert(raw_send(peer, answers[i], strlen(answers[i])));
        ck_assert_ptr_eq(came_back(), r);
        ck_assert_int_eq(r->err.reason, REASON_PEER_BAD_ANSWER);
        p2p_request_free(r);
        (void)close(peer);
        peer = -1;
    }
}
END_TEST

START_TEST(a_peer_without_a_handshake_is_given_up)
{
    CLEANUP_BUF struct buf answer = BUF(4096);
    char ws_key[UPGRADE_KEY], accept[UPGRADE_ACCEPT];
    struct p2p_request *r;

    a.cfg.times.handshake = 400;
    kit_start(&a);
    r = begin_dial();
    take_in(ws_key);
    upgrade_accept(ws_key, accept);
    upgrade_put_answer(accept, &answer);
    ck_assert(raw_send(peer, answer.data, answer.len));
    ck_assert_ptr_eq(came_back(), r);
    ck_assert_int_eq(r->err.reason, REASON_PEER_NO_HANDSHAKE);
    p2p_request_free(r);
}
END_TEST

START_TEST(silence_is_a_timeout_and_late_is_no_fault)
{
    AUTOFREE char *range = range_of(0);
    struct p2p_request *r;

    open_up();
    r = ask(P2P_TIP, 300);
    ck_assert(heard("\"get_chain_range\""));
    ck_assert_ptr_eq(came_back(), r);
    ck_assert_int_eq(r->err.reason, REASON_PEER_TIMEOUT);
    ck_assert_uint_ge(r->elapsed_ms, 300);
    p2p_request_free(r);
    say(range); /* late */
    say(range); /* and then once more */
    ck_assert_int_eq(kit_expect(&a, P2P_FAULT).reason, REASON_PEER_BAD_MESSAGE);
    ck_assert_ptr_null(kit_next_event(&a, 300)); /* one fault, not two */
}
END_TEST

START_TEST(answers_in_any_order_find_their_asks)
{
    AUTOFREE char *three = range_of(3), *seven = range_of(7);
    struct p2p_request *first = kit_request(P2P_BLOCK_AT, 0), *second, *r;

    open_up();
    first->conn = conn;
    first->height = 3;
    first->timeout_ms = KIT_WAIT_MS;
    p2p_submit(a.p, first);
    second = kit_request(P2P_BLOCK_AT, conn);
    second->height = 7;
    second->timeout_ms = KIT_WAIT_MS;
    p2p_submit(a.p, second);
    ck_assert(heard("\"offset\":3") && heard("\"offset\":7"));
    say(seven);
    r = came_back();
    ck_assert_ptr_eq(r, second);
    ck_assert_str_eq(r->body, a.blocks[7].text);
    p2p_request_free(r);
    say(three);
    r = came_back();
    ck_assert_ptr_eq(r, first);
    ck_assert_str_eq(r->body, a.blocks[3].text);
    p2p_request_free(r);
}
END_TEST

/* The pong of an ask that was answered says nothing about the next one. */
START_TEST(each_getdata_has_its_own_pong)
{
    AUTOFREE char *block =
        xasprintf("{\"payload\":%s,\"type\":\"block\"}", a.blocks[4].text);
    struct p2p_request *first = kit_request(P2P_BLOCK, 0), *second, *r;

    open_up();
    first->conn = conn;
    memcpy(first->hash, a.blocks[4].hash, 32);
    first->timeout_ms = KIT_WAIT_MS;
    p2p_submit(a.p, first);
    second = kit_request(P2P_BLOCK, conn);
    memset(second->hash, 5, 32);
    second->timeout_ms = KIT_WAIT_MS;
    p2p_submit(a.p, second);
    ck_assert(heard("\"getdata\"") && heard("\"ping\""));
    ck_assert(heard("\"getdata\"") && heard("\"ping\""));
    say(block);
    r = came_back();
    ck_assert_ptr_eq(r, first);
    ck_assert_str_eq(r->body, a.blocks[4].text);
    p2p_request_free(r);
    say("{\"type\":\"pong\"}");
    ck_assert_ptr_null(chan_recv_for(a.done, 300));
    say("{\"type\":\"pong\"}");
    r = came_back();
    ck_assert_ptr_eq(r, second);
    ck_assert_int_eq(r->err.reason, REASON_NOT_FOUND);
    p2p_request_free(r);
    say("{\"type\":\"pong\"}"); /* of nothing */
}
END_TEST

START_TEST(a_relayed_checkpoint_is_told_from_its_own)
{
    struct p2p_request *r;

    open_up();
    r = ask(P2P_CHECKPOINT, KIT_WAIT_MS);
    ck_assert(heard("\"get_checkpoint\""));
    say("{\"payload\":{\"block_hash\":"
        "\"00000f06df2a6e724b10e28a4b8228451e4898cc5ea7a5590faa0c075facc44b\","
        "\"height\":77,\"source\":\"peer\",\"timestamp\":1,"
        "\"url\":\"http://10.0.0.1/x\"},\"type\":\"checkpoint\"}");
    ck_assert_ptr_eq(came_back(), r);
    ck_assert(r->has_claim && !r->claim.own);
    ck_assert_uint_eq(r->claim.height, 77);
    ck_assert_str_eq(r->claim.url, "http://10.0.0.1/x");
    p2p_request_free(r);
}
END_TEST

/* Nobody waits for a better one. */
START_TEST(an_answer_that_cannot_be_read_ends_its_ask)
{
    static const struct {
        enum p2p_ask ask;
        const char *mark, *answer;
    } bad[] = {
        {P2P_CHECKPOINT, "\"get_checkpoint\"",
         "{\"payload\":{\"height\":-1,\"source\":\"local\"},\"type\":\"checkpoint\"}"},
        {P2P_PEERS, "\"get_peers\"", "{\"payload\":[7],\"type\":\"peers\"}"},
        {P2P_PAYLOAD, "\"checkpoint_request\"",
         "{\"payload\":[],\"type\":\"checkpoint_payload\"}"},
        {P2P_TIP, "\"get_chain_range\"", "{\"payload\":{},\"type\":\"chain_range\"}"},
        {P2P_BLOCK_AT, "\"get_chain_range\"",
         "{\"payload\":{},\"type\":\"chain_range\"}"},
    };

    open_up();
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct p2p_request *r = ask(bad[i].ask, KIT_WAIT_MS);

        ck_assert(heard(bad[i].mark));
        say(bad[i].answer);
        ck_assert_ptr_eq(came_back(), r);
        ck_assert_int_eq(r->err.reason, REASON_PEER_BAD_MESSAGE);
        p2p_request_free(r);
        ck_assert_int_eq(kit_expect(&a, P2P_FAULT).reason, REASON_PEER_BAD_MESSAGE);
    }
}
END_TEST

START_TEST(who_leaves_answers_nothing_more)
{
    struct p2p_request *r;

    open_up();
    r = ask(P2P_PEERS, KIT_WAIT_MS);
    ck_assert(heard("\"get_peers\""));
    (void)close(peer);
    peer = -1;
    ck_assert_ptr_eq(came_back(), r);
    ck_assert_int_eq(r->err.reason, REASON_PEER_UNREACHABLE);
    p2p_request_free(r);
    ck_assert_int_eq(kit_expect(&a, P2P_CLOSED).reason, REASON_PEER_UNREACHABLE);
}
END_TEST

/* Eight on their way, the rest when those are answered. */
START_TEST(so_many_are_on_their_way_and_no_more)
{
    enum { ASKS = 11, AT_ONCE = 8 };
    struct p2p_request *r;

    open_up();
    for (int i = 0; i < ASKS; i++)
        (void)ask(P2P_PEERS, KIT_WAIT_MS);
    for (int i = 0; i < AT_ONCE; i++)
        ck_assert(heard("\"get_peers\""));
    p2p_announce(a.p, a.blocks[0].hash);
    ck_assert(heard("\"inv\"")); /* and not a ninth */
    for (int i = 0; i < ASKS; i++) {
        say("{\"payload\":[\"http://x:1\"],\"type\":\"peers\"}");
        r = came_back();
        ck_assert_str_eq(r->body, "[\"http://x:1\"]");
        p2p_request_free(r);
        if (i < ASKS - AT_ONCE)
            ck_assert(heard("\"get_peers\""));
    }
}
END_TEST

Suite *suite(void);

Suite *suite(void)
{
    Suite *s = suite_create("p2p_asks");
    TCase *t = tcase_create("asks");

    tcase_set_timeout(t, 120);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, an_answer_to_another_key_is_no_upgrade);
    tcase_add_test(t, a_peer_without_a_handshake_is_given_up);
    tcase_add_test(t, silence_is_a_timeout_and_late_is_no_fault);
    tcase_add_test(t, answers_in_any_order_find_their_asks);
    tcase_add_test(t, each_getdata_has_its_own_pong);
    tcase_add_test(t, a_relayed_checkpoint_is_told_from_its_own);
    tcase_add_test(t, an_answer_that_cannot_be_read_ends_its_ask);
    tcase_add_test(t, who_leaves_answers_nothing_more);
    tcase_add_test(t, so_many_are_on_their_way_and_no_more);
    suite_add_tcase(s, t);
    return s;
}
