#ifndef BASE_CHAN_H
#define BASE_CHAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Bounded queue of owned pointers between threads.  A successful send moves
 * ownership of the item to the channel, and recv moves it to the receiver.
 * Closing wakes every waiter; items already queued are still delivered.
 */
struct chan;

struct chan *chan_create(size_t cap);

/* Free an empty channel no thread uses any more.  NULL is a no-op. */
void chan_free(struct chan *ch);

/* Block until there is room.  False if the channel is closed. */
bool chan_send(struct chan *ch, void *item) __attribute__((warn_unused_result));

/* As chan_send, but false at once when there is no room. */
bool chan_try_send(struct chan *ch, void *item) __attribute__((warn_unused_result));

/* Block until there is an item.  NULL once closed and drained. */
void *chan_recv(struct chan *ch);

/* As chan_recv, but NULL too once timeout_ms (>= 0) have passed without an item. */
void *chan_recv_for(struct chan *ch, int64_t timeout_ms);

void chan_close(struct chan *ch);

#endif
