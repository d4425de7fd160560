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

static enum errc open_live(struct engine *e, struct err *err)
{
    struct control_generation g;
    bool found;

    if (control_generation_live(e->control, &found, &g, err))
        return err->code;
    if (!found)
        return ERR_OK;
    if (gen_open(e, g.id, &e->live, err) ||
        state_open(e->live.dir, e->live.db, &e->live.state, err)) {
        (void)err_wrap(err, "generation %lld", (long long)g.id);
        if (err->reason != REASON_STORAGE_CORRUPT)
            return err->code;
        e->rotten = *err; /* quarantined once everything runs */
        gen_close(&e->live);
        return ERR_OK;
    }
    e->live.base_height = g.height;
    memcpy(e->live.base_hash, g.block_hash, 32);
    if (control_checkpoint_get(e->control, g.checkpoint_id, &e->checkpoint, err))
        return err->code;
    (void)snprintf(e->checkpoint_trust, sizeof(e->checkpoint_trust), "%s",
                   e->checkpoint.trust);
    control_checkpoint_fini(&e->checkpoint);
    e->has_checkpoint = true;
    return ERR_OK;
}

enum errc datadir_open(struct engine *e, struct err *err)
{
    char path[PATH_TEXT];

    if (lock_dir(e, err))
        return err->code;
    (void)snprintf(path, sizeof(path), "%s/control.db", e->cfg->data_dir);
    if (control_open(path, CONTROL_WRITER, &e->control, err) || check_network(e, err) ||
        peerbook_load(e, err) || open_live(e, err))
        return err->code;
    (void)snprintf(path, sizeof(path), "%s/node.key", e->cfg->data_dir);
    return identity_open(path, &e->identity, err);
}

void datadir_close(struct engine *e)
{
    gen_close(&e->building);
    gen_close(&e->live);
    peers_free(e->peers);
    identity_close(e->identity);
    control_close(e->control);
    if (e->lock_fd >= 0)
        (void)close(e->lock_fd);
}
