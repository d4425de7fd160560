#include "tests/unit/block_kit.h"
#include "tests/unit/chain_node.h"

/*
 * Every kind of wrong block, made from a good one.  Block 35 has a coinbase and five
 * transfers (bob, minerB, eli, gus, alice); those altered are signed and mined anew
 * where a real attacker could.
 */
enum { HEIGHT = 35, TRANSFERS = 5 };
static struct node node;
static char *good;

static void set_up(void)
{
    struct lines l = lines_open("chain/blocks.jsonl");

    node_init(&node);
    while (lines_next(&l)) {
        if (l.number <= HEIGHT)
            node_take(&node, l.text, (size_t)l.len);
        if (l.number == HEIGHT + 1)
            good = xstrdup(l.text);
    }
}

static void tear_down(void)
{
    coins_fini(&node.coins);
    free(good);
}

static char *copy(void)
{
    return xstrdup(good);
}

/* Frees text. */
static void assert_verdict(char *text, enum reason want)
{
    struct header h;
    enum reason got = node_judge(&node, text, strlen(text), &h, NULL);

    ck_assert_msg(got == want, "%s: %s", reason_code(got), test_err.msg);
    free(text);
}

START_TEST(the_block_itself_is_good)
{
    assert_verdict(copy(), REASON_NONE);
    assert_verdict(kit_remake(copy()), REASON_NONE); /* so is what the kit makes */
    assert_verdict(kit_remake(kit_sign(copy(), 1)), REASON_NONE);
}
END_TEST

START_TEST(header_faults)
{
    char *parent = kit_text(good, "previous_hash"), time[32];

    assert_verdict(kit_set(copy(), "hash", parent), REASON_BLOCK_HASH_MISMATCH);
    assert_verdict(kit_set(copy(), "nonce", "0"), REASON_BLOCK_HASH_MISMATCH);
    assert_verdict(kit_mine_as(copy(), true), REASON_BLOCK_LOW_POW);
    parent[5] = parent[5] == '0' ? '1' : '0';
    assert_verdict(kit_mine(kit_set(copy(), "previous_hash", parent)),
                   REASON_BLOCK_BAD_LINK);
    assert_verdict(kit_mine(kit_set(copy(), "index", "36")), REASON_BLOCK_BAD_LINK);
    assert_verdict(kit_mine(kit_set(copy(), "merkle_root", parent)),
                   REASON_BLOCK_BAD_MERKLE_ROOT);
    assert_verdict(kit_remove(copy(), "version"), REASON_BLOCK_HASH_MISMATCH);
    assert_verdict(kit_mine(kit_remove(copy(), "version")), REASON_BLOCK_BAD_VERSION);
    assert_verdict(kit_mine(kit_set(copy(), "version", "2")), REASON_BLOCK_BAD_VERSION);
    assert_verdict(kit_mine(kit_set(copy(), "difficulty", "2")),
                   REASON_BLOCK_BAD_DIFFICULTY);
    assert_verdict(kit_mine(kit_set(copy(), "difficulty", "0")),
                   REASON_BLOCK_BAD_DIFFICULTY);
    (void)snprintf(time, sizeof(time), "%.17g",
                   node.window.timestamp[(HEIGHT - 1) % HEADER_WINDOW]);
    assert_verdict(kit_mine(kit_set(copy(), "timestamp", time)),
                   REASON_BLOCK_BAD_TIMESTAMP);
    free(parent);
}
END_TEST

START_TEST(the_timestamp_may_not_be_rounded)
{
    char *text = kit_text(good, "timestamp"), *point = strchr(text, '.');

    ck_assert_ptr_nonnull(point);
    *point = '\0';
    assert_verdict(kit_set(copy(), "timestamp", text), REASON_BLOCK_HASH_MISMATCH);
    free(text);
}
END_TEST

/* Stock: unsigned passes, half signed and wrongly signed do not. */
START_TEST(the_miners_signature_can_be_stripped_but_not_broken)
{
    char *text = kit_text(good, "signature");

    text[5] = text[5] == '0' ? '1' : '0';
    assert_verdict(kit_set(copy(), "signature", text), REASON_BLOCK_BAD_SIGNATURE);
    assert_verdict(kit_set(copy(), "signature", "null"), REASON_BLOCK_BAD_SIGNATURE);
    assert_verdict(kit_set(copy(), "miner_pubkey", "null"), REASON_BLOCK_BAD_SIGNATURE);
    assert_verdict(
        kit_set(kit_set(copy(), "signature", "null"), "miner_pubkey", "null"),
        REASON_NONE);
    free(text);
}
END_TEST

