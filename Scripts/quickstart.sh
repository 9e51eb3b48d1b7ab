#!/usr/bin/env bash
# Copyright (c) 2026 The Assay Authors
# SPDX-License-Identifier: Apache-2.0
#
# From a fresh machine to a trained model: installs, builds, prepares text, trains for about two minutes.
#
#   TEXT=path make quickstart           trains on your file or folder (.txt, .jsonl, or source code)
#   QUICKSTART_STEPS=20 make quickstart  makes fewer steps
#
# Run again, it goes on with a run that was interrupted, and starts a new one (runs/quickstart-2, ...) when the last one
# has finished. The text is prepared once, and again when it is another one.

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
    "$assay" data prepare "$TEXT" --tokenizer bpe:4096 --extensions "$extensions" --replace --output "$data"
  else
    scratch=$(mktemp -d)
    trap 'rm -rf "$scratch"' EXIT
    collect_swift_text "$scratch/text"
    "$assay" data prepare "$scratch/text" --tokenizer bpe:4096 --extensions "$extensions" --replace --output "$data"
  fi
  printf '%s\n' "$wanted" >"$marker"
  # What was trained on other text cannot go on with this one.
  if [ -e runs/quickstart.current ]; then rm runs/quickstart.current; fi
fi

# The first free number.
next_run() {
  local run=runs/quickstart number=2
  while [ -e "$run" ]; do
    run=runs/quickstart-$number
    number=$((number + 1))
  done
  printf '%s\n' "$run"
}

# train RUN: sets status.
train() {
  mkdir -p runs
  printf '%s\n' "$1" >runs/quickstart.current
  status=0
  "$assay" train quickstart --output "$1" ${options[@]+"${options[@]}"} || status=$?
}

options=()
if [ -n "${QUICKSTART_STEPS:-}" ]; then options+=("--training.steps=$QUICKSTART_STEPS"); fi

status_of() { "$assay" show run "$1" --json 2>/dev/null | sed -n 's/^  "status" : "\(.*\)",*$/\1/p'; }
run=$(cat runs/quickstart.current 2>/dev/null || true)
if [ -n "$run" ] && [ -d "$run" ] && [ "$(status_of "$run")" != finished ]; then
  say "Going on with $run, which has not finished."
  train "$run"
  if [ $status -eq 2 ]; then
    run=$(next_run)
    say "That run has other settings and stays as it is. Training a new one in $run ..."
    train "$run"
  fi
else
  run=$(next_run)
  say "Training a new run in $run ..."
  train "$run"
fi
if [ $status -ne 0 ]; then exit $status; fi

"$assay" show curve "$run" --output "$run/loss.svg"
rm runs/quickstart.current
cat >&2 <<TEXT

The run lies in      $run
Its loss curve is    $run/loss.svg

What to try next:
  $assay show run $run
  $assay data inspect $data
  $assay train quickstart --output runs/mine --model.width=384 --training.steps=2000
  TEXT=your/folder make quickstart
  $assay --help
TEXT
