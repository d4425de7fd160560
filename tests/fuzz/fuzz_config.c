/* Configuration files: what is accepted has every bound held. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "daemon/config/config.h"
#include "sync/peer/peers.h"
#include "sync/peer/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds, const char *what)
{
    if (!holds) {
        (void)fprintf(stderr, "broken: %s\n", what);
        abort();
    }
}

#define MUST(condition) must((condition), #condition)

static void check_policy(const struct trust_policy *p)
{
    MUST(p->quorum <= PEERS_CONFIGURED_MAX && p->min_peers <= PEERS_CONFIGURED_MAX);
    MUST(p->threshold <= TRUST_KEYS_MAX && p->key_count <= TRUST_KEYS_MAX);
    MUST(p->min_confirmations <= 10000 && p->min_attestations <= TRUST_KEYS_MAX);
    MUST(p->header_proof_full || p->header_window >= 145);
    MUST(p->min_delta <= UINT64_C(1) << 53 && p->root_count <= TRUST_ROOTS_MAX);
    for (size_t i = 0; i < p->root_count; i++)
        MUST(p->roots[i].height < UINT64_C(1) << 53);
    for (size_t i = 0; i < p->key_count; i++)
        for (size_t j = 0; j < i; j++)
            MUST(!trust_key_equal(&p->keys[i], &p->keys[j]));
}

static void check(const struct config *c)
{
    const struct engine_config *e = &c->engine;
    size_t peers = 0;
    struct err err;

    MUST(c->data_dir[0] != '\0' && c->log_level <= LOG_LVL_DEBUG);
    MUST(strncmp(c->rpc.listen, "127.", 4) == 0 ||
         strncmp(c->rpc.listen, "[", 1) == 0 ||
         strncmp(c->rpc.listen, "localhost:", 10) == 0);
    for (; e->peers[peers]; peers++)
        MUST(url_is_ws(e->peers[peers]) ? e->p2p_enabled
                                        : url_check(e->peers[peers], &err) == ERR_OK);
    MUST(peers <= PEERS_CONFIGURED_MAX);
    MUST(e->checkpoint_url[0] == '\0' ||
         (url_check(e->checkpoint_url, &err) == ERR_OK &&
          e->policy.threshold <= e->policy.key_count));
    MUST(e->transfer_max_bytes >= 1 && e->transfer_max_bytes <= UINT64_C(1) << 50);
    MUST(e->transfer_min_speed <= UINT64_C(1) << 40);
    MUST(e->transfer_connections >= 1 && e->transfer_connections <= 64);
    MUST(e->poll_seconds >= 1 && e->poll_seconds <= 3600);
    MUST(e->ready_max_behind <= 1000000);
    for (size_t i = 0; e->allow_paths[i]; i++)
        MUST(e->allow_paths[i][0] == '/');
    check_policy(&e->policy);
    MUST(c->rpc.config_json[0] == '{');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config_flags flags = {.data_dir = "/d"};
    struct config *c = NULL;
    struct err err = {.code = ERR_OK};
    char path[40];
    int fd = memfd_create("config", MFD_CLOEXEC);

    MUST(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    flags.file = path;
    if (config_load(&flags, &c, &err) == ERR_OK)
        check(c);
    else
        MUST(c == NULL && err.code == ERR_INVALID && err.msg[0] != '\0');
    config_free(c);
    (void)close(fd);
    return 0;
}
