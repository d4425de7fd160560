#include <string.h>

#include "base/hash.h"
#include "base/hex.h"
#include "sync/chain/address.h"

enum { HEX_MIN = 22, HEX_MAX = 60, HEX_STANDARD = 40 };

/* Names that stand for themselves. */
static const char *const specials[] = {
    "COINBASE",
    "SYSTEM",
    "AIRDROP",
    "XAITRADEFEE",
    "TXAITRADEFEE",
    "GOVERNANCE",
    "STAKING",
    "TIMECAPSULE",
    "xaitest1tradefeeaddr00000000000000",
    "xai1tradefeeaddr000000000000000000000000",
};

struct span {
    const char *text;
    size_t len;
};

/* Bytes of the white space character (Python's str.strip) at p, or 0. */
static size_t blank_at(const char *p, size_t len)
{
    static const char *const wide[] = {
        "\xc2\x85",     "\xc2\xa0",     "\xe1\x9a\x80", "\xe2\x80\x80", "\xe2\x80\x81",
        "\xe2\x80\x82", "\xe2\x80\x83", "\xe2\x80\x84", "\xe2\x80\x85", "\xe2\x80\x86",
        "\xe2\x80\x87", "\xe2\x80\x88", "\xe2\x80\x89", "\xe2\x80\x8a", "\xe2\x80\xa8",
        "\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80"};

    if (len > 0 && (unsigned char)*p < 0x80)
        return (*p >= 0x09 && *p <= 0x0d) || (*p >= 0x1c && *p <= 0x20);
    for (size_t i = 0; i < sizeof(wide) / sizeof(wide[0]); i++)
        if (len >= strlen(wide[i]) && memcmp(p, wide[i], strlen(wide[i])) == 0)
            return strlen(wide[i]);
    return 0;
}

/* The same of the character that ends s. */
static size_t blank_before_end(struct span s)
{
    for (size_t n = 1; n <= 3 && n <= s.len; n++)
        if (blank_at(s.text + s.len - n, n) == n)
            return n;
    return 0;
}

static bool is_plain(char c)
{
    return c > 0x20 && c < 0x7f;
}

static struct span strip(const char *in)
{
    struct span s = {in, strlen(in)};
    size_t n;

    if (s.len > 0 && is_plain(s.text[0]) && is_plain(s.text[s.len - 1]))
        return s; /* as nearly all are */
    while ((n = blank_at(s.text, s.len)) > 0) {
        s.text += n;
        s.len -= n;
    }
    while ((n = blank_before_end(s)) > 0)
        s.len -= n;
    return s;
}

static bool is_special(struct span s)
{
    for (size_t i = 0; i < sizeof(specials) / sizeof(specials[0]); i++)
        if (strlen(specials[i]) == s.len && memcmp(specials[i], s.text, s.len) == 0)
            return true;
    return false;
}

static bool starts_with(struct span s, const char *prefix)
{
    return s.len >= strlen(prefix) && memcmp(s.text, prefix, strlen(prefix)) == 0;
}

enum { DIGIT = 1, UPPER = 2, LOWER = 4 }; /* of hex digits */
static const uint8_t kinds[256] = {
    ['0'] = DIGIT, ['1'] = DIGIT, ['2'] = DIGIT, ['3'] = DIGIT, ['4'] = DIGIT,
    ['5'] = DIGIT, ['6'] = DIGIT, ['7'] = DIGIT, ['8'] = DIGIT, ['9'] = DIGIT,
    ['A'] = UPPER, ['B'] = UPPER, ['C'] = UPPER, ['D'] = UPPER, ['E'] = UPPER,
    ['F'] = UPPER, ['a'] = LOWER, ['b'] = LOWER, ['c'] = LOWER, ['d'] = LOWER,
    ['e'] = LOWER, ['f'] = LOWER};

static bool is_hex(struct span s, size_t from)
{
    bool all = true;

    for (size_t i = from; i < s.len; i++)
        all &= kinds[(unsigned char)s.text[i]] != 0;
    return all;
}

/* Of the hex forms: TXAI and XAI.  0 if it is neither, or the digits are not right. */
static size_t hex_prefix(struct span s)
{
    size_t prefix = starts_with(s, "TXAI") ? 4 : starts_with(s, "XAI") ? 3 : 0;

    if (prefix == 0 || s.len - prefix < HEX_MIN || s.len - prefix > HEX_MAX ||
        !is_hex(s, prefix))
        return 0;
    return prefix;
}

static bool is_base32(struct span s)
{
    size_t prefix = starts_with(s, "xaitest1") ? 8 : starts_with(s, "xai1") ? 4 : 0;

    if (prefix == 0 || s.len - prefix != (prefix == 8 ? 32 : 38))
        return false;
    for (size_t i = prefix; i < s.len; i++)
        if ((s.text[i] < 'a' || s.text[i] > 'z') &&
            (s.text[i] < '2' || s.text[i] > '7'))
            return false;
    return true;
}

/* A body in one case is given its checksum's; a mixed one is kept, right or wrong. */
static bool has_one_case(const char *body)
{
    unsigned seen = 0;

    for (size_t i = 0; i < HEX_STANDARD; i++)
        seen |= kinds[(unsigned char)body[i]];
    return (seen & (UPPER | LOWER)) != (UPPER | LOWER);
}

bool address_normalise(const char *in, char out[COIN_ADDRESS_MAX + 1])
{
    struct span s = strip(in);
    size_t prefix = hex_prefix(s);

    if (prefix == 0 && !is_special(s) && !is_base32(s))
        return false;
    memcpy(out, s.text, s.len); /* all forms are shorter than COIN_ADDRESS_MAX */
    out[s.len] = '\0';
    if (prefix > 0 && s.len - prefix == HEX_STANDARD && has_one_case(out + prefix))
        hash_address_case(out + prefix);
    return true;
}

bool address_in_transfer(const char *address, const struct chain_params *params)
{
    struct span s = strip(address);

    return (starts_with(s, params->address_prefix) && hex_prefix(s) > 0) ||
           is_special(s);
}

bool address_is_of_key(const char *spendable, const uint8_t key[64],
                       const struct chain_params *params)
{
    const struct span s = {spendable, strlen(spendable)};
    size_t prefix = strlen(params->address_prefix);
    uint8_t hash[32], body[HEX_STANDARD / 2];

    hash_sha256(key, 64, hash);
    return starts_with(s, params->address_prefix) && s.len == prefix + HEX_STANDARD &&
           hex_decode(s.text + prefix, sizeof(body), false, body) &&
           memcmp(hash, body, sizeof(body)) == 0;
}

void address_of_key(const uint8_t key[64], const struct chain_params *params,
                    char out[COIN_ADDRESS_MAX + 1])
{
    size_t prefix = strlen(params->address_prefix);
    uint8_t hash[32];

    hash_sha256(key, 64, hash);
    memcpy(out, params->address_prefix, prefix);
    hex_encode(hash, HEX_STANDARD / 2, out + prefix);
    hash_address_case(out + prefix);
}

bool address_is_name(const char *address)
{
    return is_special((struct span){address, strlen(address)});
}

bool address_is_spendable(const char *address, const struct chain_params *params)
{
    size_t prefix = strlen(params->address_prefix);
    struct span s = {address, strlen(address)};
    char body[HEX_STANDARD];

    if (!starts_with(s, params->address_prefix) || s.len != prefix + HEX_STANDARD ||
        !is_hex(s, prefix))
        return false;
    memcpy(body, address + prefix, sizeof(body));
    hash_address_case(body);
    return memcmp(body, address + prefix, sizeof(body)) == 0;
}
