#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "sync/p2p/node.h"

enum { READY_MAX = 64, TICK_MS = 250, HURRY_MS = 20 };

void p2p_loop_note(struct p2p *p, struct note *note)
{
    if (!chan_try_send(p->inbox, note))
        abort(); /* more than may be outstanding, or after p2p_stop: a bug */
    (void)eventfd_write(p->wake_fd, 1);
}

static void take_note(struct p2p *p, struct note *note)
{
    struct conn *c;

    switch (note->kind) {
    case NOTE_REQUEST:
        if (note->request->ask == P2P_DIAL)
            p2p_dial_begin(p, note->request);
        else
            ask_begin(p, note->request);
        break;
    case NOTE_LOOKUP:
        p2p_dial_resolved(p, note->lookup);
        break;
    case NOTE_DROP:
        c = conn_find(p, note->conn);
        if (c && note->ban_ms > 0)
            p2p_admit_ban(p, &c->address, note->ban_ms);
        if (c)
            conn_close(p, c, REASON_CANCELLED, "we dropped it");
        break;
    case NOTE_ANNOUNCE:
        post_announce(p, note->hash);
        break;
    }
    free(note);
}

static void take_notes(struct p2p *p)
{
    struct note *note;

    while ((note = chan_recv_for(p->inbox, 0)))
        take_note(p, note);
}

/* The engine has as many events as it is to have: no more may come about. */
static bool is_stalled(const struct p2p *p)
{
    return p->news_first != NULL;
}

static void take_ready(struct p2p *p, const struct epoll_event *ready, int n)
{
    for (int i = 0; i < n && !is_stalled(p); i++) {
        uint64_t id = ready[i].data.u64;
        struct conn *c;

        if (id == P2P_WAKE_ID)
            continue;
        if (id == P2P_LISTEN_ID) {
            p2p_listen_accept(p);
            continue;
        }
        c = conn_find(p, id);
        if (c && !c->dead)
            conn_step(p, c);
        tell_flush(p);
    }
}

static void wait_for_work(struct p2p *p)
{
    struct epoll_event ready[READY_MAX];
    struct pollfd wake = {.fd = p->wake_fd, .events = POLLIN};
    eventfd_t count;
    int n = 0;

    if (is_stalled(p))
        (void)poll(&wake, 1, TICK_MS);
    else
        n = epoll_wait(p->epoll_fd, ready, READY_MAX, p->hurry ? HURRY_MS : TICK_MS);
    (void)eventfd_read(p->wake_fd, &count);
    p->now_ms = clock_mono_ms();
    take_ready(p, ready, n);
}

/* Budgets refill all the time; the rest is looked at now and then. */
static void send_more(struct p2p *p)
{
    p->hurry = false;
    for (size_t i = 0; i < P2P_CONNECTIONS_MAX; i++) {
        struct conn *c = p->conns[i];

        if (c && c->out_first && c->ws && c->state != CONN_CLOSING) {
            ws_send(p, c);
            conn_watch(p, c);
        }
    }
}

static void tick(struct p2p *p)
{
    if (p->now_ms - p->ticked_ms < TICK_MS)
        return;
    p->ticked_ms = p->now_ms;
    for (size_t i = 0; i < P2P_CONNECTIONS_MAX; i++)
        if (p->conns[i] && !p->conns[i]->dead)
            conn_tick(p, p->conns[i]);
    p2p_listen_resume(p);
}

static void reap(struct p2p *p)
{
    p->reap = false;
    for (size_t i = 0; i < P2P_CONNECTIONS_MAX; i++)
        if (p->conns[i] && p->conns[i]->dead)
            conn_free(p, p->conns[i]);
}

/* While nothing was read for the engine's sake, nobody was silent. */
static void forgive(struct p2p *p)
{
    for (size_t i = 0; i < P2P_CONNECTIONS_MAX; i++)
        if (p->conns[i])
            conn_tick_forgive(p, p->conns[i]);
}

static void refuse_notes(struct p2p *p)
{
    struct note *note;

    while ((note = chan_recv_for(p->inbox, 0))) {
        if (note->request) {
            (void)err_fail(&note->request->err, REASON_SHUTTING_DOWN,
                           "the daemon is stopping");
            tell_done(p, note->request);
        }
        free(note->lookup);
        free(note);
    }
}

static void finish(struct p2p *p)
{
    refuse_notes(p);
    for (size_t i = 0; i < P2P_CONNECTIONS_MAX; i++) {
        struct conn *c = p->conns[i];

        if (!c)
            continue;
        conn_close(p, c, REASON_SHUTTING_DOWN, "the daemon is stopping");
        if (!c->dead)
            conn_step(p, c); /* the close frame, if it can go at once */
        conn_free(p, c);
    }
    tell_stop(p);
}

void p2p_loop_run(struct p2p *p)
{
    bool stalled = false;

    p->now_ms = clock_mono_ms();
    while (!atomic_load(&p->stopping)) {
        wait_for_work(p);
        take_notes(p);
        tell_flush(p);
        if (!is_stalled(p)) {
            if (stalled)
                forgive(p);
            if (p->hurry)
                send_more(p);
            tick(p);
            tell_flush(p);
        }
        stalled = is_stalled(p);
        if (p->reap)
            reap(p);
    }
    finish(p);
}
