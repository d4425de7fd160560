#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "sync/snapshot/export.h"
#include "sync/snapshot/snapdir.h"

struct feed {
    struct payload_writer *writer;
    _Atomic uint64_t *done;
};

static enum errc add(void *arg, const struct coin *coin, struct err *err)
{
    const struct feed *f = arg;

    if (f->done)
        atomic_fetch_add_explicit(f->done, 1, memory_order_relaxed);
    return payload_writer_add(f->writer, coin, err);
}

struct sealer {
    const struct manifest *m;
    const char *signer;
};

/* The manifest's own: it was made over the state_hash that the manifest names. */
static enum errc seal(void *arg, const char *state_hash, struct payload_seal *out,
                      struct err *err)
{
    const struct sealer *s = arg;

    (void)state_hash; /* compared before the file is left */
    for (size_t i = 0; i < s->m->xai_count; i++) {
        if (strcmp(s->m->xai[i].pubkey, s->signer) != 0)
            continue;
        memcpy(out->signature, s->m->xai[i].signature, sizeof(out->signature));
        memcpy(out->pubkey, s->m->xai[i].pubkey, sizeof(out->pubkey));
        return ERR_OK;
    }
    return err_fail(err, REASON_NOT_FOUND,
                    "the snapshot has no signature over XAI's digest by %.130s",
                    s->signer);
}

static enum errc check_hash(const struct manifest *m, const struct payload_written *w,
                            struct err *err)
{
    if (!m->has_xai_state_hash || memcmp(m->xai_state_hash, w->state_hash, 32) == 0)
        return ERR_OK;
    return err_fail(err, REASON_PAYLOAD_HASH_MISMATCH,
                    "the manifest names another XAI state_hash than its coins have");
}

enum errc export_payload(const struct export_order *o, const char *path,
                         struct payload_written *out, struct err *err)
{
    const struct payload_write_options opt = {
        .tmp_dir = o->tmp_dir, .sort_memory = o->sort_memory, .cancel = o->cancel};
    CLEANUP(snapdir_close) struct snapdir *s = NULL;
    CLEANUP(payload_writer_free) struct payload_writer *w = NULL;
    struct payload_head head = {0};
    struct sealer sealer = {.signer = o->signer};
    char work[WORK_TEXT];
    enum errc rc = snapdir_open(o->snapshot, &s, err);

    if (!rc)
        rc = payload_writer_create(&opt, &w, err);
    if (!rc)
        rc = snapdir_scan(s, add, &(struct feed){w, o->done}, err);
    if (rc)
        return rc;
    sealer.m = snapdir_manifest(s);
    work_text(&sealer.m->work, work);
    head.height = sealer.m->height;
    head.work = work;
    memcpy(head.block_hash, sealer.m->block_hash, 32);
    head.sign = o->signer ? seal : NULL;
    head.arg = &sealer;
    rc = payload_writer_finish(w, path, &head, out, err);
    if (!rc && check_hash(sealer.m, out, err)) {
        (void)unlink(path);
        rc = err->code;
    }
    return rc;
}
