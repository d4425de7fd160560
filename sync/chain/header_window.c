#include <string.h>

#include "sync/chain/header.h"

void header_window_init(struct header_window *w, uint64_t first_height)
{
    memset(w, 0, sizeof(*w));
    w->next_height = first_height;
}

void header_window_push(struct header_window *w, const struct header *h)
{
    size_t slot = h->height % HEADER_WINDOW;

    w->timestamp[slot] = h->timestamp;
    w->difficulty[slot] = h->difficulty;
    memcpy(w->last_hash, h->hash, sizeof(w->last_hash));
    w->next_height = h->height + 1;
    if (w->count < HEADER_WINDOW)
        w->count++;
}
