#ifndef DAEMON_CONFIG_CONF_TOKEN_H
#define DAEMON_CONFIG_CONF_TOKEN_H

#include "daemon/config/conf_key.h"

/* Who may call besides the holder of rpc.cookie; see struct conf_key. */

enum { CONF_TOKEN_NAME_MAX = 64 };

enum errc conf_token_list(CONF_SET_ARGS);

/* What may name a token: letters, digits, '.', '_', '-'.  The audit log calls the
   holder of rpc.cookie "cookie". */
bool conf_token_is_name(const char *text);

/* Before the 64 hex digits of the token's BLAKE2b-256. */
#define CONF_TOKEN_SCHEME "b2:"

#endif
