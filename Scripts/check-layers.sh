#!/usr/bin/env bash
# Copyright (c) 2026 The Assay Authors
# SPDX-License-Identifier: Apache-2.0
#
# Compares every import with what Package.swift declares, and keeps optimizers' names in their room.
#
#   1. A Swift file imports its module's declared `uses` and products, and the system's modules: nothing else.
#      (The build itself stops on a declared upward arrow, but lets transitive and undeclared imports pass.)
#   2. A test imports its module, that module's `uses`, Testing, and what lies in Tests/Support.
#   3. C headers are included by quotes inside their own target only; oneDNN's only in COneDNN.
#   4. No optimizer is named in code outside Sources/Optimizers: not by a type, not in a string.
#
# Prints every violation as FILE:LINE: reason, and fails when there is one.

set -euo pipefail
cd "$(dirname "$0")/.."

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# NAME LAYER USES(comma-separated, products included) for every Module(...) of the manifest.
awk '
  # let tomlKit = Target.Dependency.product(name: "TOMLKit", package: ...), on one line or two.
  /^let [A-Za-z]+ = Target\.Dependency\.product\(/ { variable = $2 }
  variable != "" && match($0, /name: "[A-Za-z0-9_]+"/) {
    product[variable] = substr($0, RSTART + 7, RLENGTH - 8)
    variable = ""
  }
  /^let modules = \[/ { inside = 1; next }
  inside && /^\]/ { inside = 0 }
  inside { sub(/\/\/.*/, ""); text = text " " $0 }
  function list(entry, key,   body) {
    if (!match(entry, key ": \\[[^]]*\\]")) return ""
    body = substr(entry, RSTART + length(key) + 3, RLENGTH - length(key) - 4)
    gsub(/[" \t]/, "", body)
    sub(/,$/, "", body)
    return body
  }
  END {
    count = split(text, entries, /Module\(/)
    for (i = 2; i <= count; i++) {
      entry = entries[i]
      if (!match(entry, /name: "[A-Za-z0-9_]+"/)) { print "unreadable Module entry: " entry > "/dev/stderr"; exit 1 }
      name = substr(entry, RSTART + 7, RLENGTH - 8)
      if (!match(entry, /layer: [0-9]+/)) { print "no layer: " name > "/dev/stderr"; exit 1 }
      layer = substr(entry, RSTART + 7, RLENGTH - 7)
      uses = list(entry, "uses")
      products = split(list(entry, "products"), names, ",")
      for (j = 1; j <= products; j++) {
        if (!(names[j] in product)) { print "unknown product: " names[j] > "/dev/stderr"; exit 1 }
        uses = uses (uses == "" ? "" : ",") product[names[j]]
      }
      print name, layer, (uses == "" ? "-" : uses)
    }
  }
' Package.swift >"$scratch/modules"

if [ "$(wc -l <"$scratch/modules")" -lt 2 ]; then
  printf 'error: check-layers.sh finds no modules in Package.swift; has the form of the table changed?\n' >&2
  exit 1
fi

# FILE:LINE MODULE for every Swift import, whatever its access level, attributes and kind.
folders=(Sources)
if [ -d Tests ]; then folders+=(Tests); fi
find "${folders[@]}" -name '*.swift' -print0 |
  xargs -0 awk '
    {
      line = $0
      sub(/[ \t]*\/\/.*/, "", line)
      count = split(line, statements, ";")
      for (i = 1; i <= count; i++) {
        statement = statements[i]
        sub(/^[ \t]+/, "", statement)
        while (sub(/^(@[A-Za-z_]+(\([^)]*\))?|public|package|internal|fileprivate|private)[ \t]+/, "", statement)) {}
        if (!sub(/^import[ \t]+/, "", statement)) continue
        sub(/^(struct|class|enum|protocol|typealias|func|let|var)[ \t]+/, "", statement)
        if (!match(statement, /^[A-Za-z_][A-Za-z0-9_]*/)) continue
        print FILENAME ":" FNR, substr(statement, RSTART, RLENGTH)
      }
    }
  ' /dev/null >"$scratch/imports"

# Names of optimizers: the types that conform to OptimizerMethod, and the names on their cards.
find Sources/Optimizers -name '*.swift' -print0 2>/dev/null |
  xargs -0 awk '
    match($0, /(struct|class|enum|actor) [A-Za-z0-9_]+: .*OptimizerMethod/) {
      split(substr($0, RSTART, RLENGTH), words, /[ :]+/)
      print words[2]
    }
    /OptimizerCard\($/ { card = 1; next }
    card && match($0, /name: "[^"]+"/) { print substr($0, RSTART + 7, RLENGTH - 8) }
    { card = 0 }
  ' /dev/null | sort -u >"$scratch/optimizers"
if [ ! -s "$scratch/optimizers" ] && [ -e Sources/Optimizers/OptimizerMethod.swift ]; then
  printf 'error: check-layers.sh finds no optimizer in Sources/Optimizers; has the form of a method changed?\n' >&2
  exit 1
fi

: >"$scratch/violations"

awk -v supports="$(ls Tests/Support 2>/dev/null | tr '\n' ' ')" '
  BEGIN {
    split("Swift Foundation FoundationEssentials FoundationXML Dispatch Synchronization Darwin Glibc Musl Android Builtin os", known, " ")
    for (i in known) system_module[known[i]] = 1
    count = split(supports, known, " ")
    for (i = 1; i <= count; i++) support[known[i]] = 1
  }
  FNR == NR {
    layer[$1] = $2
    count = split($3, used, ",")
    for (i = 1; i <= count; i++) may[$1, used[i]] = 1
    next
  }
  {
    split($1, path, "/")
    imported = $2
    if (path[1] == "Sources") {
      module = path[2]
      if (!(module in layer)) { print $1 ": Sources/" module " is no module of Package.swift"; next }
      if (imported == module) { print $1 ": " module " imports itself"; next }
      allowed = (imported in system_module) || ((module, imported) in may)
      # One room goes out to the network.
      allowed = allowed || (imported == "FoundationNetworking" && module == "Downloads")
    } else if (path[1] == "Tests" && path[2] == "Support") {
      # What several test targets share may use every module: no module uses it.
      allowed = (imported in system_module) || (imported in layer) || imported == "Testing"
    } else {
      module = path[2]
      sub(/Tests$/, "", module)
      allowed = (imported in system_module) || imported == "Testing" || imported == module || ((module, imported) in may)
      # What only tests link lies in a folder of its own.
      allowed = allowed || (imported in support)
    }
    if (allowed) next
    if ((imported in layer) && (module in layer)) {
      kind = (layer[imported] >= layer[module]) ? "an upward arrow" : "not declared in its uses"
      print $1 ": " module " (floor " layer[module] ") imports " imported " (floor " layer[imported] "): " kind
    } else {
      print $1 ": " path[2] " imports " imported ", which Package.swift does not give it"
    }
  }
' "$scratch/modules" "$scratch/imports" >>"$scratch/violations"

# Every module has a folder.
while read -r name _; do
  [ -d "Sources/$name" ] || printf 'Package.swift: module %s has no folder Sources/%s\n' "$name" "$name"
done <"$scratch/modules" >>"$scratch/violations"

# C: a quoted include stays in its target; oneDNN belongs to COneDNN.
find Sources \( -name '*.c' -o -name '*.h' -o -name '*.cpp' -o -name '*.inc' \) -print | while read -r file; do
  target=$(printf '%s' "$file" | cut -d / -f 2)
  awk -v target="$target" '
    match($0, /^[ \t]*#[ \t]*include[ \t]*["<][^">]+/) {
      name = substr($0, RSTART, RLENGTH)
      quoted = name ~ /"/
      sub(/.*["<]/, "", name)
      print FILENAME, FNR, target, (quoted ? "quoted" : "angled"), name
    }
  ' "$file"
done >"$scratch/includes"
while read -r file line target kind name; do
  base=${name##*/}
  if [ "$kind" = quoted ] && [ -z "$(find "Sources/$target" -name "$base" -print -quit)" ]; then
    printf '%s:%s: %s includes "%s", which is not its own\n' "$file" "$line" "$target" "$name"
  elif [ "$kind" = angled ] && [ -n "$(find Sources -path "Sources/$target" -prune -o -name "$base" -print -quit)" ]; then
    printf '%s:%s: %s includes <%s> of another module\n' "$file" "$line" "$target" "$name"
  elif [ "$target" != COneDNN ] && case "$base" in dnnl*) true ;; *) false ;; esac; then
    printf '%s:%s: only COneDNN knows oneDNN (%s)\n' "$file" "$line" "$name"
  fi
done <"$scratch/includes" >>"$scratch/violations"

# Optimizers' names, whole words in any case, and as a part of an identifier with a capital (AdamWState). Comments may name them.
if [ -s "$scratch/optimizers" ]; then
  find Sources -path Sources/Optimizers -prune -o \( -name '*.swift' -o -name '*.c' -o -name '*.h' \) -print0 |
    xargs -0 awk -v names="$(tr '\n' ' ' <"$scratch/optimizers")" '
      BEGIN { count = split(names, name, " ") }
      {
        code = $0
        sub(/^[ \t]*(\/\/|\/\*|\*).*/, "", code)
        sub(/[ \t]\/\/ .*/, "", code)
        words = split(code, word, /[^A-Za-z0-9]+/)
        for (j = 1; j <= count; j++) {
          found = name[j] ~ /[^A-Za-z0-9]/ && index(tolower(code), tolower(name[j]))
          for (i = 1; i <= words && !found; i++)
            found = tolower(word[i]) == tolower(name[j]) ||
              (index(word[i], name[j]) == 1 && substr(word[i], length(name[j]) + 1) !~ /^[a-z]/)
          if (found) print FILENAME ":" FNR ": optimizer " name[j] " is named outside Sources/Optimizers"
        }
      }
    ' /dev/null >>"$scratch/violations"
fi

if [ -s "$scratch/violations" ]; then
  cat "$scratch/violations" >&2
  printf 'error: %d layering violations; declare the arrow in Package.swift if it points down, else move the code\n' \
    "$(wc -l <"$scratch/violations")" >&2
  exit 1
fi
printf 'layers: %d modules, %d imports, %d optimizer names: as declared\n' \
  "$(wc -l <"$scratch/modules")" "$(wc -l <"$scratch/imports")" "$(wc -l <"$scratch/optimizers")"
