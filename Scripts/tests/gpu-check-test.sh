#!/usr/bin/env bash
# Copyright (c) 2026 The Assay Authors
# SPDX-License-Identifier: Apache-2.0
#
# Shows what gpu-check.sh does with an `assay` that is right, wrong, or short of memory, and what gpu-bundle.sh packs.
# The executable here is a script that answers as `assay bench step` does: no GPU, no Swift, no peers.

. "$(dirname "$0")/expect.sh"

python=$(command -v python3)
fresh_copy

# assay_that LINES: an executable whose `bench` runs them; $* are its arguments. Two runs are twice as fast.
assay_that() {
  cat >"$scratch/assay" <<END
#!/usr/bin/env bash
if [ "\$1" = --version ]; then echo 1.2.3; exit; fi
precision=fp32
case "\$*" in *"--precision bf16"*) precision=bf16 ;; esac
$1
case "\$*" in
  "bench shapes")
    sizes='"vocabulary_size": 4096, "width": 256, "layers": 4, "heads": 4, "context_length": 256, "sequences": 8'
    echo "{\"S\": {\$sizes}, \"10m\": {\$sizes}}"
    exit
    ;;
  "bench runs"*"--counts 2"*) echo '{"results": [{"runs": 2, "tokens_per_second": {"median": 4096}, "compile_seconds": 1}]}'; exit ;;
  "bench runs"*) echo '{"results": [{"runs": 1, "tokens_per_second": {"median": 2048}, "compile_seconds": 1}]}'; exit ;;
esac
echo '{"shape": "S", "results": [{"name": "assay", "precision": "'\$precision'", "tokens_per_second": {"median": 2048}, "peak_bytes": 1000000000}]}'
END
  chmod +x "$scratch/assay"
}
check() {
  "$scratch/package/Scripts/gpu-check.sh" --device xla:cpu --quick --no-peers --assay "$scratch/assay" \
    --jax-python "$python" --json "$scratch/report.json" "$@"
}
# says TEXT: the output of the last command holds it.
says() { grep -qF -- "$1" "$scratch/output" || failed "does not say '$1'"; }
# report EXPRESSION: true of the JSON object.
report() {
  "$python" -c "import json, sys; r = json.load(open(sys.argv[1])); sys.exit(not ($1))" "$scratch/report.json" ||
    failed "the report: not $1"
}

assay_that ':'
expect_pass "an executable that is right" check
says '| assay | right |'
says '| S | assay bf16 | 2,048 |'
says '| 2 | S | 4,096 | 2.00x |'
report 'r["right"] and r["versions"]["assay"] == "1.2.3" and len(r["results"]) == 2 and len(r["batched"]) == 2'

assay_that 'case "$*" in *--check*) echo "error: the loss is off by 0.1" >&2; exit 1 ;; esac'
expect_failure "an executable that is wrong" 'FAILED: error: the loss is off by 0.1' check
report 'not r["right"] and r["results"] == [] and r["batched"] == []'

assay_that 'case "$*" in *"--micro-batches 1 "*) echo "error: RESOURCE_EXHAUSTED: out of memory" >&2; exit 1 ;; esac'
expect_pass "a batch that does not fit at once" check
report 'all(row["micro_batches"] == 2 for row in r["results"])'

assay_that 'case "$*" in *"--precision bf16"*) echo "error: the device is lost" >&2; exit 1 ;; esac'
expect_failure "a precision that fails" 'not measured: error: the device is lost' check
report 'r["results"][0]["tokens_per_second"] == 2048 and "lost" in r["results"][1]["error"]'

assay_that 'case "$*" in *"--counts 2"*) echo "error: out of memory" >&2; exit 1 ;; esac'
expect_pass "as many runs as fit" check
report '"error" in r["batched"][1]'

assay_that 'case "$*" in *"bench step"*) [ "$ASSAY_CACHE" = off ] || { echo "error: a cache" >&2; exit 1; } ;; esac'
expect_pass "programs compiled anew" check
expect_failure "a shape that is not known" "unknown shapes Q; use S, 10m" check --shapes Q
assay_that 'case "$*" in "bench shapes") echo "error: no such command" >&2; exit 64 ;; esac'
expect_failure "an executable that tells no shapes" "does not tell its shapes: error: no such command" check

# With peers: a Python whose scripts all fail, so that nothing is there to compare with.
assay_that ':'
printf '%s\n' '#!/bin/sh' 'echo "ImportError: no torch here" >&2' 'exit 1' >"$scratch/broken-python"
chmod +x "$scratch/broken-python"
with_peers() {
  PATH="$(dirname "$python"):$PATH" "$python" "$scratch/package/Scripts/gpu_check.py" --assay "$scratch/assay" --device xla:cpu \
    --quick --jax-python "$scratch/broken-python" --torch-python "$scratch/broken-python" --json "$scratch/report.json"
}
expect_failure "PyTorch's steps that cannot be had" '| assay beside pytorch | FAILED: ImportError: no torch here |' with_peers
report 'not r["right"] and "error" in r["correctness"]["assay beside pytorch"] and "jax" not in r["correctness"]'

# A Python that makes environments and cannot install.
mkdir -p "$scratch/tools"
cat >"$scratch/tools/python3" <<'END'
#!/bin/sh
if [ "$1 $2" = "-m venv" ]; then
  mkdir -p "$3/bin"
  cp "$0" "$3/bin/python"
elif [ "$1 $2" = "-m pip" ]; then
  echo "no route to the packages" >&2
  exit 1
fi
END
chmod +x "$scratch/tools/python3"
expect_failure "packages that cannot be installed" 'no route to the packages' env PATH="$scratch/tools:$PATH" \
  "$scratch/package/Scripts/gpu-check.sh" --device xla:cpu --assay "$scratch/assay" --environments "$scratch/environments"
[ -d "$scratch/environments/jax-cpu" ] || failed "makes no environment"
if [ -e "$scratch/environments/jax-cpu/complete" ]; then failed "takes a failed installation for complete"; fi
expect_failure "a device that is not known" "device 'tpu' is not known" \
  "$package/Scripts/gpu-check.sh" --device tpu --assay "$scratch/assay"
expect_failure "no executable" "no executable 'assay'" "$scratch/package/Scripts/gpu-check.sh" --device xla:cpu

if [ "$(uname)" = Linux ]; then
  cp -R "$package/Benchmarks" "$package/Presets" "$scratch/package/"
  bundle() { "$scratch/package/Scripts/gpu-bundle.sh" --output "$scratch/bundle" --executable "$1"; }
  expect_pass "a bundle" bundle "$(command -v ls)"
  for part in assay gpu-check.sh gpu_check.py gpu_report.py peers/jax_step.py fixtures/decoder-standard.json glibc-version; do
    [ -e "$scratch/bundle/$part" ] || failed "the bundle lacks $part"
  done
  if ls "$scratch/bundle/lib" | grep -q '^libc\.so'; then failed "the bundle holds the C library"; fi
  echo 99.0 >"$scratch/bundle/glibc-version"
  expect_failure "a C library that is too old" 'needs glibc 99.0' "$scratch/bundle/gpu-check.sh" --device xla:cpu
fi

closing_line
