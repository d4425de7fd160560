#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "rpc/public_number.h"
#include "rpc/public_paths.h"
#include "sync/identity.h"
#include "sync/peer/blocks_wire.h"
#include "sync/peer/headers_wire.h"
#include "sync/peer/signed.h"
#include "sync/serve/serve_chain.h"
#include "sync/serve/serve_self.h"

/* A reader of the chain, NULL while there is none. */
static enum errc chain_or_none(const struct public_site *site, struct reader **out,
                               struct err *err)
{
    enum errc rc = reads_chain(site->reads, out, err);

    return rc == ERR_CONFLICT ? ERR_OK : rc;
}

static bool who(const struct public_site *site, const struct public_ask *ask,
                struct serve_self *out, struct public_say *say)
{
    const char *nonce = ask->value(ask->arg, "nonce");

    *out = (struct serve_self){0};
    out->params = site->cfg->params;
    identity_public(engine_identity(site->engine), out->identity);
    if (nonce && hex_hash(nonce, out->nonce))
        return true;
    public_call_error(say, 400, "nonce must be 64 lower-case hex digits");
    return false;
}

/* Into told, which self borrows. */
static bool tell_snapshots(const struct public_site *site, bool ids,
                           struct serve_self *self, struct buf *told,
                           struct public_say *say)
{
    struct err err;

    if (public_snapshot_tell(site, PUBLIC_SNAPSHOTS_TOLD, ids, told, &err)) {
        public_call_fail(say, &err);
        return false;
    }
    self->snapshots = told->data;
    return true;
}

static void say_signed(const struct public_site *site, const char *what,
                       const struct buf *body, struct public_say *say)
{
    CLEANUP_BUF struct buf message = BUF(PUBLIC_BODY_MAX);
    uint8_t signature[64];

    signed_message(what, body->data, body->len, &message);
    identity_sign(engine_identity(site->engine), message.data, message.len, signature);
    signed_write(what, body->data, body->len, signature, &say->body);
}

PUBLIC_HANDLER(public_peer_hello)
{
    CLEANUP(reader_release) struct reader *reader = NULL;
    CLEANUP_BUF struct buf body = BUF(PUBLIC_BODY_MAX), told = BUF(PUBLIC_BODY_MAX);
    struct serve_self self;
    struct err err;

    (void)rest;
    if (!who(site, ask, &self, say) || !tell_snapshots(site, true, &self, &told, say))
        return;
    if (chain_or_none(site, &reader, &err) != ERR_OK ||
        serve_self_hello(reader, &self, &body, &err) != ERR_OK)
        public_call_fail(say, &err);
    else
        say_signed(site, "hello", &body, say);
}

/* A list out of control.db. */
static void say_list(const struct public_site *site, const char *what,
                     enum errc (*write)(struct reader *r, const struct serve_self *self,
                                        struct buf *out, struct err *err),
                     const struct serve_self *self, struct public_say *say)
{
    CLEANUP(reader_release) struct reader *reader = NULL;
    CLEANUP_BUF struct buf body = BUF(PUBLIC_BODY_MAX);
    struct err err;

    if (reads_control(site->reads, &reader, &err) != ERR_OK ||
        write(reader, self, &body, &err) != ERR_OK)
        public_call_fail(say, &err);
    else
        say_signed(site, what, &body, say);
}

PUBLIC_HANDLER(public_peer_checkpoints)
{
    CLEANUP_BUF struct buf told = BUF(PUBLIC_BODY_MAX);
    struct serve_self self;

    (void)rest;
    if (!who(site, ask, &self, say) || !tell_snapshots(site, false, &self, &told, say))
        return;
    self.has_payload = public_payload_kept(site, self.payload);
    say_list(site, "checkpoints", serve_self_checkpoints, &self, say);
}

PUBLIC_HANDLER(public_peer_revocations)
{
    struct serve_self self;

    (void)rest;
    if (who(site, ask, &self, say))
        say_list(site, "revocations", serve_self_revocations, &self, say);
}

struct range {
    uint64_t from, count;
};

static bool read_range(const struct public_ask *ask, uint64_t most, struct range *out,
                       struct public_say *say)
{
    char what[64];

    if (!public_number_height(ask->value(ask->arg, "from"), &out->from)) {
        public_call_error(say, 400, "from must be a height");
        return false;
    }
    if (public_number_height(ask->value(ask->arg, "count"), &out->count) &&
        out->count >= 1 && out->count <= most)
        return true;
    (void)snprintf(what, sizeof(what), "count must be from 1 to %llu",
                   (unsigned long long)most);
    public_call_error(say, 400, what);
    return false;
}

static bool read_form(const struct public_ask *ask, bool *compact)
{
    const char *form = ask->value(ask->arg, "form");

    *compact = form && strcmp(form, "compact") == 0;
    return !form || *compact || strcmp(form, "json") == 0;
}

PUBLIC_HANDLER(public_peer_headers)
{
    CLEANUP(reader_release) struct reader *reader = NULL;
    struct range range;
    bool compact;
    struct err err;

    (void)rest;
    if (!read_range(ask, HEADERS_WIRE_MAX, &range, say))
        return;
    if (!read_form(ask, &compact)) {
        public_call_error(say, 400, "form must be json or compact");
        return;
    }
    say->body.max = HEADERS_WIRE_BYTES_MAX;
    say->type = compact ? "application/octet-stream" : "application/x-ndjson";
    if (reads_chain(site->reads, &reader, &err) != ERR_OK ||
        serve_chain_headers(reader, range.from, (size_t)range.count, compact,
                            &say->body, &err) != ERR_OK)
        public_call_fail(say, &err);
}

PUBLIC_HANDLER(public_peer_blocks)
{
    CLEANUP(reader_release) struct reader *reader = NULL;
    struct range range;
    struct err err;

    (void)rest;
    if (!read_range(ask, BLOCKS_WIRE_MAX, &range, say))
        return;
    say->body.max = BLOCKS_WIRE_BYTES_MAX;
    say->type = "application/x-ndjson";
    if (reads_chain(site->reads, &reader, &err) != ERR_OK ||
        serve_chain_blocks(reader, range.from, (size_t)range.count, &say->body, &err) !=
            ERR_OK)
        public_call_fail(say, &err);
}
