#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "sync/peer/cidr.h"
#include "sync/peer/url.h"

static const struct scheme {
    const char *start;
    unsigned port; /* when the URL says none */
    bool ws;
} schemes[] = {
    {"http://", 80, false},
    {"https://", 443, false},
    {"ws://", URL_WS_PORT, true},
    {"wss://", URL_WS_PORT, true},
};

struct parts {
    const struct scheme *scheme;
    char host[URL_HOST_MAX]; /* lower case, no brackets */
    bool ipv6;
    unsigned port;    /* 0: the scheme's own */
    const char *rest; /* path and query, "" when none */
};

static bool is_unreserved_host(char c)
{
    return isalnum((unsigned char)c) || c == '-' || c == '_' || c == '.';
}

/* A name whose last label is a number is an IPv4 address, in however odd a spelling:
   only the plain one is taken, so that everybody reads the same address. */
static bool ends_in_number(const char *host)
{
    const char *dot = strrchr(host, '.');
    const char *last = dot ? dot + 1 : host;

    if (last[0] == '0' && last[1] == 'x')
        return last[2 + strspn(last + 2, "0123456789abcdef")] == '\0';
    return last[strspn(last, "0123456789")] == '\0';
}

static enum errc check_name(const char *host, struct err *err)
{
    struct cidr address;

    if (host[0] == '\0' || host[0] == '.' || host[strlen(host) - 1] == '.' ||
        strstr(host, ".."))
        return err_set(err, ERR_INVALID, "the host name has an empty part");
    for (const char *p = host; *p != '\0'; p++)
        if (!is_unreserved_host(*p))
            return err_set(err, ERR_INVALID, "the host name has an odd character");
    if (ends_in_number(host) && !cidr_parse_address(host, &address))
        return err_set(err, ERR_INVALID, "the host is no IPv4 address and no name");
    return ERR_OK;
}

/* [2001:db8::1]: kept in its shortest spelling. */
static enum errc take_ipv6(const char *text, size_t len, struct parts *out,
                           struct err *err)
{
    char address[INET6_ADDRSTRLEN];
    struct in6_addr in6;

    if (len >= sizeof(address))
        return err_set(err, ERR_INVALID, "the host in brackets is no IPv6 address");
    memcpy(address, text, len);
    address[len] = '\0';
    if (inet_pton(AF_INET6, address, &in6) != 1)
        return err_set(err, ERR_INVALID, "the host in brackets is no IPv6 address");
    (void)inet_ntop(AF_INET6, &in6, out->host, sizeof(out->host));
    out->ipv6 = true;
    return ERR_OK;
}

static enum errc take_name(const char *text, size_t len, struct parts *out,
                           struct err *err)
{
    if (len >= sizeof(out->host))
        return err_set(err, ERR_INVALID, "the host name is too long");
    for (size_t i = 0; i < len; i++)
        out->host[i] = (char)tolower((unsigned char)text[i]);
    out->host[len] = '\0';
    return check_name(out->host, err);
}

static enum errc take_port(const char *text, size_t len, struct parts *out,
                           struct err *err)
{
    unsigned port = 0;

    for (size_t i = 0; i < len && port <= 65535; i++) {
        if (text[i] < '0' || text[i] > '9')
            return err_set(err, ERR_INVALID, "the port is no number");
        port = port * 10 + (unsigned)(text[i] - '0');
    }
    if (port == 0 || port > 65535)
        return err_set(err, ERR_INVALID, "the port is not in 1..65535");
    out->port = port == out->scheme->port ? 0 : port;
    return ERR_OK;
}

static enum errc take_authority(const char *text, size_t len, struct parts *out,
                                struct err *err)
{
    const char *end = text + len, *host_end;
    enum errc rc;

    if (memchr(text, '@', len))
        return err_set(err, ERR_INVALID, "credentials in a URL are not allowed");
    if (len > 0 && text[0] == '[') {
        host_end = memchr(text, ']', len);
        if (!host_end)
            return err_set(err, ERR_INVALID, "a bracket of the host is not closed");
        rc = take_ipv6(text + 1, (size_t)(host_end - text) - 1, out, err);
        host_end++;
    } else {
        host_end = memchr(text, ':', len);
        if (!host_end)
            host_end = end;
        rc = take_name(text, (size_t)(host_end - text), out, err);
    }
    if (rc != ERR_OK || host_end == end)
        return rc;
    if (*host_end != ':')
        return err_set(err, ERR_INVALID, "text follows the host's bracket");
    return take_port(host_end + 1, (size_t)(end - host_end) - 1, out, err);
}

static const struct scheme *scheme_of(const char *url)
{
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
        if (strncasecmp(url, schemes[i].start, strlen(schemes[i].start)) == 0)
            return &schemes[i];
    return NULL;
}

static enum errc split(const char *url, struct parts *out, struct err *err)
{
    const char *authority;
    size_t len;

    if (strlen(url) >= URL_MAX)
        return err_set(err, ERR_INVALID, "a URL has at most %d characters",
                       URL_MAX - 1);
    for (const char *p = url; *p != '\0'; p++)
        if (*p <= 0x20 || *p >= 0x7f || strchr("\"<>\\^`{|}", *p))
            return err_set(err, ERR_INVALID, "the URL has a character no URL has");
    if (strchr(url, '#'))
        return err_set(err, ERR_INVALID, "a fragment in a URL is not allowed");
    *out = (struct parts){.scheme = scheme_of(url)};
    if (!out->scheme)
        return err_set(err, ERR_INVALID,
                       "the URL does not start with http:// or https://");
    authority = url + strlen(out->scheme->start);
    len = strcspn(authority, "/?");
    out->rest = authority + len;
    return take_authority(authority, len, out, err);
}

