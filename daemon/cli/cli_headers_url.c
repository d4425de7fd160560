#include <curl/curl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "base/buf.h"
#include "base/mem.h"
#include "daemon/cli/cli_headers.h"
#include "sync/peer/headers_wire.h"

enum {
    CONNECT_SECONDS = 10,
    GET_SECONDS = 120,
    SLOW_BYTES = 1024, /* a second, for SLOW_SECONDS: given up */
    SLOW_SECONDS = 30,
    PATIENCE = 30, /* times that "later" is heard for one answer */
    WAIT_SECONDS_MAX = 60,
    TOO_MANY = 429,
};

struct cli_headers_url {
    CURL *curl;
    char *base;
};

struct cli_headers_url *cli_headers_url_create(const char *base)
{
    struct cli_headers_url *u = xcalloc(1, sizeof(*u));
    size_t len = strlen(base);

    while (len > 0 && base[len - 1] == '/')
        len--;
    u->base = xstrndup(base, len);
    u->curl = curl_easy_init();
    if (!u->curl)
        abort(); /* memory */
    curl_easy_setopt(u->curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(u->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(u->curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
    curl_easy_setopt(u->curl, CURLOPT_TIMEOUT, (long)GET_SECONDS);
    curl_easy_setopt(u->curl, CURLOPT_LOW_SPEED_LIMIT, (long)SLOW_BYTES);
    curl_easy_setopt(u->curl, CURLOPT_LOW_SPEED_TIME, (long)SLOW_SECONDS);
    return u;
}

void cli_headers_url_free(struct cli_headers_url *u)
{
    if (!u)
        return;
    curl_easy_cleanup(u->curl);
    free(u->base);
    free(u);
}

static size_t take_bytes(char *bytes, size_t size, size_t count, void *arg)
{
    struct buf *body = arg;

    buf_put(body, bytes, size * count);
    return body->full ? 0 : size * count;
}

static void wait_as_told(CURL *curl)
{
    curl_off_t seconds = 0;
    struct timespec left;

    (void)curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &seconds);
    left.tv_sec = seconds < 1                  ? 1
                  : seconds > WAIT_SECONDS_MAX ? WAIT_SECONDS_MAX
                                               : seconds;
    left.tv_nsec = 0;
    while (nanosleep(&left, &left) != 0) {
    }
}

static enum errc get(struct cli_headers_url *u, const char *url, struct buf *body,
                     struct err *err)
{
    char why[CURL_ERROR_SIZE] = "";
    long status = 0;

    curl_easy_setopt(u->curl, CURLOPT_URL, url);
    curl_easy_setopt(u->curl, CURLOPT_WRITEFUNCTION, take_bytes);
    curl_easy_setopt(u->curl, CURLOPT_WRITEDATA, body);
    curl_easy_setopt(u->curl, CURLOPT_ERRORBUFFER, why);
    for (unsigned i = 0; i < PATIENCE; i++) {
        CURLcode rc;

        buf_reset(body);
        rc = curl_easy_perform(u->curl);
        if (rc != CURLE_OK)
            return err_fail(err, REASON_SOURCE_UNREACHABLE, "%.100s: %.100s", url,
                            why[0] != '\0' ? why : curl_easy_strerror(rc));
        (void)curl_easy_getinfo(u->curl, CURLINFO_RESPONSE_CODE, &status);
        if (status != TOO_MANY)
            break;
        wait_as_told(u->curl);
    }
    if (status == 200)
        return ERR_OK;
    return err_fail(err, REASON_SOURCE_UNREACHABLE, "%.100s: HTTP %ld", url, status);
}

enum errc cli_headers_url_get(void *url, uint64_t from, size_t count,
                              struct header *room, struct err *err)
{
    struct cli_headers_url *u = url;

    while (count > 0) { /* an answer may be shorter than what was asked for */
        struct headers_wire_batch batch = {.from = from, .room = room, .max = count};
        CLEANUP_BUF struct buf body = BUF(HEADERS_WIRE_BYTES_MAX);
        AUTOFREE char *path =
            xasprintf("%s/peer/v1/headers?from=%" PRIu64 "&count=%zu&form=compact",
                      u->base, from, count);

        if (get(u, path, &body, err) ||
            headers_wire_decode(body.data ? body.data : "", body.len, &batch, err))
            return err->code;
        if (batch.count == 0)
            return err_fail(err, REASON_SOURCE_UNREACHABLE,
                            "%.100s has no header %" PRIu64, u->base, from);
        room += batch.count;
        from += batch.count;
        count -= batch.count;
    }
    return ERR_OK;
}
