#include <fcntl.h>

#include "base/hex.h"
#include "store/control_trust.h"
#include "sync/peer/signed.h"
#include "tests/unit/public_kit.h"

/* What a node has kept for others: the payload it was made of, what was signed. */
static const char bytes[] = "{\"height\":200}\n"; /* the payload: 15 */
static const char hash_hex[] =
    "2222222222222222222222222222222222222222222222222222222222222222";
static const char state_hex[] =
    "abababababababababababababababababababababababababababababababab";
static const char path[] = "/peer/v1/payload/"
                           "2222222222222222222222222222222222222222222222222222222222"
                           "222222";

static struct control *open_control(void)
{
    struct control *control;
    char file[100];

    (void)snprintf(file, sizeof(file), "%s/control.db", dir);
    ASSERT_OK(control_open(file, CONTROL_WRITER, &control, &test_err));
    return control;
}

/* In force from now on. */
static void accept_checkpoint(const char *state_hash)
{
    struct control_checkpoint k = {.height = 200, .generation = 1, .job_id = 1};
    struct control *control = open_control();

    memset(k.block_hash, 0x22, 32);
    k.state_hash = state_hash ? xstrdup(state_hash) : NULL;
    k.source = xstrdup("inline");
    k.trust = xstrdup("attested");
    k.provenance = xstrdup("{}");
    ASSERT_OK(
        control_checkpoint_insert(control, &k, &fake.status.checkpoint_id, &test_err));
    fake.status.has_checkpoint = true;
    memcpy(fake.status.checkpoint_hash, k.block_hash, 32);
    control_checkpoint_fini(&k);
    control_close(control);
}

static void keep_payload(void)
{
    char file[100];
    FILE *f;

    (void)snprintf(file, sizeof(file), "%s/generations/1/payload.json", dir);
    f = fopen(file, "w");
    ck_assert_ptr_nonnull(f);
    ck_assert_int_ge(fputs(bytes, f), 0);
    ck_assert_int_eq(fclose(f), 0);
}

/* What is said, read as it would be sent; "" when that is no file. */
static const char *ask_part(const char *where, const char *range, const char *if_range,
                            const char *known)
{
    const struct public_ask part = {.path = where,
                                    .value = value_of,
                                    .range = range,
                                    .if_range = if_range,
                                    .known = known};
    static char out[64];
    ssize_t n = 0;

    buf_fini(&say.body);
    public_call(&site, &part, &say);
    if (say.file.open) {
        ck_assert_uint_lt(say.file.len, sizeof(out));
        n = pread(say.file.fd, out, (size_t)say.file.len, (off_t)say.file.first);
        ck_assert_uint_eq((uint64_t)n, say.file.len);
        ck_assert_int_eq(close(say.file.fd), 0);
    }
    out[n] = '\0';
    return out;
}