START_TEST(transactions_that_the_header_does_not_name)
{
    assert_verdict(kit_remove(copy(), "transactions/3"), REASON_BLOCK_BAD_MERKLE_ROOT);
    assert_verdict(kit_set(copy(), "transactions", "[]"), REASON_BLOCK_BAD_MERKLE_ROOT);
    /* altered with the old txid kept, as stock lets pass */
    assert_verdict(kit_set(copy(), "transactions/0/outputs/0/amount", "1000000.0"),
                   REASON_BLOCK_BAD_MERKLE_ROOT);
    assert_verdict(kit_set(copy(), "transactions/0/outputs/0/address",
                           "\"TXAI0Cd7706B384b4F687d01b9bFEA5A88791CCf7ba1\""),
                   REASON_BLOCK_BAD_MERKLE_ROOT);
    assert_verdict(kit_set(copy(), "transactions/1/outputs/0/amount", "500000.0"),
                   REASON_BLOCK_BAD_MERKLE_ROOT);
    assert_verdict(kit_set(copy(), "transactions/1/nonce", "77"),
                   REASON_BLOCK_BAD_MERKLE_ROOT);
    assert_verdict(kit_set(copy(), "transactions/1/outputs", "[]"),
                   REASON_BLOCK_BAD_MERKLE_ROOT);
}
END_TEST

START_TEST(a_txid_that_is_not_the_contents)
{
    char *other = kit_text(good, "transactions/2/txid");

    assert_verdict(kit_set(copy(), "transactions/1/txid", other),
                   REASON_BLOCK_MALFORMED);
    free(other);
}
END_TEST

/* An odd level repeats its last node: the copy has the same root and hash. */
START_TEST(a_repeated_last_transaction_keeps_the_root)
{
    char *text = kit_remake(kit_remove(copy(), "transactions/5"));
    char *last = kit_text(text, "transactions/4");

    assert_verdict(xstrdup(text), REASON_NONE);
    assert_verdict(kit_add(text, "transactions", last), REASON_BLOCK_DUPLICATE_TXID);
    free(last);
}
END_TEST

START_TEST(a_duplicate_txid_that_is_mined)
{
    char *coinbase = kit_text(good, "transactions/0");

    assert_verdict(kit_remake(kit_add(copy(), "transactions", coinbase)),
                   REASON_BLOCK_DUPLICATE_TXID);
    free(coinbase);
}
END_TEST

static char *mint(char *text, const char *path, const char *amount)
{
    char field[100];

    (void)snprintf(field, sizeof(field), "%s/amount", path);
    text = kit_set(text, field, amount);
    (void)snprintf(field, sizeof(field), "%s/outputs/0/amount", path);
    return kit_set(text, field, amount);
}

/* Reward 12, bonus at most 20 %, and the fees of block 35. */
START_TEST(a_coinbase_is_bounded)
{
    double fees = 0;
    char amount[40];

    for (int i = 1; i <= TRANSFERS; i++) {
        char path[40], *fee;

        (void)snprintf(path, sizeof(path), "transactions/%d/fee", i);
        fee = kit_text(good, path);
        fees += strtod(fee, NULL);
        free(fee);
    }
    (void)snprintf(amount, sizeof(amount), "%.17g", 12 * 1.2 + fees);
    assert_verdict(kit_remake(mint(copy(), "transactions/0", amount)), REASON_NONE);
    (void)snprintf(amount, sizeof(amount), "%.17g", 12 * 1.2 + fees + 1e-12);
    assert_verdict(kit_remake(mint(copy(), "transactions/0", amount)),
                   REASON_BLOCK_COINBASE_TOO_LARGE);
    assert_verdict(kit_remake(mint(copy(), "transactions/0", "50000000")),
                   REASON_BLOCK_COINBASE_TOO_LARGE);
}
END_TEST

START_TEST(two_coinbases_share_one_bound)
{
    char *second = kit_set(kit_text(good, "transactions/0"), "amount", "7.0");

    second = kit_set(second, "outputs/0/amount", "7.0");
    second = kit_set(second, "timestamp", "1795300000");
    assert_verdict(kit_remake(mint(kit_add(copy(), "transactions", second),
                                   "transactions/0", "7.0")),
                   REASON_NONE);
    assert_verdict(kit_remake(kit_add(copy(), "transactions", second)),
                   REASON_BLOCK_COINBASE_TOO_LARGE);
    free(second);
}
END_TEST

