#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "daemon/config/conf_hold.h"

struct held {
    struct held *next;
    void *memory;
};

void *conf_hold_alloc(struct config *c, size_t n, size_t size)
{
    struct held *h = xcalloc(1, sizeof(*h));

    h->memory = xcalloc(n, size);
    h->next = c->texts;
    c->texts = h;
    return h->memory;
}

char *conf_hold_text(struct config *c, const char *text)
{
    size_t size = strlen(text) + 1;

    return memcpy(conf_hold_alloc(c, size, 1), text, size);
}

void conf_hold_free(struct config *c)
{
    struct held *h = c->texts, *next;

    for (; h; h = next) {
        next = h->next;
        free(h->memory);
        free(h);
    }
    c->texts = NULL;
}