static int files_open(void)
{
    int n = 0;

    for (int fd = 0; fd < 256; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

START_TEST(the_payload_is_said_from_its_file)
{
    char tag[PUBLIC_ETAG_TEXT];

    (void)snprintf(tag, sizeof(tag), "\"%s\"", state_hex);
    accept_checkpoint(state_hex);
    keep_payload();
    ck_assert_str_eq(ask_part(path, NULL, NULL, NULL), bytes);
    ck_assert_uint_eq(say.status, 200);
    ck_assert_str_eq(say.type, "application/json");
    ck_assert_str_eq(say.etag, tag);
    ck_assert_str_eq(say.range, "");
    ck_assert(say.lasting && say.body.len == 0);
}
END_TEST

START_TEST(parts_are_those_asked_for)
{
    static const struct {
        const char *range, *if_range;
        unsigned status;
        const char *part, *said;
    } cases[] = {
        {"bytes=2-7", NULL, 206, "height", "bytes 2-7/15"},
        {"bytes=10-", NULL, 206, "200}\n", "bytes 10-14/15"},
        {"bytes=-2", NULL, 206, "}\n", "bytes 13-14/15"},
        {"bytes=0-99", NULL, 206, bytes, "bytes 0-14/15"},
        {"bytes=15-", NULL, 416, "", "bytes */15"},
        {"bytes=1-2,4-5", NULL, 200, bytes, ""},
        {"bytes=2-7",
         "\"ababababababababababababababababababababababababababababababa"
         "bab\"",
         206, "height", "bytes 2-7/15"},
        {"bytes=2-7", "\"other\"", 200, bytes, ""},
        {"bytes=15-", "\"other\"", 200, bytes, ""},
        {"bytes=2-7",
         "W/\"ababababababababababababababababababababababababababababab"
         "ababab\"",
         200, bytes, ""},
        {"bytes=2-7", "Sat, 01 Jan 2028 00:00:00 GMT", 200, bytes, ""},
    };
    int before;

    accept_checkpoint(state_hex);
    keep_payload();
    ck_assert_str_eq(ask_part(path, NULL, NULL, NULL), bytes);
    before = files_open();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ck_assert_str_eq(ask_part(path, cases[i].range, cases[i].if_range, NULL),
                         cases[i].part);
        ck_assert_uint_eq(say.status, cases[i].status);
        ck_assert_str_eq(say.range, cases[i].said);
        ck_assert(say.lasting == (cases[i].status != 416));
    }
    ck_assert_int_eq(files_open(), before);
}
END_TEST

START_TEST(who_knows_it_is_not_sent_it)
{
    char tag[PUBLIC_ETAG_TEXT];
    int before;

    accept_checkpoint(NULL); /* no hash of the state: the tag is of size and place */
    keep_payload();
    ck_assert_str_eq(ask_part(path, NULL, NULL, NULL), bytes);
    ck_assert_uint_eq(strlen(say.etag), 34);
    memcpy(tag, say.etag, sizeof(tag));
    before = files_open();
    ck_assert_str_eq(ask_part(path, "bytes=0-3", NULL, tag), "");
    ck_assert_uint_eq(say.status, 304);
    ck_assert_str_eq(say.etag, tag);
    ck_assert_int_eq(files_open(), before);
}
END_TEST

static void assert_none(const char *where)
{
    ck_assert_str_eq(ask_part(where, NULL, NULL, NULL), "");
    ck_assert_uint_eq(say.status, 404);
    ck_assert_str_eq(say.body.data, "{\"error\":\"Not kept\"}\n");
    ck_assert(!say.lasting && say.etag[0] == '\0');
}

START_TEST(only_the_one_in_force_is_there)
{
    static const char *const others[] = {
        "/peer/v1/payload/",
        "/peer/v1/payload/2222",
        "/peer/v1/payload/"
        "2222222222222222222222222222222222222222222222222222222222222223",
        "/peer/v1/payload/"
        "22222222222222222222222222222222222222222222222222222222222222222",
        "/peer/v1/payload/../../control.db",
        "/peer/v1/payload",
    };
    int before;

    accept_checkpoint(state_hex);
    assert_none(path); /* it was not kept */
    keep_payload();
    ck_assert_str_eq(ask_part(path, NULL, NULL, NULL), bytes);
    before = files_open();
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]) - 1; i++)
        assert_none(others[i]);
    ck_assert_str_eq(ask_part(others[5], NULL, NULL, NULL), "");
    ck_assert_uint_eq(say.status, 404);
    fake.status.has_checkpoint = false;
    assert_none(path);
    fake.status.has_checkpoint = true;
    fake.status.generation = 0;
    assert_none(path);
    ck_assert_int_eq(files_open(), before);
}
END_TEST

static const struct json *read_list(const char *what, struct json_doc **doc)
{
    const struct json_limits limits = {4U << 20, 1U << 18, 16};
    const struct json *body;
    uint8_t key[32];
    char where[64];

    (void)snprintf(where, sizeof(where), "/peer/v1/%s", what);
    ck_assert_ptr_nonnull(ask(where, QUERY("nonce", nonce_hex)));
    ck_assert_uint_eq(say.status, 200);
    ASSERT_OK(signed_read(what, say.body.data, say.body.len, &limits, doc, &body, key,
                          &test_err));
    return json_get(body, what);
}

START_TEST(a_checkpoint_says_where_its_payload_is)
{
    CLEANUP(json_free) struct json_doc *none = NULL, *kept = NULL;
    const struct json *k;

    accept_checkpoint(state_hex);
    k = read_list("checkpoints", &none)->first;
    ck_assert_str_eq(text_of(k, "block_hash"), hash_hex);
    ck_assert(json_get(k, "payload") && json_is_null(json_get(k, "payload")));
    keep_payload();
    k = read_list("checkpoints", &kept)->first;
    ck_assert_str_eq(text_of(k, "payload"), path);
    ck_assert(json_is_null(json_get(k->next, "payload"))); /* that of the fixture */
}
END_TEST

