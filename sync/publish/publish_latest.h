#ifndef SYNC_PUBLISH_PUBLISH_LATEST_H
#define SYNC_PUBLISH_PUBLISH_LATEST_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "sync/snapshot/manifest.h"

/*
 * latest.json, which names the snapshot to start from (docs/publishing.md):
 * {"format":"cairn-latest-1","height":N,"manifest":"<id>/manifest.json"}, canonical.
 * Pure; any thread.
 */
enum { PUBLISH_LATEST_MAX = 1024 };

struct publish_latest {
    uint64_t height;
    char id[MANIFEST_ID];
};

/* METADATA_MALFORMED for any other spelling. */
enum errc publish_latest_parse(const char *text, size_t len, struct publish_latest *out,
                               struct err *err);
void publish_latest_write(const struct publish_latest *l, struct buf *out);

#endif
