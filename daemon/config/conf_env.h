#ifndef DAEMON_CONFIG_CONF_ENV_H
#define DAEMON_CONFIG_CONF_ENV_H

#include "daemon/config/config.h"

/*
 * The variables of XAI's operations guide, each under its own name and with the XAI_
 * prefix that stock nodes read.  An empty one counts as not given.  ERR_INVALID names
 * the variable.
 */
enum errc conf_env_set(struct config *c, const char *const *environment,
                       struct err *err);

#endif
