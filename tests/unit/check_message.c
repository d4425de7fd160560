#include <inttypes.h>

#include "base/hex.h"
#include "sync/p2p/message.h"
#include "tests/unit/p2p_kit.h"

static struct json_doc *document(const char *text)
{
    const struct json_limits limits = JSON_LIMITS_BLOCK;
    struct json_doc *doc = NULL;

    ASSERT_OK(json_parse(text, strlen(text), &limits, &doc, &test_err));
    return doc;
}

/* --- what a stock node sends --- */

/* The document of the payload of a captured frame, to be freed. */
static struct envelope opened(const char *file)
{
    CLEANUP(json_free) struct json_doc *index = lines_document("p2p/frames_index.json");
    struct envelope e = {0};

    for (const struct json *v = json_root(index)->first; v; v = v->next) {
        size_t len;
        AUTOFREE char *text = NULL;

        if (strcmp(text_of(v, "file"), file) != 0)
            continue;
        text = p2p_file(file, &len);
        ASSERT_OK(envelope_open(text, len, (int64_t)u64_of(v, "timestamp") * 1000, true,
                                &e, &test_err));
        return e;
    }
    ck_abort_msg("no frame %s", file);
}

static struct message parsed(const struct envelope *e)
{
    static struct message m;

    ASSERT_OK(message_parse(e->payload, &m, &test_err));
    return m;
}

START_TEST(every_captured_frame_has_its_type)
{
    CLEANUP(json_free) struct json_doc *index = lines_document("p2p/frames_index.json");

    for (const struct json *v = json_root(index)->first; v; v = v->next) {
        struct envelope e = opened(text_of(v, "file"));
        struct message m = parsed(&e);
        const char *type = text_of(v, "type");
        bool other = strcmp(type, "chain") == 0 || strcmp(type, "get_headers") == 0;

        ck_assert_str_eq(message_type_name(m.type), other ? "other" : type);
        if (m.type == MESSAGE_BLOCK)
            ck_assert_uint_gt(u64_of(m.u.block, "index"), 0);
        if (m.type == MESSAGE_INV) {
            char hex[65];

            ck_assert_uint_eq(m.u.inventory.count, 1);
            hex_encode(m.u.inventory.hashes[0], 32, hex);
            ck_assert_str_eq(
                hex, json_get(json_get(e.payload, "payload"), "blocks")->first->text);
        }
        envelope_fini(&e);
    }
}
END_TEST

START_TEST(captured_handshakes_say_what_they_say)
{
    struct envelope e = opened("000_recv.bin");
    struct message m = parsed(&e);

    ck_assert_str_eq(m.u.handshake.version, "1");
    ck_assert_str_eq(m.u.handshake.node_id, "6f95b5167ec8b288");
    ck_assert_str_eq(m.u.handshake.api_endpoint, "http://127.0.0.1:12001");
    ck_assert_uint_eq(m.u.handshake.height, 71);
    envelope_fini(&e);
    e = opened("001_send.bin");
    m = parsed(&e);
    ck_assert_str_eq(m.u.handshake.node_id, "b15afb9d9c8c1c94");
    ck_assert_ptr_null(m.u.handshake.api_endpoint);
    ck_assert_uint_eq(m.u.handshake.height, 1);
    envelope_fini(&e);
}
END_TEST

START_TEST(captured_questions_say_what_they_say)
{
    struct envelope e = opened("020_send.bin");
    struct message m = parsed(&e);

    ck_assert(m.u.checkpoint_request.want_payload);
    ck_assert(!m.u.checkpoint_request.has_height);
    envelope_fini(&e);
    e = opened("029_send.bin");
    m = parsed(&e);
    ck_assert_uint_eq(m.u.get_chain_range.offset, 20);
    ck_assert_uint_eq(m.u.get_chain_range.limit, 3);
    envelope_fini(&e);
    e = opened("033_send.bin");
    m = parsed(&e);
    ck_assert_str_eq(m.u.chunk_request.snapshot_id, "height_10_deadbeef");
    ck_assert_uint_eq(m.u.chunk_request.index, 0);
    envelope_fini(&e);
    e = opened("046_send.bin");
    m = parsed(&e);
    ck_assert_uint_eq(m.u.inventory.count, 1);
    ck_assert_uint_eq(m.u.inventory.hashes[0][0], 0x09);
    ck_assert_uint_eq(m.u.inventory.hashes[0][31], 0x99);
    envelope_fini(&e);
}
END_TEST

