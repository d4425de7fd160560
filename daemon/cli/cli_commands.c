#include "daemon/cli/cli_commands.h"
#include "sync/trust/trust_statement.h"

#define SOURCE_OPTIONS                                                               \
    (CLI_TAKES(CLI_OPT_URL) | CLI_TAKES(CLI_OPT_FILE) | CLI_TAKES(CLI_OPT_GENESIS) | \
     CLI_TAKES(CLI_OPT_HEIGHT) | CLI_TAKES(CLI_OPT_BLOCK_HASH) |                     \
     CLI_TAKES(CLI_OPT_DRY_RUN) | CLI_TAKES(CLI_OPT_WATCH))

#define PASSPHRASE_OPTIONS CLI_TAKES(CLI_OPT_PASSPHRASE_FILE)

static const char sync_help[] =
    "\n"
    "The source, one of; without one, checkpoint.url of the configuration:\n"
    "  --url URL          where a checkpoint payload is served\n"
    "  --file PATH        a payload file in a directory of transfer.allow_paths\n"
    "  --genesis          no checkpoint: every block from the first\n"
    "What it must be:\n"
    "  --height H         the checkpoint is at this height\n"
    "  --block-hash HASH  the checkpoint is this block\n"
    "And then:\n"
    "  --dry-run          stop after deciding: nothing is fetched or changed\n"
    "  --watch            show progress until the job ends; it goes on without\n";

static const char verify_help[] =
    "\n"
    "Without FILE the daemon checks its own log. FILE is an export of the log, an entry\n"
    "a line, - for standard input; no daemon is needed then.\n"
    "  --head HASH        the hash the last entry must have, noted down before: without\n"
    "                     it, nobody can tell that the end of an export was cut off\n";

static const char call_help[] =
    "\n"
    "JSON is the object of parameters. cairn call rpc.discover describes all methods.\n"
    "Prints the result, an error on stderr.\n";

static const char token_help[] =
    "\n"
    "Prints a new token once, and the line for rpc.tokens of the configuration, which\n"
    "holds only its hash. Needs no daemon; restart the daemon with the new line.\n"
    "  --name N           what the log calls its holder (default: operator)\n"
    "  --role ROLE        read (default) or admin\n";

#define PASSPHRASE_HELP                                                                 \
    "  --passphrase-file F   read it from F, one line, - for standard input; else it\n" \
    "                        is asked for on the terminal\n"

static const char keygen_help[] =
    "\n"
    "Writes the secret key, encrypted with a passphrase (Argon2id, secretbox), to a new\n"
    "file that only you can read, and prints the public key as\n"
    "checkpoint.trusted_pubkeys wants it. A file that is there already is left alone.\n"
    "Keep a copy where no other computer can reach it: who loses file or passphrase\n"
    "cannot sign any more.\n"
    "  --out FILE            the new file\n"
    "  --alg ALG             ed25519 (default), or secp256k1, which stock XAI nodes know\n" PASSPHRASE_HELP
    "  --no-passphrase       do not encrypt; whoever reads the file can sign\n";

#define STORE_OPTIONS                                            \
    (CLI_TAKES(CLI_OPT_ENDPOINT) | CLI_TAKES(CLI_OPT_REGION) |   \
     CLI_TAKES(CLI_OPT_BUCKET) | CLI_TAKES(CLI_OPT_PREFIX) |     \
     CLI_TAKES(CLI_OPT_CREDENTIALS) | CLI_TAKES(CLI_OPT_STALL) | \
     CLI_TAKES(CLI_OPT_VIRTUAL_HOST))

