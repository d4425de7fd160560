#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/hex.h"
#include "rpc/etag.h"
#include "rpc/public_file.h"
#include "rpc/public_paths.h"
#include "sync/serve/serve_payload.h"

/* The payload of the checkpoint in force; -1: not kept.  status: what was looked at. */
static int open_kept(const struct public_site *site, struct engine_status *status,
                     uint64_t *len)
{
    engine_status(site->engine, status);
    if (!status->has_checkpoint || status->generation == 0)
        return -1;
    return serve_payload_open(site->cfg->data_dir, status->generation, len);
}

bool public_payload_kept(const struct public_site *site, uint8_t hash[32])
{
    struct engine_status status;
    uint64_t len;
    int fd = open_kept(site, &status, &len);

    if (fd < 0)
        return false;
    (void)close(fd);
    memcpy(hash, status.checkpoint_hash, 32);
    return true;
}

/* The state's hash; without one, of what tells this file from another. */
static enum errc put_etag(const struct public_site *site,
                          const struct engine_status *status, uint64_t len,
                          struct public_say *say, struct err *err)
{
    CLEANUP(reader_release) struct reader *reader = NULL;
    struct control_checkpoint k;
    uint8_t hash[32];
    char text[64];
    int n;

    if (reads_control(site->reads, &reader, err) != ERR_OK ||
        control_checkpoint_get(reader->control, status->checkpoint_id, &k, err) !=
            ERR_OK)
        return err->code;
    if (k.state_hash && hex_hash(k.state_hash, hash)) {
        (void)snprintf(say->etag, sizeof(say->etag), "\"%s\"", k.state_hash);
    } else {
        n = snprintf(text, sizeof(text), "%" PRIu64 " %" PRId64, len,
                     status->generation);
        etag_of(text, (size_t)n, say->etag);
    }
    control_checkpoint_fini(&k);
    return ERR_OK;
}

PUBLIC_HANDLER(public_peer_payload)
{
    struct engine_status status;
    uint8_t hash[32];
    uint64_t len;
    struct err err;
    int fd = hex_hash(rest, hash) ? open_kept(site, &status, &len) : -1;

    if (fd < 0 || memcmp(hash, status.checkpoint_hash, 32) != 0) {
        public_call_error(say, 404, "Not kept");
    } else if (put_etag(site, &status, len, say, &err) != ERR_OK) {
        public_call_fail(say, &err);
    } else {
        say->lasting = true;
        if (!etag_matches(ask->known, say->etag)) {
            public_file_say(ask, fd, len, say); /* takes it */
            return;
        }
        say->status = 304;
    }
    if (fd >= 0)
        (void)close(fd);
}
