#include <arpa/inet.h>
#include <string.h>

#include "sync/peer/cidr.h"

enum { TEXT_MAX = 64, MAPPED_BITS = 96 };

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool cidr_parse_address(const char *text, struct cidr *out)
{
    struct cidr c = {.bits = 128};

    if (inet_pton(AF_INET, text, c.bytes + sizeof(mapped)) == 1)
        memcpy(c.bytes, mapped, sizeof(mapped));
    else if (inet_pton(AF_INET6, text, c.bytes) != 1)
        return false;
    *out = c;
    return true;
}

bool cidr_is_ipv4(const struct cidr *c)
{
    return c->bits >= MAPPED_BITS && memcmp(c->bytes, mapped, sizeof(mapped)) == 0;
}

/* One to three digits, no leading zero. */
static bool parse_bits(const char *text, unsigned max, unsigned *out)
{
    unsigned n = 0;
    size_t len = strlen(text);

    if (len == 0 || len > 3 || (text[0] == '0' && len > 1))
        return false;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9')
            return false;
        n = n * 10 + (unsigned)(*text - '0');
    }
    *out = n;
    return n <= max;
}

struct cidr cidr_around(const struct cidr *address, unsigned bits)
{
    struct cidr net = {.bits = bits};

    memcpy(net.bytes, address->bytes, bits / 8);
    if (bits % 8 != 0)
        net.bytes[bits / 8] =
            (uint8_t)(address->bytes[bits / 8] & (0xff00U >> (bits % 8)));
    return net;
}

bool cidr_parse(const char *text, struct cidr *out)
{
    const char *slash = strchr(text, '/');
    char address[TEXT_MAX];
    struct cidr whole, net;
    unsigned bits, skip;

    if (!slash)
        return cidr_parse_address(text, out);
    if ((size_t)(slash - text) >= sizeof(address))
        return false;
    memcpy(address, text, (size_t)(slash - text));
    address[slash - text] = '\0';
    if (!cidr_parse_address(address, &whole))
        return false;
    skip = strchr(address, ':') ? 0 : MAPPED_BITS;
    if (!parse_bits(slash + 1, 128 - skip, &bits))
        return false;
    net = cidr_around(&whole, skip + bits);
    if (memcmp(net.bytes, whole.bytes, sizeof(net.bytes)) != 0)
        return false;
    *out = net;
    return true;
}

bool cidr_contains(const struct cidr *net, const struct cidr *address)
{
    struct cidr around = cidr_around(address, net->bits);

    return memcmp(net->bytes, around.bytes, sizeof(around.bytes)) == 0;
}
