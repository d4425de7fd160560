#ifndef SYNC_P2P_NODE_H
#define SYNC_P2P_NODE_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/chan.h"
#include "sync/p2p/budget.h"
#include "sync/p2p/p2p.h"
#include "sync/p2p/resolver.h"
#include "sync/p2p/tls.h"
#include "sync/p2p/upgrade.h"
#include "sync/p2p/ws_url.h"

/*
 * The inside of the P2P thread, shared by the files of sync/p2p and by nobody else.
 * All of it is that thread's but for what says otherwise.
 *
 * A connection ends in two steps: conn_close says so to everybody at once and leaves it
 * in CONN_CLOSING, to part politely; the loop frees it when it is dead.  So a pointer
 * to a connection is good until the loop's next turn.
 */
enum {
    CONN_SLOTS = 2048, /* an id is serial * CONN_SLOTS + slot */
    CONN_ASKS_IN_FLIGHT = 8,
    CONN_ANNOUNCED = 8,
    CONN_STEP_BYTES =
        64 * 1024, /* read at a turn, so that nobody holds the others up */
    CONN_DISCARD_MAX = 256 * 1024, /* of what comes after the end */
    CONN_OUT_MAX = 2 << 20,
    ANSWER_MAX = ENVELOPE_MAX - (16 << 10), /* leaves room for the envelope */
    IN_TOTAL_MAX = 64 << 20,                /* half-received messages of all */
    OUT_TOTAL_MAX = 64 << 20,
    BANS_MAX = 1024,
    ALLOWANCES_MAX = 1024,
};

enum conn_state {
    CONN_RESOLVING,
    CONN_CONNECTING,
    CONN_TLS,
    CONN_UPGRADING,
    CONN_HANDSHAKING,
    CONN_OPEN,
    CONN_CLOSING,
};

/* A request of the engine that waits for its turn or its reply. */
struct ask {
    struct ask *next;
    struct p2p_request *r;
    int64_t started_ms, deadline_ms;
    uint64_t offset; /* of the get_chain_range that was sent */
    uint64_t ping;   /* which one followed its getdata; 0: none */
    unsigned sent;   /* how often */
};

/* One sealed message that waits for the budget. */
struct parcel {
    struct parcel *next;
    size_t len;
    char text[];
};

struct ws;

struct conn {
    uint64_t id;
    enum conn_state state;
    bool inbound, opened, dead, shut; /* shut: nothing more is written */
    int fd;
    uint32_t interest; /* what epoll watches */
    struct tls_link *tls;
    bool tls_wants_write;
    struct ws *ws;

    struct cidr address;
    char ip[46];
    uint16_t port;
    struct dialled {                 /* outbound alone */
        struct p2p_request *request; /* NULL once answered */
        char text[P2P_URL_MAX];
        struct ws_url url;
        bool hostile;
        struct cidr addresses[RESOLVER_ADDRESSES_MAX];
        size_t count, next;
        char key[UPGRADE_KEY];
    } * dialled;

    int64_t since_ms,
        deadline_ms; /* deadline: of the states before OPEN, and of closing */
    int64_t heard_ms, message_ms; /* last byte, last message */
    int64_t pinged_ms, announced_ms, partial_ms;
    bool pong_due;

    struct buf in;   /* an upgrade's head, and what came along with it */
    size_t in_taken; /* of bytes after the head: those the WebSocket has had */
    size_t quota;    /* of CONN_STEP_BYTES, what is left of this turn */
    size_t discarded;
    struct buf head_out;
    size_t head_sent;
    struct parcel *out_first, *out_last;
    size_t out_bytes;

    struct budget in_messages, in_bytes, in_control, out_messages, out_sent, served,
        faults;
    int64_t checkpoint_ms, payload_ms; /* when one may be asked for again */

