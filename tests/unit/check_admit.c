#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "rpc/admit.h"
#include "tests/unit/test.h"

static char dir[] = "/tmp/cairn-admit-XXXXXX";
static struct auth *auth;
static struct auth_caller who;
static char bearer[100];

static char *cookie_path(void)
{
    return xasprintf("%s/rpc.cookie", dir);
}

static void read_cookie(char *line, size_t size)
{
    char *path = cookie_path();
    FILE *f = fopen(path, "r");

    ck_assert_ptr_nonnull(f);
    ck_assert_ptr_nonnull(fgets(line, (int)size, f));
    ck_assert_int_eq(fgetc(f), EOF);
    (void)fclose(f);
    free(path);
}

static void set_up(void)
{
    char line[80];

    (void)snprintf(dir, sizeof(dir), "/tmp/cairn-admit-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    ASSERT_OK(auth_create(dir, NULL, 0, &auth, &test_err));
    read_cookie(line, sizeof(line));
    ck_assert_uint_eq(strlen(line), 65);
    ck_assert_int_eq(line[64], '\n');
    (void)snprintf(bearer, sizeof(bearer), "Bearer %.64s", line);
}

static void tear_down(void)
{
    auth_free(auth);
    ck_assert_int_eq(rmdir(dir), 0); /* the cookie is gone */
}

START_TEST(the_cookie_is_private_and_new_each_time)
{
    char *path = cookie_path(), line[80], *left;
    struct auth *second;
    struct stat st;

    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 07777, 0600);
    left = xasprintf("%s.part", path); /* of a run that was killed, readable by all */
    (void)fclose(fopen(left, "w"));
    ASSERT_OK(auth_create(dir, NULL, 0, &second, &test_err));
    read_cookie(line, sizeof(line));
    ck_assert_int_ne(strncmp(line, bearer + 7, 64), 0);
    ck_assert(!auth_check(second, bearer, &who));
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 07777, 0600);
    ck_assert_int_eq(stat(left, &st), -1);
    auth_free(second);
    free(left);
    free(path);
}
END_TEST

START_TEST(a_cookie_that_cannot_be_written_is_an_error)
{
    struct auth *none = NULL;
    struct err err;

    ck_assert_int_eq(auth_create("/nonexistent", NULL, 0, &none, &err), ERR_IO);
    ck_assert_ptr_null(none);
    ck_assert_ptr_nonnull(strstr(err.msg, "/nonexistent/rpc.cookie.part"));
}
END_TEST

START_TEST(only_the_token_is_the_token)
{
    char other[120];

    ck_assert(auth_check(auth, bearer, &who));
    ck_assert_int_eq(who.role, RPC_ROLE_ADMIN);
    ck_assert_str_eq(who.name, "cookie");
    (void)snprintf(other, sizeof(other), "bearer %s", bearer + 7);
    ck_assert(auth_check(auth, other, &who));
    ck_assert(!auth_check(auth, NULL, &who));
    ck_assert(!auth_check(auth, "", &who));
    ck_assert(!auth_check(auth, "Bearer ", &who));
    ck_assert(!auth_check(auth, bearer + 7, &who));
    (void)snprintf(other, sizeof(other), "%s0", bearer);
    ck_assert(!auth_check(auth, other, &who));
    (void)snprintf(other, sizeof(other), "%.70s", bearer);
    ck_assert(!auth_check(auth, other, &who));
    (void)snprintf(other, sizeof(other), "Basic %s", bearer + 7);
    ck_assert(!auth_check(auth, other, &who));
    (void)snprintf(other, sizeof(other), "%s", bearer);
    other[70] = other[70] == '0' ? '1' : '0';
    ck_assert(!auth_check(auth, other, &who));
}
END_TEST

/* A token's text as cairn token create makes them, and its hash. */
static void make_token(struct rpc_token *t, const char *name, enum rpc_role role,
                       const char *text)
{
    *t = (struct rpc_token){.name = name, .role = role};
    ck_assert_int_eq(
        crypto_generichash(t->hash, 32, (const uint8_t *)text, strlen(text), NULL, 0),
        0);
}

