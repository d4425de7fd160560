#ifndef SYNC_CORE_H
#define SYNC_CORE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/chan.h"
#include "base/pool.h"
#include "store/control.h"
#include "store/control_trust.h"
#include "store/state.h"
#include "sync/chain/block.h"
#include "sync/engine.h"
#include "sync/finds.h"
#include "sync/identity.h"
#include "sync/job_fsm.h"
#include "sync/p2p/p2p.h"
#include "sync/peer/peers.h"
#include "sync/peer/roster.h"
#include "sync/peer/transfer.h"
#include "sync/serve/rows.h"
#include "sync/snapshot/manifest.h"
#include "sync/snapshot/payload.h"
#include "sync/trust/trust_set.h"

/*
 * The inside of the engine, shared by the files of sync/ and by nobody else.  All of it
 * belongs to the engine thread but for what says otherwise.
 *
 * Work in progress carries an epoch: a fetch or a task whose epoch is not that of the
 * engine any more is dropped when it comes back, in one place (engine.c).
 */
enum {
    INBOX_CAP = 1024,
    FETCHES_MAX = 128, /* outstanding at the transfer thread */
    TASKS_MAX = 512,   /* outstanding at the workers; more than can ever be */
    ERRANDS_MAX = ENGINE_ERRANDS_MAX,
    PATH_TEXT = 1024,
};

/* --- messages --- */
enum msg_kind {
    MSG_CALL,
    MSG_FETCHED,
    MSG_ASKED, /* over P2P */
    MSG_LINK,  /* an event of a P2P connection */
    MSG_TASK,
    MSG_REFUSE,
    MSG_STOP,
};

struct msg {
    enum msg_kind kind;
    union {
        struct call *call;
        struct transfer_request *request;
        struct p2p_request *asked;
        struct p2p_event *link;
        struct task *task;
    } u;
};

/* One engine_call, on the caller's stack until it is answered. */
struct call {
    const struct engine_request *req;
    cJSON *result;
    struct err err;
    pthread_mutex_t lock; /* the reply slot */
    pthread_cond_t answered_cond;
    bool answered;
};
void call_answer(struct call *call, cJSON *result, const struct err *err);

/* --- one request to a peer or a source, and what to do with the answer --- */
struct fetch {
    uint64_t epoch;
    bool any_epoch;    /* of no job: the answer counts whenever it comes (P2P alone) */
    struct peer *peer; /* NULL: not a peer */
    uint64_t height, serial; /* as the handler likes */
    size_t slot;
    /* Runs on the engine thread; r stays the caller's. */
    void (*done)(struct engine *e, const struct fetch *f, struct transfer_request *r);
    /* Instead, for what only P2P peers are asked (sync/ask.h). */
    void (*told)(struct engine *e, const struct fetch *f, struct p2p_request *r);
};

/* --- one task of the workers; embed first --- */
struct job_task {
    struct task task;
    uint64_t epoch;
    bool any_epoch; /* of no job: its result counts whenever it comes */
    /* Runs on the engine thread when the epoch still holds. */
    void (*done)(struct engine *e, struct job_task *t);
    void (*free)(struct job_task *t); /* done() may set NULL to keep the task */
};

/* --- a generation that is open for writing --- */
struct gen {
    int64_t id;
    char dir[PATH_TEXT];
    struct chaindb *db;
    struct state *state;  /* NULL until mounted */
    uint64_t base_height; /* bodies are kept above it */
    uint8_t base_hash[32];
};

/* --- the policy in force: policy.c --- */
struct policy {
    struct trust_policy rules; /* the configuration, as certificates and the operator
                                  changed it */
    bool rotates;              /* the configured set can be followed by certificates */
    uint8_t first[32];         /* digest of the configured set */
    struct trust_set set;      /* the last that was followed to; when it rotates */
    bool own_threshold;        /* the operator's, not the set's */
};

/* --- what is known about one checkpoint: statements.c --- */
struct statements {
    struct trust_statement *list[TRUST_STATEMENTS_MAX];
    size_t count;
    bool revoked; /* by the operator here */
    char reason[TRUST_REASON_MAX + 1];
};