static const char publish_help[] =
    "\n"
    "Puts a snapshot's directory on an S3-compatible object store: its files under\n"
    "PREFIX/<id>/, then PREFIX/latest.json, which nodes follow. Needs no daemon. Run it\n"
    "again after a failure: it goes on where it was.\n"
    "The credentials are AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY of the environment,\n"
    "or of a file that nobody else may read.\n"
    "  --endpoint URL     of the store, without a path\n"
    "  --region R         that signatures name (default us-east-1)\n"
    "  --bucket B         a bucket that is there\n"
    "  --prefix P         of the names in it (default none)\n"
    "  --credentials F    a file with those two as NAME=VALUE, mode 0600\n"
    "  --virtual-host     the bucket is a part of the host name, not of the path\n"
    "  --back             move latest.json even to a lower height\n"
    "  --stall S          give a request up that moves nothing for S seconds\n"
    "                     (default 60), and try it again\n";

static const char sign_help[] =
    "\n"
    "MANIFEST is manifest.json of a snapshot, or the directory it is in. Shows what it\n"
    "says and asks before it signs. Nothing is signed that does not read as a manifest,\n"
    "or carries a signature that does not hold. The signature covers the manifest, and\n"
    "through it every byte of the snapshot; check the body with snapshot verify, or that\n"
    "your own node has the same state root at that block.\n"
    "  --key FILE            the key file that cairn keygen made\n"
    "  --out FILE            write the signed manifest there, not to MANIFEST\n"
    "  --xai                 sign XAI's own digest too, for stock nodes; wants a\n"
    "                        secp256k1 key\n"
    "  --yes                 do not ask\n" PASSPHRASE_HELP;

static const char merge_help[] =
    "\n"
    "Each MANIFEST is of the same snapshot, signed by somebody else. Every signature is\n"
    "checked; one that does not hold, or a manifest of another snapshot, ends it.\n"
    "  --out FILE            the manifest with all signatures; it is replaced\n";

static const char check_help[] =
    "\n"
    "Of a directory everything is checked: manifest, signatures, chunk table, every\n"
    "frame, every coin, state root and total. Of a manifest alone: what it says by\n"
    "itself, and its signatures. Memory does not grow with the snapshot.\n"
    "  --keys KEY,KEY,...    public keys whose signatures count\n"
    "  --threshold N         how many of them must have signed (default 1), else the\n"
    "                        exit status is 5\n";

#define BUNDLE_OPTIONS                                                      \
    (CLI_OFFLINE | CLI_TAKES(CLI_OPT_KEYS) | CLI_TAKES(CLI_OPT_THRESHOLD) | \
     CLI_TAKES(CLI_OPT_NETWORK))
#define TRUST_HELP                                                                       \
    "  --keys KEY,KEY,...    public keys whose signatures count\n"                       \
    "  --threshold N         how many of them must have signed (default 1), else the\n"  \
    "                        exit status is 5\n"                                         \
    "  --network NAME|FILE   whose genesis and rules the headers are held against, as\n" \
    "                        in the configuration; default: the network it names\n"

static const char bundle_help[] =
    "\n"
    "A bundle is for machines without a network: headers from genesis to the snapshot's\n"
    "block, manifest with its signatures, and body. Everything is checked on the way.\n"
    "  --snapshot DIR        the snapshot; its manifest should be signed by now\n"
    "  --out FILE            the new file\n"
    "Headers come from one of\n"
    "  --data-dir DIR        the data directory of a node that has them from genesis\n"
    "  --url URL             the public plane of such a node\n"
    "                        the snapshot itself, if it came out of a bundle\n"
    "  --network NAME|FILE   as in the configuration; default: the network it names\n";

static const char unbundle_help[] =
    "\n"
    "Checks everything in FILE: headers by all rules, from genesis to the snapshot's\n"
    "block, and that their work is what the manifest claims; signatures, chunk table,\n"
    "every frame, every coin, state root and total. Uses no network and no clock, and\n"
    "memory that does not grow with the file.\n" TRUST_HELP;

static const char import_help[] =
    "\n"
    "Checks FILE as bundle verify does, and unpacks it in the same pass; a snapshot is\n"
    "there when everything held, and not before. cairn sync --file takes its directory.\n"
    "  --out DIR             the new directory\n"
    "  --data-dir DIR        instead: snapshots/<id> of this data directory\n" TRUST_HELP;

