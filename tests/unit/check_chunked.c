#include <sys/stat.h>

#include "base/pack.h"
#include "sync/snapshot/chunked.h"
#include "tests/unit/payload_kit.h"

/* Stock's chunked snapshots, put together and read as the payloads that they are. */

static struct pk p;
static char dir[160];

static void setup(void)
{
    pk_init(&p);
    (void)snprintf(dir, sizeof(dir), "%s/chunks", p.dir);
    ck_assert_int_eq(mkdir(dir, 0700), 0);
}

static void teardown(void)
{
    DIR *d = opendir(dir);
    struct dirent *e;

    while ((e = readdir(d)) != NULL) { /* NOLINT(concurrency-mt-unsafe) */
        AUTOFREE char *path = xasprintf("%s/%s", dir, e->d_name);

        (void)unlink(path);
    }
    (void)closedir(d);
    ck_assert_int_eq(rmdir(dir), 0);
    pk_fini(&p);
}

static enum errc join(const char *from)
{
    return chunked_join(from, p.payload, p.limits.max_bytes, NULL, &p.err);
}

static char *fixture(const char *kind)
{
    return xasprintf("%s/chunked/%s/height_230_00006a47", TEST_DATA, kind);
}

START_TEST(every_way_to_cut_it_gives_the_same_payload)
{
    static const char *const kinds[] = {"gzip_4096", "plain_1000", "gzip_1000000"};

    for (size_t i = 0; i < 3; i++) {
        AUTOFREE char *from = fixture(kinds[i]);

        ck_assert(chunked_is_dir(from));
        EXPECT_OK(&p, join(from));
        EXPECT_OK(&p, pk_ingest_file(&p, p.payload));
        ck_assert_uint_eq(p.result.bytes, 119298);
        ck_assert_uint_eq(p.result.meta.height, 230);
        ck_assert_str_eq(
            p.result.meta.state_hash,
            "3461290955b365898f26345cbf0ad6b98fdc233cbe98f26787b09c55c8eb56a0");
    }
    ck_assert(!chunked_is_dir(p.dir));
}
END_TEST

/* --- a directory to break --- */

static char *slurp(const char *from, const char *name, size_t *len)
{
    AUTOFREE char *path = xasprintf("%s/%s", from, name);
    char *bytes = xcalloc(1, 1U << 16);
    FILE *f = fopen(path, "rb");

    ck_assert_msg(f != NULL, "%s", path);
    *len = fread(bytes, 1, 1U << 16, f);
    (void)fclose(f);
    return bytes;
}

static void put_file(const char *name, const void *bytes, size_t len)
{
    AUTOFREE char *path = xasprintf("%s/%s", dir, name);
    FILE *f = fopen(path, "wb");

    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(bytes, 1, len, f), len);
    ck_assert_int_eq(fclose(f), 0);
}

static void copy_dir(void)
{
    AUTOFREE char *from = fixture("gzip_4096");
    DIR *d = opendir(from);
    struct dirent *e;

    while ((e = readdir(d)) != NULL) { /* NOLINT(concurrency-mt-unsafe) */
        size_t len;

        if (e->d_name[0] != '.') {
            AUTOFREE char *bytes = slurp(from, e->d_name, &len);

            put_file(e->d_name, bytes, len);
        }
    }
    (void)closedir(d);
}

static void expect_broken(const char *name, const char *from, const char *to,
                          enum reason reason)
{
    CLEANUP_BUF struct buf edited = BUF(1U << 17);
    size_t len;
    AUTOFREE char *text = slurp(dir, name, &len);
    char *at = strstr(text, from);

    ck_assert_msg(at != NULL, "%s", from);
    buf_put(&edited, text, (size_t)(at - text));
    buf_puts(&edited, to);
    buf_puts(&edited, at + strlen(from));
    put_file(name, edited.data, edited.len);
    ck_assert_int_ne(join(dir), ERR_OK);
    ck_assert_msg(p.err.reason == reason, "%s: %s: %s", to, reason_code(p.err.reason),
                  p.err.msg);
    put_file(name, text, len);
}

START_TEST(a_description_that_contradicts_itself_is_refused)
{
    static const char m[] = "metadata.json";

    copy_dir();
    EXPECT_OK(&p, join(dir));
    expect_broken(m, "height_230_", "height_231_", REASON_METADATA_MALFORMED);
    expect_broken(m, "height_230_00006a47\"", "../etc\"", REASON_METADATA_MALFORMED);
    expect_broken(m, "\"total_chunks\": 30", "\"total_chunks\": 31",
                  REASON_METADATA_MALFORMED);
    expect_broken(m, "\"total_chunks\": 30", "\"total_chunks\": 0",
                  REASON_METADATA_MALFORMED);
    expect_broken(m, "\"total_chunks\": 30", "\"total_chunks\": 29",
                  REASON_METADATA_MALFORMED);
    expect_broken(m, "\"chunk_size\": 4096", "\"chunk_size\": 4096.0",
                  REASON_METADATA_MALFORMED);
    expect_broken(m, "\"chunk_size\": 4096", "\"chunk_size\": 99999999999",
                  REASON_METADATA_MALFORMED);
    expect_broken(m, "\"state_hash\": \"3", "\"state_hash\": \"x",
                  REASON_METADATA_MALFORMED);
    expect_broken(m, "\"compression_enabled\": true", "\"compression_enabled\": 1",
                  REASON_METADATA_MALFORMED);
    expect_broken(m, "{", "[", REASON_METADATA_MALFORMED);
    p.limits.max_bytes = 119297;
    ck_assert_int_ne(join(dir), ERR_OK);
    ck_assert_int_eq(p.err.reason, REASON_PAYLOAD_TOO_LARGE);
}
END_TEST

