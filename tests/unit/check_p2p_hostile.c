#include "tests/unit/node_kit.h"
#include "tests/unit/p2p_kit.h"
#include "tests/unit/ws_raw.h"

/* Clients that do not keep to the protocol: scenarios 59 to 62. */

static struct kit b;
static struct p2p_key *key;

static void start(void)
{
    kit_start(&b);
    key = p2p_kit_key(NULL);
}

static void setup(void)
{
    kit_init(&b);
}

static void teardown(void)
{
    p2p_key_close(key);
    kit_stop(&b);
}

static int come(void)
{
    return raw_open(p2p_address(b.p), "127.0.0.1", key);
}

static int come_upgraded(void)
{
    int fd = raw_connect(p2p_address(b.p), "127.0.0.1");

    raw_upgrade(fd);
    return fd;
}

static void expect_fault(enum reason reason, bool lie)
{
    struct p2p_event ev = kit_expect(&b, P2P_FAULT);

    ck_assert_msg(ev.reason == reason && ev.lie == lie, "%s: %s",
                  reason_code(ev.reason), ev.detail);
}

static void expect_closed(enum reason reason)
{
    struct p2p_event ev = kit_expect(&b, P2P_CLOSED);

    ck_assert_msg(ev.reason == reason, "%s: %s", reason_code(ev.reason), ev.detail);
}

/* It is still served. */
static void expect_alive(int fd)
{
    ck_assert(raw_say(fd, key, RAW_SAY_PING));
    ck_assert(raw_await(fd, RAW_TEXT, "\"pong\""));
}

/* --- 59: no handshake, late, something else --- */

START_TEST(who_says_nothing_is_dropped)
{
    char byte;
    int fd;

    b.cfg.times.handshake = 400;
    start();
    fd = raw_connect(p2p_address(b.p), "127.0.0.1"); /* no upgrade */
    expect_fault(REASON_PEER_NO_HANDSHAKE, false);
    ck_assert(!raw_read(fd, &byte, 1));
    (void)close(fd);
    fd = come_upgraded(); /* no handshake */
    expect_fault(REASON_PEER_NO_HANDSHAKE, false);
    ck_assert_uint_eq(raw_close_code(fd), 1008);
    (void)close(fd);
}
END_TEST

START_TEST(another_first_message_is_no_handshake)
{
    static const char *const first[] = {
        RAW_SAY_PING, "{\"type\":\"get_peers\"}", "{\"type\":\"whatever\"}",
        "{\"payload\":{\"limit\":1,\"offset\":0},\"type\":\"get_chain_range\"}"};

    start();
    for (size_t i = 0; i < sizeof(first) / sizeof(first[0]); i++) {
        int fd = come_upgraded();

        ck_assert(raw_say(fd, key, first[i]));
        expect_fault(REASON_PEER_NO_HANDSHAKE, false);
        ck_assert_uint_eq(raw_close_code(fd), 1008);
        (void)close(fd);
    }
}
END_TEST

START_TEST(a_handshake_without_its_members_is_refused)
{
    int fd;

    start();
    fd = come_upgraded();
    ck_assert(raw_say(fd, key, "{\"payload\":{\"height\":-1},\"type\":\"handshake\"}"));
    expect_fault(REASON_PEER_BAD_MESSAGE, false);
    ck_assert_uint_eq(raw_close_code(fd), 1008);
    (void)close(fd);
}
END_TEST

/* --- before the upgrade --- */

START_TEST(garbage_is_cut_off_at_its_first_byte)
{
    static const char *const garbage[] = {"\x16\x03\x01", "POST / HTTP/1.1\r\n", "\n"};
    char head[4096];

    start();
    for (size_t i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++) {
        int fd = raw_connect(p2p_address(b.p), "127.0.0.1");

        ck_assert(raw_send(fd, garbage[i], strlen(garbage[i])));
        expect_fault(REASON_PEER_BAD_ANSWER, false);
        ck_assert(!raw_read_head(fd, head));
        (void)close(fd);
    }
}
END_TEST