START_TEST(captured_answers_say_what_they_say)
{
    struct envelope e = opened("017_recv.bin");
    struct message m = parsed(&e);
    char hex[65];

    ck_assert(m.u.checkpoint.some && m.u.checkpoint.own);
    ck_assert_uint_eq(m.u.checkpoint.height, 70);
    ck_assert_ptr_null(m.u.checkpoint.url);
    hex_encode(m.u.checkpoint.block_hash, 32, hex);
    ck_assert_str_eq(
        hex, "0c53fefb12bfcca728ca86139761a7739d2d8af85c5db82c5f88f01d9ecf08d5");
    envelope_fini(&e);
    e = opened("013_recv.bin");
    m = parsed(&e);
    ck_assert_uint_eq(m.u.peers.count, 0);
    envelope_fini(&e);
    e = opened("030_recv.bin");
    m = parsed(&e);
    ck_assert_uint_eq(m.u.chain_range.offset, 20);
    ck_assert_uint_eq(m.u.chain_range.total, 80);
    ck_assert_uint_eq(m.u.chain_range.blocks->len, 3);
    ck_assert_uint_eq(u64_of(m.u.chain_range.blocks->first, "index"), 20);
    envelope_fini(&e);
}
END_TEST

/* --- what is refused --- */

#define HASH "0c53fefb12bfcca728ca86139761a7739d2d8af85c5db82c5f88f01d9ecf08d5"
#define SHAKE(height) \
    "{\"version\":\"1\",\"node_id\":\"00\",\"height\":" height ",\"api_endpoint\":null}"
#define POINT(height, rest) \
    "{\"source\":\"local\",\"block_hash\":\"" HASH "\",\"height\":" height rest "}"
#define PAGE "\"pagination\":{\"offset\":5,\"total_blocks\":9}"

