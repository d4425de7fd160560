#include <string.h>

#include "base/mem.h"
#include "sync/publish/publish_impl.h"
#include "sync/publish/publish_latest.h"

/* What latest.json says of one that is there and was not withdrawn. */
static enum errc name_other(struct s3 *s, const char *other, struct buf *text,
                            struct err *err)
{
    AUTOFREE char *key = publish_names_key(s->target, other, "manifest.json");
    CLEANUP(manifest_free) struct manifest *m = NULL;
    CLEANUP_BUF struct buf there = BUF(S3_SMALL_MAX);
    struct publish_latest l = {0};

    if (s3_get(s, key, &there, err) != ERR_OK ||
        publish_names_check(s, other, err) != ERR_OK ||
        manifest_parse(there.data ? there.data : "", there.len, &m, err) != ERR_OK)
        return err->code;
    l.height = m->height;
    manifest_id(m, l.id);
    publish_latest_write(&l, text);
    return ERR_OK;
}

/* The first of those that can be named; an empty text: none can. */
static enum errc choose(struct s3 *s, const char *const *others, struct buf *text,
                        struct err *err)
{
    for (; *others; others++) {
        if (name_other(s, *others, text, err) == ERR_OK)
            return ERR_OK;
        if (err->code != ERR_NOTFOUND && err->code != ERR_VERIFY)
            return err->code;
    }
    return ERR_OK;
}

static enum errc move_latest(struct s3 *s, const char *id, const char *const *others,
                             struct err *err)
{
    AUTOFREE char *key = s3target_key(s->target, "latest.json");
    CLEANUP_BUF struct buf old = BUF(S3_SMALL_MAX);
    CLEANUP_BUF struct buf text = BUF(PUBLISH_LATEST_MAX);
    struct publish_latest l;
    struct err why;
    bool there = false;

    if (publish_names_get(s, key, &old, &there, err) != ERR_OK)
        return err->code;
    if (!there ||
        publish_latest_parse(old.data ? old.data : "", old.len, &l, &why) != ERR_OK ||
        strcmp(l.id, id) != 0)
        return ERR_OK;
    if (choose(s, others, &text, err) != ERR_OK)
        return err->code;
    return text.len > 0 ? publish_names_put(s, key, &text, err)
                        : s3_delete(s, key, err);
}

enum errc publish_withdraw(const struct publish_store *store, const char *id,
                           const char *document, const char *const *others,
                           struct err *err)
{
    struct s3 s = publish_s3(store);
    AUTOFREE char *key = publish_names_key(store->target, id, "withdrawn.json");
    CLEANUP_BUF struct buf text = BUF(MANIFEST_MAX);
    enum errc rc;

    buf_puts(&text, document);
    rc = publish_names_put(&s, key, &text, err);
    if (!rc)
        rc = move_latest(&s, id, others, err);
    return publish_end(&s, rc, err);
}