/* --- walking a peer's chain from a hash downwards: sync/chase.c --- */
enum { CHASE_WINDOW = 64, CHASE_SPANS = 4 };

enum chase_result { CHASE_DONE, CHASE_BROKEN, CHASE_REFUSED };

struct chase_slot {
    enum { SLOT_EMPTY, SLOT_ASKED, SLOT_DECODING, SLOT_READY } state;
    uint64_t height;
    struct peer *from;
    struct decoded *decoded;
    bool tried[PEERS_MAX];
};

struct chase_span { /* of headers alone: chase_span.c */
    enum { SPAN_EMPTY, SPAN_ASKED, SPAN_DECODING, SPAN_READY } state;
    uint64_t low, top;
    struct span *got; /* when READY */
};

struct chase_kept;
struct chase {
    bool active;
    uint64_t serial;          /* tells its blocks from those of the chase before */
    bool excluded[PEERS_MAX]; /* on another chain, or caught lying here */
    int64_t moved_mono_ms;    /* last progress */
    bool proof;               /* of a checkpoint: notes outputs, bodies are not kept */
    bool lone;                /* too few networks claim the target */
    size_t fetched;
    bool has_best;          /* a verified header was known at the start */
    uint64_t best_height;   /* of the best one */
    uint64_t floor;         /* lowest height of interest */
    uint8_t floor_hash[32]; /* what must be there; only when has_floor_hash */
    bool has_floor_hash;
    uint8_t target_hash[32];
    uint64_t target_height;
    uint8_t expect[32]; /* hash of the block at next */
    uint64_t next;
    bool at_floor; /* the walk went down to the floor without meeting a known header */
    struct gen *gen;
    uint8_t (*path)[32]; /* hashes from target_height down; path_len of them */
    size_t path_len, path_cap;
    bool walking;
    bool hurry;      /* more headers to walk over are at hand */
    bool off_floor;  /* it leads to another block at the floor */
    size_t unproved; /* of the path when it was whole */
    struct header_window
        *window;      /* while verifying, which pops the path from its end */
    struct work work; /* summed below the header verified next */
    size_t unproven;  /* headers at the floor that only fill the window */
    struct chase_slot slots[CHASE_WINDOW];
    bool headers_alone;      /* do, where a peer serves them */
    struct chase_kept *kept; /* headers that are here to be read; NULL: none left */
    size_t span_length;
    struct chase_span spans[CHASE_SPANS];
    unsigned char span_failures[PEERS_MAX]; /* in a row */
    int64_t span_moved_mono_ms;             /* last span that the walk went over */
    /* Called once; the chase is inactive then and may be started anew. */
    void (*done)(struct engine *e, enum chase_result result, const struct err *err);
};

/* --- the way from the tip to the best header: reorg.c --- */
struct reorg {
    uint8_t (
        *path)[32]; /* hashes from the best header down to the fork; path_len left */
    size_t path_len, path_cap;
    uint8_t best[32];
    uint64_t fork_height;
};

/* --- what peers made us store and nobody needs: sweep.c --- */
struct sweep {
    bool due;
    int64_t after;  /* of the headers that may go, the last one looked at */
    uint64_t *keep; /* of walks to be gone on with, n of them */
    size_t n;
};

enum { GIVEN_UP_MAX = 64 };

/* --- the job under way --- */
struct body;
struct chunks;
enum intake_kind {
    INTAKE_URL,
    INTAKE_PATH,
    INTAKE_INLINE,
    INTAKE_GENESIS,
    INTAKE_PEERS, /* what the peers offer: sync/finds.h */
};

struct vote {
    struct peer *peer;
    uint8_t block_hash[32];
};

