#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/durable.h"
#include "base/log.h"
#include "sync/core.h"

static void gen_dir(const struct engine *e, int64_t id, char out[PATH_TEXT])
{
    (void)snprintf(out, PATH_TEXT, "%.900s/generations/%lld", e->cfg->data_dir,
                   (long long)id);
}

void gen_path(const struct gen *g, const char *file, char out[PATH_TEXT])
{
    (void)snprintf(out, PATH_TEXT, "%.900s/%s", g->dir, file);
}

enum errc gen_open(struct engine *e, int64_t id, struct gen *g, struct err *err)
{
    char path[PATH_TEXT];

    *g = (struct gen){.id = id};
    gen_dir(e, id, g->dir);
    if (mkdir(g->dir, 0700) != 0 && errno != EEXIST) {
        (void)err_errno(err, "%s", g->dir);
        *g = (struct gen){0};
        return err->code;
    }
    gen_path(g, "chain.db", path);
    /* Its name must outlive a crash no less than what will be in it. */
    if (durable_sync_dir_of(g->dir, err) == ERR_OK &&
        chaindb_open(path, CHAINDB_WRITER, &g->db, err) == ERR_OK)
        return ERR_OK;
    *g = (struct gen){0};
    return err->code;
}

static void remove_dir(const char *dir)
{
    DIR *d = opendir(dir);
    struct dirent *ent;

    if (!d)
        return;
    while ((ent = readdir(d)) != NULL) /* NOLINT(concurrency-mt-unsafe): own stream */
        if (strcmp(ent->d_name, ".") != 0 && strcmp(ent->d_name, "..") != 0)
            (void)unlinkat(dirfd(d), ent->d_name, 0);
    (void)closedir(d);
    (void)rmdir(dir);
}

enum errc gen_create(struct engine *e, struct gen *g, struct err *err)
{
    char dir[PATH_TEXT];
    int64_t id;

    if (control_generation_insert(e->control, clock_now_ms(), &id, err))
        return err->code;
    /* Of that number only where control.db was put back or lost its last rows. */
    gen_dir(e, id, dir);
    remove_dir(dir);
    return gen_open(e, id, g, err);
}

void gen_close(struct gen *g)
{
    state_close(g->state);
    chaindb_close(g->db);
    *g = (struct gen){0};
}

enum errc gen_discard(struct engine *e, struct gen *g)
{
    struct control_generation row = {.id = g->id, .state = CONTROL_GEN_FAILED};
    char dir[PATH_TEXT];
    struct err err;

    if (g->id == 0)
        return ERR_OK;
    memcpy(dir, g->dir, sizeof(dir));
    gen_close(g);
    remove_dir(dir);
    if (control_generation_update(e->control, &row, &err) == ERR_OK)
        return ERR_OK;
    log_warn("generation row not updated, ignoring", KV_S("detail", err.msg));
    return err.code;
}

struct orphans {
    struct engine *e;
    int64_t ids[64];
    size_t n;
    bool retired; /* one was seen: the last one, since the newest come first */
};

static enum errc find_orphan(void *arg, const struct control_generation *g,
                             struct err *err)
{
    struct orphans *s = arg;
    char dir[PATH_TEXT];

    (void)err;
    if (g->id == s->e->building.id || s->n == 64)
        return ERR_OK;
    if (g->state == CONTROL_GEN_BUILDING)
        s->ids[s->n++] = g->id;
    if (g->state == CONTROL_GEN_FAILED ||
        (g->state == CONTROL_GEN_RETIRED && s->retired)) {
        gen_dir(s->e, g->id, dir);
        remove_dir(dir);
    }
    s->retired = s->retired || g->state == CONTROL_GEN_RETIRED;
    return ERR_OK;
}

enum errc gen_sweep(struct engine *e, struct err *err)
{
    struct orphans s = {.e = e};

    if (control_generation_each(e->control, find_orphan, &s, err))
        return err->code;
    for (size_t i = 0; i < s.n; i++) {
        struct control_generation row = {.id = s.ids[i], .state = CONTROL_GEN_FAILED};
        char dir[PATH_TEXT];

        gen_dir(e, row.id, dir);
        remove_dir(dir);
        if (control_generation_update(e->control, &row, err))
            return err->code;
    }
    return ERR_OK;
}
