#ifndef DAEMON_CONFIG_CONF_P2P_H
#define DAEMON_CONFIG_CONF_P2P_H

#include "daemon/config/conf_key.h"

/* What other peers are told and how they are told apart; see struct conf_key. */

enum errc conf_p2p_listen(CONF_SET_ARGS);
enum errc conf_p2p_asn_database(CONF_SET_ARGS);

/* ERR_INVALID when peers names a ws:// peer and p2p is off. */
enum errc conf_p2p_check(const struct config *c, struct err *err);

#endif