START_TEST(a_block_has_a_coinbase_first)
{
    char *coinbase = kit_text(good, "transactions/0");
    char *text = kit_set(copy(), "transactions", "[]");

    assert_verdict(kit_remake(text), REASON_TX_MALFORMED);
    text = kit_remake(kit_remove(copy(), "transactions/0"));
    assert_verdict(text, REASON_TX_MALFORMED);
    text = kit_add(kit_remove(copy(), "transactions/0"), "transactions", coinbase);
    assert_verdict(kit_remake(text), REASON_TX_MALFORMED);
    free(coinbase);
}
END_TEST

START_TEST(a_coinbase_has_its_form)
{
    static const struct {
        const char *path, *value;
        enum reason want;
    } cases[] = {
        {"amount", "1.0", REASON_TX_MALFORMED},
        {"fee", "0.1", REASON_TX_MALFORMED},
        {"nonce", "3", REASON_NONE},
        {"nonce", "-1", REASON_TX_MALFORMED},
        {"recipient", "\"any text \xc3\xa9\"", REASON_NONE},
        {"recipient", "null", REASON_TX_MALFORMED},
        {"outputs", "[]", REASON_TX_MALFORMED},
        {"inputs", "null", REASON_TX_MALFORMED},
        {"tx_type", "\"normal\"", REASON_TX_FORBIDDEN_TYPE},
        {"tx_type", "\"heartbeat\"", REASON_TX_FORBIDDEN_TYPE},
        {"tx_type", "null", REASON_BLOCK_MALFORMED},
        {"sender", "\"SYSTEM\"", REASON_TX_FORBIDDEN_TYPE},
        {"sender", "\"AIRDROP\"", REASON_TX_FORBIDDEN_TYPE},
        {"sender", "\"STAKING\"", REASON_TX_FORBIDDEN_TYPE},
        {"sender", "\"coinbase\"", REASON_TX_MALFORMED},
        {"outputs/0/address", "\"\"", REASON_TX_MALFORMED},
        {"outputs/0/address", "\"a\\u0000b\"", REASON_TX_MALFORMED},
        {"outputs/0/address", "\"any text\"", REASON_NONE},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char path[64];

        (void)snprintf(path, sizeof(path), "transactions/0/%s", cases[i].path);
        assert_verdict(kit_remake(kit_set(copy(), path, cases[i].value)),
                       cases[i].want);
    }
    char *input = kit_text(good, "transactions/1/inputs/0");

    assert_verdict(kit_remake(kit_add(copy(), "transactions/0/inputs", input)),
                   REASON_TX_MALFORMED);
    free(input);
}
END_TEST

/* The two senders that mint on stock nodes. */
START_TEST(nobody_else_mints)
{
    static const char *const senders[] = {"\"SYSTEM\"", "\"AIRDROP\""};

    for (size_t i = 0; i < 2; i++) {
        char *tx = kit_set(kit_text(good, "transactions/0"), "sender", senders[i]);

        tx = kit_set(tx, "tx_type", i == 0 ? "\"normal\"" : "\"airdrop\"");
        assert_verdict(kit_remake(kit_add(copy(), "transactions", tx)),
                       REASON_TX_FORBIDDEN_TYPE);
        free(tx);
    }
}
END_TEST

START_TEST(coins_of_nothing_are_for_heartbeats)
{
    char *beat = kit_set(kit_text(good, "transactions/0"), "amount", "0.0");
    char *text;

    beat = kit_set(beat, "outputs/0/amount", "0");
    text = kit_add(copy(), "transactions", beat);
    assert_verdict(kit_remake(xstrdup(text)), REASON_TX_FORBIDDEN_TYPE);
    text = kit_set(text, "transactions/6/tx_type", "\"heartbeat\"");
    assert_verdict(kit_remake(xstrdup(text)), REASON_NONE);
    text = kit_set(text, "transactions/6/outputs/0/amount", "-0.0");
    assert_verdict(kit_remake(text), REASON_TX_MALFORMED);
    free(beat);
}
END_TEST

/* tx_type is not hashed: on stock these skip the signature or the inputs. */
START_TEST(transfers_have_the_normal_type)
{
    static const char *const types[] = {
        "\"trade_settlement\"",  "\"coinbase\"",        "\"heartbeat\"",
        "\"contract_call\"",     "\"contract_deploy\"", "\"governance_vote\"",
        "\"time_capsule_lock\"", "\"airdrop\"",         "\"\""};

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        assert_verdict(kit_set(copy(), "transactions/1/tx_type", types[i]),
                       REASON_TX_FORBIDDEN_TYPE);
}
END_TEST

