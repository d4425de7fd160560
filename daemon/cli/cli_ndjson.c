#include <string.h>
#include <sys/types.h>

#include "base/hex.h"
#include "base/mem.h"
#include "daemon/cli/cli_ndjson.h"
#include "rpc/jsontext.h"
#include "rpc/param.h"
#include "store/control_audit_chain.h"

enum { DEPTH_MAX = 160, KIND_MAX = 256 };

struct entry {
    struct param_int seq;
    int64_t at_ms;
    const char *kind, *prev, *hash;
    struct span body;
};

#define FIELD(member) offsetof(struct entry, member)

static const struct param_spec spec[] = {
    {"seq", PARAM_INT, true, .offset = FIELD(seq), .min = 1, .max = PARAM_INT_MAX},
    {"at", PARAM_TIME, true, .offset = FIELD(at_ms)},
    {"kind", PARAM_STRING, true, .offset = FIELD(kind), .min = 1, .max = KIND_MAX},
    {"body", PARAM_OBJECT, true, .offset = FIELD(body)},
    {"prev", PARAM_HASH, true, .offset = FIELD(prev)},
    {"hash", PARAM_HASH, true, .offset = FIELD(hash)},
    {.name = NULL},
};

static void add_entry(struct control_audit_chain *chain, const struct entry *in)
{
    AUTOFREE char *body = xstrndup(in->body.at, in->body.len);
    struct control_audit_entry e = {.seq = (int64_t)in->seq.value,
                                    .at_ms = in->at_ms,
                                    .kind = in->kind,
                                    .body = body};
    bool linkable = hex_hash(in->prev, e.prev) && hex_hash(in->hash, e.hash);

    control_audit_chain_add(chain, &e, linkable, true);
}

/* False: the line is no entry, err says why. */
static bool take_line(struct control_audit_chain *chain, const char *line, size_t len,
                      struct err *err)
{
    struct entry in = {.kind = NULL};
    cJSON *tree;
    bool ok;

    if (jsontext_check(line, len, DEPTH_MAX, err) != ERR_OK)
        return false;
    tree = cJSON_ParseWithLength(line, len);
    if (!cJSON_IsObject(tree))
        (void)err_set(err, ERR_INVALID, "an object expected");
    ok = cJSON_IsObject(tree) &&
         param_parse(spec, tree, (struct span){line, len}, &in, err) == ERR_OK;
    if (ok)
        add_entry(chain, &in);
    cJSON_Delete(tree);
    return ok;
}

static void conclude(const struct control_audit_chain *chain, const uint8_t *head,
                     struct cli_ndjson_check *out)
{
    out->ok = chain->check.ok;
    out->entries = chain->check.entries;
    out->first_bad = chain->check.first_bad;
    memcpy(out->head, chain->hash, 32);
    (void)snprintf(out->what, sizeof(out->what), "%s", chain->check.what);
    if (!out->ok || !head || memcmp(head, chain->hash, 32) == 0)
        return;
    out->ok = false;
    out->first_bad = chain->last + 1;
    (void)snprintf(out->what, sizeof(out->what),
                   "the last entry has not the expected head: the end was cut off, or "
                   "goes on");
}

enum errc cli_ndjson_verify(FILE *f, const uint8_t head[32],
                            struct cli_ndjson_check *out, struct err *err)
{
    struct control_audit_chain chain = {.check.ok = true};
    AUTOFREE char *line = NULL;
    size_t room = 0, number = 0;
    ssize_t len;
    struct err why;

    *out = (struct cli_ndjson_check){0};
    while ((len = getline(&line, &room, f)) > 0) {
        number++;
        if (len > 0 && line[len - 1] == '\n')
            len--;
        if (take_line(&chain, line, (size_t)len, &why))
            continue;
        conclude(&chain, NULL, out);
        if (out->ok) {
            out->ok = false;
            out->first_bad = chain.last + 1;
            (void)snprintf(out->what, sizeof(out->what), "line %zu is no entry: %.120s",
                           number, why.msg);
        }
        return ERR_OK;
    }
    if (ferror(f))
        return err_set(err, ERR_IO, "cannot be read");
    conclude(&chain, head, out);
    return ERR_OK;
}
