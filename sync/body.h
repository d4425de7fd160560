#ifndef SYNC_BODY_H
#define SYNC_BODY_H

#include "sync/core.h"

/*
 * A job whose checkpoint is a Cairn snapshot (docs/snapshot-format.md): its manifest is
 * judged like any candidate; then its body comes in pieces from every source that has
 * it, each frame verified by a worker and written where it belongs, so that the end of
 * the download is the end of verification.  job.body is NULL for other checkpoints.
 * Engine thread.
 */

/* The text begins as a manifest does, or as a pointer to the latest one. */
bool body_is_document(const char *head, size_t len);
/* The same of a file's beginning; a directory with a manifest in it is one too. */
bool body_is_path(const char *path);

/* An earlier run of the job read a manifest. */
bool body_was_begun(const struct engine *e);

/* The document at the job's URL; file: it is there already (and is removed), or NULL.
   End in bootstrap_metadata_known or bootstrap_source_failed. */
void body_open_url(struct engine *e, const char *file);
void body_open_path(struct engine *e);

/* The manifest's own path; NULL: it is from somewhere else. */
const char *body_path(const struct engine *e);

/* What the rules look at. */
void body_candidate(struct job *j);
/* Tells this body from any other, as hex; 64 digits. */
void body_digest_text(const struct body *b, char out[65]);
/* Free bytes that the body still needs. */
uint64_t body_bytes_needed(const struct engine *e);

/* The stage fetching: ends in bootstrap_body_here, or with the job. */
void body_fetch(struct engine *e);
void body_pump(struct engine *e);
/* What was verified, once body_fetch has ended well. */
void body_result(const struct body *b, struct payload_result *out);

/* The checkpoint was accepted: what was kept of it may be served. */
void body_accepted(struct body *b);
/* Its job ended otherwise: what was kept goes.  Not for one that is to be resumed. */
void body_discard(struct body *b);
void body_free(struct body *b);

/* --- body_json.c: for jobs.get and the provenance --- */
cJSON *body_sources_json(const struct body *b);
/* The copy that others read; ended: the last one. */
void body_publish(struct engine *e, bool ended);

#endif