START_TEST(transfers_are_signed_by_their_sender)
{
    char *sig = kit_text(good, "transactions/1/signature");
    char *key = kit_text(good, "transactions/2/public_key");

    sig[9] = sig[9] == '0' ? '1' : '0';
    assert_verdict(kit_set(copy(), "transactions/1/signature", sig),
                   REASON_TX_BAD_SIGNATURE);
    assert_verdict(kit_set(copy(), "transactions/1/signature", "null"),
                   REASON_TX_BAD_SIGNATURE);
    assert_verdict(kit_set(copy(), "transactions/1/public_key", "null"),
                   REASON_TX_BAD_SIGNATURE);
    assert_verdict(kit_set(copy(), "transactions/1/public_key", key),
                   REASON_TX_BAD_SIGNATURE);
    assert_verdict(kit_set(copy(), "transactions/1/public_key", "\"04\""),
                   REASON_TX_BAD_SIGNATURE);
    /* content altered and mined, signature of the old content */
    assert_verdict(kit_remake(kit_set(copy(), "transactions/1/nonce", "77")),
                   REASON_TX_BAD_SIGNATURE);
    /* a good signature by somebody else */
    assert_verdict(
        kit_sign_as(copy(), 1, "TXAId1461B5fa1d5D64F3838fd2b23770C939C8a320F"),
        REASON_TX_BAD_SIGNATURE);
    free(sig);
    free(key);
}
END_TEST

/* A field of transaction 1, signed and mined. */
static void assert_field(const char *field, const char *value, enum reason want)
{
    char path[100];

    (void)snprintf(path, sizeof(path), "transactions/1/%s", field);
    assert_verdict(kit_remake(kit_sign(kit_set(copy(), path, value), 1)), want);
}

