#!/usr/bin/env bash
# Copyright (c) 2026 The Assay Authors
# SPDX-License-Identifier: Apache-2.0
#
# Tests what runs on devices behind a PJRT plugin of XLA. `make test` leaves these tests out.
#
# ASSAY_XLA_PLUGIN=FILE.so names a plugin; without it the processor's is installed from PyPI into .build/xla-plugin, which takes Python 3 and 70 MB
# once. Arguments go to `swift test` in place of the choice of tests here.

set -euo pipefail
cd "$(dirname "$0")/.."
. Scripts/stage.sh

# Wheels of release 0.0.1 by processor: x86-64, arm64.
hashes=(
  --hash=sha256:55837b6b7b47daa717f2d9a5a03563ea0ceaa338d06a81a1e2d3f060d960decc
  --hash=sha256:8f613be6e891858f40d64f9799319502fff42689661944fc18a6ffd8210b30c9
)
environment=.build/xla-plugin

# The plugin's file in the environment; nothing where there is none.
installed() { find "$environment" -name 'xla_cpu_pjrt.so' -print -quit 2>/dev/null || true; }

install_plugin() {
  if [ -n "$(installed)" ]; then return; fi
  if [ "$(uname)" != Linux ]; then
    printf 'error: the package xla-cpu-pjrt is for Linux only; name a plugin for this system: ASSAY_XLA_PLUGIN=FILE\n' >&2
    return 1
  fi
  Scripts/install-dependencies.sh --python
  mkdir -p .build
  rm -rf "$environment"
  python3 -m venv "$environment"
  printf 'xla-cpu-pjrt==0.0.1 %s\n' "${hashes[*]}" >"$environment/requirements.txt"
  "$environment/bin/pip" install --quiet --disable-pip-version-check --no-deps --require-hashes \
    --requirement "$environment/requirements.txt"
}

if [ -z "${ASSAY_XLA_PLUGIN:-}" ]; then
  stage "plugin" install_plugin
  ASSAY_XLA_PLUGIN=$PWD/$(installed)
fi
export ASSAY_XLA_PLUGIN
# Tests compile what they test, and leave nothing with the user.
export ASSAY_CACHE=off
printf 'plugin: %s\n' "$ASSAY_XLA_PLUGIN"

stage "build tests" swift build --build-tests
report=$(mktemp)
trap 'rm -f "$report"' EXIT

# What may be skipped though there is a plugin, by the names in the tests' own lines.
optional=(
  # Needs ASSAY_XLA_CUDA_PLUGIN and a machine without its device.
  'The CUDA plugin, of a later interface, is opened, and says that it sees no device'
  # Runs in a process of its own, which the first of two starts.
  'The second of two processes'
  'It answers over the exchange that its environment names'
)
if [ -z "${ASSAY_PJRT_HEADERS:-}" ] && [ ! -e "$(dirname "$ASSAY_XLA_PLUGIN")/include/pjrt_c_api.h" ]; then
  optional+=(
    'Layout of the PJRT interface'
    'Every struct, field, slot and number is where the official header has it'
    'The comparison can fail: a slot that is off by one does not compile'
  )
fi

# The names of tests and suites that the report says were skipped: `➜ Test "NAME" skipped.`, `➜ Test name() skipped: "REASON"`.
skipped() {
  sed -nE 's/^[^A-Za-z0-9]*(Test|Suite) ("([^"]*)"|([^" ]+)) skipped(\.|: ".*")$/\3\4/p' "$report"
}

tests() {
  swift test --skip-build "$@" 2>&1 | tee "$report"
  # A suite that is no longer found passes, too; and so does one that was skipped.
  if ! grep -q 'Test run with [1-9][0-9]* test.* passed' "$report"; then
    printf 'error: the tests did not run on the plugin\n' >&2
    return 1
  fi
  local missed
  missed=$(skipped | { grep -vxF -f <(printf '%s\n' "${optional[@]}") || true; })
  if [ -n "$missed" ]; then
    printf 'error: skipped, though there is a plugin:\n%s\n' "$missed" >&2
    return 1
  fi
}
if [ $# -gt 0 ]; then
  tests "$@"
  exit
fi
stage "runtime" tests --filter XLARuntimeTests
# Most of the time of whole runs goes into compiling: less effort there finds nearly the same mistakes of ours. The last two stages have
# all of it, as users have.
runs() {
  export XLA_FLAGS="${XLA_FLAGS:-} --xla_backend_optimization_level=0"
  tests "$@"
}
stage "runs" runs --filter TrainingTests.XLA
stage "runs that share programs" runs --filter TrainingTests.TrialPackTests --filter CommandTests.SharedProgramTests
stage "runs, compiled in full" tests --filter TrainingTests.XLAFullEffortTests \
  --filter TrainingTests.XLAOptimizerTests/bfloat16 --filter TrainingTests.XLACheckpointTests/sameBits
stage "commands" tests --filter CommandTests.DeviceTests
