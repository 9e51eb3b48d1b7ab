# Copyright (c) 2026 The Assay Authors
# SPDX-License-Identifier: Apache-2.0
#
# Sourced by other scripts: `stage NAME COMMAND...` runs a command between its name and its seconds.

stage() {
  local name=$1 began=$SECONDS status=0
  shift
  printf '== %s\n' "$name"
  # Not "if" or "||": inside either, a function given as the command would run on after a failure.
  set +e
  (
    set -e
    "$@"
  )
  status=$?
  set -e
  if [ $status -ne 0 ]; then
    printf '== %s: FAILED with status %d after %d s\n' "$name" $status $((SECONDS - began)) >&2
    return $status
  fi
  printf '== %s: %d s\n' "$name" $((SECONDS - began))
}
