# Copyright (c) 2026 The Assay Authors
# SPDX-License-Identifier: Apache-2.0
"""PyTorch as the peer of a step of the speedrun record B: training steps on request, over a pipe.

    python torch_speedrun.py --shape-json '{"sequences": 1}' --modes fp32,bf16-compiled --threads 2
    python torch_speedrun.py --check

One JSON object per line on standard output, everything else on standard error; the commands are
those of `pytorch_step.py` (run MODE N, prepare MODE, drop MODE, memory MODE, quit), and

    parts MODE     one step, part by part    {"mode", "parts": {NAME: seconds}}

The shape's keys, all with the published values as defaults: vocabulary_size, width, layers, heads,
head_width, feed_forward_width, gate_channels, context_length, sequences, window, window_short
(tokens, see `speedrun_model.Settings`), document_length (mean), adam_every (training steps between
two updates of what Adam updates; with 1 every step does all the work, the record has 2).

Modes: fp32, and bf16 (products and activations in bf16, fp32 master weights and state), each also
as -fp8 (the head in emulated 8 bits) and as -compiled. A step is forward, loss (next token, summed,
divided by eight), backward, NorMuon on the matrices, Adam on the tables and lambdas, clearing of
the gradients, on one fixed batch.

What is computed is said plainly in `speedrun_model.py` and `speedrun_rules.py`, and `--check` holds
this against those. Here the matrices of a shape lie in one tensor, so that they are rounded to bf16
once and orthogonalised together. FlexAttention has no backward pass on CPUs (PyTorch 2.15).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import Any

# First, for it sets the allocator before PyTorch makes its first large allocation.
from pytorch_step import WARM_UP_STEPS, Server, peak_bytes, private_output  # isort: skip
import torch
from torch import Tensor

import speedrun_rules as rules
from speedrun_model import Options, Settings, Shape, base_frequencies, parameter_shapes
from torch_speedrun_model import Model
from torch_speedrun_parts import AdamTables, NorMuonBank, attention_mask, identity

PRECISIONS = ("fp32", "bf16")
ALL_MODES = tuple(p + h + c for p in PRECISIONS for h in ("", "-fp8") for c in ("", "-compiled"))
LOSS_SCALE = 1 / 8
MOMENTUM = 0.95


class Trainer:
    """One model in one mode, with its optimizers and its batch."""

    def __init__(self, values: Mapping[str, Any], mode: str) -> None:
        shape = Shape.from_mapping(values)
        dtype = torch.bfloat16 if mode.startswith("bf16") else torch.float32
        is_compiled = mode.endswith("-compiled")
        torch.manual_seed(1)
        model = Model(shape, dtype, fp8="-fp8" in mode, is_compiled=is_compiled)
        self.model, self.shape, self.dtype = model, shape, dtype
        self.adam_every = int(values.get("adam_every", 1))
        self.steps = 0
        model.load(initial_weights(shape))

        def compiled(function: Any) -> Any:
            return torch.compile(function, dynamic=False)

        wrap = compiled if is_compiled else identity
        self.loss = wrap(model)
        scales = [2.0] * len(model.attention)
        ratio = (shape.feed_forward_width / shape.width) ** 0.5
        self.banks = {
            "normuon attention": NorMuonBank(model.attention, scales, dtype, wrap),
            "normuon mlp": NorMuonBank(model.mlp, [ratio, 2 * ratio] * shape.layers, dtype, wrap),
            "normuon gates": NorMuonBank(model.gates, [1.0] * len(model.gates), dtype, wrap),
        }
        rate, main = rules.ADAM_RATE, rules.B.adam_betas
        scalars = [
            model.residual_lambdas, model.attention_lambdas, model.smear, model.skip, model.backout
        ]  # fmt: skip
        self.adams = {
            "adam head": AdamTables([model.head], rate, main, wrap, decays=True),
            "adam values": AdamTables(model.values, 75 * rate, main, wrap, decays=True),
            "adam x0": AdamTables([model.x0_lambdas], 5 * rate, main, identity),
            "adam smear": AdamTables([model.smear_gate], 0.01 * rate, main, identity),
            "adam scalars": AdamTables(scalars, 5 * rate, rules.B.scalar_betas, identity),
        }
        self.settings = Settings(
            base_frequencies(shape.head_width, half_truncated=True), rules.START_SCALE,
            int(values.get("window", 384)), int(values.get("window_short", 128)),
        )  # fmt: skip
        sequences, length = int(values.get("sequences", 1)), shape.context_length
        text = torch.randint(shape.vocabulary_size, (sequences, length + 1))
        starts = torch.rand(sequences, length) < 1 / values.get("document_length", 600)
        self.set_batch(text[:, :-1], text[:, 1:], starts.cumsum(dim=1))

    def set_batch(self, tokens: Tensor, targets: Tensor, documents: Tensor) -> None:
        """What the next steps are taken on."""
        self.tokens, self.targets, self.documents = tokens, targets, documents
        angle = torch.arange(tokens.shape[1])[:, None] * torch.tensor(self.settings.frequencies)
        self.rotary = tuple(
            table.to(self.dtype)[None, :, None] for table in (angle.cos(), angle.sin())
        )

    def forward(self) -> Tensor:
        """The loss; the masks belong to the batch and so to the step."""
        masks = tuple(
            attention_mask(self.documents, window, self.dtype)
            for window in (self.settings.window, self.settings.window_short)
        )
        arguments = (self.tokens, self.targets, self.rotary, masks, self.settings)
        return LOSS_SCALE * self.loss(*arguments)

    @torch.no_grad()
    def update(self, factor: float = 1.0, momentum: float = MOMENTUM) -> dict[str, float]:
        """All optimizers that are due; returns their seconds."""
        numbers = (torch.tensor(factor), torch.tensor(momentum))
        self.steps += 1
        seconds = {}
        for name, bank in self.banks.items():
            start = time.perf_counter()
            bank.step(*numbers)
            bank.p.grad = None
            seconds[name] = time.perf_counter() - start
        if self.steps % self.adam_every == 0:
            for name, group in self.adams.items():
                start = time.perf_counter()
                group.step(factor)
                for parameter in group.parameters:
                    parameter.grad = None
                seconds[name] = time.perf_counter() - start
        return seconds

    def step(self) -> Tensor:
        """One training step; returns its loss."""
        loss = self.forward()
        loss.backward()
        self.update()
        return loss.detach()

    def run(self, steps: int) -> tuple[float, float]:
        """(seconds, loss of the last step)."""
        loss = torch.zeros(())
        start = time.perf_counter()
        for _ in range(steps):
            loss = self.step()
        return time.perf_counter() - start, loss.item()

    def parts(self) -> dict[str, float]:
        """Seconds of the parts of one step."""
        times = [time.perf_counter()]
        loss = self.forward()
        times.append(time.perf_counter())
        loss.backward()
        times.append(time.perf_counter())
        seconds = {"forward": times[1] - times[0], "backward": times[2] - times[1]}
        return seconds | self.update()


def initial_weights(shape: Shape) -> dict[str, Tensor]:
    """The published distributions, but nothing zero: a gradient of zero would be no work saved."""
    weights = {}
    for name, size in parameter_shapes(shape, Options()).items():
        if name == "head.weight":
            weights[name] = 0.005 * torch.randn(size)
        elif len(size) > 1:
            weights[name] = 0.018 * torch.randn(size)
        else:
            weights[name] = torch.full(size, 0.5)
    return weights


class SpeedrunServer(Server):
    """The commands of `pytorch_step.py`, and `parts`."""

    def trainer(self, mode: str) -> Trainer:
        """The mode's trainer, built and warmed up (which is when compiling happens)."""
        if mode not in self.modes:
            raise ValueError(f"mode '{mode}' is not one of {', '.join(self.modes)}")
        if mode not in self.trainers:
            trainer = Trainer(self.shape, mode)
            trainer.run(WARM_UP_STEPS)
            self.trainers[mode] = trainer
        return self.trainers[mode]

    def handle(self, words: list[str]) -> dict[str, Any]:
        """Carries out one command and returns its answer."""
        match words:
            case ["parts", mode]:
                return {"mode": mode, "parts": self.trainer(mode).parts()}
            case ["memory", mode] if mode in self.modes:
                child = subprocess.run(
                    [sys.executable, __file__, *sys.argv[1:], "--memory-of", mode],
                    check=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                )  # fmt: skip
                return json.loads(child.stdout)
            case _:
                return super().handle(words)


