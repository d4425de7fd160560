#ifndef RPC_HTTP_IMPL_H
#define RPC_HTTP_IMPL_H

#include <microhttpd.h>
#include <stdatomic.h>

#include "base/buf.h"
#include "base/chan.h"
#include "rpc/admit.h"
#include "rpc/http.h"
#include "rpc/slow.h"

/* The inside of the HTTP server, shared by http*.c alone. */

struct http {
    struct http_config cfg;
    struct MHD_Daemon *daemon;
    int listen_fd;        /* ours again once quiesced */
    atomic_size_t bodies; /* bytes of large bodies under way */
    atomic_size_t active; /* requests under way */
    atomic_bool stopping;
    struct slow *slow;
    struct chan *drained; /* an item when the last request ended while stopping */
};

/* One HTTP request, from its head to the end of its answer. */
struct request {
    struct wait_item wait; /* first: wait_done gets it back */
    struct slow_item slow;
    struct http *http;
    struct MHD_Connection *connection;
    struct admitted admitted;
    enum fault refused;
    int64_t deadline_mono_ms;
    size_t reserved; /* of bodies */
    struct buf body, answer;
    bool waited, deferred;
    bool stop;
};

/* Queues an answer.  Takes text; etag NULL: not to be kept by anybody. */
struct http_body {
    unsigned status;
    const char *type;
    char *text;
    size_t len;
    const char *etag;
};
enum MHD_Result http_answer_body(struct request *r, const struct http_body *body);
enum MHD_Result http_answer_error(struct request *r, const struct err *err);

/* The whole request is here, or it was refused: queues the answer, or leaves the
   connection suspended until there is one. */
enum MHD_Result http_answer(struct request *r);
enum MHD_Result http_answer_refusal(struct request *r);

/* What a call of this request starts with: who calls. */
struct rpc_ctx http_answer_context(const struct request *r);

/* Plain reads. */
enum MHD_Result http_get_api(struct request *r);
enum MHD_Result http_get_audit(struct request *r);
enum MHD_Result http_get_openapi(struct request *r);

#endif
