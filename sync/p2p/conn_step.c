#include <errno.h>
#include <sys/socket.h>

#include "sync/p2p/node.h"

static void step_tls(struct p2p *p, struct conn *c)
{
    c->tls_wants_write = false;
    switch (tls_handshake(c->tls)) {
    case TLS_OK:
        c->state = CONN_UPGRADING;
        break;
    case TLS_WANT_WRITE:
        c->tls_wants_write = true;
        break;
    case TLS_WANT_READ:
        break;
    case TLS_ENDED:
    case TLS_FAILED:
        conn_fail(p, c, REASON_PEER_BAD_ANSWER, "no TLS could be agreed on");
        break;
    }
}

/* --- the upgrade --- */

/* False: not yet, or it is over. */
static bool send_head(struct p2p *p, struct conn *c)
{
    while (c->head_sent < c->head_out.len) {
        ssize_t n = sock_write(c, c->head_out.data + c->head_sent,
                               c->head_out.len - c->head_sent);

        if (n == SOCK_ENDED)
            conn_close(p, c, REASON_PEER_UNREACHABLE, "the connection broke");
        if (n < 0)
            return false;
        c->head_sent += (size_t)n;
    }
    return true;
}

/* The length of the head once it is whole; 0: not yet, or it is over. */
static size_t read_head(struct p2p *p, struct conn *c)
{
    char bytes[1024];
    size_t room, before, end;
    ssize_t n;

    for (;;) {
        room = UPGRADE_HEAD_MAX - c->in.len;
        n = sock_read(c, bytes, room < sizeof(bytes) ? room : sizeof(bytes));
        if (n == SOCK_ENDED)
            conn_close(p, c, REASON_PEER_UNREACHABLE, "it left before the upgrade");
        if (n < 0)
            return 0;
        before = c->in.len;
        buf_put(&c->in, bytes, (size_t)n);
        end = upgrade_head_end(c->in.data, c->in.len, before);
        if (end > 0)
            return end;
        if (c->in.len == UPGRADE_HEAD_MAX ||
            !upgrade_may_begin(c->in.data, c->in.len, c->inbound)) {
            conn_fail(p, c, REASON_PEER_BAD_ANSWER,
                      "no upgrade of HTTP/1.1, or one of over 8 KiB");
            return 0;
        }
    }
}

static void upgraded(struct p2p *p, struct conn *c)
{
    buf_fini(&c->head_out);
    c->head_sent = 0;
    if (c->in_taken == c->in.len) {
        buf_fini(&c->in);
        c->in_taken = 0;
    }
    c->state = CONN_HANDSHAKING;
    ws_create(p, c);
    post_handshake(p, c);
}

static void step_client_upgrade(struct p2p *p, struct conn *c)
{
    char accept[UPGRADE_ACCEPT];
    struct err err;

    if (!send_head(p, c))
        return;
    c->in_taken = read_head(p, c);
    if (c->in_taken == 0)
        return;
    upgrade_accept(c->dialled->key, accept);
    if (upgrade_read_answer(c->in.data, c->in_taken, accept, &err) != ERR_OK)
        conn_fail(p, c, err.reason, err.msg);
    else
        upgraded(p, c);
}

static void step_server_upgrade(struct p2p *p, struct conn *c)
{
    char accept[UPGRADE_ACCEPT];
    struct err err;

    if (c->in_taken == 0) {
        c->in_taken = read_head(p, c);
        if (c->in_taken == 0)
            return;
        if (upgrade_read_request(c->in.data, c->in_taken, accept, &err) != ERR_OK) {
            upgrade_put_refusal(&c->head_out);
            (void)send_head(p, c); /* as much as fits; it ends either way */
            conn_fail(p, c, err.reason, err.msg);
            return;
        }
        upgrade_put_answer(accept, &c->head_out);
    }
    if (send_head(p, c))
        upgraded(p, c);
}

/* --- parting --- */

/* Closing a socket with bytes unread would destroy what the peer has not read yet; but
   who goes on sending is not listened to for ever. */
static void discard(struct p2p *p, struct conn *c)
{
    char bytes[4096];

    for (;;) {
        ssize_t n = recv(c->fd, bytes, sizeof(bytes), 0);

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (n > 0)
            c->discarded += (size_t)n;
        if (n <= 0 || c->discarded > CONN_DISCARD_MAX) {
            conn_kill(p, c);
            return;
        }
    }
}

static void step_closing(struct p2p *p, struct conn *c)
{
    if (ws_wants_write(c))
        ws_send(p, c);
    if (ws_ended(c)) {
        conn_kill(p, c);
        return;
    }
    if (!ws_wants_write(c) && !c->shut) {
        c->shut = true;
        (void)shutdown(c->fd, SHUT_WR);
    }
    discard(p, c);
}

static void step_once(struct p2p *p, struct conn *c)
{
    switch (c->state) {
    case CONN_RESOLVING:
        break;
    case CONN_CONNECTING:
        p2p_dial_connected(p, c);
        break;
    case CONN_TLS:
        step_tls(p, c);
        break;
    case CONN_UPGRADING:
        if (c->inbound)
            step_server_upgrade(p, c);
        else
            step_client_upgrade(p, c);
        break;
    case CONN_HANDSHAKING:
        ws_send(p, c); /* our handshake goes before any answer to theirs */
        if (c->state != CONN_CLOSING)
            ws_receive(p, c);
        if (c->state != CONN_CLOSING)
            ws_send(p, c);
        break;
    case CONN_OPEN:
        ws_receive(p, c);
        if (c->state != CONN_CLOSING)
            ws_send(p, c);
        break;
    case CONN_CLOSING:
        step_closing(p, c);
        break;
    }
}

void conn_step(struct p2p *p, struct conn *c)
{
    enum conn_state before;

    do {
        before = c->state;
        step_once(p, c);
    } while (c->state != before && !c->dead);
    conn_watch(p, c);
}
