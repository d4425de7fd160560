#ifndef RPC_AUTH_H
#define RPC_AUTH_H

#include <stdbool.h>

#include "base/cleanup.h"
#include "base/err.h"

/*
 * The token of this run: 256 random bits with the admin role, in DATA_DIR/rpc.cookie
 * (mode 0600) for whoever may read that file.  After auth_create any thread may check.
 */
struct auth;

/* Makes a token and replaces the cookie. */
enum errc auth_create(const char *data_dir, struct auth **out, struct err *err);
void auth_free(struct auth *auth); /* removes the cookie; NULL: no-op */
DEFINE_CLEANUP(struct auth, auth_free)

/* Whether an Authorization header (NULL: there is none) carries the token.  Takes the
   same time for every wrong token. */
bool auth_check(const struct auth *auth, const char *header);

#endif
