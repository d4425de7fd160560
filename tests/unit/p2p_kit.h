#ifndef TESTS_UNIT_P2P_KIT_H
#define TESTS_UNIT_P2P_KIT_H

#include <unistd.h>

#include "base/mem.h"
#include "sync/p2p/envelope.h"
#include "tests/unit/lines.h"

/* A file of tests/data/p2p, NUL-terminated, to be freed. */
static inline char *p2p_file(const char *name, size_t *len)
{
    char path[512];
    char *text = xcalloc(1, ENVELOPE_MAX + 1);
    FILE *f;

    (void)snprintf(path, sizeof(path), "%s/p2p/%s", TEST_DATA, name);
    f = fopen(path, "rb");
    ck_assert_msg(f != NULL, "%s", path);
    *len = fread(text, 1, ENVELOPE_MAX, f);
    (void)fclose(f);
    return text;
}

/* The key of vectors.json, or a new one for NULL, by way of a key file. */
static inline struct p2p_key *p2p_kit_key(const char *hex)
{
    char path[] = "/tmp/check_p2p.XXXXXX";
    struct p2p_key *k = NULL;
    int fd = mkstemp(path);

    ck_assert_int_ge(fd, 0);
    if (hex)
        ck_assert_int_eq(dprintf(fd, "%s\n", hex), 65);
    (void)close(fd);
    if (!hex)
        (void)unlink(path);
    ASSERT_OK(p2p_key_open(path, &k, &test_err));
    (void)unlink(path);
    return k;
}

#endif