START_TEST(transfers_have_their_form)
{
    static const struct {
        const char *field, *value;
        enum reason want;
    } cases[] = {
        {"amount", "0.0", REASON_TX_MALFORMED},
        {"amount", "5e-19", REASON_TX_MALFORMED},
        {"amount", "-1.0", REASON_TX_MALFORMED},
        {"amount", "-0.0", REASON_TX_MALFORMED},
        {"amount", "121000000.1", REASON_TX_MALFORMED},
        {"amount", "\"5\"", REASON_TX_MALFORMED},
        {"amount", "true", REASON_TX_MALFORMED},
        {"amount", "1e-18", REASON_NONE}, /* it moves nothing, the outputs do */
        {"amount", "5", REASON_NONE},
        {"fee", "-0.1", REASON_TX_MALFORMED},
        {"fee", "-0.0", REASON_TX_MALFORMED},
        {"fee", "1000.1", REASON_TX_MALFORMED},
        {"fee", "1000", REASON_TX_INSUFFICIENT},
        {"fee", "0", REASON_NONE},
        {"timestamp", "946684799", REASON_TX_MALFORMED},
        {"timestamp", "4102444801", REASON_TX_MALFORMED},
        {"timestamp", "\"1795303162\"", REASON_TX_MALFORMED},
        {"timestamp", "1795200000", REASON_NONE}, /* old is no fault: ADR 0011 */
        {"nonce", "null", REASON_TX_MALFORMED},
        {"nonce", "-1", REASON_TX_MALFORMED},
        {"nonce", "1.0", REASON_TX_MALFORMED},
        {"nonce", "0", REASON_NONE}, /* nor is a lower one: ADR 0010 */
        {"recipient", "\"\"", REASON_NONE},
        {"recipient", "\"STAKING\"", REASON_NONE},
        {"recipient", "\"xaitest1aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"",
         REASON_TX_MALFORMED},
        {"recipient", "\"nobody\"", REASON_TX_MALFORMED},
        {"recipient", "null", REASON_TX_MALFORMED},
        {"inputs", "[]", REASON_TX_MALFORMED},
        {"inputs", "{}", REASON_TX_MALFORMED},
        {"inputs/0/vout", "1.0", REASON_TX_MALFORMED},
        {"inputs/0/vout", "true", REASON_TX_MALFORMED},
        {"inputs/0/vout", "-1", REASON_TX_MALFORMED},
        {"inputs/0/vout", "4294967296", REASON_TX_MALFORMED},
        {"inputs/0/vout", "4294967295", REASON_TX_MISSING_COIN},
        {"inputs/0/txid", "\"ab\"", REASON_TX_MALFORMED},
        {"outputs", "[]", REASON_TX_MALFORMED},
        {"outputs/0/amount", "0.0", REASON_TX_MALFORMED},
        {"outputs/0/amount", "9e-19", REASON_TX_MALFORMED},
        {"outputs/0/amount", "\"1\"", REASON_TX_MALFORMED},
        {"outputs/0/amount", "100.0", REASON_TX_INSUFFICIENT},
        {"outputs/0/amount", "1e-18", REASON_NONE},
        {"outputs/0/address", "\"nobody\"", REASON_TX_MALFORMED},
        {"outputs/0/address", "\"XAI0Cd7706B384b4F687d01b9bFEA5A88791CCf7ba1\"",
         REASON_TX_MALFORMED},
        {"outputs/0/address", "\"TXAI0cd7706b384b4f687d01b9bfea5a88791ccf7ba1\"",
         REASON_NONE},
        {"outputs/0/address", "7", REASON_TX_MALFORMED},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_field(cases[i].field, cases[i].value, cases[i].want);
}
END_TEST

START_TEST(a_transfer_may_be_dated_a_little_ahead)
{
    char *text = kit_text(good, "timestamp"), ahead[40];
    double time = strtod(text, NULL);

    (void)snprintf(ahead, sizeof(ahead), "%.17g", time + 301);
    assert_field("timestamp", ahead, REASON_NONE);
    (void)snprintf(ahead, sizeof(ahead), "%.17g", time + 303);
    assert_field("timestamp", ahead, REASON_TX_MALFORMED);
    free(text);
}
END_TEST

/* Same content in another spelling: same txid, same signature, same block. */
START_TEST(what_is_normalised_may_be_spelled_otherwise)
{
    char *sender = kit_text(good, "transactions/1/sender"), *p;
    char *text;

    for (p = sender + 5; *p != '"'; p++)
        *p = *p >= 'A' && *p <= 'F' ? (char)(*p + 32) : *p;
    text = kit_set(copy(), "transactions/1/sender", sender);
    assert_verdict(text, REASON_NONE);
    /* a mixed case that is no checksum is kept, and never spendable */
    sender[5] =
        sender[5] >= '0' && sender[5] <= '9' ? sender[5] : (char)(sender[5] - 32);
    for (p = sender + 5; *p != '"' && !(*p >= 'a' && *p <= 'f'); p++)
        continue;
    *p = (char)(*p - 32);
    text = kit_set(copy(), "transactions/1/sender", sender);
    assert_verdict(kit_remake(text), REASON_TX_MALFORMED);
    free(sender);
}
END_TEST

START_TEST(inputs_are_unspent_and_the_senders_own)
{
    char value[200], hex[65];
    const struct coin *foreign = NULL;
    char *sender = kit_text(good, "transactions/1/sender");

    for (size_t i = 0; i < node.coins.count && !foreign; i++)
        if (strncmp(node.coins.all[i].address, sender + 1, 20) != 0)
            foreign = &node.coins.all[i];
    ck_assert_ptr_nonnull(foreign);
    assert_field("inputs/0/txid",
                 "\"00000000000000000000000000000000000000000000000000000000000000ff\"",
                 REASON_TX_MISSING_COIN);
    hex_encode(foreign->at.txid, 32, hex);
    (void)snprintf(value, sizeof(value), "{\"txid\":\"%s\",\"vout\":%u}", hex,
                   foreign->at.vout);
    assert_field("inputs/0", value, REASON_TX_FOREIGN_COIN);
    free(sender);
}
END_TEST

START_TEST(a_coin_is_spent_once)
{
    char *input = kit_text(good, "transactions/1/inputs/0");
    char *tx = kit_set(kit_text(good, "transactions/1"), "nonce", "77");
    char *text = kit_add(copy(), "transactions/1/inputs", input);
    struct block *b = NULL;

    text = kit_remake(kit_sign(text, 1));
    ASSERT_ERR(ERR_VERIFY,
               block_decode(text, strlen(text), node.params, &b, &test_err));
    ck_assert_int_eq(test_err.reason, REASON_TX_DOUBLE_SPEND);
    free(text);
    text = kit_sign(kit_add(copy(), "transactions", tx), TRANSFERS + 1);
    assert_verdict(kit_remake(text), REASON_TX_DOUBLE_SPEND);
    free(input);
    free(tx);
}
END_TEST

START_TEST(a_coin_spent_below_is_gone)
{
    char *text = copy(), number[32];
    struct coins before = {0};
    struct header_window window = node.window;

    coins_apply(&before, &(struct connect_changes){.made = node.coins.all,
                                                   .made_count = node.coins.count,
                                                   .supply = node.coins.supply});
    node_take(&node, text, strlen(text));
    text = kit_set_hash(text, "previous_hash", node.window.last_hash);
    text =
        kit_set(text, "transactions/0/timestamp", "1795300001"); /* another coinbase */
    text = kit_set(text, "index", "36");
    (void)snprintf(number, sizeof(number), "%.17g",
                   node.window.timestamp[HEIGHT % HEADER_WINDOW] + 1);
    text = kit_set(text, "timestamp", number);
    assert_verdict(kit_remake(text), REASON_TX_MISSING_COIN);
    coins_fini(&node.coins);
    node.coins = before;
    node.window = window;
}
END_TEST

/* minerB's transfer spends what bob's transfer of the same block pays to minerB. */
START_TEST(a_coin_is_not_spent_where_it_is_made)
{
    char *owner = kit_text(good, "transactions/2/sender"), *id, *text, input[200];

    text = kit_set(copy(), "transactions/1/outputs/0/address", owner);
    text = kit_ids(kit_sign(text, 1));
    id = kit_text(text, "transactions/1/txid");
    (void)snprintf(input, sizeof(input), "[{\"txid\":%s,\"vout\":0}]", id);
    text = kit_set(text, "transactions/2/inputs", input);
    assert_verdict(kit_remake(kit_sign(text, 2)), REASON_TX_INTRA_BLOCK_SPEND);
    free(owner);
    free(id);
}
END_TEST

START_TEST(a_coin_is_not_made_while_it_exists)
{
    struct coin coin = {.amount = 1, .address = "somebody"};
    char *id = kit_text(good, "transactions/0/txid");

    id[65] = '\0';
    ck_assert(hex_hash(id + 1, coin.at.txid));
    coins_apply(&node.coins, &(struct connect_changes){.made = &coin,
                                                       .made_count = 1,
                                                       .supply = node.coins.supply});
    assert_verdict(copy(), REASON_TX_COIN_EXISTS);
    node.coins.count--;
    free(id);
}
END_TEST

START_TEST(the_supply_stays_within_its_cap)
{
    u128 supply = node.coins.supply;
    char *alone = mint(copy(), "transactions/0", "14.4");

    for (int i = 0; i < TRANSFERS; i++) /* they leave a surplus, which vanishes */
        alone = kit_remove(alone, "transactions/1");
    alone = kit_remake(alone);
    /* nothing is left to mint but the fees */
    node.coins.supply = (u128)121000000U * 1000000000000000000U;
    assert_verdict(copy(), REASON_BLOCK_COINBASE_TOO_LARGE);
    /* the reward is within what is left, the bonus is not */
    node.coins.supply -= (u128)12U * 1000000000000000000U;
    assert_verdict(xstrdup(alone), REASON_BLOCK_COINBASE_TOO_LARGE);
    ck_assert_ptr_nonnull(strstr(test_err.msg, "over 121 million"));
    node.coins.supply -= (u128)3U * 1000000000000000000U;
    assert_verdict(alone, REASON_NONE);
    node.coins.supply = 1;
    assert_verdict(copy(), REASON_STORAGE_CORRUPT);
    node.coins.supply = supply;
}
END_TEST

START_TEST(a_broken_storage_is_no_fault_of_the_block)
{
    char *alone = copy();

    node.coins.broken = true;
    assert_verdict(copy(), REASON_STORAGE_FAILED);
    for (int i = 0; i < TRANSFERS; i++) /* also when it is asked for what is made */
        alone = kit_remove(alone, "transactions/1");
    assert_verdict(kit_remake(alone), REASON_STORAGE_FAILED);
    node.coins.broken = false;
}
END_TEST

START_TEST(copies_have_stocks_keys_and_kinds)
{
    static const struct {
        const char *path, *value;
        enum reason want;
    } cases[] = {
        {"miner", "null", REASON_NONE},
        {"miner", "5", REASON_BLOCK_MALFORMED},
        {"transactions", "{}", REASON_BLOCK_MALFORMED},
        {"transactions/1", "[]", REASON_BLOCK_MALFORMED},
        {"transactions/1/txid", "null", REASON_BLOCK_MALFORMED},
        {"transactions/1/signature", "7", REASON_BLOCK_MALFORMED},
        {"transactions/1/public_key", "[]", REASON_BLOCK_MALFORMED},
        {"transactions/1/replaces_txid", "false", REASON_BLOCK_MALFORMED},
        {"transactions/1/rbf_enabled", "null", REASON_BLOCK_MALFORMED},
        {"transactions/1/metadata", "[]", REASON_BLOCK_MALFORMED},
        {"transactions/1/metadata", "{\"other\":1.0}", REASON_NONE},
        {"transactions/1/rbf_enabled", "true", REASON_NONE},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_verdict(kit_set(copy(), cases[i].path, cases[i].value), cases[i].want);
    assert_verdict(kit_remove(copy(), "miner"), REASON_BLOCK_MALFORMED);
    assert_verdict(kit_remove(copy(), "transactions"), REASON_BLOCK_MALFORMED);
    assert_verdict(kit_remove(copy(), "transactions/1/metadata"),
                   REASON_BLOCK_MALFORMED);
    assert_verdict(kit_add(copy(), "transactions/1", "\"gas_sponsor\":null"),
                   REASON_BLOCK_MALFORMED);
    assert_verdict(kit_add(kit_remove(copy(), "transactions/1/metadata"),
                           "transactions/1", "\"gas_sponsor\":null"),
                   REASON_BLOCK_MALFORMED);
    assert_verdict(kit_add(copy(), "", "\"header\":{}"), REASON_BLOCK_MALFORMED);
    assert_verdict(kit_add(copy(), "", "\"miner\":\"twice\""), REASON_BLOCK_MALFORMED);
}
END_TEST

static char *filled(const char *before, size_t n, const char *after)
{
    struct buf b = BUF(4U << 20);

    buf_puts(&b, before);
    for (size_t i = 0; i < n; i++)
        buf_puts(&b, "x");
    buf_puts(&b, after);
    return buf_take(&b);
}

static void assert_filled(const char *path, const char *before, size_t n,
                          const char *after, enum reason want)
{
    char *value = filled(before, n, after);

    assert_verdict(kit_set(copy(), path, value), want);
    free(value);
}

START_TEST(sizes_are_bounded)
{
    size_t others = 0, parts[2];
    char *text;

    /* {"m":"x..."}: 8 around the letters */
    assert_filled("transactions/1/metadata", "{\"m\":\"", 4096 - 8, "\"}", REASON_NONE);
    assert_filled("transactions/1/metadata", "{\"m\":\"", 4096 - 7, "\"}",
                  REASON_BLOCK_MALFORMED);
    /* a transaction is counted with Python's default separators */
    text = kit_text(good, "transactions/1");
    for (const char *p = text; *p; p++)
        others += *p == ',' || *p == ':';
    others += strlen(text) - strlen("null") + 2;
    free(text);
    assert_filled("transactions/1/replaces_txid", "\"", 100000 - others, "\"",
                  REASON_NONE);
    assert_filled("transactions/1/replaces_txid", "\"", 100001 - others, "\"",
                  REASON_BLOCK_TOO_LARGE);
    /* the block: header, transactions, miner, 8 and 4 each */
    text = kit_remove(kit_remove(copy(), "transactions"), "miner");
    parts[0] = strlen(text);
    free(text);
    text = kit_text(good, "transactions");
    parts[1] = strlen(text) - 2 - TRANSFERS; /* brackets and commas */
    free(text);
    others = parts[0] + parts[1] + 8 + 4 * (TRANSFERS + 1);
    assert_filled("miner", "\"", 2000000 - others, "\"", REASON_NONE);
    assert_filled("miner", "\"", 2000001 - others, "\"", REASON_BLOCK_TOO_LARGE);
}
END_TEST

START_TEST(too_many_transactions_are_refused_before_they_are_read)
{
    struct buf list = BUF(1U << 20);
    char *text;

    buf_puts(&list, "[0");
    for (int i = 0; i < 10000; i++)
        buf_puts(&list, ",0");
    buf_puts(&list, "]");
    text = kit_set(copy(), "transactions", list.data);
    assert_verdict(text, REASON_BLOCK_TOO_LARGE);
    buf_fini(&list);
}
END_TEST

/* n items of one form with their number in it. */
static char *numbered(const char *form, unsigned n)
{
    struct buf list = BUF(1U << 20);

    for (unsigned i = 0; i < n; i++) {
        buf_puts(&list, i == 0 ? "[" : ",");
        buf_printf(&list, "{%s,\"vout\":%u}", form, i);
    }
    buf_puts(&list, "]");
    return buf_take(&list);
}

static void assert_at_most_1000(const char *field, const char *form, enum reason want)
{
    char *list = numbered(form, 1000);

    assert_field(field, list, want);
    free(list);
    list = numbered(form, 1001);
    assert_field(field, list, REASON_TX_MALFORMED);
    ck_assert_ptr_nonnull(strstr(test_err.msg, "1000"));
    free(list);
}

START_TEST(too_many_inputs_and_outputs_are_refused)
{
    char *address = kit_text(good, "transactions/1/sender");
    CLEANUP_BUF struct buf output = BUF(1000);

    buf_printf(&output, "\"address\":%s,\"amount\":1e-18", address);
    assert_at_most_1000("outputs", output.data, REASON_NONE);
    assert_at_most_1000(
        "inputs",
        "\"txid\":\"00000000000000000000000000000000000000000000000000000000000000ff\"",
        REASON_TX_MISSING_COIN);
    free(address);
}
END_TEST

START_TEST(addresses_fit_a_coin)
{
    char path[] = "transactions/0/outputs/0/address", *value = filled("\"", 128, "\"");

    assert_verdict(kit_remake(kit_set(copy(), path, value)), REASON_NONE);
    free(value);
    value = filled("\"", 129, "\"");
    assert_verdict(kit_remake(kit_set(copy(), path, value)), REASON_TX_MALFORMED);
    free(value);
}
END_TEST

START_TEST(transactions_end_with_the_year_2099)
{
    char *text = kit_set(copy(), "timestamp", "4102445000.0");

    assert_verdict(kit_mine(xstrdup(text)), REASON_NONE);
    text = kit_set(text, "transactions/0/timestamp", "4102444801");
    assert_verdict(kit_remake(text), REASON_TX_MALFORMED);
}
END_TEST

START_TEST(faults_of_a_copy_are_told_from_faults_of_a_block)
{
    static const enum reason copies[] = {
        REASON_BLOCK_MALFORMED,     REASON_BLOCK_HASH_MISMATCH,
        REASON_BLOCK_BAD_SIGNATURE, REASON_BLOCK_BAD_MERKLE_ROOT,
        REASON_TX_BAD_SIGNATURE,    REASON_TX_FORBIDDEN_TYPE,
        REASON_BLOCK_TOO_LARGE,     REASON_BLOCK_DUPLICATE_TXID};

    for (int r = 0; r < REASON_COUNT; r++) {
        bool want = false;

        for (size_t i = 0; i < sizeof(copies) / sizeof(copies[0]); i++)
            want = want || (int)copies[i] == r;
        ck_assert_msg(block_copy_fault((enum reason)r) == want, "%s",
                      reason_code((enum reason)r));
    }
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("block mutations");
    TCase *tc = tcase_create("core");

    tcase_set_timeout(tc, 120);
    tcase_add_unchecked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, the_block_itself_is_good);
    tcase_add_test(tc, header_faults);
    tcase_add_test(tc, the_timestamp_may_not_be_rounded);
    tcase_add_test(tc, the_miners_signature_can_be_stripped_but_not_broken);
    tcase_add_test(tc, transactions_that_the_header_does_not_name);
    tcase_add_test(tc, a_txid_that_is_not_the_contents);
    tcase_add_test(tc, a_repeated_last_transaction_keeps_the_root);
    tcase_add_test(tc, a_duplicate_txid_that_is_mined);
    tcase_add_test(tc, a_coinbase_is_bounded);
    tcase_add_test(tc, two_coinbases_share_one_bound);
    tcase_add_test(tc, a_block_has_a_coinbase_first);
    tcase_add_test(tc, a_coinbase_has_its_form);
    tcase_add_test(tc, nobody_else_mints);
    tcase_add_test(tc, coins_of_nothing_are_for_heartbeats);
    tcase_add_test(tc, transfers_have_the_normal_type);
    tcase_add_test(tc, transfers_are_signed_by_their_sender);
    tcase_add_test(tc, transfers_have_their_form);
    tcase_add_test(tc, a_transfer_may_be_dated_a_little_ahead);
    tcase_add_test(tc, what_is_normalised_may_be_spelled_otherwise);
    tcase_add_test(tc, inputs_are_unspent_and_the_senders_own);
    tcase_add_test(tc, a_coin_is_spent_once);
    tcase_add_test(tc, a_coin_spent_below_is_gone);
    tcase_add_test(tc, a_coin_is_not_spent_where_it_is_made);
    tcase_add_test(tc, a_coin_is_not_made_while_it_exists);
    tcase_add_test(tc, the_supply_stays_within_its_cap);
    tcase_add_test(tc, a_broken_storage_is_no_fault_of_the_block);
    tcase_add_test(tc, copies_have_stocks_keys_and_kinds);
    tcase_add_test(tc, sizes_are_bounded);
    tcase_add_test(tc, too_many_transactions_are_refused_before_they_are_read);
    tcase_add_test(tc, too_many_inputs_and_outputs_are_refused);
    tcase_add_test(tc, addresses_fit_a_coin);
    tcase_add_test(tc, transactions_end_with_the_year_2099);
    tcase_add_test(tc, faults_of_a_copy_are_told_from_faults_of_a_block);
    suite_add_tcase(s, tc);
    return s;
}