struct job {
    bool active;
    int64_t id;
    enum job_state state;
    struct control_job row; /* as stored */
    cJSON *request;         /* parsed */
    bool forced, dry_run;
    enum intake_kind kind;
    char source[URL_MAX]; /* URL, path, "inline", "genesis" */
    char payload_path[PATH_TEXT];
    bool offered;                        /* of INTAKE_PEERS: source is known */
    bool hostile;                        /* the source is a peer's word */
    bool body_here;                      /* the whole payload is at payload_path */
    void (*body_next)(struct engine *e); /* once it is */
    unsigned tries;
    int64_t retry_at_mono_ms; /* of the download; 0: not due */
    uint64_t body_total;
    int64_t stage_started_ms;
    int64_t gather_until_mono_ms; /* discovering waits for peers; 0: it does not */

    struct payload_meta meta;
    bool has_meta;
    struct body *body;     /* of a Cairn snapshot: body.h; NULL */
    struct chunks *chunks; /* of a stock node's chunked snapshot: chunks.h; NULL */
    char *head, *tail;     /* of a peek */
    size_t head_len, tail_len;
    unsigned peeks_out, tips_out, greetings_out, listings_out, votes_out;
    void (*votes_done)(struct engine *e);

    struct vote votes[TRUST_VOTES_MAX];
    size_t vote_count;
    size_t tips_chased;
    /* late.c; by the peers' slots: gave an answer, the tip was looked at */
    bool voted[PEERS_MAX], tip_heard[PEERS_MAX];
    int64_t late_at_mono_ms, late_until_mono_ms;
    void (*late_next)(struct engine *e); /* NULL: nothing is waited for */
    struct trust_candidate candidate;
    struct trust_evidence evidence;
    struct statements heard; /* what the evidence points at */
    char headers_detail[TRUST_TEXT], best_detail[TRUST_TEXT],
        payload_detail[TRUST_TEXT], source_detail[TRUST_TEXT], roots_detail[TRUST_TEXT];
    struct work checkpoint_work; /* at the checkpoint block */
    bool compared;               /* the coins equal the outputs of the proven blocks */
    const char *not_compared;    /* why they were not compared; NULL */
    struct verify_task *verifying; /* at a worker; mount.c */
    struct payload_result ingested;
    struct transfer_request *download; /* outstanding; owned by the transfer */
    uint64_t bytes_fetched;
};

struct engine {
    const struct engine_config *cfg;
    pthread_t thread;
    struct chan *inbox;
    struct transfer *transfer;
    struct p2p *p2p;         /* NULL: not enabled */
    struct answers *answers; /* of its server */
    struct cidr *allow;      /* transfer.allow_networks */
    size_t allow_count;
    int64_t discovery_at_mono_ms, lists_at_mono_ms, seeds_at_mono_ms;
    size_t lists_turn; /* whose list is asked for next */
    int64_t links_at_mono_ms, told_at_mono_ms;
    uint8_t announced[32]; /* tip told to P2P peers last */
    char *peers_told;      /* guarded by status_lock, as the next three */
    struct engine_peers peers_count;
    char *job_sources; /* of the job that came to its body last; NULL */
    int64_t job_sources_id;
    struct pool *pool, *errand_pool;
    struct errand *errands[ERRANDS_MAX]; /* jobs beside the bootstrap: sync/errand.h */
    int lock_fd;
    bool stopping, refusing;
    bool opened; /* the data directory is sound, and ours to write to */

    struct control *control;
    struct policy policy;
    struct identity *identity;
    struct peers *peers;
    struct book *book;
    struct groups *groups;
    int64_t book_due_mono_ms;  /* the next look for rows to write */
    struct gen live, building; /* id 0: none */
    struct err rotten;         /* what the live one failed to open with */
    uint64_t epoch, chases;
    unsigned fetches_out, asks_out, tasks_out;
    struct transfer_request *outstanding[FETCHES_MAX];

    struct job job;
    struct chase chase;

    /* following */
    int64_t poll_at_mono_ms;
    unsigned polls_out;
    struct {
        unsigned *out;
        void (*done)(struct engine *e);
    } polls[2]; /* tips_poll: the follower's and a job's can overlap */
    /* listing.c */
    uint8_t listing_nonce[32];
    unsigned *listing_out, listings_out;
    void (*listing_done)(struct engine *e);
    int64_t listing_at_mono_ms;

