#!/usr/bin/env bash
# Copyright (c) 2026 The Assay Authors
# SPDX-License-Identifier: Apache-2.0
#
# The step benchmark against PyTorch. Without arguments: shape S, with the peers.
#
#   Scripts/bench.sh --shape P --peers --python path/to/python

set -euo pipefail
cd "$(dirname "$0")/.."

Scripts/install-dependencies.sh
swift build -c release --product assay
if [ $# -eq 0 ]; then set -- --shape S --peers; fi
exec "$(swift build -c release --show-bin-path)/assay" bench step "$@"
