#include "base/hex.h"
#include "base/mem.h"
#include "sync/chain/tx.h"
#include "tests/unit/block_kit.h"
#include "tests/unit/lines.h"

/* A vector's constructor arguments, with the outputs and time it was given, as a wire
   transaction: what is normalised is left as it came. */
static char *wire_transaction(const struct json *vector)
{
    static const char *const same[] = {"sender", "recipient", "amount", "fee", "nonce"};
    const struct json *args = json_get(vector, "constructor_args");
    const struct json *inputs = json_get(args, "inputs");
    struct buf out = BUF(1U << 16);

    buf_puts(&out, "{");
    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
        buf_printf(&out, "\"%s\":", same[i]);
        json_write(json_get(args, same[i]), JSON_CANON, &out);
        buf_puts(&out, ",");
    }
    buf_puts(&out, "\"inputs\":");
    if (json_is_null(inputs))
        buf_puts(&out, "[]");
    else
        json_write(inputs, JSON_CANON, &out);
    buf_puts(&out, ",\"outputs\":");
    json_write(json_get(json_get(vector, "normalised"), "outputs"), JSON_CANON, &out);
    buf_puts(&out, ",\"timestamp\":");
    json_write(json_get(vector, "timestamp"), JSON_CANON, &out);
    buf_puts(&out, "}");
    return buf_take(&out);
}

START_TEST(txids_are_those_of_stock)
{
    size_t n = 0;

    for (struct lines l = lines_open("vectors/txid.jsonl"); lines_next(&l); n++) {
        AUTOFREE char *text = wire_transaction(l.v);
        CLEANUP(json_free) struct json_doc *doc = kit_parse(text);
        CLEANUP_BUF struct buf scratch = BUF(1U << 16);
        uint8_t want[32], got[32];

        tx_id(json_root(doc), text_of(l.v, "chain_context"), &scratch, got);
        ck_assert_str_eq(scratch.data, text_of(l.v, "preimage"));
        hash_of(l.v, "txid", want);
        ck_assert_mem_eq(got, want, 32);
    }
    ck_assert_uint_eq(n, 12);
}
END_TEST

/* A coinbase's recipient is any text; that of a transfer is an address. */
START_TEST(a_coinbase_keeps_its_recipient)
{
    static const char *const senders[] = {
        "COINBASE", "TXAI0Cd7706B384b4F687d01b9bFEA5A88791CCf7ba1"};
    const char *lower = "TXAI0cd7706b384b4f687d01b9bfea5a88791ccf7ba1";

    for (size_t i = 0; i < 2; i++) {
        AUTOFREE char *text = xasprintf(
            "{\"sender\":\"%s\",\"recipient\":\"%s\",\"amount\":1,\"fee\":0,\"nonce\":"
            "null,\"inputs\":[],\"outputs\":[],\"timestamp\":1}",
            senders[i], lower);
        CLEANUP(json_free) struct json_doc *doc = kit_parse(text);
        CLEANUP_BUF struct buf scratch = BUF(1U << 16);
        uint8_t id[32];

        tx_id(json_root(doc), "testnet", &scratch, id);
        ck_assert_int_eq(strstr(scratch.data, lower) != NULL, i == 0);
    }
}
END_TEST

static void assert_outputs(const struct json *list, const struct tx *tx)
{
    size_t i = 0;

    ck_assert_uint_eq(list->len, tx->output_count);
    for (const struct json *o = list->first; o; o = o->next, i++) {
        double spelled = double_of(o, "amount");

        ck_assert_str_eq(tx->outputs[i].address, text_of(o, "address"));
        ck_assert_mem_eq(tx->outputs[i].at.txid, tx->txid, 32);
        ck_assert_uint_eq(tx->outputs[i].at.vout, i);
        ck_assert_mem_eq(&tx->output_amounts[i], &spelled, sizeof(spelled));
    }
}

static void assert_transaction(const struct json *v, const struct tx *tx)
{
    const struct json *inputs = json_get(v, "inputs");
    uint8_t hash[32];
    size_t i = 0;

    hash_of(v, "txid", hash);
    ck_assert_mem_eq(tx->txid, hash, 32);
    ck_assert_uint_eq(inputs->len, tx->input_count);
    for (const struct json *in = inputs->first; in; in = in->next, i++) {
        hash_of(in, "txid", hash);
        ck_assert_mem_eq(tx->inputs[i].txid, hash, 32);
        ck_assert_uint_eq(tx->inputs[i].vout, u64_of(in, "vout"));
    }
    assert_outputs(json_get(v, "outputs"), tx);
}

