#ifndef BASE_INFLATE_H
#define BASE_INFLATE_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"

/* One zlib stream (RFC 1950) taken apart as it comes, in constant memory.  Hostile
   input: what comes out is bounded by max.  One thread. */
struct inflater;

struct inflater_sink {
    enum errc (*put)(void *arg, const void *bytes, size_t len, struct err *err);
    void *arg;
};

struct inflater *inflater_create(uint64_t max, const struct inflater_sink *sink);
void inflater_free(struct inflater *i);
DEFINE_CLEANUP(struct inflater, inflater_free)

/* PAYLOAD_MALFORMED: damaged, or bytes after its end; PAYLOAD_TOO_LARGE over max. */
enum errc inflater_put(struct inflater *i, const void *bytes, size_t len,
                       struct err *err);
/* PAYLOAD_MALFORMED when the stream is not at its end. */
enum errc inflater_finish(const struct inflater *i, struct err *err);

#endif
