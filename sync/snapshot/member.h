#ifndef SYNC_SNAPSHOT_MEMBER_H
#define SYNC_SNAPSHOT_MEMBER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * Where one member of a JSON object lies in a file that is too large to be parsed, and
 * what is around it.  Only strings and brackets are told apart here: who takes the
 * value, or the rest, still has to parse it.
 */
struct member {
    bool found;        /* and whole */
    uint64_t from, to; /* its value's bytes, white space around it included; from is
                          not 0 when it began */
    struct buf rest;   /* the object's text with null as the value; its max, set by the
                          caller, bounds it */
};

/* Of the object in bytes from..to of the file.  Stops as soon as rest is full.
   ERR_IO when it cannot be read. */
enum errc member_find(int fd, uint64_t from, uint64_t to, const char *name,
                      struct member *out, struct err *err);

#endif
