#ifndef RPC_AUTH_H
#define RPC_AUTH_H

#include <stdbool.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "rpc/rpc.h"

/*
 * Who calls: the cookie, 256 random bits with the admin role in DATA_DIR/rpc.cookie
 * (mode 0600) for whoever may read that file, new at every start; and the configured
 * tokens with their roles.  Of a token only its hash is kept.  After auth_create any
 * thread may check.
 */
struct auth;

struct auth_caller {
    enum rpc_role role;
    const char *name; /* the token's, "cookie" for the cookie; the config's or static */
};

/* Makes a token and replaces the cookie.  tokens are borrowed.  INVALID: too many. */
enum errc auth_create(const char *data_dir, const struct rpc_token *tokens,
                      size_t count, struct auth **out, struct err *err);
void auth_free(struct auth *auth); /* removes the cookie; NULL: no-op */
DEFINE_CLEANUP(struct auth, auth_free)

/* Whose token an Authorization header (NULL: there is none) carries; false: nobody's.
   Compares with every token, whichever fits. */
bool auth_check(const struct auth *auth, const char *header, struct auth_caller *out);

#endif
