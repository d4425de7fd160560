#include <sodium.h>
#include <string.h>
#include <wslay/wslay.h>

#include "base/mem.h"
#include "sync/p2p/node.h"

/*
 * wslay keeps frames and control frames in order; messages are gathered here, in a
 * buffer that grows with what has come and not with what a frame announces.
 */
struct ws {
    wslay_event_context_ptr ctx;
    struct p2p *p;
    struct conn *c;
    struct buf message;
    bool control; /* the frame that is being received */
    bool ended;   /* the transport */
};

enum { FRAME_COST = 8 }; /* bytes of a frame that are not the message's */

/* So much at once, then so much a second (protocol.md 9.2).  What comes in may have
   been squeezed together on its way, so there is a quarter more. */
static const struct budget_rule in_bytes = {1.25 * ENVELOPE_MAX, ENVELOPE_MAX / 10.0};
static const struct budget_rule in_control = {125, 100};

static ssize_t from_head(struct conn *c, uint8_t *bytes, size_t len)
{
    size_t left = c->in.len - c->in_taken, n = left < len ? left : len;

    memcpy(bytes, c->in.data + c->in_taken, n);
    c->in_taken += n;
    if (c->in_taken == c->in.len) {
        buf_fini(&c->in);
        c->in_taken = 0;
    }
    return (ssize_t)n;
}

static ssize_t later_or_ended(struct ws *w, ssize_t n)
{
    w->ended = w->ended || n == SOCK_ENDED;
    wslay_event_set_error(w->ctx, n == SOCK_LATER ? WSLAY_ERR_WOULDBLOCK
                                                  : WSLAY_ERR_CALLBACK_FAILURE);
    return -1;
}

static ssize_t on_read(wslay_event_context_ptr ctx, uint8_t *bytes, size_t len,
                       int flags, void *arg)
{
    struct ws *w = arg;
    struct conn *c = w->c;
    ssize_t n = SOCK_LATER;

    (void)ctx;
    (void)flags;
    if (c->in.len > 0) /* it came along with the head of the upgrade */
        return from_head(c, bytes, len);
    if (c->quota > 0 || (c->tls && tls_pending(c->tls)))
        n = sock_read(c, bytes, len);
    if (n < 0)
        return later_or_ended(w, n);
    c->quota -= (size_t)n < c->quota ? (size_t)n : c->quota;
    c->heard_ms = w->p->now_ms;
    c->pong_due = false;
    return n;
}

static ssize_t on_write(wslay_event_context_ptr ctx, const uint8_t *bytes, size_t len,
                        int flags, void *arg)
{
    struct ws *w = arg;
    ssize_t n = sock_write(w->c, bytes, len);

    (void)ctx;
    (void)flags;
    return n < 0 ? later_or_ended(w, n) : n;
}

static int on_mask(wslay_event_context_ptr ctx, uint8_t *bytes, size_t len, void *arg)
{
    (void)ctx;
    (void)arg;
    randombytes_buf(bytes, len);
    return 0;
}

static void forget_message(struct ws *w)
{
    w->p->in_total -= w->message.len;
    buf_fini(&w->message);
    w->c->partial_ms = 0;
}

/* Of all half messages the oldest goes: a crowd of them that are never ended then costs
   those who send them. */
static void make_room(struct p2p *p)
{
    struct conn *oldest = NULL;

    for (size_t i = 0; i < P2P_CONNECTIONS_MAX; i++) {
        struct conn *c = p->conns[i];

        if (c && c->ws && c->partial_ms > 0 &&
            (!oldest || c->partial_ms < oldest->partial_ms))
            oldest = c;
    }
    if (oldest) {
        forget_message(oldest->ws);
        conn_close(p, oldest, REASON_BUSY, "too many messages are under way");
    }
}

static void on_frame(wslay_event_context_ptr ctx,
                     const struct wslay_event_on_frame_recv_start_arg *frame, void *arg)
{
    struct ws *w = arg;
    struct conn *c = w->c;

    (void)ctx;
    w->control = wslay_is_ctrl_frame(frame->opcode);
    if (c->state != CONN_CLOSING &&
        (!budget_take(&c->in_bytes, &in_bytes, FRAME_COST, w->p->now_ms) ||
         (w->control && !budget_take(&c->in_control, &in_control, 1, w->p->now_ms))))
        conn_fail(w->p, c, REASON_PEER_FLOOD, "more frames than its budget");
}

