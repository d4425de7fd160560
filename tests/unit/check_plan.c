#include <stdlib.h>
#include <string.h>

#include "sync/snapshot/plan.h"
#include "tests/unit/test.h"

/*
 * Simulated sources in steps of 10 ms: each brings its bytes a second, shared by its
 * requests.  Every byte is accounted for; a frame that was verified must never be asked
 * for again.
 */
enum { FRAMES = 400, FRAME = 300000, STEP = 10, SOURCES = 8 };

struct sim_source {
    double rate;      /* bytes a second */
    double after;     /* another rate from a time on */
    int64_t after_ms; /* 0: never */
    bool corrupt;     /* the last frame of each piece does not hold */
    bool dead;        /* each request fails at once */
    enum plan_fault fault;
    uint32_t wait_ms;
    unsigned asked;
    uint64_t bytes; /* handed out */
};

struct sim {
    struct plan *plan;
    struct sim_source s[SOURCES];
    size_t n;
    double part[PLAN_ASKS_MAX]; /* bytes of an ask that came */
    int64_t now;
    unsigned hedges, slow[SOURCES], slows;
    uint64_t good; /* bytes that were verified */
    uint64_t most_in_hand;
};

static uint32_t frame_length(const void *arg, uint32_t i)
{
    (void)arg;
    return FRAME + i % 7;
}

static const struct plan_limits defaults = {
    .per_source = 4, .total = 32, .piece = 2 << 20, .in_hand = 32 << 20};

static void sim_begin(struct sim *m, const struct plan_limits *limits, size_t n)
{
    memset(m, 0, sizeof(*m));
    m->plan = plan_create(limits);
    plan_set_frames(m->plan, FRAMES, frame_length, NULL);
    m->n = n;
    m->now = 1000;
    for (size_t i = 0; i < n; i++) {
        m->s[i].rate = 10e6;
        ck_assert(plan_add_source(m->plan));
    }
}

static void comes_to_nothing(struct sim *m, size_t ask, enum plan_fault fault,
                             uint32_t wait_ms, int64_t now)
{
    const struct plan_failure f = {.fault = fault,
                                   .wait_ms = wait_ms,
                                   .reason = REASON_SOURCE_UNREACHABLE,
                                   .why = "dead"};

    plan_failed(m->plan, ask, &f, now);
}

static void ask_all(struct sim *m)
{
    uint64_t in_hand = 0;
    size_t ask;

    while (plan_next(m->plan, m->now, &ask)) {
        struct plan_ask *a = &m->plan->asks[ask];
        struct sim_source *s = &m->s[a->source];

        for (uint32_t i = a->first; i < a->first + a->count; i++)
            ck_assert(a->hedge || !plan_is_verified(m->plan, i));
        ck_assert_uint_le(m->plan->sources[a->source].in_flight,
                          m->plan->limits.per_source);
        m->hedges += a->hedge;
        s->asked++;
        m->part[ask] = 0;
        if (s->dead)
            comes_to_nothing(m, ask, s->fault, s->wait_ms, m->now);
    }
    for (size_t i = 0; i < PLAN_ASKS_MAX; i++)
        in_hand += m->plan->asks[i].used ? m->plan->asks[i].len : 0;
    m->most_in_hand = in_hand > m->most_in_hand ? in_hand : m->most_in_hand;
}

static void verify(struct sim *m, size_t ask)
{
    struct plan_ask a = m->plan->asks[ask];

    plan_arrived(m->plan, ask, m->now);
    for (uint32_t i = a.first; i < a.first + a.count; i++) {
        if (m->s[a.source].corrupt && i == a.first + a.count - 1) {
            plan_blame(m->plan, a.source, REASON_PAYLOAD_HASH_MISMATCH, "not it");
            break;
        }
        if (!plan_is_verified(m->plan, i))
            m->good += frame_length(NULL, i);
        plan_verified(m->plan, i);
    }
    plan_end(m->plan, ask, m->now);
}

static void bring(struct sim *m)
{
    for (size_t i = 0; i < PLAN_ASKS_MAX; i++) {
        struct plan_ask *a = &m->plan->asks[i];
        struct sim_source *s = &m->s[a->source];
        double rate = s->after_ms > 0 && m->now >= s->after_ms ? s->after : s->rate;
        double bytes;

        if (!a->used)
            continue;
        bytes = rate * STEP / 1000 / m->plan->sources[a->source].in_flight;
        if (a->lost) {
            plan_end(m->plan, i, m->now);
            continue;
        }
        if (m->part[i] + bytes > (double)a->len)
            bytes = (double)a->len - m->part[i];
        m->part[i] += bytes;
        s->bytes += (uint64_t)bytes;
        plan_received(m->plan, i, (uint64_t)m->part[i], m->now);
        if (m->part[i] >= (double)a->len)
            verify(m, i);
    }
}