START_TEST(a_bad_upgrade_is_told_so)
{
    char head[4096];
    int fd;

    start();
    fd = raw_connect(p2p_address(b.p), "127.0.0.1");
    ck_assert(raw_send(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 27));
    expect_fault(REASON_PEER_BAD_ANSWER, false);
    ck_assert(raw_read_head(fd, head));
    ck_assert_int_eq(strncmp(head, "HTTP/1.1 400 ", 13), 0);
    (void)close(fd);
}
END_TEST

START_TEST(an_upgrade_byte_by_byte_runs_out_of_time)
{
    int64_t began;
    size_t sent = 0;
    int fd;

    b.cfg.times.handshake = 600; /* and 20 s for all of it */
    start();
    began = clock_mono_ms();
    fd = raw_connect(p2p_address(b.p), "127.0.0.1");
    while (raw_send(fd, sent < 5 ? &"GET /"[sent] : "x", 1) && ++sent < 400)
        (void)usleep(50000);
    expect_fault(REASON_PEER_NO_HANDSHAKE, false);
    ck_assert_int_ge(clock_mono_ms() - began, 600);
    ck_assert_uint_lt(sent, 400);
    (void)close(fd);
}
END_TEST

START_TEST(an_endless_upgrade_is_cut_off)
{
    char line[100];
    size_t sent = 0;
    int fd;

    start();
    fd = raw_connect(p2p_address(b.p), "127.0.0.1");
    ck_assert(raw_send(fd, "GET / HTTP/1.1\r\n", 16));
    memset(line, 'x', sizeof(line));
    memcpy(line, "X: ", 3);
    memcpy(line + 98, "\r\n", 2);
    while (raw_send(fd, line, sizeof(line)) && sent < 64 * 1024 * 1024)
        sent += sizeof(line);
    expect_fault(REASON_PEER_BAD_ANSWER, false);
    ck_assert_uint_lt(sent, 64 * 1024 * 1024);
    (void)close(fd);
}
END_TEST

/* --- 60: envelopes --- */

START_TEST(a_changed_byte_is_no_signature_of_it)
{
    CLEANUP_BUF struct buf sealed = BUF(0);
    int fd;

    start();
    fd = come();
    (void)kit_expect(&b, P2P_OPENED);
    sealed = raw_sealed(key, "{\"type\":\"pinh\"}");
    *strstr(sealed.data, "pinh") = 'P';
    ck_assert(raw_frame(fd, RAW_TEXT, true, sealed.data, sealed.len));
    expect_fault(REASON_PEER_BAD_ENVELOPE, false);
    expect_closed(REASON_PEER_BAD_ENVELOPE);
    (void)close(fd);
}
END_TEST

START_TEST(a_nonce_counts_once)
{
    CLEANUP_BUF struct buf sealed = BUF(0);
    int fd, again;

    start();
    fd = come();
    (void)kit_expect(&b, P2P_OPENED);
    sealed = raw_sealed(key, RAW_SAY_PING);
    ck_assert(raw_frame(fd, RAW_TEXT, true, sealed.data, sealed.len));
    ck_assert(raw_await(fd, RAW_TEXT, "\"pong\""));
    again = come_upgraded(); /* another's message, on another connection */
    ck_assert(raw_frame(again, RAW_TEXT, true, sealed.data, sealed.len));
    expect_fault(REASON_PEER_REPLAY, false);
    ck_assert_uint_eq(raw_close_code(again), 1008);
    ck_assert(raw_frame(fd, RAW_TEXT, true, sealed.data, sealed.len));
    expect_fault(REASON_PEER_REPLAY, false);
    expect_closed(REASON_PEER_REPLAY);
    (void)close(again);
    (void)close(fd);
}
END_TEST

START_TEST(stale_and_future_messages_are_refused)
{
    static const int64_t off_ms[] = {-301 * 1000, 7202 * 1000};

    start();
    for (size_t i = 0; i < 2; i++) {
        CLEANUP_BUF struct buf sealed = BUF(ENVELOPE_MAX);
        int fd = come_upgraded();

        envelope_seal(key, RAW_HANDSHAKE, strlen(RAW_HANDSHAKE),
                      clock_now_ms() + off_ms[i], &sealed);
        ck_assert(raw_frame(fd, RAW_TEXT, true, sealed.data, sealed.len));
        expect_fault(REASON_PEER_BAD_ENVELOPE, false);
        ck_assert_uint_eq(raw_close_code(fd), 1008);
        (void)close(fd);
    }
}
END_TEST

