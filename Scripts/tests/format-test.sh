#!/usr/bin/env bash
# Copyright (c) 2026 The Assay Authors
# SPDX-License-Identifier: Apache-2.0
#
# Shows that format.sh --check fails on bad form and changes nothing, and that format.sh mends what can be mended.

. "$(dirname "$0")/expect.sh"

# A package of one file: the check of the real one is the stage before this.
mkdir -p "$scratch/package/Sources/Planted" "$scratch/package/Tests"
cp -R "$package/Scripts" "$package/.swift-format" "$package/Package.swift" "$scratch/package/"
gate=$scratch/package/Scripts/format.sh
file=$scratch/package/Sources/Planted/Planted.swift

printf '/// A number.\npublic let planted = 1\n' >"$file"
expect_pass "a well-formed file" "$gate" --check

printf '/// A number.\npublic let planted    =  1\n' >"$file"
cp "$file" "$scratch/before"
expect_failure "bad spacing" 'Spacing' "$gate" --check
cmp -s "$file" "$scratch/before" || failed "--check changed the file"
expect_pass "mending bad spacing" "$gate"
expect_pass "what was mended" "$gate" --check

printf 'public let planted = 1\n' >"$file"
expect_failure "a public declaration without documentation" 'AllPublicDeclarationsHaveDocumentation' "$gate" --check

printf '/// A number.\npublic let planted = Int("1")!\n' >"$file"
expect_failure "a force unwrap" 'NeverForceUnwrap' "$gate" --check

expect_failure "an unknown option" 'usage' "$gate" --chekc

closing_line
