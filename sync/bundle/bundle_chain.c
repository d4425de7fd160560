#include <string.h>

#include "sync/bundle/bundle_chain.h"

enum errc bundle_chain_begin(struct bundle_chain *c, const struct chain_params *params,
                             const struct manifest *m, struct err *err)
{
    if (strcmp(m->network, params->network) != 0 ||
        memcmp(m->genesis_hash, params->genesis_hash, sizeof(m->genesis_hash)) != 0)
        return err_fail(err, REASON_NETWORK_MISMATCH,
                        "the snapshot is of network %.31s, not of this %.31s",
                        m->network, params->network);
    c->params = params;
    c->work = (struct work){.be = {0}};
    header_window_init(&c->window, 0);
    return ERR_OK;
}

enum errc bundle_chain_take(struct bundle_chain *c, const struct header *h,
                            struct err *err)
{
    struct err why;

    if (header_check(h, &c->window, c->params, &why) || header_check_signature(h, &why))
        return err_fail(err, REASON_HEADER_CHAIN_INVALID, "%.200s", why.msg);
    header_window_push(&c->window, h);
    c->work = work_add(c->work, work_of_block(h->difficulty));
    return ERR_OK;
}

enum errc bundle_chain_end(const struct bundle_chain *c, const struct manifest *m,
                           struct err *err)
{
    char sum[WORK_TEXT], claim[WORK_TEXT];

    if (memcmp(c->window.last_hash, m->block_hash, sizeof(m->block_hash)) != 0)
        return err_fail(err, REASON_HEADER_CHAIN_INVALID,
                        "the headers lead to another block than the snapshot's");
    if (work_compare(&c->work, &m->work) == 0)
        return ERR_OK;
    work_text(&c->work, sum);
    work_text(&m->work, claim);
    return err_fail(err, REASON_WORK_MISMATCH,
                    "the headers have work %.80s, claimed %.80s", sum, claim);
}
