#ifndef SYNC_BUNDLE_BUNDLE_HEADERS_H
#define SYNC_BUNDLE_BUNDLE_HEADERS_H

#include "sync/bundle/bundle.h"

/* The headers that an unpacked bundle left in its directory, read in order. */
struct bundle_headers;

enum errc bundle_headers_open(const char *dir, struct bundle_headers **out,
                              struct err *err);
void bundle_headers_close(struct bundle_headers *h); /* NULL: no-op */
DEFINE_CLEANUP(struct bundle_headers, bundle_headers_close)

/* The next batch: as headers of struct bundle_source, whose arg this is.  Nothing of
   them is checked but that they stand on one another. */
enum errc bundle_headers_next(void *headers, uint64_t from, size_t count,
                              struct header *room, struct err *err);

#endif
