#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/durable.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "sync/body_impl.h"
#include "sync/intake.h"

/*
 * The manifest: from a URL, over a pointer to the latest one (one hop), or from a file.
 * It is kept beside the download; when the source has another one after a restart, what
 * was fetched for the first counts no more.  While the source cannot be reached, the
 * one that was judged before will do: other sources may have its body.
 */
enum {
    TIMEOUT_MS = 30000,
    SNIFF_BYTES = 1024, /* both are canonical JSON: what we look for comes early */
};
#define LATEST_FORMAT "cairn-latest-1"

static bool holds(const char *text, size_t len, const char *what)
{
    return memmem(text, len, what, strlen(what)) != NULL;
}

static bool is_latest(const char *text, size_t len)
{
    len = len < SNIFF_BYTES ? len : SNIFF_BYTES;
    return len > 0 && text[0] == '{' &&
           holds(text, len, "\"format\":\"" LATEST_FORMAT "\"");
}

bool body_is_document(const char *head, size_t len)
{
    size_t n = len < SNIFF_BYTES ? len : SNIFF_BYTES;

    return is_latest(head, len) ||
           (n > 0 && head[0] == '{' &&
            holds(head, n, "\"format\":\"" MANIFEST_FORMAT "\""));
}

/* --- files --- */

/* NULL: it cannot be read, or is over MANIFEST_MAX. */
static char *read_text(const char *path, size_t *len)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    AUTOFREE char *text = NULL;
    struct stat st;
    ssize_t n = -1;

    if (fd < 0)
        return NULL;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= MANIFEST_MAX) {
        text = xcalloc(1, (size_t)st.st_size + 1);
        n = pread(fd, text, (size_t)st.st_size, 0);
    }
    (void)close(fd);
    if (n < 0)
        return NULL;
    *len = (size_t)n;
    return TAKE(text);
}

static void manifest_in(const char *path, char out[PATH_TEXT])
{
    struct stat st;
    bool is_dir = stat(path, &st) == 0 && S_ISDIR(st.st_mode);

    (void)snprintf(out, PATH_TEXT, "%.990s%s", path, is_dir ? "/manifest.json" : "");
}

