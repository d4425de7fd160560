#ifndef STORE_COINPARTS_H
#define STORE_COINPARTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "store/chunktable.h"
#include "store/coinfile.h"
#include "store/coinpart.h"

/*
 * The index of a coin file whose chunks come in any order: what each chunk gives to it
 * waits in a file of fixed slots (1.1 % of the coins), so memory does not grow with
 * them and a killed download goes on.  A slot is sound when its own hash and the hash
 * of the table's chunk are in it; it says that the chunk was checked, not that the
 * chunk itself reached the disk.
 */
struct coinparts;

/* Creates the file or goes on with one; t is borrowed. */
enum errc coinparts_open(const char *path, const struct chunktable *t,
                         struct coinparts **out, struct err *err);
void coinparts_free(struct coinparts *p); /* the file stays */
DEFINE_CLEANUP(struct coinparts, coinparts_free)

/* Any thread, also at once for different chunks.  part is of chunk i of the table. */
enum errc coinparts_put(const struct coinparts *p, uint32_t i,
                        const struct coinpart *part, struct err *err);
/* A sound slot is there.  Any thread. */
bool coinparts_has(const struct coinparts *p, uint32_t i);
enum errc coinparts_sync(const struct coinparts *p, struct err *err);

/*
 * All slots are there: writes the index, byte for byte the one of a pass over the
 * coins, and syncs it; total is what the manifest says.  STORAGE_CORRUPT: a slot is
 * missing or unsound.  PAYLOAD_MALFORMED: the amounts have another sum, or a chunk ends
 * where the chunk rule does not end it; no source can help.
 */
enum errc coinparts_finish(const struct coinparts *p, const struct coinfile_id *id,
                           u128 total, const char *idx_path, struct err *err);

#endif
