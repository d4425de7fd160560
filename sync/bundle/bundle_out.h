#ifndef SYNC_BUNDLE_BUNDLE_OUT_H
#define SYNC_BUNDLE_BUNDLE_OUT_H

#include "sync/bundle/bundle_body.h"

/* A directory that a bundle is unpacked to: <dir>.incomplete until all of it is
   durable.  Private to the room. */
struct bundle_out;

/* ERR_CONFLICT: dir is there. */
enum errc bundle_out_create(const char *dir, const struct manifest *m,
                            struct bundle_out **out, struct err *err);
void bundle_out_free(struct bundle_out *o); /* unfinished: removes what it wrote */
DEFINE_CLEANUP(struct bundle_out, bundle_out_free)

/* A batch, with its length before it, as it stands in the bundle. */
enum errc bundle_out_headers(struct bundle_out *o, const uint8_t *bytes, size_t len,
                             struct err *err);
const struct bundle_place *bundle_out_place(const struct bundle_out *o);
enum errc bundle_out_finish(struct bundle_out *o, struct err *err);

#endif
