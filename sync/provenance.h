#ifndef SYNC_PROVENANCE_H
#define SYNC_PROVENANCE_H

#include "sync/core.h"

/* Why a checkpoint was believed, as the document that is kept for good: the job is at
   its end and everything is still in hand.  The caller frees the text. */
char *provenance_text(struct engine *e, const struct trust_verdict *v);

#endif