    uint8_t greeting[32]; /* nonce of the last round: greet.c */
    unsigned *greeting_out;
    void (*greeting_done)(struct engine *e);
    size_t tips_chased;
    bool choose_again; /* the best header may not be the tip */
    struct sweep sweep;
    uint8_t given_up[GIVEN_UP_MAX][32]; /* tips whose walk was too long; a ring */
    size_t gave_up;                     /* so often */
    struct reorg reorg;
    bool halted;
    int64_t retry_at_mono_ms; /* of the bootstrap from the configuration; 0: not due */
    unsigned retries;
    char waiting_for[160];

    struct finds finds;

    struct {         /* snapplan.c */
        bool looked; /* at what is on the disk */
        bool any;    /* one of the schedule is there: the last is */
        uint64_t last;
        int64_t next_mono_ms;
    } snapplan;

    struct {                  /* snapwatch.c */
        char id[MANIFEST_ID]; /* published last by this run, with so many */
        size_t signatures;
        int64_t shelf_mono_ms, try_mono_ms, look_mono_ms; /* not before */
        struct job_task *looking;                         /* at a worker; NULL */
    } snapwatch;

    /* evaluate, attestations.make */
    struct call *evaluating, *attesting;
    struct attest_task *attest; /* at a worker */

    /* progress of the present stage */
    uint64_t done, total;
    const char *unit;
    int64_t progress_since_mono_ms;
    uint64_t progress_since_done;

    /* diagnose.c */
    struct {
        enum reason reason;
        int64_t job_id, at_ms;
        char text[200];
    } failure; /* of the last job */
    struct err halted_for;
    char diag_cause[48];
    int64_t diag_since_ms, diag_moved_mono_ms, diag_job;
    uint64_t diag_done;
    enum job_state diag_stage;

    int64_t started_ms;
    bool has_checkpoint;
    struct control_checkpoint checkpoint; /* in force; texts not kept */
    char checkpoint_trust[16];
    size_t incidents_open;

    pthread_mutex_t status_lock; /* guards the three below */
    pthread_cond_t status_changed;
    struct engine_status status;
    bool status_stopping;
};

/* --- engine.c --- */
/* Submits r (taken over) for f (copied).  False, and r freed, when too many are out. */
bool engine_fetch(struct engine *e, struct transfer_request *r, const struct fetch *f);
/* From the P2P thread into the inbox. */
void engine_on_asked(void *arg, struct p2p_request *r);
void engine_on_link(void *arg, struct p2p_event *ev);
/* An answer, or none, told to the peer's score. */
void engine_count_answer(struct peer *p, const struct transfer_request *r);
void engine_run(struct engine *e, struct job_task *t); /* takes t */
bool engine_can_fetch(const struct engine *e);
/* Everything outstanding is cancelled and its results will be dropped. */
void engine_new_epoch(struct engine *e);
void engine_progress(struct engine *e, const char *unit, uint64_t done, uint64_t total);
/* A storage failure nobody can go on from: logs, halts, says so in the status. */
void engine_halt(struct engine *e, const struct err *err);

/* --- engine_status.c --- */
void status_init(struct engine *e);
void status_publish(struct engine *e);
void status_stop(struct engine *e);
void status_fini(struct engine *e);

/* --- gen.c --- */
enum errc gen_open(struct engine *e, int64_t id, struct gen *g, struct err *err);
enum errc gen_create(struct engine *e, struct gen *g, struct err *err);
void gen_close(struct gen *g);
/* Closes and removes the directory of one that was never live. */
enum errc gen_discard(struct engine *e, struct gen *g);
/* Removes what no job is building any more (a worker may have outlived its job), and
   of the retired ones all but the last. */
enum errc gen_sweep(struct engine *e, struct err *err);
void gen_path(const struct gen *g, const char *file, char out[PATH_TEXT]);

/* --- datadir.c: the lock, control.db, the live generation --- */
enum errc datadir_open(struct engine *e, struct err *err);
void datadir_close(struct engine *e);

