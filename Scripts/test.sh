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
printf '== test\n'
exec swift test --skip-build "$@"
