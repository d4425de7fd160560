#ifndef SYNC_INTAKE_H
#define SYNC_INTAKE_H

#include "sync/core.h"

/*
 * Where a checkpoint comes from: an http(s) URL, a file under an allowed directory, the
 * text of a call, or the built-in genesis.  Whatever it is, its body ends up in
 * incoming/<job>/payload.json, complete, before it is read as a state.
 */
enum intake_kind intake_kind(const char *name);

/* A file beside the payload: payload.part grows, payload.json is complete. */
void intake_sibling(const struct engine *e, const char *name, char out[PATH_TEXT]);

/* The metadata of the payload that is at payload_path, in any of its shapes; ends as
   intake_metadata. */
void intake_read_metadata(struct engine *e);

/* The whole body of the job's URL; then next(e), or bootstrap_source_failed. */
void intake_download(struct engine *e, void (*next)(struct engine *e));

/* The operator's allowance: under one of transfer.allow_paths, by its real path. */
enum errc intake_check_path(const struct engine *e, const char *path, struct err *err);

/* What is at whole may be a stock node's checkpoint file: then part, a payload made of
   it, takes its place.  For a worker. */
enum errc intake_reshape(const char *whole, const char *part,
                         const struct engine_config *cfg, const atomic_bool *cancel,
                         struct err *err);

/* A regular file of at most that many bytes into another, which is durable then; the
   same from a worker.  cancel ends it. */
enum errc intake_copy(const char *from, const char *to, uint64_t max_bytes,
                      const atomic_bool *cancel, struct err *err);

/* The text of a call into the job's payload file, durable. */
enum errc intake_write(struct engine *e, const char *text, struct err *err);

/* Reads the metadata, without the body where the source allows that; ends in
   bootstrap_metadata_known or bootstrap_source_failed. */
void intake_metadata(struct engine *e);

/* Gets the whole body to payload_path; ends in bootstrap_body_here or
   bootstrap_source_failed. */
void intake_body(struct engine *e);

#endif