# MARK: Check

CHECK_SHAPE = {
    "vocabulary_size": 101, "width": 48, "heads": 3, "head_width": 16, "feed_forward_width": 192,
    "context_length": 512, "sequences": 2, "window": 150, "window_short": 70,
    "document_length": 100,
}  # fmt: skip
# Of how far weights move in three steps, as ||a - b|| / ||b||, the worst of all tensors. In fp32
# sums run in another order, and orthogonalisation enlarges that; 8 bits round such differences up
# to their own spacing, and so does bf16, where Adam and NorMuon also take whole steps in whatever
# direction a rounded gradient has.
CHECK_TOLERANCES = {"fp32": 1e-3, "fp32-fp8": 1e-2, "bf16": 0.6, "bf16-fp8": 0.6}
CHECK_LOSS_TOLERANCES = {"fp32": 1e-6, "fp32-fp8": 1e-5, "bf16": 1e-3, "bf16-fp8": 1e-3}


def check(mode: str) -> tuple[float, float, str]:
    """How far three steps are from the plain twin's: of the losses, the worst of the weights."""
    trainer = Trainer(CHECK_SHAPE, mode)
    shape, start = trainer.shape, {n: v.clone() for n, v in trainer.model.named_views()}
    twin = rules.Trainer(rules.B, shape, start, LOSS_SCALE, torch.float32)
    twin.options = Options(fp8_head="-fp8" in mode)
    batch = {
        "tokens": trainer.tokens, "targets": trainer.targets, "documents": trainer.documents
    }  # fmt: skip
    worst_loss = 0.0
    settings = trainer.settings
    for step in range(3):
        row = rules.Row(
            step, 0, 1.0, MOMENTUM, settings.window, settings.window_short, 2,
            list(settings.frequencies), settings.scale, [1.0, 0.0, 0.0], False, True, False,
        )  # fmt: skip
        twin.step(row, batch)
        worst_loss = max(worst_loss, abs(trainer.step().item() / twin.losses[-1] - 1))
    errors = {}
    for name, value in trainer.model.named_views():
        theirs = twin.parameters[name] - start[name]
        errors[name] = ((value - start[name] - theirs).norm() / theirs.norm()).item()
    worst = max(errors, key=lambda name: errors[name])
    return worst_loss, errors[worst], worst


