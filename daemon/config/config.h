#ifndef DAEMON_CONFIG_CONFIG_H
#define DAEMON_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "rpc/public.h"
#include "rpc/rpc.h"
#include "sync/engine.h"

/*
 * The configuration: one YAML file (control-plane.md), every key known, typed and in
 * range, the environment put over it, defaults filled in.  Immutable after config_load;
 * owns every text and the structs it fills for the engine and the two servers.
 */
struct config {
    enum log_level log_level;
    char *data_dir;
    struct chain_params params;
    struct engine_config engine;
    struct rpc_config rpc;
    struct public_config public;
    const char **origins; /* private: of each key, where its value is from */
    void *texts;          /* private: what the pointers above point into */
};

struct config_flags { /* command line; NULL: not given; they win over all else */
    const char *file, *data_dir, *rpc_listen, *log_level;
    /* NULL-ended "NAME=value", such as environ; wins over the file; NULL: not looked at
     */
    const char *const *environment;
};

/* ERR_INVALID: "cairn.yaml:12: checkpoint.qourum: unknown key; did you mean quorum?" */
enum errc config_load(const struct config_flags *flags, struct config **out,
                      struct err *err);
void config_free(struct config *c);
DEFINE_CLEANUP(struct config, config_free)

/* Effective values, and where each is from, as indented JSON, for --check-config and
 * daemon.info.  No secrets.
 */
char *config_text(const struct config *c);

#endif
