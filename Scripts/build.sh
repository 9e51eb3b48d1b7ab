#!/usr/bin/env bash
# Copyright (c) 2026 The Assay Authors
# SPDX-License-Identifier: Apache-2.0
#
# Builds the release `assay` and says where it lies.

set -euo pipefail
cd "$(dirname "$0")/.."

Scripts/install-dependencies.sh
swift build -c release --product assay
printf 'built: %s/assay\n' "$(swift build -c release --show-bin-path)"
