#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "sync/publish/publish_latest.h"
#include "sync/publish/s3keys.h"
#include "sync/publish/s3upload.h"
#include "sync/publish/s3xml.h"
#include "tests/unit/test.h"

Suite *suite(void);

/* --- XML --- */

static struct s3xml *read_xml(const char *text)
{
    struct s3xml *x = NULL;

    ASSERT_OK(s3xml_read(text, strlen(text), &x, &test_err));
    return x;
}

START_TEST(an_error_is_read)
{
    CLEANUP(s3xml_free)
    struct s3xml *x = read_xml("<?xml version='1.0' encoding='UTF-8'?>\n<Error>"
                               "<Code>NoSuchBucket</Code><Message>a &amp; b</Message>"
                               "<Detail><Code>inner</Code></Detail></Error>");

    ck_assert_str_eq(x->root, "Error");
    ck_assert_str_eq(x->code, "NoSuchBucket");
    ck_assert_str_eq(x->message, "a & b");
}
END_TEST

START_TEST(parts_are_read_whatever_the_namespace_is_called)
{
    CLEANUP(s3xml_free)
    struct s3xml *x = read_xml(
        "<s3:ListPartsResult xmlns:s3='http://s3.amazonaws.com/doc/2006-03-01/'>"
        "<s3:UploadId>u</s3:UploadId><s3:IsTruncated>true</s3:IsTruncated>"
        "<s3:NextPartNumberMarker>7</s3:NextPartNumberMarker>"
        "<s3:Part><s3:PartNumber>2</s3:PartNumber><s3:ETag>&quot;a&quot;</s3:ETag>"
        "<s3:Size>5242880</s3:Size><s3:LastModified>x</s3:LastModified></s3:Part>"
        "<s3:Part><s3:Size>0</s3:Size><s3:ETag>b</s3:ETag>"
        "<s3:PartNumber>10000</s3:PartNumber></s3:Part></s3:ListPartsResult>");

    ck_assert_str_eq(x->root, "ListPartsResult");
    ck_assert_str_eq(x->upload_id, "u");
    ck_assert(x->is_truncated);
    ck_assert_uint_eq(x->next_part, 7);
    ck_assert_uint_eq(x->part_count, 2);
    ck_assert_uint_eq(x->parts[0].number, 2);
    ck_assert_str_eq(x->parts[0].etag, "\"a\"");
    ck_assert_uint_eq(x->parts[0].bytes, 5242880);
    ck_assert_uint_eq(x->parts[1].number, 10000);
}
END_TEST

#define PART(number, etag, size)                                                \
    "<Part><PartNumber>" number "</PartNumber><ETag>" etag "</ETag><Size>" size \
    "</Size"                                                                    \
    "></Part>"

static const struct {
    const char *text, *why;
} bad_xml[] = {
    {"", "no element"},
    {"plain", "syntax error"},
    {"<a></b>", "mismatched"},
    {"<a/>x", "junk"},
    {"<a/><b/>", "junk"},
    {"<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>", "document type"},
    {"<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>", "document type"},
    {"<a>&x;</a>", "undefined entity"},
    {"<a>\xff</a>", "not well-formed"},
    {"<a><a><a><a><a><a><a><a><a/></a></a></a></a></a></a></a></a>", "too deep"},
    {"<a><Code>1</Code><Code>2</Code></a>", "twice"},
    {"<a><UploadId>1</UploadId><UploadId>1</UploadId></a>", "twice"},
    {"<a>" PART("0", "x", "1") "</a>", "a part is incomplete"},
    {"<a>" PART("10001", "x", "1") "</a>", "too large"},
    {"<a>" PART("1", "x", "9223372036854775808") "</a>", "too large"},
    {"<a>" PART("1", "x", "-1") "</a>", "too large"},
    {"<a>" PART("1", "", "1") "</a>", "ETag"},
    {"<a>" PART("1", "a b", "1") "</a>", "ETag"},
    {"<a>" PART("1", "a\"b", "1") "</a>", "ETag"},
    {"<a>" PART("1", "&lt;", "1") "</a>", "ETag"},
    {"<a>" PART("2", "x", "1") PART("2", "x", "1") "</a>", "out of order"},
    {"<a>" PART("2", "x", "1") PART("1", "x", "1") "</a>", "out of order"},
    {"<a><Part><ETag>x</ETag><Size>1</Size></Part></a>", "incomplete"},
};

