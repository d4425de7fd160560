#ifndef SYNC_TRUST_TRUST_SEALED_H
#define SYNC_TRUST_TRUST_SEALED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "sync/trust/trust_secret.h"

/*
 * A signer's key file, encrypted with a passphrase: Argon2id (RFC 9106) makes a key of
 * it, XSalsa20-Poly1305 (libsodium's secretbox) keeps the 32 secret bytes.  One text
 * for one content, docs/trust-documents.md; whatever differs is refused.  After
 * sodium_init; pure otherwise; any thread.
 */
enum {
    TRUST_SEALED_MAX = 1024,        /* bytes of a text and its NUL */
    TRUST_SEALED_BOX = 32 + 16,     /* secret and authenticator */
    TRUST_PASSPHRASE_MAX = 1024,    /* bytes */
    TRUST_SEALED_OPS_MAX = 16,      /* what a file may ask of who opens it ... */
    TRUST_SEALED_MEM_MIN = 8 << 10, /* ... as libsodium has it */
    TRUST_SEALED_MEM_MAX = 1 << 30,
};

struct trust_cost { /* of Argon2id with one lane */
    uint64_t opslimit;
    uint64_t memlimit; /* bytes, whole KiB */
};
/* libsodium's MODERATE: 3 passes over 256 MiB, under a second. */
extern const struct trust_cost trust_sealed_moderate;

struct trust_sealed {
    struct trust_key key; /* public */
    bool encrypted;
    struct trust_cost cost; /* from here on only of an encrypted one ... */
    uint8_t salt[16];
    uint8_t nonce[24];
    uint8_t box[TRUST_SEALED_BOX];
    uint8_t secret[TRUST_SECRET_BYTES]; /* ... and this only of another */
};
void trust_sealed_wipe(struct trust_sealed *s);
#define TRUST_SEALED __attribute__((cleanup(trust_sealed_wipe))) struct trust_sealed

/* With a new salt and nonce.  passphrase NULL: not encrypted.  ERR_IO: not the memory
   that cost wants. */
enum errc trust_sealed_seal(const struct trust_secret *secret, const char *passphrase,
                            const struct trust_cost *cost, struct trust_sealed *out,
                            struct err *err);

/* The file's text, a line; returns its length.  Without encryption it is secret. */
size_t trust_sealed_text(const struct trust_sealed *s, char out[TRUST_SEALED_MAX]);

/* Hostile text.  ERR_INVALID: no key file, or one that asks for more than the bounds.
 */
enum errc trust_sealed_parse(const char *text, size_t len, struct trust_sealed *out,
                             struct err *err);

/* passphrase is not looked at when it is not encrypted.  ERR_VERIFY: wrong passphrase,
   or the file was altered.  ERR_IO: not enough memory. */
enum errc trust_sealed_open(const struct trust_sealed *s, const char *passphrase,
                            struct trust_secret **out, struct err *err);

#endif
