#include <string.h>

#include "daemon/config/conf_hold.h"
#include "daemon/config/conf_publish.h"
#include "sync/publish/s3target.h"

enum { TEXT_LONGEST = 2048 };

enum errc conf_publish_text(CONF_SET_ARGS)
{
    const struct conf_node *n = *at;
    const char *text;

    if (n->kind != CONF_TEXT || strlen(n->text) > TEXT_LONGEST)
        return err_set(err, ERR_INVALID, "wants a text");
    text = conf_hold_text(c, conf_tree_is_null(n) ? "" : n->text);
    memcpy((char *)c + key->offset, &text, sizeof(text));
    return ERR_OK;
}

enum errc conf_publish_check(const struct config *c, struct err *err)
{
    const struct engine_publish *p = &c->engine.publish;
    CLEANUP(s3target_free) struct s3target *t = NULL;

    if (p->endpoint[0] == '\0' && p->bucket[0] == '\0' && !p->automatic)
        return ERR_OK;
    if (p->endpoint[0] == '\0' || p->bucket[0] == '\0')
        return err_set(err, ERR_INVALID,
                       "publish wants both endpoint and bucket, or neither and auto "
                       "false");
    if (s3target_create(p->endpoint, p->region, p->bucket, p->prefix, &t, err) !=
        ERR_OK)
        return err_wrap(err, "publish");
    return ERR_OK;
}
