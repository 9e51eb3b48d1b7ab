# Copyright (c) 2026 The Assay Authors
# SPDX-License-Identifier: Apache-2.0
"""PyTorch as the peer of `assay bench optimizers`: optimizer steps alone, on request, over a pipe.

    python pytorch_optimizers.py --shape-json '{"vocabulary_size": 8192, "width": 384, "layers": 6,
        "heads": 6, "context_length": 256}' --modes adamw,muon --threads 2

One JSON object per line on standard output, everything else on standard error. The first is
`{"ready": true, "torch": ..., "threads": ..., "modes": [METHOD, ...], "candidates": {METHOD:
[NAME, ...]}, "parameters": n}`, the methods that can be run here; without `--modes`, or with none,
all of them. Then one for each line on standard input:

    prepare METHOD        chooses the fastest candidate
                          {"prepared", "candidate", "seconds": {CANDIDATE: per step},
                           "skipped": {CANDIDATE: reason}}
    run METHOD N          N steps of it, timed    {"method", "candidate", "steps", "seconds"}
    run METHOD/CANDIDATE N  the same of a named one
    drop METHOD           frees its state         {"dropped"}
    quit

What fails answers `{"error": ..., "command": ...}`. `run` prepares first if need be, outside the
clock.

`prepare` first checks every candidate: three steps on a small model, against the same equations
written plainly (`optimizer_rules.py`); one that moves the weights elsewhere is skipped and named.
Then each is warmed up (which is when compiling happens) and takes as many steps as fit in a second,
and the one with the shortest step is kept; the state of the others is freed.

A step is `optimizer.step()` on a model's parameters in float32 with gradients in place: no backward
pass, no clipping, no zeroing (users set gradients to None, so PyTorch has nothing to clear).
Methods that work now and then (SOAP, every ten steps) must be timed over whole periods.
"""

from __future__ import annotations

import argparse
import gc
import importlib.util
import json
import os
import sys
import time
from collections.abc import Sequence
from typing import Any, TextIO

import torch

from optimizer_candidates import METHODS, Make, Slot, candidates, twin
from peer_process import Server, private_output
from pytorch_step import compiler_missing
from reference_models import Configuration, Model, has_decay

# How far a candidate's movement over three steps may be from the twin's, as ||a - b|| / ||b||. Most
# agree to 1e-5; pytorch_optimizer's MARS adds 1e-15 to v, which tiny entries of a clipped gradient
# feel (2e-3); another method is elsewhere by 1e-1 and more. bf16 moves it by its own rounding.
AGREEMENT = 5e-3
AGREEMENT_BF16 = 6e-2
WARM_UP_STEPS = 2
TRIAL_SECONDS = 1.0
TRIAL_STEPS = 10
CHECK_SHAPE = Configuration(vocabulary_size=67, width=48, layers=1, heads=3, context_length=8)
ROLES = {
    "query.weight": "query", "key.weight": "key", "value.weight": "value",
    "output.weight": "output", "in.weight": "in", "gate.weight": "in", "out.weight": "out",
    "embedding.weight": "embedding", "head.weight": "head",
}  # fmt: skip


def make_slots(configuration: Configuration) -> list[Slot]:
    """A model's parameters with random gradients, the same every time."""
    torch.manual_seed(1)
    slots = []
    for name, parameter in Model(configuration).named_parameters():
        ending = ".".join(name.split(".")[-2:])
        role = ROLES.get(ending, "gain")
        if has_decay(parameter):
            torch.nn.init.normal_(parameter, std=0.02)
        heads = configuration.key_value_heads if role in ("key", "value") else configuration.heads
        parameter.grad = 1e-3 * torch.randn_like(parameter)
        slots.append(Slot(name, role, parameter, heads))
    return slots


def available(method: str) -> list[str]:
    """The candidates of a method whose packages are here; looks, but imports nothing."""
    packages = {"adam-mini": "adam_mini"}
    result = []
    for name in candidates(method):
        if name == "compiled":
            usable = compiler_missing() is None
        elif name.startswith("batched"):
            usable = True
        else:
            package = name.removesuffix("-foreach").removesuffix("-fused")
            usable = importlib.util.find_spec(packages.get(package, package)) is not None
        if usable:
            result.append(name)
    return result


def missing_package(make: Make) -> str | None:
    """Why a candidate cannot be made here, or None."""
    try:
        make(make_slots(CHECK_SHAPE))
    except ImportError as error:
        return f"not installed: {error.name or error}"
    return None


def movement(make: Make, steps: int = 3) -> torch.Tensor:
    """Where steps move the parameters of the small model, as one vector in float64."""
    slots = make_slots(CHECK_SHAPE)
    start = [slot.weight.detach().clone() for slot in slots]
    gradients = [slot.weight.grad.clone() for slot in slots]
    step = make(slots)
    for index in range(steps):
        for slot, gradient in zip(slots, gradients, strict=True):
            # Some packages write into the gradient; large ones make every epsilon small.
            slot.weight.grad.copy_(1e3 * gradient * (1 + 0.3 * index))
        step()
    moved = [(slot.weight.detach() - first) for slot, first in zip(slots, start, strict=True)]
    return torch.cat([values.double().flatten() for values in moved])