START_TEST(configured_tokens_have_their_role)
{
    static const uint8_t blake2b_abc[32] = {
        0xbd, 0xdd, 0x81, 0x3c, 0x63, 0x42, 0x39, 0x72, 0x31, 0x71, 0xef,
        0x3f, 0xee, 0x98, 0x57, 0x9b, 0x94, 0x96, 0x4e, 0x3b, 0xb1, 0xcb,
        0x3e, 0x42, 0x72, 0x62, 0xc8, 0xc0, 0x68, 0xd5, 0x23, 0x19};
    struct rpc_token tokens[3];
    struct auth *own;
    char line[80], text[100];

    make_token(&tokens[0], "grafana", RPC_ROLE_READ, "abc");
    ck_assert_int_eq(memcmp(tokens[0].hash, blake2b_abc, 32), 0);
    make_token(&tokens[1], "deploy", RPC_ROLE_ADMIN, "second");
    make_token(&tokens[2], "last", RPC_ROLE_READ, "third");
    ASSERT_OK(auth_create(dir, tokens, 3, &own, &test_err));
    ck_assert(auth_check(own, "Bearer abc", &who));
    ck_assert_str_eq(who.name, "grafana");
    ck_assert_int_eq(who.role, RPC_ROLE_READ);
    ck_assert(auth_check(own, "Bearer second", &who));
    ck_assert_str_eq(who.name, "deploy");
    ck_assert_int_eq(who.role, RPC_ROLE_ADMIN);
    ck_assert(auth_check(own, "Bearer third", &who));
    ck_assert_str_eq(who.name, "last");
    ck_assert(!auth_check(own, "Bearer abcd", &who));
    ck_assert(!auth_check(own, "Bearer ab", &who));
    ck_assert(!auth_check(own, "Bearer ", &who));
    ck_assert(!auth_check(own, bearer, &who)); /* the cookie of before */
    read_cookie(line, sizeof(line));
    (void)snprintf(text, sizeof(text), "Bearer %.64s", line);
    ck_assert(auth_check(own, text, &who));
    ck_assert_str_eq(who.name, "cookie");
    auth_free(own);
}
END_TEST

START_TEST(tokens_are_no_more_than_there_is_room_for)
{
    struct rpc_token many[RPC_TOKENS_MAX + 1] = {{.name = "x"}};
    struct auth *none = NULL;
    struct err err;

    ck_assert_int_eq(auth_create(dir, many, RPC_TOKENS_MAX + 1, &none, &err),
                     ERR_INVALID);
    ck_assert_ptr_null(none);
}
END_TEST

START_TEST(only_loopback_names_are_hosts)
{
    static const char *const good[] = {"localhost",   "LocalHost:8645",  "127.0.0.1",
                                       "127.0.0.1:1", "127.9.8.7:65535", "[::1]",
                                       "[::1]:8645"};
    static const char *const bad[] = {"",
                                      ":8645",
                                      "example.org",
                                      "localhost.example.org",
                                      "127.0.0.1.example.org",
                                      "128.0.0.1",
                                      "10.0.0.1:8645",
                                      "0.0.0.0",
                                      "127.1",
                                      "2130706433",
                                      "[::2]:1",
                                      "[::1]8645",
                                      "[::1",
                                      "::1",
                                      "localhost:",
                                      "localhost:x",
                                      "localhost:123456",
                                      "localhost:80:80",
                                      "127.0.0.1 ",
                                      " localhost",
                                      "localhost/"};

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        ck_assert_msg(admit_host(good[i]), "%s", good[i]);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_msg(!admit_host(bad[i]), "%s", bad[i]);
}
END_TEST

START_TEST(a_length_is_a_number)
{
    size_t len = 5;

    ck_assert(admit_length(NULL, &len));
    ck_assert_uint_eq(len, 0);
    ck_assert(admit_length("0", &len));
    ck_assert_uint_eq(len, 0);
    ck_assert(admit_length("67108864", &len));
    ck_assert_uint_eq(len, ADMIT_BODY_MAX);
    ck_assert(admit_length("18446744073709551617", &len)); /* 2^64 + 1 */
    ck_assert_uint_gt(len, ADMIT_BODY_MAX);
    ck_assert(!admit_length("", &len));
    ck_assert(!admit_length("-1", &len));
    ck_assert(!admit_length("1 ", &len));
    ck_assert(!admit_length("0x10", &len));
}
END_TEST

/* A good call, and what each change to its head makes of it. */
static struct admit_head good(void)
{
    return (struct admit_head){
        .method = "POST",
        .path = "/rpc",
        .host = "127.0.0.1:8645",
        .authorization = bearer,
        .content_type = "application/json",
        .content_length = "10",
    };
}

#define ASSERT_FAULT(want, ...)                                  \
    do {                                                         \
        struct admit_head h = good();                            \
        struct admitted to_;                                     \
        __VA_ARGS__;                                             \
        ck_assert_int_eq(admit_request(auth, &h, &to_), (want)); \
    } while (0)

