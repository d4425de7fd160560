#ifndef DAEMON_CONFIG_CONF_LIST_H
#define DAEMON_CONFIG_CONF_LIST_H

#include "daemon/config/conf_key.h"

/* Lists of texts; see struct conf_key, whose max is the most members. */

enum errc conf_list_peers(CONF_SET_ARGS);
enum errc conf_list_networks(CONF_SET_ARGS);
enum errc conf_list_paths(CONF_SET_ARGS);
enum errc conf_list_seeds(CONF_SET_ARGS);
enum errc conf_list_mirrors(CONF_SET_ARGS);

/* ERR_INVALID unless it is a list of at most max members, or nothing. */
enum errc conf_list_check(const struct conf_node *n, uint64_t max, struct err *err);

#endif