class OptimizerServer(Server):
    """Answers the commands; keeps a method's chosen candidate from first use until dropped."""

    def __init__(self, shape: dict[str, Any], methods: Sequence[str], output: TextIO) -> None:
        super().__init__(output)
        self.configuration = Configuration.from_mapping(shape)
        self.methods = methods
        self.kept: dict[str, tuple[str, Any]] = {}

    def problem(self, method: str, name: str, make: Make) -> str | None:
        """Why a candidate is not timed, or None."""
        if name == "compiled" and (reason := compiler_missing()):
            return reason
        if reason := missing_package(make):
            return reason
        reference = twin(method)
        if reference is None:
            return None
        ours, theirs = movement(make), movement(reference)
        error = ((ours - theirs).norm() / theirs.norm()).item()
        # PyTorch's Muon multiplies in bf16 whatever it is given; a bf16 momentum rounds too.
        rounds = "bf16" in name or (method, name) in (("muon", "torch"), ("adafactor-bv", "timm"))
        limit = AGREEMENT_BF16 if rounds else AGREEMENT
        return None if error <= limit else f"moves the weights elsewhere: {error:.1e} of the way"

    def start(self, make: Make) -> Any:
        """A step function, warmed up."""
        step = make(make_slots(self.configuration))
        for _ in range(WARM_UP_STEPS):
            step()
        return step

    @staticmethod
    def timed(step: Any, steps: int) -> float:
        """Seconds of so many steps."""
        start = time.perf_counter()
        for _ in range(steps):
            step()
        return time.perf_counter() - start

    def prepare(self, method: str) -> dict[str, Any]:
        """Chooses the fastest of the candidates that are right."""
        self.drop(method)
        seconds: dict[str, float] = {}
        skipped: dict[str, str] = {}
        best: tuple[str, Any] | None = None
        for name, make in candidates(method).items():
            if reason := self.problem(method, name, make):
                skipped[name] = reason
                continue
            step = self.start(make)
            one = self.timed(step, 1)
            count = max(1, min(TRIAL_STEPS, int(TRIAL_SECONDS / max(one, 1e-6))))
            # Twice, and the better half: another process may have had the machine for a moment.
            seconds[name] = min(self.timed(step, count) for _ in range(2)) / count
            if seconds[name] == min(seconds.values()):
                best = (name, step)
            del step
            gc.collect()
        if best is None:
            raise RuntimeError(f"no candidate of '{method}' can be used: {skipped}")
        self.kept[method] = best
        return {
            "prepared": method,
            "candidate": best[0],
            "seconds": seconds,
            "skipped": skipped,
        }

    def drop(self, method: str) -> None:
        """Frees a method's state."""
        self.kept.pop(method, None)
        self.kept = {
            key: value for key, value in self.kept.items() if not key.startswith(method + "/")
        }
        gc.collect()

    def run(self, words: str, steps: int) -> dict[str, Any]:
        """Times steps of a method's chosen candidate, or of a named one."""
        method, _, name = words.partition("/")
        self.known(method)
        if words not in self.kept:
            if name:
                makes = candidates(method)
                if name not in makes:
                    raise ValueError(f"'{method}' has no '{name}' among {', '.join(makes)}")
                if reason := self.problem(method, name, makes[name]):
                    raise RuntimeError(f"{words}: {reason}")
                self.kept[words] = (name, self.start(makes[name]))
            else:
                self.prepare(method)
        candidate, step = self.kept[words]
        return {
            "method": method,
            "candidate": candidate,
            "steps": steps,
            "seconds": self.timed(step, steps),
        }

    def known(self, method: str) -> None:
        """Refuses other methods."""
        if method not in self.methods:
            raise ValueError(f"method '{method}' is not one of {', '.join(self.methods)}")

    def handle(self, words: list[str]) -> dict[str, Any]:
        """Carries out one command and returns its answer."""
        match words:
            case ["run", method, count] if count.isdecimal() and int(count) > 0:
                return self.run(method, int(count))
            case ["prepare", method]:
                self.known(method)
                return self.prepare(method)
            case ["drop", method]:
                self.drop(method)
                return {"dropped": method}
            case _:
                raise ValueError(
                    f"'{' '.join(words)}' is not a command; "
                    "use prepare METHOD, run METHOD N, run METHOD/CANDIDATE N, drop METHOD or quit"
                )

    def begin(self, commands: TextIO) -> None:
        """Says what there is and answers."""
        # Starts the threads and the libraries, so that no candidate pays for them.
        torch.mm(torch.ones(512, 512), torch.ones(512, 512))
        hello = {
            "torch": torch.__version__,
            "threads": torch.get_num_threads(),
            "modes": list(self.methods),
            "candidates": {method: available(method) for method in self.methods},
            "parameters": sum(slot.weight.numel() for slot in make_slots(self.configuration)),
        }
        self.serve(commands, hello)


def main() -> None:
    """Reads the options and serves."""
    parser = argparse.ArgumentParser(description="PyTorch optimizer steps, timed on request")
    parser.add_argument("--shape-json", type=json.loads, required=True, metavar="JSON")
    parser.add_argument("--modes", default="", help="methods, comma-separated; none: all")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    options = parser.parse_args()
    # A method that PyTorch has no form of is not an error: the bench asks for what it has.
    asked = options.modes.split(",") if options.modes else METHODS
    methods = [method for method in asked if method in METHODS and available(method)]
    output = private_output()
    torch.set_num_threads(options.threads)
    torch._dynamo.config.cache_size_limit = 256  # one rule, many shapes
    OptimizerServer(options.shape_json, methods, output).begin(sys.stdin)


if __name__ == "__main__":
    main()
