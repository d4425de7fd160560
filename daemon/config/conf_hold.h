#ifndef DAEMON_CONFIG_CONF_HOLD_H
#define DAEMON_CONFIG_CONF_HOLD_H

#include <stddef.h>

#include "daemon/config/config.h"

/* Memory that lives as long as the configuration; it is struct config's texts. */

/* Zeroed. */
void *conf_hold_alloc(struct config *c, size_t n, size_t size);
char *conf_hold_text(struct config *c, const char *text);
void conf_hold_free(struct config *c);

#endif
