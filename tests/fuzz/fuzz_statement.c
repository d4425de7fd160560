/* Signed documents of strangers: what is read is written again byte for byte, keeps its
   digest, and is within its bounds. */
#include <stdlib.h>
#include <string.h>

#include "sync/trust/trust_set.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void check_bounds(const struct trust_statement *s)
{
    require(s->signature_count <= TRUST_KEYS_MAX);
    for (size_t i = 1; i < s->signature_count; i++)
        require(trust_key_compare(&s->signatures[i - 1].key, &s->signatures[i].key) <
                0);
    require((s->set != NULL) == (s->type == TRUST_SIGNER_SET));
    if (!s->set)
        return;
    require(s->set->key_count >= 1 && s->set->key_count <= TRUST_KEYS_MAX);
    require(s->set->threshold >= 1 && s->set->threshold <= s->set->key_count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(trust_statement_free) struct trust_statement *s = NULL;
    CLEANUP_BUF struct buf text = BUF(TRUST_STATEMENT_MAX);
    struct err err = {0};
    uint8_t digest[32];

    if (trust_statement_parse((const char *)data, size, &s, &err) != ERR_OK) {
        require(s == NULL && err.code == ERR_INVALID && err.msg[0] != '\0');
        return 0;
    }
    trust_statement_write(s, &text);
    require(text.len == size && memcmp(text.data, data, size) == 0);
    trust_statement_digest(s, digest);
    check_bounds(s);
    (void)trust_statement_signed(s, s->set ? s->set->keys : NULL,
                                 s->set ? s->set->key_count : 0);
    return 0;
}
