#include "base/buf.h"
#include "base/mem.h"
#include "store/control_trust.h"
#include "tests/unit/coins.h"

/* Trust in control.db: signers, sets, roots, statements, incidents resolved. */
static struct coins_dir dir;
static struct control *c;

static void setup(void)
{
    dir = coins_dir_make();
    ASSERT_OK(control_open(dir.db, CONTROL_WRITER, &c, &test_err));
}

static void teardown(void)
{
    control_close(c);
    coins_dir_remove(&dir);
}

static enum errc say_signer(void *arg, const struct control_signer *s, struct err *err)
{
    (void)err;
    buf_printf(arg, "%s %d %lld %s %s\n", s->key, s->keep, (long long)s->changed_ms,
               s->actor, s->reason);
    return ERR_OK;
}

static enum errc say_set(void *arg, const struct control_signer_set *s, struct err *err)
{
    (void)err;
    buf_printf(arg, "%d %llu %s %lld\n", s->first[0], (unsigned long long)s->sequence,
               s->document, (long long)s->applied_ms);
    return ERR_OK;
}

static enum errc say_root(void *arg, const struct control_root *r, struct err *err)
{
    (void)err;
    buf_printf(arg, "%llu %d %lld %s %s\n", (unsigned long long)r->height, r->hash[31],
               (long long)r->added_ms, r->actor, r->reason);
    return ERR_OK;
}

static enum errc say_revocation(void *arg, const struct control_revocation *r,
                                struct err *err)
{
    (void)err;
    buf_printf(arg, "%llu %d %s %s %s\n", (unsigned long long)r->height,
               r->block_hash[0], r->reason, r->source,
               r->document ? r->document : "local");
    return ERR_OK;
}

static enum errc say_attestation(void *arg, const struct control_attestation *a,
                                 struct err *err)
{
    (void)err;
    buf_printf(arg, "%llu %d %d %s %d %s %s\n", (unsigned long long)a->height,
               a->block_hash[0], a->state_root[0], a->key, a->own, a->source,
               a->document);
    return ERR_OK;
}

#define ASSERT_SAID(call, text)                           \
    do {                                                  \
        CLEANUP_BUF struct buf out = BUF(4096);           \
        ASSERT_OK(call);                                  \
        ck_assert_str_eq(out.data ? out.data : "", text); \
    } while (0)

START_TEST(the_last_change_of_a_signer_counts)
{
    struct control_signer s = {
        .key = "02b", .keep = true, .changed_ms = 5, .actor = "ann", .reason = "new"};

    ASSERT_OK(control_signer_put(c, &s, &test_err));
    s.key = "02a";
    ASSERT_OK(control_signer_put(c, &s, &test_err));
    s = (struct control_signer){"02b", false, 6, "bob", "lost"};
    ASSERT_OK(control_signer_put(c, &s, &test_err));
    ASSERT_SAID(control_signer_each(c, say_signer, &out, &test_err),
                "02a 1 5 ann new\n02b 0 6 bob lost\n");
}
END_TEST

START_TEST(sets_are_kept_in_order_and_once)
{
    struct control_signer_set s = {.first = {2}, .sequence = 2, .document = "{2}"};

    ASSERT_OK(control_signer_set_put(c, &s, &test_err));
    s.sequence = 1;
    s.document = "{1}";
    ASSERT_OK(control_signer_set_put(c, &s, &test_err));
    ASSERT_ERR(ERR_CONFLICT, control_signer_set_put(c, &s, &test_err));
    s.first[0] = 1;
    s.applied_ms = 7;
    ASSERT_OK(control_signer_set_put(c, &s, &test_err));
    ASSERT_SAID(control_signer_set_each(c, say_set, &out, &test_err),
                "1 1 {1} 7\n2 1 {1} 0\n2 2 {2} 0\n");
}
END_TEST

START_TEST(a_root_is_one_a_height)
{
    struct control_root r = {
        .height = 9, .hash = {[31] = 1}, .added_ms = 3, .actor = "ann", .reason = "x"};

    ASSERT_OK(control_root_put(c, &r, &test_err));
    r.hash[31] = 2;
    ASSERT_OK(control_root_put(c, &r, &test_err));
    r.height = 8;
    ASSERT_OK(control_root_put(c, &r, &test_err));
    ASSERT_SAID(control_root_each(c, say_root, &out, &test_err),
                "8 2 3 ann x\n9 2 3 ann x\n");
    ASSERT_OK(control_root_remove(c, 9, &test_err));
    ASSERT_ERR(ERR_NOTFOUND, control_root_remove(c, 9, &test_err));
    ASSERT_SAID(control_root_each(c, say_root, &out, &test_err), "8 2 3 ann x\n");
}
END_TEST

START_TEST(a_revocation_is_kept_once)
{
    struct control_revocation r = {
        .height = 200, .block_hash = {4}, .reason = "wrong", .source = "ann"};
    struct control_height_filter filter = {.limit = 9};
    bool fresh;

    ASSERT_OK(control_revocation_put(c, &r, &fresh, &test_err));
    ck_assert(fresh);
    r.reason = "again";
    ASSERT_OK(control_revocation_put(c, &r, &fresh, &test_err));
    ck_assert(!fresh);
    r.document = "{signed}";
    ASSERT_OK(control_revocation_put(c, &r, &fresh, &test_err));
    ck_assert(fresh);
    ASSERT_OK(control_revocation_put(c, &r, &fresh, &test_err));
    ck_assert(!fresh);
    r.height = 150;
    r.document = "{other}";
    ASSERT_OK(control_revocation_put(c, &r, &fresh, &test_err));
    ASSERT_SAID(control_revocation_each(c, &filter, say_revocation, &out, &test_err),
                "150 4 again ann {other}\n200 4 again ann {signed}\n"
                "200 4 wrong ann local\n");
    filter =
        (struct control_height_filter){.has_height = true, .height = 200, .limit = 1};
    ASSERT_SAID(control_revocation_each(c, &filter, say_revocation, &out, &test_err),
                "200 4 again ann {signed}\n");
}
END_TEST