static const struct {
    const char *type, *payload, *why;
} refused[] = {
    {"handshake", "null", "version"},
    {"handshake", "[]", "version"},
    {"handshake", "{\"version\":1,\"node_id\":\"00\",\"height\":1}", "version"},
    {"handshake", "{\"version\":\"1\",\"node_id\":null,\"height\":1}", "node_id"},
    {"handshake", "{\"version\":\"1\",\"node_id\":\"a\\u0000\",\"height\":1}",
     "node_id"},
    {"handshake", SHAKE("-1"), "height"},
    {"handshake", SHAKE("9007199254740992"), "height"},
    {"handshake", SHAKE("9223372036854775808"), "height"},
    {"handshake", SHAKE("1000000000000000000000000000000"), "height"},
    {"handshake", SHAKE("1e30"), "height"},
    {"handshake", SHAKE("1.0"), "height"},
    {"handshake", SHAKE("\"1\""), "height"},
    {"handshake", SHAKE("null"), "height"},
    {"handshake", SHAKE("true"), "height"},
    {"handshake",
     "{\"version\":\"1\",\"node_id\":\"00\",\"height\":1,\"api_endpoint\":5}",
     "api_endpoint"},
    {"peers", "{}", "no array"},
    {"peers", "null", "no array"},
    {"peers", "[\"http://a\",5]", "no text"},
    {"checkpoint", "5", "no object"},
    {"checkpoint", "[]", "no object"},
    {"checkpoint", POINT("-1", ""), "height"},
    {"checkpoint", POINT("9223372036854775808", ""), "height"},
    {"checkpoint", POINT("5.0", ""), "height"},
    {"checkpoint", POINT("5", ",\"url\":7"), "url"},
    {"checkpoint", "{\"source\":\"local\",\"height\":5,\"block_hash\":\"0c53\"}",
     "block_hash"},
    {"checkpoint_request", "null", "no object"},
    {"checkpoint_request", "{\"want_payload\":1}", "want_payload"},
    {"checkpoint_request", "{\"height\":-5}", "height"},
    {"checkpoint_request", "{\"height\":1000000000000000000000000000000}", "height"},
    {"checkpoint_payload", "null", "no object"},
    {"checkpoint_payload", "[{}]", "no object"},
    {"get_chain_range", "null", "no object"},
    {"get_chain_range", "{\"offset\":-1}", "offset"},
    {"get_chain_range", "{\"offset\":9223372036854775808}", "offset"},
    {"get_chain_range", "{\"limit\":-1}", "limit"},
    {"get_chain_range", "{\"limit\":\"5\"}", "limit"},
    {"chain_range", "{\"chain\":{}," PAGE "}", "no array"},
    {"chain_range", "{" PAGE "}", "no array"},
    {"chain_range", "{\"chain\":[]}", "pagination"},
    {"chain_range", "{\"chain\":[],\"pagination\":{\"offset\":-5,\"total_blocks\":9}}",
     "pagination"},
    {"chain_range", "{\"chain\":[],\"pagination\":{\"offset\":5}}", "pagination"},
    {"chain_range", "{\"chain\":[5]," PAGE "}", "not at its place"},
    {"chain_range", "{\"chain\":[{\"index\":6}]," PAGE "}", "not at its place"},
    {"chain_range", "{\"chain\":[{\"index\":5},{\"index\":5}]," PAGE "}",
     "not at its place"},
    {"chain_range", "{\"chain\":[{\"index\":5},{\"index\":7}]," PAGE "}",
     "not at its place"},
    {"inv", "null", "no object"},
    {"inv", "{\"blocks\":{}}", "no array"},
    {"inv", "{\"blocks\":[5]}", "hash"},
    {"inv", "{\"blocks\":[\"0c53\"]}", "hash"},
    {"getdata", "[]", "no object"},
    {"getdata", "{\"blocks\":[\"" HASH "\",\"x\"]}", "hash"},
    {"block", "null", "no object"},
    {"block", "[]", "no object"},
    {"chunk_request", "{\"chunk_index\":0}", "snapshot_id"},
    {"chunk_request", "{\"snapshot_id\":\"a\",\"chunk_index\":-1}", "chunk_index"},
    {"chunk_request", "{\"snapshot_id\":\"a\"}", "chunk_index"},
};

START_TEST(a_malformed_message_names_its_member)
{
    AUTOFREE char *text = xasprintf("{\"type\":\"%s\",\"payload\":%s}",
                                    refused[_i].type, refused[_i].payload);
    CLEANUP(json_free) struct json_doc *doc = document(text);
    struct message m;
    struct err err = {0};

    ASSERT_ERR(ERR_VERIFY, message_parse(json_root(doc), &m, &err));
    ck_assert_int_eq(err.reason, REASON_PEER_BAD_MESSAGE);
    ck_assert_msg(strstr(err.msg, refused[_i].why) != NULL, "%s: %s", text, err.msg);
    ck_assert_int_eq(strncmp(err.msg, refused[_i].type, strlen(refused[_i].type)), 0);
}
END_TEST

static const char *const untyped[] = {
    "{}",      "{\"type\":5}", "{\"type\":null}", "[]", "{\"type\":\"ping\\u0000\"}",
    "\"ping\""};

START_TEST(a_message_without_a_type_is_refused)
{
    CLEANUP(json_free) struct json_doc *doc = document(untyped[_i]);
    struct message m;
    struct err err = {0};

    ASSERT_ERR(ERR_VERIFY, message_parse(json_root(doc), &m, &err));
    ck_assert_int_eq(err.reason, REASON_PEER_BAD_MESSAGE);
}
END_TEST

