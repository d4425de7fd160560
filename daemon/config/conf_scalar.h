#ifndef DAEMON_CONFIG_CONF_SCALAR_H
#define DAEMON_CONFIG_CONF_SCALAR_H

#include <stdbool.h>

#include "daemon/config/conf_key.h"

/* Numbers, switches, and keys of later versions; see struct conf_key. */

enum errc conf_scalar_unsigned(CONF_SET_ARGS); /* into an unsigned */
enum errc conf_scalar_u64(CONF_SET_ARGS);      /* into a uint64_t */
enum errc conf_scalar_size(CONF_SET_ARGS);     /* as u64; "10MiB" */
enum errc conf_scalar_bool(CONF_SET_ARGS);     /* into a bool */
enum errc conf_scalar_off(CONF_SET_ARGS); /* only the value that asks for nothing */

/* A plain whole number; false if it is none, or over 2^63 - 1. */
bool conf_scalar_number(const struct conf_node *n, uint64_t *out);

#endif
