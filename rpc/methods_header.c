#include <inttypes.h>
#include <string.h>

#include "base/hex.h"
#include "base/pyfloat.h"
#include "rpc/methods.h"
#include "rpc/out.h"

static enum errc find_at_height(struct reader *reader, uint64_t height,
                                struct chaindb_header *h, struct err *err)
{
    struct state_tip tip;
    bool found;
    enum errc rc = state_get_tip(reader->state, &tip, err);

    if (rc)
        return rc;
    if (height > tip.height)
        return err_set(err, ERR_NOTFOUND,
                       "height %" PRIu64 " is above the tip, %" PRIu64, height,
                       tip.height);
    rc = chaindb_active_at(reader->chain, height, &found, h, err);
    if (rc)
        return rc;
    if (!found)
        return err_set(err, ERR_NOTFOUND,
                       "height %" PRIu64 " is below the checkpoint: its header is not "
                       "kept",
                       height);
    return ERR_OK;
}

enum errc methods_find_header(struct reader *reader, const struct params *p,
                              struct chaindb_header *h, bool *active, struct err *err)
{
    struct chaindb_header at_height;
    uint8_t hash[32];
    bool found;
    enum errc rc;

    if (p->height.given == (p->hash != NULL))
        return err_set(err, ERR_INVALID, "height, hash: one of them expected");
    *active = true;
    if (p->height.given)
        return find_at_height(reader, p->height.value, h, err);
    (void)hex_hash(p->hash, hash); /* param_parse saw that it is one */
    rc = chaindb_header_get(reader->chain, hash, &found, h, err);
    if (rc)
        return rc;
    if (!found)
        return err_set(err, ERR_NOTFOUND, "no block %.64s is known here", p->hash);
    rc = chaindb_active_at(reader->chain, h->height, &found, &at_height, err);
    if (rc)
        return rc;
    *active = found && memcmp(at_height.hash, h->hash, sizeof(h->hash)) == 0;
    return ERR_OK;
}

static const char *status_name(enum chaindb_header_status status)
{
    switch (status) {
    case CHAINDB_ANCHORED:
        return "anchored";
    case CHAINDB_VALID:
        return "valid";
    case CHAINDB_INVALID:
        return "invalid";
    }
    return NULL;
}

static void add_header(cJSON *o, const struct chaindb_header *h, bool active)
{
    char timestamp[PYFLOAT_TEXT];

    pyfloat_repr(h->timestamp, timestamp);
    out_u64(o, "height", h->height);
    out_hash(o, "block_hash", h->hash);
    out_hash(o, "previous_hash", h->prev);
    out_hash(o, "merkle_root", h->merkle_root);
    cJSON_AddRawToObject(o, "timestamp", timestamp);
    out_u64(o, "difficulty", h->difficulty);
    out_u64(o, "nonce", h->nonce);
    if (h->has_version)
        out_u64(o, "version", h->version);
    else
        cJSON_AddNullToObject(o, "version");
    out_text(o, "signature", h->signature[0] ? h->signature : NULL);
    out_text(o, "miner_pubkey", h->miner_pubkey[0] ? h->miner_pubkey : NULL);
    if (h->status == CHAINDB_VALID)
        out_work_bytes(o, "work", h->work);
    else
        cJSON_AddNullToObject(o, "work");
    cJSON_AddBoolToObject(o, "active", active);
    out_text(o, "status", status_name(h->status));
}

METHODS_HANDLER(chain_header)
{
    CLEANUP(reader_release) struct reader *reader = NULL;
    struct chaindb_header h = {0};
    bool active = false;

    if (reads_chain(ctx->reads, &reader, err) ||
        methods_find_header(reader, p, &h, &active, err))
        return err->code;
    add_header(result, &h, active);
    return ERR_OK;
}

METHODS_HANDLER(chain_headers)
{
    CLEANUP(reader_release) struct reader *reader = NULL;
    cJSON *list = cJSON_AddArrayToObject(result, "headers");
    struct chaindb_header h = {0};
    struct state_tip tip;
    uint64_t height = p->from.value;
    bool found = true;

    if (reads_chain(ctx->reads, &reader, err) ||
        find_at_height(reader, height, &h, err) ||
        state_get_tip(reader->state, &tip, err))
        return err->code;
    for (size_t left = p->count.value; found && left > 0; left--) {
        cJSON *o = cJSON_CreateObject();

        add_header(o, &h, true);
        cJSON_AddItemToArray(list, o);
        height++;
        found = height <= tip.height;
        if (found && chaindb_active_at(reader->chain, height, &found, &h, err))
            return err->code;
    }
    if (found)
        out_u64(result, "next", height);
    else
        cJSON_AddNullToObject(result, "next");
    return ERR_OK;
}