/* --- what is let pass, within bounds --- */

static struct message accepted(const char *text, struct json_doc **doc)
{
    static struct message m;

    *doc = document(text);
    ASSERT_OK(message_parse(json_root(*doc), &m, &test_err));
    return m;
}

START_TEST(types_of_no_use_and_what_nobody_reads_pass)
{
    static const struct {
        const char *text;
        enum message_type type;
    } cases[] = {
        {"{\"type\":\"transaction\",\"payload\":7}", MESSAGE_OTHER},
        {"{\"type\":\"other\"}", MESSAGE_OTHER},
        {"{\"type\":\"\"}", MESSAGE_OTHER},
        {"{\"type\":\"ping\",\"payload\":[[1]]}", MESSAGE_PING},
        {"{\"type\":\"chunk_response\",\"payload\":null}", MESSAGE_CHUNK_RESPONSE},
        {"{\"type\":\"inv\",\"payload\":{\"transactions\":[\"x\"]}}", MESSAGE_INV},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CLEANUP(json_free) struct json_doc *doc = NULL;

        ck_assert_int_eq(accepted(cases[i].text, &doc).type, cases[i].type);
    }
}
END_TEST

START_TEST(limits_are_cut_and_left_out_ones_have_values)
{
    CLEANUP(json_free) struct json_doc *a = NULL, *b = NULL, *c = NULL, *d = NULL;
    struct message m = accepted("{\"type\":\"get_chain_range\",\"payload\":"
                                "{\"offset\":9007199254740991,\"limit\":1000000}}",
                                &a);

    ck_assert_uint_eq(m.u.get_chain_range.offset, (UINT64_C(1) << 53) - 1);
    ck_assert_uint_eq(m.u.get_chain_range.limit, MESSAGE_RANGE_MAX);
    m = accepted("{\"type\":\"get_chain_range\",\"payload\":{}}", &b);
    ck_assert_uint_eq(m.u.get_chain_range.offset, 0);
    ck_assert_uint_eq(m.u.get_chain_range.limit, 100);
    m = accepted("{\"type\":\"checkpoint_request\",\"payload\":{\"height\":7}}", &c);
    ck_assert(!m.u.checkpoint_request.want_payload);
    ck_assert(m.u.checkpoint_request.has_height);
    ck_assert_uint_eq(m.u.checkpoint_request.height, 7);
    m = accepted("{\"type\":\"checkpoint_request\",\"payload\":"
                 "{\"want_payload\":false,\"height\":null}}",
                 &d);
    ck_assert(!m.u.checkpoint_request.want_payload);
    ck_assert(!m.u.checkpoint_request.has_height);
}
END_TEST

START_TEST(a_relayed_claim_that_is_malformed_is_none)
{
    static const struct {
        const char *payload;
        bool some;
    } cases[] = {
        {"null", false},
        {"{\"source\":\"peer\",\"height\":-1,\"block_hash\":\"" HASH "\"}", false},
        {"{\"source\":\"peer\",\"height\":1e30,\"block_hash\":\"" HASH "\"}", false},
        {"{\"height\":5,\"block_hash\":7}", false},
        {"{\"source\":7,\"height\":5,\"block_hash\":\"" HASH "\"}", true},
        {"{\"source\":\"peer\",\"height\":5,\"block_hash\":\"" HASH "\"}", true},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CLEANUP(json_free) struct json_doc *doc = NULL;
        AUTOFREE char *text =
            xasprintf("{\"type\":\"checkpoint\",\"payload\":%s}", cases[i].payload);
        struct message m = accepted(text, &doc);

        ck_assert_int_eq(m.u.checkpoint.some, cases[i].some);
        ck_assert(!m.u.checkpoint.own);
    }
}
END_TEST

