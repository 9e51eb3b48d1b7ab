# Copyright (c) 2026 The Assay Authors
# SPDX-License-Identifier: Apache-2.0
"""The measurements of `gpu-check.sh`: correctness first, then speed and memory beside PyTorch and JAX.

    python gpu_check.py --assay FILE --device xla:cuda --jax-python PYTHON --torch-python PYTHON
        [--quick] [--shapes S,P,M,150m] [--runs 1,2,4,8,16,32] [--no-peers] [--json FILE]

The table goes to standard output, progress to standard error, one JSON object to the file. The processes run one after
another, each alone on the device: a step of the largest shape takes most of its memory. Each first checks its own
numbers. A batch that does not fit is tried again in 2, 4, ... parts whose gradients are summed; the table says how many.

The status is 0 when Assay was right and ran everything; 1 otherwise. What a peer cannot do is an entry of the table.
All that is assumed about `assay` is in `Assay`, below.
"""

from __future__ import annotations

import argparse
import datetime
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gpu_report

HERE = Path(__file__).resolve().parent
PACKED = (HERE / "peers").is_dir()  # as gpu-bundle.sh lays it out, or the repository
PEERS = HERE / "peers" if PACKED else HERE.parent / "Benchmarks" / "peers"
FIXTURES = HERE / "fixtures" if PACKED else HERE.parent / "Tests" / "Fixtures" / "models"

# Dense bf16 products in TFLOP/s, from the manufacturer's data sheets; the first name that the device's contains counts.
BF16_PEAKS = (
    ("GH200", 989.0),
    ("H200 NVL", 835.0),
    ("H200", 989.0),
    ("H100 NVL", 835.0),
    ("H100 PCIe", 756.0),
    ("H100", 989.0),
    ("H800", 989.0),
    ("GB200", 2500.0),
    ("B200", 2250.0),
    ("B100", 1750.0),
    ("A100", 312.0),
    ("A800", 312.0),
    ("L40S", 362.0),
    ("L40", 181.0),
    ("L4", 121.0),
    ("A10G", 70.0),
    ("A10", 125.0),
    ("RTX 4090", 165.2),
    ("RTX 3090", 71.0),
)


@dataclass(frozen=True)
class Shape:
    """A decoder and its batch, in the words that `assay` has for its peers."""

    name: str
    values: dict[str, Any]

    def json(self, parts: int = 1) -> str:
        """The peers' `--shape-json`."""
        return json.dumps(self.values | {"micro_batches": parts})

    @property
    def operations(self) -> float:
        """Of a token in a training step: 6 a weight of the layers and the head, and causal attention's half of its square."""
        width, layers = self.values["width"], self.values["layers"]
        weights = 12 * width**2 * layers + self.values["vocabulary_size"] * width
        return 6 * weights + 6 * self.values["context_length"] * width * layers


class Failure(Exception):
    """What went wrong, in a line."""


def out_of_memory(text: str) -> bool:
    """Whether an error says that memory is short."""
    text = text.lower()
    return "out of memory" in text or "resource_exhausted" in text or "resource exhausted" in text


