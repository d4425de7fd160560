#ifndef SYNC_PUBLISH_S3XML_H
#define SYNC_PUBLISH_S3XML_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"

/*
 * What object stores answer: small XML documents, hostile until read.  No document
 * type, so no entities; UTF-8; depth, names and texts are bounded; a member that says
 * twice what is said once is refused.  Pure; any thread.
 */
enum {
    S3XML_MAX = 2 << 20,     /* bytes of a document: 1000 parts are some 300 KiB */
    S3XML_TEXT_MAX = 2048,   /* bytes of one member: upload ids are the longest */
    S3XML_PARTS_MAX = 10000, /* of an upload: Amazon S3, multipart upload limits */
    S3XML_ETAG_MAX = 130,
};

struct s3part {
    unsigned number; /* from 1 */
    uint64_t bytes;
    char etag[S3XML_ETAG_MAX]; /* printable, with its quotes if it came with them */
};

struct s3xml {
    char *root; /* the name of the outermost element */
    char *code, *message;
    char *upload_id;
    bool is_truncated;
    unsigned next_part;   /* NextPartNumberMarker */
    struct s3part *parts; /* numbers ascending */
    size_t part_count, part_room;
};

/* STORE_BAD_ANSWER says what is wrong. */
enum errc s3xml_read(const char *text, size_t len, struct s3xml **out, struct err *err);
void s3xml_free(struct s3xml *x);
DEFINE_CLEANUP(struct s3xml, s3xml_free)

/* False: no tag that may be kept and said again.  Quotes only around it. */
bool s3xml_etag_ok(const char *etag);

#endif