START_TEST(other_xml_is_refused)
{
    struct s3xml *x = NULL;

    ASSERT_ERR(ERR_NET,
               s3xml_read(bad_xml[_i].text, strlen(bad_xml[_i].text), &x, &test_err));
    ck_assert_int_eq((int)test_err.reason, REASON_STORE_BAD_ANSWER);
    ck_assert_msg(strstr(test_err.msg, bad_xml[_i].why), "%s: %s", bad_xml[_i].text,
                  test_err.msg);
    ck_assert_ptr_null(x);
}
END_TEST

START_TEST(long_members_and_texts_are_refused)
{
    CLEANUP_BUF struct buf text = BUF(S3XML_MAX + 1000);
    struct s3xml *x = NULL;

    buf_puts(&text, "<a><Code>");
    for (int i = 0; i < S3XML_TEXT_MAX; i++)
        buf_puts(&text, "x");
    buf_puts(&text, "</Code></a>");
    ASSERT_OK(s3xml_read(text.data, text.len, &x, &test_err));
    ck_assert_uint_eq(strlen(x->code), S3XML_TEXT_MAX);
    s3xml_free(TAKE(x));
    text.len -= strlen("</Code></a>");
    buf_puts(&text, "x</Code></a>");
    ASSERT_ERR(ERR_NET, s3xml_read(text.data, text.len, &x, &test_err));
    while (text.len <= S3XML_MAX)
        buf_puts(&text, "                                                      ");
    ASSERT_ERR(ERR_NET, s3xml_read(text.data, text.len, &x, &test_err));
    ck_assert(strstr(test_err.msg, "over 2 MiB"));
}
END_TEST

/* --- targets --- */

START_TEST(urls_are_made_in_both_styles)
{
    CLEANUP(s3target_free) struct s3target *t = NULL;
    AUTOFREE char *key = NULL, *path = NULL, *host = NULL;

    ASSERT_OK(s3target_create("https://s3.example:9000", "eu-1", "a-bucket", "x/y", &t,
                              &test_err));
    key = s3target_key(t, "latest.json");
    host = s3target_url(t, key, "");
    t->path_style = true;
    path = s3target_url(t, key, "uploads=");
    ck_assert_str_eq(key, "x/y/latest.json");
    ck_assert_str_eq(host, "https://a-bucket.s3.example:9000/x/y/latest.json");
    ck_assert_str_eq(path, "https://s3.example:9000/a-bucket/x/y/latest.json?uploads=");
}
END_TEST

START_TEST(without_a_prefix_a_name_is_the_key)
{
    CLEANUP(s3target_free) struct s3target *t = NULL;
    AUTOFREE char *key = NULL;

    ASSERT_OK(s3target_create("http://h", "r", "abc", NULL, &t, &test_err));
    key = s3target_key(t, "latest.json");
    ck_assert_str_eq(key, "latest.json");
}
END_TEST

START_TEST(queries_are_encoded_as_signatures_want)
{
    AUTOFREE char *text = s3target_encode("aZ09-._~/+= \xc3\xa9&");
    AUTOFREE char *nothing = s3target_encode("");

    ck_assert_str_eq(text, "aZ09-._~%2F%2B%3D%20%C3%A9%26");
    ck_assert_str_eq(nothing, "");
}
END_TEST

static const struct {
    const char *endpoint, *region, *bucket, *prefix, *why;
} bad_targets[] = {
    {"ftp://h", "r", "abc", "", "endpoint"},
    {"h", "r", "abc", "", "endpoint"},
    {"http://u:p@h", "r", "abc", "", "endpoint"},
    {"http://h/", "r", "abc", "", "endpoint"},
    {"http://h?x", "r", "abc", "", "endpoint"},
    {"http://h", "", "abc", "", "region"},
    {"http://h", "a:b", "abc", "", "region"},
    {"http://h", "r", "ab", "", "bucket"},
    {"http://h", "r", "Abc", "", "bucket"},
    {"http://h", "r", ".abc", "", "bucket"},
    {"http://h", "r", "a..b", "", "bucket"},
    {"http://h", "r", "a/b", "", "bucket"},
    {"http://h", "r", "abc", "/a", "prefix"},
    {"http://h", "r", "abc", "a/", "prefix"},
    {"http://h", "r", "abc", "a//b", "prefix"},
    {"http://h", "r", "abc", "a/../b", "prefix"},
    {"http://h", "r", "abc", ".", "prefix"},
    {"http://h", "r", "abc", "a b", "prefix"},
    {"http://h", "r", "abc", "a%2f", "prefix"},
};

