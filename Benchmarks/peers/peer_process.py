# Copyright (c) 2026 The Assay Authors
# SPDX-License-Identifier: Apache-2.0
"""What every peer process needs, whatever library it times: the protocol, memory, its output, weights from files."""

from __future__ import annotations

import ctypes
import gc
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, TextIO

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


class Server:
    """Answers commands line by line; `handle` says which, and the message of its errors lists them."""

    def __init__(self, output: TextIO) -> None:
        self.output = output

    def answer(self, value: dict[str, Any]) -> None:
        """Writes one line."""
        print(json.dumps(value), file=self.output, flush=True)

    def handle(self, words: list[str]) -> dict[str, Any]:
        """Carries out one command and returns its answer."""
        raise NotImplementedError

    def serve(self, commands: TextIO, hello: dict[str, Any]) -> None:
        """Answers until `quit` or the end of input."""
        self.answer({"ready": True, **hello})
        for line in commands:
            words = line.split()
            if words == ["quit"]:
                return
            if words:
                try:
                    self.answer(self.handle(words))
                except Exception as error:  # noqa: BLE001 (whatever fails is the answer)
                    self.answer({"error": f"{type(error).__name__}: {error}", "command": line})


class StepServer(Server):
    """The commands of peers of `assay bench step`; keeps a mode's trainer from its first use until it is dropped.

    A trainer has `run(steps)`, which returns seconds and the last loss.
    """

    WARM_UP_STEPS = 2
    commands = "run MODE N, prepare MODE, drop MODE, memory MODE or quit"

    def __init__(self, shape: dict[str, Any], modes: list[str], output: TextIO) -> None:
        super().__init__(output)
        self.shape = shape
        self.modes = modes
        self.trainers: dict[str, Any] = {}

    def make(self, mode: str) -> Any:
        """A new trainer of the mode."""
        raise NotImplementedError

    def prepared(self, trainer: Any) -> dict[str, Any]:
        """What `prepare` tells of a trainer beside the time."""
        return {}

    def trainer(self, mode: str) -> Any:
        """The mode's trainer, built and warmed up (which is when compiling happens)."""
        if mode not in self.modes:
            raise ValueError(f"mode '{mode}' is not one of {', '.join(self.modes)}")
        if mode not in self.trainers:
            trainer = self.make(mode)
            trainer.run(self.WARM_UP_STEPS)
            self.trainers[mode] = trainer
        return self.trainers[mode]

    def drop(self, mode: str) -> None:
        """Frees the mode's model."""
        self.trainers.pop(mode, None)
        gc.collect()

    def handle(self, words: list[str]) -> dict[str, Any]:
        """Carries out one command and returns its answer."""
        match words:
            case ["run", mode, count] if count.isdecimal() and int(count) > 0:
                seconds, loss = self.trainer(mode).run(int(count))
                tokens = int(count) * self.shape["sequences"] * self.shape["context_length"]
                return {
                    "mode": mode,
                    "steps": int(count),
                    "seconds": seconds,
                    "loss": loss,
                    "tokens": tokens,
                }
            case ["prepare", mode]:
                begin = time.perf_counter()
                trainer = self.trainer(mode)
                seconds = time.perf_counter() - begin
                return {"prepared": mode, "seconds": seconds, **self.prepared(trainer)}
            case ["drop", mode]:
                self.drop(mode)
                return {"dropped": mode}
            case ["memory", mode] if mode in self.modes:
                child = subprocess.run(
                    [sys.executable, *sys.argv, "--memory-of", mode],
                    check=True,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                )
                return json.loads(child.stdout)
            case _:
                raise ValueError(f"'{' '.join(words)}' is not a command; use {self.commands}")
