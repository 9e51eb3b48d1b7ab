# Copyright (c) 2026 The Assay Authors
# SPDX-License-Identifier: Apache-2.0
"""JAX as a peer of `assay bench step`: whole training steps, on request, over a pipe.

    python jax_step.py --shape-json '{"vocabulary_size": 4096, "width": 256, "layers": 4,
        "heads": 4, "context_length": 256, "sequences": 8}' --modes fp32,bf16 --threads 2

The protocol of `pytorch_step.py`: one JSON object per line on standard output, everything else on standard
error. The first is `{"ready": true, "peer": "JAX", "version": ..., "device": ..., "modes": [...], "skipped": {}}`;
then one for each line on standard input:

    run MODE N         N steps, timed            {"mode", "steps", "seconds", "loss", "tokens"}
    prepare MODE       check, compile, warm up   {"prepared", "seconds", "compile_seconds", "analysis"}
    check MODE FILE    the steps of step_check   {"checked", "losses", "gradient_norms", "worst"}
    drop MODE          free the model            {"dropped"}
    memory MODE        peak, in a new process    {"memory", "baseline_bytes", "peak_bytes", "analysis"}
    quit

`run` prepares the mode first if need be, outside the clock. What fails answers `{"error": ...}`.
Modes: fp32 (true fp32 products, on GPUs too) and bf16 (fp32 master weights, products of bf16 summed in fp32).
`--memory-of MODE` answers the `memory` question once and exits.

Nothing is timed that was not checked: before a mode is first prepared, small models of `Tests/Fixtures/models`
take 20 steps in it, and losses, gradient norm and last weights are compared with what PyTorch computed in float64.
`analysis` are XLA's own numbers in bytes: arguments, outputs, of these aliased, temporary, code. On a GPU
the peak is the device's.

`--plugin FILE.so` runs on that PJRT plugin instead of JAX's own client, so that both sides of a
comparison run on the same XLA. jax 0.8.1 and 0.10.2 run on plugins of interface 0.81, jax 0.7.2 does not.
"""

from __future__ import annotations

import argparse
import functools
import json
import math
import os
import sys
import time
from pathlib import Path
from typing import Any, TextIO

ALL_MODES = ("fp32", "bf16")
FIXTURES = Path(__file__).resolve().parents[2] / "Tests" / "Fixtures" / "models"
CASES = ("decoder-standard", "decoder-odd-sizes", "llama-grouped", "llama-grouped-tied")
# Relative errors: the first loss and norm, and the losses and weights after 20 steps. What PyTorch in bf16 is off by is
# in the fixtures too, for the first loss alone; the rest of a bf16 run is held to what its rounding (2^-9) can do.
TOLERANCE = {"fp32": (1e-5, 1e-4), "bf16": (2e-2, 5e-2)}
# How far all weights together may end from where they should, over the way that they should go; staying is 1.
ASTRAY = {"fp32": 1e-2, "bf16": 0.3}


def arguments() -> argparse.Namespace:
    """The command line; read before JAX is imported, because it sets the environment that JAX reads."""
    parser = argparse.ArgumentParser(description="JAX training steps, timed on request")
    parser.add_argument("--shape-json", type=json.loads, required=True, metavar="JSON")
    parser.add_argument("--modes", default=",".join(ALL_MODES), help="comma-separated")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--memory-of", choices=ALL_MODES, metavar="MODE")
    parser.add_argument("--plugin", metavar="FILE.so")
    parser.add_argument("--device", choices=("cpu", "cuda"), help="the best that JAX finds")
    parser.add_argument("--fixtures", type=Path, default=FIXTURES, metavar="FOLDER")
    options = parser.parse_args()
    if unknown := [mode for mode in options.modes.split(",") if mode not in ALL_MODES]:
        parser.error(f"unknown modes {', '.join(unknown)}; use {', '.join(ALL_MODES)}")
    return options


OPTIONS = arguments()
# XLA's CPU client sizes its thread pool by these; a GPU's memory is taken as needed, so that peaks mean something.
os.environ["NPROC"] = os.environ["PJRT_NPROC"] = str(OPTIONS.threads)
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
# Compiling is timed: nothing comes out of a cache that the user has.
os.environ["JAX_ENABLE_COMPILATION_CACHE"] = "false"
if OPTIONS.device:
    os.environ["JAX_PLATFORMS"] = OPTIONS.device

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import jaxlib.version  # noqa: E402
import numpy  # noqa: E402

import jax_model  # noqa: E402
from peer_process import StepServer, peak_bytes, private_output, read_tensors  # noqa: E402


def use_plugin(path: str) -> None:
    """Makes a PJRT plugin JAX's only platform."""
    from jax._src import xla_bridge  # JAX has no public way to name a plugin by its file

    xla_bridge.register_plugin("named_plugin", library_path=path, priority=500)
    jax.config.update("jax_platforms", "named_plugin")