/* Seconds it took; gives up after limit. */
static double sim_run(struct sim *m, double limit)
{
    int64_t begun = m->now;

    while (!plan_is_whole(m->plan) && !plan_is_stuck(m->plan) &&
           (double)(m->now - begun) < limit * 1000) {
        size_t slow;

        ask_all(m);
        m->now += STEP;
        bring(m);
        if (plan_drop_slow(m->plan, m->now, &slow))
            m->slow[slow] = ++m->slows;
    }
    if (plan_is_whole(m->plan))
        ck_assert_uint_eq(m->good, m->plan->bytes_verified);
    return (double)(m->now - begun) / 1000;
}

static uint64_t all_bytes(const struct sim *m)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < m->n; i++)
        sum += m->s[i].bytes;
    return sum;
}

START_TEST(one_source_brings_it_all)
{
    struct sim m;

    sim_begin(&m, &defaults, 1);
    ck_assert_double_lt(sim_run(&m, 60), 12.6); /* 120 MB at 10 MB/s */
    ck_assert(plan_is_whole(m.plan));
    ck_assert_uint_le(all_bytes(&m), m.plan->bytes_verified + FRAMES);
    ck_assert_uint_eq(m.hedges, 0);
    ck_assert_uint_le(m.most_in_hand, defaults.in_hand);
    plan_free(m.plan);
}
END_TEST

START_TEST(four_equal_sources_are_four_times_as_fast)
{
    struct sim one, four;
    double t1, t4;

    sim_begin(&one, &defaults, 1);
    sim_begin(&four, &defaults, 4);
    t1 = sim_run(&one, 60);
    t4 = sim_run(&four, 60);
    ck_assert_double_ge(t1 / t4, 3.6);
    for (size_t i = 0; i < 4; i++)
        ck_assert_uint_ge(four.s[i].bytes, four.plan->bytes_verified / 5);
    plan_free(one.plan);
    plan_free(four.plan);
}
END_TEST

START_TEST(shares_follow_the_rates)
{
    struct sim m;

    sim_begin(&m, &defaults, 2);
    m.s[1].rate = 30e6;
    ck_assert_double_lt(sim_run(&m, 60), 3.4); /* 120 MB at 40 MB/s are 3 s */
    ck_assert_uint_gt(m.s[1].bytes, 2 * m.s[0].bytes);
    plan_free(m.plan);
}
END_TEST

START_TEST(a_crawler_holds_nobody_up_at_the_end)
{
    struct sim m;

    sim_begin(&m, &defaults, 2);
    m.s[1].rate = 100;
    ck_assert_double_lt(sim_run(&m, 60), 13.5);
    ck_assert(plan_is_whole(m.plan));
    ck_assert_uint_ge(m.hedges, 1);
    ck_assert_uint_lt(m.s[1].bytes, 5000);
    plan_free(m.plan);
}
END_TEST

START_TEST(nor_when_the_rest_took_no_time)
{
    struct sim m;

    sim_begin(&m, &defaults, 2);
    m.s[0].rate = 5e9;
    m.s[1].rate = 1000;
    for (uint32_t i = 0; i < FRAMES - 10; i++) {
        plan_verified(m.plan, i);
        m.good += frame_length(NULL, i);
    }
    ck_assert_double_lt(sim_run(&m, 60), 2.0);
    ck_assert(plan_is_whole(m.plan));
    ck_assert_uint_ge(m.hedges, 1);
    plan_free(m.plan);
}
END_TEST

START_TEST(who_comes_second_is_cancelled)
{
    struct sim m;

    sim_begin(&m, &defaults, 2);
    m.s[1].rate = 1;
    (void)sim_run(&m, 60);
    ck_assert(plan_is_whole(m.plan));
    for (size_t i = 0; i < PLAN_ASKS_MAX; i++)
        ck_assert(!m.plan->asks[i].used || m.plan->asks[i].lost);
    plan_free(m.plan);
}
END_TEST

START_TEST(a_bad_piece_costs_its_source_and_only_its_frames)
{
    struct sim m;

    sim_begin(&m, &defaults, 3);
    m.s[1].corrupt = true;
    (void)sim_run(&m, 60);
    ck_assert(plan_is_whole(m.plan));
    ck_assert(m.plan->sources[1].dropped && m.plan->sources[1].blamed);
    ck_assert_int_eq(m.plan->sources[1].reason, REASON_PAYLOAD_HASH_MISMATCH);
    ck_assert_uint_eq(m.s[1].asked, 1);
    ck_assert(!m.plan->sources[0].dropped && !m.plan->sources[2].dropped);
    /* what did not hold was fetched twice, and nothing else */
    ck_assert_uint_le(all_bytes(&m), m.plan->bytes_verified + (FRAME + 7) + 2 * FRAMES);
    plan_free(m.plan);
}
END_TEST