/* {"type": type, "payload": before + count times item + after}, to be freed */
static char *repeated(const char *type, const char *before, const char *item,
                      size_t count, const char *after)
{
    struct buf out = BUF(1U << 22);

    buf_printf(&out, "{\"type\":\"%s\",\"payload\":%s", type, before);
    for (size_t i = 0; i < count; i++)
        buf_printf(&out, "%s%s", i > 0 ? "," : "", item);
    buf_printf(&out, "%s}", after);
    ck_assert(!out.full);
    return buf_take(&out);
}

START_TEST(long_lists_are_cut)
{
    CLEANUP(json_free) struct json_doc *a = NULL, *b = NULL;
    AUTOFREE char *peers =
        repeated("peers", "[", "\"http://10.0.0.1:8545\"", 20000, "]");
    AUTOFREE char *hashes =
        repeated("inv", "{\"blocks\":[", "\"" HASH "\"", 10000, "]}");

    ck_assert_uint_eq(accepted(peers, &a).u.peers.count, MESSAGE_PEERS_MAX);
    ck_assert_uint_eq(accepted(hashes, &b).u.inventory.count, MESSAGE_HASHES_MAX);
}
END_TEST

START_TEST(long_texts_are_refused_or_left_out)
{
    CLEANUP(json_free) struct json_doc *a = NULL, *b = NULL, *c = NULL;
    AUTOFREE char *edge = xcalloc(1, MESSAGE_TEXT_MAX + 2), *peers = NULL,
                  *shake = NULL, *point = NULL;
    struct message m;
    struct err err;

    memset(edge, 'x', MESSAGE_TEXT_MAX + 1);
    peers =
        xasprintf("{\"type\":\"peers\",\"payload\":[\"%s\",\"%s\"]}", edge, edge + 1);
    m = accepted(peers, &a);
    ck_assert_uint_eq(m.u.peers.count, 1);
    ck_assert_str_eq(m.u.peers.uris[0], edge + 1);
    shake = xasprintf("{\"type\":\"handshake\",\"payload\":{\"version\":\"1\","
                      "\"node_id\":\"0\",\"height\":1,\"api_endpoint\":\"%s\"}}",
                      edge);
    b = document(shake);
    ASSERT_ERR(ERR_VERIFY, message_parse(json_root(b), &m, &err));
    ck_assert_ptr_nonnull(strstr(err.msg, "api_endpoint"));
    free(edge);
    edge = xcalloc(1, 2049);
    memset(edge, 'x', 2048);
    point = xasprintf(
        "{\"type\":\"checkpoint\",\"payload\":" POINT("5", ",\"url\":\"%s\"") "}",
        edge);
    c = document(point);
    ASSERT_ERR(ERR_VERIFY, message_parse(json_root(c), &m, &err));
    ck_assert_ptr_nonnull(strstr(err.msg, "url"));
}
END_TEST

START_TEST(a_range_has_at_most_a_hundred_blocks)
{
    struct buf text = BUF(1U << 20);

    for (unsigned count = 100; count <= 101; count++) {
        CLEANUP(json_free) struct json_doc *doc = NULL;
        struct message m;
        struct err err = {0};

        buf_reset(&text);
        buf_puts(&text, "{\"type\":\"chain_range\",\"payload\":{\"chain\":[");
        for (unsigned i = 0; i < count; i++)
            buf_printf(&text, "%s{\"index\":%u}", i > 0 ? "," : "", 5 + i);
        buf_puts(&text, "]," PAGE "}}");
        doc = document(text.data);
        ck_assert_int_eq(message_parse(json_root(doc), &m, &err),
                         count == 100 ? ERR_OK : ERR_VERIFY);
    }
    buf_fini(&text);
}
END_TEST

/* --- ours --- */

static void is_canonical(const struct buf *text)
{
    CLEANUP(json_free) struct json_doc *doc = document(text->data);
    CLEANUP_BUF struct buf again = BUF(1U << 20);
    struct message m;

    json_write(json_root(doc), JSON_CANON, &again);
    ck_assert_str_eq(text->data, again.data);
    ASSERT_OK(message_parse(json_root(doc), &m, &test_err));
}

