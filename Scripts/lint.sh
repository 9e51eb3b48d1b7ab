#!/usr/bin/env bash
# Copyright (c) 2026 The Assay Authors
# SPDX-License-Identifier: Apache-2.0
#
# Everything that is checked without building: format and layers.

set -euo pipefail
cd "$(dirname "$0")/.."

Scripts/format.sh --check
Scripts/check-layers.sh
