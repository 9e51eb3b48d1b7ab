# Copyright (c) 2026 The Assay Authors
# SPDX-License-Identifier: Apache-2.0
"""The table of `gpu_check.py`, in Markdown."""

from __future__ import annotations

from typing import Any


def row(*cells: object) -> str:
    """One line of a table."""
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def head(*names: str) -> list[str]:
    """An empty line and the head of a table."""
    return ["", row(*names), "|" + "---|" * len(names)]


def table(correctness: dict[str, Any], rows: list[dict[str, Any]], batched: list[dict[str, Any]]) -> str:
    """Three tables: what was right, speed and memory of every subject, many runs in one program."""
    lines = head("correctness of S", "")
    for name, found in correctness.items():
        lines.append(row(name, f"FAILED: {last_line(found['error'])}" if "error" in found else "right"))

    lines += head("shape", "mode", "tokens/s", "of bf16 peak", "peak memory", "compiled in", "parts")
    for one in rows:
        mode = f"{one['subject']} {one['mode']}"
        if "error" in one:
            why = f"not measured: {last_line(one['error'])}"
            lines.append(row(one["shape"], mode, why, "", "", "", one["micro_batches"]))
            continue
        share = f"{one['fraction_of_peak']:.1%}" if "fraction_of_peak" in one else ""
        speed, compiled = f"{one['tokens_per_second']:,.0f}", duration(one["compile_seconds"])
        memory = size(one["peak_bytes"])
        lines.append(row(one["shape"], mode, speed, share, memory, compiled, one["micro_batches"]))

    if batched:
        lines += head("runs in one program", "shape", "tokens/s of all", "over one run", "peak memory")
    alone = batched[0].get("tokens_per_second") if batched else None
    for one in batched:
        if "error" in one:
            lines.append(row(one["runs"], one["shape"], f"not measured: {last_line(one['error'])}", "", ""))
            continue
        gain = f"{one['tokens_per_second'] / alone:.2f}x" if alone else ""
        speed = f"{one['tokens_per_second']:,.0f}"
        lines.append(row(one["runs"], one["shape"], speed, gain, size(one["peak_bytes"])))
    return "\n".join(lines[1:])


def last_line(text: str) -> str:
    """The end of an error, short enough for a cell."""
    lines = text.strip().splitlines() or [""]
    return lines[-1][:120].replace("|", "/")


def size(count: float | None) -> str:
    """Bytes for people."""
    return "" if count is None else f"{count / 1e9:.2f} GB"


def duration(seconds: float | None) -> str:
    """Seconds for people."""
    return "" if seconds is None else f"{seconds:.1f} s"
