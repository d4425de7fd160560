#ifndef TESTS_UNIT_NODE_KIT_H
#define TESTS_UNIT_NODE_KIT_H

#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "base/chan.h"
#include "base/clock.h"
#include "base/mem.h"
#include "sync/p2p/p2p.h"
#include "tests/unit/lines.h"

/*
 * P2P nodes on loopback, with the first blocks of the test chain to serve, and what the
 * engine would hear of them.
 */
enum { KIT_BLOCKS = 12, KIT_WAIT_MS = 20000 };

struct kit_block {
    uint8_t hash[32];
    char *text; /* canonical */
};

struct kit {
    struct p2p *p;
    struct chan *done, *events;
    char dir[64];
    struct kit_block blocks[KIT_BLOCKS];
    atomic_size_t count; /* changed while a node asks */
    bool no_checkpoint;
    const char *url; /* of the payload */
    struct p2p_answers answers;
    struct p2p_config cfg;
};

static inline uint64_t kit_count(void *arg)
{
    const struct kit *k = arg;

    return k->count;
}

static inline bool kit_peers(void *arg, struct buf *out)
{
    (void)arg;
    buf_puts(out, "[\"http://192.0.2.1:12001\",\"ws://192.0.2.2:8765\"]");
    return true;
}

static inline bool kit_checkpoint(void *arg, struct buf *out)
{
    const struct kit *k = arg;
    char hex[65];

    if (k->no_checkpoint)
        return false;
    for (int i = 0; i < 32; i++)
        (void)snprintf(hex + 2 * i, 3, "%02x", k->blocks[5].hash[i]);
    buf_printf(out,
               "{\"block_hash\":\"%s\",\"height\":5,\"source\":\"local\","
               "\"timestamp\":1795332465.5}",
               hex);
    return true;
}

static inline bool kit_payload(void *arg, const uint64_t *height, size_t max,
                               struct buf *out)
{
    const struct kit *k = arg;

    (void)max;
    if (!k->url || (height && *height != 5))
        return false;
    buf_printf(out, "{\"url\":\"%s\"}", k->url);
    return true;
}

static inline bool kit_range(void *arg, uint64_t offset, uint64_t limit, size_t max,
                             struct buf *out)
{
    const struct kit *k = arg;
    uint64_t end = offset > k->count ? offset : offset + limit;

    (void)max;
    if (end > k->count)
        end = k->count > offset ? k->count : offset;
    buf_puts(out, "{\"chain\":[");
    for (uint64_t i = offset; i < end; i++)
        buf_printf(out, "%s%s", i > offset ? "," : "", k->blocks[i].text);
    buf_printf(
        out,
        "],\"difficulty\":4,\"pagination\":{\"count\":%llu,\"has_more\":%s,"
        "\"limit\":%llu,\"next_offset\":%s,\"offset\":%llu,\"total_blocks\":%zu},"
        "\"stats\":{}}",
        (unsigned long long)(end - offset), end < k->count ? "true" : "false",
        (unsigned long long)limit, "null", (unsigned long long)offset, k->count);
    return true;
}

static inline bool kit_block(void *arg, const uint8_t hash[32], size_t max,
                             struct buf *out)
{
    const struct kit *k = arg;

    for (size_t i = 0; i < k->count; i++)
        if (memcmp(k->blocks[i].hash, hash, 32) == 0) {
            ck_assert_uint_le(strlen(k->blocks[i].text), max);
            buf_puts(out, k->blocks[i].text);
            return true;
        }
    return false;
}

static inline bool kit_chunk(void *arg, const char *snapshot_id, uint64_t index,
                             size_t max, struct buf *out)
{
    (void)arg;
    (void)max;
    if (strcmp(snapshot_id, "height_5_00000f06") != 0 || index != 0)
        return false;
    buf_puts(out, "{\"chunk_index\":0}");
    return true;
}

static inline void kit_done(void *arg, struct p2p_request *r)
{
    struct kit *k = arg;

    ck_assert(chan_send(k->done, r));
}

static inline void kit_event(void *arg, struct p2p_event *ev)
{
    struct kit *k = arg;

    ck_assert(chan_send(k->events, ev));
}

static inline void kit_load_blocks(struct kit *k)
{
    struct lines l = lines_open("chain/blocks.jsonl");

    while (k->count < KIT_BLOCKS && lines_next(&l)) {
        struct buf text = BUF(1U << 20);

        hash_of(l.v, "hash", k->blocks[k->count].hash);
        json_write(l.v, JSON_CANON, &text);
        k->blocks[k->count++].text = buf_take(&text);
    }
    json_free(l.doc);
    free(l.text);
    (void)fclose(l.file);
}

