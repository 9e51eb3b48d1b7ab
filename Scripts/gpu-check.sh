#!/usr/bin/env bash
# Copyright (c) 2026 The Assay Authors
# SPDX-License-Identifier: Apache-2.0
#
# Checks and measures Assay on an NVIDIA GPU, beside PyTorch and JAX; needs no Swift. One JSON object and one table.
#
#   ./gpu-check.sh                                  on the machine with the GPU, out of the archive of gpu-bundle.sh
#   Scripts/gpu-check.sh --device xla:cpu --quick   the same path on a machine without one, in small
#
# --assay FILE            the executable; the one beside this script, else the release build
# --jax-python PYTHON     a Python with jax and the plugin; else one is made below --environments
# --torch-python PYTHON   a Python with torch; likewise
# --environments FOLDER   where they are made; ~/.cache/assay-gpu-check
# --no-peers              Assay alone: only the plugin is installed
# Everything else goes to gpu_check.py (--device, --quick, --shapes, --json FILE; see its --help).

set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

device=xla:cuda
assay=
jax_python=
torch_python=
environments=${XDG_CACHE_HOME:-$HOME/.cache}/assay-gpu-check
peers=true
rest=()
while [ $# -gt 0 ]; do
  case $1 in
    --device | --assay | --jax-python | --torch-python | --environments)
      [ $# -ge 2 ] || die "$1 needs a value"
      case $1 in
        --device) device=$2 ;;
        --assay) assay=$2 ;;
        --jax-python) jax_python=$2 ;;
        --torch-python) torch_python=$2 ;;
        --environments) environments=$2 ;;
      esac
      shift 2
      ;;
    --no-peers)
      peers=false
      rest+=("$1")
      shift
      ;;
    *)
      rest+=("$1")
      shift
      ;;
  esac
done

if [ -z "$assay" ]; then
  for assay in "$here/assay" "$here/../.build/release/assay" ""; do
    if [ -n "$assay" ] && [ -x "$assay" ]; then break; fi
  done
  [ -n "$assay" ] ||
    die "no executable 'assay' beside this script; make the archive with Scripts/gpu-bundle.sh, or name one with --assay"
fi
if [ -e "$here/glibc-version" ]; then
  built=$(cat "$here/glibc-version")
  found=$(getconf GNU_LIBC_VERSION | awk '{ print $2 }')
  if [ "$(printf '%s\n%s\n' "$built" "$found" | sort -V | head -n 1)" != "$built" ]; then
    die "this executable needs glibc $built or newer, this machine has $found: make the archive on an older system"
  fi
fi

# The packages of the driver's generation: the 13th needs driver 580 or newer.
generation=13
case $device in
  xla:cuda)
    command -v nvidia-smi >/dev/null || die "no nvidia-smi: this machine shows no NVIDIA driver; try --device xla:cpu --quick"
    nvidia-smi >/dev/null || die "nvidia-smi fails: the driver does not run"
    driver=$(nvidia-smi --query-gpu=driver_version --format=csv,noheader | head -n 1)
    if [ "${driver%%.*}" -lt 580 ]; then generation=12; fi
    ;;
  xla:cpu) ;;
  *) die "device '$device' is not known here; use xla:cuda or xla:cpu" ;;
esac

# environment NAME PACKAGES... [-- MORE PACKAGES...]: a virtual environment with them, installed in one or two steps;
# says its Python. It is complete only when everything was installed.
environment() {
  set -e # bash clears it in $(...), and a failed installation would be complete
  local folder=$environments/$1 first=()
  shift
  if [ ! -e "$folder/complete" ]; then
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' ||
      die "Python 3.10 or newer is needed, with its venv module"
    printf 'installing %s into %s\n' "$*" "$folder" >&2
    python3 -m venv "$folder" >&2
    while [ $# -gt 0 ] && [ "$1" != -- ]; do
      first+=("$1")
      shift
    done
    "$folder/bin/python" -m pip install --quiet "${first[@]}" >&2
    if [ $# -gt 1 ]; then "$folder/bin/python" -m pip install --quiet "${@:2}" >&2; fi
    touch "$folder/complete"
  fi
  printf '%s\n' "$folder/bin/python"
}

jax_packages=("jax[cuda$generation]") # it brings the plugin that Assay uses, too
torch_packages=(torch -- numpy safetensors)
name=cuda$generation
if [ "$device" = xla:cpu ]; then
  jax_packages=(jax xla-cpu-pjrt)
  name=cpu
elif [ $generation = 12 ]; then
  torch_packages=(torch --index-url https://download.pytorch.org/whl/cu128 -- numpy safetensors)
fi
[ -n "$jax_python" ] || jax_python=$(environment "jax-$name" "${jax_packages[@]}")
if $peers && [ -z "$torch_python" ]; then torch_python=$(environment "torch-$name" "${torch_packages[@]}"); fi

# Assay looks for the plugin in the Python on the path.
PATH=$(cd "$(dirname "$jax_python")" && pwd):$PATH
export PATH
exec "$jax_python" "$here/gpu_check.py" --assay "$assay" --device "$device" --jax-python "$jax_python" \
  --torch-python "$torch_python" ${rest[@]+"${rest[@]}"}