def compiler_options() -> dict[str, Any] | None:
    """What XLA must be told.

    XLA of interface 0.81 hands fp32 products to XNNPACK, which packs a right side that is a program's parameter
    once and remembers it by address. A donated parameter keeps its address while its values change, so
    from the second step on gradients are wrong (S: norm 1.0278 instead of 1.0456). With 0.112 and the client of
    jaxlib 0.10 they are right, and keep their libraries. Assay draws the same line.
    """
    device = jax.devices()[0]
    if device.platform != "cpu":
        return None
    try:
        version = (device.client.pjrt_c_api_major_version, device.client.pjrt_c_api_minor_version)
        is_old = version < (0, 100)
    except AttributeError:  # JAX's own client, which is no plugin
        is_old = jaxlib.version.__version_info__ < (0, 10)
    return {"xla_cpu_use_xnnpack": False} if is_old else None


class Program:
    """The compiled step of one model and batch size in one mode."""

    def __init__(self, shape: dict[str, Any], mode: str, batch: int, parts: int = 1) -> None:
        self.c = jax_model.Configuration.from_mapping(shape)
        self.numbers = jax_model.AdamW.from_mapping(shape)
        step = functools.partial(
            jax_model.training_step,
            c=self.c,
            numbers=self.numbers,
            compute=jnp.bfloat16 if mode == "bf16" else jnp.float32,
            parts=parts,
        )
        number, weight = functools.partial(jax.ShapeDtypeStruct, ()), jax.ShapeDtypeStruct
        shapes = self.c.shapes().items()
        weights = {name: weight(shape, jnp.float32) for name, shape in shapes}
        state = {"weights": weights, "first": weights, "second": weights, "steps": number(jnp.int32)}
        tokens = jax.ShapeDtypeStruct((batch, self.c.context_length), jnp.int32)
        begin = time.perf_counter()
        # "highest": on GPUs fp32 products would otherwise be rounded to 10 bits of mantissa.
        with jax.default_matmul_precision("highest" if mode == "fp32" else "default"):
            lowered = jax.jit(step, donate_argnums=0).lower(
                state, tokens, tokens, number(jnp.float32)
            )
        self.trace_seconds = time.perf_counter() - begin
        begin = time.perf_counter()
        self.compiled = lowered.compile(compiler_options=compiler_options())
        self.compile_seconds = time.perf_counter() - begin
        self.learning_rate = jnp.float32(self.numbers.learning_rate)

    def steps(self, state: Any, tokens: Any, targets: Any, count: int) -> tuple[Any, Any, Any]:
        """(state, losses, norms) of `count` steps on one batch; returns before they are done."""
        losses, norms = [], []
        for _ in range(count):
            state, loss, norm = self.compiled(state, tokens, targets, self.learning_rate)
            losses.append(loss)
            norms.append(norm)
        return state, losses, norms

    def analysis(self) -> dict[str, int] | None:
        """XLA's memory statistics in bytes, where the platform has them."""
        found = self.compiled.memory_analysis()
        if found is None:
            return None
        return {
            "arguments": found.argument_size_in_bytes,
            "outputs": found.output_size_in_bytes,
            "aliased": found.alias_size_in_bytes,
            "temporary": found.temp_size_in_bytes,
            "code": found.generated_code_size_in_bytes,
        }


