#include <string.h>
#include <yajl/yajl_parse.h>

#include "base/mem.h"
#include "sync/snapshot/payload_guard.h"
#include "sync/snapshot/payload_stream.h"

struct payload_parser {
    struct payload_sink sink;
    struct payload_guard guard;
    yajl_handle yajl;
    uint64_t fed;   /* bytes before the present piece */
    struct err err; /* the sink's, when it stopped */
};

bool payload_event_is(const struct payload_event *ev, const char *text)
{
    return ev->len == strlen(text) && memcmp(ev->text, text, ev->len) == 0;
}

static int hand_over(struct payload_parser *p, const struct payload_event *ev)
{
    return p->sink.event(p->sink.arg, ev, &p->err) == ERR_OK;
}

static int plain(struct payload_parser *p, enum payload_event_type type)
{
    return hand_over(p, &(struct payload_event){.type = type, .text = ""});
}

static int with_text(struct payload_parser *p, enum payload_event_type type,
                     const char *text, size_t len)
{
    return hand_over(p,
                     &(struct payload_event){.type = type, .text = text, .len = len});
}

static int on_null(void *ctx)
{
    return plain(ctx, PAYLOAD_NULL);
}

static int on_boolean(void *ctx, int value)
{
    return hand_over(ctx, &(struct payload_event){
                              .type = PAYLOAD_BOOL, .boolean = value != 0, .text = ""});
}

static int on_number(void *ctx, const char *text, size_t len)
{
    return with_text(ctx, PAYLOAD_NUMBER, text, len);
}

static int on_string(void *ctx, const unsigned char *text, size_t len)
{
    return with_text(ctx, PAYLOAD_STRING, (const char *)text, len);
}

static int on_key(void *ctx, const unsigned char *text, size_t len)
{
    return with_text(ctx, PAYLOAD_KEY, (const char *)text, len);
}

static int on_map(void *ctx)
{
    return plain(ctx, PAYLOAD_MAP);
}

static int on_map_end(void *ctx)
{
    return plain(ctx, PAYLOAD_MAP_END);
}

static int on_array(void *ctx)
{
    return plain(ctx, PAYLOAD_ARRAY);
}

static int on_array_end(void *ctx)
{
    return plain(ctx, PAYLOAD_ARRAY_END);
}

static const yajl_callbacks callbacks = {
    .yajl_null = on_null,
    .yajl_boolean = on_boolean,
    .yajl_number = on_number,
    .yajl_string = on_string,
    .yajl_map_key = on_key,
    .yajl_start_map = on_map,
    .yajl_end_map = on_map_end,
    .yajl_start_array = on_array,
    .yajl_end_array = on_array_end,
};

struct payload_parser *payload_parser_create(const struct payload_sink *sink)
{
    struct payload_parser *p = xcalloc(1, sizeof(*p));

    p->sink = *sink;
    p->yajl = yajl_alloc(&callbacks, NULL, p);
    if (!p->yajl)
        abort();
    (void)yajl_config(p->yajl, yajl_dont_validate_strings, 1); /* the guard does */
    return p;
}

void payload_parser_free(struct payload_parser *p)
{
    if (!p)
        return;
    yajl_free(p->yajl);
    free(p);
}

static enum errc failed(struct payload_parser *p, struct err *err)
{
    unsigned long long at = yajl_get_bytes_consumed(p->yajl);
    unsigned char *text;

    at += p->fed;
    if (p->err.code) {
        *err = p->err;
        return err->reason == REASON_PAYLOAD_MALFORMED ? err_wrap(err, "byte %llu", at)
                                                       : err->code;
    }
    /* yajl's own message is two lines with the text in it: the first says enough. */
    text = yajl_get_error(p->yajl, 0, NULL, 0);
    text[strcspn((char *)text, "\n")] = '\0';
    (void)err_fail(err, REASON_PAYLOAD_MALFORMED, "byte %llu: %.120s", at,
                   (const char *)text);
    yajl_free_error(p->yajl, text);
    return err->code;
}

enum errc payload_parser_feed(struct payload_parser *p, const char *text, size_t len,
                              struct err *err)
{
    size_t at;
    const char *why = payload_guard_check(&p->guard, text, len, &at);

    if (why)
        return err_fail(err, REASON_PAYLOAD_MALFORMED, "byte %llu: %s",
                        (unsigned long long)p->fed + at, why);
    if (yajl_parse(p->yajl, (const unsigned char *)text, len) != yajl_status_ok)
        return failed(p, err);
    p->fed += len;
    return ERR_OK;
}

void payload_parser_pass(struct payload_parser *p, size_t len)
{
    p->fed += len;
}

enum errc payload_parser_place(const struct payload_parser *p, struct err *err)
{
    return err->reason == REASON_PAYLOAD_MALFORMED
               ? err_wrap(err, "byte %llu", (unsigned long long)p->fed)
               : err->code;
}

enum errc payload_parser_insert(struct payload_parser *p, const char *text,
                                struct err *err)
{
    uint64_t fed = p->fed;
    enum errc rc = payload_parser_feed(p, text, strlen(text), err);

    p->fed = fed;
    return rc;
}

enum errc payload_parser_finish(struct payload_parser *p, struct err *err)
{
    /* Behind a whole text yajl does not see a string that has no end. */
    if (p->guard.state == GUARD_OUTSIDE &&
        yajl_complete_parse(p->yajl) == yajl_status_ok)
        return ERR_OK;
    if (p->err.code)
        return failed(p, err);
    return err_fail(err, REASON_PAYLOAD_MALFORMED,
                    "the text ends at byte %llu in the middle",
                    (unsigned long long)p->fed);
}
