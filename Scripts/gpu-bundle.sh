#!/usr/bin/env bash
# Copyright (c) 2026 The Assay Authors
# SPDX-License-Identifier: Apache-2.0
#
# Packs everything that Scripts/gpu-check.sh needs on a machine with a GPU and without Swift: one folder, one archive.
#
#   Scripts/gpu-bundle.sh [--output FOLDER] [--executable FILE]
#
# The release `assay` is linked with Swift's libraries in it and looks for the others in lib/ beside itself. With
# --executable an existing one is packed as it is, its libraries with it. The other machine needs a C library at least as
# new as this one's, and Python 3.10 or newer.

set -euo pipefail
cd "$(dirname "$0")/.."

output=.build/assay-gpu
executable=
while [ $# -gt 0 ]; do
  case $1 in
    --output | --executable)
      [ $# -ge 2 ] || { echo "error: $1 needs a value" >&2; exit 2; }
      if [ "$1" = --output ]; then output=$2; else executable=$2; fi
      shift 2
      ;;
    *)
      echo "error: unknown argument '$1'; use --output FOLDER or --executable FILE" >&2
      exit 2
      ;;
  esac
done
if [ "$(uname)" != Linux ]; then
  echo "error: the bundle is for Linux and must be made on it" >&2
  exit 1
fi

if [ -z "$executable" ]; then
  Scripts/install-dependencies.sh
  # An RPATH, not a RUNPATH: it also holds for what the libraries in lib/ need themselves. A folder of its own,
  # because other flags would otherwise build everything anew at the next ordinary build.
  flags=(-c release --product assay --static-swift-stdlib --scratch-path .build/gpu
    -Xlinker -rpath -Xlinker '$ORIGIN/lib' -Xlinker --disable-new-dtags)
  # Swift's networking, linked in, asks for libcurl by the name that only its package for developers has. The library itself
  # is here, for Swift's own needs: it gets that name in a folder of ours.
  curl=$(ldconfig -p 2>/dev/null | awk '$1 == "libcurl.so.4" { print $NF; exit }')
  if [ -n "$curl" ]; then
    mkdir -p .build/gpu/names
    ln -sf "$curl" .build/gpu/names/libcurl.so
    flags+=(-Xlinker "-L$PWD/.build/gpu/names")
  fi
  swift build "${flags[@]}"
  executable=$(swift build "${flags[@]}" --show-bin-path)/assay
fi

rm -rf "$output"
mkdir -p "$output/lib" "$output/fixtures"
cp "$executable" "$output/assay"
# Not the C library: it belongs to the machine's kernel and loader.
if ldd "$executable" | grep -q 'not found'; then
  echo "error: $executable misses libraries:" >&2
  ldd "$executable" | grep 'not found' >&2
  exit 1
fi
ldd "$executable" | awk '$2 == "=>" && $3 ~ /^\// { print $3 }' |
  grep -vE '/(libc|libm|libdl|librt|libpthread|libresolv|ld-linux[^/]*)\.so' |
  while read -r library; do cp -L "$library" "$output/lib/"; done

cp Scripts/gpu-check.sh Scripts/gpu_check.py Scripts/gpu_report.py "$output/"
cp -R Benchmarks/peers "$output/peers"
rm -rf "$output/peers/__pycache__"
cp Tests/Fixtures/models/* "$output/fixtures/"
cp -R Presets "$output/presets"
getconf GNU_LIBC_VERSION | awk '{ print $2 }' >"$output/glibc-version"

tar -C "$(dirname "$output")" -czf "$output.tar.gz" "$(basename "$output")"
printf 'packed: %s (%s); on the other machine: tar xzf %s && %s/gpu-check.sh\n' "$output.tar.gz" \
  "$(du -h "$output.tar.gz" | cut -f1)" "$(basename "$output").tar.gz" "$(basename "$output")"
