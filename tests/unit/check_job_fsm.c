#include <string.h>

#include "sync/job_fsm.h"
#include "tests/unit/test.h"

START_TEST(happy_path_reaches_following)
{
    enum job_state s = JOB_QUEUED;

    for (enum job_state want = JOB_DISCOVERING; want <= JOB_FOLLOWING; want++) {
        ck_assert(job_fsm_next(s, JOB_EV_OK, &s));
        ck_assert_int_eq(s, want);
    }
    ck_assert_str_eq(job_state_outcome(s), "succeeded");
}
END_TEST

/* Loop test: _i is the state; every event in it. */
START_TEST(matrix_is_as_the_header_draws_it)
{
    enum job_state s = (enum job_state)_i;
    bool terminal = s == JOB_FOLLOWING || s == JOB_FAILED || s == JOB_CANCELLED ||
                    s == JOB_DECIDED || s == JOB_DONE;
    bool mounted = s == JOB_HEADERS || s == JOB_BLOCKS, working = s == JOB_WORKING;

    ck_assert_int_eq(job_state_is_terminal(s), terminal);
    ck_assert_int_eq(job_state_is_mounted(s), mounted || s == JOB_FOLLOWING);
    for (enum job_event e = 0; e <= JOB_EVENT_MAX; e++) {
        enum job_state t = s, want = s;
        bool dry = e == JOB_EV_DRY_DONE;

        if (terminal)
            want = s;
        else if (dry)
            want = s == JOB_DECIDING ? JOB_DECIDED : s;
        else if (e == JOB_EV_OK)
            want = (enum job_state)(s + 1);
        else if (e == JOB_EV_FAIL)
            want = mounted ? s : JOB_FAILED;
        else if (e == JOB_EV_CANCEL)
            want = JOB_CANCELLED;
        else
            want = mounted ? JOB_HEADERS : working ? s : JOB_DISCOVERING;
        ck_assert_int_eq(job_fsm_next(s, e, &t),
                         !terminal && !(e == JOB_EV_FAIL && mounted) &&
                             !(e == JOB_EV_RESTART && working) &&
                             (!dry || s == JOB_DECIDING));
        ck_assert_int_eq(t, want);
    }
}
END_TEST

START_TEST(names_are_those_of_the_contract)
{
    ck_assert_str_eq(job_state_name(JOB_PREFLIGHT), "preflight");
    ck_assert_str_eq(job_state_outcome(JOB_PREFLIGHT), "running");
    ck_assert_str_eq(job_state_outcome(JOB_QUEUED), "queued");
    ck_assert_str_eq(job_state_outcome(JOB_FAILED), "failed");
    ck_assert_str_eq(job_state_outcome(JOB_CANCELLED), "cancelled");
    ck_assert_str_eq(job_state_name(JOB_DECIDED), "decided");
    ck_assert_str_eq(job_state_outcome(JOB_DECIDED), "succeeded");
    ck_assert_str_eq(job_state_name(JOB_WORKING), "working");
    ck_assert_str_eq(job_state_outcome(JOB_WORKING), "running");
    ck_assert_str_eq(job_state_outcome(JOB_DONE), "succeeded");
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("job_fsm");
    TCase *tc = tcase_create("core");

    tcase_add_test(tc, happy_path_reaches_following);
    tcase_add_loop_test(tc, matrix_is_as_the_header_draws_it, JOB_QUEUED,
                        JOB_STATE_MAX + 1);
    tcase_add_test(tc, names_are_those_of_the_contract);
    suite_add_tcase(s, tc);
    return s;
}
