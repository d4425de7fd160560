#!/bin/sh
# Fail on functions that cannot be used safely, and on // comments.
set -eu
cd "$(dirname "$0")/.."
set -- base store sync rpc daemon tests/unit tests/fuzz tests/bench
functions='strcpy|strcat|stpcpy|sprintf|vsprintf|gets|atoi|atol|atoll|atof|strtok|rand|random|system|popen|alloca'
bad=$( { grep -rnE --include='*.[ch]' "(^|[^_[:alnum:]>.])($functions)[[:space:]]*\(" "$@"
         grep -rnE --include='*.[ch]' '(^|[;{}[:space:]])//' "$@"; } 2>/dev/null || true)
[ -z "$bad" ] || { echo "$bad"; exit 1; }
