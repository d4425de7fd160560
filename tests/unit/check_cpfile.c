#include <fcntl.h>
#include <sys/stat.h>

#include "base/fernet.h"
#include "base/inflate.h"
#include "sync/snapshot/cpfile.h"
#include "tests/unit/payload_kit.h"

/* A stock node's checkpoint files become payloads with the state_hash that stock gives
   the same data. */

static struct pk p;
static char part[96], key_path[96], source[512];

/* of the fixtures: bytes 00 to 1f */
static const char right_key[] = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

static void write_file(const char *path, const void *bytes, size_t len)
{
    FILE *f = fopen(path, "wb");

    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(bytes, 1, len, f), len);
    ck_assert_int_eq(fclose(f), 0);
}

static void setup(void)
{
    pk_init(&p);
    (void)snprintf(part, sizeof(part), "%s/part.json", p.dir);
    (void)snprintf(key_path, sizeof(key_path), "%s/key", p.dir);
    write_file(key_path, right_key, strlen(right_key));
}

static void teardown(void)
{
    (void)unlink(part);
    (void)unlink(key_path);
    pk_fini(&p);
}

static enum errc convert(const char *path, const char *key)
{
    const struct cpfile_options opt = {.key_path = key,
                                       .network = "testnet",
                                       .limits = &p.limits,
                                       .out = {part, p.coins, p.idx, p.dir},
                                       .progress = &p.progress};
    enum errc rc = cpfile_convert(path, &opt, &p.err);

    ck_assert_int_eq(access(part, F_OK) == 0, rc == ERR_OK);
    ck_assert_int_ne(access(p.coins, F_OK), 0);
    return rc;
}

static const char *fixture(const char *name)
{
    (void)snprintf(source, sizeof(source), "%s/checkpoint/%s", TEST_DATA, name);
    return source;
}

START_TEST(files_have_the_states_of_the_payloads_at_their_heights)
{
    static const struct {
        const char *file, *state_hash;
        uint64_t height, unspent;
    } cases[] = {
        {"cp_50.plain.json",
         "9fbe349b76f4946d25ab10c11993ce5a1b0a7a299a3231b99a3e10dd4412cd75", 50, 153},
        {"cp_50.encrypted.json",
         "9fbe349b76f4946d25ab10c11993ce5a1b0a7a299a3231b99a3e10dd4412cd75", 50, 153},
        {"cp_200.plain.json",
         "905b0d16216e83fc772b9ba56a1c799e07f7a99b719fd8c7ade12ff1e6c8342a", 200, 634},
        {"cp_200.encrypted.json",
         "905b0d16216e83fc772b9ba56a1c799e07f7a99b719fd8c7ade12ff1e6c8342a", 200, 634},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ck_assert(cpfile_is(fixture(cases[i].file)));
        EXPECT_OK(&p, convert(source, key_path));
        ck_assert(!cpfile_is(part));
        EXPECT_OK(&p, pk_ingest_file(&p, part));
        ck_assert_str_eq(p.result.meta.state_hash, cases[i].state_hash);
        ck_assert_uint_eq(p.result.meta.height, cases[i].height);
        ck_assert_uint_eq(p.result.unspent, cases[i].unspent);
        ck_assert(!p.result.meta.has_signature && !p.result.meta.has_work);
    }
    ck_assert(!cpfile_is(fixture("payload_50.json")));
    ck_assert(!cpfile_is("/dev/null"));
}
END_TEST

START_TEST(an_encrypted_one_wants_its_key)
{
    static const char other[] = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh4=\n";

    EXPECT_REASON(&p, PAYLOAD_MALFORMED,
                  convert(fixture("cp_50.encrypted.json"), NULL));
    EXPECT_SAYS(&p, "checkpoint.file_key is not set");
    write_file(key_path, "not a key\n", 10);
    EXPECT_REASON(&p, PAYLOAD_MALFORMED, convert(source, key_path));
    EXPECT_SAYS(&p, "no Fernet key");
    write_file(key_path, other, sizeof(other) - 1); /* its AES half: text is no zlib */
    EXPECT_REASON(&p, PAYLOAD_MALFORMED, convert(source, key_path));
    write_file(key_path, right_key + 4, 40);
    EXPECT_REASON(&p, PAYLOAD_MALFORMED, convert(source, key_path));
}
END_TEST