START_TEST(other_targets_are_refused)
{
    struct s3target *t = NULL;

    ASSERT_ERR(ERR_INVALID,
               s3target_create(bad_targets[_i].endpoint, bad_targets[_i].region,
                               bad_targets[_i].bucket, bad_targets[_i].prefix, &t,
                               &test_err));
    ck_assert_msg(strstr(test_err.msg, bad_targets[_i].why), "%s", test_err.msg);
    ck_assert_ptr_null(t);
}
END_TEST

/* --- credentials --- */

static enum errc read_keys(const char *text, mode_t mode, struct s3keys **out)
{
    char path[] = "/tmp/check_s3-XXXXXX";
    int fd = mkstemp(path);
    enum errc rc;

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq((int)write(fd, text, strlen(text)), (int)strlen(text));
    ck_assert_int_eq(fchmod(fd, mode), 0);
    (void)close(fd);
    rc = s3keys_read(path, out, &test_err);
    (void)unlink(path);
    ck_assert_ptr_null(strstr(test_err.msg, "hush"));
    return rc;
}

START_TEST(a_private_file_of_credentials_is_read)
{
    CLEANUP(s3keys_free) struct s3keys *k = NULL;

    ASSERT_OK(read_keys("# mine\n\n[default]\r\n aws_access_key_id = AKIA \n"
                        "AWS_SECRET_ACCESS_KEY=a/b+c==\nAws_Session_Token=t",
                        0600, &k));
    ck_assert_str_eq(k->id, "AKIA");
    ck_assert_str_eq(k->secret, "a/b+c==");
    ck_assert_str_eq(k->token, "t");
}
END_TEST

#define BOTH "aws_access_key_id=AKIA\naws_secret_access_key=hush\n"

static const struct {
    const char *text;
    mode_t mode;
    const char *why;
} bad_files[] = {
    {BOTH, 0640, "chmod 600"},
    {BOTH, 0604, "chmod 600"},
    {"", 0600, "wants AWS_ACCESS_KEY_ID"},
    {"aws_access_key_id=AKIA\n", 0600, "wants AWS_ACCESS_KEY_ID"},
    {"aws_secret_access_key=hush\n", 0600, "wants AWS_ACCESS_KEY_ID"},
    {BOTH "aws_secret_access_key=hush\n", 0600, "line 3"},
    {BOTH "[other]\n", 0600, "line 3"},
    {BOTH "hush\n", 0600, "line 3"},
    {BOTH "region=hush\n", 0600, "line 3"},
    {"aws_access_key_id=A B\n", 0600, "line 1"},
    {"aws_access_key_id=\n", 0600, "line 1"},
};

START_TEST(other_files_of_credentials_are_refused)
{
    struct s3keys *k = NULL;

    ASSERT_ERR(ERR_INVALID, read_keys(bad_files[_i].text, bad_files[_i].mode, &k));
    ck_assert_msg(strstr(test_err.msg, bad_files[_i].why), "%s", test_err.msg);
    ck_assert_ptr_null(k);
}
END_TEST

START_TEST(the_environment_gives_both_or_none)
{
    static const char *const both[] = {"PATH=/bin", "AWS_ACCESS_KEY_ID=AKIA",
                                       "AWS_SECRET_ACCESS_KEY=hush", NULL};
    static const char *const one[] = {"AWS_ACCESS_KEY_ID=AKIA",
                                      "AWS_SECRET_ACCESS_KEY=", NULL};
    static const char *const none[] = {"AWS_ACCESS_KEY_ID=", "X", NULL};
    CLEANUP(s3keys_free) struct s3keys *k = NULL;
    struct s3keys *other = NULL;

    ASSERT_OK(s3keys_from_environment(both, &k, &test_err));
    ck_assert_str_eq(k->secret, "hush");
    ck_assert_str_eq(k->token, "");
    ASSERT_ERR(ERR_INVALID, s3keys_from_environment(one, &other, &test_err));
    ASSERT_ERR(ERR_NOTFOUND, s3keys_from_environment(none, &other, &test_err));
}
END_TEST

