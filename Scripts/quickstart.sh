#!/usr/bin/env bash
# Copyright (c) 2026 The Assay Authors
# SPDX-License-Identifier: Apache-2.0
#
# From a fresh machine to a report on six optimizers: installs, builds, prepares text, runs the study
# Studies/quickstart.toml for about four minutes.
#
#   TEXT=path make quickstart           compares on your file or folder (.txt, .jsonl, or source code)
#   QUICKSTART_STEPS=8 make quickstart  with so few steps that only the path is tried
#
# Run again, it goes on with a study that was interrupted, and shows one that is finished. Another text, or a study file that
# was changed, is another study, in a folder of its own (studies/quickstart-2, ...). The text is prepared once, and again when
# it is another one.

set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '\n%s\n' "$*" >&2; }

Scripts/install-dependencies.sh
say "Building (release) ..."
swift build -c release --product assay >&2
assay=$(swift build -c release --show-bin-path)/assay

# The text that every machine with Swift has, without its copies: of each module's interface the public one, one
# architecture of it, cut into documents of some screens so that a share of all modules is held out; and this package.
collect_swift_text() {
  local folder=$1 resources sdk
  resources=$(swift -print-target-info | sed -n 's/.*"runtimeResourcePath": "\(.*\)".*/\1/p' | head -n 1)
  if [ ! -d "$resources" ]; then
    # Older or unusual toolchains: beside the resolved executable.
    resources=$(dirname "$(dirname "$(realpath "$(command -v swift)")")")/lib/swift
  fi
  sdk=""
  if [ "$(uname)" = Darwin ]; then sdk=$(xcrun --show-sdk-path 2>/dev/null || true); fi
  mkdir -p "$folder"
  # A Mac's SDK has a hundred times more than two minutes need.
  find "$resources" ${sdk:+"$sdk/usr/lib/swift"} -name '*.swiftinterface' ! -name '*.private.*' ! -name '*.package.*' 2>/dev/null |
    LC_ALL=C sort | awk -F/ '!seen[$(NF - 1)]++' |
    while read -r file; do
      module=$(basename "$(dirname "$file")" .swiftmodule)
      awk -v prefix="$folder/$module" '
        # A document ends at the first declaration of the outermost level after 8,000 bytes.
        !file || (size > 8000 && /^[a-z@]/) {
          if (file) close(file)
          file = sprintf("%s-%04d.swift", prefix, number++)
          size = 0
        }
        { print > file; size += length($0) + 1 }
      ' "$file"
    done
  local source
  find Sources Tests Package.swift \( -name '*.swift' -o -name '*.c' -o -name '*.h' \) | while read -r source; do
    cp "$source" "$folder/assay-$(printf '%s' "$source" | tr '/' '-')"
  done
  if ! ls "$folder"/*-0000.swift >/dev/null 2>&1; then
    say "note: this Swift toolchain has no .swiftinterface files under $resources; training on this package alone"
  fi
}

data=data/quickstart
marker=data/quickstart.source
wanted=${TEXT:-"the Swift toolchain's interfaces and this package"}
if [ -e "$data/manifest.json" ] && [ "$(cat "$marker" 2>/dev/null)" = "$wanted" ]; then
  say "Text: $data is prepared already ($wanted)."
else
  say "Preparing text in $data: $wanted ..."
  mkdir -p data
  extensions=txt,jsonl,md,swift,c,h,cpp,py,rs,go,java,js,ts,tex,org,rst
  if [ -n "${TEXT:-}" ]; then
    if [ -f "$TEXT" ]; then
      case "$TEXT" in
        *.*) extensions=${TEXT##*.} ;;
        *)
          printf "error: TEXT=%s has no extension; rename it, for example to %s.txt\n" "$TEXT" "$TEXT" >&2
          exit 64
          ;;
      esac
    fi
    "$assay" data prepare "$TEXT" --tokenizer bpe:2048 --extensions "$extensions" --replace --output "$data"
  else
    scratch=$(mktemp -d)
    trap 'rm -rf "$scratch"' EXIT
    collect_swift_text "$scratch/text"
    "$assay" data prepare "$scratch/text" --tokenizer bpe:2048 --extensions "$extensions" --replace --output "$data"
  fi
  printf '%s\n' "$wanted" >"$marker"
fi

options=()
if [ -n "${QUICKSTART_STEPS:-}" ]; then options+=("--budget.steps=$QUICKSTART_STEPS"); fi

# compare FOLDER: sets status; the leaderboard goes to standard output, the report's path last.
compare() {
  status=0
  "$assay" compare Studies/quickstart.toml --set "folder=$1" ${options[@]+"${options[@]}"} || status=$?
}

# What was declared otherwise stays as it is, and the study goes to the next folder.
study=studies/quickstart
number=1
while true; do
  before=$([ -e "$study/study.json" ] && echo there || echo new)
  compare "$study"
  if [ $status -ne 2 ] || [ "$before" = new ]; then break; fi
  number=$((number + 1))
  study=studies/quickstart-$number
  say "That study was declared otherwise. The new one goes to $study ..."
done
if [ $status -ne 0 ]; then exit $status; fi

cat >&2 <<TEXT

The study lies in    $study
Its report is        $study/report/index.html

What to try next:
  $assay dashboard $study
  $assay runs $study --sort loss
  $assay compare Studies/quickstart.toml --dry-run
  TEXT=your/folder make quickstart
  $assay --help
TEXT
