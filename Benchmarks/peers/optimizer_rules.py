# Copyright (c) 2026 The Assay Authors
# SPDX-License-Identifier: Apache-2.0
"""Optimizers as PyTorch functions that torch.compile can fuse: one function of one tensor each.

A rule changes a weight w [m, n] or [n] and its state in place, given the gradient g and the numbers
k of this step, which are 0-d tensors so that no step compiles anew. Constants are the defaults that
are compared; decay `1 - lr wd` is 1 for gains. The equations are those of the papers, as Assay's
own methods have them; `pytorch_optimizers.py` checks one against the other before it times any.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

State = dict[str, Tensor]
Numbers = Mapping[str, Tensor]
LEARNING_RATE = 1e-3
WEIGHT_DECAY = 0.1
BETA1, BETA2 = 0.9, 0.95
EPSILON = 1e-8


@dataclass(frozen=True)
class Slot:
    """A parameter and what it does: embedding, head, gain, query, key, value, output, in, out."""

    name: str
    role: str
    weight: Tensor
    heads: int = 1

    @property
    def is_matrix(self) -> bool:
        """Whether it has two axes."""
        return self.weight.dim() == 2

    @property
    def is_hidden(self) -> bool:
        """A matrix between two hidden widths."""
        return self.is_matrix and self.role not in ("embedding", "head")


@dataclass(frozen=True)
class Rule:
    """How a tensor of some kind is updated."""

    start: Callable[[Slot], State]
    step: Callable[[Tensor, Tensor, State, Numbers], None]
    # The numbers of update t = 1, 2, ... beside lr and decay.
    host: Callable[[int], dict[str, float]] = field(default=lambda t: {})


def zeros(*names: str) -> Callable[[Slot], State]:
    """State tensors like the weight."""
    return lambda slot: {name: torch.zeros_like(slot.weight) for name in names}


def corrections(t: int, beta1: float = BETA1, beta2: float = BETA2) -> dict[str, float]:
    """1 - beta^t."""
    return {"c1": 1 - beta1**t, "c2": 1 - beta2**t}


def average(state: Tensor, value: Tensor, beta: float) -> Tensor:
    """state = beta state + (1 - beta) value."""
    return state.mul_(beta).add_(value, alpha=1 - beta)


def moved(w: Tensor, u: Tensor, k: Numbers) -> None:
    """w = decay w - lr u."""
    w.copy_(w * k["decay"] - k["lr"] * u)


# MARK: Element by element


def sgd(w, g, s, k):
    """Heavy ball, without decay."""
    w.sub_(k["lr"] * s["b"].mul_(0.9).add_(g))


def adamw(w, g, s, k):
    """Adam with decoupled decay."""
    m, v = average(s["m"], g, BETA1), average(s["v"], g * g, BETA2)
    moved(w, m / k["c1"] / ((v / k["c2"]).sqrt() + EPSILON), k)


def nadamw(w, g, s, k):
    """The form of torch.optim.NAdam."""
    m, v = average(s["m"], g, BETA1), average(s["v"], g * g, BETA2)
    moved(w, (k["of_g"] * g + k["of_m"] * m) / ((v / k["c2"]).sqrt() + EPSILON), k)


class NAdamNumbers:
    """mu_t = beta1 (1 - 0.96^(0.004 t) / 2), and their running product."""

    def __call__(self, t: int) -> dict[str, float]:
        def mu(step: int) -> float:
            return BETA1 * (1 - 0.5 * 0.96 ** (0.004 * step))

        product = math.prod(mu(step) for step in range(1, t + 1))
        return {
            **corrections(t),
            "of_g": (1 - mu(t)) / (1 - product),
            "of_m": mu(t + 1) / (1 - product * mu(t + 1)),
        }


def lion(w, g, s, k):
    """Signs of a blend."""
    u = (0.9 * s["m"] + 0.1 * g).sign()
    average(s["m"], g, 0.99)
    moved(w, u, k)


def signum(w, g, s, k):
    """Signs of an average."""
    moved(w, average(s["m"], g, BETA1).sign(), k)


def sophia(w, g, s, k):
    """Clipped ratio; the curvature is fed elsewhere."""
    m = average(s["m"], g, 0.965)
    moved(w, (m / (k["rho"] * s["h"] + 1e-15)).clamp(-1, 1), k)


def ademamix(w, g, s, k):
    """Two averages."""
    m, v = average(s["m"], g, BETA1), average(s["v"], g * g, 0.999)
    slow = average(s["slow"], g, 0.9999)
    moved(w, (m / k["c1"] + 5 * slow) / ((v / k["c2"]).sqrt() + EPSILON), k)


def adopt(w, g, s, k):
    """Divided by the second moment of before; at the first step clip and decay change nothing."""
    normalized = (g / s["v"].sqrt().clamp(min=1e-6)).clamp(-k["clip"], k["clip"])
    moved(w, average(s["m"], normalized, BETA1), k)
    s["v"].copy_(k["b2"] * s["v"] + (1 - k["b2"]) * g * g)


def adopt_numbers(t: int) -> dict[str, float]:
    """The first step starts v and nothing else."""
    first = {"clip": 0.0, "b2": 0.0, "decay": 1.0}
    return first if t == 1 else {"clip": (t - 1) ** 0.25, "b2": 0.9999}


def mars(w, g, s, k):
    """AdamW on the corrected gradient, clipped to norm 1."""
    c = g + 0.025 * 0.95 / 0.05 * (g - s["last"])
    c = c / c.square().sum().sqrt().clamp(min=1)
    s["last"].copy_(g)
    m, v = average(s["m"], c, 0.95), average(s["v"], c * c, 0.99)
    moved(w, m / k["c1"] / ((v / k["c2"]).sqrt() + EPSILON), k)


def mars_plain(w, g, s, k):
    """AdamW with the same betas."""
    m, v = average(s["m"], g, 0.95), average(s["v"], g * g, 0.99)
    moved(w, m / k["c1"] / ((v / k["c2"]).sqrt() + EPSILON), k)


def lamb(w, g, s, k):
    """As long as the tensor itself."""
    m, v = average(s["m"], g, BETA1), average(s["v"], g * g, 0.999)
    r = m / k["c1"] / ((v / k["c2"]).sqrt() + 1e-6) + k["wd"] * w
    size, length = w.square().sum().sqrt(), r.square().sum().sqrt()
    trust = torch.where((size > 0) & (length > 0), size / length, torch.ones_like(size))
    w.copy_(w - k["lr"] * trust * r)


def schedule_free(adaptive: bool):
    """y in place of the weight, z beside it."""

    def step(w, g, s, k):
        u = g
        if adaptive:
            v = average(s["v"], g * g, BETA2)
            u = g / ((v / k["c2"]).sqrt() + EPSILON)
        u = u + k["wd"] * w
        z = s["z"]
        w.copy_(w + k["share"] * (z - w) - k["lr"] * (1 - 0.9 * (1 - k["share"])) * u)
        z.sub_(k["lr"] * u)

    return step


# MARK: Factored and blockwise


def factored_moment(s: State, q: Tensor, b2: Tensor | float) -> Tensor:
    """R C / mean(R) of matrices, V of vectors."""
    if "row" not in s:
        s["v"].copy_(b2 * s["v"] + (1 - b2) * q)
        return s["v"]
    s["row"].copy_(b2 * s["row"] + (1 - b2) * q.mean(1, keepdim=True))
    s["column"].copy_(b2 * s["column"] + (1 - b2) * q.mean(0, keepdim=True))
    return s["row"] * s["column"] / s["row"].mean()


def factored_state(slot: Slot) -> State:
    """The momentum, and row and column or all."""
    w = slot.weight
    state = {"m": torch.zeros_like(w)}
    if slot.is_matrix:
        return state | {"row": w.new_zeros(w.shape[0], 1), "column": w.new_zeros(1, w.shape[1])}
    return state | {"v": torch.zeros_like(w)}


def bf16_factored_state(slot: Slot) -> State:
    """The same with a momentum in bf16."""
    state = factored_state(slot)
    return state | {"m": state["m"].bfloat16()}


def adafactor_adam(w, g, s, k):
    """Adam with a factored second moment."""
    v = factored_moment(s, g * g, BETA2) / k["c2"]
    moved(w, average(s["m"], g, BETA1) / k["c1"] / (v.sqrt() + 1e-15), k)


def adafactor_bv(w, g, s, k):
    """Big Vision's: a bf16 average of the preconditioned gradient."""
    u = g * factored_moment(s, g * g + 1e-30, k["b2"]).rsqrt()
    m = 0.9 * s["m"].float() + 0.1 * u
    s["m"].copy_(m)
    moved(w, m, k)


