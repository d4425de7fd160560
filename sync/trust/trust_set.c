#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "sync/trust/trust_set.h"

static int by_key(const void *a, const void *b)
{
    return trust_key_compare(a, b);
}

bool trust_set_first(const struct trust_key *keys, size_t count, unsigned threshold,
                     struct trust_set *out)
{
    struct trust_set set = {.threshold = threshold};

    if (count > TRUST_KEYS_MAX)
        return false;
    for (size_t i = 0; i < count; i++)
        set.keys[i] = keys[i];
    qsort(set.keys, count, sizeof(set.keys[0]), by_key);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || !trust_key_equal(&set.keys[i], &set.keys[set.key_count - 1]))
            set.keys[set.key_count++] = set.keys[i];
    if (threshold == 0 || threshold > set.key_count)
        return false;
    *out = set;
    return true;
}

void trust_set_digest(const struct trust_set *set, const struct chain_params *params,
                      uint8_t out[32])
{
    CLEANUP(trust_statement_free)
    struct trust_statement *s = trust_statement_new(TRUST_SIGNER_SET, params);

    *s->set = *set;
    trust_statement_digest(s, out);
}

static bool follows(const struct trust_set *set, const struct trust_statement *cert,
                    const struct chain_params *params)
{
    uint8_t digest[32];

    trust_set_digest(set, params, digest);
    return cert->set->sequence == set->sequence + 1 &&
           memcmp(cert->set->previous, digest, 32) == 0;
}

enum errc trust_set_advance(struct trust_set *set, const struct trust_statement *cert,
                            const struct chain_params *params, struct err *err)
{
    size_t n;

    if (cert->type != TRUST_SIGNER_SET)
        return err_set(err, ERR_INVALID, "not a certificate of a signer set");
    if (!trust_statement_of(cert, params))
        return err_fail(err, REASON_NETWORK_MISMATCH,
                        "the certificate is of another network");
    if (!follows(set, cert, params))
        return err_fail(err, REASON_CONFLICT,
                        "the certificate is of set %" PRIu64
                        " and does not follow set %" PRIu64 " as it is here",
                        cert->set->sequence, set->sequence);
    n = trust_statement_signed(cert, set->keys, set->key_count);
    if (n < set->threshold)
        return err_fail(err, REASON_THRESHOLD_NOT_MET,
                        "%zu of the %u signatures that set %" PRIu64 " asks for hold",
                        n, set->threshold, set->sequence);
    *set = *cert->set;
    return ERR_OK;
}
