#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "rpc/etag.h"
#include "rpc/public_file.h"
#include "rpc/public_number.h"
#include "rpc/public_paths.h"
#include "sync/serve/serve_chunks.h"

/* Stock's routes of chunked snapshots (protocol.md 8.2, 10.5). */

/* As stock answers where there are none. */
static bool is_served(const struct public_site *site, struct public_say *say)
{
    if (site->cfg->serve_snapshots && serve_chunks_any(site->cfg->data_dir))
        return true;
    public_call_error(say, 503, "Chunked sync not enabled");
    return false;
}

PUBLIC_HANDLER(public_chunks_list)
{
    (void)rest;
    (void)ask;
    if (is_served(site, say))
        serve_chunks_list(site->cfg->data_dir, &say->body);
}

static void say_chunk(const struct public_site *site, const struct public_ask *ask,
                      const char *id, const char *number, struct public_say *say)
{
    struct serve_chunk chunk;
    int64_t i = -1;

    if (!public_number_int(number, &i) || i < 0 ||
        !serve_chunks_open(site->cfg->data_dir, id, (uint64_t)i, &chunk)) {
        public_call_error(say, 404, "Chunk not found");
        return;
    }
    say->type = "application/octet-stream";
    say->chunk.chunks = chunk.chunks;
    say->chunk.index = (uint64_t)i;
    (void)snprintf(say->chunk.checksum, sizeof(say->chunk.checksum), "%s",
                   chunk.checksum);
    (void)snprintf(say->etag, sizeof(say->etag), "\"%s\"", chunk.checksum);
    public_file_say(ask, chunk.fd, chunk.len, say); /* takes it */
}

PUBLIC_HANDLER(public_chunks_one)
{
    const char *slash = strchr(rest, '/');
    AUTOFREE char *id = slash ? xstrndup(rest, (size_t)(slash - rest)) : xstrdup(rest);
    bool found = true;

    if (!is_served(site, say))
        return;
    if (!slash)
        found = serve_chunks_meta(site->cfg->data_dir, id, &say->body);
    else if (strcmp(slash, "/chunks") == 0)
        found = serve_chunks_table(site->cfg->data_dir, id, &say->body);
    else if (strncmp(slash, "/chunk/", 7) == 0)
        say_chunk(site, ask, id, slash + 7, say);
    else
        found = false;
    if (!found)
        public_call_error(say, 404,
                          strcmp(id, "latest") == 0 ? "No snapshots available"
                                                    : "Snapshot not found");
}