def adafactor_2018(w, g, s, k):
    """Relative to the weight's size."""
    u = g * factored_moment(s, g * g + 1e-30, k["b2"]).rsqrt()
    u = u / u.square().mean().sqrt().clamp(min=1)
    moved(w, u * w.square().mean().sqrt().clamp(min=1e-3), k)


def rising(cap: float) -> Callable[[int], dict[str, float]]:
    """min(cap, 1 - t^-0.8)."""
    return lambda t: {"b2": min(cap, 1 - t**-0.8)}


def block_shape(slot: Slot) -> tuple[int, ...]:
    """Adam-mini's blocks: heads of query and key, rows of other matrices, else all."""
    if slot.role in ("query", "key"):
        return (slot.heads, 1)
    return (slot.weight.shape[0], 1) if slot.is_matrix else (1, 1)


def blockwise(blocks: int):
    """Adam with one second moment for each of so many blocks of rows."""

    def step(w, g, s, k):
        v = average(s["v"], (g * g).view(blocks, -1).mean(1, keepdim=True), BETA2)
        rate = 1 / (k["c1"] * ((v / k["c2"]).sqrt() + EPSILON))
        m = average(s["m"], g, BETA1)
        moved(w, (m.view(blocks, -1) * rate).view(w.shape), k)

    return step


