#ifndef STORE_CONTROL_TRUST_H
#define STORE_CONTROL_TRUST_H

#include "store/control.h"

/*
 * control.db: whom the operator trusts beside the configuration, and what others signed
 * about checkpoints.  As in control.h: one thread a connection, texts in what is read
 * are valid during the call, documents are stored as given.
 */

/* --- signers: the operator's changes --- */
struct control_signer {
    const char *key; /* its one text */
    bool keep;       /* added; else removed */
    int64_t changed_ms;
    const char *actor, *reason;
};
/* In place of an earlier change of this key. */
enum errc control_signer_put(struct control *c, const struct control_signer *s,
                             struct err *err);
enum errc control_signer_each(struct control *c,
                              enum errc (*each)(void *arg,
                                                const struct control_signer *s,
                                                struct err *err),
                              void *arg, struct err *err); /* by key */

/* --- signer sets: the certificates followed --- */
struct control_signer_set {
    uint8_t first[32]; /* digest of the configured set that they lead on from */
    uint64_t sequence; /* from 1 */
    const char *document;
    int64_t applied_ms;
};
/* CONFLICT when there is one of that sequence. */
enum errc control_signer_set_put(struct control *c, const struct control_signer_set *s,
                                 struct err *err);
enum errc control_signer_set_each(
    struct control *c,
    enum errc (*each)(void *arg, const struct control_signer_set *s, struct err *err),
    void *arg, struct err *err); /* by first, sequence upwards */

/* --- roots pinned by the operator --- */
struct control_root {
    uint64_t height;
    uint8_t hash[32];
    int64_t added_ms;
    const char *actor, *reason;
};
/* In place of one at this height. */
enum errc control_root_put(struct control *c, const struct control_root *r,
                           struct err *err);
enum errc control_root_remove(struct control *c, uint64_t height,
                              struct err *err); /* NOT_FOUND */
enum errc control_root_each(struct control *c,
                            enum errc (*each)(void *arg, const struct control_root *r,
                                              struct err *err),
                            void *arg, struct err *err); /* by height */

/* --- revocations --- */
struct control_revocation {
    int64_t id, at_ms;
    uint64_t height;
    uint8_t block_hash[32];
    const char *reason;
    const char *source;   /* peer's URL, or who did it here */
    const char *document; /* signed; NULL: the operator's own */
};
/* *fresh false and nothing written when it is there already. */
enum errc control_revocation_put(struct control *c, const struct control_revocation *r,
                                 bool *fresh, struct err *err);

struct control_height_filter {
    bool has_height; /* else of any */
    uint64_t height;
    bool own; /* attestations: this node's alone */
    size_t limit;
};
enum errc control_revocation_each(
    struct control *c, const struct control_height_filter *filter,
    enum errc (*each)(void *arg, const struct control_revocation *r, struct err *err),
    void *arg, struct err *err); /* newest first */

/* --- attestations --- */
struct control_attestation {
    int64_t id, at_ms;
    uint64_t height;
    uint8_t block_hash[32], state_root[32];
    const char *key; /* who signed: its one text */
    bool own;        /* this node */
    const char *source, *document;
};
/* *fresh false and nothing written when this key's word for this state is there. */
enum errc control_attestation_put(struct control *c,
                                  const struct control_attestation *a, bool *fresh,
                                  struct err *err);
enum errc control_attestation_each(
    struct control *c, const struct control_height_filter *filter,
    enum errc (*each)(void *arg, const struct control_attestation *a, struct err *err),
    void *arg, struct err *err); /* newest first */

#endif
