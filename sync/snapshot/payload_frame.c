#include "sync/snapshot/payload_frame.h"

void payload_frame_init(struct payload_frame *f)
{
    payload_members_init(&f->data);
    payload_members_init(&f->snapshot);
}

void payload_frame_fini(struct payload_frame *f)
{
    payload_members_fini(&f->data);
    payload_members_fini(&f->snapshot);
}

enum errc payload_frame_write(const struct payload_frame *f, struct buf *before,
                              struct buf *after, struct err *err)
{
    CLEANUP(json_free) struct json_doc *data_doc = NULL, *snapshot_doc = NULL;
    const struct json *data, *snapshot;
    enum errc rc = payload_members_parse(&f->data, &data_doc, err);

    if (!rc)
        rc = payload_members_parse(&f->snapshot, &snapshot_doc, err);
    if (rc)
        return rc;
    data = json_root(data_doc);
    snapshot = json_root(snapshot_doc);
    buf_puts(before, "{");
    payload_members_write_before(data, "utxo_snapshot", before);
    buf_puts(before, "\"utxo_snapshot\": {");
    payload_members_write_before(snapshot, "utxo_set", before);
    buf_puts(before, "\"utxo_set\": {");
    buf_puts(after, "}");
    payload_members_write_after(snapshot, "utxo_set", after);
    buf_puts(after, "}");
    payload_members_write_after(data, "utxo_snapshot", after);
    buf_puts(after, "}");
    if (before->full || after->full)
        return err_fail(err, REASON_PAYLOAD_MALFORMED, "too much beside the coins");
    return ERR_OK;
}

enum errc payload_frame_totals(const struct payload_frame *f, bool *have,
                               struct payload_totals *out, struct err *err)
{
    CLEANUP(json_free) struct json_doc *doc = NULL;
    const struct json *count, *value;
    enum errc rc = payload_members_parse(&f->snapshot, &doc, err);

    if (rc)
        return rc;
    count = json_get(json_root(doc), "total_utxos");
    value = json_get(json_root(doc), "total_value");
    *have = count && value;
    if (!*have)
        return ERR_OK;
    if (!json_u64(count, &out->count))
        return err_fail(err, REASON_PAYLOAD_MALFORMED,
                        "total_utxos: not a non-negative integer");
    if (!json_double(value, &out->value))
        return err_fail(err, REASON_PAYLOAD_MALFORMED, "total_value: not a number");
    return ERR_OK;
}
