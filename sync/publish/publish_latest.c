#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "sync/publish/publish_latest.h"

#define TAIL "/manifest.json"

static bool agree(const struct publish_latest *l)
{
    char height[24];
    int len = snprintf(height, sizeof(height), "%" PRIu64 "-", l->height);

    return manifest_id_valid(l->id) && strncmp(l->id, height, (size_t)len) == 0;
}

/* What it says must come out as the same bytes: order, spelling and all. */
enum errc publish_latest_parse(const char *text, size_t len, struct publish_latest *out,
                               struct err *err)
{
    CLEANUP(json_free) struct json_doc *doc = NULL;
    CLEANUP_BUF struct buf again = BUF(PUBLISH_LATEST_MAX);
    struct publish_latest l = {0};
    const char *manifest = "", *tail;
    struct err why;

    if (len <= PUBLISH_LATEST_MAX &&
        json_parse(text, len, &JSON_LIMITS_SMALL, &doc, &why) == ERR_OK &&
        json_u64(json_get(json_root(doc), "height"), &l.height) &&
        json_text(json_get(json_root(doc), "manifest"), &manifest) &&
        (tail = strstr(manifest, TAIL)) && (size_t)(tail - manifest) < sizeof(l.id)) {
        memcpy(l.id, manifest, (size_t)(tail - manifest));
        publish_latest_write(&l, &again);
        if (agree(&l) && again.len == len && memcmp(again.data, text, len) == 0) {
            *out = l;
            return ERR_OK;
        }
    }
    return err_fail(err, REASON_METADATA_MALFORMED,
                    "latest.json is not one of cairn's");
}

void publish_latest_write(const struct publish_latest *l, struct buf *out)
{
    buf_printf(out,
               "{\"format\":\"cairn-latest-1\",\"height\":%" PRIu64
               ",\"manifest\":\"%s" TAIL "\"}",
               l->height, l->id);
}