START_TEST(all_bad_is_stuck)
{
    struct sim m;

    sim_begin(&m, &defaults, 3);
    for (size_t i = 0; i < 3; i++)
        m.s[i].corrupt = true;
    (void)sim_run(&m, 60);
    ck_assert(plan_is_stuck(m.plan));
    ck_assert(!plan_is_whole(m.plan));
    plan_free(m.plan);
}
END_TEST

START_TEST(what_was_there_is_not_asked_for)
{
    struct sim m;

    sim_begin(&m, &defaults, 1);
    for (uint32_t i = 0; i < FRAMES; i += 2) {
        plan_verified(m.plan, i);
        m.good += frame_length(NULL, i);
    }
    (void)sim_run(&m, 60);
    ck_assert(plan_is_whole(m.plan));
    ck_assert_uint_le(all_bytes(&m), (uint64_t)FRAMES / 2 * (FRAME + 7));
    plan_free(m.plan);
}
END_TEST

START_TEST(the_slow_is_given_up_while_another_is_faster)
{
    struct plan_limits limits = defaults;
    struct sim m;

    limits.min_speed = 3000000;
    sim_begin(&m, &limits, 3);
    m.s[0].rate = 4e6;
    m.s[1].rate = 1e6;
    m.s[2].rate = 2.5e6; /* too slow, but not by much */
    (void)sim_run(&m, 120);
    ck_assert(plan_is_whole(m.plan));
    ck_assert_uint_eq(m.slows, 1);
    ck_assert_uint_eq(m.slow[1], 1);
    ck_assert_int_eq(m.plan->sources[1].reason, REASON_SOURCE_TOO_SLOW);
    ck_assert(!m.plan->sources[1].blamed);
    ck_assert_uint_lt(m.s[1].bytes, 14000000);
    plan_free(m.plan);
}
END_TEST

START_TEST(the_only_one_stays_however_slow)
{
    struct plan_limits limits = defaults;
    struct sim m;

    limits.min_speed = 100000000;
    sim_begin(&m, &limits, 1);
    (void)sim_run(&m, 60);
    ck_assert(plan_is_whole(m.plan));
    ck_assert_uint_eq(m.slows, 0);
    plan_free(m.plan);
}
END_TEST

START_TEST(after_five_drops_the_best_there_is_stays)
{
    struct plan_limits limits = defaults;
    struct sim m;

    limits.min_speed = 50000000;
    sim_begin(&m, &limits, 8);
    for (size_t i = 0; i < 8; i++)
        m.s[i].rate = i == 0 ? 2e6 : 1e5 * (double)(i + 1);
    (void)sim_run(&m, 200);
    ck_assert(plan_is_whole(m.plan));
    ck_assert_uint_eq(m.slows, PLAN_SLOW_DROPS);
    ck_assert(m.plan->keeps_slow);
    plan_free(m.plan);
}
END_TEST

START_TEST(a_source_that_becomes_slow_is_found_out)
{
    struct plan_limits limits = defaults;
    struct sim m;

    limits.min_speed = 1000000;
    sim_begin(&m, &limits, 2);
    m.s[0].rate = 2e6;
    m.s[1].after = 1000;
    m.s[1].after_ms = 3000;
    (void)sim_run(&m, 120);
    ck_assert(plan_is_whole(m.plan));
    ck_assert_uint_eq(m.slow[1], 1);
    plan_free(m.plan);
}
END_TEST

START_TEST(failures_back_off_and_then_drop)
{
    struct sim m;

    sim_begin(&m, &defaults, 2);
    m.s[1].dead = true;
    m.s[0].rate = 2e6; /* a minute of it */
    (void)sim_run(&m, 120);
    ck_assert(plan_is_whole(m.plan));
    ck_assert_uint_eq(m.s[1].asked, PLAN_FAILURES_MAX);
    ck_assert(m.plan->sources[1].dropped && !m.plan->sources[1].blamed);
    ck_assert_uint_eq(m.plan->sources[1].errors, PLAN_FAILURES_MAX);
    plan_free(m.plan);
}
END_TEST

START_TEST(what_fails_together_is_one_failure)
{
    struct plan_limits limits = defaults;
    size_t asks[PLAN_ASKS_MAX], n = 0;
    struct sim m;

    limits.per_source = 8;
    sim_begin(&m, &limits, 1);
    m.plan->sources[0].proven = true;
    while (plan_next(m.plan, 1000, &asks[n]))
        n++;
    ck_assert_uint_eq(n, 8);
    for (size_t i = 0; i < n; i++)
        comes_to_nothing(&m, asks[i], PLAN_FAILED, 0, 2000 + (int64_t)i);
    ck_assert(!m.plan->sources[0].dropped);
    ck_assert_uint_eq(m.plan->sources[0].failures, 1);
    ck_assert_uint_eq(m.plan->sources[0].errors, 8);
    ck_assert(plan_next(m.plan, 4000, &asks[0]));
    comes_to_nothing(&m, asks[0], PLAN_FAILED, 0, 4001);
    ck_assert_uint_eq(m.plan->sources[0].failures, 2);
    plan_free(m.plan);
}
END_TEST

