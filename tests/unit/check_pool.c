#include <pthread.h>
#include <sched.h>
#include <stdint.h>

#include "base/chan.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "base/pool.h"
#include "tests/unit/test.h"

/* --- chan; check_chan.c has the order of items --- */

START_TEST(a_full_channel_takes_no_more_at_once)
{
    struct chan *ch = chan_create(2);
    int items[3];

    ck_assert(chan_try_send(ch, &items[0]));
    ck_assert(chan_try_send(ch, &items[1]));
    ck_assert(!chan_try_send(ch, &items[2]));
    ck_assert_ptr_eq(chan_recv(ch), &items[0]);
    ck_assert(chan_try_send(ch, &items[2]));
    ck_assert_ptr_eq(chan_recv(ch), &items[1]);
    ck_assert_ptr_eq(chan_recv(ch), &items[2]);
    chan_free(ch);
}
END_TEST

START_TEST(a_closed_channel_gives_what_it_has_and_takes_nothing)
{
    struct chan *ch = chan_create(2);
    int item;

    ck_assert(chan_send(ch, &item));
    chan_close(ch);
    ck_assert(!chan_send(ch, &item));
    ck_assert(!chan_try_send(ch, &item));
    ck_assert_ptr_eq(chan_recv(ch), &item);
    ck_assert_ptr_null(chan_recv(ch));
    ck_assert_ptr_null(chan_recv_for(ch, 60000)); /* at once */
    chan_free(ch);
    chan_free(NULL);
}
END_TEST

START_TEST(receiving_waits_no_longer_than_told)
{
    struct chan *ch = chan_create(1);
    int64_t before = clock_mono_ms();
    int item;

    ck_assert_ptr_null(chan_recv_for(ch, 0));
    ck_assert_ptr_null(chan_recv_for(ch, 30));
    ck_assert_int_ge(clock_mono_ms() - before, 29);
    ck_assert(chan_send(ch, &item));
    ck_assert_ptr_eq(chan_recv_for(ch, 0), &item);
    chan_free(ch);
}
END_TEST

static void *send_one(void *arg)
{
    static int item;

    return chan_send(arg, &item) ? &item : NULL;
}

START_TEST(closing_wakes_a_sender_that_waits)
{
    struct chan *ch = chan_create(1);
    void *sent = NULL;
    pthread_t t;
    int item;

    ck_assert(chan_send(ch, &item));
    ck_assert_int_eq(pthread_create(&t, NULL, send_one, ch), 0);
    chan_close(ch);
    ck_assert_int_eq(pthread_join(t, &sent), 0);
    ck_assert_ptr_null(sent);
    ck_assert_ptr_eq(chan_recv(ch), &item);
    chan_free(ch);
}
END_TEST

START_TEST(a_waiting_receiver_gets_what_comes)
{
    struct chan *ch = chan_create(1);
    void *sent = NULL;
    pthread_t t;

    ck_assert_int_eq(pthread_create(&t, NULL, send_one, ch), 0);
    ck_assert_ptr_nonnull(chan_recv_for(ch, 60000));
    ck_assert_int_eq(pthread_join(t, &sent), 0);
    ck_assert_ptr_nonnull(sent);
    chan_free(ch);
}
END_TEST

/* --- pool --- */

struct square {
    struct task task; /* first: a task is its beginning */
    uint64_t in, out;
};

static void square_run(struct task *task)
{
    struct square *s = (struct square *)task;

    s->out = s->in * s->in;
    metrics_add(METRIC_REORGS, 1);
}

static void give_back(void *arg, struct task *task)
{
    ck_assert(chan_send(arg, task));
}

START_TEST(every_task_runs_once_and_comes_back)
{
    enum { N = 500, CAP = 16 };
    struct chan *results = chan_create(N);
    struct pool *pool = pool_create(4, CAP, give_back, results);
    CLEANUP_BUF struct buf metrics = BUF(1 << 20);
    uint64_t sum = 0, count = 0;

    for (uint64_t i = 1; i <= N; i++) {
        struct square *s = xcalloc(1, sizeof(*s));

        s->task.run = square_run;
        s->in = i;
        pool_submit(pool, &s->task);
    }
    pool_free(pool); /* runs what is queued */
    chan_close(results);
    for (struct square *s; (s = chan_recv(results)); count++) {
        ck_assert_uint_eq(s->out, s->in * s->in);
        sum += s->in;
        free(s);
    }
    ck_assert_uint_eq(count, N);
    ck_assert_uint_eq(sum, (uint64_t)N * (N + 1) / 2);
    metrics_write(&metrics); /* counted by four threads at once */
    ck_assert_ptr_nonnull(strstr(metrics.data, "\ncairn_reorganisations_total 500\n"));
    chan_free(results);
}
END_TEST

static void run_until_cancelled(struct task *task)
{
    while (!atomic_load(&task->cancel))
        (void)sched_yield();
}

/* Two that run, and some that have not begun. */
START_TEST(a_pool_that_is_to_end_does_not_wait_for_long_tasks)
{
    struct chan *results = chan_create(5);
    struct pool *pool = pool_create(2, 5, give_back, results);
    struct task tasks[5];

    for (size_t i = 0; i < 5; i++) {
        tasks[i] = (struct task){.run = run_until_cancelled};
        pool_submit(pool, &tasks[i]);
    }
    pool_cancel(pool);
    pool_free(pool);
    for (size_t i = 0; i < 5; i++)
        ck_assert_ptr_nonnull(chan_recv_for(results, 0));
    chan_free(results);
}
END_TEST

START_TEST(no_pool_is_freed_quietly)
{
    struct chan *results = chan_create(1);

    pool_free(NULL);
    pool_free(pool_create(2, 1, give_back, results));
    ck_assert_ptr_null(chan_recv_for(results, 0));
    chan_free(results);
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("pool");
    TCase *tc = tcase_create("core");

    tcase_add_test(tc, a_full_channel_takes_no_more_at_once);
    tcase_add_test(tc, a_closed_channel_gives_what_it_has_and_takes_nothing);
    tcase_add_test(tc, receiving_waits_no_longer_than_told);
    tcase_add_test(tc, closing_wakes_a_sender_that_waits);
    tcase_add_test(tc, a_waiting_receiver_gets_what_comes);
    tcase_add_test(tc, every_task_runs_once_and_comes_back);
    tcase_add_test(tc, a_pool_that_is_to_end_does_not_wait_for_long_tasks);
    tcase_add_test(tc, no_pool_is_freed_quietly);
    suite_add_tcase(s, tc);
    return s;
}
