#include <string.h>

#include "base/durable.h"
#include "base/mem.h"
#include "sync/intake.h"
#include "sync/snapshot/cpfile.h"

/* Other shapes that XAI gives a checkpoint, made the payload that is read as a state.
 */

enum { SORT_MEMORY = 16 << 20 };

enum errc intake_reshape(const char *whole, const char *part,
                         const struct engine_config *cfg, const atomic_bool *cancel,
                         struct err *err)
{
    const char *slash = strrchr(whole, '/');
    AUTOFREE char *dir = xstrndup(whole, (size_t)(slash - whole));
    AUTOFREE char *coins = xasprintf("%s/reshape.coins", dir);
    AUTOFREE char *idx = xasprintf("%s/reshape.idx", dir);
    struct payload_progress progress = {0};
    const struct payload_limits limits = {
        .max_bytes = cfg->transfer_max_bytes,
        .max_coins = UINT32_MAX,
        .sort_memory = SORT_MEMORY,
        .max_supply = (u128)121000000 * 1000000000000000000U, /* protocol.md 5.5 */
    };
    const struct cpfile_options opt = {
        .key_path = cfg->file_key && cfg->file_key[0] != '\0' ? cfg->file_key : NULL,
        .network = cfg->params->network,
        .limits = &limits,
        .out = {.payload = part, .coins = coins, .idx = idx, .tmp_dir = dir},
        .progress = &progress,
    };

    if (!cpfile_is(whole))
        return ERR_OK;
    if (atomic_load(cancel))
        return err_fail(err, REASON_CANCELLED, "cancelled");
    if (cpfile_convert(whole, &opt, err))
        return err->code;
    return durable_rename(part, whole, err);
}
