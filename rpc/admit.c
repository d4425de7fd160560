#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "rpc/admit.h"
#include "rpc/api.h"

/* "" or ":" and 1 to 5 digits */
static bool is_port(const char *text)
{
    size_t digits;

    if (*text == '\0')
        return true;
    if (*text++ != ':')
        return false;
    digits = strspn(text, "0123456789");
    return digits >= 1 && digits <= 5 && text[digits] == '\0';
}

bool admit_host(const char *host)
{
    char name[sizeof("255.255.255.255")];
    size_t len = strcspn(host, ":");
    struct in_addr v4;

    if (strncmp(host, "[::1]", 5) == 0)
        return is_port(host + 5);
    if (!is_port(host + len) || len >= sizeof(name))
        return false;
    (void)snprintf(name, sizeof(name), "%.*s", (int)len, host);
    if (strcasecmp(name, "localhost") == 0)
        return true;
    return inet_pton(AF_INET, name, &v4) == 1 && ntohl(v4.s_addr) >> 24 == 127;
}

/* A page of this very server, or no page at all. */
static bool is_own_origin(const char *origin, const char *host)
{
    static const char scheme[] = "http://";

    return !origin || (strncmp(origin, scheme, sizeof(scheme) - 1) == 0 &&
                       strcasecmp(origin + sizeof(scheme) - 1, host) == 0);
}

bool admit_length(const char *text, size_t *out)
{
    size_t value = 0;

    if (!text) {
        *out = 0;
        return true;
    }
    if (strspn(text, "0123456789") != strlen(text) || !*text)
        return false;
    for (; *text; text++)
        value = value > ADMIT_BODY_MAX ? value : value * 10 + (size_t)(*text - '0');
    *out = value; /* past ADMIT_BODY_MAX only that matters */
    return true;
}

static bool is_json(const char *type)
{
    static const char json[] = "application/json";
    size_t len = type ? strcspn(type, "; \t") : 0;

    return len == sizeof(json) - 1 && strncasecmp(type, json, len) == 0;
}

static bool find_path(const char *text, struct admitted *out)
{
    static const char *const paths[] = {
        [ADMIT_RPC] = "/rpc",
        [ADMIT_HEALTHZ] = "/healthz",
        [ADMIT_READYZ] = "/readyz",
        [ADMIT_METRICS] = "/metrics",
        [ADMIT_OPENAPI] = "/openapi.yaml",
        [ADMIT_AUDIT] = "/api/v1/audit.ndjson",
    };

    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        if (strcmp(paths[i], text) == 0) {
            out->path = (enum admit_path)i;
            return true;
        }
    }
    out->path = ADMIT_API;
    out->method = api_method(text);
    return out->method != NULL;
}

static bool fits_verb(const struct admitted *out, const char *method)
{
    if (out->path == ADMIT_RPC)
        return strcmp(method, "POST") == 0;
    return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
}

static enum fault check_body(const struct admit_head *head, size_t *body_len)
{
    if (!is_json(head->content_type))
        return FAULT_MEDIA_TYPE;
    if (head->transfer_encoding || !head->content_length ||
        !admit_length(head->content_length, body_len))
        return FAULT_LENGTH;
    return *body_len > ADMIT_BODY_MAX ? FAULT_TOO_LARGE : FAULT_NONE;
}

enum fault admit_request(const struct auth *auth, const struct admit_head *head,
                         struct admitted *out)
{
    bool known;

    *out = (struct admitted){0};
    known = find_path(head->path, out);
    if (!head->host || !admit_host(head->host))
        return FAULT_HOST;
    if (!is_own_origin(head->origin, head->host))
        return FAULT_ORIGIN;
    if (!(known && out->path == ADMIT_HEALTHZ) &&
        !auth_check(auth, head->authorization, &out->caller))
        return FAULT_TOKEN;
    if (!known)
        return FAULT_PATH;
    if (!fits_verb(out, head->method))
        return FAULT_VERB;
    return out->path == ADMIT_RPC ? check_body(head, &out->body_len) : FAULT_NONE;
}
