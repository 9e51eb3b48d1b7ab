# Copyright (c) 2026 The Assay Authors
# SPDX-License-Identifier: Apache-2.0
"""How the speedrun records train: schedule, Adam, NorMuon, cadence, pauses, the late untie.

As plain as `speedrun_model.py`, which it trains. A record is a `Recipe`; `A`, `B` and `C` are the
published ones, and the fixtures scale them down by other step counts alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from speedrun_model import (
    Options,
    Settings,
    Shape,
    base_frequencies,
    evaluation_loss,
    forward,
    parameter_shapes,
    training_loss,
    yarn,
)

POLAR_EXPRESS = (
    (8.156554524902461, -22.48329292557795, 15.878769915207462),
    (4.042929935166739, -2.808917465908714, 0.5000178451051316),
    (3.8916678022926607, -2.772484153217685, 0.5060648178503393),
    (3.285753657755655, -2.3681294933425376, 0.46449024233003106),
    (2.3465413258596377, -1.7097828382687081, 0.42323551169305323),
)
ADAM_RATE, ADAM_EPSILON, ADAM_DECAY = 0.008, 1e-8, 0.005
NORMUON_RATE, NORMUON_DECAY, NORMUON_BETA2 = 0.023, 1.2, 0.95
FLOOR = 1e-10
START_SCALE = 0.1


@dataclass(frozen=True)
class Recipe:
    """A record's training. Four stages: the thirds of the scheduled steps, and the extension."""

    name: str
    scheduled_steps: int  # N
    extension: int = 40
    block: int = 128  # tokens, the unit of windows
    window_blocks: tuple[int, ...] = (3, 7, 11, 13)
    final_window_blocks: int = 20  # of the last validation, without a change of YaRN
    batches: tuple[int, ...] = (131_072, 262_144, 393_216, 393_216)  # tokens, or sequences
    plateaus: tuple[float, float, float] = (1.0, 1.51, 1.93)
    decay_start: float = 0.45
    final_factor: float = 0.1
    momentum_warmup: int = 300
    momentum_cooldown: int = 50
    pause: int = 40  # steps after each transition in which scalars rest
    scalar_betas: tuple[float, float] = (0.9, 0.99)
    adam_betas: tuple[float, float] = (0.65, 0.95)
    smear_by_normuon: bool = False
    predicts_more: bool = False  # multi-token prediction
    unties: bool = False  # at ceil(2 N / 3)
    strict_caution: bool = False  # Adam decays where u p > 0, else where u p >= 0

    @property
    def steps(self) -> int:
        """All updates."""
        return self.scheduled_steps + self.extension

    @property
    def split_step(self) -> int:
        """The first step that looks up in embedding.weight."""
        return -(-2 * self.scheduled_steps // 3) if self.unties else self.steps


B = Recipe("B", 1960)
A = replace(
    B, name="A", scheduled_steps=1995, pause=0, scalar_betas=(0.65, 0.95), smear_by_normuon=True
)
C = replace(
    B, name="C", scheduled_steps=1880, plateaus=(1.0, 1.52, 1.73),
    predicts_more=True, unties=True, strict_caution=True,
)  # fmt: skip


# MARK: Schedule


@dataclass
class Row:
    """What a step is taken with."""

    step: int
    stage: int
    learning_rate_factor: float
    momentum: float
    window: int
    window_short: int
    batch: int
    frequencies: list[float]
    attention_scale: float
    prediction_weights: list[float]
    paused: bool  # the scalars
    adam_updates: bool
    untied: bool

    @property
    def settings(self) -> Settings:
        """What the model reads of it."""
        return Settings(self.frequencies, self.attention_scale, self.window, self.window_short)


def stage_of(recipe: Recipe, step: int) -> int:
    """0, 1, 2 by thirds of the scheduled steps, 3 in the extension."""
    if step >= recipe.scheduled_steps:
        return 3
    return math.floor(3 * (step / recipe.scheduled_steps))


def learning_rate_factor(recipe: Recipe, step: int) -> float:
    """eta: plateaus with strict borders, times a linear decay to a tenth."""
    x = step / recipe.scheduled_steps
    if x > 1:
        return recipe.final_factor
    plateau = recipe.plateaus[2 if x > 2 / 3 else 1 if x > 1 / 3 else 0]
    if x < recipe.decay_start:
        return plateau
    weight = (1 - x) / (1 - recipe.decay_start)
    return plateau * weight + recipe.final_factor * (1 - weight)


def muon_momentum(recipe: Recipe, step: int) -> float:
    """0.85 up to 0.95 over the warm-up, down again over the last steps."""
    cooldown_start = recipe.steps - recipe.momentum_cooldown
    if step >= cooldown_start:
        return 0.95 - 0.1 * (step - cooldown_start) / recipe.momentum_cooldown
    return 0.85 + 0.1 * min(step / recipe.momentum_warmup, 1)


def prediction_weights(recipe: Recipe, step: int) -> list[float]:
    """Of the next token, the one after it and the third; 0 is as good as none."""
    x = step / recipe.scheduled_steps
    if not recipe.predicts_more or x >= 2 / 3:
        return [1.0, 0.0, 0.0]
    return [1.0, 0.5, 0.25 * (1 - 3 * x)] if x < 1 / 3 else [1.0, 0.5 * (2 - 3 * x), 0.0]


def short_window(recipe: Recipe, blocks: int) -> int:
    """Half the long window, in whole blocks; in tokens."""
    return blocks // 2 * recipe.block


def schedule(recipe: Recipe, frequencies: list[float]) -> Iterator[Row]:
    """Every step's row; `frequencies` are those before the first change."""
    scale, counter = START_SCALE, 0
    before: tuple[int, int] | None = None
    for step in range(recipe.steps):
        stage = stage_of(recipe, step)
        window = recipe.window_blocks[stage] * recipe.block
        batch = recipe.batches[stage]
        if before is not None and before != (window, batch):
            counter = recipe.pause
            if window != before[0]:
                frequencies, scale = yarn(frequencies, scale, before[0], window)
        before = (window, batch)
        yield Row(
            step, stage, learning_rate_factor(recipe, step), muon_momentum(recipe, step),
            window, short_window(recipe, recipe.window_blocks[stage]), batch,
            frequencies, scale, prediction_weights(recipe, step),
            counter > 0, step % 2 == 1, step >= recipe.split_step,
        )  # fmt: skip
        counter = max(counter - 1, 0)


# MARK: Rules


def polar_express(u: Tensor, dtype: torch.dtype | None = None) -> Tensor:
    """Five odd polynomials that move the singular values of u [m, n] near 1."""
    x = u.to(dtype or u.dtype)
    is_tall = x.shape[-2] > x.shape[-1]
    if is_tall:
        x = x.mT
    x = x / (1.02 * x.norm() + 1e-6)
    for a, b, c in POLAR_EXPRESS:
        square = x @ x.mT
        x = a * x + (b * square + c * square @ square) @ x
    return (x.mT if is_tall else x).to(u.dtype)


def normalised_rows(v: Tensor, second: Tensor, beta2: float = NORMUON_BETA2) -> Tensor:
    """v [m, n] with even rows and the same norm; changes their mean squares `second` [m, 1]."""
    second.lerp_(v.square().mean(dim=-1, keepdim=True), 1 - beta2)
    evened = v / second.clamp(min=FLOOR).sqrt()
    return evened * (v.norm() / evened.norm().clamp(min=FLOOR))


def cautious_step(p: Tensor, v: Tensor, decay: float, rate: float) -> None:
    """p <- p - [v p >= 0] p decay rate - v rate."""
    p.sub_(torch.where(v * p >= 0, p * (decay * rate), 0) + v * rate)


@dataclass(frozen=True)
class NorMuon:
    """A matrix's update: `scale` times the common rate; `transposed` evens columns, not rows."""

    scale: float
    transposed: bool = False

    def start(self, p: Tensor) -> dict[str, Any]:
        rows = p.shape[1] if self.transposed else p.shape[0]
        return {"momentum": torch.zeros_like(p), "row_second_moment": p.new_zeros(rows, 1)}

    def step(
        self, p: Tensor, g: Tensor, state: dict[str, Any], factor: float, momentum: float,
        dtype: torch.dtype | None = None,
    ) -> None:  # fmt: skip
        m = state["momentum"]
        m.copy_(momentum * m + (1 - momentum) * g)
        v = polar_express((1 - momentum) * g + momentum * m, dtype)
        second = state["row_second_moment"]
        v = normalised_rows(v.mT, second).mT if self.transposed else normalised_rows(v, second)
        rate = NORMUON_RATE * factor
        cautious_step(p, v, NORMUON_DECAY * rate, rate * self.scale)


@dataclass(frozen=True)
class Adam:
    """Epsilon before the correction of the bias; cautious decay quadratic in the rate."""

    rate: float
    betas: tuple[float, float]
    decay: float = 0.0
    is_strict: bool = False

    def start(self, p: Tensor) -> dict[str, Any]:
        return {
            "first_moment": torch.zeros_like(p), "second_moment": torch.zeros_like(p), "updates": 0
        }  # fmt: skip

    def step(self, p: Tensor, g: Tensor, state: dict[str, Any], factor: float) -> None:
        (b1, b2), m, v = self.betas, state["first_moment"], state["second_moment"]
        state["updates"] += 1
        t = state["updates"]
        m.copy_(b1 * m + (1 - b1) * g)
        v.copy_(b2 * v + (1 - b2) * g * g)
        rate = self.rate * factor
        corrected = rate * math.sqrt(1 - b2**t) / (1 - b1**t)
        u = corrected * (m / (v.sqrt() + ADAM_EPSILON))
        mask = u * p > 0 if self.is_strict else u * p >= 0
        p.sub_(u + torch.where(mask, p * (rate**2 * self.decay), 0))


SCALARS = ("residual_lambdas", "attention_lambdas", "smear.lambda", "skip.lambda", "backout.lambda")


def rule(name: str, p: Tensor, recipe: Recipe) -> NorMuon | Adam:
    """What updates a parameter."""
    main = {"betas": recipe.adam_betas, "is_strict": recipe.strict_caution}
    if name in ("head.weight", "embedding.weight"):
        return Adam(ADAM_RATE, decay=ADAM_DECAY, **main)
    if name.startswith("value_embeddings."):
        return Adam(75 * ADAM_RATE, decay=ADAM_DECAY, **main)
    if name == "x0_lambdas":
        return Adam(5 * ADAM_RATE, **main)
    if name in SCALARS:
        return Adam(5 * ADAM_RATE, recipe.scalar_betas, is_strict=recipe.strict_caution)
    if name == "smear.gate.weight":
        return NorMuon(1.0) if recipe.smear_by_normuon else Adam(0.01 * ADAM_RATE, **main)
    if name.endswith("attention.gate.weight"):
        return NorMuon(1.0)
    if ".attention." in name:
        return NorMuon(2.0)  # query, key, value and output are stored as one [4 C, C]
    if name.endswith("mlp.in.weight"):
        return NorMuon(math.sqrt(p.shape[0] / p.shape[1]))
    # Stored transposed in the record, hence the evened axis; with a multiplier of 2.
    return NorMuon(2 * math.sqrt(p.shape[1] / p.shape[0]), transposed=True)


# MARK: Training


class Trainer:
    """A model in training. `losses`, `gradient_norms` and `parameter_norms` grow by the step."""

    def __init__(
        self, recipe: Recipe, shape: Shape, weights: Mapping[str, Tensor], loss_scale: float,
        dtype: torch.dtype, product_dtype: torch.dtype | None = None,
    ) -> None:  # fmt: skip
        self.recipe, self.shape, self.loss_scale = recipe, shape, loss_scale
        self.product_dtype = product_dtype
        self.options = Options(untied=recipe.unties)
        self.parameters = {
            name: weights[name].to(dtype).clone() for name in parameter_shapes(shape, self.options)
        }
        self.rules = {name: rule(name, p, recipe) for name, p in self.parameters.items()}
        self.states = {name: r.start(self.parameters[name]) for name, r in self.rules.items()}
        self.summed = {name: torch.zeros_like(p) for name, p in self.parameters.items()}
        self.losses: list[float] = []
        self.gradient_norms: list[list[float]] = []
        self.parameter_norms: list[list[float]] = []

    def step(self, row: Row, batch: Mapping[str, Tensor]) -> None:
        """One training step."""
        leaves = {name: p.clone().requires_grad_() for name, p in self.parameters.items()}
        options = replace(self.options, untied=row.untied)
        logits, _ = forward(leaves, batch, self.shape, options, row.settings)
        loss = training_loss(logits, batch["targets"], row.prediction_weights, self.loss_scale)
        found = torch.autograd.grad(loss, list(leaves.values()), allow_unused=True)
        gradients = {
            name: torch.zeros_like(p) if g is None else g
            for (name, p), g in zip(leaves.items(), found, strict=True)
        }
        self.losses.append(loss.item())
        self.gradient_norms.append([g.norm().item() for g in gradients.values()])
        for name, p in self.parameters.items():
            self.update(name, p, gradients[name], row)
        self.parameter_norms.append([p.norm().item() for p in self.parameters.values()])
        if self.recipe.unties and row.step + 1 == self.recipe.split_step:
            self.parameters["embedding.weight"].copy_(self.parameters["head.weight"])
            for key, value in self.states["head.weight"].items():
                copied = value.clone() if isinstance(value, Tensor) else value
                self.states["embedding.weight"][key] = copied

    def update(self, name: str, p: Tensor, g: Tensor, row: Row) -> None:
        """A parameter's part of a step."""
        match self.rules[name]:
            case NorMuon() as method:
                method.step(
                    p, g, self.states[name], row.learning_rate_factor, row.momentum,
                    self.product_dtype,
                )  # fmt: skip
            case Adam() as method:
                if name == "embedding.weight" and not row.untied:
                    return
                self.summed[name] += g
                is_paused = row.paused and name in SCALARS
                if row.adam_updates and not is_paused:
                    method.step(p, self.summed[name], self.states[name], row.learning_rate_factor)
                if row.adam_updates or is_paused:
                    self.summed[name].zero_()

    def validate(self, settings: Settings, batch: Mapping[str, Tensor]) -> float:
        """The mean next-token loss."""
        logits, _ = forward(
            self.parameters, batch, self.shape, self.options, settings, training=False
        )
        return evaluation_loss(logits, batch["targets"]).item()


def frequencies_of(shape: Shape) -> list[float]:
    """Before the first change of the window."""
    return base_frequencies(shape.head_width, half_truncated=True)