/* The text of the payload of a captured frame is ours for the same values. */
static void is_captured(const struct buf *text, const char *file)
{
    struct envelope e = opened(file);
    CLEANUP_BUF struct buf theirs = BUF(1U << 20);

    json_write(e.payload, JSON_CANON, &theirs);
    ck_assert_str_eq(text->data, theirs.data);
    envelope_fini(&e);
}

START_TEST(our_messages_are_those_that_stock_understood)
{
    CLEANUP_BUF struct buf text = BUF(1U << 20);
    struct message_self self = {.node_id = "b15afb9d9c8c1c94", .height = 1};
    uint8_t hash[32];

    message_put_handshake(&self, &text);
    is_captured(&text, "001_send.bin");
    buf_reset(&text);
    message_put_plain(MESSAGE_GET_CHECKPOINT, &text);
    is_captured(&text, "016_send.bin");
    buf_reset(&text);
    message_put_get_range(20, 3, &text);
    is_captured(&text, "029_send.bin");
    buf_reset(&text);
    message_put_checkpoint_request(true, &text);
    is_captured(&text, "020_send.bin");
    buf_reset(&text);
    ck_assert(hex_hash("053a4a630bda182084d993405d96357b"
                       "9f217dcf0d459aec5d265e07ddf0556a",
                       hash));
    message_put_hashes(MESSAGE_INV, hash, 1, &text);
    is_captured(&text, "002_recv.bin");
    buf_reset(&text);
    ck_assert(hex_hash("09dc2e003e17d8f87e0e655ca4f30349"
                       "3c7411233b2236a7b38c88e3ecea2799",
                       hash));
    message_put_hashes(MESSAGE_GETDATA, hash, 1, &text);
    is_captured(&text, "046_send.bin");
    buf_reset(&text);
    message_put_value(MESSAGE_PEERS, "[]", 2, &text);
    is_captured(&text, "013_recv.bin");
}
END_TEST

START_TEST(our_messages_are_canonical)
{
    CLEANUP_BUF struct buf text = BUF(1U << 20);
    struct message_self self = {"00112233\"é", "http://h:1/\n", UINT64_C(1) << 40};
    uint8_t hashes[64] = {1, [63] = 2};

    message_put_handshake(&self, &text);
    is_canonical(&text);
    buf_reset(&text);
    message_put_hashes(MESSAGE_GETDATA, hashes, 2, &text);
    is_canonical(&text);
    buf_reset(&text);
    message_put_hashes(MESSAGE_INV, hashes, 0, &text);
    is_canonical(&text);
    buf_reset(&text);
    message_put_checkpoint_request(false, &text);
    is_canonical(&text);
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("message");
    TCase *tc = tcase_create("core");

    tcase_add_test(tc, every_captured_frame_has_its_type);
    tcase_add_test(tc, captured_handshakes_say_what_they_say);
    tcase_add_test(tc, captured_questions_say_what_they_say);
    tcase_add_test(tc, captured_answers_say_what_they_say);
    tcase_add_loop_test(tc, a_malformed_message_names_its_member, 0,
                        (int)(sizeof(refused) / sizeof(refused[0])));
    tcase_add_loop_test(tc, a_message_without_a_type_is_refused, 0,
                        (int)(sizeof(untyped) / sizeof(untyped[0])));
    tcase_add_test(tc, types_of_no_use_and_what_nobody_reads_pass);
    tcase_add_test(tc, limits_are_cut_and_left_out_ones_have_values);
    tcase_add_test(tc, a_relayed_claim_that_is_malformed_is_none);
    tcase_add_test(tc, long_lists_are_cut);
    tcase_add_test(tc, long_texts_are_refused_or_left_out);
    tcase_add_test(tc, a_range_has_at_most_a_hundred_blocks);
    tcase_add_test(tc, our_messages_are_those_that_stock_understood);
    tcase_add_test(tc, our_messages_are_canonical);
    suite_add_tcase(s, tc);
    return s;
}
