#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "store/extsort.h"
#include "sync/snapshot/payload_canon.h"

/* A sorted record: length of the address, address, 1 if its list begins here, text. */
enum {
    FLUSH_BYTES = 32 << 10,
    TEXT_MAX = 128 << 10, /* FLUSH_BYTES and one entry, every character escaped */
    HEAD_MAX = 1 + COIN_ADDRESS_MAX + 1,
};

struct payload_canon {
    struct hasher *hasher;
    struct extsort *sort; /* NULL: in order */
    struct buf text, record;
    char address[COIN_ADDRESS_MAX + 1];
    bool any;         /* a list has begun */
    bool list_begins; /* nothing of the list is in a record yet */
    bool entry_first;
    bool passing; /* the text comes by payload_canon_pass */
};

/* Equal addresses keep the order in which their pieces came. */
static int compare(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
    (void)a_len; /* every record has a whole head */
    (void)b_len;
    return json_key_compare((const char *)a + 1, a[0], (const char *)b + 1, b[0]);
}

enum errc payload_canon_create(const struct payload_canon_options *opt,
                               struct payload_canon **out, struct err *err)
{
    CLEANUP(payload_canon_free) struct payload_canon *c = xcalloc(1, sizeof(*c));
    const struct extsort_options sort = {.dir = opt->tmp_dir,
                                         .memory_bytes = opt->sort_memory / 2,
                                         .record_max = HEAD_MAX + TEXT_MAX,
                                         .compare = compare};
    enum errc rc = opt->in_order ? ERR_OK : extsort_create(&sort, &c->sort, err);

    if (rc)
        return rc;
    c->hasher = hasher_create();
    c->text = BUF(TEXT_MAX);
    c->record = BUF(HEAD_MAX + TEXT_MAX);
    *out = TAKE(c);
    return ERR_OK;
}

void payload_canon_free(struct payload_canon *c)
{
    if (!c)
        return;
    hasher_free(c->hasher);
    extsort_free(c->sort);
    buf_fini(&c->text);
    buf_fini(&c->record);
    free(c);
}

static enum errc flush(struct payload_canon *c, struct err *err)
{
    uint8_t len = (uint8_t)strlen(c->address), begins = c->list_begins;
    enum errc rc = ERR_OK;

    if (c->text.full)
        return err_fail(err, REASON_INTERNAL, "canonical text over its bound");
    if (!c->sort) {
        hasher_add(c->hasher, c->text.data, c->text.len);
    } else {
        buf_reset(&c->record);
        buf_put(&c->record, &len, 1);
        buf_put(&c->record, c->address, len);
        buf_put(&c->record, &begins, 1);
        buf_put(&c->record, c->text.data, c->text.len);
        rc = extsort_add(c->sort, c->record.data, c->record.len, err);
    }
    buf_reset(&c->text);
    c->list_begins = false;
    return rc;
}

void payload_canon_start(struct payload_canon *c, const struct buf *before)
{
    hasher_add(c->hasher, before->data, before->len);
}

static enum errc twice(const char *address, size_t len, struct err *err)
{
    return err_fail(err, REASON_PAYLOAD_MALFORMED, "address %.*s twice", (int)len,
                    address);
}

enum errc payload_canon_list(struct payload_canon *c, const char *address,
                             bool *descends, struct err *err)
{
    size_t len = strlen(address);
    int order =
        c->any ? json_key_compare(c->address, strlen(c->address), address, len) : -1;

    if (order == 0)
        return twice(address, len, err);
    *descends = order > 0;
    if (c->any && !c->sort && !c->passing)
        buf_puts(&c->text, ", ");
    memcpy(c->address, address, len + 1);
    c->any = c->list_begins = c->entry_first = true;
    if (c->passing)
        return ERR_OK;
    json_write_string(address, len, &c->text);
    buf_puts(&c->text, ": [");
    return ERR_OK;
}

bool payload_canon_pass_begin(struct payload_canon *c)
{
    c->passing = !c->sort;
    return c->passing;
}

void payload_canon_pass_end(struct payload_canon *c, const char *text, size_t len)
{
    hasher_add(c->hasher, text, len);
    c->passing = false;
}

static void entry_comma(struct payload_canon *c)
{
    if (!c->entry_first)
        buf_put(&c->text, ", ", 2);
    c->entry_first = false;
}

enum errc payload_canon_entry(struct payload_canon *c, const struct payload_entry *e,
                              struct err *err)
{
    entry_comma(c);
    payload_entry_write(e, &c->text);
    return c->text.len < FLUSH_BYTES ? ERR_OK : flush(c, err);
}

enum errc payload_canon_entry_text(struct payload_canon *c, const char *text,
                                   size_t len, struct err *err)
{
    if (c->passing) {
        c->entry_first = false;
        return ERR_OK;
    }
    entry_comma(c);
    buf_put(&c->text, text, len);
    return c->text.len < FLUSH_BYTES ? ERR_OK : flush(c, err);
}

enum errc payload_canon_list_end(struct payload_canon *c, struct err *err)
{
    if (c->passing)
        return ERR_OK;
    buf_puts(&c->text, "]");
    return c->sort || c->text.len >= FLUSH_BYTES ? flush(c, err) : ERR_OK;
}

/* One record in order; last is the address before it. */
static enum errc hash_record(struct payload_canon *c, const uint8_t *rec, size_t len,
                             struct buf *last, struct err *err)
{
    size_t address_len = rec[0];
    const char *address = (const char *)rec + 1;
    bool begins = rec[1 + address_len];

    if (begins) {
        if (c->any && last->len == address_len &&
            memcmp(last->data, address, address_len) == 0)
            return twice(address, address_len, err);
        if (c->any)
            hasher_add(c->hasher, ", ", 2);
        c->any = true;
        buf_reset(last);
        buf_put(last, address, address_len);
    }
    hasher_add(c->hasher, rec + address_len + 2, len - address_len - 2);
    return ERR_OK;
}

static enum errc hash_sorted(struct payload_canon *c, struct err *err)
{
    CLEANUP_BUF struct buf last = BUF(COIN_ADDRESS_MAX);
    const uint8_t *rec;
    size_t len;
    enum errc rc = extsort_finish(c->sort, err);

    c->any = false;
    while (!rc) {
        rc = extsort_next(c->sort, &rec, &len, err);
        if (rc || !rec)
            break;
        rc = hash_record(c, rec, len, &last, err);
    }
    return rc;
}

enum errc payload_canon_finish(struct payload_canon *c, const struct buf *before,
                               const struct buf *after, uint8_t hash[32],
                               struct err *err)
{
    enum errc rc;

    if (c->sort) {
        hasher_add(c->hasher, before->data, before->len);
        rc = hash_sorted(c, err);
    } else {
        rc = c->any ? flush(c, err) : ERR_OK;
    }
    if (rc)
        return rc;
    hasher_add(c->hasher, after->data, after->len);
    hasher_finish(c->hasher, hash);
    return ERR_OK;
}
