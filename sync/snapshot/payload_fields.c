#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "sync/snapshot/payload_fields.h"

enum { WORK_DIGITS_MAX = 96 };

/* NULL too for an explicit null, which is as good as absent. */
static const struct json *find(const struct json *object, const char *key)
{
    const struct json *v = json_get(object, key);

    return json_is_null(v) ? NULL : v;
}

static void blame(struct payload_meta *m, const char *key, const char *what)
{
    if (m->malformed[0] == '\0')
        (void)snprintf(m->malformed, sizeof(m->malformed), "%s: %s", key, what);
}

static void read_height(const struct json *object, struct payload_meta *m)
{
    const struct json *v = find(object, "height");

    if (v && json_u64(v, &m->height))
        m->has_height = true;
    else if (v)
        blame(m, "height", "not a non-negative integer of 64 bits");
}

static bool read_hash(const struct json *object, const char *key, char out[65],
                      struct payload_meta *m)
{
    const struct json *v = find(object, key);
    uint8_t hash[32];

    if (!v)
        return false;
    if (!json_hash(v, hash)) {
        blame(m, key, "not 64 lower-case hex digits");
        return false;
    }
    hex_encode(hash, 32, out);
    return true;
}

static void read_work(const struct json *object, struct payload_meta *m)
{
    const char *key = find(object, "work") ? "work" : "cumulative_work";
    const struct json *v = find(object, key);

    if (!v)
        return;
    if (v->type != JSON_INT || v->text[0] == '-')
        blame(m, key, "not a non-negative integer");
    else if (v->len > WORK_DIGITS_MAX)
        blame(m, key, "over 96 digits");
    else {
        (void)snprintf(m->work, sizeof(m->work), "%s", v->text);
        m->has_work = true;
    }
}

static bool read_text(const struct json *object, const char *key, char *out,
                      size_t size, struct payload_meta *m)
{
    const struct json *v = find(object, key);
    const char *text;

    if (!v)
        return false;
    if (!json_text(v, &text) || v->len >= size) {
        blame(m, key, "not a text, or too long");
        return false;
    }
    memcpy(out, text, v->len + 1);
    return true;
}

void payload_fields_read(const struct json *object, struct payload_meta *out)
{
    *out = (struct payload_meta){0};
    read_height(object, out);
    out->has_block_hash = read_hash(object, "block_hash", out->block_hash, out);
    out->has_state_hash = read_hash(object, "state_hash", out->state_hash, out);
    read_work(object, out);
    out->has_signature =
        read_text(object, "signature", out->signature, sizeof(out->signature), out);
    out->has_pubkey =
        read_text(object, "pubkey", out->pubkey, sizeof(out->pubkey), out);
    out->has_network =
        read_text(object, "network", out->network, sizeof(out->network), out);
}
