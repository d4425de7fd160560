#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "rpc/auth.h"
#include "rpc/http.h"
#include "rpc/listen.h"
#include "rpc/rpc.h"
#include "rpc/runfile.h"

struct rpc {
    struct reads *reads;
    struct auth *auth;
    struct throttle *throttle;
    struct waits *waits;
    struct http *http;
    char address[LISTEN_TEXT];
    char *address_file; /* NULL until written */
};

DEFINE_CLEANUP(struct rpc, rpc_stop)

/* Port 0 takes any: clients on this machine look here. */
static enum errc write_address(struct rpc *rpc, const char *data_dir, struct err *err)
{
    AUTOFREE char *path = xasprintf("%s/rpc.address", data_dir);

    if (runfile_write(path, rpc->address, err))
        return err->code;
    rpc->address_file = TAKE(path);
    return ERR_OK;
}

enum errc rpc_start(const struct rpc_config *cfg, struct engine *engine,
                    struct rpc **out, struct err *err)
{
    CLEANUP(rpc_stop) struct rpc *rpc = xcalloc(1, sizeof(*rpc));
    const struct listen_at at = {"rpc.listen", cfg->listen, true};
    struct http_config http = {0};

    if (auth_create(cfg->data_dir, cfg->tokens, cfg->token_count, &rpc->auth, err) ||
        listen_open(&at, &http.fd, rpc->address, err))
        return err->code;
    rpc->reads = reads_create(engine, cfg->data_dir);
    rpc->waits = waits_create(engine, rpc->reads);
    rpc->throttle = throttle_create();
    http.auth = rpc->auth;
    http.throttle = rpc->throttle;
    http.waits = rpc->waits;
    http.ctx = (struct rpc_ctx){
        .cfg = cfg,
        .engine = engine,
        .reads = rpc->reads,
        .methods = methods_table(),
    };
    if (http_start(&http, &rpc->http, err)) {
        (void)close(http.fd);
        return err->code;
    }
    if (write_address(rpc, cfg->data_dir, err))
        return err->code;
    log_info("rpc listens", KV_S("address", rpc->address));
    *out = TAKE(rpc);
    return ERR_OK;
}

const char *rpc_address(const struct rpc *rpc)
{
    return rpc->address;
}

void rpc_stop(struct rpc *rpc)
{
    if (!rpc)
        return;
    if (rpc->address_file)
        (void)unlink(rpc->address_file); /* nobody listens there any more */
    free(rpc->address_file);
    if (rpc->http)
        http_quiesce(rpc->http);
    if (rpc->waits)
        waits_stop(rpc->waits);
    http_stop(rpc->http);
    waits_free(rpc->waits);
    reads_free(rpc->reads);
    throttle_free(rpc->throttle);
    auth_free(rpc->auth);
    free(rpc);
}