START_TEST(what_one_key_attests_is_kept_once_and_contradictions_both)
{
    struct control_attestation a = {.height = 200,
                                    .block_hash = {4},
                                    .state_root = {5},
                                    .key = "ed25519:aa",
                                    .source = "http://p",
                                    .document = "{a}"};
    struct control_height_filter filter = {.limit = 9};
    bool fresh;

    ASSERT_OK(control_attestation_put(c, &a, &fresh, &test_err));
    ck_assert(fresh);
    ASSERT_OK(control_attestation_put(c, &a, &fresh, &test_err));
    ck_assert(!fresh);
    a.state_root[0] = 6;
    ASSERT_OK(control_attestation_put(c, &a, &fresh, &test_err));
    ck_assert(fresh);
    a.key = "ed25519:bb";
    a.own = true;
    ASSERT_OK(control_attestation_put(c, &a, &fresh, &test_err));
    ASSERT_SAID(control_attestation_each(c, &filter, say_attestation, &out, &test_err),
                "200 4 6 ed25519:bb 1 http://p {a}\n200 4 6 ed25519:aa 0 http://p {a}\n"
                "200 4 5 ed25519:aa 0 http://p {a}\n");
    filter.own = true;
    ASSERT_SAID(control_attestation_each(c, &filter, say_attestation, &out, &test_err),
                "200 4 6 ed25519:bb 1 http://p {a}\n");
    filter.has_height = true;
    filter.height = 1;
    ASSERT_SAID(control_attestation_each(c, &filter, say_attestation, &out, &test_err),
                "");
}
END_TEST

static char kind[] = "k", subject[] = "s", evidence[] = "{}", who[] = "ann",
            choice[] = "keep", note[] = "looked";

START_TEST(an_incident_is_resolved_once)
{
    struct control_incident i = {
        .opened_ms = 1, .kind = kind, .subject = subject, .evidence = evidence};
    struct control_incident got;
    bool fresh;

    ASSERT_OK(control_incident_open(c, &i, &fresh, &i.id, &test_err));
    ASSERT_OK(control_incident_get(c, i.id, &got, &test_err));
    ck_assert_int_eq(got.resolved_ms, 0);
    ck_assert_ptr_null(got.choice);
    control_incident_fini(&got);
    i.resolved_ms = 9;
    i.resolved_by = who;
    i.choice = choice;
    i.note = note;
    ASSERT_OK(control_incident_resolve(c, &i, &test_err));
    ASSERT_ERR(ERR_CONFLICT, control_incident_resolve(c, &i, &test_err));
    ASSERT_OK(control_incident_get(c, i.id, &got, &test_err));
    ck_assert_int_eq(got.resolved_ms, 9);
    ck_assert_str_eq(got.resolved_by, "ann");
    ck_assert_str_eq(got.choice, "keep");
    ck_assert_str_eq(got.note, "looked");
    control_incident_fini(&got);
    ASSERT_ERR(ERR_NOTFOUND, control_incident_get(c, i.id + 1, &got, &test_err));
    ASSERT_OK(control_incident_open(c, &i, &fresh, &i.id, &test_err));
    ck_assert(fresh); /* the same may happen again */
}
END_TEST

static void copy_over(const char *from, const char *to)
{
    FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
    char block[4096];
    size_t n;

    ck_assert(in && out);
    while ((n = fread(block, 1, sizeof(block), in)) > 0)
        ck_assert_uint_eq(fwrite(block, 1, n, out), n);
    (void)fclose(in);
    ck_assert_int_eq(fclose(out), 0);
}

/* What version 1 wrote is all there, and what it did not know is empty. */
START_TEST(version_1_is_migrated)
{
    struct control_checkpoint k = {0};
    CLEANUP(control_close) struct control *old = NULL;
    struct control_audit_check check;
    bool found;

    control_close(TAKE(c));
    copy_over(TEST_DATA "/schema/control_v1.db", dir.db);
    ASSERT_OK(control_open(dir.db, CONTROL_WRITER, &old, &test_err));
    ASSERT_OK(control_checkpoint_latest(old, &found, &k, &test_err));
    ck_assert(found);
    ck_assert_uint_eq(k.height, 200);
    control_checkpoint_fini(&k);
    ASSERT_OK(control_audit_verify(old, &check, &test_err));
    ck_assert(check.ok);
    ASSERT_SAID(control_signer_each(old, say_signer, &out, &test_err), "");
    ASSERT_SAID(control_root_each(old, say_root, &out, &test_err), "");
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("control_trust");
    TCase *t = tcase_create("trust");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, the_last_change_of_a_signer_counts);
    tcase_add_test(t, sets_are_kept_in_order_and_once);
    tcase_add_test(t, a_root_is_one_a_height);
    tcase_add_test(t, a_revocation_is_kept_once);
    tcase_add_test(t, what_one_key_attests_is_kept_once_and_contradictions_both);
    tcase_add_test(t, an_incident_is_resolved_once);
    tcase_add_test(t, version_1_is_migrated);
    suite_add_tcase(s, t);
    return s;
}