def adam_mini(slot: Slot) -> Rule:
    """Blocks by the role."""
    shape = block_shape(slot)

    def start(slot: Slot) -> State:
        return {"m": torch.zeros_like(slot.weight), "v": slot.weight.new_zeros(shape)}

    return Rule(start, blockwise(shape[0]), corrections)


def adalayer(rows_of_head: bool) -> Callable[[Slot], Rule]:
    """One second moment for each tensor, or for each row of the head."""

    def rule(slot: Slot) -> Rule:
        blocks = slot.weight.shape[0] if rows_of_head and slot.role == "head" else 1

        def start(slot: Slot) -> State:
            return {"m": torch.zeros_like(slot.weight), "v": slot.weight.new_zeros(blocks, 1)}

        return Rule(start, blockwise(blocks), corrections)

    return rule


def same(rule: Rule) -> Callable[[Slot], Rule]:
    """One rule for every tensor."""
    return lambda slot: rule


def schedule_free_start(adaptive: bool) -> Callable[[Slot], State]:
    """z starts as the weight."""

    def start(slot: Slot) -> State:
        more = {"v": torch.zeros_like(slot.weight)} if adaptive else {}
        return {"z": slot.weight.detach().clone()} | more

    return start


def slow_corrections(t: int) -> dict[str, float]:
    """With beta2 0.999."""
    return corrections(t, BETA1, 0.999)


def mars_corrections(t: int) -> dict[str, float]:
    """With MARS's betas."""
    return corrections(t, 0.95, 0.99)


MARS = Rule(zeros("m", "v", "last"), mars, mars_corrections)
MARS_PLAIN = Rule(zeros("m", "v"), mars_plain, mars_corrections)

RULES: dict[str, Callable[[Slot], Rule]] = {
    "sgd": same(Rule(zeros("b"), sgd)),
    "adamw": same(Rule(zeros("m", "v"), adamw, corrections)),
    "nadamw": same(Rule(zeros("m", "v"), nadamw, NAdamNumbers())),
    "lion": same(Rule(zeros("m"), lion)),
    "signum": same(Rule(zeros("m"), signum)),
    # rho times the tokens of a batch.
    "sophia-g": same(Rule(zeros("m", "h"), sophia, lambda t: {"rho": 0.04 * 4096})),
    "adafactor-adam": same(Rule(factored_state, adafactor_adam, corrections)),
    "adafactor-bv": same(Rule(bf16_factored_state, adafactor_bv, rising(0.999))),
    "adafactor-2018": same(Rule(factored_state, adafactor_2018, rising(1.0))),
    "adalayer": adalayer(rows_of_head=False),
    "adalayer-star": adalayer(rows_of_head=True),
    "schedule-free-adamw": same(
        Rule(
            schedule_free_start(adaptive=True),
            schedule_free(adaptive=True),
            lambda t: {**corrections(t), "share": 1 / t},
        )
    ),
    "schedule-free-sgd": same(
        Rule(
            schedule_free_start(adaptive=False),
            schedule_free(adaptive=False),
            lambda t: {"share": 1 / t},
        )
    ),
    "ademamix": same(Rule(zeros("m", "v", "slow"), ademamix, slow_corrections)),
    "adopt": same(Rule(zeros("m", "v"), adopt, adopt_numbers)),
    "mars-adamw": lambda slot: MARS if slot.is_hidden or slot.role == "head" else MARS_PLAIN,
    "adam-mini": adam_mini,
    "lamb": same(Rule(zeros("m", "v"), lamb, slow_corrections)),
}
