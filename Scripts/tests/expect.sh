# Copyright (c) 2026 The Assay Authors
# SPDX-License-Identifier: Apache-2.0
#
# Sourced by the companion tests: a scratch copy of the package, and expectations that count.
# Each test shows that its gate passes as things are and fails when something is planted.

set -euo pipefail
cd "$(dirname "$0")/../.."
package=$PWD
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
checks=0

# A copy of what the gates read, in $scratch/package.
fresh_copy() {
  rm -rf "$scratch/package"
  mkdir -p "$scratch/package"
  local part
  for part in Package.swift .swift-format Scripts Sources Tests README.md; do
    if [ -e "$package/$part" ]; then cp -R "$package/$part" "$scratch/package/"; fi
  done
}

failed() {
  printf 'FAILED: %s\n--- output\n' "$1" >&2
  cat "$scratch/output" >&2
  exit 1
}

# expect_pass WHAT COMMAND...
expect_pass() {
  local what=$1
  shift
  "$@" >"$scratch/output" 2>&1 </dev/null || failed "$what: should pass, exits $?"
  checks=$((checks + 1))
}

# expect_failure WHAT TEXT COMMAND...: the command exits non-zero and its output contains TEXT.
expect_failure() {
  local what=$1 text=$2
  shift 2
  if "$@" >"$scratch/output" 2>&1 </dev/null; then failed "$what: should fail, passes"; fi
  grep -qF -- "$text" "$scratch/output" || failed "$what: fails without saying '$text'"
  checks=$((checks + 1))
}

# plant FILE TEXT: adds lines to a file of the copy.
plant() {
  mkdir -p "$scratch/package/$(dirname "$1")"
  printf '%b\n' "$2" >>"$scratch/package/$1"
}

closing_line() { printf '%s: %d checks\n' "$(basename "$0")" "$checks"; }
