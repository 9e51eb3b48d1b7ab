# Copyright (c) 2026 The Assay Authors
# SPDX-License-Identifier: Apache-2.0
"""PyTorch as the peer of `assay bench step`: whole training steps, on request, over a pipe.

    python pytorch_step.py --shape-json '{"vocabulary_size": 4096, "width": 256, "layers": 4,
        "heads": 4, "context_length": 256, "sequences": 8}' --modes fp32,bf16 --threads 2

One JSON object per line on standard output, everything else on standard error. The first is
`{"ready": true, "torch": ..., "modes": [...], "skipped": {mode: reason}}`; then one for each line
on standard input:

    run MODE N     N steps, timed         {"mode", "steps", "seconds", "loss", "tokens"}
    prepare MODE   build and warm up      {"prepared", "seconds"}
    drop MODE      free the model         {"dropped"}
    memory MODE    peak, in a new process {"memory", "baseline_bytes", "peak_bytes"}
    quit

`run` prepares the mode first if need be, outside the clock. What fails answers `{"error": ...}`.
Modes: fp32 and bf16 (autocast, fp32 master weights), each also as -compiled (torch.compile).
`--memory-of MODE` answers the `memory` question once and exits. With `--device cuda` the same on the
first GPU, whose peak of allocated memory is the answer there; `"micro_batches": K` in the shape sums the
gradients of K parts of the batch, for batches whose activations do not fit.

A step is forward, loss (cross entropy + z-loss), backward, clipping at 1, AdamW, clearing of the
gradients, on one fixed random batch. What makes PyTorch fast here was measured, interleaved, on 2
cores with AVX-512 BF16 (shape S, PyTorch 2.15); each choice below names its effect.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import shutil
import sys
import time
from collections.abc import Callable
from typing import Any, TextIO

from peer_process import StepServer, keep_freed_memory, peak_bytes, private_output

ALL_MODES = ("fp32", "bf16", "fp32-compiled", "bf16-compiled")


# Only where speed is asked for: memory is measured with the allocator PyTorch comes with, which
# needs a little less. It must happen before PyTorch makes its first large allocation.
if not any(argument.startswith("--memory-of") for argument in sys.argv):
    keep_freed_memory()

import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402
from torch import Tensor, nn  # noqa: E402

from reference_models import Configuration, Model, has_decay, library_attention  # noqa: E402


def total_loss(logits: Tensor, targets: Tensor, z_loss: float) -> Tensor:
    """mean(cross entropy + z_loss * logsumexp^2) from one pass of log_softmax.

    log_softmax(x)[t] = x[t] - logsumexp(x), so both terms follow from it and from x[t]. Against
    F.cross_entropy plus torch.logsumexp: up to 10 % more tokens/s when eager, 13 % less memory at
    shape M, no difference when compiled. F.linear_cross_entropy, which need not
    hold all logits, has no z-loss.
    """
    targets = targets.flatten()[:, None]
    logits = logits.flatten(0, 1).float()
    log_probability = F.log_softmax(logits, dim=-1).gather(-1, targets)
    loss = -log_probability.mean()
    if z_loss != 0:
        log_sum = logits.gather(-1, targets) - log_probability
        loss = loss + z_loss * log_sum.square().mean()
    return loss


class Trainer:
    """One model in one mode, with its optimizer and its batch."""

    def __init__(self, shape: dict[str, Any], mode: str, device: str = "cpu") -> None:
        configuration = Configuration.from_mapping(shape)
        bf16 = mode.startswith("bf16")
        torch.manual_seed(1)
        # Turning queries and keys in bf16, instead of promoting them to fp32 for the rotation and
        # back for attention: 2 to 5 %. A single matrix for query, key and value: 1 %, within the
        # noise, so the reference's three remain.
        self.model = Model(
            configuration, library_attention, torch.bfloat16 if bf16 else torch.float32
        ).to(device)
        self.model.rotary = tuple(table.to(device) for table in self.model.rotary)
        for parameter in self.model.parameters():
            if has_decay(parameter):
                nn.init.normal_(parameter, std=0.02)
        self.parameters = list(self.model.parameters())
        decayed = [parameter for parameter in self.parameters if has_decay(parameter)]
        others = [parameter for parameter in self.parameters if not has_decay(parameter)]
        self.optimizer = torch.optim.AdamW(
            [{"params": decayed, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}],
            lr=3e-4,
            betas=(0.9, 0.95),
            eps=1e-8,
            fused=True,
        )
        size = (int(shape["sequences"]), configuration.context_length)
        self.tokens = torch.randint(configuration.vocabulary_size, size).to(device)
        self.targets = torch.randint(configuration.vocabulary_size, size).to(device)
        self.micro_batches = int(shape.get("micro_batches", 1))
        self.device = device

        def loss(tokens: Tensor, targets: Tensor) -> Tensor:
            # Gradients need no scaling: bf16 has the range of fp32.
            with torch.autocast(device, torch.bfloat16, enabled=bf16):
                logits = self.model(tokens)
            return total_loss(logits, targets, configuration.z_loss)

        self.loss: Callable[[Tensor, Tensor], Tensor] = loss
        if mode.endswith("-compiled"):
            # Forward, loss and backward in one graph; "max-autotune" tunes products on the CPU for
            # frozen weights only, so the default is its best for training.
            self.loss = torch.compile(loss, dynamic=False, mode="default")

    def step(self) -> Tensor:
        """One training step; returns its loss."""
        total = torch.zeros((), device=self.device)
        parts = zip(
            self.tokens.chunk(self.micro_batches),
            self.targets.chunk(self.micro_batches),
            strict=True,
        )
        for tokens, targets in parts:
            loss = self.loss(tokens, targets) / self.micro_batches
            loss.backward()
            total += loss.detach()
        nn.utils.clip_grad_norm_(self.parameters, 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return total

    def run(self, steps: int) -> tuple[float, float]:
        """(seconds, loss of the last step)."""
        loss = torch.zeros(())
        if self.device == "cuda":
            torch.cuda.synchronize()
        start = time.perf_counter()
        for _ in range(steps):
            loss = self.step()
        value = loss.item()  # on a GPU this waits for the last step
        return time.perf_counter() - start, value


def compiler_missing() -> str | None:
    """Why torch.compile cannot work here, or None."""
    compiler = os.environ.get("CXX", "g++" if sys.platform == "linux" else "clang++")
    if shutil.which(compiler) is None:
        return f"torch.compile needs a C++ compiler, and '{compiler}' is not installed"
    return None


class Server(StepServer):
    """PyTorch's trainers."""

    def __init__(self, shape: dict[str, Any], modes: list[str], output: TextIO, device: str = "cpu") -> None:
        self.device = device
        missing = compiler_missing()
        compiled = [mode for mode in modes if mode.endswith("-compiled")]
        self.skipped = dict.fromkeys(compiled, missing) if missing else {}
        super().__init__(shape, [mode for mode in modes if mode not in self.skipped], output)

    def make(self, mode: str) -> Trainer:
        """A new trainer of the mode."""
        return Trainer(self.shape, mode, self.device)

    def drop(self, mode: str) -> None:
        """Frees the mode's model; with a compiled mode also all compiled code."""
        if mode in self.trainers and mode.endswith("-compiled"):
            # This forgets all compiled code, so the other compiled mode must start afresh too:
            # otherwise it would compile inside the clock.
            torch.compiler.reset()
            for other in [name for name in self.trainers if name.endswith("-compiled")]:
                del self.trainers[other]
        super().drop(mode)
        if self.device == "cuda":
            torch.cuda.empty_cache()
        malloc_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if malloc_trim is not None:
            malloc_trim(0)

    def start(self, commands: TextIO) -> None:
        """Says what there is and answers."""
        # Starts the threads and the libraries, so that no mode pays for them.
        torch.mm(torch.ones(512, 512), torch.ones(512, 512))
        hello = {
            "torch": torch.__version__,
            "peer": "PyTorch",
            "version": torch.__version__,
            "device": torch.cuda.get_device_name() if self.device == "cuda" else "cpu",
            "threads": torch.get_num_threads(),
            "modes": self.modes,
            "skipped": self.skipped,
        }
        self.serve(commands, hello)


def main() -> None:
    """Reads the options and serves, or measures the memory of one mode."""
    parser = argparse.ArgumentParser(description="PyTorch training steps, timed on request")
    parser.add_argument("--shape-json", type=json.loads, required=True, metavar="JSON")
    parser.add_argument("--modes", default=",".join(ALL_MODES), help="comma-separated")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--memory-of", choices=ALL_MODES, metavar="MODE")
    options = parser.parse_args()
    modes = options.modes.split(",")
    if unknown := [mode for mode in modes if mode not in ALL_MODES]:
        parser.error(f"unknown modes {', '.join(unknown)}; use {', '.join(ALL_MODES)}")

    output = private_output()
    torch.set_num_threads(options.threads)
    server = Server(options.shape_json, modes, output, options.device)
    if options.memory_of is None:
        server.start(sys.stdin)
        return
    baseline = peak_bytes()
    Trainer(options.shape_json, options.memory_of, options.device).run(3)
    peak = peak_bytes()
    if options.device == "cuda":
        baseline, peak = 0, torch.cuda.max_memory_allocated()
    server.answer({"memory": options.memory_of, "baseline_bytes": baseline, "peak_bytes": peak})


if __name__ == "__main__":
    main()