/* --- parts, and what is latest --- */

START_TEST(an_object_of_any_size_has_ten_thousand_parts_at_most)
{
    const uint64_t mib = 1 << 20, sizes[] = {1, 8 * mib, 80000 * mib, (5 * mib) << 20};

    for (size_t i = 0; i < 4; i++) {
        uint64_t part = s3upload_part_bytes(sizes[i]);

        ck_assert_uint_ge(part, 5 * mib);
        ck_assert_uint_le((sizes[i] + part - 1) / part, S3XML_PARTS_MAX);
    }
    ck_assert_uint_eq(s3upload_part_bytes(8 * mib), 8 * mib);
}
END_TEST

#define ID "200-0123456789abcdef"
#define LATEST(h, m) \
    "{\"format\":\"cairn-latest-1\",\"height\":" h ",\"manifest\":\"" m "\"}"

START_TEST(latest_is_read_as_it_is_written)
{
    const char *text = LATEST("200", ID "/manifest.json");
    CLEANUP_BUF struct buf again = BUF(PUBLISH_LATEST_MAX);
    struct publish_latest l;

    ASSERT_OK(publish_latest_parse(text, strlen(text), &l, &test_err));
    ck_assert_uint_eq(l.height, 200);
    ck_assert_str_eq(l.id, ID);
    publish_latest_write(&l, &again);
    ck_assert_str_eq(again.data, text);
}
END_TEST

static const char *const bad_latest[] = {
    "",
    "{}",
    "null",
    LATEST("200", ID "/manifest.json") "\n",
    LATEST("200", "../" ID "/manifest.json"),
    LATEST("200", "http://h/manifest.json"),
    LATEST("200", ID "/manifest.json?x"),
    LATEST("200", ID "x/manifest.json"),
    LATEST("200", "/manifest.json"),
    LATEST("200.0", ID "/manifest.json"),
    LATEST("-1", ID "/manifest.json"),
    LATEST(" 200", ID "/manifest.json"),
    LATEST("201", ID "/manifest.json"),
};

START_TEST(any_other_latest_is_refused)
{
    struct publish_latest l;

    ASSERT_ERR(ERR_VERIFY, publish_latest_parse(bad_latest[_i], strlen(bad_latest[_i]),
                                                &l, &test_err));
    ck_assert_int_eq((int)test_err.reason, REASON_METADATA_MALFORMED);
}
END_TEST

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

Suite *suite(void)
{
    Suite *s = suite_create("s3");
    TCase *t = tcase_create("s3");

    tcase_add_test(t, an_error_is_read);
    tcase_add_test(t, parts_are_read_whatever_the_namespace_is_called);
    tcase_add_loop_test(t, other_xml_is_refused, 0, COUNT(bad_xml));
    tcase_add_test(t, long_members_and_texts_are_refused);
    tcase_add_test(t, urls_are_made_in_both_styles);
    tcase_add_test(t, without_a_prefix_a_name_is_the_key);
    tcase_add_test(t, queries_are_encoded_as_signatures_want);
    tcase_add_loop_test(t, other_targets_are_refused, 0, COUNT(bad_targets));
    tcase_add_test(t, a_private_file_of_credentials_is_read);
    tcase_add_loop_test(t, other_files_of_credentials_are_refused, 0, COUNT(bad_files));
    tcase_add_test(t, the_environment_gives_both_or_none);
    tcase_add_test(t, an_object_of_any_size_has_ten_thousand_parts_at_most);
    tcase_add_test(t, latest_is_read_as_it_is_written);
    tcase_add_loop_test(t, any_other_latest_is_refused, 0, COUNT(bad_latest));
    if (sodium_init() < 0)
        abort();
    suite_add_tcase(s, t);
    return s;
}
