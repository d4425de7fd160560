#ifndef SYNC_TRUST_TRUST_STATEMENT_TEXT_H
#define SYNC_TRUST_TRUST_STATEMENT_TEXT_H

#include "sync/trust/trust_statement.h"

/* Private to trust_statement*.c: the canonical text, with or without signatures. */
void trust_statement_text_body(const struct trust_statement *s, bool with_signatures,
                               struct buf *out);

#endif
