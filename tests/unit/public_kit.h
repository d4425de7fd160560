#ifndef TESTS_UNIT_PUBLIC_KIT_H
#define TESTS_UNIT_PUBLIC_KIT_H

#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rpc/public_call.h"
#include "store/control.h"
#include "sync/identity.h"
#include "tests/unit/fake_engine.h"
#include "tests/unit/lines.h"

/* What the public plane answers, on the databases of a node that mounted 200 and
   followed to 240 (tests/data/schema). */
static const char *const *query; /* name, value, ... NULL */
static char dir[64];
static struct public_config cfg;
static struct public_site site;
static struct public_say say;
static struct identity *identity;

const struct identity *engine_identity(const struct engine *e)
{
    (void)e;
    return identity;
}

static inline void copy_file(const char *from, const char *to)
{
    char path[200], bytes[65536];
    size_t n;
    FILE *in, *out;

    (void)snprintf(path, sizeof(path), "%s/schema/%s", TEST_DATA, from);
    in = fopen(path, "r");
    ck_assert_msg(in != NULL, "%s", path);
    (void)snprintf(path, sizeof(path), "%s/%s", dir, to);
    out = fopen(path, "w");
    ck_assert_ptr_nonnull(out);
    while ((n = fread(bytes, 1, sizeof(bytes), in)) > 0)
        ck_assert_uint_eq(fwrite(bytes, 1, n, out), n);
    (void)fclose(in);
    ck_assert_int_eq(fclose(out), 0);
}

static inline void make_dir(const char *name)
{
    char path[200];

    (void)snprintf(path, sizeof(path), "%s%s", dir, name);
    ck_assert_int_eq(mkdir(path, 0700), 0);
}

/* Whoever writes migrates. */
static inline void migrate(void)
{
    struct control *control;
    struct chaindb *chain;
    char path[200];

    (void)snprintf(path, sizeof(path), "%s/control.db", dir);
    ASSERT_OK(control_open(path, CONTROL_WRITER, &control, &test_err));
    control_close(control);
    (void)snprintf(path, sizeof(path), "%s/generations/1/chain.db", dir);
    ASSERT_OK(chaindb_open(path, CHAINDB_WRITER, &chain, &test_err));
    chaindb_close(chain);
}

static inline void set_up(void)
{
    char path[100];

    fake_reset();
    (void)snprintf(dir, sizeof(dir), "/tmp/cairn-public-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    make_dir("/generations");
    make_dir("/generations/1");
    copy_file("control_v1.db", "control.db");
    copy_file("chain_v2.db", "generations/1/chain.db");
    copy_file("base_v1.coins", "generations/1/base.coins");
    migrate();
    (void)snprintf(path, sizeof(path), "%s/node.key", dir);
    ASSERT_OK(identity_open(path, &identity, &test_err));
    fake.status.generation = 1;
    fake.status.ready = true;
    cfg = (struct public_config){.data_dir = dir, .params = params_find("testnet")};
    site = (struct public_site){&cfg, &fake, reads_create(&fake, dir)};
}

static inline int remove_one(const char *path, const struct stat *st, int flag,
                             struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

static inline void tear_down(void)
{
    buf_fini(&say.body);
    reads_free(site.reads);
    identity_close(identity);
    fake_forget();
    ck_assert_int_eq(nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static inline const char *value_of(void *arg, const char *name)
{
    (void)arg;
    for (const char *const *q = query; q && *q; q += 2)
        if (strcmp(*q, name) == 0)
            return q[1];
    return NULL;
}

/* The body; the rest is in say. */
static inline const char *ask_known(const char *path, const char *const *values,
                                    const char *known)
{
    const struct public_ask ask = {.path = path, .value = value_of, .known = known};

    buf_fini(&say.body);
    query = values;
    public_call(&site, &ask, &say);
    return say.body.data ? say.body.data : "";
}

static inline const char *ask(const char *path, const char *const *values)
{
    return ask_known(path, values, NULL);
}

#define QUERY(...) ((const char *const[]){__VA_ARGS__, NULL})

static inline void assert_error(const char *path, const char *const *values,
                                unsigned status, const char *body)
{
    ck_assert_str_eq(ask(path, values), body);
    ck_assert_uint_eq(say.status, status);
    ck_assert_str_eq(say.type, "application/json");
}

static const char nonce_hex[] =
    "0101010101010101010101010101010101010101010101010101010101010101";

#endif
