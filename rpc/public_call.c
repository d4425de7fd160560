#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "rpc/public_paths.h"

static const struct {
    const char *path;
    bool prefix; /* and what goes on after it */
    PUBLIC_HANDLER((*handle));
} paths[] = {
    {"/peer/v1/hello", false, public_peer_hello},
    {"/peer/v1/checkpoints", false, public_peer_checkpoints},
    {"/peer/v1/revocations", false, public_peer_revocations},
    {"/peer/v1/headers", false, public_peer_headers},
    {"/peer/v1/blocks", false, public_peer_blocks},
    {"/peer/v1/payload/", true, public_peer_payload},
    {"/snapshots", false, public_snapshot_list},
    {"/snapshots/", true, public_snapshot_file},
    {"/stats", false, public_stock_stats},
    {"/health", false, public_stock_health},
    {"/peers", false, public_stock_peers},
    {"/blocks", false, public_stock_page},
    {"/blocks/", true, public_stock_block_at},
    {"/block/latest", false, public_stock_latest},
    {"/block/", true, public_stock_block},
    {"/sync/snapshots", false, public_chunks_list},
    {"/sync/snapshot/", true, public_chunks_one},
};

void public_call_error(struct public_say *say, unsigned status, const char *what)
{
    buf_reset(&say->body);
    say->status = status;
    say->type = "application/json";
    say->lasting = false;
    say->etag[0] = '\0';
    buf_puts(&say->body, "{\"error\":");
    json_write_string(what, strlen(what), &say->body);
    buf_puts(&say->body, "}\n");
}

static unsigned status_of(enum errc code)
{
    switch (code) {
    case ERR_OK:
        return 200;
    case ERR_INVALID:
        return 400;
    case ERR_NOTFOUND:
        return 404;
    case ERR_CONFLICT: /* no chain yet */
    case ERR_BUSY:
    case ERR_CANCELED:
        return 503;
    case ERR_IO:
    case ERR_NET:
    case ERR_VERIFY:
        return 500;
    }
    return 500;
}

/* What is wrong inside is for the operator, not for strangers. */
void public_call_fail(struct public_say *say, const struct err *err)
{
    unsigned status = status_of(err->code);

    if (status == 500)
        log_error("a public answer failed", KV_S("reason", reason_code(err->reason)),
                  KV_S("detail", err->msg));
    public_call_error(say, status,
                      status == 500   ? "Internal error"
                      : status == 503 ? "Not available now"
                                      : err->msg);
}

void public_call(const struct public_site *site, const struct public_ask *ask,
                 struct public_say *say)
{
    *say = (struct public_say){
        .status = 200, .type = "application/json", .body = BUF(PUBLIC_BODY_MAX)};
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        size_t len = strlen(paths[i].path);

        if (strncmp(ask->path, paths[i].path, len) != 0 ||
            (!paths[i].prefix && ask->path[len] != '\0'))
            continue;
        paths[i].handle(site, ask, ask->path + len, say);
        if (say->body.full)
            public_call_error(say, 500, "Internal error");
        return;
    }
    public_call_error(say, 404, "Not found");
}
