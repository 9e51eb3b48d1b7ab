#!/usr/bin/env bash
# Copyright (c) 2026 The Assay Authors
# SPDX-License-Identifier: Apache-2.0
#
# Installs what Assay needs and this machine lacks, saying what and why. Silent when nothing is missing.
# With --browser also Chromium, which only Scripts/test-dashboard.sh needs; with --python Python's virtual environments, which only
# Scripts/test-xla.sh needs.
#
# Needed: Swift 6.2 or newer (not installed here), git for SwiftPM, make, oneDNN for the matrix products, SQLite for the index of runs.

set -euo pipefail

least_major=6
least_minor=2

say() { printf '%s\n' "$*" >&2; }
die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

swift_is_new_enough() {
  local version major minor
  if ! command -v swift >/dev/null; then
    die "Swift is not installed (or not on PATH); Assay needs $least_major.$least_minor or newer: https://www.swift.org/install"
  fi
  version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9][0-9]*\.[0-9][0-9]*\).*/\1/p' | head -n 1)
  if [ -z "$version" ]; then
    die "'swift --version' names no version; is $(command -v swift) a Swift toolchain?"
  fi
  major=${version%%.*}
  minor=${version#*.}
  if [ "$major" -lt $least_major ] || { [ "$major" -eq $least_major ] && [ "$minor" -lt $least_minor ]; }; then
    die "Swift $version is too old; Assay needs $least_major.$least_minor or newer: https://www.swift.org/install"
  fi
}

# The compiler that SwiftPM will use for C: the one beside swift.
c_compiler() {
  local beside
  beside=$(dirname "$(command -v swift)")/clang
  if [ -x "$beside" ]; then printf '%s\n' "$beside"; else command -v clang || command -v cc; fi
}

# Whether a program that includes dnnl.h and calls the library compiles and links.
has_onednn() {
  local flags=()
  if [ "$(uname)" = Darwin ]; then
    local prefix
    for prefix in /opt/homebrew /usr/local; do
      if [ -e "$prefix/include/dnnl.h" ] || [ -e "$prefix/include/oneapi/dnnl/dnnl.h" ]; then
        flags+=("-I$prefix/include" "-L$prefix/lib")
      fi
    done
  fi
  printf '#if __has_include(<dnnl.h>)\n#include <dnnl.h>\n#else\n#include <oneapi/dnnl/dnnl.h>\n#endif\nint main(void) { return dnnl_version() == 0; }\n' |
    "$(c_compiler)" ${flags[@]+"${flags[@]}"} -x c - -ldnnl -o /dev/null >/dev/null 2>&1
}

# Whether a program that includes sqlite3.h and calls the library compiles and links; macOS has it.
has_sqlite() {
  printf '#include <sqlite3.h>\nint main(void) { return sqlite3_libversion_number() == 0; }\n' |
    "$(c_compiler)" -x c - -lsqlite3 -o /dev/null >/dev/null 2>&1
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    say "  (this needs root: sudo may ask for your password)"
    sudo "$@"
  else
    die "not root and no sudo: run this as root: $*"
  fi
}

# apt_install PACKAGE WHY
apt_install() {
  say "installing $1 (apt-get): $2"
  if ! apt-cache show "$1" >/dev/null 2>&1; then
    say "  the package list does not know it yet: apt-get update"
    as_root apt-get update -qq
  fi
  # A stale package list names versions that the mirror no longer has: update once and try again.
  local install=(env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$1")
  if ! as_root "${install[@]}" >&2 </dev/null; then
    say "  that failed: apt-get update, then once more"
    as_root apt-get update -qq
    as_root "${install[@]}" >&2 </dev/null
  fi
}

# brew_install PACKAGE WHY
brew_install() {
  say "installing $1 (brew): $2"
  brew install --quiet "$1" >&2
}

# install DEBIAN-PACKAGE HOMEBREW-PACKAGE WHY
install() {
  if [ "$(uname)" = Darwin ]; then
    command -v brew >/dev/null ||
      die "$2 is missing ($3) and so is Homebrew, which installs it: https://brew.sh"
    brew_install "$2" "$3"
  elif command -v apt-get >/dev/null; then
    apt_install "$1" "$3"
  else
    die "$1 is missing ($3); this system has neither apt-get nor brew: install it by hand (elsewhere it is called onednn, onednn-devel or oneDNN)"
  fi
}

has_browser() {
  local name
  for name in chromium chromium-browser google-chrome; do
    if command -v "$name" >/dev/null; then return 0; fi
  done
  [ "$(uname)" = Darwin ] && [ -e "/Applications/Google Chrome.app" ]
}

# Whether Python can make a virtual environment with pip in it: Debian has that in a package of its own.
has_python_environments() {
  command -v python3 >/dev/null && python3 -c 'import ensurepip, venv' >/dev/null 2>&1
}

case "${1:-}" in
  "" | --browser | --python) ;;
  *) die "unknown argument '$1'; there are --browser and --python" ;;
esac

swift_is_new_enough
command -v make >/dev/null || install make make "the commands of the README are targets of the Makefile"
command -v git >/dev/null || install git git "SwiftPM fetches the Swift packages with it"
if ! has_onednn; then
  install libdnnl-dev onednn "oneDNN computes the matrix products"
  has_onednn || die "oneDNN is installed, yet a program that uses it does not link; try: $(c_compiler) -ldnnl"
fi
if ! has_sqlite; then
  install libsqlite3-dev sqlite "SQLite keeps the index of runs"
  has_sqlite || die "SQLite is installed, yet a program that uses it does not link; try: $(c_compiler) -lsqlite3"
fi
if [ "${1:-}" = --browser ] && ! has_browser; then
  install chromium chromium "the page of 'assay dashboard' is tested in it"
  has_browser || die "Chromium is installed, yet there is no chromium, chromium-browser or google-chrome on PATH"
fi
if [ "${1:-}" = --python ] && ! has_python_environments; then
  install python3-venv python3 "plugins of XLA are installed with it"
  has_python_environments || die "Python is installed, yet it cannot make virtual environments; try: python3 -m venv"
fi