class Assay:
    """The executable, and all that is assumed about its commands."""

    def __init__(self, executable: str, device: str, rounds: int, seconds: float) -> None:
        self.executable = executable
        self.device = device
        self.pace = ["--rounds", str(rounds), "--seconds", str(seconds)]
        self.steps = 3 if rounds == 1 else 50  # of runs that share a program

    def run(self, *arguments: str, time_limit: float = 1800) -> str:
        """Standard output; `Failure` with the last line of what it said otherwise."""
        try:
            process = subprocess.run(
                [self.executable, *arguments],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=time_limit,
                check=False,
                # Compiling is timed: nothing comes out of a cache.
                env=os.environ | {"ASSAY_CACHE": "off"},
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Failure(str(error)) from error
        if process.returncode != 0:
            raise Failure(process.stderr.strip() or f"status {process.returncode}")
        return process.stdout

    def version(self) -> str:
        """As it says itself."""
        return self.run("--version").strip()

    def shapes(self) -> dict[str, Shape]:
        """Every model that it can measure."""
        return {name: Shape(name, values) for name, values in json.loads(self.run("bench", "shapes")).items()}

    def check(self, shape: Shape, steps: str | None = None) -> dict[str, Any]:
        """Steps on the device against the CPU runtime, or against those of a file; fails where they differ."""
        command = ["bench", "step", "--device", self.device, "--shape", shape.name, "--check", "--json"]
        return json.loads(self.run(*command, *(["--steps-from", steps] if steps else [])))

    def step(self, shape: Shape, mode: str, parts: int) -> dict[str, Any]:
        """Speed and peak memory of one precision."""
        command = ["bench", "step", "--device", self.device, "--alone", "--shape", shape.name, "--json"]
        command += ["--precision", mode, "--micro-batches", str(parts), *self.pace]
        return self.result(json.loads(self.run(*command)), mode)

    def batched(self, shape: Shape, mode: str, runs: int) -> dict[str, Any]:
        """Speed of many runs in one program, all runs' tokens counted; each run was compared with itself alone."""
        command = ["bench", "runs", "--device", self.device, "--shape", shape.name, "--json"]
        command += ["--precision", mode, "--counts", str(runs), "--rounds", self.pace[1], "--steps", str(self.steps)]
        row = json.loads(self.run(*command))["results"][0]
        return {
            "tokens_per_second": row["tokens_per_second"]["median"],
            "peak_bytes": row.get("peak_bytes"),
            "compile_seconds": row["compile_seconds"],
        }

    @staticmethod
    def result(report: dict[str, Any], mode: str) -> dict[str, Any]:
        """Assay's entry of a report of `bench step`."""
        for entry in report["results"]:
            if entry["name"].startswith("assay") and entry["precision"] == mode:
                return {
                    "tokens_per_second": entry["tokens_per_second"]["median"],
                    "peak_bytes": entry.get("peak_bytes"),
                    "compile_seconds": entry.get("compile_seconds"),
                }
        raise Failure(f"the report of 'bench step' has no entry of assay in {mode}")


class Peer:
    """A peer's process, told line by line what to run."""

    def __init__(self, python: str, script: str, shape: Shape, parts: int, options: list[str]) -> None:
        command = [python, str(PEERS / script), "--shape-json", shape.json(parts), *options]
        self.log = tempfile.TemporaryFile(mode="w+", encoding="utf-8", errors="replace")
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True
        )
        self.hello = self.read()

    def read(self) -> dict[str, Any]:
        """The next answer."""
        line = self.process.stdout.readline()
        if not line:
            self.log.seek(0)
            said = self.log.read().strip().splitlines()
            raise Failure("ended early: " + (said[-1] if said else "it says nothing"))
        answer = json.loads(line)
        if "error" in answer:
            raise Failure(answer["error"])
        return answer

    def ask(self, command: str) -> dict[str, Any]:
        """Sends a line and reads the answer."""
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return self.read()

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.process.communicate("quit\n", timeout=60)
        except (OSError, ValueError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        self.log.close()


class Check:
    """The whole of it."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.rounds, self.seconds = (1, 0.3) if options.quick else (5, 2.0)
        self.assay = Assay(options.assay, options.device, self.rounds, self.seconds)
        self.backend = "cuda" if options.device == "xla:cuda" else "cpu"
        self.rows: list[dict[str, Any]] = []
        self.batched: list[dict[str, Any]] = []
        self.correctness: dict[str, Any] = {}
        self.versions: dict[str, str] = {}
        self.right = True
        self.shapes = self.assay.shapes()

    def say(self, text: str) -> None:
        """Progress."""
        print(text, file=sys.stderr, flush=True)

    def device_facts(self) -> dict[str, Any]:
        """Name, driver and memory of the first device."""
        if self.backend == "cpu":
            return {"name": "cpu", "cores": os.cpu_count(), "bf16_peak": None}
        fields = ("name", "driver_version", "memory.total", "clocks.max.sm", "power.limit")
        query = ["nvidia-smi", f"--query-gpu={','.join(fields)}", "--format=csv,noheader"]
        line = subprocess.run(query, capture_output=True, text=True, check=True).stdout.splitlines()[0]
        facts: dict[str, Any] = dict(zip(fields, (part.strip() for part in line.split(",")), strict=True))
        peaks = [peak for name, peak in BF16_PEAKS if name in facts["name"]]
        facts["bf16_peak"] = peaks[0] * 1e12 if peaks else None
        return facts

    # MARK: Correctness

    def check_assay(self) -> None:
        """S on the device; nothing is measured where this fails."""
        self.versions["assay"] = self.assay.version()
        self.note("assay", self.assay.check, self.shapes["S"])

    def check_peers(self) -> None:
        """PyTorch's steps of S on the CPU, repeated by Assay on the device and by JAX, from the same weights."""
        with tempfile.TemporaryDirectory() as folder:
            path = f"{folder}/steps.safetensors"
            self.note("assay beside pytorch", self.check_beside_pytorch, path)
            if not Path(path).exists():
                return
            with Peer(self.options.jax_python, "jax_step.py", self.shapes["S"], 1, self.peer_options("jax")) as peer:
                for mode in self.options.modes:
                    self.correctness[f"jax {mode}"] = peer.ask(f"check {mode} {path}")

    def check_beside_pytorch(self, path: str) -> dict[str, Any]:
        """Has PyTorch write its steps, and Assay repeat them."""
        shape = self.shapes["S"]
        command = [self.options.torch_python, str(PEERS / "step_check.py"), "--shape-json", shape.json(), "--output", path]
        process = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if process.returncode != 0:
            raise Failure(process.stderr.strip() or f"step_check.py: status {process.returncode}")
        return self.assay.check(shape, path)

    def note(self, name: str, check: Callable[..., dict[str, Any]], *arguments: Any) -> None:
        """What a check of Assay finds."""
        try:
            self.correctness[name] = check(*arguments)
        except (Failure, OSError, ValueError, KeyError) as error:
            self.correctness[name] = {"error": str(error)}
            self.right = False

    # MARK: Speed

    def peer_options(self, library: str) -> list[str]:
        """How a peer finds the device."""
        options = ["--device", self.backend]
        return options + ["--fixtures", str(FIXTURES)] if library == "jax" else options

    def peer_speed(self, library: str, shape: Shape, mode: str, parts: int) -> dict[str, Any]:
        """Speed and peak memory of a peer, in a process that does nothing else."""
        python, script = {
            "jax": (self.options.jax_python, "jax_step.py"),
            "pytorch": (self.options.torch_python, "pytorch_step.py"),
        }[library]
        with Peer(python, script, shape, parts, self.peer_options(library)) as peer:
            self.versions[library] = peer.hello["version"]
            ready = peer.ask(f"prepare {mode}")
            speeds = []
            for _ in range(self.rounds):
                # A step that does not count, as Assay takes one.
                once = peer.ask(f"run {mode} 1")["seconds"]
                steps = max(1, math.floor(self.seconds / once))
                run = peer.ask(f"run {mode} {steps}")
                speeds.append(run["tokens"] / run["seconds"])
            if not math.isfinite(run["loss"]):
                raise Failure(f"the loss is {run['loss']}")
        # Only now: a second process on the device would take its memory from the first.
        with Peer(python, script, shape, parts, [*self.peer_options(library), "--memory-of", mode]) as peer:
            memory = peer.hello
        return {
            "tokens_per_second": statistics.median(speeds),
            "peak_bytes": self.peak_bytes(memory),
            "compile_seconds": ready.get("compile_seconds", ready["seconds"]),
        }

    def peak_bytes(self, memory: dict[str, Any]) -> int:
        """Of the device; processors do not count, and there it is what XLA planned, as it is for Assay."""
        planned = memory.get("analysis")
        if self.backend == "cuda" or not planned:
            return memory["peak_bytes"]
        total = sum(planned[part] for part in ("arguments", "outputs", "temporary", "code"))
        return total - planned["aliased"]

    def subjects(self, mode: str) -> list[tuple[str, str]]:
        """(who, in which of its modes) for one precision."""
        subjects = [("assay", mode)]
        if not self.options.no_peers:
            subjects += [("pytorch", mode), ("jax", mode)]
            if not self.options.quick:
                subjects.insert(2, ("pytorch", f"{mode}-compiled"))
        return subjects

    def measure(self, shape: Shape, who: str, mode: str) -> dict[str, Any]:
        """One row: in as few parts of the batch as fit."""
        row: dict[str, Any] = {"shape": shape.name, "subject": who, "mode": mode}
        parts = 1
        while True:
            try:
                if who == "assay":
                    found = self.assay.step(shape, mode, parts)
                else:
                    found = self.peer_speed(who, shape, mode, parts)
                return row | found | {"micro_batches": parts}
            except (Failure, ValueError, KeyError, subprocess.SubprocessError) as error:
                if out_of_memory(str(error)) and parts < min(64, shape.values["sequences"]):
                    parts *= 2
                    self.say(f"  does not fit; in {parts} parts")
                    continue
                return row | {"error": f"{error}", "micro_batches": parts}

    def run(self) -> int:
        """Everything; returns the status."""
        facts = self.device_facts()
        self.say(f"device: {facts['name']}")
        self.say("correctness of S")
        self.check_assay()
        if not self.options.no_peers:
            try:
                self.check_peers()
            except (Failure, OSError, subprocess.SubprocessError) as error:
                self.correctness["jax"] = {"error": str(error)}
        for name in self.options.shapes:
            shape = self.shapes[name]
            for mode in self.options.modes:
                for who, own in self.subjects(mode):
                    if who == "assay" and not self.right:
                        continue
                    self.say(f"{name}: {who} {own}")
                    row = self.measure(shape, who, own)
                    if "tokens_per_second" in row and own.startswith("bf16") and facts["bf16_peak"]:
                        achieved = row["tokens_per_second"] * shape.operations
                        row["fraction_of_peak"] = achieved / facts["bf16_peak"]
                    self.right = self.right and not (who == "assay" and "error" in row)
                    self.rows.append(row)
        for runs in self.options.runs if self.right else []:
            shape = self.shapes["S" if self.options.quick else "10m"]
            self.say(f"{shape.name}: {runs} runs in one program")
            row = {"shape": shape.name, "runs": runs}
            try:
                row |= self.assay.batched(shape, self.options.modes[-1], runs)
            except (Failure, ValueError, KeyError) as error:
                row["error"] = str(error)
                self.right = self.right and out_of_memory(row["error"])
            self.batched.append(row)
        print(gpu_report.table(self.correctness, self.rows, self.batched))
        report = {
            "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
            "device": facts,
            "versions": self.versions,
            "quick": self.options.quick,
            "correctness": self.correctness,
            "results": self.rows,
            "batched": self.batched,
            "right": self.right,
        }
        Path(self.options.json).write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
        self.say(f"written: {self.options.json}")
        return 0 if self.right else 1


def main() -> None:
    """Reads the options and runs the check."""
    parser = argparse.ArgumentParser(description="Assay on a GPU, beside PyTorch and JAX")
    parser.add_argument("--assay", required=True, metavar="FILE")
    parser.add_argument("--device", default="xla:cuda", choices=("xla:cuda", "xla:cpu"))
    parser.add_argument("--jax-python", metavar="PYTHON")
    parser.add_argument("--torch-python", metavar="PYTHON")
    parser.add_argument("--no-peers", action="store_true", help="Assay alone")
    parser.add_argument("--quick", action="store_true", help="S only, one short measurement each")
    parser.add_argument("--shapes", help="of those that 'assay bench shapes' knows; S,P,M,150m")
    parser.add_argument("--modes", default="fp32,bf16")
    parser.add_argument("--runs", help="runs in one program; 1,2,4,8,16,32")
    parser.add_argument("--json", default="gpu-check.json", metavar="FILE")
    options = parser.parse_args()
    options.shapes = (options.shapes or ("S" if options.quick else "S,P,M,150m")).split(",")
    options.modes = options.modes.split(",")
    if unknown := [mode for mode in options.modes if mode not in ("fp32", "bf16")]:
        parser.error(f"unknown modes {', '.join(unknown)}; use fp32, bf16")
    options.runs = [int(runs) for runs in (options.runs or ("1,2" if options.quick else "1,2,4,8,16,32")).split(",")]
    if not options.no_peers and not (options.jax_python and options.torch_python):
        parser.error("name --jax-python and --torch-python, or say --no-peers")
    try:
        check = Check(options)
    except (Failure, ValueError) as error:
        parser.error(f"{options.assay} does not tell its shapes: {error}")
    if unknown := [name for name in options.shapes if name not in check.shapes]:
        parser.error(f"unknown shapes {', '.join(unknown)}; use {', '.join(check.shapes)}")
    sys.exit(check.run())


if __name__ == "__main__":
    main()
