#ifndef DAEMON_CONFIG_CONF_PUBLISH_H
#define DAEMON_CONFIG_CONF_PUBLISH_H

#include "daemon/config/conf_key.h"

/* The object store that snapshots are published to; see struct conf_key. */

enum errc conf_publish_text(CONF_SET_ARGS); /* offset: of a const char * */

/* ERR_INVALID unless all of it together names a place, or nothing of it is set. */
enum errc conf_publish_check(const struct config *c, struct err *err);

#endif
