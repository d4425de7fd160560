#include "base/mem.h"
#include "sync/publish/publish_impl.h"

const char *publish_stage_name(enum publish_stage stage)
{
    switch (stage) {
    case PUBLISH_CHECKING:
        return "checking";
    case PUBLISH_SENDING:
        return "sending";
    case PUBLISH_NAMING:
        return "naming";
    }
    return "";
}

void publish_say(struct publication *p, uint64_t bytes)
{
    p->now.bytes = p->before + bytes;
    if (p->order->progress)
        p->order->progress(p->order->arg, &p->now);
}

struct s3 publish_s3(const struct publish_store *store)
{
    return (struct s3){.target = store->target,
                       .keys = store->keys,
                       .cancel = store->cancel,
                       .stall_seconds = store->stall_seconds};
}

enum errc publish_end(struct s3 *s, enum errc rc, struct err *err)
{
    s3call_fini(s);
    if (!rc)
        *err = (struct err){.code = ERR_OK};
    return rc;
}

static void on_seen(void *arg, uint64_t bytes, uint64_t of)
{
    struct publication *p = arg;

    p->now.of_bytes = of;
    publish_say(p, bytes);
}

static void on_moved(void *arg, uint64_t sent)
{
    publish_say(arg, sent);
}

static void on_retrying(void *arg, const struct err *why, uint32_t wait_ms)
{
    struct publication *p = arg;

    p->now.why = why;
    p->now.wait_ms = wait_ms;
    publish_say(p, 0);
    p->now.why = NULL;
}

static void enter(struct publication *p, enum publish_stage stage, uint64_t of_bytes)
{
    p->now.stage = stage;
    p->now.of_bytes = of_bytes;
    p->before = 0;
}

static enum errc send_files(struct publication *p, struct err *err)
{
    struct publish_file *files = p->source->files;

    enter(p, PUBLISH_SENDING, files[0].bytes + files[1].bytes);
    for (size_t i = 0; i < PUBLISH_SOURCE_FILES; i++) {
        p->now.object = files[i].name;
        publish_say(p, 0);
        if (publish_file_put(p, &files[i], err) != ERR_OK)
            return err->code;
    }
    return ERR_OK;
}

static enum errc run(struct publication *p, struct err *err)
{
    const struct publish_order *o = p->order;

    enter(p, PUBLISH_CHECKING, 0);
    p->now.object = "base.coins.zst";
    if (publish_source_open(o->dir, o->store.cancel, on_seen, p, &p->source, err) !=
            ERR_OK ||
        publish_names_check(&p->s3, p->source->id, err) != ERR_OK ||
        send_files(p, err) != ERR_OK)
        return err->code;
    enter(p, PUBLISH_NAMING, 0);
    if (publish_names_manifest(p, err) != ERR_OK)
        return err->code;
    return publish_names_latest(p, err);
}

enum errc publish_run(const struct publish_order *o, struct publish_result *out,
                      struct err *err)
{
    struct publication p = {.order = o};
    enum errc rc;

    p.s3 = publish_s3(&o->store);
    p.s3.moved = on_moved;
    p.s3.retrying = on_retrying;
    p.s3.arg = &p;
    rc = run(&p, err);
    if (!rc) {
        memcpy(p.result.id, p.source->id, sizeof(p.result.id));
        *out = p.result;
    }
    publish_source_free(p.source);
    return publish_end(&p.s3, rc, err);
}