/* --- peerbook.c: the known addresses and control.db --- */
enum errc peerbook_load(struct engine *e, struct err *err);
/* Each turn of the loop: keeps what was learned, writes what must survive a crash at
   once and the rest now and then; frees removed peers that nobody points at. */
void peerbook_save(struct engine *e);
/* Writes all that changed, in the caller's transaction if there is one. */
enum errc peerbook_write(struct engine *e, struct err *err);
void peerbook_close(struct engine *e); /* writes what is left; frees */
struct roster peerbook_roster(const struct engine *e);
size_t peerbook_index(struct engine *e, const struct peer *p); /* below PEERS_MAX */

/* --- peerbook_json.c --- */
cJSON *peerbook_json(struct engine *e);
cJSON *peerbook_json_one(struct engine *e, const struct book_entry *entry);

/* --- peer_acts.c: what operators do to peers --- */
enum errc peer_acts_call(struct engine *e, const struct engine_request *req,
                         cJSON **result, struct err *err);

/* --- links.c: P2P connections --- */
void links_event(struct engine *e, struct p2p_event *ev); /* takes ev */
enum errc links_start(struct engine *e, struct err *err);
void links_stop(struct engine *e); /* everything outstanding comes back */
void links_pump(struct engine *e);
/* Some P2P peer that may be asked is not connected yet. */
bool links_are_dialling(struct engine *e);
/* Ends its connection; it has been taken off the list. */
void links_drop(struct engine *e, struct peer *p);

/* --- discovery.c: peers that nobody configured --- */
void discovery_pump(struct engine *e);

/* --- listing.c: what Cairns over HTTP offer and state --- */
enum { LISTING_LEAST_MS = 60000 };
/* Every usable Cairn; done(e) when the last has answered or failed. */
void listing_ask(struct engine *e, unsigned *out, void (*done)(struct engine *e));
void listing_pump(struct engine *e);

/* --- told.c: the peers others hear of from us --- */
void told_update(struct engine *e);

/* --- tips.c: what peers say their tip is --- */
/* Asks every usable peer, a job not those that it has heard; done(e) when the last has
   answered or failed. */
void tips_poll(struct engine *e, unsigned *out, void (*done)(struct engine *e));
/* Highest tip any usable peer reports; false when none does. */
bool tips_height(struct engine *e, uint64_t *height);

/* --- greet.c: which peers are Cairns, and what they serve --- */
/* Asks every usable one; done(e) when the last has answered or failed. */
void greet_peers(struct engine *e, unsigned *out, void (*done)(struct engine *e));

/* --- chase.c, and its parts: chase_walk.c, chase_ask.c, chase_verify.c --- */
struct chase_target {
    struct gen *gen;
    uint64_t height;
    uint8_t hash[32];
    bool proof;
    bool headers_alone; /* of a proof: its outputs are not wanted */
    const char *kept;   /* where headers may be, beside this file; NULL: nowhere */
    uint64_t floor;
    bool has_floor_hash;
    uint8_t floor_hash[32];
};
void chase_start(struct engine *e, const struct chase_target *t,
                 void (*done)(struct engine *e, enum chase_result result,
                              const struct err *err));
void chase_pump(struct engine *e); /* asks for more; consumes; verifies a batch */
void chase_end(struct engine *e, enum chase_result result, const struct err *err);
/* Fewer networks have a tip that high than the policy asks for, though there are. */
bool chase_is_lone(struct engine *e, uint64_t height);
/* The chain in hand leads to another block at the floor: an incident when what was seen
   of it is heavier than ours.  Within a transaction of the generation. */
enum errc chase_weigh_off_floor(struct engine *e, struct err *err);
/* So few claim that tip, and its chain was found too long before. */
bool chase_gave_up(struct engine *e, const uint8_t tip[32], uint64_t height);
void chase_reset(struct chase *c);
struct chase_slot *chase_slot(struct chase *c, uint64_t height);
void chase_slot_clear(struct chase_slot *s);
/* One transaction: down over what is stored and what has come.  *found: the walk has
   met a verified header or the floor. */
