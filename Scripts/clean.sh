#!/usr/bin/env bash
# Copyright (c) 2026 The Assay Authors
# SPDX-License-Identifier: Apache-2.0
#
# Removes what was built. Prepared data and runs stay: they cost time and are the user's.

set -euo pipefail
cd "$(dirname "$0")/.."

rm -rf .build
for kept in data runs; do
  if [ -d "$kept" ]; then printf 'kept: %s/ (remove it by hand if you do not need it)\n' "$kept"; fi
done
