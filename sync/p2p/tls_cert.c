#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <unistd.h>

#include "base/durable.h"
#include "base/hex.h"
#include "sync/p2p/tls_cert.h"

enum {
    VERSION_3 = 2,
    DAY_S = 24 * 60 * 60,
    YEARS_20_S = 20 * 365 * DAY_S, /* nobody looks at it: it should not end */
};

static bool name_it(X509 *cert)
{
    static const unsigned char name[] = "xai-peer"; /* as stock's */
    X509_NAME *subject = X509_get_subject_name(cert);
    unsigned char serial[8];
    BIGNUM *number;
    bool ok;

    if (RAND_bytes(serial, sizeof(serial)) != 1)
        return false;
    serial[0] &= 0x7f; /* positive */
    number = BN_bin2bn(serial, sizeof(serial), NULL);
    ok =
        number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert)) &&
        X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, name, -1, -1, 0) == 1 &&
        X509_set_issuer_name(cert, subject) == 1;
    BN_free(number);
    return ok;
}

static bool fill(X509 *cert, EVP_PKEY *key)
{
    return X509_set_version(cert, VERSION_3) == 1 && name_it(cert) &&
           X509_gmtime_adj(X509_getm_notBefore(cert), -DAY_S) &&
           X509_gmtime_adj(X509_getm_notAfter(cert), YEARS_20_S) &&
           X509_set_pubkey(cert, key) == 1 && X509_sign(cert, key, EVP_sha256()) > 0;
}

static enum errc write_pem(BIO *bio, const char *path, struct err *err)
{
    char *text = NULL;
    long len = BIO_get_mem_data(bio, &text);

    return durable_replace(path, text, (size_t)len, err);
}

/* The key first: a certificate without its key is what a crash must not leave. */
static enum errc make(EVP_PKEY *key, X509 *cert, const char *const paths[2],
                      struct err *err)
{
    BIO *key_pem = BIO_new(BIO_s_mem()), *cert_pem = BIO_new(BIO_s_mem());
    enum errc rc;

    if (!key || !cert || !key_pem || !cert_pem || !fill(cert, key) ||
        PEM_write_bio_PrivateKey(key_pem, key, NULL, NULL, 0, NULL, NULL) != 1 ||
        PEM_write_bio_X509(cert_pem, cert) != 1)
        rc = err_fail(err, REASON_INTERNAL, "libcrypto does not make a certificate");
    else if ((rc = write_pem(key_pem, paths[1], err)) == ERR_OK)
        rc = write_pem(cert_pem, paths[0], err);
    (void)BIO_free(key_pem);
    (void)BIO_free(cert_pem);
    return rc;
}

enum errc tls_cert_ensure(const char *cert_path, const char *key_path, struct err *err)
{
    const char *const paths[2] = {cert_path, key_path};
    EVP_PKEY *key;
    X509 *cert;
    enum errc rc;

    if (access(cert_path, F_OK) == 0 && access(key_path, F_OK) == 0)
        return ERR_OK;
    key = EVP_EC_gen("P-256");
    cert = X509_new();
    rc = make(key, cert, paths, err);
    X509_free(cert);
    EVP_PKEY_free(key);
    return rc;
}