    uint8_t key[33];
    uint64_t count; /* its blocks, as it says */
    char api_endpoint[256];
    struct ask *asks; /* in order; the first ones are in flight */
    unsigned late_ranges, late_blocks, late_payloads; /* replies that may still come */
    uint64_t pings, pongs;              /* messages, not frames: sent and answered */
    uint64_t announced[CONN_ANNOUNCED]; /* of block hashes, the first bytes */
    size_t announced_next;
};

/* What the engine is to be told, in order. */
struct news {
    struct news *next;
    struct p2p_event *event; /* or */
    struct p2p_request *request;
};

struct ban {
    struct cidr address;
    int64_t until_ms;
};

/* What all connections of one address were told of checkpoints: who leaves and comes
   back is not told more than who stays. */
struct allowance {
    struct cidr address;
    struct budget told;
};

struct p2p {
    struct p2p_config cfg; /* its texts and tables are ours */
    struct p2p_answers answers;
    char *api_endpoint;
    struct cidr *allow;

    struct chan *inbox;
    int wake_fd;
    pthread_t thread;
    atomic_bool stopping;
    atomic_uint events_out; /* told, and not freed */
    char address[64];

    struct p2p_key *key;
    uint8_t public[33];
    char node_id[17];
    struct tls *tls;
    struct resolver *resolver;

    int epoll_fd, listen_fd;
    bool accepting; /* epoll watches listen_fd */
    struct conn *conns[P2P_CONNECTIONS_MAX];
    size_t conn_count;
    uint64_t serial;
    struct envelope_seen *seen;
    struct news *news_first, *news_last;
    struct budget strangers; /* faults of those without a handshake that are told */
    struct ban bans[BANS_MAX];
    size_t ban_next;
    struct allowance allowances[ALLOWANCES_MAX];
    size_t in_total, out_total;
    int64_t now_ms, ticked_ms; /* monotonic; now: of this turn */
    bool hurry, reap;          /* somebody waits for a budget; somebody is dead */
};

/* What epoll says of descriptors that are no connection's. */
enum { P2P_WAKE_ID = P2P_CONNECTIONS_MAX, P2P_LISTEN_ID };

/* --- messages to the thread --- */
enum note_kind { NOTE_REQUEST, NOTE_DROP, NOTE_ANNOUNCE, NOTE_LOOKUP };
struct note {
    enum note_kind kind;
    struct p2p_request *request;
    struct lookup *lookup;
    uint64_t conn;
    int64_t ban_ms;
    uint8_t hash[32];
};

/* --- p2p_loop.c: the thread --- */
void p2p_loop_run(struct p2p *p);
void p2p_loop_note(struct p2p *p, struct note *note); /* any thread */

/* --- p2p_listen.c, p2p_admit.c --- */
enum errc p2p_listen_open(struct p2p *p, struct err *err);
void p2p_listen_accept(struct p2p *p);
void p2p_listen_resume(struct p2p *p);
/* May address come in now?  May make room by ending another. */
bool p2p_admit_address(struct p2p *p, const struct cidr *address);
void p2p_admit_ban(struct p2p *p, const struct cidr *address, int64_t ban_ms);

/* --- p2p_dial.c: outbound --- */
void p2p_dial_begin(struct p2p *p, struct p2p_request *r);
void p2p_dial_resolved(struct p2p *p, struct lookup *l);
void p2p_dial_connected(struct p2p *p, struct conn *c);

/* --- conn.c: lifetime --- */
struct conn *conn_create(struct p2p *p); /* NULL: all slots are taken */
struct conn *conn_find(struct p2p *p, uint64_t id);
void conn_attach(struct p2p *p, struct conn *c, int fd, const struct cidr *address,
                 uint16_t port);
void conn_begin(struct p2p *p, struct conn *c); /* connected: TLS or the upgrade */
void conn_close(struct p2p *p, struct conn *c, enum reason reason, const char *why);
/* It broke the protocol.  lie, or one too many: closed. */
void conn_fault(struct p2p *p, struct conn *c, enum reason reason, bool lie,
                const char *detail);