START_TEST(retry_after_is_honoured)
{
    struct sim m;
    size_t ask;

    sim_begin(&m, &defaults, 1);
    ck_assert(plan_next(m.plan, 1000, &ask));
    comes_to_nothing(&m, ask, PLAN_LATER, 30000, 2000);
    ck_assert(!plan_next(m.plan, 31999, &ask));
    ck_assert(plan_next(m.plan, 32000, &ask));
    comes_to_nothing(&m, ask, PLAN_LATER, 0, 33000);
    ck_assert(!plan_next(m.plan, 34999, &ask)); /* the second in a row: 2 s */
    ck_assert(plan_next(m.plan, 35000, &ask));
    plan_free(m.plan);
}
END_TEST

START_TEST(the_useless_are_not_asked_again)
{
    struct sim m;

    sim_begin(&m, &defaults, 6);
    for (size_t i = 0; i < 5; i++) {
        m.s[i].dead = true;
        m.s[i].fault = PLAN_USELESS;
    }
    ck_assert_double_lt(sim_run(&m, 60), 13.0);
    ck_assert(plan_is_whole(m.plan));
    for (size_t i = 0; i < 5; i++)
        ck_assert_uint_eq(m.s[i].asked, 1);
    plan_free(m.plan);
}
END_TEST

START_TEST(the_bandwidth_is_kept_to)
{
    struct plan_limits limits = defaults;
    struct sim m;
    double seconds;

    limits.bandwidth = 5000000;
    limits.min_speed = 10000000;
    sim_begin(&m, &limits, 3);
    seconds = sim_run(&m, 120);
    ck_assert(plan_is_whole(m.plan));
    ck_assert_double_ge(seconds, 120e6 / 5e6 - 2.0);
    ck_assert_double_lt(seconds, 120e6 / 5e6 + 2.0);
    ck_assert_uint_eq(m.slows, 0); /* nobody is slow for that */
    plan_free(m.plan);
}
END_TEST

START_TEST(no_more_under_way_than_allowed)
{
    struct plan_limits limits = {
        .per_source = 3, .total = 5, .piece = 2 << 20, .in_hand = 3 << 20};
    struct sim m;

    sim_begin(&m, &limits, 4);
    (void)sim_run(&m, 60);
    ck_assert(plan_is_whole(m.plan));
    ck_assert_uint_le(m.most_in_hand, limits.in_hand);
    plan_free(m.plan);
}
END_TEST

START_TEST(an_empty_body_is_whole)
{
    struct plan *p = plan_create(&defaults);
    size_t ask;

    plan_set_frames(p, 0, frame_length, NULL);
    ck_assert(plan_add_source(p));
    ck_assert(plan_is_whole(p));
    ck_assert(!plan_is_stuck(p));
    ck_assert(!plan_next(p, 1, &ask));
    plan_free(p);
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("plan");
    TCase *c = tcase_create("simulated sources");

    tcase_add_test(c, one_source_brings_it_all);
    tcase_add_test(c, four_equal_sources_are_four_times_as_fast);
    tcase_add_test(c, shares_follow_the_rates);
    tcase_add_test(c, a_crawler_holds_nobody_up_at_the_end);
    tcase_add_test(c, nor_when_the_rest_took_no_time);
    tcase_add_test(c, who_comes_second_is_cancelled);
    tcase_add_test(c, a_bad_piece_costs_its_source_and_only_its_frames);
    tcase_add_test(c, all_bad_is_stuck);
    tcase_add_test(c, what_was_there_is_not_asked_for);
    tcase_add_test(c, the_slow_is_given_up_while_another_is_faster);
    tcase_add_test(c, the_only_one_stays_however_slow);
    tcase_add_test(c, after_five_drops_the_best_there_is_stays);
    tcase_add_test(c, a_source_that_becomes_slow_is_found_out);
    tcase_add_test(c, failures_back_off_and_then_drop);
    tcase_add_test(c, what_fails_together_is_one_failure);
    tcase_add_test(c, retry_after_is_honoured);
    tcase_add_test(c, the_useless_are_not_asked_again);
    tcase_add_test(c, the_bandwidth_is_kept_to);
    tcase_add_test(c, no_more_under_way_than_allowed);
    tcase_add_test(c, an_empty_body_is_whole);
    suite_add_tcase(s, c);
    return s;
}
