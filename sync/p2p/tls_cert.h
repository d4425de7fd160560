#ifndef SYNC_P2P_TLS_CERT_H
#define SYNC_P2P_TLS_CERT_H

#include "base/err.h"

/* A self-signed certificate and its P-256 key, PEM, mode 0600: made when either file is
   missing.  Any thread. */
enum errc tls_cert_ensure(const char *cert_path, const char *key_path, struct err *err);

#endif