enum errc chase_walk(struct engine *e, bool *found, struct err *err);
/* May the walk go below the header expected next, which is in hand?  Then it does. */
enum errc chase_walk_may(struct chase *c, struct err *err);
void chase_walk_down(struct chase *c, const uint8_t prev[32]);
/* chase_kept.c: headers that came in a bundle.  Some a call; ERR_IO alone fails. */
void chase_kept_begin(struct chase *c, const char *manifest);
enum errc chase_kept_take(struct chase *c, struct err *err);
void chase_kept_free(struct chase_kept *k); /* NULL: no-op */
/* chase_span.c: ranges of headers. */
void chase_span_begin(struct chase *c);
void chase_span_clear(struct chase_span *s);
void chase_span_ask(struct engine *e);
/* A range with the header needed next is on its way or in hand; it is in hand. */
bool chase_span_asked(struct chase *c);
bool chase_span_ready(struct chase *c);
/* A range is the best hope for it: blocks need not be asked for now. */
bool chase_span_waits(struct engine *e);
/* Goes down over the range that is in hand, in chase_walk's transaction. */
enum errc chase_span_take(struct engine *e, struct err *err);
/* chase_ask.c: fills the slots; whether nobody has the block needed next. */
void chase_ask_ahead(struct engine *e);
bool chase_nobody_left(struct engine *e);
/* Prepares the window below the path, then verifies a batch a call; ends the chase. */
enum errc chase_verify_begin(struct engine *e, struct err *err);
void chase_verify(struct engine *e);
void chase_blame_claimants(struct engine *e, const uint8_t hash[32], enum reason reason,
                           const char *evidence);

/* --- decode.c: a block through a worker --- */
struct decoded {
    struct job_task base;
    char *text;
    size_t len;
    const struct chain_params *params;
    bool check_transfers; /* and not the miner's signature alone */
    bool want_body, want_outputs;
    struct peer *peer;
    uint64_t height, serial;
    size_t slot;
    /* result */
    struct err err;
    struct header header;
    struct buf body;    /* canonical text */
    struct buf outputs; /* sync/outputs.h */
};
/* from keeps the peer until decoded_free; NULL: nobody. */
struct decoded *decoded_new(struct transfer_request *r, struct peer *from,
                            const struct chain_params *params);
void decoded_free(struct decoded *d);

/* --- jobs.c --- */
enum errc jobs_start(struct engine *e, const struct engine_request *req, cJSON **result,
                     struct err *err);
enum errc jobs_resume(struct engine *e, struct err *err); /* at start */
enum errc jobs_cancel(struct engine *e, const struct engine_request *req,
                      cJSON **result, struct err *err);
/* Moves the job by the table, writes the row, logs, enters the next stage. */
void jobs_event(struct engine *e, enum job_event event, const char *detail);
/* The same in two halves: inside the caller's transaction, and after its commit. */
enum errc jobs_move(struct engine *e, enum job_event event, const char *detail,
                    struct err *err);
void jobs_moved(struct engine *e);
/* Ends the job as failed with its error. */
void jobs_fail(struct engine *e, const struct err *why);
void jobs_close(struct engine *e);                       /* frees what the job holds */
void jobs_remove_incoming(struct engine *e, int64_t id); /* its downloads */
void jobs_error_json(const struct err *err, const char *stage, char **out);
cJSON *jobs_id_json(int64_t id); /* {job_id} */

/* --- bootstrap.c: the stages --- */
void bootstrap_at_start(struct engine *e); /* no job to resume */
void bootstrap_enter(struct engine *e);    /* the entry action of job.state */
void bootstrap_pump(struct engine *e);
void bootstrap_metadata_known(struct engine *e);
void bootstrap_source_failed(struct engine *e, const struct err *why);
void bootstrap_body_here(struct engine *e);
/* A job of the configuration failed: when to try again. */
void bootstrap_plan_retry(struct engine *e, const struct err *why);

/* --- decide.c: evidence before the body --- */
void decide_enter(struct engine *e);
/* Headers alone will do below the job's checkpoint, where a peer serves them: its coins
   are not to be compared with the blocks then. */
bool decide_headers_alone(const struct engine *e);

