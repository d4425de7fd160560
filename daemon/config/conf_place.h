#ifndef DAEMON_CONFIG_CONF_PLACE_H
#define DAEMON_CONFIG_CONF_PLACE_H

#include "daemon/config/conf_key.h"

/* Names of things: files, addresses, levels; see struct conf_key. */

enum errc conf_place_network(CONF_SET_ARGS);
enum errc conf_place_data_dir(CONF_SET_ARGS);
enum errc conf_place_log_level(CONF_SET_ARGS);
enum errc conf_place_log_format(CONF_SET_ARGS);
enum errc conf_place_rpc_listen(CONF_SET_ARGS);
enum errc conf_place_public_listen(CONF_SET_ARGS);
enum errc conf_place_public_url(CONF_SET_ARGS);
enum errc conf_place_checkpoint_url(CONF_SET_ARGS);
enum errc conf_place_file_key(CONF_SET_ARGS);

/* An address on loopback, "127.0.0.1:8645"; localhost becomes 127.0.0.1. */
enum { CONF_PLACE_LISTEN = 80 };
enum errc conf_place_listen(const char *text, char out[CONF_PLACE_LISTEN],
                            struct err *err);

/* Any numeric address, "0.0.0.0:8333", "[::]:8333". */
enum errc conf_place_listen_anywhere(const char *text, char out[CONF_PLACE_LISTEN],
                                     struct err *err);

/* The whole file as a text that the caller frees, at most CONF_TEXT_MAX bytes. */
enum errc conf_place_read(const char *path, char **text, size_t *len, struct err *err);

/* "error" .. "debug", in the order of enum log_level. */
extern const char *const conf_place_levels[4];

#endif
