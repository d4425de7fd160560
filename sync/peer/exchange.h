#ifndef SYNC_PEER_EXCHANGE_H
#define SYNC_PEER_EXCHANGE_H

#include <stdbool.h>

#include "base/err.h"
#include "sync/peer/dial.h"
#include "sync/peer/transfer.h"

/*
 * One request from its start to its result, redirects included.  Belongs to the
 * transfer thread, which runs the handle (libcurl's CURL *) that the exchange makes.
 */
struct exchange;

struct exchange_env { /* outlives the exchanges */
    char *user_agent;
    struct dial_allow allow;
};

/* Takes the request. */
struct exchange *exchange_create(struct transfer_request *r,
                                 const struct exchange_env *env);
const char *exchange_host(const struct exchange *x); /* "" when the URL has none */
bool exchange_is_cancelled(const struct exchange *x);

/* Makes the handle. */
enum errc exchange_begin(struct exchange *x, struct err *err);
void *exchange_handle(const struct exchange *x); /* NULL before exchange_begin */
struct exchange *exchange_of(void *handle);

/*
 * The handle ended with this CURLcode and has left the multi handle.  True: it follows
 * a redirect and must run again.  False: the request has its result.
 */
bool exchange_ended(struct exchange *x, int curl_code);

/* The request; the exchange is gone.  err, if not NULL, is its result. */
struct transfer_request *exchange_release(struct exchange *x, const struct err *err);

#endif
