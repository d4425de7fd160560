#!/bin/sh
# Fail if a room includes one above it, or a library outside the room that owns it.
# Order: base store sync rpc daemon; inside sync: chain, then trust peer, then snapshot p2p serve, then publish, then the engine.
set -eu
cd "$(dirname "$0")/.."
only() { # header, the folders that may include it...
  header=$1; shift
  grep -rlF "$header" base store sync rpc daemon | while read -r f; do
    ok=no
    for d in "$@"; do case $f in "$d"/*) ok=yes ;; esac; done
    [ $ok = yes ] || echo "$f: includes $header"
  done
}
bad=$( { grep -rnE '#include "(store|sync|rpc|daemon)/' base
         grep -rnE '#include "(sync|rpc|daemon)/' store
         grep -rnE '#include "(rpc|daemon)/' sync
         grep -rnE '#include "daemon/' rpc
         grep -rnE '#include "(store|sync/(trust|peer|snapshot|[a-z_]+\.h))' sync/chain
         grep -rnE '#include "(store|sync/(peer|snapshot|[a-z_]+\.h))' sync/trust
         grep -rnE '#include "(store|sync/(trust|p2p|snapshot|[a-z_]+\.h))' sync/peer
         grep -rnE '#include "(store|sync/(trust|snapshot|[a-z_]+\.h))' sync/p2p
         grep -rnE '#include "sync/(peer|p2p|[a-z_]+\.h)' sync/snapshot
         grep -rnE '#include "sync/(p2p|serve|[a-z_]+\.h)' sync/bundle
         grep -rnE '#include "sync/bundle' store rpc sync/chain sync/trust sync/peer sync/p2p sync/snapshot sync/serve
         grep -rnE '#include "sync/(p2p|snapshot|[a-z_]+\.h)' sync/serve | grep -v '"sync/reads\.h"'
         grep -rnE '#include "sync/(p2p|serve|[a-z_]+\.h)' sync/publish
         grep -rnE '#include "sync/publish' sync/chain sync/trust sync/peer sync/snapshot sync/p2p sync/serve
         grep -rnE '#include "sync/serve' sync/chain sync/trust sync/peer sync/snapshot
         grep -rnE '#include <(pthread|sys/socket|time|stdio)\.h>' sync/chain | grep -v stdio
         only sqlite3.h store
         only microhttpd.h rpc
         only curl/curl.h sync/peer sync/publish daemon/cli
         only expat.h sync/publish
         only secp256k1.h sync/chain sync/trust sync/p2p
         only wslay/wslay.h sync/p2p
         only openssl/ssl.h sync/p2p
         only maxminddb.h sync/peer
         only yaml.h daemon
         only zstd.h base
         only zlib.h base
         only yajl/ sync/snapshot; } 2>/dev/null || true)
[ -z "$bad" ] || { echo "$bad"; exit 1; }
