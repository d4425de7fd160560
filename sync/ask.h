#ifndef SYNC_ASK_H
#define SYNC_ASK_H

#include "sync/core.h"

/*
 * A question to a peer, whatever it speaks: HTTP through the transfer thread, or P2P
 * over the connection that links.c keeps.  The answer comes to the fetch's done() in
 * one shape, that of HTTP: 200 with the body, 404 for what it has not.
 */

/* Neither banned nor backing off, and connected where that is needed. */
bool ask_can(const struct peer *p, int64_t mono_ms, int64_t now_ms);

/* False: too much is out already, and done() is not called.  f is copied. */
bool ask_tip(struct engine *e, const struct fetch *f);
bool ask_block(struct engine *e, uint64_t height, uint32_t timeout_ms,
               const struct fetch *f);

/* Over P2P alone; r is taken over, the answer comes to f->told. */
bool ask_p2p(struct engine *e, struct p2p_request *r, const struct fetch *f);

/* An answer has come back from the P2P thread; r is freed. */
void ask_answered(struct engine *e, struct p2p_request *r);

#endif