/* Not started yet: the test may change cfg. */
static inline void kit_init(struct kit *k)
{
    *k = (struct kit){.url = "https://example.org/payload.json"};
    (void)snprintf(k->dir, sizeof(k->dir), "/tmp/check_p2p.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(k->dir));
    kit_load_blocks(k);
    k->done = chan_create(P2P_REQUESTS_MAX);
    k->events = chan_create(2 * P2P_EVENTS_MAX);
    k->answers = (struct p2p_answers){k,           kit_count, kit_peers, kit_checkpoint,
                                      kit_payload, kit_range, kit_block, kit_chunk};
    k->cfg = (struct p2p_config){
        .listen = "127.0.0.1:0",
        .data_dir = k->dir,
        .testnet = true,
        .max_inbound = 100,
        .max_inbound_per_ip = 50,
        .max_inbound_per_group = 50,
        .times = P2P_TIMES,
        .answers = &k->answers,
        .done = kit_done,
        .event = kit_event,
        .arg = k,
    };
}

static inline void kit_start(struct kit *k)
{
    ASSERT_OK(p2p_start(&k->cfg, &k->p, &test_err));
}

static inline void kit_remove(const struct kit *k, const char *name)
{
    char path[128];

    (void)snprintf(path, sizeof(path), "%s/%s", k->dir, name);
    (void)unlink(path);
}

/* What is still in the channels is thrown away. */
static inline void kit_stop(struct kit *k)
{
    struct p2p_event *ev;
    struct p2p_request *r;

    p2p_stop(k->p);
    chan_close(k->events);
    while ((ev = chan_recv(k->events)))
        p2p_event_free(NULL, ev);
    chan_close(k->done);
    while ((r = chan_recv(k->done)))
        p2p_request_free(r);
    chan_free(k->events);
    chan_free(k->done);
    for (size_t i = 0; i < KIT_BLOCKS; i++)
        free(k->blocks[i].text);
    kit_remove(k, "p2p.key");
    kit_remove(k, "p2p.cert");
    kit_remove(k, "p2p.certkey");
    ck_assert_int_eq(rmdir(k->dir), 0);
}

/* The next event; NULL when none comes within ms. */
static inline struct p2p_event *kit_next_event(struct kit *k, int64_t ms)
{
    return chan_recv_for(k->events, ms);
}

/* Waits for one of a kind, past all others. */
static inline struct p2p_event kit_expect(struct kit *k, enum p2p_event_kind kind)
{
    for (;;) {
        struct p2p_event *ev = kit_next_event(k, KIT_WAIT_MS), copy;

        ck_assert_msg(ev != NULL, "no event of kind %d", (int)kind);
        copy = *ev;
        p2p_event_free(k->p, ev);
        if (copy.kind == kind)
            return copy;
    }
}

static inline struct p2p_request *kit_ask(struct kit *k, struct p2p_request *r)
{
    struct p2p_request *back;

    if (r->timeout_ms == 0)
        r->timeout_ms = KIT_WAIT_MS;
    p2p_submit(k->p, r);
    back = chan_recv_for(k->done, 2 * KIT_WAIT_MS);
    ck_assert_ptr_eq(back, r);
    return r;
}

static inline struct p2p_request *kit_request(enum p2p_ask ask, uint64_t conn)
{
    struct p2p_request *r = p2p_request_new(ask);

    r->conn = conn;
    return r;
}

static inline struct p2p_request *kit_try_dial(struct kit *k, const char *url,
                                               bool hostile)
{
    struct p2p_request *r = p2p_request_new(P2P_DIAL);

    (void)snprintf(r->url, sizeof(r->url), "%s", url);
    r->hostile = hostile;
    return kit_ask(k, r);
}

static inline void kit_url(const struct kit *k, bool tls, char out[P2P_URL_MAX])
{
    (void)snprintf(out, P2P_URL_MAX, "%s://%s", tls ? "wss" : "ws", p2p_address(k->p));
}

/* k connects to other; the connection's id. */
static inline uint64_t kit_dial(struct kit *k, const struct kit *other)
{
    struct p2p_request *r;
    char url[P2P_URL_MAX];
    uint64_t conn;

    kit_url(other, !other->cfg.testnet, url);
    r = kit_try_dial(k, url, false);
    ck_assert_msg(r->err.code == ERR_OK, "%s", r->err.msg);
    conn = r->conn;
    p2p_request_free(r);
    return conn;
}

#endif