static void on_bytes(wslay_event_context_ptr ctx,
                     const struct wslay_event_on_frame_recv_chunk_arg *chunk, void *arg)
{
    struct ws *w = arg;
    struct conn *c = w->c;

    (void)ctx;
    if (c->state == CONN_CLOSING)
        return;
    if (!budget_take(&c->in_bytes, &in_bytes, (double)chunk->data_length,
                     w->p->now_ms)) {
        conn_fail(w->p, c, REASON_PEER_FLOOD, "more bytes than its budget");
    } else if (!w->control) {
        size_t before = w->message.len;

        if (c->partial_ms == 0)
            c->partial_ms = w->p->now_ms;
        buf_put(&w->message, chunk->data, chunk->data_length);
        w->p->in_total += w->message.len - before;
        if (w->message.full)
            conn_fail(w->p, c, REASON_PEER_BAD_MESSAGE, "a message of over 1 MiB");
        else if (w->p->in_total > IN_TOTAL_MAX)
            make_room(w->p);
    }
}

static void on_message(wslay_event_context_ptr ctx,
                       const struct wslay_event_on_msg_recv_arg *arg, void *user)
{
    struct ws *w = user;
    struct buf message = w->message;

    (void)ctx;
    if (wslay_is_ctrl_frame(arg->opcode))
        return;
    w->message = BUF(ENVELOPE_MAX);
    w->c->partial_ms = 0;
    w->p->in_total -= message.len;
    if (w->c->state != CONN_CLOSING && message.len > 0)
        talk_message(w->p, w->c, message.data, message.len);
    buf_fini(&message);
}

void ws_create(struct p2p *p, struct conn *c)
{
    static const struct wslay_event_callbacks callbacks = {
        .recv_callback = on_read,
        .send_callback = on_write,
        .genmask_callback = on_mask,
        .on_frame_recv_start_callback = on_frame,
        .on_frame_recv_chunk_callback = on_bytes,
        .on_msg_recv_callback = on_message,
    };
    struct ws *w = xcalloc(1, sizeof(*w));
    int rc;

    w->p = p;
    w->c = c;
    w->message = BUF(ENVELOPE_MAX);
    rc = c->inbound ? wslay_event_context_server_init(&w->ctx, &callbacks, w)
                    : wslay_event_context_client_init(&w->ctx, &callbacks, w);
    if (rc != 0)
        abort(); /* memory (docs/adr/0001) */
    wslay_event_config_set_no_buffering(w->ctx, 1);
    wslay_event_config_set_max_recv_msg_length(w->ctx, ENVELOPE_MAX);
    c->ws = w;
}

void ws_free(struct ws *w)
{
    if (!w)
        return;
    forget_message(w);
    wslay_event_context_free(w->ctx);
    free(w);
}

void ws_receive(struct p2p *p, struct conn *c)
{
    struct ws *w = c->ws;

    bool good;

    c->quota = CONN_STEP_BYTES;
    good = wslay_event_recv(w->ctx) == 0;
    if (w->ended)
        conn_close(p, c, REASON_PEER_UNREACHABLE, "the connection broke");
    else if (wslay_event_get_close_received(w->ctx))
        conn_close(p, c, REASON_PEER_UNREACHABLE, "it left");
    else if (!good || !wslay_event_get_read_enabled(w->ctx))
        conn_fail(p, c, REASON_PEER_BAD_MESSAGE, "frames that break RFC 6455");
}

void ws_send(struct p2p *p, struct conn *c)
{
    struct ws *w = c->ws;
    struct parcel *parcel;

    do {
        parcel = NULL;
        if (wslay_event_get_queued_msg_count(w->ctx) == 0 && c->state != CONN_CLOSING &&
            (parcel = post_next(p, c))) {
            struct wslay_event_msg msg = {.opcode = WSLAY_TEXT_FRAME,
                                          .msg = (const uint8_t *)parcel->text,
                                          .msg_length = parcel->len};

            (void)wslay_event_queue_msg(w->ctx, &msg); /* copies */
            free(parcel);
        }
        if (wslay_event_send(w->ctx) != 0 || w->ended) {
            w->ended = true;
            conn_close(p, c, REASON_PEER_UNREACHABLE, "the connection broke");
            return;
        }
    } while (parcel && !wslay_event_want_write(w->ctx));
}

void ws_ping(struct conn *c)
{
    struct wslay_event_msg msg = {.opcode = WSLAY_PING};

    (void)wslay_event_queue_msg(c->ws->ctx, &msg); /* refused once it closes */
}

void ws_end(struct conn *c, uint16_t code)
{
    wslay_event_shutdown_read(c->ws->ctx);
    /* Refused when a close frame waits already, as after a broken rule of frames. */
    (void)wslay_event_queue_close(c->ws->ctx, code, NULL, 0);
}

bool ws_wants_write(const struct conn *c)
{
    return !c->ws->ended && wslay_event_want_write(c->ws->ctx) != 0;
}

bool ws_ended(const struct conn *c)
{
    return c->ws->ended;
}
