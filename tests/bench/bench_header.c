#include <math.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sync/chain/header.h"
#include "tests/bench/measure.h"

/*
 * Verifying headers (the hash, then all rules against the window) against libcrypto's
 * SHA-256 alone over messages of the length that the hash has: one context, its
 * algorithm fetched once, which is the fastest that its interface has.
 */
enum { ROUNDS = 7, SPACING_SECONDS = 120 };

static const struct chain_params *params;

/* A chain as testnet's miners make it: microseconds in its timestamps, difficulty 1. */
static struct header *make_chain(size_t n)
{
    struct header *chain = xcalloc(n, sizeof(*chain));

    memcpy(chain[0].hash, params->genesis_hash, 32);
    chain[0].timestamp = 1730851200.0;
    chain[0].difficulty = 1;
    for (size_t i = 1; i < n; i++) {
        struct header *h = &chain[i];

        h->height = i;
        h->version = 1;
        h->has_version = true;
        h->difficulty = 1;
        h->timestamp = chain[0].timestamp + (double)i * (SPACING_SECONDS + 0.0001) +
                       (double)(i % 7);
        h->timestamp = round(h->timestamp * 1e6) / 1e6;
        memcpy(h->prev, chain[i - 1].hash, 32);
        memcpy(h->merkle_root, chain[i - 1].hash + 1, 31);
        do {
            h->nonce += 10007;
            header_hash(h, h->hash);
        } while (!header_has_pow(h));
    }
    return chain;
}

static double verify(struct header *chain, size_t n, struct header_window *w)
{
    double start = measure_cpu();
    struct err err;

    header_window_init(w, 0);
    header_window_push(w, &chain[0]);
    for (size_t i = 1; i < n; i++) {
        header_hash(&chain[i], chain[i].hash);
        measure_must(header_check(&chain[i], w, params, &err), &err);
        header_window_push(w, &chain[i]);
    }
    return (measure_cpu() - start) / (double)(n - 1);
}

static size_t message_length(const struct header *h)
{
    return (size_t)snprintf(
        NULL, 0,
        "{\"difficulty\":%u,\"index\":%llu,\"merkle_root\":\"%064d\",\"nonce\":%llu,"
        "\"previous_hash\":\"%064d\",\"timestamp\":%.6f,\"version\":1}",
        h->difficulty, (unsigned long long)h->height, 0, (unsigned long long)h->nonce,
        0, h->timestamp);
}

static double hash_raw(const struct header *chain, size_t n)
{
    AUTOFREE uint8_t *text = xcalloc(1, 4096);
    size_t len = message_length(&chain[n / 2]);
    EVP_MD *sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    double start = measure_cpu(), spent;

    for (size_t i = 1; i < n; i++) {
        if (EVP_DigestInit_ex2(ctx, sha256, NULL) != 1 ||
            EVP_DigestUpdate(ctx, text, len) != 1 ||
            EVP_DigestFinal_ex(ctx, text, NULL) != 1)
            abort();
    }
    spent = measure_cpu() - start;
    EVP_MD_CTX_free(ctx);
    EVP_MD_free(sha256);
    return spent / (double)(n - 1);
}

int main(int argc, char **argv)
{
    const struct measure_args args = measure_args(argc, argv, 100000, 1000000);
    AUTOFREE struct header_window *w = xcalloc(1, sizeof(*w));
    AUTOFREE struct header *chain = NULL;
    double ours[ROUNDS], ratio[ROUNDS];

    params = params_find("testnet");
    chain = make_chain(args.count + 1);
    for (size_t i = 0; i < ROUNDS; i++) {
        double raw = hash_raw(chain, args.count + 1);

        ours[i] = verify(chain, args.count + 1, w);
        ratio[i] = raw / ours[i];
    }
    measure_at_least("header_verify", 1.0 / measure_median(ours, ROUNDS), "headers/s",
                     measure_median(ratio, ROUNDS), 0.4);
    return measure_result();
}
