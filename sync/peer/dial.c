#include <arpa/inet.h>
#include <curl/curl.h>
#include <sys/socket.h>

#include "sync/peer/dial.h"
#include "sync/peer/url.h"

static bool may_connect(struct dial *d, const char *ip)
{
    struct cidr address;

    if (!d->hostile || !url_address_is_local(ip))
        return true;
    for (size_t i = 0; i < d->allow->count; i++)
        if (cidr_parse_address(ip, &address) &&
            cidr_contains(&d->allow->networks[i], &address))
            return true;
    (void)err_fail(&d->err, REASON_SOURCE_FORBIDDEN,
                   "%.45s is a local address, and it was not the operator who named it",
                   ip);
    return false;
}

static void address_text(const struct curl_sockaddr *to, char out[INET6_ADDRSTRLEN])
{
    const void *address = &to->addr;

    out[0] = '\0';
    if (to->family == AF_INET)
        (void)inet_ntop(AF_INET, &((const struct sockaddr_in *)address)->sin_addr, out,
                        INET6_ADDRSTRLEN);
    else if (to->family == AF_INET6)
        (void)inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)address)->sin6_addr,
                        out, INET6_ADDRSTRLEN);
}

static curl_socket_t on_connect(void *arg, curlsocktype purpose,
                                struct curl_sockaddr *to)
{
    char ip[INET6_ADDRSTRLEN];

    (void)purpose; /* there is only one */
    address_text(to, ip);
    if (!may_connect(arg, ip))
        return CURL_SOCKET_BAD;
    return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

/* Connected, perhaps by an earlier request, and about to ask. */
/* NOLINTNEXTLINE(readability-non-const-parameter): the type is libcurl's */
static int on_request(void *arg, char *peer_ip, char *our_ip, int peer_port,
                      int our_port)
{
    (void)our_ip;
    (void)peer_port;
    (void)our_port;
    return may_connect(arg, peer_ip) ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

bool dial_guard(void *easy, struct dial *d)
{
    return curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_connect) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, d) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_request) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PREREQDATA, d) == CURLE_OK;
}