def main() -> int:
    """Reads the options; serves, checks, or measures the memory of one mode."""
    parser = argparse.ArgumentParser(description="PyTorch steps of the speedrun, timed on request")
    parser.add_argument("--shape-json", type=json.loads, default={}, metavar="JSON")
    parser.add_argument("--modes", default=",".join(ALL_MODES), help="comma-separated")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--memory-of", choices=ALL_MODES, metavar="MODE")
    parser.add_argument("--check", action="store_true", help="against the plain model, and end")
    options = parser.parse_args()
    modes = options.modes.split(",")
    if unknown := [mode for mode in modes if mode not in ALL_MODES]:
        parser.error(f"unknown modes {', '.join(unknown)}; use {', '.join(ALL_MODES)}")
    torch.set_num_threads(options.threads)
    if options.check:
        failures = 0
        for mode in modes:
            loss, moved, name = check(mode)
            kind = mode.removesuffix("-compiled")
            is_near = moved <= CHECK_TOLERANCES[kind] and loss <= CHECK_LOSS_TOLERANCES[kind]
            failures += not is_near
            print(f"{mode}: losses differ by {loss:.1e}, moved weights by {moved:.1e} ({name})")
        return 1 if failures else 0

    output = private_output()
    shape = {"sequences": 1, "context_length": Shape().context_length} | options.shape_json
    server = SpeedrunServer(shape, modes, output)
    if options.memory_of is None:
        server.serve(sys.stdin)
        return 0
    baseline = peak_bytes()
    Trainer(shape, options.memory_of).run(3)
    server.answer(
        {"memory": options.memory_of, "baseline_bytes": baseline, "peak_bytes": peak_bytes()}
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