def compare(description: dict[str, Any], tensors: dict[str, Any], mode: str) -> dict[str, Any]:
    """Takes the steps of a file of `step_check.py` or of a fixture; raises where they end elsewhere."""

    def values(prefix: str) -> dict[str, Any]:
        # A copy: JAX may otherwise keep a host array where it lies, and does not donate that.
        found = {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
        return {name: jnp.array(value, copy=True) for name, value in found.items()}

    batch = values("batch.")
    tokens, targets = batch["tokens"], batch["targets"]
    expected = tensors["losses"]
    program = Program(description, mode, tokens.shape[0])
    initial, final = values("initial."), values("final.")
    state, losses, norms = program.steps(
        jax_model.start(values("initial.")), tokens, targets, len(expected)
    )
    losses, norms = numpy.array(losses), numpy.array(norms)
    first, later = TOLERANCE[mode]
    errors = {
        "the first loss": (abs(losses[0] / expected[0] - 1), first),
        "the gradient's norm": (abs(norms[0] / tensors["gradient_norm"][0] - 1), first),
        "the losses": (numpy.max(numpy.abs(losses / expected - 1)), later),
    }
    weights = state["weights"]
    strayed = sum(jnp.square(weights[name] - value).sum() for name, value in final.items())
    way = sum(jnp.square(initial[name] - value).sum() for name, value in final.items())
    errors["the way of the weights"] = (float(jnp.sqrt(strayed / way)), ASTRAY[mode])
    if mode == "fp32":
        for name, value in final.items():
            error = jnp.linalg.norm(weights[name] - value) / jnp.linalg.norm(value)
            errors[f"the last {name}"] = (float(error), later)
    worst = {what: float(error) for what, (error, _) in errors.items()}
    for what, (error, limit) in errors.items():
        if not error <= limit:
            raise ValueError(f"{description['name']}, {mode}: {what} is off by {error:.2e}, more than {limit}")
    return {"losses": losses.tolist(), "gradient_norms": norms.tolist(), "worst": max(worst.values())}


class Trainer:
    """One model in one mode, with its optimizer and its batch."""

    def __init__(self, shape: dict[str, Any], mode: str) -> None:
        sequences = int(shape["sequences"])
        self.program = Program(shape, mode, sequences, int(shape.get("micro_batches", 1)))
        c = self.program.c
        random = numpy.random.default_rng(1)
        weights = {
            name: jnp.array(random.normal(0, 0.02, size) if len(size) == 2 else numpy.ones(size), jnp.float32)
            for name, size in c.shapes().items()
        }
        self.state = jax_model.start(weights)
        size = (2, sequences, c.context_length)
        self.tokens, self.targets = jnp.array(random.integers(c.vocabulary_size, size=size), jnp.int32)
        _, first = self.run(1)
        _, second = self.run(1)
        expected = math.log(c.vocabulary_size)
        if not (abs(first - expected) < 1 and second < first):
            raise ValueError(f"losses {first}, {second}; expected about {expected}, falling")

    def run(self, steps: int) -> tuple[float, float]:
        """(seconds, loss of the last step)."""
        begin = time.perf_counter()
        self.state, losses, _ = self.program.steps(self.state, self.tokens, self.targets, steps)
        loss = float(losses[-1])  # waits
        jax.block_until_ready(self.state)
        return time.perf_counter() - begin, loss


class Server(StepServer):
    """JAX's trainers, and checks of them."""

    commands = "run MODE N, prepare MODE, check MODE FILE, drop MODE, memory MODE or quit"

    def __init__(self, options: argparse.Namespace, output: TextIO) -> None:
        super().__init__(options.shape_json, options.modes.split(","), output)
        self.options = options
        self.checked: set[str] = set()

    def check(self, mode: str) -> None:
        """Compares the small models of this architecture with the fixtures, once for each mode."""
        if mode in self.checked:
            return
        architecture = self.shape.get("architecture", "decoder")
        for name in [name for name in CASES if name.startswith(architecture)]:
            path = self.options.fixtures / name
            description = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
            compare(description, read_tensors(path.with_suffix(".safetensors")), mode)
        self.checked.add(mode)

    def make(self, mode: str) -> Trainer:
        """A new trainer of the mode, which was checked."""
        self.check(mode)
        return Trainer(self.shape, mode)

    def prepared(self, trainer: Trainer) -> dict[str, Any]:
        """Times of tracing and compiling, and XLA's own numbers."""
        program = trainer.program
        return {
            "trace_seconds": program.trace_seconds,
            "compile_seconds": program.compile_seconds,
            "analysis": program.analysis(),
        }

    def handle(self, words: list[str]) -> dict[str, Any]:
        """Carries out one command and returns its answer."""
        match words:
            case ["check", mode, path] if mode in ALL_MODES:
                shape = {**self.shape, "name": path}
                return {"checked": mode, **compare(shape, read_tensors(path), mode)}
            case _:
                return super().handle(words)

    def memory(self, mode: str) -> dict[str, Any]:
        """The peak of this process, or of the GPU, after three steps and nothing else."""
        baseline = peak_bytes()
        trainer = Trainer(self.shape, mode)
        trainer.run(1)
        peak = peak_bytes()
        if statistics := jax.devices()[0].memory_stats():
            baseline, peak = 0, statistics["peak_bytes_in_use"]
        return {
            "memory": mode,
            "baseline_bytes": baseline,
            "peak_bytes": peak,
            "analysis": trainer.program.analysis(),
        }

    def start(self, commands: TextIO) -> None:
        """Says what there is and answers."""
        device = jax.devices()[0]
        hello = {
            "peer": "JAX",
            "version": jax.__version__,
            "platform": device.client.platform_version,
            "device": device.device_kind,
            "threads": self.options.threads,
            "modes": self.modes,
            "skipped": {},
        }
        self.serve(commands, hello)


def main() -> None:
    """Serves, or measures the memory of one mode."""
    output = private_output()
    if OPTIONS.plugin:
        use_plugin(OPTIONS.plugin)
    server = Server(OPTIONS, output)
    if OPTIONS.memory_of is None:
        server.start(sys.stdin)
    else:
        server.answer(server.memory(OPTIONS.memory_of))


if __name__ == "__main__":
    main()
