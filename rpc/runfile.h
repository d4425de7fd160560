#ifndef RPC_RUNFILE_H
#define RPC_RUNFILE_H

#include "base/err.h"

/*
 * Small files of the data directory that hold while the daemon runs: the token, the
 * address.  For its owner alone, replaced in one step: nobody reads half of one.
 */
enum errc runfile_write(const char *path, const char *line, struct err *err);

#endif