/* Nothing of the token is unproven. */
START_TEST(a_changed_character_of_the_token_is_found)
{
    size_t len, from, to;
    AUTOFREE char *text = pk_read("cp_50.encrypted.json", &len);
    char *data = strstr(text, "\"_data\": \"");

    ck_assert_ptr_nonnull(data);
    from = (size_t)(data - text) + strlen("\"_data\": \"");
    to = from + strcspn(text + from, "\"");
    for (size_t i = from; i < to; i += i < from + 80 || i + 80 > to ? 1 : 997) {
        char was = text[i];

        text[i] = was == 'B' ? 'C' : 'B';
        write_file(p.payload, text, len);
        EXPECT_REASON(&p, PAYLOAD_MALFORMED, convert(p.payload, key_path));
        text[i] = was;
    }
    text[to - 3] = '='; /* three of them are none */
    write_file(p.payload, text, len);
    EXPECT_REASON(&p, PAYLOAD_MALFORMED, convert(p.payload, key_path));
}
END_TEST

static void expect_edit(const char *from, const char *to, enum reason reason)
{
    CLEANUP_BUF struct buf edited = BUF(1U << 20);
    size_t len;
    AUTOFREE char *text = pk_read("cp_50.plain.json", &len);
    char *at = strstr(text, from);

    ck_assert_ptr_nonnull(at);
    buf_put(&edited, text, (size_t)(at - text));
    buf_puts(&edited, to);
    buf_puts(&edited, at + strlen(from));
    write_file(p.payload, edited.data, edited.len);
    ck_assert_int_eq(convert(p.payload, NULL), ERR_VERIFY);
    ck_assert_msg(p.err.reason == reason, "%s: %s", to, p.err.msg);
}

START_TEST(what_is_changed_around_the_coins_is_found)
{
    expect_edit("\"height\": 50", "\"height\": 51", REASON_PAYLOAD_HASH_MISMATCH);
    expect_edit("\"nonce\": 1", "\"nonce\": 2", REASON_PAYLOAD_HASH_MISMATCH);
    expect_edit("\"nonce\": 1", "\"nonce\": 1.0", REASON_PAYLOAD_HASH_MISMATCH);
    expect_edit("\"nonce\"", "\"once\"", REASON_PAYLOAD_MALFORMED);
    expect_edit("\"nonce\": 1", "\"nonce\": 1, \"nonce\": 1", REASON_PAYLOAD_MALFORMED);
    expect_edit("\"nonce\": 1", "\"nonce\": 1, \"utxo_snapshot\": {}",
                REASON_PAYLOAD_MALFORMED);
    expect_edit("\"checkpoint_hash\": \"7", "\"checkpoint_hash\": \"8",
                REASON_PAYLOAD_HASH_MISMATCH);
    expect_edit("\"total_utxos\": 153", "\"total_utxos\": 154", REASON_STATE_BOUNDS);
    expect_edit("\"total_utxos\": 153", "\"total_utxos\": ", REASON_PAYLOAD_MALFORMED);
    expect_edit("\"utxo_set\": {", "\"utxo_set\": {]", REASON_PAYLOAD_MALFORMED);
}
END_TEST

START_TEST(what_it_makes_is_bounded)
{
    size_t len;
    AUTOFREE char *text = pk_read("cp_50.plain.json", &len);

    p.limits.max_bytes = 20000; /* over the file's size, under its text's */
    EXPECT_REASON(&p, PAYLOAD_TOO_LARGE,
                  convert(fixture("cp_50.encrypted.json"), key_path));
    EXPECT_REASON(&p, PAYLOAD_TOO_LARGE, convert(fixture("cp_50.plain.json"), NULL));
    p.limits.max_bytes = 64U << 20;
    for (size_t cut = 1; cut < 600; cut += 7) {
        write_file(p.payload, text, len - cut);
        ck_assert_int_eq(convert(p.payload, NULL), ERR_VERIFY);
    }
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("cpfile");
    TCase *t = tcase_create("cpfile");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, files_have_the_states_of_the_payloads_at_their_heights);
    tcase_add_test(t, an_encrypted_one_wants_its_key);
    tcase_add_test(t, a_changed_character_of_the_token_is_found);
    tcase_add_test(t, what_is_changed_around_the_coins_is_found);
    tcase_add_test(t, what_it_makes_is_bounded);
    suite_add_tcase(s, t);
    return s;
}
