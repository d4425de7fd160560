#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "sync/publish/publish_impl.h"
#include "sync/publish/publish_latest.h"

char *publish_names_key(const struct s3target *t, const char *id, const char *name)
{
    AUTOFREE char *path = xasprintf("%s/%s", id, name);

    return s3target_key(t, path);
}

enum errc publish_names_get(struct s3 *s, const char *key, struct buf *out, bool *there,
                            struct err *err)
{
    enum errc rc = s3_get(s, key, out, err);

    *there = !rc;
    return rc && err->reason != REASON_NOT_FOUND ? rc : ERR_OK;
}

enum errc publish_names_put(struct s3 *s, const char *key, const struct buf *text,
                            struct err *err)
{
    struct s3body body = {.bytes = text->data, .size = text->len};
    struct s3put put = {.key = key,
                        .body = &body,
                        .content_type = "application/json",
                        .cache_control = PUBLISH_CHANGING};

    hash_sha256(text->data, text->len, body.sha256);
    return s3_put(s, &put, err);
}

enum errc publish_names_check(struct s3 *s, const char *id, struct err *err)
{
    AUTOFREE char *key = publish_names_key(s->target, id, "withdrawn.json");
    struct s3info info;

    if (s3_head(s, key, &info, err) != ERR_OK)
        return err->code;
    if (info.exists)
        return err_fail(err, REASON_REVOKED, "%.40s was withdrawn from this store", id);
    return ERR_OK;
}

static enum errc put(struct publication *p, const char *key, const struct buf *text,
                     struct err *err)
{
    if (publish_names_put(&p->s3, key, text, err) != ERR_OK)
        return err->code;
    p->result.sent_bytes += text->len;
    return ERR_OK;
}

/* The signatures that the published one has, and ours has not. */
static enum errc merge(struct manifest *ours, const struct buf *there, const char *key,
                       struct err *err)
{
    CLEANUP(manifest_free) struct manifest *theirs = NULL;
    size_t added = 0;
    struct err why;

    if (manifest_parse(there->data, there->len, &theirs, &why) != ERR_OK ||
        manifest_merge(ours, theirs, &added, &why) != ERR_OK)
        return err_fail(err, REASON_STORE_EXISTS,
                        "%.80s is there and cannot be one with ours: %.100s", key,
                        why.msg);
    return ERR_OK;
}

enum errc publish_names_manifest(struct publication *p, struct err *err)
{
    CLEANUP(manifest_free) struct manifest *m = manifest_copy(p->source->manifest);
    CLEANUP_BUF struct buf old = BUF(S3_SMALL_MAX);
    CLEANUP_BUF struct buf text = BUF(MANIFEST_MAX);
    AUTOFREE char *key =
        publish_names_key(p->order->store.target, p->source->id, "manifest.json");
    bool there = false;

    p->now.object = "manifest.json";
    publish_say(p, 0);
    if (publish_names_get(&p->s3, key, &old, &there, err) != ERR_OK ||
        (there && merge(m, &old, key, err) != ERR_OK))
        return err->code;
    manifest_write(m, &text);
    if (there && old.len == text.len && memcmp(old.data, text.data, text.len) == 0) {
        p->result.kept_bytes += text.len;
        return ERR_OK;
    }
    return put(p, key, &text, err);
}

enum errc publish_names_latest(struct publication *p, struct err *err)
{
    struct publish_latest ours = {.height = p->source->manifest->height}, theirs;
    CLEANUP_BUF struct buf old = BUF(S3_SMALL_MAX);
    CLEANUP_BUF struct buf text = BUF(PUBLISH_LATEST_MAX);
    AUTOFREE char *key = s3target_key(p->order->store.target, "latest.json");
    bool there = false;

    memcpy(ours.id, p->source->id, sizeof(ours.id));
    p->now.object = "latest.json";
    publish_say(p, 0);
    if (publish_names_get(&p->s3, key, &old, &there, err) != ERR_OK)
        return err->code;
    if (there && !p->order->may_go_back) {
        if (publish_latest_parse(old.data ? old.data : "", old.len, &theirs, err) !=
            ERR_OK)
            return err_fail(err, REASON_STORE_EXISTS,
                            "%.80s is there and is none of cairn's", key);
        if (theirs.height >= ours.height) {
            p->result.is_latest = strcmp(theirs.id, ours.id) == 0;
            return ERR_OK;
        }
    }
    publish_latest_write(&ours, &text);
    if (put(p, key, &text, err) != ERR_OK)
        return err->code;
    p->result.is_latest = true;
    return ERR_OK;
}
