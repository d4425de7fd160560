#include <string.h>

#include "base/mem.h"
#include "sync/p2p/node.h"

static void push(struct p2p *p, struct p2p_event *event, struct p2p_request *request)
{
    struct news *n = xcalloc(1, sizeof(*n));

    n->event = event;
    n->request = request;
    if (p->news_last)
        p->news_last->next = n;
    else
        p->news_first = n;
    p->news_last = n;
}

static struct news *pop(struct p2p *p)
{
    struct news *n = p->news_first;

    if (n && !(p->news_first = n->next))
        p->news_last = NULL;
    return n;
}

static void copy_text(char *out, size_t size, const char *text)
{
    size_t len = strnlen(text, size - 1);

    memcpy(out, text, len);
    out[len] = '\0';
}

void tell_event(struct p2p *p, struct conn *c, const struct p2p_event *what)
{
    struct p2p_event *ev = xcalloc(1, sizeof(*ev));

    *ev = *what;
    ev->conn = c->id;
    ev->inbound = c->inbound;
    memcpy(ev->ip, c->ip, sizeof(ev->ip));
    ev->port = c->port;
    if (c->dialled)
        copy_text(ev->url, sizeof(ev->url), c->dialled->text);
    memcpy(ev->key, c->key, sizeof(ev->key));
    ev->has_height = c->count > 0;
    ev->height = ev->has_height ? c->count - 1 : 0;
    copy_text(ev->api_endpoint, sizeof(ev->api_endpoint), c->api_endpoint);
    push(p, ev, NULL);
}

void tell_done(struct p2p *p, struct p2p_request *r)
{
    push(p, NULL, r);
}

void tell_flush(struct p2p *p)
{
    while (p->news_first) {
        struct news *n;

        if (p->news_first->event && atomic_load(&p->events_out) >= P2P_EVENTS_MAX)
            return;
        n = pop(p);
        if (n->event) {
            atomic_fetch_add(&p->events_out, 1);
            p->cfg.event(p->cfg.arg, n->event);
        } else {
            p->cfg.done(p->cfg.arg, n->request);
        }
        free(n);
    }
}

void tell_stop(struct p2p *p)
{
    struct news *n;

    while ((n = pop(p))) {
        if (n->request)
            p->cfg.done(p->cfg.arg, n->request);
        free(n->event);
        free(n);
    }
}
