#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "sync/snapshot/member.h"

enum { PIECE = 64 << 10, NAME_MAX_BYTES = 32 };

struct scan {
    struct member *out;
    const char *name;
    unsigned depth;
    bool in_string, escaped;
    bool key_next;         /* the next string of the object is a key ... */
    bool in_key, skipping; /* ... this one is; in the value looked for */
    char key[NAME_MAX_BYTES];
    size_t key_len; /* NAME_MAX_BYTES: longer than any we look for */
};

static void in_string(struct scan *s, char c)
{
    if (s->escaped) {
        s->escaped = false;
    } else if (c == '\\') {
        s->escaped = true;
    } else if (c == '"') {
        s->in_string = s->in_key = false;
        return;
    }
    if (s->in_key && s->key_len < NAME_MAX_BYTES)
        s->key[s->key_len++] = c;
}

static void value_ends(struct scan *s, uint64_t at)
{
    if (s->skipping)
        s->out->to = at;
    s->skipping = false;
}

static void value_begins(struct scan *s, uint64_t at)
{
    s->key_next = false;
    if (s->key_len != strlen(s->name) || memcmp(s->key, s->name, s->key_len) != 0)
        return;
    s->out->found = s->skipping = true;
    s->out->from = at + 1;
    buf_puts(&s->out->rest, ":null");
}

/* A byte outside of strings. */
static void outside(struct scan *s, char c, uint64_t at)
{
    if (c == '"') {
        s->in_string = true;
        s->in_key = s->depth == 1 && s->key_next;
        s->key_len = s->in_key ? 0 : s->key_len;
    } else if (c == '{' || c == '[') {
        s->depth++;
        s->key_next = s->depth == 1;
    } else if (c == '}' || c == ']') {
        s->depth -= s->depth > 0;
        if (s->depth == 0)
            value_ends(s, at);
    } else if (c == ',' && s->depth == 1) {
        value_ends(s, at);
        s->key_next = true;
    }
}

static void take(struct scan *s, char c, uint64_t at)
{
    if (s->in_string) {
        in_string(s, c);
    } else if (c == ':' && s->depth == 1 && s->key_next) {
        value_begins(s, at);
        if (s->skipping)
            return;
    } else {
        outside(s, c, at);
    }
    if (!s->skipping)
        buf_put(&s->out->rest, &c, 1);
}

enum errc member_find(int fd, uint64_t from, uint64_t to, const char *name,
                      struct member *out, struct err *err)
{
    AUTOFREE char *piece = xcalloc(PIECE, 1);
    struct scan s = {.out = out, .name = name};

    out->found = false;
    out->from = out->to = 0;
    buf_reset(&out->rest);
    while (from < to && !out->rest.full) {
        size_t want = to - from < PIECE ? (size_t)(to - from) : PIECE;
        ssize_t n = pread(fd, piece, want, (off_t)from);

        if (n <= 0)
            return err_errno(err, "reading a checkpoint file");
        for (ssize_t i = 0; i < n; i++)
            take(&s, piece[i], from + (uint64_t)i);
        from += (uint64_t)n;
    }
    out->found = out->found && out->to > out->from;
    return ERR_OK;
}
