#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "sync/p2p/tls.h"
#include "sync/p2p/tls_cert.h"
#include "sync/peer/cidr.h"

enum { PATH_TEXT = 1024 };

struct tls {
    SSL_CTX *server, *client;
};

struct tls_link {
    SSL *ssl;
};

/* An idle connection keeps no buffers, and nothing is kept of one that ended. */
static SSL_CTX *new_context(const SSL_METHOD *method)
{
    SSL_CTX *ctx = SSL_CTX_new(method);

    if (!ctx)
        abort(); /* memory (docs/adr/0001) */
    (void)SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    (void)SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS |
                                    SSL_MODE_ENABLE_PARTIAL_WRITE |
                                    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    (void)SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET |
                                       SSL_OP_NO_COMPRESSION);
    (void)SSL_CTX_set_num_tickets(ctx, 0);
    (void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
    return ctx;
}

enum errc tls_open(const char *data_dir, struct tls **out, struct err *err)
{
    CLEANUP(tls_close) struct tls *t = xcalloc(1, sizeof(*t));
    char cert[PATH_TEXT], key[PATH_TEXT];
    int a = snprintf(cert, sizeof(cert), "%s/p2p.cert", data_dir);
    int b = snprintf(key, sizeof(key), "%s/p2p.certkey", data_dir);

    if (a < 0 || a >= PATH_TEXT || b < 0 || b >= PATH_TEXT)
        return err_set(err, ERR_INVALID, "the data directory's path is too long");
    if (tls_cert_ensure(cert, key, err) != ERR_OK)
        return err->code;
    t->server = new_context(TLS_server_method());
    t->client = new_context(TLS_client_method());
    if (SSL_CTX_use_certificate_file(t->server, cert, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_use_PrivateKey_file(t->server, key, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(t->server) != 1) {
        ERR_clear_error();
        return err_set(
            err, ERR_CONFLICT,
            "%.80s and p2p.certkey beside it are no certificate and its key; "
            "restore them, or move them away for new ones",
            cert);
    }
    *out = TAKE(t);
    return ERR_OK;
}

void tls_close(struct tls *t)
{
    if (!t)
        return;
    SSL_CTX_free(t->server);
    SSL_CTX_free(t->client);
    free(t);
}

/* The header's macro casts const away. */
static void name_host(SSL *ssl, const char *host)
{
    AUTOFREE char *name = xstrdup(host);

    (void)SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name);
}

struct tls_link *tls_link_create(const struct tls *t, int fd, const char *host)
{
    struct tls_link *l = xcalloc(1, sizeof(*l));
    struct cidr address;

    l->ssl = SSL_new(host ? t->client : t->server);
    if (!l->ssl || SSL_set_fd(l->ssl, fd) != 1)
        abort(); /* memory (docs/adr/0001) */
    if (!host)
        SSL_set_accept_state(l->ssl);
    else
        SSL_set_connect_state(l->ssl);
    if (host && !cidr_parse_address(host, &address))
        name_host(l->ssl, host);
    return l;
}

void tls_link_free(struct tls_link *l)
{
    if (!l)
        return;
    SSL_free(l->ssl);
    free(l);
}

/* The queue of errors is the thread's: what one link left there is not another's. */
static enum tls_result result_of(const struct tls_link *l, int rc)
{
    int what = SSL_get_error(l->ssl, rc);

    ERR_clear_error();
    if (what == SSL_ERROR_NONE)
        return TLS_OK;
    if (what == SSL_ERROR_WANT_READ)
        return TLS_WANT_READ;
    if (what == SSL_ERROR_WANT_WRITE)
        return TLS_WANT_WRITE;
    return what == SSL_ERROR_ZERO_RETURN ? TLS_ENDED : TLS_FAILED;
}

enum tls_result tls_handshake(struct tls_link *l)
{
    ERR_clear_error();
    return result_of(l, SSL_do_handshake(l->ssl));
}

enum tls_result tls_read(struct tls_link *l, void *bytes, size_t len, size_t *done)
{
    ERR_clear_error();
    return result_of(l, SSL_read_ex(l->ssl, bytes, len, done));
}

enum tls_result tls_write(struct tls_link *l, const void *bytes, size_t len,
                          size_t *done)
{
    ERR_clear_error();
    return result_of(l, SSL_write_ex(l->ssl, bytes, len, done));
}

bool tls_pending(const struct tls_link *l)
{
    return SSL_pending(l->ssl) > 0;
}