static const char create_help[] =
    "\n"
    "Of the state at the tip, or at a height that the node can go back to. It follows the\n"
    "chain meanwhile. Ends with the job; cairn cancel ends that.\n"
    "  --height H         the state after this block\n"
    "  --block-hash HASH  which must be this one\n";

static const char submit_help[] =
    "\n"
    "MANIFEST, or the directory it is in, was signed elsewhere (snapshot sign). The daemon\n"
    "takes those signatures of its own snapshot that hold and that it lacks.\n";

static const char withdraw_help[] =
    "\n"
    "Its files go; who asks for them is told that it was withdrawn. The checkpoint of its\n"
    "block is revoked, and nodes that stand on it halt: to take a snapshot away and no\n"
    "more, use snapshot delete.\n"
    "  --reason R         why; it is in what is signed\n";

static const char delete_help[] = "\n"
                                  "  --reason R         why, for the audit log\n";

static const char delta_help[] =
    "\n"
    "FROM and TO are directories of snapshots of one network. Keep the delta for who has\n"
    "FROM: it has TO's manifest and signatures in it. Memory does not grow.\n"
    "  --out FILE            the delta; it is replaced\n";

static const char apply_help[] =
    "\n"
    "FROM is the directory of a snapshot, DELTA what leads from it to a later one. What\n"
    "comes of it has the state root that its manifest names, or nothing is left. Who\n"
    "signed it is for snapshot verify to say.\n"
    "  --out DIR             where the later snapshot's directory is made\n";

static const char limit_help[] = "\n"
                                 "  --limit N          at most so many (default 50)\n";

static const char rejections_help[] =
    "\n"
    "  --reason R         only those refused for this reason, such as no_quorum\n"
    "  --limit N          at most so many (default 50)\n";