static void put_attestation(struct control *control, unsigned n, const char *document,
                            bool own, uint8_t block)
{
    char key[32];
    struct control_attestation a = {
        .height = 200, .key = key, .own = own, .source = "s", .document = document};
    bool fresh;

    (void)snprintf(key, sizeof(key), "key %u", n);
    memset(a.block_hash, block, 32);
    ASSERT_OK(control_attestation_put(control, &a, &fresh, &test_err));
    ck_assert(fresh);
}

START_TEST(attestations_are_of_the_block_ours_first_and_bounded)
{
    CLEANUP(json_free) struct json_doc *doc = NULL;
    const struct json *list, *one;
    struct control *control;
    char text[64];

    accept_checkpoint(state_hex);
    control = open_control();
    for (unsigned n = 1; n <= 40; n++) {
        (void)snprintf(text, sizeof(text), "{\"n\":%u}", n);
        put_attestation(control, n, text, false, 0x22);
        if (n == 20) /* in their midst */
            put_attestation(control, 0, "{\"n\": 0, \"a\":\"own\"}", true, 0x22);
    }
    put_attestation(control, 41, "{\"n\":41}", false, 0x23); /* another block */
    put_attestation(control, 42, "no document", false, 0x22);
    control_close(control);
    list = json_get(read_list("checkpoints", &doc)->first, "attestations");
    ck_assert_uint_eq(list->len, 32);
    one = list->first;
    ck_assert_str_eq(text_of(one, "a"), "own");
    for (uint64_t n = 40; n > 9; n--) {
        one = one->next;
        ck_assert_uint_eq(u64_of(one, "n"), n);
    }
    ck_assert_ptr_null(one->next);
}
END_TEST

/* 15 of 130 KiB leave room for no other of them, and the small one fits. */
START_TEST(documents_take_so_much_of_an_answer)
{
    enum { SIZE = 130 << 10 };
    CLEANUP(json_free) struct json_doc *doc = NULL;
    AUTOFREE char *text = xcalloc(1, SIZE + 1);
    struct control *control;
    const struct json *list, *last;

    accept_checkpoint(state_hex);
    memset(text, 'x', SIZE);
    memcpy(text, "{\"a\":\"", 6);
    memcpy(text + SIZE - 2, "\"}", 2);
    control = open_control();
    put_attestation(control, 0, "{\"n\":7}", false, 0x22);
    for (unsigned n = 1; n < 31; n++)
        put_attestation(control, n, text, false, 0x22);
    control_close(control);
    list = json_get(read_list("checkpoints", &doc)->first, "attestations");
    ck_assert_uint_eq(list->len, 16);
    for (last = list->first; last->next;)
        last = last->next;
    ck_assert_uint_eq(u64_of(last, "n"), 7);
    ck_assert_uint_lt(say.body.len, 4 << 20);
}
END_TEST

static void put_revocation(struct control *control, unsigned n, const char *document)
{
    struct control_revocation r = {
        .height = n, .reason = "r", .source = "s", .document = document};
    bool fresh;

    ASSERT_OK(control_revocation_put(control, &r, &fresh, &test_err));
    ck_assert(fresh);
}

START_TEST(revocations_are_signed_ones_and_bounded)
{
    CLEANUP(json_free) struct json_doc *none = NULL, *some = NULL;
    const struct json *list;
    struct control *control;
    char text[64];

    ck_assert_uint_eq(read_list("revocations", &none)->len, 0);
    control = open_control();
    for (unsigned n = 1; n <= 300; n++) {
        (void)snprintf(text, sizeof(text), "{\"n\":%u}", n);
        put_revocation(control, n, text);
    }
    put_revocation(control, 301, NULL); /* the operator's own */
    put_revocation(control, 302, "{\"n\":");
    control_close(control);
    list = read_list("revocations", &some);
    ck_assert_uint_eq(list->len, 256);
    ck_assert_uint_eq(u64_of(list->first, "n"), 300);
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("public_kept");
    TCase *t = tcase_create("public_kept");

    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_add_test(t, the_payload_is_said_from_its_file);
    tcase_add_test(t, parts_are_those_asked_for);
    tcase_add_test(t, who_knows_it_is_not_sent_it);
    tcase_add_test(t, only_the_one_in_force_is_there);
    tcase_add_test(t, a_checkpoint_says_where_its_payload_is);
    tcase_add_test(t, attestations_are_of_the_block_ours_first_and_bounded);
    tcase_add_test(t, documents_take_so_much_of_an_answer);
    tcase_add_test(t, revocations_are_signed_ones_and_bounded);
    suite_add_tcase(s, t);
    return s;
}
