#include "tests/unit/node_kit.h"
#include "tests/unit/p2p_kit.h"
#include "tests/unit/ws_raw.h"

/* Who is let in, and who goes when all slots are taken.  127.x.0.0/16 are groups. */

enum { CLIENTS = 40 };

static struct kit b;
static struct p2p_key *keys[CLIENTS];
static int fds[CLIENTS];

static void setup(void)
{
    kit_init(&b);
    b.cfg.listen = "0.0.0.0:0";
    for (size_t i = 0; i < CLIENTS; i++) {
        keys[i] = p2p_kit_key(NULL);
        fds[i] = -1;
    }
}

static void teardown(void)
{
    for (size_t i = 0; i < CLIENTS; i++) {
        p2p_key_close(keys[i]);
        if (fds[i] >= 0)
            (void)close(fds[i]);
    }
    kit_stop(&b);
}

static const char *to(void)
{
    static char at[64];

    (void)snprintf(at, sizeof(at), "127.0.0.1%s", strchr(p2p_address(b.p), ':'));
    return at;
}

/* Comes from 127.group.0.host, and is in. */
static void come(size_t i, unsigned group, unsigned host)
{
    char from[32];

    (void)snprintf(from, sizeof(from), "127.%u.0.%u", group, host);
    fds[i] = raw_open(to(), from, keys[i]);
    ck_assert_str_eq(kit_expect(&b, P2P_OPENED).ip, from);
}

/* As come, when another goes for it: whose address is the answer. */
static const char *come_for(size_t i, unsigned group)
{
    static struct p2p_event ev;
    char from[32];

    (void)snprintf(from, sizeof(from), "127.%u.0.1", group);
    fds[i] = raw_open(to(), from, keys[i]);
    ev = kit_expect(&b, P2P_CLOSED);
    ck_assert_int_eq(ev.reason, REASON_BUSY);
    ck_assert_str_eq(kit_expect(&b, P2P_OPENED).ip, from);
    return ev.ip;
}

static bool is_refused(unsigned group, unsigned host)
{
    char from[32], byte;
    bool refused;
    int fd;

    (void)snprintf(from, sizeof(from), "127.%u.0.%u", group, host);
    fd = raw_connect(to(), from);
    refused =
        !raw_send(fd, RAW_REQUEST, strlen(RAW_REQUEST)) || !raw_read(fd, &byte, 1);
    (void)close(fd);
    return refused;
}

static bool is_served(size_t i)
{
    return raw_say(fds[i], keys[i], RAW_SAY_PING) &&
           raw_await(fds[i], RAW_TEXT, "\"pong\"");
}

START_TEST(one_address_has_so_many)
{
    b.cfg.max_inbound_per_ip = 3;
    kit_start(&b);
    for (size_t i = 0; i < 3; i++)
        come(i, 1, 1);
    ck_assert(is_refused(1, 1));
    come(3, 1, 2); /* its neighbour is not meant */
    (void)close(fds[0]);
    fds[0] = -1;
    (void)kit_expect(&b, P2P_CLOSED);
    come(4, 1, 1); /* who left makes room */
}
END_TEST

/* Connections that say nothing count as well, and go when their time is up. */
START_TEST(half_open_ones_count)
{
    b.cfg.max_inbound_per_ip = 3;
    b.cfg.times.handshake = 1000;
    kit_start(&b);
    for (size_t i = 0; i < 3; i++)
        fds[i] = raw_connect(to(), "127.1.0.1");
    ck_assert(is_refused(1, 1));
    for (size_t i = 0; i < 3; i++)
        ck_assert_int_eq(kit_expect(&b, P2P_FAULT).reason, REASON_PEER_NO_HANDSHAKE);
    come(3, 1, 1);
}
END_TEST

START_TEST(one_group_has_so_many)
{
    b.cfg.max_inbound_per_group = 4;
    kit_start(&b);
    for (size_t i = 0; i < 4; i++)
        come(i, 1, 1 + (unsigned)i);
    ck_assert(is_refused(1, 9));
    come(4, 2, 1);
}
END_TEST

/* Scenario 63: many of one network cannot keep out, or push out, a few of others. */
START_TEST(a_flood_of_one_network_makes_room_for_others)
{
    b.cfg.max_inbound = 10;
    b.cfg.max_inbound_per_group = 10;
    kit_start(&b);
    come(0, 1, 1);
    come(1, 2, 1);
    for (size_t i = 2; i < 10; i++)
        come(i, 66, (unsigned)i);
    ck_assert(is_refused(66, 99)); /* all slots are taken, and most by its own group */
    for (size_t i = 10; i < 17; i++)
        ck_assert_int_eq(strncmp(come_for(i, (unsigned)i), "127.66.", 7), 0);
    ck_assert(is_refused(77, 1)); /* nobody has two any more */
    ck_assert(is_served(0) && is_served(1) && is_served(2) && is_served(16));
}
END_TEST

START_TEST(of_a_group_the_worst_goes)
{
    struct p2p_event ev;

    b.cfg.max_inbound = 4;
    kit_start(&b);
    come(0, 66, 1);
    come(1, 66, 2);
    fds[2] = raw_connect(to(), "127.66.0.3"); /* has not said who it is */
    raw_upgrade(fds[2]);
    come(3, 66, 4);
    ck_assert(raw_say(fds[0], keys[0],
                      "{\"payload\":{\"url\":\"http://x\"},"
                      "\"type\":\"checkpoint_payload\"}"));
    (void)kit_expect(&b, P2P_FAULT);
    come(4, 1, 1);
    ck_assert_uint_eq(raw_close_code(fds[2]), 1001);
    ck_assert_str_eq(come_for(5, 2), "127.66.0.1"); /* the one with a fault */
    ck_assert(is_refused(3, 1) == false); /* the last of the two that are left goes */
    ev = kit_expect(&b, P2P_CLOSED);
    ck_assert_str_eq(ev.ip, "127.66.0.4");
    ck_assert(is_served(1));
}
END_TEST

Suite *suite(void);

Suite *suite(void)
{
    Suite *s = suite_create("p2p_admit");
    TCase *t = tcase_create("admit");

    tcase_set_timeout(t, 120);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, one_address_has_so_many);
    tcase_add_test(t, half_open_ones_count);
    tcase_add_test(t, one_group_has_so_many);
    tcase_add_test(t, a_flood_of_one_network_makes_room_for_others);
    tcase_add_test(t, of_a_group_the_worst_goes);
    suite_add_tcase(s, t);
    return s;
}