START_TEST(a_second_key_on_a_connection_is_a_lie)
{
    CLEANUP(p2p_key_close) struct p2p_key *other = p2p_kit_key(NULL);
    int fd;

    start();
    fd = come();
    (void)kit_expect(&b, P2P_OPENED);
    ck_assert(raw_say(fd, other, RAW_SAY_PING));
    expect_fault(REASON_PEER_BAD_ENVELOPE, true);
    expect_closed(REASON_PEER_BAD_ENVELOPE);
    (void)close(fd);
}
END_TEST

/* --- 61: frames --- */

START_TEST(a_message_in_pieces_is_one)
{
    CLEANUP_BUF struct buf sealed = BUF(0);
    int fd;

    start();
    fd = come();
    sealed = raw_sealed(key, RAW_SAY_PING);
    ck_assert(raw_frame(fd, RAW_TEXT, false, sealed.data, 1));
    ck_assert(raw_frame(fd, RAW_PING, true, "in between", 10));
    for (size_t i = 1; i < sealed.len; i++)
        ck_assert(raw_frame(fd, RAW_CONT, i + 1 == sealed.len, sealed.data + i, 1));
    ck_assert(raw_await(fd, RAW_PONG, "in between"));
    ck_assert(raw_await(fd, RAW_TEXT, "\"pong\""));
    (void)close(fd);
}
END_TEST

START_TEST(messages_on_lines_of_one_frame_are_each_read)
{
    CLEANUP_BUF struct buf all = BUF(ENVELOPE_MAX);
    static const char *const say[] = {RAW_HANDSHAKE, RAW_SAY_PING,
                                      "{\"type\":\"get_peers\"}"};
    int fd;

    start();
    fd = come_upgraded();
    for (size_t i = 0; i < 3; i++) {
        CLEANUP_BUF struct buf one = raw_sealed(key, say[i]);

        buf_puts(&all, i == 1 ? "\n\n" : "\n");
        buf_put(&all, one.data, one.len);
    }
    buf_puts(&all, "\n");
    ck_assert(raw_frame(fd, RAW_BINARY, true, all.data, all.len));
    ck_assert(raw_await(fd, RAW_TEXT, "\"pong\""));
    ck_assert(raw_await(fd, RAW_TEXT, "192.0.2.1"));
    (void)close(fd);
}
END_TEST

START_TEST(a_frame_over_the_limit_is_cut_off_at_once)
{
    static const uint64_t sizes[] = {ENVELOPE_MAX + 1, 16U << 20, (uint64_t)1 << 62};
    uint8_t head[14];

    start();
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        int fd = come();

        (void)kit_expect(&b, P2P_OPENED);
        ck_assert(
            raw_send(fd, head, raw_frame_head(head, RAW_TEXT, true, true, sizes[i])));
        ck_assert(raw_send(fd, "x", 1));
        expect_fault(REASON_PEER_BAD_MESSAGE, false);
        expect_closed(REASON_PEER_BAD_MESSAGE);
        ck_assert_uint_eq(raw_close_code(fd), 1009);
        (void)close(fd);
    }
}
END_TEST

START_TEST(pieces_over_the_limit_are_cut_off)
{
    AUTOFREE char *piece = xcalloc(1, 64 * 1024);
    int fd, sent = 0;

    start();
    memset(piece, ' ', 64 * 1024);
    fd = come();
    (void)kit_expect(&b, P2P_OPENED);
    while (sent < 1000 &&
           raw_frame(fd, sent == 0 ? RAW_TEXT : RAW_CONT, false, piece, 64 * 1024))
        sent++;
    expect_fault(REASON_PEER_BAD_MESSAGE, false);
    expect_closed(REASON_PEER_BAD_MESSAGE);
    ck_assert_int_lt(sent, 1000);
    (void)close(fd);
}
END_TEST

START_TEST(a_message_that_does_not_end_runs_out_of_time)
{
    int fd;

    b.cfg.times.partial = 400;
    start();
    fd = come();
    (void)kit_expect(&b, P2P_OPENED);
    ck_assert(raw_frame(fd, RAW_TEXT, false, "{", 1));
    expect_fault(REASON_PEER_TIMEOUT, false);
    expect_closed(REASON_PEER_TIMEOUT);
    (void)close(fd);
}
END_TEST

