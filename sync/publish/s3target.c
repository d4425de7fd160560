#include <ctype.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "sync/peer/url.h"
#include "sync/publish/s3target.h"

static bool is_plain(char c)
{
    return isalnum((unsigned char)c) || c == '-' || c == '.' || c == '_';
}

static bool all_of(const char *text, bool (*is)(char c))
{
    for (; *text != '\0'; text++)
        if (!is(*text))
            return false;
    return true;
}

static bool is_bucket_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
}

static enum errc check_endpoint(const char *endpoint, struct err *err)
{
    const char *host = strstr(endpoint, "://");

    if (strlen(endpoint) > S3_ENDPOINT_MAX || url_check(endpoint, err) != ERR_OK)
        return err_set(err, ERR_INVALID, "the endpoint is no http or https URL");
    if (strpbrk(host + 3, "/?"))
        return err_set(err, ERR_INVALID,
                       "the endpoint has a path; bucket and prefix are settings of "
                       "their own");
    return ERR_OK;
}

/* Segments of plain characters, none of them only dots: a key that no server and no
   browser reads as another. */
static bool is_prefix(const char *prefix)
{
    while (*prefix != '\0') {
        size_t len = strcspn(prefix, "/");

        if (len == 0 || strspn(prefix, ".") == len)
            return false;
        for (size_t i = 0; i < len; i++)
            if (!is_plain(prefix[i]))
                return false;
        prefix += len;
        if (*prefix == '/' && *++prefix == '\0')
            return false;
    }
    return true;
}

static enum errc check(const char *region, const char *bucket, const char *prefix,
                       struct err *err)
{
    size_t len = strlen(bucket);

    if (*region == '\0' || strlen(region) > S3_REGION_MAX || !all_of(region, is_plain))
        return err_set(err, ERR_INVALID,
                       "the region is not 1 to %d letters, digits, '-', '.', '_'",
                       S3_REGION_MAX);
    if (len < 3 || len > S3_BUCKET_MAX || !all_of(bucket, is_bucket_char) ||
        strchr("-.", bucket[0]) || strstr(bucket, ".."))
        return err_set(err, ERR_INVALID,
                       "the bucket is not 3 to %d lower-case letters, digits, '-', '.'",
                       S3_BUCKET_MAX);
    if (strlen(prefix) > S3_PREFIX_MAX || !is_prefix(prefix))
        return err_set(err, ERR_INVALID,
                       "the prefix is not names of letters, digits, '-', '.', '_' with "
                       "'/' between them");
    return ERR_OK;
}

enum errc s3target_create(const char *endpoint, const char *region, const char *bucket,
                          const char *prefix, struct s3target **out, struct err *err)
{
    struct s3target *t;

    if (!prefix)
        prefix = "";
    if (check_endpoint(endpoint, err) != ERR_OK ||
        check(region, bucket, prefix, err) != ERR_OK)
        return err->code;
    t = xcalloc(1, sizeof(*t));
    t->endpoint = xstrdup(endpoint);
    t->region = xstrdup(region);
    t->bucket = xstrdup(bucket);
    t->prefix = xstrdup(prefix);
    *out = t;
    return ERR_OK;
}

void s3target_free(struct s3target *t)
{
    if (!t)
        return;
    free(t->endpoint);
    free(t->region);
    free(t->bucket);
    free(t->prefix);
    free(t);
}

char *s3target_key(const struct s3target *t, const char *name)
{
    return t->prefix[0] == '\0' ? xstrdup(name) : xasprintf("%s/%s", t->prefix, name);
}

char *s3target_url(const struct s3target *t, const char *key, const char *query)
{
    const char *host = strstr(t->endpoint, "://") + 3;
    const char *mark = *query == '\0' ? "" : "?";

    if (t->path_style)
        return xasprintf("%s/%s/%s%s%s", t->endpoint, t->bucket, key, mark, query);
    return xasprintf("%.*s%s.%s/%s%s%s", (int)(host - t->endpoint), t->endpoint,
                     t->bucket, host, key, mark, query);
}

char *s3target_encode(const char *text)
{
    struct buf out = BUF((size_t)3 * S3_KEY_MAX);

    buf_puts(&out, "");
    for (; *text != '\0'; text++)
        if (is_plain(*text) || *text == '~')
            buf_put(&out, text, 1);
        else
            buf_printf(&out, "%%%02X", (unsigned)(unsigned char)*text);
    return out.data ? buf_take(&out) : xstrdup("");
}
