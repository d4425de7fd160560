#include <stdio.h>
#include <string.h>

#include "store/control_audit_chain.h"

static void fault(struct control_audit_chain *c, int64_t seq, const char *what)
{
    if (!c->check.ok)
        return;
    c->check.ok = false;
    c->check.first_bad = seq;
    (void)snprintf(c->check.what, sizeof(c->check.what), "%s", what);
}

static void judge(struct control_audit_chain *c, const struct control_audit_entry *e,
                  bool genuine, bool linkable)
{
    bool links = linkable && memcmp(e->prev, c->hash, 32) == 0;

    if (e->seq < 1)
        fault(c, e->seq, "inserted");
    else if (e->seq != c->last + 1)
        fault(c, c->last + 1, "missing");
    else if (links && genuine)
        return;
    else if (!links && linkable && c->last > 0 && memcmp(e->prev, c->before, 32) == 0)
        fault(c, c->last, "inserted"); /* this one follows on the one before that */
    else if (genuine && c->last > 0)
        fault(c, c->last, "altered"); /* and given a new hash */
    else
        fault(c, e->seq, "altered");
}

void control_audit_chain_add(struct control_audit_chain *c,
                             const struct control_audit_entry *e, bool linkable,
                             bool whole)
{
    uint8_t own[32];
    bool genuine = false;

    if (linkable && whole) {
        control_audit_hash(e, own);
        genuine = memcmp(own, e->hash, sizeof(own)) == 0;
    }
    c->check.entries++;
    judge(c, e, genuine, linkable);
    if (linkable) {
        memcpy(c->before, c->hash, 32);
        memcpy(c->hash, e->hash, 32);
    }
    c->last = e->seq;
}

void control_audit_chain_end(struct control_audit_chain *c, int64_t entries,
                             const uint8_t head[32])
{
    if (c->check.entries < entries)
        fault(c, c->last + 1, "tail cut");
    else if (c->check.entries > entries)
        fault(c, entries + 1, "inserted");
    else if (memcmp(c->hash, head, 32) != 0)
        fault(c, c->last > 0 ? c->last : 1, "altered");
    memcpy(c->check.head, c->hash, 32);
}
