#ifndef DAEMON_CONFIG_CONF_TRUST_H
#define DAEMON_CONFIG_CONF_TRUST_H

#include "daemon/config/conf_key.h"

/* The parts of the trust policy that are more than a number; see struct conf_key. */

enum {
    CONF_TRUST_WINDOW_MIN = 145, /* what difficulty needs */
    CONF_TRUST_WINDOW_MAX = 100000000,
};
#define CONF_TRUST_HEIGHT_MAX ((UINT64_C(1) << 53) - 1) /* JSON numbers are doubles */

enum errc conf_trust_pubkeys(CONF_SET_ARGS);
enum errc conf_trust_attesters(CONF_SET_ARGS);
enum errc conf_trust_header_proof(CONF_SET_ARGS);
enum errc conf_trust_compare_coins(CONF_SET_ARGS);
enum errc conf_trust_min_work(CONF_SET_ARGS);
enum errc conf_trust_roots(CONF_SET_ARGS);

#endif
