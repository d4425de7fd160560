#ifndef SYNC_ANSWERS_H
#define SYNC_ANSWERS_H

#include "base/cleanup.h"
#include "sync/p2p/p2p.h"

struct engine;

/*
 * What others ask of us over P2P, answered on the P2P thread from read-only connections
 * and the published status, in stock's shapes (protocol.md 9.4).  Where we have no body
 * (below the checkpoint) there is an empty list, never silence: an honest asker should
 * not have to wait to learn it.
 */
struct answers;

/* public_url: of our public plane, "" when there is none. */
struct answers *answers_create(struct engine *engine, const char *data_dir,
                               const char *public_url);
void answers_free(struct answers *a); /* NULL: no-op */
DEFINE_CLEANUP(struct answers, answers_free)
const struct p2p_answers *answers_table(const struct answers *a);

#endif
