#ifndef TESTS_UNIT_SNAPSHOT_KIT_H
#define TESTS_UNIT_SNAPSHOT_KIT_H

#include <sys/stat.h>

#include "sync/snapshot/snapdir.h"
#include "tests/unit/coins.h"

/* Snapshots of synthetic coins at a block that the kit makes up, in a directory of
   their own, and their files as bytes. */
struct snapshot_kit {
    char parent[64], path[160];
    struct snapdir_about about;
};

static inline void snapshot_kit_init(struct snapshot_kit *k)
{
    struct header *h = &k->about.header;

    memset(k, 0, sizeof(*k));
    (void)snprintf(k->parent, sizeof(k->parent), "/tmp/check_snapshot-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(k->parent));
    h->height = 77;
    memset(h->prev, 0x11, 32);
    memset(h->merkle_root, 0x22, 32);
    h->timestamp = 1730851300.25;
    h->difficulty = 2;
    h->nonce = 5;
    h->has_version = true;
    h->version = 1;
    memset(h->signature, 'a', 128); /* never told */
    memset(h->miner_pubkey, 'b', 128);
    header_hash(h, h->hash);
    k->about.params = params_find("testnet");
    ck_assert(work_parse("20000", &k->about.work));
}

static inline struct manifest *snapshot_kit_make(struct snapshot_kit *k,
                                                 const struct coin *coins, uint32_t n,
                                                 const uint8_t *xai)
{
    CLEANUP(snapdir_writer_free) struct snapdir_writer *w = NULL;
    struct manifest *m = NULL;
    char id[MANIFEST_ID];

    ASSERT_OK(snapdir_writer_create(k->parent, &k->about, &w, &test_err));
    for (uint32_t i = 0; i < n; i++) /* Check's asserts are slow */
        if (snapdir_writer_add(w, &coins[i], &test_err))
            ck_abort_msg("%s", test_err.msg);
    if (xai)
        snapdir_writer_xai(w, xai);
    ASSERT_OK(snapdir_writer_finish(w, &m, &test_err));
    manifest_id(m, id);
    (void)snprintf(k->path, sizeof(k->path), "%s/%s", k->parent, id);
    return m;
}

/* Nothing but the snapshot made last may be left. */
static inline void snapshot_kit_fini(struct snapshot_kit *k)
{
    if (k->path[0])
        ASSERT_OK(snapdir_remove(k->path, &test_err));
    ck_assert_int_eq(rmdir(k->parent), 0);
}

static inline void snapshot_kit_name(const struct snapshot_kit *k, const char *name,
                                     char out[256])
{
    (void)snprintf(out, 256, "%s/%s", k->path, name);
}

/* The caller's to free. */
static inline uint8_t *snapshot_kit_read(const struct snapshot_kit *k, const char *name,
                                         size_t *len)
{
    char path[256];
    struct stat st;
    uint8_t *bytes;
    FILE *f;

    snapshot_kit_name(k, name, path);
    f = fopen(path, "rb");
    ck_assert_msg(f && fstat(fileno(f), &st) == 0, "%s is not there", path);
    *len = (size_t)st.st_size;
    bytes = xcalloc(*len + 1, 1);
    ck_assert_uint_eq(fread(bytes, 1, *len, f), *len);
    (void)fclose(f);
    return bytes;
}

static inline void snapshot_kit_write(const struct snapshot_kit *k, const char *name,
                                      const uint8_t *bytes, size_t len)
{
    char path[256];
    FILE *f;

    snapshot_kit_name(k, name, path);
    f = fopen(path, "wb");
    if (!f || fwrite(bytes, 1, len, f) != len || fclose(f) != 0)
        ck_abort_msg("%s cannot be written", path);
}

#endif
