#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/hex.h"
#include "base/mem.h"
#include "sync/p2p/node.h"

enum {
    PATH_TEXT = 1024,
    /* Requests and lookups, a drop and an event of each connection, and to spare. */
    INBOX_MAX = 2 * P2P_REQUESTS_MAX + 2 * P2P_CONNECTIONS_MAX,
    SEEN_MAX = 1 << 16,
    OUTBOUND_SLOTS = 64, /* of P2P_CONNECTIONS_MAX those that nobody else fills */
};

struct p2p_request *p2p_request_new(enum p2p_ask ask)
{
    struct p2p_request *r = xcalloc(1, sizeof(*r));

    r->ask = ask;
    return r;
}

void p2p_request_free(struct p2p_request *r)
{
    if (!r)
        return;
    free(r->body);
    free(r);
}

static void *run(void *arg)
{
    p2p_loop_run(arg);
    return NULL;
}

static void on_lookup(void *arg, struct lookup *l)
{
    struct note *note = xcalloc(1, sizeof(*note));

    note->kind = NOTE_LOOKUP;
    note->lookup = l;
    p2p_loop_note(arg, note);
}

static void close_fd(int fd)
{
    if (fd >= 0)
        (void)close(fd);
}

static void free_all(struct p2p *p)
{
    struct note *note;

    if (!p)
        return;
    resolver_stop(p->resolver);
    while ((note = chan_recv_for(p->inbox, 0))) { /* lookups that came too late */
        free(note->lookup);
        free(note);
    }
    close_fd(p->listen_fd);
    close_fd(p->wake_fd);
    close_fd(p->epoll_fd);
    tls_close(p->tls);
    p2p_key_close(p->key);
    envelope_seen_free(p->seen);
    chan_free(p->inbox);
    free(p->api_endpoint);
    free(p->allow);
    free(p);
}
DEFINE_CLEANUP(struct p2p, free_all)

static void copy_config(struct p2p *p, const struct p2p_config *cfg)
{
    const unsigned most = P2P_CONNECTIONS_MAX - OUTBOUND_SLOTS;

    p->cfg = *cfg;
    if (p->cfg.max_inbound > most)
        p->cfg.max_inbound = most;
    p->answers = *cfg->answers;
    p->api_endpoint = cfg->api_endpoint ? xstrdup(cfg->api_endpoint) : NULL;
    p->allow = xcalloc(cfg->allow_count + 1, sizeof(p->allow[0]));
    for (size_t i = 0; i < cfg->allow_count; i++)
        p->allow[i] = cfg->allow_networks[i];
    p->epoll_fd = p->listen_fd = p->wake_fd = -1;
    p->inbox = chan_create(INBOX_MAX);
    p->seen = envelope_seen_create(SEEN_MAX);
}

static enum errc open_keys(struct p2p *p, struct err *err)
{
    char path[PATH_TEXT];
    uint8_t digest[32];
    int n = snprintf(path, sizeof(path), "%s/p2p.key", p->cfg.data_dir);

    if (n < 0 || (size_t)n >= sizeof(path))
        return err_set(err, ERR_INVALID, "the data directory's path is too long");
    if (p2p_key_open(path, &p->key, err) != ERR_OK)
        return err->code;
    p2p_key_public(p->key, p->public);
    hash_sha256(p->public, sizeof(p->public), digest);
    hex_encode(digest, (sizeof(p->node_id) - 1) / 2, p->node_id);
    return tls_open(p->cfg.data_dir, &p->tls, err);
}

static enum errc open_epoll(struct p2p *p, struct err *err)
{
    struct epoll_event ev = {.events = EPOLLIN, .data.u64 = P2P_WAKE_ID};

    p->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    p->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (p->epoll_fd < 0 || p->wake_fd < 0 ||
        epoll_ctl(p->epoll_fd, EPOLL_CTL_ADD, p->wake_fd, &ev) != 0)
        return err_errno(err, "epoll");
    return p->cfg.listen ? p2p_listen_open(p, err) : ERR_OK;
}

/* The new thread takes no signals: they are main's. */
static bool start_thread(struct p2p *p)
{
    sigset_t all, before;
    bool ok;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    ok = pthread_create(&p->thread, NULL, run, p) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return ok;
}

enum errc p2p_start(const struct p2p_config *cfg, struct p2p **out, struct err *err)
{
    CLEANUP(free_all) struct p2p *p = xcalloc(1, sizeof(*p));

    copy_config(p, cfg);
    if (open_keys(p, err) != ERR_OK || open_epoll(p, err) != ERR_OK ||
        resolver_start(on_lookup, p, &p->resolver, err) != ERR_OK)
        return err->code;
    if (!start_thread(p))
        return err_fail(err, REASON_INTERNAL, "cannot start the P2P thread");
    *out = TAKE(p);
    return ERR_OK;
}

const char *p2p_address(const struct p2p *p)
{
    return p->address;
}

void p2p_public_key(const struct p2p *p, uint8_t out[33])
{
    memcpy(out, p->public, sizeof(p->public));
}

static struct note *new_note(enum note_kind kind)
{
    struct note *note = xcalloc(1, sizeof(*note));

    note->kind = kind;
    return note;
}

void p2p_submit(struct p2p *p, struct p2p_request *r)
{
    struct note *note = new_note(NOTE_REQUEST);

    note->request = r;
    p2p_loop_note(p, note);
}

void p2p_drop(struct p2p *p, uint64_t conn, int64_t ban_ms)
{
    struct note *note = new_note(NOTE_DROP);

    note->conn = conn;
    note->ban_ms = ban_ms;
    p2p_loop_note(p, note);
}

void p2p_announce(struct p2p *p, const uint8_t hash[32])
{
    struct note *note = new_note(NOTE_ANNOUNCE);

    memcpy(note->hash, hash, sizeof(note->hash));
    p2p_loop_note(p, note);
}

void p2p_event_free(struct p2p *p, struct p2p_event *ev)
{
    free(ev);
    if (ev && p && atomic_fetch_sub(&p->events_out, 1) == P2P_EVENTS_MAX)
        (void)eventfd_write(p->wake_fd, 1);
}

void p2p_stop(struct p2p *p)
{
    if (!p)
        return;
    atomic_store(&p->stopping, true);
    (void)eventfd_write(p->wake_fd, 1);
    (void)pthread_join(p->thread, NULL);
    free_all(p);
}
