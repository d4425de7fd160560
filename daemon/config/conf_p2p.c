#include <string.h>

#include "daemon/config/conf_hold.h"
#include "daemon/config/conf_p2p.h"
#include "daemon/config/conf_place.h"
#include "sync/peer/url.h"

/* Nothing and "" alike: the key is not in use. */
static bool is_empty(const struct conf_node *n)
{
    return conf_tree_is_null(n) || (n->kind == CONF_TEXT && n->text[0] == '\0');
}

enum errc conf_p2p_listen(CONF_SET_ARGS)
{
    char text[CONF_PLACE_LISTEN];

    (void)key;
    if (is_empty(*at))
        return ERR_OK;
    if (conf_place_listen_anywhere((*at)->kind == CONF_TEXT ? (*at)->text : "", text,
                                   err) != ERR_OK)
        return err->code;
    c->engine.p2p_listen = conf_hold_text(c, text);
    return ERR_OK;
}

enum errc conf_p2p_asn_database(CONF_SET_ARGS)
{
    (void)key;
    if (is_empty(*at))
        return ERR_OK;
    if ((*at)->kind != CONF_TEXT)
        return err_set(err, ERR_INVALID, "wants the path of an MMDB file");
    c->engine.asn_database = conf_hold_text(c, (*at)->text);
    return ERR_OK;
}

enum errc conf_p2p_check(const struct config *c, struct err *err)
{
    if (c->engine.p2p_enabled)
        return ERR_OK;
    for (const char *const *url = c->engine.peers; *url; url++)
        if (url_is_ws(*url))
            return err_set(err, ERR_INVALID,
                           "peers names %.100s, and p2p.enabled is false", *url);
    return ERR_OK;
}