START_TEST(broken_frames_end_the_connection)
{
    static const struct {
        uint8_t bytes[16];
        size_t len;
        unsigned code;
    } frames[] = {
        {{0x81, 0x02, 'h', 'i'}, 4, 1002},             /* not masked */
        {{0xc1, 0x82, 0, 0, 0, 0, 'h', 'i'}, 8, 1002}, /* RSV1 */
        {{0x83, 0x82, 0, 0, 0, 0, 'h', 'i'}, 8, 1002}, /* opcode 3 */
        {{0x80, 0x82, 0, 0, 0, 0, 'h', 'i'}, 8, 1002}, /* of nothing */
        {{0x09, 0x80, 0, 0, 0, 0}, 6, 0},              /* ping in parts */
        {{0x81, 0x84, 0, 0, 0, 0, 0xff, 0xfe, 0xc0, 0x80}, 10, 1007}, /* not UTF-8 */
    };

    start();
    for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
        int fd = come();
        unsigned code;

        (void)kit_expect(&b, P2P_OPENED);
        ck_assert(raw_send(fd, frames[i].bytes, frames[i].len));
        expect_fault(REASON_PEER_BAD_MESSAGE, false);
        expect_closed(REASON_PEER_BAD_MESSAGE);
        code = raw_close_code(fd);
        ck_assert_msg(code == frames[i].code, "%zu: %u", i, code);
        (void)close(fd);
    }
}
END_TEST

START_TEST(binary_that_is_not_utf8_is_no_envelope)
{
    int fd;

    start();
    fd = come();
    (void)kit_expect(&b, P2P_OPENED);
    ck_assert(raw_frame(fd, RAW_BINARY, true, "{\"\xff\xfe\":1}", 8));
    expect_fault(REASON_PEER_BAD_ENVELOPE, false);
    expect_closed(REASON_PEER_BAD_ENVELOPE);
    (void)close(fd);
}
END_TEST

START_TEST(a_polite_end_is_answered)
{
    int fd;

    start();
    fd = come();
    (void)kit_expect(&b, P2P_OPENED);
    ck_assert(raw_frame(fd, RAW_CLOSE, true, "\x03\xe8", 2));
    ck_assert_uint_eq(raw_close_code(fd), 1000);
    expect_closed(REASON_PEER_UNREACHABLE);
    (void)close(fd);
}
END_TEST

START_TEST(who_does_not_answer_pings_is_dropped)
{
    int fd;

    b.cfg.times.ping = b.cfg.times.pong = 300;
    start();
    fd = come();
    (void)kit_expect(&b, P2P_OPENED);
    ck_assert(raw_await(fd, RAW_PING, NULL));
    ck_assert(raw_frame(fd, RAW_PONG, true, "", 0));
    ck_assert(raw_await(fd, RAW_PING, NULL)); /* answered: asked again */
    expect_closed(REASON_PEER_TIMEOUT);
    (void)close(fd);
}
END_TEST

START_TEST(who_says_nothing_for_long_is_dropped)
{
    int fd;

    b.cfg.times.idle = 500;
    start();
    fd = come();
    (void)kit_expect(&b, P2P_OPENED);
    expect_closed(REASON_PEER_TIMEOUT);
    (void)close(fd);
}
END_TEST

/* --- floods --- */

START_TEST(a_flood_of_pings_ends_it)
{
    int fd, sent = 0;

    start();
    fd = come();
    (void)kit_expect(&b, P2P_OPENED);
    while (sent < 100000 && raw_frame(fd, RAW_PING, true, "x", 1))
        sent++;
    expect_fault(REASON_PEER_FLOOD, false);
    expect_closed(REASON_PEER_FLOOD);
    (void)close(fd);
}
END_TEST

START_TEST(a_flood_of_messages_ends_it)
{
    enum { FLOOD = 400 };
    CLEANUP_BUF struct buf all = BUF(ENVELOPE_MAX);
    int fd;

    start();
    fd = come();
    (void)kit_expect(&b, P2P_OPENED);
    for (int i = 0; i < FLOOD; i++) {
        CLEANUP_BUF struct buf one = raw_sealed(key, "{\"type\":\"pong\"}");

        buf_put(&all, one.data, one.len);
        buf_puts(&all, "\n");
    }
    ck_assert(!all.full);
    ck_assert(raw_frame(fd, RAW_TEXT, true, all.data, all.len));
    expect_fault(REASON_PEER_FLOOD, false);
    expect_closed(REASON_PEER_FLOOD);
    ck_assert_uint_eq(raw_close_code(fd), 1008);
    (void)close(fd);
}
END_TEST