/* What a block says in canonical text is what it said before, byte for byte. */
static void assert_rewritten(const struct block *b, const struct json *v)
{
    CLEANUP_BUF struct buf text = BUF(8U << 20), direct = BUF(8U << 20);
    struct block *again = NULL;

    block_write(b, &text);
    json_write(v, JSON_CANON, &direct);
    ck_assert_str_eq(text.data, direct.data);
    ASSERT_OK(
        block_decode(text.data, text.len, params_find("testnet"), &again, &test_err));
    ck_assert_mem_eq(again->header.hash, b->header.hash, 32);
    block_free(again);
}

static void assert_blocks(const char *name)
{
    for (struct lines l = lines_open(name); lines_next(&l);) {
        CLEANUP(block_free) struct block *b = NULL;
        const struct json *list = json_get(l.v, "transactions");
        size_t i = 0;

        ASSERT_OK(
            block_decode(l.text, (size_t)l.len, params_find("testnet"), &b, &test_err));
        ck_assert_uint_eq(b->header.height, u64_of(l.v, "index"));
        ck_assert_uint_eq(b->tx_count, list->len);
        for (const struct json *v = list->first; v; v = v->next, i++)
            assert_transaction(v, &b->txs[i]);
        assert_rewritten(b, l.v);
    }
}

START_TEST(decodes_every_fixture_block)
{
    assert_blocks("chain/blocks.jsonl");
    assert_blocks("forks/pair1/branch_a.jsonl");
    assert_blocks("forks/pair1/branch_b.jsonl");
    assert_blocks("forks/pair2/branch_a.jsonl");
    assert_blocks("forks/pair2/branch_b.jsonl");
}
END_TEST

START_TEST(decodes_a_served_block)
{
    static const char *const names[] = {"http/09_blocks_5.body"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        CLEANUP(json_free) struct json_doc *doc = lines_document(names[i]);
        CLEANUP_BUF struct buf text = BUF(1U << 20);
        struct block *b = NULL;

        json_write(json_root(doc), JSON_SPACED, &text);
        ASSERT_OK(
            block_decode(text.data, text.len, params_find("testnet"), &b, &test_err));
        ck_assert_uint_eq(b->header.height, 5);
        block_free(b);
    }
}
END_TEST

/* A relay may indent, reorder and escape as it likes. */
START_TEST(spelling_of_the_copy_does_not_matter)
{
    struct lines l = lines_open("chain/blocks.jsonl");

    while (lines_next(&l)) {
        CLEANUP_BUF struct buf text = BUF(1U << 20);
        CLEANUP(block_free) struct block *b = NULL, *spaced = NULL;

        if (l.number != 100)
            continue;
        json_write(l.v, JSON_SPACED, &text);
        buf_puts(&text, "\r\n\t ");
        ASSERT_OK(
            block_decode(l.text, (size_t)l.len, params_find("testnet"), &b, &test_err));
        ASSERT_OK(block_decode(text.data, text.len, params_find("testnet"), &spaced,
                               &test_err));
        ck_assert_mem_eq(b->header.hash, spaced->header.hash, 32);
    }
}
END_TEST

START_TEST(the_other_network_has_other_txids)
{
    struct lines l = lines_open("chain/blocks.jsonl");

    while (lines_next(&l)) {
        struct block *b = NULL;
        enum errc rc =
            block_decode(l.text, (size_t)l.len, params_find("mainnet"), &b, &test_err);

        if (l.number == 1) { /* both start from one genesis */
            ck_assert_int_eq(rc, ERR_OK);
            block_free(b);
        } else {
            ck_assert_int_eq(rc, ERR_VERIFY);
            ck_assert_int_eq(test_err.reason, REASON_BLOCK_BAD_MERKLE_ROOT);
        }
    }
}
END_TEST

START_TEST(what_is_no_block_is_malformed)
{
    static const char *const texts[] = {"", "null", "[]", "{}", "5", "{\"index\":1}"};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct block *b = NULL;

        ASSERT_ERR(ERR_VERIFY, block_decode(texts[i], strlen(texts[i]),
                                            params_find("testnet"), &b, &test_err));
        ck_assert_int_eq(test_err.reason, REASON_BLOCK_MALFORMED);
        ck_assert_ptr_null(b);
    }
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("block");
    TCase *tc = tcase_create("core");

    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, txids_are_those_of_stock);
    tcase_add_test(tc, a_coinbase_keeps_its_recipient);
    tcase_add_test(tc, decodes_every_fixture_block);
    tcase_add_test(tc, decodes_a_served_block);
    tcase_add_test(tc, spelling_of_the_copy_does_not_matter);
    tcase_add_test(tc, the_other_network_has_other_txids);
    tcase_add_test(tc, what_is_no_block_is_malformed);
    suite_add_tcase(s, tc);
    return s;
}
