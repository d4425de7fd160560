#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/hex.h"
#include "rpc/etag.h"
#include "rpc/public_number.h"
#include "rpc/public_paths.h"
#include "sync/serve/serve_chain.h"
#include "sync/serve/serve_stock.h"

enum { PAGE_DEFAULT = 10, PAGE_MAX = 200, PEERS_TEXT_MAX = 64 << 10 };

static struct serve_node node_of(const struct public_site *site)
{
    CLEANUP_BUF struct buf list = BUF(PEERS_TEXT_MAX);
    struct engine_status status;

    engine_status(site->engine, &status);
    return (struct serve_node){
        .peers = engine_peers_told(site->engine, &list).answering,
        .started_ms = status.started_ms,
        .now_ms = clock_now_ms(),
        .ready = status.ready,
    };
}

PUBLIC_HANDLER(public_stock_stats)
{
    CLEANUP(reader_release) struct reader *reader = NULL;
    const struct serve_node node = node_of(site);
    struct err err;

    (void)ask;
    (void)rest;
    if (reads_chain(site->reads, &reader, &err) != ERR_OK ||
        serve_stock_stats(reader, &node, &say->body, &err) != ERR_OK)
        public_call_fail(say, &err);
}

PUBLIC_HANDLER(public_stock_health)
{
    CLEANUP(reader_release) struct reader *reader = NULL;
    const struct serve_node node = node_of(site);
    bool healthy;
    struct err err;

    (void)ask;
    (void)rest;
    if ((reads_chain(site->reads, &reader, &err) != ERR_OK &&
         err.code != ERR_CONFLICT) ||
        serve_stock_health(reader, &node, &healthy, &say->body, &err) != ERR_OK)
        public_call_fail(say, &err);
    else
        say->status = healthy ? 200 : 503;
}

PUBLIC_HANDLER(public_stock_peers)
{
    CLEANUP_BUF struct buf list = BUF(PEERS_TEXT_MAX);
    const size_t count = engine_peers_told(site->engine, &list).told;

    (void)ask;
    (void)rest;
    serve_stock_peers(count, &list, &say->body);
}

static void say_bad_page(struct public_say *say, const char *what)
{
    say->status = 400;
    buf_printf(&say->body,
               "{\"code\":\"invalid_pagination\",\"error\":\"%s\",\"success\":false}\n",
               what);
}

PUBLIC_HANDLER(public_stock_page)
{
    CLEANUP(reader_release) struct reader *reader = NULL;
    int64_t limit = PAGE_DEFAULT, offset = 0;
    struct err err;

    (void)rest;
    /* what is no integer counts as not given */
    (void)public_number_int(ask->value(ask->arg, "limit"), &limit);
    (void)public_number_int(ask->value(ask->arg, "offset"), &offset);
    if (limit <= 0)
        say_bad_page(say, "limit must be greater than zero");
    else if (limit > PAGE_MAX)
        say_bad_page(say, "limit cannot exceed 200");
    else if (offset < 0)
        say_bad_page(say, "offset cannot be negative");
    else if (reads_chain(site->reads, &reader, &err) != ERR_OK ||
             serve_stock_page(reader, (uint64_t)limit, (uint64_t)offset, &say->body,
                              &err) != ERR_OK)
        public_call_fail(say, &err);
}

PUBLIC_HANDLER(public_stock_latest)
{
    CLEANUP(reader_release) struct reader *reader = NULL;
    const char *summary = ask->value(ask->arg, "summary");
    struct err err;

    (void)rest;
    if (reads_chain(site->reads, &reader, &err) != ERR_OK ||
        serve_stock_latest(reader, summary && strcmp(summary, "1") == 0, &say->body,
                           &err) != ERR_OK)
        public_call_fail(say, &err);
}

/* With its hash as the tag, as stock has it; no body for who knows it. */
static void say_block(const struct public_ask *ask, struct reader *reader,
                      const uint8_t hash[32], struct public_say *say)
{
    char hex[65];
    struct err err;

    hex_encode(hash, 32, hex);
    (void)snprintf(say->etag, sizeof(say->etag), "\"%s\"", hex);
    if (etag_matches(ask->known, say->etag)) {
        say->status = 304;
        return;
    }
    if (serve_chain_block(reader, hash, &say->body, &err) != ERR_OK)
        public_call_fail(say, &err);
    else
        buf_puts(&say->body, "\n");
}

static void say_no_block(struct public_say *say)
{
    public_call_error(say, 404, "Block not found");
}

PUBLIC_HANDLER(public_stock_block_at)
{
    CLEANUP(reader_release) struct reader *reader = NULL;
    uint8_t hash[32];
    int64_t height;
    bool found;
    struct err err;

    if (!public_number_int(rest, &height)) {
        public_call_error(say, 400, "Block index must be integer");
        return;
    }
    if (height < 0) {
        say_no_block(say);
        return;
    }
    if (reads_chain(site->reads, &reader, &err) != ERR_OK ||
        serve_chain_hash_at(reader, (uint64_t)height, &found, hash, &err) != ERR_OK)
        public_call_fail(say, &err);
    else if (found)
        say_block(ask, reader, hash, say);
    else
        say_no_block(say);
}

/* Any case, with or without 0x. */
static bool read_hash(const char *text, uint8_t hash[32])
{
    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
        text += 2;
    return strlen(text) == 64 && hex_decode(text, 32, false, hash);
}

PUBLIC_HANDLER(public_stock_block)
{
    CLEANUP(reader_release) struct reader *reader = NULL;
    uint8_t hash[32];
    bool found;
    struct err err;

    if (!read_hash(rest, hash)) {
        public_call_error(say, 400, "Invalid block hash");
        return;
    }
    if (reads_chain(site->reads, &reader, &err) != ERR_OK ||
        serve_chain_has(reader, hash, &found, &err) != ERR_OK) {
        public_call_fail(say, &err);
    } else if (found) {
        say->lasting = true;
        say_block(ask, reader, hash, say);
    } else {
        say_no_block(say);
    }
}