START_TEST(a_flood_of_bytes_ends_it)
{
    AUTOFREE char *text = xcalloc(1, 512 * 1024);
    int fd, sent = 0;

    start();
    memset(text, '\n', 512 * 1024); /* lines of nothing: no message is in it */
    fd = come();
    (void)kit_expect(&b, P2P_OPENED);
    while (sent < 100 && raw_frame(fd, RAW_TEXT, true, text, 512 * 1024))
        sent++;
    expect_fault(REASON_PEER_FLOOD, false);
    expect_closed(REASON_PEER_FLOOD);
    ck_assert_int_lt(sent, 100);
    (void)close(fd);
}
END_TEST

/* --- 62: unasked for, and asked too often --- */

START_TEST(what_was_not_asked_for_is_a_fault)
{
    AUTOFREE char *block =
        xasprintf("{\"payload\":%s,\"type\":\"block\"}", b.blocks[4].text);
    AUTOFREE char *range = xasprintf(
        "{\"payload\":{\"chain\":[%s],\"pagination\":{\"offset\":4,\"total_blocks\":9}},"
        "\"type\":\"chain_range\"}",
        b.blocks[4].text);
    const char *const unasked[] = {
        block, range,
        "{\"payload\":{\"url\":\"http://x/y\"},\"type\":\"checkpoint_payload\"}"};
    int fd;

    start();
    fd = come();
    (void)kit_expect(&b, P2P_OPENED);
    for (int i = 0; i < 16; i++) {
        ck_assert(raw_say(fd, key, unasked[i % 3]));
        expect_fault(REASON_PEER_BAD_MESSAGE, false);
    }
    expect_alive(fd);
    ck_assert(raw_say(fd, key, unasked[0])); /* one too many */
    expect_fault(REASON_PEER_BAD_MESSAGE, false);
    expect_closed(REASON_PEER_BAD_MESSAGE);
    (void)close(fd);
}
END_TEST

/* Stock sends a block right after its inv. */
START_TEST(an_announced_block_is_no_fault)
{
    AUTOFREE char *block =
        xasprintf("{\"payload\":%s,\"type\":\"block\"}", b.blocks[4].text);
    AUTOFREE char *inv = NULL;
    char hex[65];
    int fd;

    for (int i = 0; i < 32; i++)
        (void)snprintf(hex + 2 * i, 3, "%02x", b.blocks[4].hash[i]);
    inv = xasprintf("{\"payload\":{\"blocks\":[\"%s\"],\"transactions\":[]},"
                    "\"type\":\"inv\"}",
                    hex);
    start();
    fd = come();
    (void)kit_expect(&b, P2P_OPENED);
    ck_assert(raw_say(fd, key, inv));
    ck_assert(raw_say(fd, key, block));
    expect_alive(fd);
    ck_assert(kit_expect(&b, P2P_NEWS).has_hash);
    ck_assert_ptr_null(kit_next_event(&b, 0));
    (void)close(fd);
}
END_TEST

START_TEST(checkpoints_are_served_within_the_rate)
{
    static const char get[] = "{\"type\":\"get_checkpoint\"}";
    static const char want[] = "{\"payload\":{\"want_payload\":true},"
                               "\"type\":\"checkpoint_request\"}";
    int64_t again;
    int fd;

    b.cfg.request_rate_seconds = 4;
    start();
    fd = come();
    ck_assert(raw_say(fd, key, get));
    ck_assert(raw_await(fd, RAW_TEXT, "\"source\":"));
    again = clock_mono_ms() + 4000; /* it answered before that */
    ck_assert(raw_say(fd, key, want));
    ck_assert(raw_await(fd, RAW_TEXT, "example.org/payload.json"));
    ck_assert(raw_say(fd, key, get));
    expect_fault(REASON_PEER_FLOOD, false);
    ck_assert(raw_say(fd, key, want));
    expect_fault(REASON_PEER_FLOOD, false);
    expect_alive(fd);
    while (clock_mono_ms() < again)
        (void)usleep(10000);
    ck_assert(raw_say(fd, key, get));
    ck_assert(raw_await(fd, RAW_TEXT, "\"source\":"));
    (void)close(fd);
}
END_TEST

