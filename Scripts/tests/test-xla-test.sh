#!/usr/bin/env bash
# Copyright (c) 2026 The Assay Authors
# SPDX-License-Identifier: Apache-2.0
#
# Shows what test-xla.sh makes of tests that were skipped or not found, with a swift that only says what is planted, and that
# its filters reach every test that needs a plugin.

. "$(dirname "$0")/expect.sh"

mkdir -p "$scratch/tools" "$scratch/package/Scripts" "$scratch/plugin/include"
cp "$package/Scripts/test-xla.sh" "$package/Scripts/stage.sh" "$scratch/package/Scripts/"
touch "$scratch/plugin/include/pjrt_c_api.h"

# swift_that LINES: a swift that writes down its filters and says LINES of tests.
swift_that() {
  cat >"$scratch/tools/swift" <<END
#!/bin/bash
[ "\$1" = test ] || exit 0
shift
while [ \$# -gt 0 ]; do
  if [ "\$1" = --filter ]; then
    printf '%s\n' "\$2" >>"$scratch/filters"
    shift
  fi
  shift
done
$1
END
  chmod +x "$scratch/tools/swift"
}
run_tests() {
  env PATH="$scratch/tools:$PATH" ASSAY_XLA_PLUGIN="$scratch/plugin/plugin.so" ASSAY_PJRT_HEADERS= \
    "$scratch/package/Scripts/test-xla.sh" "$@"
}
passed="echo '✔ Test run with 2 tests in 1 suite passed after 0.1 seconds.'"

swift_that "echo '✔ Test \"A step whose loss is no number is skipped, and the next is taken\" with 2 test cases passed after 0.1 seconds.'
echo '◇ Test \"What was skipped.\" started.'
$passed"
expect_pass "names that hold the word" run_tests
sort -u "$scratch/filters" >"$scratch/all-filters"

swift_that "echo '➜ Test \"The CUDA plugin, of a later interface, is opened, and says that it sees no device\" skipped.'
echo '➜ Suite \"The second of two processes\" skipped.'
$passed"
expect_pass "tests that may be skipped" run_tests

swift_that "echo '➜ Test \"Twenty steps of an architecture\" skipped.'; $passed"
expect_failure "a test that was skipped" 'Twenty steps of an architecture' run_tests
grep -q 'skipped, though there is a plugin' "$scratch/output" || failed "does not say why"
swift_that "echo '➜ Test agrees(_:) skipped: \"a reason\"'; $passed"
expect_failure "a test without a name of its own" 'agrees(_:)' run_tests
swift_that "echo '➜ Suite SharedProgramTests skipped.'; $passed"
expect_failure "a suite that was skipped" 'SharedProgramTests' run_tests --filter SharedProgramTests
swift_that "echo '➜ Suite \"Layout of the PJRT interface\" skipped.'; $passed"
expect_failure "the layout beside a header" 'Layout of the PJRT interface' run_tests
rm "$scratch/plugin/include/pjrt_c_api.h"
expect_pass "the layout without a header" run_tests

swift_that "echo '✔ Test run with 0 tests in 0 suites passed after 0.001 seconds.'"
expect_failure "no tests at all" 'did not run on the plugin' run_tests
swift_that 'exit 0'
expect_failure "no report" 'did not run on the plugin' run_tests
swift_that "$passed; exit 1"
expect_failure "tests that fail" 'runtime: FAILED' run_tests

# reached FILE: a filter matches every suite of a file of tests, by `Module.Suite`.
reached() {
  local module suite suites
  module=$(printf '%s\n' "$1" | sed -E 's|^.*Tests/([A-Za-z]+)/.*|\1|')
  suites=$(grep -oE '(struct|class|enum) [A-Za-z]*Tests\b' "$1" | awk '{ print $2 }') || true
  if grep -qE '@Test\b' "$1" && [ -z "$suites" ]; then suites=$(basename "$1" .swift); fi
  for suite in $suites; do
    # A filter with a test's name reaches that test alone.
    if ! printf '%s.%s\n' "$module" "$suite" | grep -qE -f <(grep -v / "$scratch/all-filters"); then
      printf 'no filter of test-xla.sh reaches %s.%s\n' "$module" "$suite"
      return 1
    fi
  done
}
all_reached() {
  local file
  for file in $(grep -rlE 'ASSAY_XLA_PLUGIN|(XLA|Plugin)UnderTest\b' "$1" --include '*.swift'); do reached "$file"; done
}
expect_pass "filters for every test that needs a plugin" all_reached "$package/Tests"
mkdir -p "$scratch/Tests/OtherTests"
printf '%s\n' '@Suite(.enabled(if: environment["ASSAY_XLA_PLUGIN"] != nil)) struct PlantedTests {' '  @Test func one() {}' '}' \
  >"$scratch/Tests/OtherTests/PlantedTests.swift"
expect_failure "a suite that no filter reaches" 'OtherTests.PlantedTests' all_reached "$scratch/Tests"

closing_line