/* --- late.c: peers that merely back off, and what a verdict lacks --- */
/*
 * v refuses, for want of what a peer may still say that backs off and will be back in
 * time: next(e) is called then, to ask it.  False: that is not so, or has lasted long
 * enough.
 */
bool late_votes(struct engine *e, const struct trust_verdict *v,
                void (*next)(struct engine *e));
bool late_tips(struct engine *e, const struct trust_verdict *v,
               void (*next)(struct engine *e));
void late_pump(struct engine *e);

/* --- votes.c --- */
/* The block at the candidate's height of every peer that has not answered yet into
   job.votes; then done(e). */
void votes_ask(struct engine *e, void (*done)(struct engine *e));
/* Whoever was caught lying about the blocks below has no word in it. */
void votes_drop_liars(struct job *j);
/* p said that its block at the candidate's height is this one. */
bool votes_claim(const struct job *j, const struct peer *p, const uint8_t hash[32]);

/* --- weigh.c --- */
/* best_chain, confirmations and next_block of the job's evidence. */
enum errc weigh_candidate(struct engine *e, struct err *err);

/* --- mount.c --- */
void preflight_enter(struct engine *e);
void verify_enter(struct engine *e);
void verify_pump(struct engine *e);
void verify_cancel(struct engine *e);
void mount_enter(struct engine *e);

/* --- intake.c (intake.h) --- */
void intake_pump(struct engine *e);

/* --- verdicts.c --- */
/* The candidate that the metadata describe; texts are borrowed from meta. */
void verdicts_candidate(const struct payload_meta *m, const char *source,
                        struct trust_candidate *out);
/* What is accepted already. */
enum errc verdicts_past(struct engine *e, struct trust_evidence *ev, struct err *err);
/* Both for the job; its evidence begins anew. */
enum errc verdicts_begin(struct engine *e, struct err *err);
void verdicts_evaluate(struct engine *e, struct trust_verdict *v);
/* Nothing failed and nothing is to be fetched: ends a dry run. */
void verdicts_dry_run(struct engine *e, const struct trust_verdict *v);
/* Writes rejection, audit entry and job end in one transaction. */
void verdicts_reject(struct engine *e, const struct trust_verdict *v);
/* Accepted: checkpoint, generation, audit entry and job stage in one transaction; the
   building generation is the live one then. */
enum errc verdicts_accept(struct engine *e, const struct trust_verdict *v,
                          struct err *err);

/* --- follow.c --- */
void follow_start(struct engine *e); /* the live generation is open: asks at once */
bool follow_pump(struct engine *e);  /* true: there is more at once */

/* --- reorg.c --- */
/* One step of fork choice: a batch of blocks applied, or one reorganisation made.
 *settled: the tip is the best valid header. */
enum errc reorg_step(struct engine *e, bool *settled, struct err *err);
void reorg_reset(struct reorg *r);

/* --- sweep.c --- */
/* The headers that the walk went over stay this time. */
void sweep_keep(struct sweep *s, const struct chase *c);
void sweep_begin(struct sweep *s); /* a poll's walks have ended */
enum errc sweep_step(struct engine *e, struct err *err);
void sweep_reset(struct sweep *s);

/* --- incidents.c --- */
void incidents_open(struct engine *e, enum reason kind, const char *subject,
                    cJSON *evidence); /* takes evidence */
void incidents_count(struct engine *e);

/* The same as a part of the caller's transaction; *fresh false when it is open. */
enum errc incidents_write(struct engine *e, const struct control_incident *i,
                          bool *fresh, struct err *err);
/* Two quorums, or trusted nodes that derived other states: what no program may decide
   alone.  Other refusals open none. */
void incidents_of_verdict(struct engine *e, const struct trust_verdict *v);
enum errc incidents_resolve(struct engine *e, const struct engine_request *req,
                            cJSON **result, struct err *err);

/* --- policy.c: the one place where the policy in force is computed --- */
/* Of the configuration and control.db as it is now, also inside a transaction. */
enum errc policy_compute(struct engine *e, struct policy *out, struct err *err);

