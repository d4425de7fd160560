#include <string.h>

#include "sync/snapshot/payload_guard.h"
#include "sync/snapshot/payload_members.h"

enum { MEMBERS_MAX = 1 << 20, MEMBERS_NODES = 1 << 16 };

void payload_members_init(struct payload_members *m)
{
    *m = (struct payload_members){.text = BUF(MEMBERS_MAX)};
    buf_puts(&m->text, "{");
}

void payload_members_fini(struct payload_members *m)
{
    buf_fini(&m->text);
}

static enum errc fits(const struct payload_members *m, struct err *err)
{
    if (!m->text.full)
        return ERR_OK;
    return err_fail(err, REASON_PAYLOAD_MALFORMED,
                    "over %d bytes beside the coins in one object", MEMBERS_MAX);
}

static void separate(struct payload_members *m)
{
    if (m->comma)
        buf_puts(&m->text, ",");
    m->comma = true;
}

enum errc payload_members_key(struct payload_members *m, const struct payload_event *ev,
                              struct err *err)
{
    separate(m);
    json_write_string(ev->text, ev->len, &m->text);
    buf_puts(&m->text, ":");
    m->comma = false;
    return fits(m, err);
}

static void open_container(struct payload_members *m, const char *bracket)
{
    separate(m);
    buf_puts(&m->text, bracket);
    m->comma = false;
    m->depth++;
}

static void close_container(struct payload_members *m, const char *bracket)
{
    buf_puts(&m->text, bracket);
    m->comma = true;
    m->depth--;
}

enum errc payload_members_value(struct payload_members *m,
                                const struct payload_event *ev, bool *done,
                                struct err *err)
{
    switch (ev->type) {
    case PAYLOAD_NULL:
        separate(m);
        buf_puts(&m->text, "null");
        break;
    case PAYLOAD_BOOL:
        separate(m);
        buf_puts(&m->text, ev->boolean ? "true" : "false");
        break;
    case PAYLOAD_NUMBER:
        separate(m);
        buf_put(&m->text, ev->text, ev->len);
        break;
    case PAYLOAD_STRING:
        separate(m);
        json_write_string(ev->text, ev->len, &m->text);
        break;
    case PAYLOAD_KEY:
        return payload_members_key(m, ev, err);
    case PAYLOAD_MAP:
        open_container(m, "{");
        break;
    case PAYLOAD_MAP_END:
        close_container(m, "}");
        break;
    case PAYLOAD_ARRAY:
        open_container(m, "[");
        break;
    case PAYLOAD_ARRAY_END:
        close_container(m, "]");
        break;
    }
    *done = m->depth == 0;
    return fits(m, err);
}

enum errc payload_members_parse(const struct payload_members *m, struct json_doc **out,
                                struct err *err)
{
    const struct json_limits limits = {.max_bytes = MEMBERS_MAX + 1,
                                       .max_nodes = MEMBERS_NODES,
                                       .max_depth = PAYLOAD_DEPTH_MAX};
    CLEANUP_BUF struct buf text = BUF(MEMBERS_MAX + 1);

    buf_put(&text, m->text.data, m->text.len);
    buf_puts(&text, "}");
    if (json_parse(text.data, text.len, &limits, out, err) == ERR_OK)
        return ERR_OK;
    err->reason = REASON_PAYLOAD_MALFORMED;
    return err_wrap(err, "beside the coins");
}

static void write_member(const struct json *v, struct buf *out)
{
    json_write_string(v->key, v->key_len, out);
    buf_puts(out, ": ");
    json_write(v, JSON_SPACED, out);
}

static int order(const struct json *v, const char *key)
{
    return json_key_compare(v->key, v->key_len, key, strlen(key));
}

void payload_members_write_before(const struct json *object, const char *key,
                                  struct buf *out)
{
    for (size_t i = 0; i < object->len && order(object->sorted[i], key) < 0; i++) {
        write_member(object->sorted[i], out);
        buf_puts(out, ", ");
    }
}

void payload_members_write_after(const struct json *object, const char *key,
                                 struct buf *out)
{
    for (size_t i = 0; i < object->len; i++) {
        if (order(object->sorted[i], key) < 0)
            continue;
        buf_puts(out, ", ");
        write_member(object->sorted[i], out);
    }
}
