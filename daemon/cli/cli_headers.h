#ifndef DAEMON_CLI_CLI_HEADERS_H
#define DAEMON_CLI_CLI_HEADERS_H

#include "base/cleanup.h"
#include "base/err.h"
#include "sync/chain/header.h"

/* Where the headers of a bundle come from: two of what struct bundle_source wants. */

/* The live chain in a data directory, read beside a daemon that runs or does not. */
struct cli_headers_dir;
enum errc cli_headers_dir_open(const char *data_dir, struct cli_headers_dir **out,
                               struct err *err);
void cli_headers_dir_close(struct cli_headers_dir *d); /* NULL: no-op */
DEFINE_CLEANUP(struct cli_headers_dir, cli_headers_dir_close)
enum errc cli_headers_dir_get(void *dir, uint64_t from, size_t count,
                              struct header *room, struct err *err);

/* A Cairn's public plane: docs/peer-protocol.md. */
struct cli_headers_url;
struct cli_headers_url *cli_headers_url_create(const char *base);
void cli_headers_url_free(struct cli_headers_url *u); /* NULL: no-op */
DEFINE_CLEANUP(struct cli_headers_url, cli_headers_url_free)
enum errc cli_headers_url_get(void *url, uint64_t from, size_t count,
                              struct header *room, struct err *err);

#endif