/* --- statements.c --- */
/* What is stored about this block; in place of what *s held. */
enum errc statements_load(struct engine *e, uint64_t height, const uint8_t hash[32],
                          struct statements *s, struct err *err);
void statements_fini(struct statements *s);
/* ev borrows from s. */
void statements_bind(const struct statements *s, struct trust_evidence *ev);
/* The same for the job's candidate, as it is known now.  What cannot be read counts as
   a revocation. */
void statements_of_job(struct engine *e);
/*
 * A signed document from a peer (source: its URL).  ERR_INVALID when it is none;
 * ERR_VERIFY when its signature does not hold, nobody who counts signed it, or it is of
 * another network; those are not stored.  *fresh: it was not known.  Acts on it: a
 * revocation ends the job it is about, or stops a node that stands on its block.
 */
enum errc statements_take(struct engine *e, const char *text, size_t len,
                          const char *source, bool *fresh, struct err *err);

/* --- ops.c: an operator's change to what is trusted --- */
/*
 * One transaction: what apply() writes, the act with its detail (taken over) in the
 * audit log, and the policy that comes of it, which is in force afterwards.
 */
enum errc ops_change(struct engine *e, const struct engine_request *req,
                     const char *act, cJSON *detail,
                     enum errc (*apply)(struct engine *e,
                                        const struct engine_request *req,
                                        struct err *err),
                     struct err *err);
/* The calls from ENGINE_SIGNERS_LIST on. */
enum errc ops_call(struct engine *e, const struct engine_request *req, cJSON **result,
                   struct err *err);

/* --- signers.c, roots.c, revoke.c: the calls of their names --- */
enum errc signers_list(struct engine *e, const struct engine_request *req,
                       cJSON **result, struct err *err);
enum errc signers_add(struct engine *e, const struct engine_request *req,
                      cJSON **result, struct err *err);
enum errc signers_remove(struct engine *e, const struct engine_request *req,
                         cJSON **result, struct err *err);
enum errc signers_threshold(struct engine *e, const struct engine_request *req,
                            cJSON **result, struct err *err);
enum errc signers_certificate(struct engine *e, const struct engine_request *req,
                              cJSON **result, struct err *err);
enum errc roots_list(struct engine *e, const struct engine_request *req, cJSON **result,
                     struct err *err);
enum errc roots_add(struct engine *e, const struct engine_request *req, cJSON **result,
                    struct err *err);
enum errc roots_remove(struct engine *e, const struct engine_request *req,
                       cJSON **result, struct err *err);
enum errc revoke_call(struct engine *e, const struct engine_request *req,
                      cJSON **result, struct err *err);
/* The live checkpoint against what is stored and trusted now: opens the incident and
   halts the node when it is revoked, unless an operator chose to keep it. */
void revoke_review(struct engine *e);

/* --- attest.c --- */
void attest_call(struct engine *e, struct call *call); /* answers when it is made */
void attest_abort(struct engine *e); /* answers what waits with SHUTTING_DOWN */

/* --- selfcheck.c --- */
void selfcheck_start(struct engine *e); /* of the live generation, in the background */
/* The live generation is rotten: taken out of service, kept, and the node halts. */
void selfcheck_quarantine(struct engine *e, const struct err *why);

/* --- acts.c --- */
enum errc acts_note(struct engine *e, const struct engine_request *req, const char *act,
                    int64_t job_id, struct err *err);
/* The same with more to tell: detail, taken over. */
enum errc acts_write(struct engine *e, const struct engine_request *req,
                     const char *act, cJSON *detail, struct err *err);
enum errc acts_head(struct engine *e, cJSON **result, struct err *err);

/* --- evaluate.c --- */
void evaluate_call(struct engine *e, struct call *call);
void evaluate_abort(struct engine *e, enum reason reason);
/* Our own validated chain says whether the block is on it. */
enum errc evaluate_own_chain(struct engine *e, const struct trust_candidate *c,
                             struct trust_evidence *ev, struct err *err);

/* --- evaluate_manifest.c --- */
void evaluate_manifest_call(struct engine *e, struct call *call); /* answers */

#endif
