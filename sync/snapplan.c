#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "sync/errand.h"
#include "sync/snapshot/snapshelf.h"
#include "sync/snapshots.h"

/* The schedule: a snapshot at every Nth height, once as many blocks stand on it as the
   rules want of a checkpoint, and the last few of them kept. */

enum { TRY_AGAIN_MS = 600000 };

static bool is_scheduled(const struct engine *e, uint64_t height)
{
    return e->cfg->snapshots_every > 0 && height % e->cfg->snapshots_every == 0;
}

static void note_last(struct engine *e, uint64_t height)
{
    e->snapplan.any = true;
    if (height > e->snapplan.last)
        e->snapplan.last = height;
}

/* What is on the shelf already; of a block that is no longer on the chain does not
   count. */
static void look_once(struct engine *e)
{
    struct chaindb_header row;
    struct snapshelf shelf;
    struct err err;
    bool found;

    if (e->snapplan.looked)
        return;
    e->snapplan.looked = true;
    if (snapshelf_read(e->cfg->data_dir, &shelf, &err)) {
        log_warn("snapshots cannot be read, ignoring", KV_S("detail", err.msg));
        return;
    }
    for (size_t i = 0; i < shelf.count; i++) {
        const struct manifest *m = shelf.items[i].manifest;

        if (is_scheduled(e, m->height) &&
            chaindb_active_at(e->live.db, m->height, &found, &row, &err) == ERR_OK &&
            found && memcmp(row.hash, m->block_hash, 32) == 0)
            note_last(e, m->height);
    }
    snapshelf_fini(&shelf);
}

static bool is_due(struct engine *e, uint64_t *height)
{
    uint64_t every = e->cfg->snapshots_every, tip = e->status.tip_height;
    uint64_t deep = e->policy.rules.min_confirmations;

    if (every == 0 || !e->live.state || e->halted || e->job.active ||
        !e->status.has_tip || tip < deep ||
        clock_mono_ms() < e->snapplan.next_mono_ms || errands_running(e, SNAPMAKE_KIND))
        return false;
    look_once(e);
    *height = (tip - deep) / every * every;
    return *height > 0 && *height >= e->live.base_height &&
           (!e->snapplan.any || *height > e->snapplan.last);
}

void snapplan_pump(struct engine *e)
{
    struct engine_request req = {
        .op = ENGINE_SNAPSHOT_CREATE, .has_height = true, .actor = "schedule"};
    cJSON *result = NULL;
    struct err err;

    if (!is_due(e, &req.height))
        return;
    e->snapplan.next_mono_ms = clock_mono_ms() + TRY_AGAIN_MS; /* should it fail */
    if (snapmake_start(e, &req, &result, &err))
        log_warn("a scheduled snapshot does not begin, retrying later",
                 KV_U("height", req.height), KV_S("detail", err.msg));
    cJSON_Delete(result);
}

/* Whoever reads one that goes has its files open, and reads on. */
static void prune(struct engine *e)
{
    struct snapshelf shelf;
    uint64_t kept = 0;
    struct err err;

    if (snapshelf_read(e->cfg->data_dir, &shelf, &err)) {
        log_warn("snapshots cannot be read, ignoring", KV_S("detail", err.msg));
        return;
    }
    for (size_t i = 0; i < shelf.count; i++) {
        const struct snapshelf_item *item = &shelf.items[i];

        if (item->withdrawn || !is_scheduled(e, item->manifest->height) ||
            ++kept <= e->cfg->snapshots_keep)
            continue;
        if (snapshelf_remove(e->cfg->data_dir, item->id, &err))
            log_warn("old snapshot stays, ignoring", KV_S("detail", err.msg));
        else
            log_info("old snapshot removed", KV_S("id", item->id));
    }
    snapshelf_fini(&shelf);
}

void snapplan_made(struct engine *e, uint64_t height)
{
    if (!is_scheduled(e, height))
        return;
    note_last(e, height);
    e->snapplan.next_mono_ms = 0;
    prune(e);
}