bool body_is_path(const char *path)
{
    char file[PATH_TEXT], head[SNIFF_BYTES];
    ssize_t n;
    int fd;

    manifest_in(path, file);
    fd = open(file, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return false;
    n = pread(fd, head, sizeof(head), 0);
    (void)close(fd);
    return n > 0 && body_is_document(head, (size_t)n);
}

const char *body_path(const struct engine *e)
{
    return e->job.body && e->job.kind == INTAKE_PATH ? e->job.body->at : NULL;
}

/* --- a manifest that was read --- */

static void describe(struct job *j)
{
    const struct manifest *m = j->body->manifest;
    struct payload_meta *meta = &j->meta;

    *meta = (struct payload_meta){.height = m->height};
    meta->has_height = meta->has_block_hash = meta->has_work = meta->has_network = true;
    meta->has_state_hash = m->has_xai_state_hash;
    hex_encode(m->block_hash, 32, meta->block_hash);
    if (m->has_xai_state_hash)
        hex_encode(m->xai_state_hash, 32, meta->state_hash);
    work_text(&m->work, meta->work);
    memcpy(meta->network, m->network, sizeof(meta->network));
}

/* What an earlier run judged; gone when it is not this one. */
static bool is_another(struct engine *e, const uint8_t digest[32])
{
    CLEANUP(manifest_free) struct manifest *old = NULL;
    char path[PATH_TEXT];
    uint8_t was[32];
    struct err err;

    intake_sibling(e, "manifest.json", path);
    if (manifest_read(path, &old, &err))
        return false;
    manifest_digest(old, was);
    if (memcmp(was, digest, 32) == 0)
        return false;
    intake_sibling(e, "chunks.bin", path);
    (void)unlink(path);
    intake_sibling(e, "index.parts", path);
    (void)unlink(path);
    return true;
}

static enum errc keep(struct engine *e, const char *text, size_t len, struct err *err)
{
    const char *at = e->job.body->at;
    char path[PATH_TEXT];

    intake_sibling(e, "manifest.json", path);
    if (durable_replace(path, text, len, err))
        return err->code;
    intake_sibling(e, "manifest.at", path);
    return durable_replace(path, at, strlen(at), err);
}

static void judge(struct engine *e, const char *text, size_t len)
{
    struct body *b = e->job.body;
    struct err err;

    if (manifest_parse(text, len, &b->manifest, &err)) {
        /* A candidate all the same, and a malformed one. */
        (void)snprintf(e->job.meta.malformed, sizeof(e->job.meta.malformed), "%.150s",
                       err.msg);
        bootstrap_metadata_known(e);
        return;
    }
    manifest_digest(b->manifest, b->digest);
    manifest_id(b->manifest, b->id);
    b->replaced = is_another(e, b->digest);
    if (b->replaced)
        log_warn("the source has another snapshot, what was fetched is void",
                 KV_S("reason", reason_code(REASON_SOURCE_CHANGED)),
                 KV_S("snapshot", b->id));
    if (keep(e, text, len, &err)) {
        jobs_fail(e, &err);
        return;
    }
    describe(&e->job);
    bootstrap_metadata_known(e);
}

void body_candidate(struct job *j)
{
    struct body *b = j->body;

    if (!b->manifest) {
        j->candidate = (struct trust_candidate){.source = j->source,
                                                .malformed = j->meta.malformed};
        return;
    }
    if (!b->texts)
        b->texts = xcalloc(1, sizeof(*b->texts));
    manifest_candidate(b->manifest, j->source, b->texts, &j->candidate);
}

void body_digest_text(const struct body *b, char out[65])
{
    hex_encode(b->digest, 32, out);
}

/* --- where it is --- */

/* Of the pointer's text; METADATA_MALFORMED. */
static enum errc read_latest(const char *text, size_t len, char id[MANIFEST_ID],
                             struct err *err)
{
    CLEANUP(json_free) struct json_doc *doc = NULL;
    const char *at;
    size_t n;

    if (json_parse(text, len, &JSON_LIMITS_SMALL, &doc, err))
        return err_fail(err, REASON_METADATA_MALFORMED, "the pointer is not JSON");
    if (!json_text(json_get(json_root(doc), "manifest"), &at) ||
        strlen(at) <= strlen("/manifest.json"))
        return err_fail(err, REASON_METADATA_MALFORMED, "the pointer names nothing");
    n = strlen(at) - strlen("/manifest.json");
    if (n >= MANIFEST_ID || strcmp(at + n, "/manifest.json") != 0)
        return err_fail(err, REASON_METADATA_MALFORMED,
                        "the pointer names no manifest");
    (void)snprintf(id, MANIFEST_ID, "%.*s", (int)n, at);
    if (!manifest_id_valid(id))
        return err_fail(err, REASON_METADATA_MALFORMED,
                        "the pointer names no manifest");
    return ERR_OK;
}

/* Bytes of at up to its last slash, a query not looked at. */
static int parent_length(const char *at)
{
    size_t n = strcspn(at, "?#");

    while (n > 0 && at[n - 1] != '/')
        n--;
    return n > 0 ? (int)n - 1 : 0;
}

static enum errc hop(struct body *b, const char *text, size_t len, struct err *err)
{
    char id[MANIFEST_ID], to[URL_MAX];
    int n = parent_length(b->at);

    if (b->hopped)
        return err_fail(err, REASON_METADATA_MALFORMED,
                        "a pointer to the latest leads to another");
    if (read_latest(text, len, id, err))
        return err->code;
    if ((size_t)snprintf(to, sizeof(to), "%.*s/%s/manifest.json", n, b->at, id) >=
        sizeof(to))
        return err_fail(err, REASON_METADATA_MALFORMED, "the pointer is too long");
    memcpy(b->at, to, sizeof(b->at));
    b->hopped = true;
    return ERR_OK;
}

static void fetch(struct engine *e);

/* A document's text, wherever it came from; true: there is another one to get. */
static bool take(struct engine *e, const char *text, size_t len)
{
    struct err err;

    if (!is_latest(text, len)) {
        judge(e, text, len);
        return false;
    }
    if (hop(e->job.body, text, len, &err) == ERR_OK)
        return true;
    (void)snprintf(e->job.meta.malformed, sizeof(e->job.meta.malformed), "%.150s",
                   err.msg);
    bootstrap_metadata_known(e);
    return false;
}

/* --- over HTTP --- */

bool body_was_begun(const struct engine *e)
{
    char path[PATH_TEXT];

    intake_sibling(e, "manifest.json", path);
    return access(path, R_OK) == 0;
}

/* The source failed; what was judged before may do. */
static bool use_kept(struct engine *e, const struct err *why)
{
    AUTOFREE char *text = NULL;
    char path[PATH_TEXT];
    size_t len;

    intake_sibling(e, "manifest.json", path);
    text = read_text(path, &len);
    if (!text || is_latest(text, len))
        return false;
    log_warn("the manifest cannot be read again, going on with the one that is here",
             KV_S("detail", why->msg));
    judge(e, text, len);
    return true;
}

static void on_document(struct engine *e, const struct fetch *f,
                        struct transfer_request *r)
{
    struct err err = r->err;

    (void)f;
    if (!err.code && r->status != 200)
        (void)err_fail(&err, REASON_SOURCE_UNREACHABLE, "the manifest: HTTP %ld",
                       r->status);
    if (!err.code && r->body_len > 0) {
        if (take(e, r->body, r->body_len))
            fetch(e);
        return;
    }
    if (!err.code)
        (void)err_fail(&err, REASON_SOURCE_UNREACHABLE, "the manifest is empty");
    if (!use_kept(e, &err))
        bootstrap_source_failed(e, &err);
}

static void fetch(struct engine *e)
{
    struct transfer_request *r = transfer_request_new(e->job.body->at);

    r->max_bytes = MANIFEST_MAX;
    r->timeout_ms = TIMEOUT_MS;
    r->connect_timeout_ms = BODY_CONNECT_MS;
    r->max_redirects = BODY_REDIRECTS;
    r->hostile = e->job.hostile;
    if (!engine_fetch(e, r, &(struct fetch){.done = on_document}))
        abort(); /* a new epoch has just begun: there is room */
}

/* A pointer was followed before: on with the one it led to, while that is there. */
static void restore(struct engine *e)
{
    struct body *b = e->job.body;
    AUTOFREE char *at = NULL;
    char path[PATH_TEXT];
    size_t len;

    intake_sibling(e, "manifest.at", path);
    at = read_text(path, &len);
    if (!at || len == 0 || len >= sizeof(b->at))
        return;
    memcpy(b->at, at, len + 1);
    b->hopped = true;
}

static void begin(struct engine *e)
{
    struct job *j = &e->job;

    body_free(j->body);
    j->body = xcalloc(1, sizeof(*j->body));
    (void)snprintf(j->body->at, sizeof(j->body->at), "%s", j->source);
}

void body_open_url(struct engine *e, const char *file)
{
    AUTOFREE char *text = NULL;
    size_t len;

    begin(e);
    if (file) {
        text = read_text(file, &len);
        (void)unlink(file); /* another run asks anew */
    }
    if (text) {
        if (take(e, text, len))
            fetch(e);
        return;
    }
    restore(e);
    fetch(e);
}

/* --- from a directory --- */

void body_open_path(struct engine *e)
{
    struct body *b;
    struct err err;

    begin(e);
    b = e->job.body;
    manifest_in(e->job.source, b->at);
    for (;;) {
        AUTOFREE char *text = NULL;
        size_t len;

        if (intake_check_path(e, b->at, &err)) {
            bootstrap_source_failed(e, &err);
            return;
        }
        text = read_text(b->at, &len);
        if (!text || len == 0) {
            (void)err_fail(&err, REASON_SOURCE_UNREACHABLE, "%.150s cannot be read",
                           b->at);
            bootstrap_source_failed(e, &err);
            return;
        }
        if (!take(e, text, len))
            return;
    }
}