START_TEST(a_chunk_that_is_not_its_checksum_is_refused)
{
    size_t len;

    copy_dir();
    expect_broken("chunk_000007.json", "\"chunk_index\": 7", "\"chunk_index\": 8",
                  REASON_METADATA_MALFORMED);
    expect_broken("chunk_000007.json", "\"checksum\": \"", "\"checksum\": \"0",
                  REASON_METADATA_MALFORMED);
    {
        AUTOFREE char *other = slurp(dir, "chunk_000008.bin", &len);
        AUTOFREE char *right = slurp(dir, "chunk_000007.bin", &len);

        put_file("chunk_000007.bin", other, len);
        ck_assert_int_eq(join(dir), ERR_NET);
        ck_assert_int_eq(p.err.reason, REASON_PEER_BAD_ANSWER);
        for (size_t cut = 1; cut < 40; cut++) {
            put_file("chunk_000007.bin", right, len - cut);
            ck_assert_int_eq(join(dir), ERR_NET);
            ck_assert_int_eq(p.err.reason, REASON_PEER_BAD_ANSWER);
        }
    }
}
END_TEST

START_TEST(a_missing_file_and_a_link_are_refused)
{
    AUTOFREE char *path = xasprintf("%s/chunk_000029.bin", dir);

    copy_dir();
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(join(dir), ERR_NET);
    EXPECT_SAYS(&p, "chunk_000029.bin");
    ck_assert_int_eq(symlink("chunk_000028.bin", path), 0);
    ck_assert_int_eq(join(dir), ERR_NET);
    ck_assert_int_eq(p.err.reason, REASON_SOURCE_UNREACHABLE);
}
END_TEST

/* 1:1000 and more: what gzip makes of nothing is not written anywhere. */
START_TEST(a_bomb_ends_at_the_size_of_the_chunk)
{
    CLEANUP_BUF struct buf packed = BUF(1U << 20), out = BUF(CHUNKED_CHUNK_MAX);
    AUTOFREE char *zeros = xcalloc(1, 8U << 20);
    struct chunked_meta m = {.chunks = 1, .chunk_size = 5000, .total_size = 5000};
    struct chunked_chunk chunk = {0};

    pack_gzip(zeros, 8U << 20, &packed);
    chunk.bytes = packed.data;
    chunk.len = packed.len;
    ASSERT_ERR(ERR_NET, chunked_open(&m, 0, &chunk, &out, &test_err));
    ck_assert_msg(strstr(test_err.msg, "over 5000 bytes") != NULL, "%s", test_err.msg);
    ck_assert_uint_le(out.cap, 1U << 17);
}
END_TEST

START_TEST(an_answer_has_the_description_inside)
{
    static const char text[] =
        "{\"snapshot\":{\"block_hash\":"
        "\"00006a4797a86f92dad3200dabbd4fc005230fd95f5d95eb71c00cd80f29b1b2\","
        "\"chunk_size\":1000000,\"compression_enabled\":false,\"height\":230,"
        "\"priority_map\":{\"0\":2},\"snapshot_id\":\"height_230_00006a47\","
        "\"state_hash\":"
        "\"3461290955b365898f26345cbf0ad6b98fdc233cbe98f26787b09c55c8eb56a0\","
        "\"timestamp\":1795332909.5,\"total_chunks\":1,\"total_size\":119298},"
        "\"status\":\"ok\"}\n";
    struct chunked_meta m, other;

    ASSERT_OK(chunked_meta_parse(text, sizeof(text) - 1, &m, &test_err));
    ck_assert_str_eq(m.id, "height_230_00006a47");
    ck_assert_uint_eq(m.total_size, 119298);
    ck_assert_uint_eq(chunked_size(&m, 0), 119298);
    other = m;
    ck_assert(chunked_meta_same(&m, &other));
    other.chunk_size--;
    ck_assert(!chunked_meta_same(&m, &other));
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("chunked");
    TCase *t = tcase_create("chunked");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, every_way_to_cut_it_gives_the_same_payload);
    tcase_add_test(t, a_description_that_contradicts_itself_is_refused);
    tcase_add_test(t, a_chunk_that_is_not_its_checksum_is_refused);
    tcase_add_test(t, a_missing_file_and_a_link_are_refused);
    tcase_add_test(t, a_bomb_ends_at_the_size_of_the_chunk);
    tcase_add_test(t, an_answer_has_the_description_inside);
    suite_add_tcase(s, t);
    return s;
}
