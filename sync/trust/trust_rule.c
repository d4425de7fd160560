#include <stdarg.h>
#include <stdio.h>

#include "sync/trust/trust_rule.h"

enum { HEIGHT_BITS = 53 }; /* JSON readers keep integers exactly up to here */

bool trust_rule_usable(const struct trust_candidate *c)
{
    return c->has_height && c->has_block_hash && c->height > 0 &&
           c->height < (UINT64_C(1) << HEIGHT_BITS);
}

void trust_rule_clean(char *text)
{
    for (; *text; text++)
        if (*text < 0x20 || *text > 0x7e)
            *text = '?';
}

__attribute__((format(printf, 2, 0))) static void say(char out[TRUST_TEXT],
                                                      const char *fmt, va_list ap)
{
    (void)vsnprintf(out, TRUST_TEXT, fmt, ap); /* cut on purpose */
    trust_rule_clean(out);
}

void trust_rule_saw(struct trust_rule_result *r, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    say(r->saw, fmt, ap);
    va_end(ap);
}

void trust_rule_wanted(struct trust_rule_result *r, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    say(r->wanted, fmt, ap);
    va_end(ap);
}

void trust_rule_pass(struct trust_rule_result *r, const char *fmt, ...)
{
    va_list ap;

    r->result = TRUST_PASS;
    va_start(ap, fmt);
    say(r->detail, fmt, ap);
    va_end(ap);
}

void trust_rule_fail(struct trust_rule_result *r, enum reason reason, const char *fmt,
                     ...)
{
    va_list ap;

    r->result = TRUST_FAIL;
    r->reason = reason;
    va_start(ap, fmt);
    say(r->detail, fmt, ap);
    va_end(ap);
}

void trust_rule_wait(struct trust_rule_result *r, const char *fmt, ...)
{
    va_list ap;

    r->result = TRUST_SKIPPED;
    r->pending = true;
    va_start(ap, fmt);
    say(r->detail, fmt, ap);
    va_end(ap);
}

void trust_rule_skip(struct trust_rule_result *r, const char *fmt, ...)
{
    va_list ap;

    r->result = TRUST_SKIPPED;
    va_start(ap, fmt);
    say(r->detail, fmt, ap);
    va_end(ap);
}

void trust_rule_unused(struct trust_rule_result *r, const char *fmt, ...)
{
    va_list ap;

    r->result = TRUST_NOT_APPLICABLE;
    va_start(ap, fmt);
    say(r->detail, fmt, ap);
    va_end(ap);
}

const char *trust_rule_why_not_yet(const struct trust_evidence *e)
{
    return e->why_not_yet ? e->why_not_yet : "no evidence yet";
}
