#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/durable.h"
#include "base/hash.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/mem.h"
#include "sync/publish/publish_state.h"
#include "sync/publish/s3upload.h"

enum { TEXT_MAX = 4096, NAME_DIGITS = 16 };

char *publish_state_path(const char *dir, const struct s3target *t, const char *key)
{
    AUTOFREE char *url = s3target_url(t, key, "");
    uint8_t hash[32];
    char hex[65];

    hash_sha256(url, strlen(url), hash);
    hex_encode(hash, sizeof(hash), hex);
    return xasprintf("%s/upload-%.*s.json", dir, NAME_DIGITS, hex);
}

static bool take(const struct json *root, struct publish_state *out)
{
    const char *id;

    if (!json_u64(json_get(root, "part_bytes"), &out->part_bytes) ||
        !json_hash(json_get(root, "sha256"), out->sha256) ||
        !json_text(json_get(root, "upload_id"), &id) || *id == '\0' ||
        strlen(id) > S3UPLOAD_ID_MAX)
        return false;
    out->upload_id = xstrdup(id);
    return true;
}

enum errc publish_state_read(const char *path, struct publish_state *out,
                             struct err *err)
{
    CLEANUP(json_free) struct json_doc *doc = NULL;
    char text[TEXT_MAX];
    struct err ignored;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    ssize_t n = -1;

    if (fd >= 0) {
        n = read(fd, text, sizeof(text));
        (void)close(fd);
    }
    if (n > 0 && json_parse(text, (size_t)n, &JSON_LIMITS_SMALL, &doc, &ignored) == 0 &&
        take(json_root(doc), out))
        return ERR_OK;
    return err_fail(err, REASON_NOT_FOUND, "%.150s is not there, or says nothing",
                    path);
}

enum errc publish_state_write(const char *path, const struct publish_state *s,
                              struct err *err)
{
    CLEANUP_BUF struct buf text = BUF(TEXT_MAX);
    char hex[65];

    hex_encode(s->sha256, sizeof(s->sha256), hex);
    buf_printf(&text, "{\"part_bytes\":%" PRIu64 ",\"sha256\":\"%s\",\"upload_id\":",
               s->part_bytes, hex);
    json_write_string(s->upload_id, strlen(s->upload_id), &text);
    buf_puts(&text, "}\n");
    return durable_replace(path, text.data, text.len, err);
}

void publish_state_forget(const char *path)
{
    (void)unlink(
        path); /* one that stays is of an upload that the store does not know */
}
