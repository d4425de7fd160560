/* What a peer gives as headers: those that are accepted link, hash to their hashes, and
   the compact form of them is the very answer when it was one. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sync/peer/headers_layout.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX = 300, FROM = 1 };

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void check_chain(const struct header *h, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint8_t hash[32];

        header_hash(&h[i], hash);
        require(memcmp(hash, h[i].hash, 32) == 0 && h[i].height == FROM + i);
        require(i == 0 || memcmp(h[i].prev, h[i - 1].hash, 32) == 0);
        require(h[i].difficulty <= HEADER_DIFFICULTY_MAX &&
                header_is_time(h[i].timestamp));
        require(memchr(h[i].signature, 0, sizeof(h[i].signature)) &&
                memchr(h[i].miner_pubkey, 0, sizeof(h[i].miner_pubkey)));
    }
}

/* False: JSON lines had a text that only they can carry. */
static bool write_compact(const struct header *h, size_t n, struct buf *out)
{
    struct headers_wire w;
    struct err err;

    headers_wire_begin(&w, FROM, out);
    for (size_t i = 0; i < n; i++)
        if (headers_wire_add(&w, &h[i], out, &err) != ERR_OK)
            return false;
    headers_wire_end(&w, out);
    return true;
}

static bool is_compact(const uint8_t *data, size_t size)
{
    return size >= HEADERS_MAGIC_LEN &&
           memcmp(data, HEADERS_MAGIC, HEADERS_MAGIC_LEN) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTOFREE struct header *h = xcalloc(MAX, sizeof(*h));
    AUTOFREE struct header *again = xcalloc(MAX, sizeof(*again));
    CLEANUP_BUF struct buf compact = BUF(HEADERS_WIRE_BYTES_MAX);
    CLEANUP_BUF struct buf lines = BUF(HEADERS_WIRE_BYTES_MAX);
    struct err err = {0};
    struct headers_wire_batch batch = {.from = FROM, .room = h, .max = MAX};
    size_t n;

    if (headers_wire_decode(data, size, &batch, &err) != ERR_OK) {
        require(err.reason == REASON_PEER_BAD_ANSWER);
        return 0;
    }
    n = batch.count;
    require(n <= MAX);
    batch.room = again;
    check_chain(h, n);
    if (write_compact(h, n, &compact)) {
        require(!is_compact(data, size) ||
                (compact.len == size && memcmp(compact.data, data, size) == 0));
        require(headers_wire_decode(compact.data, compact.len, &batch, &err) == ERR_OK);
        require(batch.count == n && memcmp(h, again, n * sizeof(*h)) == 0);
    } else {
        require(!is_compact(data, size));
    }
    for (size_t i = 0; i < n; i++)
        headers_wire_line(&h[i], &lines);
    require(headers_wire_decode(lines.data ? lines.data : "", lines.len, &batch,
                                &err) == ERR_OK);
    require(batch.count == n && memcmp(h, again, n * sizeof(*h)) == 0);
    return 0;
}