START_TEST(each_fault_has_its_answer)
{
    struct admitted to;
    struct admit_head head = good();

    ck_assert_int_eq(admit_request(auth, &head, &to), FAULT_NONE);
    ck_assert_int_eq(to.path, ADMIT_RPC);
    ck_assert_uint_eq(to.body_len, 10);
    ck_assert_int_eq(to.caller.role, RPC_ROLE_ADMIN);
    ck_assert_str_eq(to.caller.name, "cookie");
    ASSERT_FAULT(FAULT_HOST, h.host = NULL);
    ASSERT_FAULT(FAULT_HOST, h.host = "evil.example");
    ASSERT_FAULT(FAULT_ORIGIN, h.origin = "http://evil.example");
    ASSERT_FAULT(FAULT_ORIGIN, h.origin = "null");
    ASSERT_FAULT(FAULT_ORIGIN, h.origin = "http://127.0.0.1:8646");
    ASSERT_FAULT(FAULT_ORIGIN, h.origin = "https://127.0.0.1:8645");
    ASSERT_FAULT(FAULT_NONE, h.origin = "http://127.0.0.1:8645");
    ASSERT_FAULT(FAULT_TOKEN, h.authorization = NULL);
    ASSERT_FAULT(FAULT_TOKEN, h.authorization = NULL; h.path = "/nothing");
    ASSERT_FAULT(FAULT_TOKEN, h.authorization = NULL; h.content_length = "99999999");
    ASSERT_FAULT(FAULT_PATH, h.path = "/nothing");
    ASSERT_FAULT(FAULT_PATH, h.path = "/rpc/");
    ASSERT_FAULT(FAULT_PATH, h.path = "/");
    ASSERT_FAULT(FAULT_VERB, h.method = "GET");
    ASSERT_FAULT(FAULT_VERB, h.method = "HEAD");
    ASSERT_FAULT(FAULT_VERB, h.method = "OPTIONS");
    ASSERT_FAULT(FAULT_VERB, h.path = "/metrics");
    ASSERT_FAULT(FAULT_VERB, h.path = "/healthz"; h.authorization = NULL);
    ASSERT_FAULT(FAULT_MEDIA_TYPE, h.content_type = NULL);
    ASSERT_FAULT(FAULT_MEDIA_TYPE, h.content_type = "text/plain");
    ASSERT_FAULT(FAULT_MEDIA_TYPE, h.content_type = "application/jsonx");
    ASSERT_FAULT(FAULT_NONE, h.content_type = "Application/JSON; charset=utf-8");
    ASSERT_FAULT(FAULT_LENGTH, h.content_length = NULL);
    ASSERT_FAULT(FAULT_LENGTH, h.content_length = "x");
    ASSERT_FAULT(FAULT_LENGTH, h.transfer_encoding = "chunked");
    ASSERT_FAULT(FAULT_NONE, h.content_length = "67108864");
    ASSERT_FAULT(FAULT_TOO_LARGE, h.content_length = "67108865");
    ASSERT_FAULT(FAULT_HOST, h.path = "/healthz"; h.method = "GET";
                 h.host = "x.example");
}
END_TEST

START_TEST(only_healthz_needs_no_token)
{
    static const struct {
        const char *path;
        enum fault without;
    } cases[] = {
        {"/healthz", FAULT_NONE},
        {"/readyz", FAULT_TOKEN},
        {"/metrics", FAULT_TOKEN},
        {"/openapi.yaml", FAULT_TOKEN},
        {"/api/v1/audit.ndjson", FAULT_TOKEN},
        {"/api/v1/status", FAULT_TOKEN},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ASSERT_FAULT(cases[i].without, h.path = cases[i].path; h.method = "GET";
                     h.authorization = NULL);
        ASSERT_FAULT(FAULT_NONE, h.path = cases[i].path; h.method = "GET");
        ASSERT_FAULT(FAULT_NONE, h.path = cases[i].path; h.method = "HEAD");
        ASSERT_FAULT(FAULT_VERB, h.path = cases[i].path; h.method = "POST");
    }
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("admit");
    TCase *t = tcase_create("admit");

    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_add_test(t, the_cookie_is_private_and_new_each_time);
    tcase_add_test(t, a_cookie_that_cannot_be_written_is_an_error);
    tcase_add_test(t, only_the_token_is_the_token);
    tcase_add_test(t, configured_tokens_have_their_role);
    tcase_add_test(t, tokens_are_no_more_than_there_is_room_for);
    tcase_add_test(t, only_loopback_names_are_hosts);
    tcase_add_test(t, a_length_is_a_number);
    tcase_add_test(t, each_fault_has_its_answer);
    tcase_add_test(t, only_healthz_needs_no_token);
    suite_add_tcase(s, t);
    return s;
}
