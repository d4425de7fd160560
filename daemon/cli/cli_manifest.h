#ifndef DAEMON_CLI_CLI_MANIFEST_H
#define DAEMON_CLI_CLI_MANIFEST_H

#include "daemon/cli/cli.h"
#include "sync/snapshot/manifest.h"

/* Manifests in files: what the commands that need no daemon share. */

/* Says on stderr what is wrong, with its hint; CLI_UNREADABLE for files, else
   CLI_FAILED. */
enum cli_exit cli_manifest_fault(const char *path, const struct err *err);

/* Of a snapshot directory or of a manifest alone; every signature of it holds.  An
   error has been said. */
enum cli_exit cli_manifest_read(const char *path, struct manifest **out);

/* Where the manifest of path is: the caller's. */
char *cli_manifest_path(const char *path);

/* Replaces path, a file, as a whole; an error has been said. */
enum cli_exit cli_manifest_write(const struct manifest *m, const char *path);

/* What the manifest says, and who signed it, on stdout. */
void cli_manifest_show(const struct manifest *m);

/* --keys and --threshold. */
struct cli_manifest_keys {
    struct trust_key keys[TRUST_KEYS_MAX];
    bool signed_by[TRUST_KEYS_MAX];
    size_t count, signed_count;
    unsigned threshold; /* 0: no --keys, nobody's signature is asked for */
};
/* False: cli_usage was called. */
bool cli_manifest_keys(const struct cli *c, struct cli_manifest_keys *out);
/* Counts who signed; CLI_UNSIGNED when they are too few. */
enum cli_exit cli_manifest_judge(const struct manifest *m,
                                 struct cli_manifest_keys *keys);
/* The same for people. */
void cli_manifest_show_keys(const struct cli_manifest_keys *keys);

/* The members that describe m, and what became of the keys (NULL: none): the caller's.
 */
cJSON *cli_manifest_json(const struct manifest *m,
                         const struct cli_manifest_keys *keys);

#endif