void conn_fail(struct p2p *p, struct conn *c, enum reason reason, const char *why);
void conn_kill(struct p2p *p, struct conn *c); /* freed at the end of the turn */
void conn_free(struct p2p *p, struct conn *c);
void conn_watch(struct p2p *p, struct conn *c);

/* --- conn_tick.c: deadlines --- */
void conn_tick(struct p2p *p, struct conn *c);
void conn_tick_forgive(struct p2p *p, struct conn *c);

/* --- conn_step.c: what readiness leads to --- */
void conn_step(struct p2p *p, struct conn *c);

/* --- sock.c: bytes, plain or TLS --- */
enum sock_result { SOCK_ENDED = -1, SOCK_LATER = -2 };
ssize_t sock_read(struct conn *c, void *bytes, size_t len); /* or a sock_result */
ssize_t sock_write(struct conn *c, const void *bytes, size_t len);
void sock_address_text(const struct cidr *address, char out[46]);
socklen_t sock_address_put(const struct cidr *address, uint16_t port,
                           struct sockaddr_storage *out);
bool sock_address_take(const struct sockaddr_storage *from, struct cidr *address,
                       uint16_t *port);

/* --- ws.c: frames --- */
void ws_create(struct p2p *p, struct conn *c);
void ws_free(struct ws *w);
void ws_receive(struct p2p *p, struct conn *c);
void ws_send(struct p2p *p, struct conn *c); /* parcels, as the budget lets */
void ws_ping(struct conn *c);
void ws_end(struct conn *c, uint16_t code); /* queues the close frame */
bool ws_wants_write(const struct conn *c);
bool ws_ended(const struct conn *c); /* the close frames are through */

/* --- post.c: parcels --- */
/* payload: canonical text.  False: its queue is full. */
bool post_message(struct p2p *p, struct conn *c, const struct buf *payload);
/* What it asked for.  False too when all queues are full: those who ask and do not read
   hold up each other, and not what we ask. */
bool post_answer(struct p2p *p, struct conn *c, const struct buf *payload);
bool post_plain(struct p2p *p, struct conn *c, enum message_type type);
void post_handshake(struct p2p *p, struct conn *c);
void post_announce(struct p2p *p, const uint8_t hash[32]);
struct parcel *post_next(struct p2p *p, struct conn *c); /* NULL: none may go now */
void post_clear(struct p2p *p, struct conn *c);

/* --- talk.c: a message that came --- */
void talk_message(struct p2p *p, struct conn *c, const char *text, size_t len);
bool talk_announced(const struct conn *c, const uint8_t hash[32]); /* by its inv */

/* --- ask.c, ask_reply.c --- */
void ask_begin(struct p2p *p, struct p2p_request *r);
void ask_pump(struct p2p *p, struct conn *c);
void ask_tick(struct p2p *p, struct conn *c);
void ask_end_all(struct p2p *p, struct conn *c, enum reason reason, const char *why);
void ask_finish(struct p2p *p, struct conn *c, struct ask *a);
bool ask_send_range(struct p2p *p, struct conn *c, struct ask *a, uint64_t offset);
void ask_reply_take(struct p2p *p, struct conn *c, const struct message *m);
/* It came, and cannot be read: nobody waits for a better one. */
void ask_reply_bad(struct p2p *p, struct conn *c, enum message_type type,
                   const struct err *why);

/* --- serve.c: what others ask --- */
void serve_message(struct p2p *p, struct conn *c, const struct message *m);

/* --- tell.c: what the engine hears --- */
void tell_event(struct p2p *p, struct conn *c, const struct p2p_event *what);
void tell_done(struct p2p *p, struct p2p_request *r);
void tell_flush(struct p2p *p); /* as far as the engine has room */
void tell_stop(struct p2p *p);  /* requests back, events away */

#endif
