#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/pack.h"
#include "sync/peer/headers_wire.h"
#include "tests/bench/measure.h"

/*
 * Headers from a Cairn peer, packed as they come off the wire: reading and verifying
 * them (hash, all rules against the window) against verifying them alone when they are
 * there already.  Their signatures are left out on both sides: they cost forty times
 * the rest, and would hide everything.
 */
enum { ROUNDS = 7, SPACING_SECONDS = 120, MINERS = 20 };

static const struct chain_params *params;

/* A chain as testnet's miners make it: microseconds in its timestamps, difficulty 1,
   signatures that look like some. */
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
        for (size_t k = 0; k < 128; k++) {
            h->miner_pubkey[k] = "0123456789abcdef"[(i % MINERS * 7 + k * k) % 16];
            h->signature[k] = "0123456789abcdef"[(i * 31 + k * (i % 13)) % 16];
        }
        do {
            h->nonce++;
            header_hash(h, h->hash);
        } while (!header_has_pow(h));
    }
    return chain;
}

struct answers { /* as a peer gives them, HEADERS_WIRE_MAX headers each */
    struct buf packed[1024];
    size_t count, bytes;
};

static void pack(const struct header *chain, size_t n, struct answers *out)
{
    for (size_t i = 1; i < n; out->count++) {
        CLEANUP_BUF struct buf text = BUF(HEADERS_WIRE_BYTES_MAX);
        struct buf *packed = &out->packed[out->count];
        struct headers_wire w;
        struct err err;

        headers_wire_begin(&w, i, &text);
        for (size_t k = 0; k < HEADERS_WIRE_MAX && i < n; k++, i++)
            measure_must(headers_wire_add(&w, &chain[i], &text, &err), &err);
        headers_wire_end(&w, &text);
        *packed = BUF(HEADERS_WIRE_BYTES_MAX);
        pack_zstd(text.data, text.len, packed);
        out->bytes += packed->len;
    }
}

static void verify(const struct header *h, struct header_window *w)
{
    struct err err;

    measure_must(header_check(h, w, params, &err), &err);
    header_window_push(w, h);
}

/* The hash belongs to verifying: reading makes it on the way. */
static double verify_alone(struct header *chain, size_t n, struct header_window *w)
{
    double start = measure_cpu();

    header_window_init(w, 0);
    header_window_push(w, &chain[0]);
    for (size_t i = 1; i < n; i++) {
        header_hash(&chain[i], chain[i].hash);
        verify(&chain[i], w);
    }
    return (measure_cpu() - start) / (double)(n - 1);
}

static double read_and_verify(const struct header *genesis, const struct answers *a,
                              struct header *room, struct header_window *w)
{
    double start = measure_cpu();
    struct headers_wire_batch batch = {
        .from = 1, .room = room, .max = HEADERS_WIRE_MAX};
    struct err err;

    header_window_init(w, 0);
    header_window_push(w, genesis);
    for (size_t i = 0; i < a->count; i++) {
        measure_must(
            headers_wire_decode(a->packed[i].data, a->packed[i].len, &batch, &err),
            &err);
        for (size_t k = 0; k < batch.count; k++)
            verify(&room[k], w);
        batch.from += batch.count;
    }
    return (measure_cpu() - start) / (double)(batch.from - 1);
}

int main(int argc, char **argv)
{
    const struct measure_args args = measure_args(argc, argv, 100000, 1000000);
    AUTOFREE struct header_window *w = xcalloc(1, sizeof(*w));
    AUTOFREE struct header *room = xcalloc(HEADERS_WIRE_MAX, sizeof(*room));
    AUTOFREE struct answers *answers = xcalloc(1, sizeof(*answers));
    AUTOFREE struct header *chain = NULL;
    double ours[ROUNDS], ratio[ROUNDS];

    params = params_find("testnet");
    chain = make_chain(args.count + 1);
    pack(chain, args.count + 1, answers);
    for (size_t i = 0; i < ROUNDS; i++) {
        double alone = verify_alone(chain, args.count + 1, w);

        ours[i] = read_and_verify(chain, answers, room, w);
        ratio[i] = alone / ours[i];
    }
    measure_at_least("headers_from_peer", 1.0 / measure_median(ours, ROUNDS),
                     "headers/s", measure_median(ratio, ROUNDS), 0.5);
    for (size_t i = 0; i < answers->count; i++)
        buf_fini(&answers->packed[i]);
    return measure_result();
}
