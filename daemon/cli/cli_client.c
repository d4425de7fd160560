#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/mem.h"
#include "daemon/cli/cli_client.h"
#include "rpc/jsonpart.h"
#include "rpc/jsontext.h"

enum {
    ANSWER_MAX = 256 << 20,
    DEPTH_MAX = 160, /* of documents in an answer, and what is around them */
    CONNECT_SECONDS = 5,
    CALL_SECONDS = 900, /* sync.wait may take ten minutes */
};

struct cli_client {
    CURL *curl;
    struct curl_slist *headers;
    char *url;
};

static void add_header(struct cli_client *k, const char *line)
{
    struct curl_slist *more = curl_slist_append(k->headers, line);

    if (!more)
        abort(); /* memory */
    k->headers = more;
}

struct cli_client *cli_client_create(const struct cli_where *where)
{
    struct cli_client *k = xcalloc(1, sizeof(*k));
    AUTOFREE char *bearer = xasprintf("Authorization: Bearer %s", where->token);

    k->curl = curl_easy_init();
    if (!k->curl)
        abort(); /* memory */
    k->url = xasprintf("http://%s/rpc", where->address);
    add_header(k, bearer);
    add_header(k, "Content-Type: application/json");
    add_header(k, "Expect:"); /* no round trip before the body */
    curl_easy_setopt(k->curl, CURLOPT_URL, k->url);
    curl_easy_setopt(k->curl, CURLOPT_HTTPHEADER, k->headers);
    curl_easy_setopt(k->curl, CURLOPT_PROTOCOLS_STR, "http");
    curl_easy_setopt(k->curl, CURLOPT_PROXY,
                     ""); /* the token is for the daemon alone */
    curl_easy_setopt(k->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(k->curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
    curl_easy_setopt(k->curl, CURLOPT_TIMEOUT, (long)CALL_SECONDS);
    return k;
}

void cli_client_free(struct cli_client *k)
{
    if (!k)
        return;
    curl_easy_cleanup(k->curl);
    curl_slist_free_all(k->headers);
    free(k->url);
    free(k);
}

void cli_client_fini(struct cli_answer *a)
{
    cJSON_Delete(a->tree);
    free(a->text);
    *a = (struct cli_answer){0};
}

static size_t take_bytes(char *bytes, size_t size, size_t count, void *arg)
{
    struct buf *body = arg;

    buf_put(body, bytes, size * count);
    return body->full ? 0 : size * count;
}

static char *request_text(const char *method, const cJSON *params)
{
    cJSON *o = cJSON_CreateObject();
    char *text;

    cJSON_AddStringToObject(o, "jsonrpc", "2.0");
    cJSON_AddNumberToObject(o, "id", 1);
    cJSON_AddStringToObject(o, "method", method);
    if (params)
        cJSON_AddItemToObject(o, "params", cJSON_Duplicate(params, true));
    text = cJSON_PrintUnformatted(o);
    cJSON_Delete(o);
    if (!text)
        abort(); /* memory */
    return text;
}

static enum errc post(struct cli_client *k, const char *request, struct buf *body,
                      struct err *err)
{
    char why[CURL_ERROR_SIZE] = "";
    CURLcode rc;

    curl_easy_setopt(k->curl, CURLOPT_POSTFIELDS, request);
    curl_easy_setopt(k->curl, CURLOPT_WRITEFUNCTION, take_bytes);
    curl_easy_setopt(k->curl, CURLOPT_WRITEDATA, body);
    curl_easy_setopt(k->curl, CURLOPT_ERRORBUFFER, why);
    rc = curl_easy_perform(k->curl);
    curl_easy_setopt(k->curl, CURLOPT_ERRORBUFFER, NULL);
    if (body->full)
        return err_set(err, ERR_NET, "the answer is over %d MiB", ANSWER_MAX >> 20);
    if (rc != CURLE_OK)
        return err_set(err, ERR_NET, "%.100s: %.100s", k->url,
                       why[0] != '\0' ? why : curl_easy_strerror(rc));
    return ERR_OK;
}

/* An object that is not JSON-RPC is of somebody else. */
static bool take_answer(struct cli_answer *a, size_t len)
{
    struct span whole = {a->text, len};
    struct err ignored;

    if (jsontext_check(a->text, len, DEPTH_MAX, &ignored) != ERR_OK)
        return false;
    a->tree = cJSON_ParseWithLength(a->text, len);
    a->result = cJSON_GetObjectItemCaseSensitive(a->tree, "result");
    a->error = cJSON_GetObjectItemCaseSensitive(a->tree, "error");
    if (a->error)
        return cJSON_IsObject(a->error) && jsonpart_member(whole, "error", &a->raw);
    return cJSON_IsObject(a->result) && jsonpart_member(whole, "result", &a->raw);
}

enum errc cli_client_call(struct cli_client *k, const char *method, const cJSON *params,
                          struct cli_answer *out, struct err *err)
{
    AUTOFREE char *request = request_text(method, params);
    CLEANUP_BUF struct buf body = BUF(ANSWER_MAX);
    size_t len;

    if (post(k, request, &body, err) != ERR_OK)
        return err->code;
    len = body.len;
    out->text = buf_take(&body);
    if (out->text && take_answer(out, len))
        return ERR_OK;
    cli_client_fini(out);
    return err_set(err, ERR_NET, "%.100s does not answer as a cairnd does", k->url);
}
