#ifndef SYNC_CHUNKS_H
#define SYNC_CHUNKS_H

#include "sync/core.h"
#include "sync/snapshot/chunked.h"

/*
 * A job's body out of a stock node's chunked snapshot over HTTP (protocol.md 8.2,
 * 10.5): its description, then the chunks from the source and from every HTTP peer that
 * describes the same ones, each held against the checksum that came with it and written
 * at its place in payload.part; what is there survives a restart (payload.chunks).
 * Nothing proves a chunk until all are there and state_hash is made, so that when the
 * whole is wrong nobody can say whose chunk it was.
 */
enum { CHUNKS_SOURCES_MAX = 16 };

struct chunks_source {
    char base[URL_MAX]; /* "http://host:port/sync/snapshot/<id>" */
    struct peer *peer;  /* held; NULL: the job's own source */
    bool off;           /* asked no more */
    unsigned out, failures, given;
    int64_t again_mono_ms;
};

struct chunks {
    struct chunked_meta meta;
    struct chunks_source sources[CHUNKS_SOURCES_MAX];
    size_t source_count;
    uint8_t *state;        /* of each chunk: enum chunk_state */
    uint32_t have, lowest; /* chunks below lowest are there */
    uint64_t bytes;
    bool ends;  /* its first and last chunks alone are wanted for now */
    bool ready; /* what an earlier run left was looked at */
    bool ending;
    struct err last; /* why a source was given up */
};

enum chunk_state { CHUNK_MISSING, CHUNK_ASKED, CHUNK_HERE };

/* "http://host/sync/snapshot/latest", or an id instead of latest. */
bool chunks_is_url(const char *url);

/* The description, and the ends for the metadata in them; then, as intake_metadata. */
void chunks_open(struct engine *e);
/* All of it; then, as intake_body. */
void chunks_fetch(struct engine *e);
void chunks_pump(struct engine *e);
void chunks_free(struct chunks *c);
/* The whole was not what it should be.  Its only source lied; of several, each is asked
   less, and detail says that nobody knows whose fault it was. */
void chunks_blame(struct engine *e, enum reason why, char detail[TRUST_TEXT]);

/* --- chunks_get.c --- */
void chunks_add_source(struct engine *e, const char *base, struct peer *peer);
void chunks_ask(struct engine *e);
bool chunks_wants(const struct chunks *c, uint32_t i); /* for the present stage */

/* --- chunks_disk.c: through workers --- */
/* What an earlier run left in payload.part; then done(e). */
void chunks_resume(struct engine *e, void (*done)(struct engine *e));
/* Checks and writes a chunk; r's body is taken.  Then chunks_written. */
void chunks_write(struct engine *e, uint32_t i, size_t source,
                  struct transfer_request *r);
void chunks_written(struct engine *e, uint32_t i, size_t source, const struct err *err);
/* payload.part, synced, becomes the payload; then done(e), or
   bootstrap_source_failed. */
void chunks_finish(struct engine *e, void (*done)(struct engine *e));
/* Bytes of the first or the last chunks, into head or tail of the job. */
enum errc chunks_read(struct engine *e, uint32_t from, uint32_t to, char **text,
                      size_t *len, struct err *err);

#endif
