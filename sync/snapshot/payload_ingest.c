#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "sync/snapshot/payload_fields.h"
#include "sync/snapshot/payload_lane.h"

struct ingest {
    const struct payload_paths *paths;
    const char *network;
    const struct payload_limits *limits;
    struct payload_progress *progress;
    struct payload_coins *coins;
    struct payload_walk walk;
    struct payload_totals totals;
    struct payload_result result;
};

static enum errc read_meta(struct ingest *in, struct err *err)
{
    CLEANUP(json_free) struct json_doc *doc = NULL;
    struct payload_meta *m = &in->result.meta;
    enum errc rc = payload_members_parse(&in->walk.top, &doc, err);

    if (rc)
        return rc;
    payload_fields_read(json_root(doc), m);
    if (!m->has_height || !m->has_block_hash || !m->has_state_hash)
        return err_fail(err, REASON_PAYLOAD_MALFORMED,
                        "height, block_hash or state_hash: missing or malformed");
    return ERR_OK;
}

static enum errc read_totals(struct ingest *in, struct err *err)
{
    bool have;
    enum errc rc = payload_frame_totals(&in->walk.frame, &have, &in->totals, err);

    if (!rc && !have)
        return err_fail(err, REASON_PAYLOAD_MALFORMED,
                        "total_utxos or total_value: missing");
    return rc;
}

static enum errc check_hash(struct ingest *in, struct err *err)
{
    char hex[65];
    enum errc rc = payload_walk_hash(&in->walk, in->result.state_hash, err);

    if (rc)
        return rc;
    hex_encode(in->result.state_hash, 32, hex);
    if (!in->limits->unclaimed && strcmp(hex, in->result.meta.state_hash) != 0)
        return err_fail(err, REASON_PAYLOAD_HASH_MISMATCH,
                        "state_hash is %s, the data's is %s",
                        in->result.meta.state_hash, hex);
    return ERR_OK;
}

static enum errc write_coins(struct ingest *in, struct err *err)
{
    const struct payload_meta *m = &in->result.meta;
    struct coinfile_id id = {.height = m->height};

    (void)snprintf(id.network, sizeof(id.network), "%s", in->network);
    (void)hex_hash(m->block_hash, id.block_hash); /* checked when it was read */
    return payload_coins_write(in->coins, &in->totals, &id, &in->result, err);
}

static enum errc run(struct ingest *in, struct err *err)
{
    struct payload_lane lane = {.walk = &in->walk};
    const struct payload_source src = {in->paths->payload, in->limits->max_bytes,
                                       in->progress, &lane};
    const struct payload_sink sink = {payload_walk_event, &in->walk};
    enum errc rc = payload_stream(&src, &sink, &in->result.bytes, err);

    if (!rc)
        rc = read_meta(in, err);
    if (!rc)
        rc = read_totals(in, err);
    if (!rc)
        rc = check_hash(in, err);
    return rc ? rc : write_coins(in, err);
}

/* One attempt over the file; *disorder: its keys are not in canonical order, so nothing
   is known but that. */
static enum errc attempt(struct ingest *in, bool in_order, bool *disorder,
                         struct err *err)
{
    const struct payload_canon_options opt = {in_order, in->paths->tmp_dir,
                                              in->limits->sort_memory};
    CLEANUP(payload_canon_free) struct payload_canon *canon = NULL;
    CLEANUP(payload_coins_free) struct payload_coins *coins = NULL;
    enum errc rc = payload_canon_create(&opt, &canon, err);

    if (!rc)
        rc = payload_coins_create(in->paths, in->limits, in->progress, &coins, err);
    if (rc)
        return rc;
    payload_walk_init(&in->walk);
    in->walk.canon = canon;
    in->walk.coins = in->coins = coins;
    in->walk.in_order = in_order;
    rc = run(in, err);
    *disorder = in->walk.disorder;
    payload_walk_fini(&in->walk);
    return rc;
}

enum errc payload_ingest(const struct payload_paths *paths, const char *network,
                         const struct payload_limits *limits,
                         struct payload_progress *progress, struct payload_result *out,
                         struct err *err)
{
    struct ingest in = {
        .paths = paths, .network = network, .limits = limits, .progress = progress};
    struct err first = {0}; /* disorder is no failure, and leaves no trace in *err */
    bool disorder = false;
    enum errc rc = attempt(&in, true, &disorder, &first);

    if (disorder)
        rc = attempt(&in, false, &disorder, err);
    else if (rc)
        *err = first;
    if (!rc)
        *out = in.result;
    return rc;
}
