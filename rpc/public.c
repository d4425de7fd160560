#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/mem.h"
#include "rpc/listen.h"
#include "rpc/public_http.h"
#include "rpc/runfile.h"

struct public
{
    struct public_site site;
    struct public_http *http;
    char address[LISTEN_TEXT];
    char *address_file; /* NULL until written */
};

DEFINE_CLEANUP(struct public, public_stop)

static enum errc write_address(struct public *p, struct err *err)
{
    AUTOFREE char *path = xasprintf("%s/public.address", p->site.cfg->data_dir);

    if (runfile_write(path, p->address, err) != ERR_OK)
        return err->code;
    p->address_file = TAKE(path);
    return ERR_OK;
}

enum errc public_start(const struct public_config *cfg, struct engine *engine,
                       struct public **out, struct err *err)
{
    CLEANUP(public_stop) struct public *p = xcalloc(1, sizeof(*p));
    const struct listen_at at = {"public.listen", cfg->listen, false};
    int fd;

    if (listen_open(&at, &fd, p->address, err) != ERR_OK)
        return err->code;
    p->site = (struct public_site){cfg, engine, reads_create(engine, cfg->data_dir)};
    if (public_http_start(fd, &p->site, &p->http, err) != ERR_OK ||
        write_address(p, err) != ERR_OK)
        return err->code;
    log_info("public plane listens", KV_S("address", p->address));
    *out = TAKE(p);
    return ERR_OK;
}

const char *public_address(const struct public *p)
{
    return p->address;
}

void public_stop(struct public *p)
{
    if (!p)
        return;
    if (p->address_file)
        (void)unlink(p->address_file); /* nobody listens there any more */
    free(p->address_file);
    public_http_stop(p->http);
    reads_free(p->site.reads);
    free(p);
}