const struct cli_command cli_commands[] = {
    {"status", "", "Where the node is, and what it waits for", "", 0, 0, 0,
     cli_status_run},
    {"sync", "", "Start a bootstrap from a checkpoint", sync_help, 0, 0, SOURCE_OPTIONS,
     cli_sync_run},
    {"jobs", "", "Jobs, newest first", limit_help, 0, 0, CLI_TAKES(CLI_OPT_LIMIT),
     cli_jobs_list},
    {"watch", "JOB", "Show a job's progress until it ends", "", 1, 1, 0,
     cli_jobs_watch},
    {"cancel", "JOB", "End a job", "", 1, 1, 0, cli_jobs_cancel},
    {"checkpoints", "", "Checkpoints that were accepted, newest first", limit_help, 0,
     0, CLI_TAKES(CLI_OPT_LIMIT), cli_checkpoints_list},
    {"provenance", "HEIGHT", "Why the checkpoint at a height was believed", "", 1, 1, 0,
     cli_provenance_run},
    {"rejections", "", "Checkpoints that were refused, and why", rejections_help, 0, 0,
     CLI_TAKES(CLI_OPT_REASON) | CLI_TAKES(CLI_OPT_LIMIT), cli_records_rejections},
    {"incidents", "", "What no program may decide alone", limit_help, 0, 0,
     CLI_TAKES(CLI_OPT_LIMIT), cli_records_incidents},
    {"peers", "", "Who answers, who lied", "", 0, 0, 0, cli_records_peers},
    {"audit verify", "[FILE]", "Check that the audit log is whole", verify_help, 0, 1,
     CLI_TAKES(CLI_OPT_HEAD), cli_audit_verify},
    {"audit export", "", "Print the audit log, an entry a line", "", 0, 0, 0,
     cli_audit_export},
    {"coin", "TXID VOUT", "Look up a coin", "", 2, 2, 0, cli_coin_run},
    {"call", "METHOD [JSON]", "Call any method of the RPC", call_help, 1, 2, 0,
     cli_raw_call},
    {"token create", "", "Make a token for rpc.tokens", token_help, 0, 0,
     CLI_OFFLINE | CLI_TAKES(CLI_OPT_NAME) | CLI_TAKES(CLI_OPT_ROLE), cli_token_create},
    {"keygen", "", "Make a key that signs snapshots", keygen_help, 0, 0,
     CLI_OFFLINE | CLI_TAKES(CLI_OPT_OUT) | CLI_TAKES(CLI_OPT_ALG) |
         PASSPHRASE_OPTIONS | CLI_TAKES(CLI_OPT_NO_PASSPHRASE),
     cli_keygen_run},
    {"snapshot create", "", "Have the daemon make a snapshot", create_help, 0, 0,
     CLI_TAKES(CLI_OPT_HEIGHT) | CLI_TAKES(CLI_OPT_BLOCK_HASH), cli_snapshot_create},
    {"snapshot list", "", "Snapshots the daemon has, highest first", "", 0, 0, 0,
     cli_snapshot_list},
    {"snapshot get", "ID", "One of them, and where it lies", "", 1, 1, 0,
     cli_snapshot_get},
    {"snapshot check", "ID", "Have the daemon check every byte of one", "", 1, 1, 0,
     cli_snapshot_check},
    {"snapshot submit", "MANIFEST", "Bring the daemon a manifest's signatures",
     submit_help, 1, 1, 0, cli_snapshot_submit},
    {"snapshot withdraw", "ID", "Serve one no more, and revoke its checkpoint",
     withdraw_help, 1, 1, CLI_TAKES(CLI_OPT_REASON), cli_snapshot_withdraw},
    {"snapshot delete", "ID", "Remove one", delete_help, 1, 1,
     CLI_TAKES(CLI_OPT_REASON), cli_snapshot_delete},
    {"snapshot publish", "DIR", "Put a snapshot on an object store", publish_help, 1, 1,
     CLI_OFFLINE | STORE_OPTIONS | CLI_TAKES(CLI_OPT_BACK), cli_publish_run},
    {"snapshot sign", "MANIFEST", "Sign a snapshot", sign_help, 1, 1,
     CLI_OFFLINE | CLI_TAKES(CLI_OPT_KEY) | CLI_TAKES(CLI_OPT_OUT) |
         CLI_TAKES(CLI_OPT_YES) | CLI_TAKES(CLI_OPT_XAI) | PASSPHRASE_OPTIONS,
     cli_snapshot_sign},
    {"snapshot merge", "MANIFEST...", "Gather signatures into one manifest", merge_help,
     1, TRUST_KEYS_MAX, CLI_OFFLINE | CLI_TAKES(CLI_OPT_OUT), cli_snapshot_merge},
    {"snapshot verify", "DIR|MANIFEST", "Check a snapshot and who signed it",
     check_help, 1, 1,
     CLI_OFFLINE | CLI_TAKES(CLI_OPT_KEYS) | CLI_TAKES(CLI_OPT_THRESHOLD),
     cli_snapshot_verify},
    {"snapshot delta", "FROM TO", "Write what leads from one snapshot to a later one",
     delta_help, 2, 2, CLI_OFFLINE | CLI_TAKES(CLI_OPT_OUT), cli_delta_make},
    {"snapshot apply", "FROM DELTA", "Make the later snapshot of a delta", apply_help,
     2, 2, CLI_OFFLINE | CLI_TAKES(CLI_OPT_OUT), cli_delta_apply},
    {"bundle create", "", "Put a snapshot and its headers into one file", bundle_help,
     0, 0,
     CLI_OFFLINE | CLI_TAKES(CLI_OPT_SNAPSHOT) | CLI_TAKES(CLI_OPT_URL) |
         CLI_TAKES(CLI_OPT_OUT) | CLI_TAKES(CLI_OPT_NETWORK),
     cli_bundle_create},
    {"bundle verify", "FILE", "Check a bundle and who signed it", unbundle_help, 1, 1,
     BUNDLE_OPTIONS, cli_bundle_verify},
    {"bundle import", "FILE", "Check a bundle and unpack it", import_help, 1, 1,
     BUNDLE_OPTIONS | CLI_TAKES(CLI_OPT_OUT), cli_bundle_import},
    {.name = 0},
};
