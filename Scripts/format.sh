#!/usr/bin/env bash
# Copyright (c) 2026 The Assay Authors
# SPDX-License-Identifier: Apache-2.0
#
# Formats every Swift file; with --check changes nothing and fails on any finding.

set -euo pipefail
cd "$(dirname "$0")/.."

paths=(Package.swift)
for folder in Sources Tests; do
  if [ -d "$folder" ]; then paths+=("$folder"); fi
done

case "${1-}" in
  "") swift format format --in-place --parallel --recursive "${paths[@]}" ;;
  --check) ;;
  *)
    printf 'usage: %s [--check]\n' "$0" >&2
    exit 64
    ;;
esac

swift format lint --strict --parallel --recursive "${paths[@]}"
