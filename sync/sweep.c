#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "sync/core.h"

/*
 * A generation is begun before its job's row names it, and a job ends before its files
 * are removed; a crash in between leaves what nobody would look at again.
 */
struct leftover {
    int64_t keep; /* what the resumed job builds; 0: nothing */
    int64_t id;   /* found; 0: none */
};

static enum errc find_one(void *arg, const struct control_generation *g,
                          struct err *err)
{
    struct leftover *l = arg;

    (void)err;
    if (g->state == CONTROL_GEN_BUILDING && g->id != l->keep)
        l->id = g->id;
    return ERR_OK;
}

static void sweep_generations(struct engine *e)
{
    struct leftover l = {.keep = e->job.active ? e->job.row.generation : 0};
    struct err err;

    for (;;) {
        struct gen g = {0};

        l.id = 0;
        if (control_generation_each(e->control, find_one, &l, &err)) {
            log_warn("leftovers not looked for, ignoring", KV_S("detail", err.msg));
            return;
        }
        if (l.id == 0)
            return;
        log_info("leftover of a crash removed", KV_U("generation", l.id));
        g.id = l.id;
        (void)snprintf(g.dir, sizeof(g.dir), "%.900s/generations/%" PRId64,
                       e->cfg->data_dir, l.id);
        if (gen_discard(e, &g) != ERR_OK)
            return; /* the row would be found for ever */
    }
}

static void sweep_incoming(struct engine *e)
{
    char path[PATH_TEXT];
    struct dirent *ent;
    DIR *d;

    (void)snprintf(path, sizeof(path), "%.900s/incoming", e->cfg->data_dir);
    d = opendir(path);
    if (!d)
        return;
    while ((ent = readdir(d)) != NULL) { /* NOLINT(concurrency-mt-unsafe): own stream */
        int64_t id = strtoll(ent->d_name, NULL, 10);

        if (id > 0 && !(e->job.active && e->job.id == id))
            jobs_remove_incoming(e, id);
    }
    (void)closedir(d);
}

void sweep_leftovers(struct engine *e)
{
    sweep_generations(e);
    sweep_incoming(e);
}
