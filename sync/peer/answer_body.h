#ifndef SYNC_PEER_ANSWER_BODY_H
#define SYNC_PEER_ANSWER_BODY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "sync/peer/sink.h"
#include "sync/peer/transfer.h"

/*
 * Takes in one HTTP answer: looks at its status and fields, decides where the body
 * goes, and holds it to its bounds.  Transfer thread.
 */
struct answer_body {
    void *easy;
    struct transfer_request *r; /* received, total, resumed are kept up to date */
    struct sink sink;
    bool decided;       /* status and fields were looked at */
    bool wanted;        /* the body is what was asked for, not an error page */
    bool enough;        /* of the error page: the rest is not read */
    uint64_t part_size; /* bytes that a 206 promised; 0: not one */
    struct err err;     /* why the body was refused */
};

/* Has libcurl's handle write to b, which must live as long as the handle runs. */
bool answer_body_connect(struct answer_body *b, void *easy, struct transfer_request *r);

/* The answer ended as HTTP sees it.  Body, fields and file are whole when ERR_OK. */
enum errc answer_body_finish(struct answer_body *b, struct err *err);

/* Forgets the answer: another one comes. */
void answer_body_reset(struct answer_body *b);

#endif
