#ifndef SYNC_PUBLISH_PUBLISH_H
#define SYNC_PUBLISH_PUBLISH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "sync/publish/s3keys.h"
#include "sync/publish/s3target.h"
#include "sync/snapshot/manifest.h"

/*
 * A snapshot's directory put on an object store, so that who follows its latest.json
 * never sees half of one: chunk table and frames, the manifest, then latest.json
 * (docs/publishing.md).  A thread that may wait; what is borrowed outlives the call.
 *
 * The names are immutable.  An object that is there already is left as it is when size
 * and hash are ours, and is STORE_EXISTS otherwise.  The manifest alone grows: it gets
 * the signatures of both.  A run that was killed goes on with the parts that the store
 * has; what it needs for that is a file in the directory.
 */
enum publish_stage {
    PUBLISH_CHECKING, /* the directory, every byte of it */
    PUBLISH_SENDING,
    PUBLISH_NAMING, /* manifest.json and latest.json */
};

struct publish_progress {
    enum publish_stage stage;
    const char *object;       /* its name in the directory */
    uint64_t bytes, of_bytes; /* of this stage; what the store had counts */
    const struct err *why;    /* a request is tried again for this; NULL: none is */
    uint32_t wait_ms;         /* after so long */
};

struct publish_store {
    const struct s3target *target;
    const struct s3keys *keys;
    uint32_t stall_seconds; /* a request that moves nothing for so long is given up */
    const atomic_bool *cancel; /* NULL: never */
};

struct publish_order {
    struct publish_store store;
    const char *dir;
    bool may_go_back; /* latest.json, to a lower height */
    void (*progress)(void *arg, const struct publish_progress *p); /* NULL */
    void *arg;
};

struct publish_result {
    char id[MANIFEST_ID];
    uint64_t sent_bytes, kept_bytes; /* kept: the store had them */
    bool is_latest; /* latest.json names it; else one of that height or above */
};

enum errc publish_run(const struct publish_order *o, struct publish_result *out,
                      struct err *err);

/*
 * A published snapshot is withdrawn: document (JSON) becomes its withdrawn.json, after
 * which nobody publishes it there again, and latest.json, if it names it, names the
 * first of others (NULL-ended) that is there and was not withdrawn, or goes.  The files
 * stay, for who is reading them.  May be done again.
 */
enum errc publish_withdraw(const struct publish_store *store, const char *id,
                           const char *document, const char *const *others,
                           struct err *err);

/*
 * What others find there: latest.json, the manifest it names, the table when it is not
 * over PUBLISH_TABLE_MAX, one frame of those that it proves, and else their sizes.
 * PUBLISHED_BROKEN says what is wrong; errors of the store as they are.  NOT_FOUND:
 * nothing is published.  *out: the manifest, the caller's, for who knows chain and
 * keys.
 */
enum { PUBLISH_TABLE_MAX = 16 << 20 };
enum errc publish_watch(const struct publish_store *store, struct manifest **out,
                        struct err *err);

const char *publish_stage_name(enum publish_stage stage);

#endif