enum errc url_check(const char *url, struct err *err)
{
    struct parts parts;

    if (split(url, &parts, err) != ERR_OK)
        return err->code;
    if (parts.scheme->ws)
        return err_set(err, ERR_INVALID,
                       "the URL does not start with http:// or https://");
    return ERR_OK;
}

static enum errc join(const struct parts *parts, size_t rest, char out[URL_MAX],
                      struct err *err)
{
    size_t max = parts->scheme->ws ? URL_WS_MAX : URL_MAX;
    unsigned port = parts->port;
    char port_text[16] = "", whole[URL_MAX + 32];
    int n;

    if (parts->scheme->ws && port == 0)
        port = parts->scheme->port; /* every reader has its own idea of the default */
    if (port != 0)
        (void)snprintf(port_text, sizeof(port_text), ":%u", port);
    n = snprintf(whole, sizeof(whole), "%s%s%s%s%s%.*s", parts->scheme->start,
                 parts->ipv6 ? "[" : "", parts->host, parts->ipv6 ? "]" : "", port_text,
                 (int)rest, parts->rest);
    if (n < 0 || (size_t)n >= max)
        return err_set(err, ERR_INVALID, "such a URL has at most %zu characters",
                       max - 1);
    memcpy(out, whole, (size_t)n + 1);
    return ERR_OK;
}

enum errc url_normalise_base(const char *url, char out[URL_MAX], struct err *err)
{
    struct parts parts;
    size_t rest;

    if (split(url, &parts, err) != ERR_OK)
        return err->code;
    if (strchr(parts.rest, '?'))
        return err_set(err, ERR_INVALID, "a peer's URL has no query");
    for (rest = strlen(parts.rest); rest > 0 && parts.rest[rest - 1] == '/'; rest--)
        ;
    if (parts.scheme->ws && rest > 0)
        return err_set(err, ERR_INVALID, "a ws:// URL has no path");
    return join(&parts, rest, out, err);
}

bool url_is_ws(const char *url)
{
    const struct scheme *scheme = scheme_of(url);

    return scheme && scheme->ws;
}

bool url_host(const char *url, char out[URL_HOST_MAX])
{
    struct parts parts;
    struct err err;

    if (split(url, &parts, &err) != ERR_OK)
        return false;
    memcpy(out, parts.host, strlen(parts.host) + 1);
    return true;
}

unsigned url_port(const char *url)
{
    struct parts parts = {0};
    struct err err;

    if (split(url, &parts, &err) != ERR_OK || !parts.scheme)
        return 0;
    return parts.port != 0 ? parts.port : parts.scheme->port;
}

bool url_network_group(const char *ip, char out[URL_GROUP_MAX])
{
    char text[INET6_ADDRSTRLEN];
    struct cidr address, net;
    bool ipv4;

    if (!cidr_parse_address(ip, &address))
        return false;
    ipv4 = cidr_is_ipv4(&address);
    net = cidr_around(&address, ipv4 ? 96 + 16 : 32);
    (void)inet_ntop(ipv4 ? AF_INET : AF_INET6, net.bytes + (ipv4 ? 12 : 0), text,
                    sizeof(text));
    (void)snprintf(out, URL_GROUP_MAX, "%.40s/%s", text, ipv4 ? "16" : "32");
    return true;
}

/* From IANA's special-purpose registries: where machines of somebody's own network are.
 */
static const char *const local_networks[] = {
    "0.0.0.0/8",      "10.0.0.0/8",    "100.64.0.0/10", "127.0.0.0/8",
    "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",  "192.168.0.0/16",
    "198.18.0.0/15",  "224.0.0.0/4",   "240.0.0.0/4",   "::/128",
    "::1/128",        "100::/64",      "fc00::/7",      "fe80::/10",
    "fec0::/10",      "ff00::/8",
};

static bool in_local_network(const struct cidr *address)
{
    struct cidr net;

    for (size_t i = 0; i < sizeof(local_networks) / sizeof(local_networks[0]); i++)
        if (!cidr_parse(local_networks[i], &net) || cidr_contains(&net, address))
            return true;
    return false;
}

/* IPv6 networks that lead to the IPv4 address written inside. */
static const struct {
    const char *net;
    unsigned at; /* byte of the IPv4 address */
} tunnels[] = {
    {"64:ff9b::/96", 12}, {"64:ff9b:1::/48", 12}, {"2002::/16", 2}, {"::/96", 12}};

bool url_address_is_local(const char *ip)
{
    struct cidr address, net, inner;

    if (!cidr_parse_address(ip, &address) || in_local_network(&address))
        return true;
    for (size_t i = 0; i < sizeof(tunnels) / sizeof(tunnels[0]); i++) {
        if (!cidr_parse(tunnels[i].net, &net) || !cidr_contains(&net, &address))
            continue;
        (void)cidr_parse_address("0.0.0.0", &inner);
        memcpy(inner.bytes + 12, address.bytes + tunnels[i].at, 4);
        return in_local_network(&inner);
    }
    return false;
}