START_TEST(a_whole_chain_is_not_served)
{
    int fd;

    start();
    fd = come();
    (void)kit_expect(&b, P2P_OPENED);
    ck_assert(raw_say(fd, key, "{\"type\":\"get_chain\"}"));
    expect_alive(fd); /* the first thing that comes back is the pong */
    ck_assert_ptr_null(kit_next_event(&b, 0));
    (void)close(fd);
}
END_TEST

START_TEST(a_chunk_is_served)
{
    int fd;

    start();
    fd = come();
    ck_assert(raw_say(fd, key,
                      "{\"payload\":{\"chunk_index\":0,\"snapshot_id\":"
                      "\"height_5_00000f06\"},\"type\":\"chunk_request\"}"));
    ck_assert(raw_await(fd, RAW_TEXT, "\"chunk_response\""));
    (void)close(fd);
}
END_TEST

/* Asks for all blocks, and reads none: what it is to get stays bounded. */
START_TEST(who_does_not_read_is_given_no_more)
{
    static const char range[] =
        "{\"payload\":{\"include_pending\":false,\"limit\":100,\"offset\":0},"
        "\"type\":\"get_chain_range\"}";
    int fd;

    start();
    fd = come();
    (void)kit_expect(&b, P2P_OPENED);
    for (int i = 0; i < 250 && raw_say(fd, key, range); i++)
        (void)usleep(10000); /* within the budget of messages */
    expect_fault(REASON_PEER_FLOOD, false);
    (void)close(fd);
}
END_TEST

Suite *suite(void);

Suite *suite(void)
{
    Suite *s = suite_create("p2p_hostile");
    TCase *t = tcase_create("clients");

    tcase_set_timeout(t, 120);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, who_says_nothing_is_dropped);
    tcase_add_test(t, another_first_message_is_no_handshake);
    tcase_add_test(t, a_handshake_without_its_members_is_refused);
    tcase_add_test(t, garbage_is_cut_off_at_its_first_byte);
    tcase_add_test(t, a_bad_upgrade_is_told_so);
    tcase_add_test(t, an_upgrade_byte_by_byte_runs_out_of_time);
    tcase_add_test(t, an_endless_upgrade_is_cut_off);
    tcase_add_test(t, a_changed_byte_is_no_signature_of_it);
    tcase_add_test(t, a_nonce_counts_once);
    tcase_add_test(t, stale_and_future_messages_are_refused);
    tcase_add_test(t, a_second_key_on_a_connection_is_a_lie);
    tcase_add_test(t, a_message_in_pieces_is_one);
    tcase_add_test(t, messages_on_lines_of_one_frame_are_each_read);
    tcase_add_test(t, a_frame_over_the_limit_is_cut_off_at_once);
    tcase_add_test(t, pieces_over_the_limit_are_cut_off);
    tcase_add_test(t, a_message_that_does_not_end_runs_out_of_time);
    tcase_add_test(t, broken_frames_end_the_connection);
    tcase_add_test(t, binary_that_is_not_utf8_is_no_envelope);
    tcase_add_test(t, a_polite_end_is_answered);
    tcase_add_test(t, who_does_not_answer_pings_is_dropped);
    tcase_add_test(t, who_says_nothing_for_long_is_dropped);
    tcase_add_test(t, a_flood_of_pings_ends_it);
    tcase_add_test(t, a_flood_of_messages_ends_it);
    tcase_add_test(t, a_flood_of_bytes_ends_it);
    tcase_add_test(t, what_was_not_asked_for_is_a_fault);
    tcase_add_test(t, an_announced_block_is_no_fault);
    tcase_add_test(t, checkpoints_are_served_within_the_rate);
    tcase_add_test(t, a_whole_chain_is_not_served);
    tcase_add_test(t, a_chunk_is_served);
    tcase_add_test(t, who_does_not_read_is_given_no_more);
    suite_add_tcase(s, t);
    return s;
}
