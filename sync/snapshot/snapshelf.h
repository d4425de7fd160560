#ifndef SYNC_SNAPSHOT_SNAPSHELF_H
#define SYNC_SNAPSHOT_SNAPSHELF_H

#include "sync/snapshot/manifest.h"

/*
 * The snapshots a node has: the directories in <data_dir>/snapshots that are named by
 * an id and have a manifest.  There is no list of them elsewhere: a directory gets that
 * name when all of it is durable, loses its manifest before its other files, and is
 * withdrawn by a small file in it, so that no crash leaves two places that disagree.
 * One that was withdrawn keeps its manifest, to be named, and nothing else.  Reading:
 * any thread; changing: the engine's.
 */
#define SNAPSHELF_DIR "snapshots" /* in the data directory */

enum { SNAPSHELF_MAX = 256, SNAPSHELF_REASON_MAX = 200 };

struct snapshelf_item {
    char id[MANIFEST_ID];
    struct manifest *manifest;
    int64_t made_ms;
    bool withdrawn;
    int64_t withdrawn_ms;
    char reason[SNAPSHELF_REASON_MAX + 1]; /* of the withdrawal */
};
void snapshelf_item_fini(struct snapshelf_item *item);

struct snapshelf {
    struct snapshelf_item *items; /* by height, highest first */
    size_t count;
};

/* What is there, at most SNAPSHELF_MAX; a directory whose manifest cannot be read is
   none.  Nothing, when the directory is not there. */
enum errc snapshelf_read(const char *data_dir, struct snapshelf *out, struct err *err);
void snapshelf_fini(struct snapshelf *s);

/* NOT_FOUND, also when id is no id; else as manifest_read. */
enum errc snapshelf_get(const char *data_dir, const char *id,
                        struct snapshelf_item *out, struct err *err);
char *snapshelf_path(const char *data_dir, const char *id); /* the caller's to free */

enum snapshelf_place { SNAPSHELF_NONE, SNAPSHELF_HERE, SNAPSHELF_WITHDRAWN };
/* Without reading the manifest. */
enum snapshelf_place snapshelf_place(const char *data_dir, const char *id);

/* Makes the directory; what a crash or an end left in it goes, as far as that can be.
 */
enum errc snapshelf_sweep(const char *data_dir, struct err *err);
/* Durable when it returns; the body goes after it.  Again: what was there stays. */
enum errc snapshelf_withdraw(const char *data_dir, const char *id, const char *reason,
                             int64_t now_ms, struct err *err);
enum errc snapshelf_remove(const char *data_dir, const char *id, struct err *err);

#endif
