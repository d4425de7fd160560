#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "base/json.h"
#include "sync/peer/hello.h"
#include "sync/serve/serve_chain.h"
#include "sync/serve/serve_documents.h"
#include "sync/serve/serve_self.h"

static enum errc get_chain(struct reader *r, struct hello *h, struct err *err)
{
    struct state_tip tip;
    bool has_genesis;
    uint8_t hash[32];

    if (state_get_tip(r->state, &tip, err) != ERR_OK ||
        chaindb_active_first(r->chain, &h->has_headers, &h->headers_from, err) !=
            ERR_OK ||
        serve_chain_hash_at(r, 0, &has_genesis, hash, err) != ERR_OK)
        return err->code;
    h->has_tip = true;
    h->tip_height = tip.height;
    memcpy(h->tip_hash, tip.hash, sizeof(h->tip_hash));
    memcpy(h->tip_work.be, tip.work, sizeof(h->tip_work.be));
    h->blocks_from = state_base(r->state)->id.height;
    if (h->blocks_from > 0 || !has_genesis) /* the base has no body, but genesis */
        h->blocks_from++;
    h->has_blocks = h->blocks_from <= tip.height;
    return ERR_OK;
}

enum errc serve_self_hello(struct reader *r, const struct serve_self *self,
                           struct buf *out, struct err *err)
{
    struct hello h = {.software = "cairn/" CAIRN_VERSION, .snapshots = self->snapshots};

    memcpy(h.network, self->params->network, sizeof(h.network));
    memcpy(h.genesis, self->params->genesis_hash, sizeof(h.genesis));
    memcpy(h.identity, self->identity, sizeof(h.identity));
    if (r && get_chain(r, &h, err) != ERR_OK)
        return err->code;
    hello_write(&h, self->nonce, out);
    return ERR_OK;
}

static void put_hash(const char *key, const uint8_t hash[32], struct buf *out)
{
    char hex[65];

    hex_encode(hash, 32, hex);
    buf_printf(out, "\"%s\":\"%s\"", key, hex);
}

static void put_text(const char *key, const char *text, struct buf *out)
{
    buf_printf(out, "\"%s\":", key);
    if (text)
        json_write_string(text, strlen(text), out);
    else
        buf_puts(out, "null");
}

/* The members that all share, behind the first; they come before and after "re...". */
static void put_who(const struct serve_self *self, struct buf *out)
{
    put_hash("genesis", self->params->genesis_hash, out);
    buf_puts(out, ",");
    put_hash("identity", self->identity, out);
    buf_puts(out, ",");
    put_text("network", self->params->network, out);
    buf_puts(out, ",");
    put_hash("nonce", self->nonce, out);
}

static bool is_for_everybody(const char *source)
{
    return (strncmp(source, "https://", 8) == 0 ||
            strncmp(source, "http://", 7) == 0) &&
           strpbrk(source, "?@#") == NULL;
}

struct provenance {
    struct json_doc *doc;
    const struct json *signatures, *proof;
};

/* A document of ours that does not parse says nothing: the rest is told without it. */
static struct provenance read_provenance(const char *text)
{
    const struct json_limits limits = JSON_LIMITS_SMALL;
    struct provenance p = {0};
    struct err err;

    if (json_parse(text, strlen(text), &limits, &p.doc, &err) == ERR_OK) {
        p.signatures = json_get(json_root(p.doc), "signatures");
        p.proof = json_get(json_get(json_root(p.doc), "header_proof"), "kind");
    }
    return p;
}

static bool is_work_proven(const struct provenance *p)
{
    const char *kind;

    return json_text(p->proof, &kind) && strcmp(kind, "full") == 0;
}

struct list {
    struct reader *reader;
    const struct serve_self *self;
    struct buf *out;
    size_t count, room; /* for documents */
};

static void put_payload(const struct serve_self *self, const uint8_t hash[32],
                        struct buf *out)
{
    char hex[65];

    hex_encode(hash, 32, hex);
    if (self->has_payload && memcmp(self->payload, hash, 32) == 0)
        buf_printf(out, ",\"payload\":\"/peer/v1/payload/%s\"", hex);
    else
        buf_puts(out, ",\"payload\":null");
}

static enum errc put_checkpoint(void *arg, const struct control_checkpoint *k,
                                struct err *err)
{
    struct list *list = arg;
    struct buf *out = list->out;
    struct provenance p = read_provenance(k->provenance ? k->provenance : "");
    struct work work;
    enum errc rc;
    char text[WORK_TEXT];

    memcpy(work.be, k->work, sizeof(work.be));
    work_text(&work, text);
    buf_printf(out, "%s{\"accepted_ms\":%" PRId64 ",\"attestations\":",
               list->count++ > 0 ? "," : "", k->accepted_ms);
    rc = serve_documents_attestations(list->reader->control, k->height, k->block_hash,
                                      &list->room, out, err);
    buf_puts(out, ",");
    put_hash("block_hash", k->block_hash, out);
    buf_printf(out, ",\"height\":%" PRIu64, k->height);
    put_payload(list->self, k->block_hash, out);
    buf_puts(out, ",\"signatures\":");
    if (p.signatures)
        json_write(p.signatures, JSON_CANON, out);
    else
        buf_puts(out, "[]");
    buf_puts(out, ",");
    put_text("source", is_for_everybody(k->source) ? k->source : NULL, out);
    buf_puts(out, ",");
    put_text("state_hash", k->state_hash, out);
    buf_puts(out, ",");
    put_hash("state_root", k->state_root, out);
    buf_puts(out, ",");
    put_text("trust", k->trust, out);
    buf_printf(out, ",\"work\":\"%s\",\"work_proven\":%s}", text,
               is_work_proven(&p) ? "true" : "false");
    json_free(p.doc);
    return rc;
}

enum errc serve_self_checkpoints(struct reader *r, const struct serve_self *self,
                                 struct buf *out, struct err *err)
{
    struct list list = {
        .reader = r, .self = self, .out = out, .room = SERVE_DOCUMENTS_BYTES_MAX};

    buf_puts(out, "{\"checkpoints\":[");
    if (control_checkpoint_each(r->control, 0, SERVE_CHECKPOINTS_MAX, put_checkpoint,
                                &list, err) != ERR_OK)
        return err->code;
    buf_puts(out, "],");
    put_who(self, out);
    buf_printf(out, ",\"snapshots\":%s}", self->snapshots ? self->snapshots : "[]");
    return ERR_OK;
}

enum errc serve_self_revocations(struct reader *r, const struct serve_self *self,
                                 struct buf *out, struct err *err)
{
    size_t room = SERVE_DOCUMENTS_BYTES_MAX;

    buf_puts(out, "{");
    put_who(self, out);
    buf_puts(out, ",\"revocations\":");
    if (serve_documents_revocations(r->control, &room, out, err) != ERR_OK)
        return err->code;
    buf_puts(out, "}");
    return ERR_OK;
}
