#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "sync/core.h"

static enum errc lock_dir(struct engine *e, struct err *err)
{
    char path[PATH_TEXT];

    if (mkdir(e->cfg->data_dir, 0700) != 0 && errno != EEXIST)
        return err_errno(err, "%s", e->cfg->data_dir);
    (void)snprintf(path, sizeof(path), "%s/lock", e->cfg->data_dir);
    e->lock_fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    if (e->lock_fd < 0)
        return err_errno(err, "%s", path);
    if (flock(e->lock_fd, LOCK_EX | LOCK_NB) != 0)
        return err_fail(err, REASON_DATA_DIR_LOCKED, "%s is used by another daemon",
                        e->cfg->data_dir);
    for (size_t i = 0; i < 2; i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", e->cfg->data_dir,
                       i ? "incoming" : "generations");
        if (mkdir(path, 0700) != 0 && errno != EEXIST)
            return err_errno(err, "%s", path);
    }
    return ERR_OK;
}

/* A data directory belongs to one network for good. */
static enum errc check_network(struct engine *e, struct err *err)
{
    AUTOFREE char *network = NULL;
    bool found;

    if (control_meta_get(e->control, "network", &found, &network, err))
        return err->code;
    if (!found)
        return control_meta_set(e->control, "network", e->cfg->params->network, err);
    if (strcmp(network, e->cfg->params->network) != 0)
        return err_set(err, ERR_CONFLICT,
                       "%s holds data of network %.32s, the configuration says %s",
                       e->cfg->data_dir, network, e->cfg->params->network);
    return ERR_OK;
}

/* control.db, chain.db and the coin file each say what the state stands on. */
static enum errc open_state(struct engine *e, const struct control_generation *g,
                            struct err *err)
{
    const struct coinfile_info *base;

    if (state_open(e->live.dir, e->live.db, &e->live.state, err))
        return err->reason == REASON_NOT_FOUND
                   ? err_fail(err, REASON_STORAGE_CORRUPT, "chain.db lost its state")
                   : err->code;
    base = state_base(e->live.state);
    if (base->id.height != g->height ||
        memcmp(base->id.block_hash, g->block_hash, 32) != 0 ||
        memcmp(base->state_root, g->state_root, 32) != 0)
        return err_fail(err, REASON_STORAGE_CORRUPT,
                        "control.db names another base than the coin file");
    return ERR_OK;
}

/* What was decided is in it: no other file can stand in. */
static enum errc no_control(struct err *err)
{
    struct err why = *err;

    return err_fail(err, REASON_STORAGE_CORRUPT,
                    "%.150s; restore it, or bootstrap into another data_dir", why.msg);
}

static enum errc load_checkpoint(struct engine *e, const struct control_generation *g,
                                 struct err *err)
{
    struct control_checkpoint k = {0};

    if (control_generation_check(e->control, err))
        return err->reason == REASON_STORAGE_CORRUPT ? no_control(err) : err->code;
    if (control_checkpoint_get(e->control, g->checkpoint_id, &k, err))
        return err->code;
    e->checkpoint = k;
    e->checkpoint.state_hash = e->checkpoint.source = NULL;
    e->checkpoint.trust = e->checkpoint.provenance = NULL;
    (void)snprintf(e->checkpoint_trust, sizeof(e->checkpoint_trust), "%s", k.trust);
    control_checkpoint_fini(&k);
    e->has_checkpoint = true;
    return ERR_OK;
}

static enum errc open_live(struct engine *e, struct err *err)
{
    struct control_generation g;
    bool found;

    if (control_generation_live(e->control, &found, &g, err))
        return err->code;
    if (!found)
        return ERR_OK;
    if (gen_open(e, g.id, &e->live, err) || open_state(e, &g, err)) {
        (void)err_wrap(err, "generation %lld", (long long)g.id);
        if (err->reason != REASON_STORAGE_CORRUPT)
            return err->code;
        e->rotten = *err; /* quarantined once everything runs */
        gen_close(&e->live);
        return ERR_OK;
    }
    e->live.base_height = g.height;
    memcpy(e->live.base_hash, g.block_hash, 32);
    return load_checkpoint(e, &g, err);
}

enum errc datadir_open(struct engine *e, struct err *err)
{
    char path[PATH_TEXT];

    if (lock_dir(e, err))
        return err->code;
    (void)snprintf(path, sizeof(path), "%s/control.db", e->cfg->data_dir);
    if (control_open(path, CONTROL_WRITER, &e->control, err))
        return err->reason == REASON_STORAGE_CORRUPT ? no_control(err) : err->code;
    if (check_network(e, err) || policy_compute(e, &e->policy, err) ||
        peerbook_load(e, err) || open_live(e, err))
        return err->code;
    (void)snprintf(path, sizeof(path), "%s/node.key", e->cfg->data_dir);
    return identity_open(path, &e->identity, err);
}

void datadir_close(struct engine *e)
{
    gen_close(&e->building);
    gen_close(&e->live);
    peerbook_close(e);
    identity_close(e->identity);
    control_close(e->control);
    if (e->lock_fd >= 0)
        (void)close(e->lock_fd);
}
