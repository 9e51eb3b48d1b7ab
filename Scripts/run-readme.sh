#!/usr/bin/env bash
# Copyright (c) 2026 The Assay Authors
# SPDX-License-Identifier: Apache-2.0
#
# Executes the commands of a Markdown file (README.md by default), so that none can rot.
#
# Every fenced `sh` block stands under one of two comments:
#
#   <!-- run -->                 executed here, from the package's root, stopping at the first failure
#   <!-- not run: REASON -->     not executed, and says why
#
# A block under neither is an error, and so is a file without any block to run.

set -euo pipefail
cd "$(dirname "$0")/.."

document=${1:-README.md}
blocks=$(mktemp -d)
trap 'rm -rf "$blocks"' EXIT

awk -v folder="$blocks" '
  /^<!-- run -->$/ { mark = "run"; next }
  /^<!-- not run: .+ -->$/ { mark = "skip"; next }
  /^```/ && inside {
    if (file != "") close(file)
    inside = 0
    file = ""
    mark = ""
    next
  }
  /^```/ {
    inside = 1
    if ($0 == "```sh") {
      if (mark == "") {
        printf "%s:%d: a sh block that is neither <!-- run --> nor <!-- not run: REASON -->\n", FILENAME, FNR > "/dev/stderr"
        failed = 1
      }
      if (mark == "run") file = sprintf("%s/%04d.sh", folder, FNR)
    }
    next
  }
  inside { if (file != "") print > file; next }
  /[^ \t]/ { mark = "" }
  END { exit failed }
' "$document"

count=0
for block in "$blocks"/*.sh; do
  [ -e "$block" ] || continue
  line=$(basename "$block" .sh)
  printf -- '-- %s:%d\n' "$document" "$((10#$line + 1))"
  sed 's/^/   $ /' "$block"
  bash -euo pipefail "$block" </dev/null || {
    status=$?
    printf 'error: the block at %s:%d exits with %d\n' "$document" "$((10#$line + 1))" $status >&2
    exit 1
  }
  count=$((count + 1))
done
if [ $count -eq 0 ]; then
  printf 'error: %s has no block marked <!-- run -->\n' "$document" >&2
  exit 1
fi
printf '%s: %d blocks ran\n' "$document" $count
