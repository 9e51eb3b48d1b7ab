#!/usr/bin/env bash
# Copyright (c) 2026 The Assay Authors
# SPDX-License-Identifier: Apache-2.0
#
# Builds and runs every test. Arguments go to `swift test` (for example --filter TensorGraphTests).
#
# Debug: the C kernels are -O3 in every configuration, so the numerics are the same, and preconditions are checked.

set -euo pipefail
cd "$(dirname "$0")/.."
. Scripts/stage.sh

stage "dependencies" Scripts/install-dependencies.sh
stage "build tests" swift build --build-tests
# The kernels of processors that this machine is not: the same agreement with the reference.
if [[ $# -eq 0 ]]; then
  for set in portable avx2; do
    stage "runtime on $set" env ASSAY_CPU=$set swift test --skip-build --filter RuntimeAgreementTests
  done
fi
printf '== test\n'
exec swift test --skip-build "$@"
