#!/usr/bin/env bash
# Copyright (c) 2026 The Assay Authors
# SPDX-License-Identifier: Apache-2.0
#
# Writes Docs/optimizers from the cards: one page a method, and the index. A test compares them with what the command prints.
#
#   Scripts/make-docs.sh [ASSAY]     the built command; the newer of .build/release/assay and .build/debug/assay

set -euo pipefail
cd "$(dirname "$0")/.."

assay=${1:-}
if [ -z "$assay" ]; then
  for candidate in .build/release/assay .build/debug/assay; do
    if [ -x "$candidate" ] && { [ -z "$assay" ] || [ "$candidate" -nt "$assay" ]; }; then
      assay=$candidate
    fi
  done
fi
if [ ! -x "$assay" ]; then
  printf 'error: no assay to ask; build it with make build, or name one: Scripts/make-docs.sh PATH\n' >&2
  exit 1
fi

folder=Docs/optimizers
pages=$(mktemp -d)
trap 'rm -rf "$pages"' EXIT
"$assay" list optimizers --markdown >"$pages/README.md"
names=$("$assay" list optimizers | awk 'NR > 1 { print $1 }')
for name in $names; do
  "$assay" show optimizer "$name" --markdown >"$pages/$name.md"
done

# Pages of methods that are gone go too; policies.md is written by hand.
for page in "$folder"/*.md; do
  [ "$page" = "$folder/policies.md" ] || rm -f "$page"
done
cp "$pages"/*.md "$folder"/
printf '%s: %d pages\n' "$folder" "$(find "$pages" -name '*.md' | wc -l)"
