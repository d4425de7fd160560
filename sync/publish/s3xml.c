#include <expat.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "sync/peer/answer.h"
#include "sync/publish/s3xml.h"

enum { DEPTH_MAX = 8, NAME_MAX_BYTES = 64, WHY_MAX = 80 };

struct reader {
    XML_Parser parser;
    struct s3xml *out;
    unsigned depth;
    char names[DEPTH_MAX][NAME_MAX_BYTES];
    struct buf text;    /* of the innermost element so far */
    struct s3part part; /* the one being read; number 0: not yet */
    bool has_bytes;
    char why[WHY_MAX]; /* "" while all is well */
};

static void refuse(struct reader *r, const char *why)
{
    if (r->why[0] == '\0')
        (void)snprintf(r->why, sizeof(r->why), "%s", why);
    (void)XML_StopParser(r->parser, XML_FALSE);
}

static void on_doctype(void *arg, const XML_Char *name, const XML_Char *system,
                       const XML_Char *public, int internal)
{
    (void)name, (void)system, (void)public, (void)internal;
    refuse(arg, "it has a document type");
}

/* Names without the namespace that stores put before them or not. */
static void on_start(void *arg, const XML_Char *name, const XML_Char **attributes)
{
    struct reader *r = arg;
    const char *colon = strrchr(name, ':');

    (void)attributes;
    name = colon ? colon + 1 : name;
    if (r->depth == DEPTH_MAX || strlen(name) >= NAME_MAX_BYTES) {
        refuse(r, "it is too deep, or a name too long");
        return;
    }
    memcpy(r->names[r->depth++], name, strlen(name) + 1);
    if (r->depth == 1)
        r->out->root = xstrdup(name);
    if (r->depth == 2 && strcmp(name, "Part") == 0) {
        r->part = (struct s3part){0};
        r->has_bytes = false;
    }
    buf_reset(&r->text);
}

static void on_text(void *arg, const XML_Char *text, int len)
{
    struct reader *r = arg;

    buf_put(&r->text, text, (size_t)len);
    if (r->text.full)
        refuse(r, "a member is too long");
}

static const char *text_of(const struct reader *r)
{
    return r->text.len > 0 ? r->text.data : ""; /* the memory may hold the one before */
}

static void take_once(struct reader *r, char **out)
{
    if (*out)
        refuse(r, "a member is there twice");
    else
        *out = xstrdup(text_of(r));
}

static bool take_number(struct reader *r, uint64_t max, uint64_t *out)
{
    if (answer_u64_parse(text_of(r), out) && *out <= max)
        return true;
    refuse(r, "a number is none, or too large");
    return false;
}

static void take_etag(struct reader *r)
{
    const char *text = text_of(r);

    if (!s3xml_etag_ok(text) || r->part.etag[0] != '\0')
        refuse(r, "the ETag of a part is none, or there twice");
    else
        memcpy(r->part.etag, text, strlen(text) + 1);
}

static void take_part_member(struct reader *r, const char *name)
{
    uint64_t n = 0;

    if (strcmp(name, "ETag") == 0) {
        take_etag(r);
    } else if (strcmp(name, "Size") == 0 && take_number(r, INT64_MAX, &n)) {
        r->part.bytes = n;
        r->has_bytes = true;
    } else if (strcmp(name, "PartNumber") == 0 && take_number(r, S3XML_PARTS_MAX, &n)) {
        r->part.number = (unsigned)n;
    }
}

static void take_part(struct reader *r)
{
    struct s3xml *x = r->out;

    if (r->part.number == 0 || !r->has_bytes || r->part.etag[0] == '\0' ||
        (x->part_count > 0 && x->parts[x->part_count - 1].number >= r->part.number)) {
        refuse(r, "a part is incomplete, or out of order");
        return;
    }
    if (x->part_count == x->part_room) { /* at most S3XML_PARTS_MAX, as they ascend */
        x->part_room = x->part_room ? 2 * x->part_room : 64;
        x->parts = xrealloc(x->parts, x->part_room * sizeof(x->parts[0]));
    }
    x->parts[x->part_count++] = r->part;
}

static void take_member(struct reader *r, const char *name)
{
    struct s3xml *x = r->out;
    uint64_t n = 0;

    if (strcmp(name, "Code") == 0)
        take_once(r, &x->code);
    else if (strcmp(name, "Message") == 0)
        take_once(r, &x->message);
    else if (strcmp(name, "UploadId") == 0)
        take_once(r, &x->upload_id);
    else if (strcmp(name, "IsTruncated") == 0)
        x->is_truncated = strcmp(text_of(r), "true") == 0;
    else if (strcmp(name, "NextPartNumberMarker") == 0 && r->text.len > 0 &&
             take_number(r, S3XML_PARTS_MAX, &n))
        x->next_part = (unsigned)n;
    else if (strcmp(name, "Part") == 0)
        take_part(r);
}

static void on_end(void *arg, const XML_Char *name)
{
    struct reader *r = arg;

    (void)name; /* expat has seen that it is the one that began */
    if (r->why[0] != '\0')
        return; /* the parser ends after this one */
    r->depth--;
    if (r->depth == 1)
        take_member(r, r->names[1]);
    else if (r->depth == 2 && strcmp(r->names[1], "Part") == 0)
        take_part_member(r, r->names[2]);
    buf_reset(&r->text);
}

bool s3xml_etag_ok(const char *etag)
{
    size_t len = strlen(etag);

    if (len == 0 || len >= S3XML_ETAG_MAX)
        return false;
    for (size_t i = 0; i < len; i++)
        if (etag[i] <= ' ' || etag[i] > '~' || strchr("<>&", etag[i]) ||
            (etag[i] == '"' && i > 0 && i + 1 < len))
            return false;
    return true;
}

static enum errc run(struct reader *r, const char *text, size_t len, struct err *err)
{
    XML_SetUserData(r->parser, r);
    XML_SetElementHandler(r->parser, on_start, on_end);
    XML_SetCharacterDataHandler(r->parser, on_text);
    XML_SetStartDoctypeDeclHandler(r->parser, on_doctype);
    if (XML_Parse(r->parser, text, (int)len, XML_TRUE) == XML_STATUS_OK)
        return ERR_OK;
    if (r->why[0] != '\0')
        return err_fail(err, REASON_STORE_BAD_ANSWER, "the store's XML: %s", r->why);
    return err_fail(err, REASON_STORE_BAD_ANSWER, "the store's XML, line %lu: %s",
                    XML_GetCurrentLineNumber(r->parser),
                    XML_ErrorString(XML_GetErrorCode(r->parser)));
}

enum errc s3xml_read(const char *text, size_t len, struct s3xml **out, struct err *err)
{
    CLEANUP(s3xml_free) struct s3xml *x = NULL;
    struct reader r = {.text = BUF(S3XML_TEXT_MAX)};
    enum errc rc;

    if (len > S3XML_MAX)
        return err_fail(err, REASON_STORE_BAD_ANSWER, "the store's XML is over %d MiB",
                        S3XML_MAX >> 20);
    x = xcalloc(1, sizeof(*x));
    r.out = x;
    r.parser = XML_ParserCreate("UTF-8");
    if (!r.parser)
        abort(); /* memory */
    rc = run(&r, text, len, err);
    XML_ParserFree(r.parser);
    buf_fini(&r.text);
    if (!rc)
        *out = TAKE(x);
    return rc;
}

void s3xml_free(struct s3xml *x)
{
    if (!x)
        return;
    free(x->root);
    free(x->code);
    free(x->message);
    free(x->upload_id);
    free(x->parts);
    free(x);
}
