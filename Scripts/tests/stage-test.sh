#!/usr/bin/env bash
# Copyright (c) 2026 The Assay Authors
# SPDX-License-Identifier: Apache-2.0
#
# Shows that a failing stage ends the script it stands in: the mechanism of .ci/run and test.sh.

. "$(dirname "$0")/expect.sh"

# script LINES: a script that sources stage.sh as the real ones do.
script() {
  printf '%s\n' 'set -euo pipefail' ". '$package/Scripts/stage.sh'" "$@" >"$scratch/script.sh"
}

script 'stage "first" true' 'stage "second" echo seen'
expect_pass "two good stages" bash "$scratch/script.sh"
grep -q '^== second: [0-9]* s$' "$scratch/output" || failed "no seconds"

script 'stage "first" false' 'echo reached'
expect_failure "a failing command" '== first: FAILED with status 1' bash "$scratch/script.sh"
if grep -q reached "$scratch/output"; then failed "runs on after a failed stage"; fi

script 'both() { false; echo reached; }' 'stage "first" both'
expect_failure "a failure inside a function" 'FAILED' bash "$scratch/script.sh"
if grep -q reached "$scratch/output"; then failed "runs on inside a failed stage"; fi

script 'piped() { false | cat; }' 'stage "first" piped'
expect_failure "a failure in a pipe" 'FAILED' bash "$scratch/script.sh"

script 'stage "first" exit 3'
expect_failure "a status" 'status 3' bash "$scratch/script.sh"

# test.sh with a swift whose build, then whose tests fail.
mkdir -p "$scratch/tools" "$scratch/package/Scripts"
cp "$package/Scripts/test.sh" "$package/Scripts/stage.sh" "$scratch/package/Scripts/"
printf '#!/bin/bash\n' >"$scratch/package/Scripts/install-dependencies.sh"
chmod +x "$scratch/package/Scripts/install-dependencies.sh"
swift_that() {
  printf '#!/bin/bash\n%s\n' "$1" >"$scratch/tools/swift"
  chmod +x "$scratch/tools/swift"
}
run_tests() { env PATH="$scratch/tools:$PATH" "$scratch/package/Scripts/test.sh"; }

swift_that 'echo "swift $*"'
expect_pass "a build and tests that pass" run_tests
tail -n 1 "$scratch/output" | grep -q '^swift test' || failed "does not end with the tests' own line"
swift_that 'test "$1" != build'
expect_failure "a build that fails" 'build tests: FAILED' run_tests
swift_that 'echo "swift $*"; test "$1" != test'
expect_failure "tests that fail" 'swift test' run_tests

closing_line
