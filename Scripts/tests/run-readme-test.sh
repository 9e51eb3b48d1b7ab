#!/usr/bin/env bash
# Copyright (c) 2026 The Assay Authors
# SPDX-License-Identifier: Apache-2.0
#
# Shows that run-readme.sh runs what is marked, and fails when a command fails, a mark is missing or nothing runs.

. "$(dirname "$0")/expect.sh"
gate=$package/Scripts/run-readme.sh
page=$scratch/page.md
export witness=$scratch/witness

printf '%s\n' 'Text.' '<!-- run -->' '```sh' 'echo one >>"$witness"' 'echo two >>"$witness"' '```' \
  '<!-- not run: costs an hour -->' '```sh' 'echo never >>"$witness"' '```' \
  '```swift' 'let a = 1' '```' '```' 'plain' '```' \
  '<!-- run -->' '' '```sh' 'echo three >>"$witness"' '```' >"$page"
expect_pass "two marked blocks" "$gate" "$page"
[ "$(tr '\n' ' ' <"$witness")" = "one two three " ] || failed "ran: $(cat "$witness")"

printf '%s\n' '<!-- run -->' '```sh' 'false' 'echo after' '```' >"$page"
expect_failure "a failing command" "exits with 1" "$gate" "$page"

printf '%s\n' '<!-- run -->' '```sh' 'false | cat' '```' >"$page"
expect_failure "a failing command in a pipe" "exits with 1" "$gate" "$page"

printf '%s\n' '<!-- run -->' '```sh' 'true' '```' '```sh' 'true' '```' >"$page"
expect_failure "an unmarked block" "neither" "$gate" "$page"

printf '%s\n' '<!-- run -->' 'A sentence between.' '```sh' 'true' '```' >"$page"
expect_failure "a mark that stands elsewhere" "neither" "$gate" "$page"

printf '%s\n' 'Text.' '<!-- not run: never -->' '```sh' 'true' '```' >"$page"
expect_failure "nothing to run" "no block marked" "$gate" "$page"

expect_failure "no file" "No such file" "$gate" "$scratch/absent.md"

closing_line
