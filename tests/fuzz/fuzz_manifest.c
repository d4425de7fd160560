/* Manifests of strangers: what is read is written again byte for byte, keeps its
   digest, is within its bounds, and merges with itself to itself. */
#include <stdlib.h>
#include <string.h>

#include "sync/snapshot/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void check_bounds(const struct manifest *m)
{
    uint64_t body = m->bytes - 120;
    char id[MANIFEST_ID];

    require(m->bytes >= 120 && m->bytes <= COINFILE_BYTES_MAX);
    require(m->chunk_count <= CHUNKTABLE_CHUNKS_MAX && m->coin_count <= body / 47);
    require(m->frames_bytes <= body + body / 256 + 64 * (uint64_t)m->chunk_count);
    require(m->signature_count <= MANIFEST_SIGNATURES_MAX);
    require(m->xai_count <= MANIFEST_SIGNATURES_MAX);
    require(m->header.height == m->height);
    manifest_id(m, id);
    require(manifest_id_valid(id));
}

static void check_merge(const struct manifest *m, const char *text, size_t len)
{
    CLEANUP(manifest_free) struct manifest *copy = manifest_copy(m);
    CLEANUP_BUF struct buf again = BUF(MANIFEST_MAX);
    size_t added = 1;
    struct err err;

    require(manifest_merge(copy, m, &added, &err) == ERR_OK && added == 0);
    manifest_write(copy, &again);
    require(again.len == len && memcmp(again.data, text, len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct manifest_texts texts;
    static struct trust_candidate candidate;
    CLEANUP(manifest_free) struct manifest *m = NULL;
    CLEANUP_BUF struct buf text = BUF(MANIFEST_MAX);
    struct err err = {0};

    if (manifest_parse((const char *)data, size, &m, &err) != ERR_OK) {
        require(m == NULL && err.reason == REASON_METADATA_MALFORMED &&
                err.msg[0] != '\0');
        return 0;
    }
    require(size <= MANIFEST_MAX);
    manifest_write(m, &text);
    require(text.len == size && memcmp(text.data, data, size) == 0);
    check_bounds(m);
    check_merge(m, (const char *)data, size);
    manifest_candidate(m, "fuzz", &texts, &candidate);
    require(candidate.signature_count == m->signature_count);
    if (manifest_check_signatures(m, &err) == ERR_OK)
        for (size_t i = 0; i < m->signature_count; i++)
            require(manifest_signed(m, &m->signatures[i].key, 1, NULL) == 1);
    return 0;
}
