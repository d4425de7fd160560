#include <stdlib.h>

#include "base/mem.h"
#include "sync/core.h"

enum errc engine_call(struct engine *e, const struct engine_request *req,
                      cJSON **result, struct err *err)
{
    struct call call = {.req = req};
    struct msg *m = xcalloc(1, sizeof(*m));

    pthread_mutex_init(&call.lock, NULL);
    pthread_cond_init(&call.answered_cond, NULL);
    *m = (struct msg){.kind = MSG_CALL, .u.call = &call};
    if (chan_try_send(e->inbox, m)) {
        pthread_mutex_lock(&call.lock);
        while (!call.answered)
            pthread_cond_wait(&call.answered_cond, &call.lock);
        pthread_mutex_unlock(&call.lock);
    } else {
        free(m);
        (void)err_set(&call.err, ERR_BUSY, "the engine has too much to do");
    }
    pthread_cond_destroy(&call.answered_cond);
    pthread_mutex_destroy(&call.lock);
    if (call.err.code) {
        *err = call.err;
        return err->code;
    }
    *result = call.result;
    return ERR_OK;
}

void call_answer(struct call *call, cJSON *result, const struct err *err)
{
    pthread_mutex_lock(&call->lock);
    call->result = result;
    if (err)
        call->err = *err;
    call->answered = true;
    pthread_cond_signal(&call->answered_cond);
    pthread_mutex_unlock(&call->lock);
}
