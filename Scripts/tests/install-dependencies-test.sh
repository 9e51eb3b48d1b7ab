#!/usr/bin/env bash
# Copyright (c) 2026 The Assay Authors
# SPDX-License-Identifier: Apache-2.0
#
# Runs install-dependencies.sh on invented machines: a PATH of stand-ins that note what they were asked.

. "$(dirname "$0")/expect.sh"
gate=$package/Scripts/install-dependencies.sh
tools=$scratch/tools
asked=$scratch/asked

# stand_in NAME BODY
stand_in() {
  printf '#!/bin/bash\n%s\n' "$2" >"$tools/$1"
  chmod +x "$tools/$1"
}

# A Debian machine with Swift 6.2 and SQLite, where oneDNN and SQLite appear once apt-get has installed them.
debian() {
  rm -rf "$tools" "$asked" "$scratch/installed" "$scratch/updated"
  touch "$scratch/sqlite"
  mkdir -p "$tools"
  : >"$asked"
  local tool
  for tool in bash sed head dirname env cat touch grep; do ln -s "$(command -v "$tool")" "$tools/$tool"; done
  stand_in uname 'echo Linux'
  stand_in id 'echo 0'
  stand_in git 'exit 0'
  stand_in make 'exit 0'
  stand_in swift 'echo "Swift version 6.2 (swift-6.2-RELEASE)"'
  stand_in clang "cat >/dev/null
case \"\$*\" in
  *sqlite3*) test -e $scratch/sqlite ;;
  *) test -e $scratch/installed ;;
esac"
  stand_in apt-cache "test -e $scratch/updated"
  stand_in apt-get "echo apt-get \"\$@\" >>$asked
case \"\$1\" in
  update) touch $scratch/updated ;;
  install)
    test -e $scratch/updated || exit 100
    case \"\$*\" in
      *libsqlite3-dev*) touch $scratch/sqlite ;;
      *chromium*) ln -s /bin/true $tools/chromium ;;
      *python3-venv*) ln -s /bin/true $tools/python3 ;;
      *) touch $scratch/installed ;;
    esac ;;
esac"
}

run_gate() { env -i PATH="$tools" HOME="$scratch" bash "$gate" "$@"; }

# asked_for TEXT, not_asked_for TEXT
asked_for() {
  cp "$asked" "$scratch/output"
  grep -qF -- "$1" "$asked" || failed "not asked for: $1"
}
not_asked_for() {
  cp "$asked" "$scratch/output"
  if grep -qF -- "$1" "$asked"; then failed "asked for: $1"; fi
}
silent() { [ ! -s "$scratch/output" ] || failed "$1: should be silent"; }

debian
touch "$scratch/installed"
expect_pass "nothing is missing" run_gate
silent "nothing is missing"
not_asked_for apt-get

debian
expect_pass "oneDNN is missing" run_gate
grep -q 'installing libdnnl-dev.*matrix products' "$scratch/output" || failed "does not say what and why"
asked_for "apt-get update"
asked_for "install -y -qq --no-install-recommends libdnnl-dev"

debian
touch "$scratch/installed" "$scratch/updated"
ln -s "$(command -v ln)" "$tools/ln"
expect_pass "no browser is asked for" run_gate
not_asked_for chromium
expect_pass "a browser is missing" run_gate --browser
grep -q 'installing chromium.*dashboard' "$scratch/output" || failed "does not say what and why"
asked_for "install -y -qq --no-install-recommends chromium"
: >"$asked"
expect_pass "a browser is there" run_gate --browser
silent "a browser is there"
not_asked_for apt-get
expect_pass "Python's environments are missing" run_gate --python
asked_for "install -y -qq --no-install-recommends python3-venv"
: >"$asked"
expect_pass "Python's environments are there" run_gate --python
silent "Python's environments are there"
expect_failure "an unknown argument" "unknown argument '--browsers'" run_gate --browsers

debian
touch "$scratch/installed" "$scratch/updated"
rm "$scratch/sqlite"
expect_pass "SQLite is missing" run_gate
grep -q 'installing libsqlite3-dev.*index of runs' "$scratch/output" || failed "does not say what and why"
asked_for "install -y -qq --no-install-recommends libsqlite3-dev"
not_asked_for libdnnl-dev

debian
touch "$scratch/installed" "$scratch/updated"
rm "$scratch/sqlite"
stand_in apt-get "exit 0"
expect_failure "SQLite is installed, yet does not link" "does not link" run_gate

debian
touch "$scratch/updated"
expect_pass "the package list is there" run_gate
not_asked_for libsqlite3-dev
not_asked_for "apt-get update"

debian
touch "$scratch/installed"
rm "$tools/git" "$tools/make"
expect_pass "git and make are missing" run_gate
asked_for "install -y -qq --no-install-recommends git"
asked_for "install -y -qq --no-install-recommends make"
not_asked_for libdnnl-dev

debian
stand_in apt-get "echo apt-get \"\$@\" >>$asked; exit 100"
expect_failure "apt-get fails" "apt-get update" run_gate

debian
stand_in apt-get "touch $scratch/updated; exit 0"
expect_failure "installed, yet does not link" "does not link" run_gate

debian
stand_in id 'echo 1000'
expect_failure "neither root nor sudo" "run this as root" run_gate
stand_in sudo "echo sudo \"\$@\" >>$asked; exec \"\$@\""
expect_pass "sudo when not root" run_gate
asked_for "sudo env DEBIAN_FRONTEND=noninteractive apt-get install"

debian
stand_in sudo "echo sudo \"\$@\" >>$asked; exec \"\$@\""
expect_pass "no sudo when root" run_gate
not_asked_for sudo

debian
rm "$tools/swift"
expect_failure "no Swift" "Swift is not installed" run_gate

debian
stand_in swift 'echo "Swift version 6.1.2 (swift-6.1.2-RELEASE)"'
expect_failure "an old Swift" "Swift 6.1 is too old; Assay needs 6.2 or newer" run_gate
not_asked_for apt-get

debian
touch "$scratch/installed"
stand_in swift 'echo "swift-driver version: 1.127 Apple Swift version 6.10 (swiftlang-6.10)"'
expect_pass "6.10 is newer than 6.2" run_gate

debian
rm "$tools/apt-get" "$tools/apt-cache"
expect_failure "neither apt-get nor brew" "install it by hand" run_gate

# A Mac.
debian
stand_in uname 'echo Darwin'
expect_failure "a Mac without Homebrew" "https://brew.sh" run_gate
stand_in brew "echo brew \"\$@\" >>$asked; touch $scratch/installed"
expect_pass "a Mac with Homebrew" run_gate
asked_for "brew install --quiet onednn"
not_asked_for apt-get

closing_line
