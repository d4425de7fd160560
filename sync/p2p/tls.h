#ifndef SYNC_P2P_TLS_H
#define SYNC_P2P_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "base/err.h"

/*
 * TLS on non-blocking sockets.  It hides what is said from those on the way who only
 * listen; nobody's certificate is verified, as stock's are self-signed: who a peer is,
 * its envelopes' key says (docs/adr/0019).  One thread.
 */
struct tls;

/* The certificate and key in data_dir (p2p.cert, p2p.certkey: PEM, mode 0600), made
   when either is missing.  CONFLICT when they are no pair. */
enum errc tls_open(const char *data_dir, struct tls **out, struct err *err);
void tls_close(struct tls *t);
DEFINE_CLEANUP(struct tls, tls_close)

enum tls_result { TLS_OK, TLS_WANT_READ, TLS_WANT_WRITE, TLS_ENDED, TLS_FAILED };

struct tls_link; /* one connection */
/* host: named in the hello of a client unless it is an address; NULL: a server's end.
 */
struct tls_link *tls_link_create(const struct tls *t, int fd, const char *host);
void tls_link_free(struct tls_link *l);
enum tls_result tls_handshake(struct tls_link *l);
/* done: bytes moved, when TLS_OK. */
enum tls_result tls_read(struct tls_link *l, void *bytes, size_t len, size_t *done);
enum tls_result tls_write(struct tls_link *l, const void *bytes, size_t len,
                          size_t *done);
/* Bytes that were received and deciphered already: no readiness tells of them. */
bool tls_pending(const struct tls_link *l);

#endif
