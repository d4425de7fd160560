#include <string.h>

#include "base/hash.h"
#include "store/bytes.h"
#include "store/coinhead.h"

enum { /* offsets */
       AT_MAGIC = 0,
       AT_VERSION = 8,
       AT_LENGTH = 12,
       AT_NETWORK = 16,
       AT_HEIGHT = 48,
       AT_BLOCK = 56,
       AT_SUM = 88,
       VERSION = 1,
};

static const char magic[8] = "CAIRNCF1"; /* no NUL */

static bool network_is_sound(const char network[32])
{
    size_t n = strnlen(network, 32);

    if (n == 0 || n == 32)
        return false;
    for (size_t i = 0; i < 32; i++)
        if (i < n ? network[i] <= 0x20 || network[i] >= 0x7f : network[i] != '\0')
            return false;
    return true;
}

enum errc coinhead_encode(const struct coinfile_id *id, uint8_t out[COINHEAD_BYTES],
                          struct err *err)
{
    char network[32] = "";

    memcpy(network, id->network, strnlen(id->network, sizeof(id->network)));
    if (!network_is_sound(network))
        return err_set(err, ERR_INVALID, "network of a coin file");
    memcpy(out + AT_MAGIC, magic, sizeof(magic));
    bytes_put_le32(out + AT_VERSION, VERSION);
    bytes_put_le32(out + AT_LENGTH, COINHEAD_BYTES);
    memcpy(out + AT_NETWORK, network, sizeof(network));
    bytes_put_le64(out + AT_HEIGHT, id->height);
    memcpy(out + AT_BLOCK, id->block_hash, 32);
    hash_sha256(out, AT_SUM, out + AT_SUM);
    return ERR_OK;
}

enum errc coinhead_decode(const uint8_t in[COINHEAD_BYTES], struct coinfile_id *out,
                          struct err *err)
{
    uint8_t sum[32];

    if (memcmp(in + AT_MAGIC, magic, sizeof(magic)) != 0)
        return err_fail(err, REASON_STORAGE_CORRUPT, "not a coin file");
    if (bytes_le32(in + AT_VERSION) != VERSION)
        return err_fail(err, REASON_STORAGE_CORRUPT, "coin file of format %u, not %d",
                        bytes_le32(in + AT_VERSION), VERSION);
    hash_sha256(in, AT_SUM, sum);
    if (memcmp(sum, in + AT_SUM, sizeof(sum)) != 0)
        return err_fail(err, REASON_STORAGE_CORRUPT, "coin file header lost its hash");
    if (bytes_le32(in + AT_LENGTH) != COINHEAD_BYTES ||
        !network_is_sound((const char *)in + AT_NETWORK))
        return err_fail(err, REASON_STORAGE_CORRUPT, "coin file header is malformed");
    memcpy(out->network, in + AT_NETWORK, sizeof(out->network));
    out->height = bytes_le64(in + AT_HEIGHT);
    memcpy(out->block_hash, in + AT_BLOCK, 32);
    return ERR_OK;
}
