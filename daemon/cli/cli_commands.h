#ifndef DAEMON_CLI_CLI_COMMANDS_H
#define DAEMON_CLI_CLI_COMMANDS_H

#include "daemon/cli/cli.h"

/* Every command; the last has no name. */
extern const struct cli_command cli_commands[];

/* What they run, a file each family. */
enum cli_exit cli_status_run(struct cli *c);
enum cli_exit cli_sync_run(struct cli *c);
enum cli_exit cli_jobs_list(struct cli *c);
enum cli_exit cli_jobs_watch(struct cli *c);
enum cli_exit cli_jobs_cancel(struct cli *c);
enum cli_exit cli_checkpoints_list(struct cli *c);
enum cli_exit cli_provenance_run(struct cli *c);
enum cli_exit cli_records_rejections(struct cli *c);
enum cli_exit cli_records_incidents(struct cli *c);
enum cli_exit cli_records_peers(struct cli *c);
enum cli_exit cli_audit_verify(struct cli *c);
enum cli_exit cli_audit_export(struct cli *c);
enum cli_exit cli_coin_run(struct cli *c);
enum cli_exit cli_raw_call(struct cli *c);
enum cli_exit cli_token_create(struct cli *c);
enum cli_exit cli_keygen_run(struct cli *c);
enum cli_exit cli_publish_run(struct cli *c);
enum cli_exit cli_snapshot_sign(struct cli *c);
enum cli_exit cli_snapshot_merge(struct cli *c);
enum cli_exit cli_snapshot_verify(struct cli *c);
enum cli_exit cli_delta_make(struct cli *c);
enum cli_exit cli_delta_apply(struct cli *c);
enum cli_exit cli_bundle_create(struct cli *c);
enum cli_exit cli_bundle_verify(struct cli *c);
enum cli_exit cli_bundle_import(struct cli *c);
enum cli_exit cli_snapshot_create(struct cli *c);
enum cli_exit cli_snapshot_check(struct cli *c);
enum cli_exit cli_snapshot_list(struct cli *c);
enum cli_exit cli_snapshot_get(struct cli *c);
enum cli_exit cli_snapshot_submit(struct cli *c);
enum cli_exit cli_snapshot_withdraw(struct cli *c);
enum cli_exit cli_snapshot_delete(struct cli *c);

#endif
