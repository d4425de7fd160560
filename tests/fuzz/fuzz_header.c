/* Strict JSON: what is accepted is written, in all three forms, as text that reads back
   as the same document.  A header that is accepted hashes to the hash it names. */
#include <stdlib.h>
#include <string.h>

#include "sync/chain/header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct json_limits limits = {1U << 24, 1U << 16, 32};

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void check_form(const struct json *v, enum json_form form)
{
    CLEANUP_BUF struct buf text = BUF(1U << 24), again = BUF(1U << 24);
    CLEANUP(json_free) struct json_doc *doc = NULL;
    struct err err;

    json_write(v, form, &text);
    require(json_parse(text.data, text.len, &limits, &doc, &err) == ERR_OK);
    json_write(json_root(doc), form, &again);
    require(again.len == text.len && memcmp(again.data, text.data, text.len) == 0);
}

static void check_header(const struct json *v)
{
    struct header h = {.height = UINT64_MAX};
    struct err err = {0};
    uint8_t hash[32];

    if (header_parse(v, &h, &err) != ERR_OK) {
        require(err.reason == REASON_BLOCK_MALFORMED ||
                err.reason == REASON_BLOCK_HASH_MISMATCH);
        require(h.height == UINT64_MAX); /* untouched */
        return;
    }
    require(json_hash(json_get(v, "hash"), hash) && memcmp(hash, h.hash, 32) == 0);
    require(h.difficulty <= 64 && h.timestamp >= 0);
    (void)header_has_pow(&h);
    (void)header_check_signature(&h, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(json_free) struct json_doc *doc = NULL;
    struct err err = {0};

    if (json_parse((const char *)data, size, &limits, &doc, &err) != ERR_OK) {
        require(doc == NULL && err.reason == REASON_BLOCK_MALFORMED);
        return 0;
    }
    check_form(json_root(doc), JSON_CANON);
    check_form(json_root(doc), JSON_SPACED);
    check_form(json_root(doc), JSON_UNSORTED);
    check_header(json_root(doc));
    return 0;
}
