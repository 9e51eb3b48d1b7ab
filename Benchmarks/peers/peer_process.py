# Copyright (c) 2026 The Assay Authors
# SPDX-License-Identifier: Apache-2.0
"""What every peer process needs, whatever library it times: memory, its output, weights from files."""

from __future__ import annotations

import ctypes
import json
import os
import resource
import sys
from pathlib import Path
from typing import TextIO

import numpy


def keep_freed_memory() -> None:
    """Makes glibc reuse freed memory instead of returning it.

    With PyTorch, at shape S in bf16, 18 to 31 % more tokens/s (best of interleaved runs, with either form of its
    loss); at shape M no gain could be told from the noise. With JAX it changes nothing.

    By default every large activation is a fresh mapping, and each of its pages faults in every
    step. This does what preloading jemalloc or tcmalloc, which PyTorch's tuning guide advises,
    would do. Elsewhere than on glibc it does nothing.
    """
    trim_threshold, mmap_max = -1, -4  # M_TRIM_THRESHOLD, M_MMAP_MAX of malloc.h
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if sys.platform == "linux" and mallopt is not None:
        mallopt(mmap_max, 0)
        mallopt(trim_threshold, 2**31 - 1)


def peak_bytes() -> int:
    """The peak resident size of this process since it was started.

    Linux's ru_maxrss also remembers the process that forked this one, VmHWM does not. On macOS
    ru_maxrss counts bytes.
    """
    try:
        with open("/proc/self/status", encoding="ascii") as status:
            for line in status:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def private_output() -> TextIO:
    """Standard output for the answers alone: whatever libraries print goes to standard error."""
    output = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return output


def read_tensors(path: str | Path) -> dict[str, numpy.ndarray]:
    """The tensors of a safetensors file of fp32 and int32, without the package of that name."""
    data = Path(path).read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    types = {"F32": numpy.float32, "I32": numpy.int32}
    tensors = {}
    for name, entry in json.loads(data[8:start]).items():
        if name != "__metadata__":
            first, last = entry["data_offsets"]
            values = numpy.frombuffer(data[start + first : start + last], types[entry["dtype"]])
            tensors[name] = values.reshape(entry["shape"])
    return tensors
