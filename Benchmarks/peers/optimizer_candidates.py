# Copyright (c) 2026 The Assay Authors
# SPDX-License-Identifier: Apache-2.0
"""The ways in which PyTorch can take a step of a method; the fastest of them is the peer.

A candidate is made for parameters whose `.grad` is set, and then takes steps; gradients stay as
they are, and nothing is zeroed. Fused and foreach are PyTorch's own or a package's, if it is installed;
`compiled` is a rule of `optimizer_rules.py` under torch.compile.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from optimizer_rules import (
    BETA1,
    BETA2,
    EPSILON,
    LEARNING_RATE,
    RULES,
    WEIGHT_DECAY,
    Slot,
)

Step = Callable[[], None]
Make = Callable[[Sequence[Slot]], Step]
QUINTIC = ((3.4445, -4.7750, 2.0315),) * 5
POLAR_EXPRESS = (
    (8.156554524902461, -22.48329292557795, 15.878769915207462),
    (4.042929935166739, -2.808917465908714, 0.5000178451051316),
    (3.8916678022926607, -2.772484153217685, 0.5060648178503393),
    (3.285753657755655, -2.3681294933425376, 0.46449024233003106),
    (2.3465413258596377, -1.7097828382687081, 0.42323551169305323),
)


# MARK: Rules


class Rules:
    """Every tensor by its rule, eager or compiled."""

    def __init__(self, method: str, slots: Sequence[Slot], compiles: bool) -> None:
        self.slots = slots
        self.rules = [RULES[method](slot) for slot in slots]
        self.states = [rule.start(slot) for rule, slot in zip(self.rules, slots, strict=True)]
        kinds: dict[Any, Callable] = {}
        self.steps = []
        for rule, slot in zip(self.rules, slots, strict=True):
            # Blockwise rules are made for each tensor; equal ones of equal shapes share their code.
            key = (rule.step.__qualname__, tuple(slot.weight.shape), slot.role)
            if key not in kinds:
                kinds[key] = (
                    torch.compile(rule.step, dynamic=False) if compiles else rule.step
                )
            self.steps.append(kinds[key])
        self.numbers = [
            {
                "lr": torch.tensor(LEARNING_RATE),
                "wd": torch.tensor(WEIGHT_DECAY if slot.is_matrix else 0.0),
                "decay": torch.tensor(1.0),
                **{name: torch.tensor(0.0) for name in rule.host(1)},
            }
            for rule, slot in zip(self.rules, slots, strict=True)
        ]
        self.updates = 0

    @torch.no_grad()
    def __call__(self) -> None:
        self.updates += 1
        known: dict[int, dict[str, float]] = {}
        for rule, slot, state, step, numbers in zip(
            self.rules, self.slots, self.states, self.steps, self.numbers, strict=True
        ):
            decay = 1 - LEARNING_RATE * WEIGHT_DECAY if slot.is_matrix else 1.0
            host = known.setdefault(id(rule.host), rule.host(self.updates))
            for name, value in ({"decay": decay} | host).items():
                numbers[name].fill_(value)
            step(slot.weight, slot.weight.grad, state, numbers)


# MARK: Orthogonal steps


def orthogonalised(x: Tensor, coefficients, margin: float, dtype: torch.dtype) -> Tensor:
    """Newton-Schulz on a batch of matrices [B, m, n], on the smaller side."""
    tall = x.size(-2) > x.size(-1)
    x = x.to(dtype)
    x = x.mT if tall else x
    x = x / (margin * x.norm(dim=(-2, -1), keepdim=True) + 1e-6)
    for a, b, c in coefficients:
        square = x @ x.mT
        mixed = torch.baddbmm(square, square, square, beta=b, alpha=c)
        x = torch.baddbmm(x, mixed, x, beta=a)
    return (x.mT if tall else x).float()


class Orthogonal:
    """Muon or NorMuon on hidden matrices of one shape at a time, AdamW fused on the others."""

    def __init__(self, slots: Sequence[Slot], dtype: torch.dtype, is_normalised: bool) -> None:
        self.fallback = library("torch.optim.AdamW", fused=True, betas=(BETA1, BETA2), eps=EPSILON)(
            [slot for slot in slots if not slot.is_hidden]
        )
        self.dtype = dtype
        self.is_normalised = is_normalised
        by_shape: dict[torch.Size, list[Tensor]] = {}
        for slot in slots:
            if slot.is_hidden:
                by_shape.setdefault(slot.weight.shape, []).append(slot.weight)
        self.groups = [
            (
                weights,
                torch.zeros(len(weights), *shape),
                torch.zeros(len(weights), shape[0], 1),
            )
            for shape, weights in by_shape.items()
        ]

    @torch.no_grad()
    def __call__(self) -> None:
        self.fallback()
        for weights, momentum, variance in self.groups:
            gradient = torch.stack([weight.grad for weight in weights])
            momentum.lerp_(gradient, 0.05)
            update = gradient.lerp_(momentum, 0.95)
            coefficients, margin = (POLAR_EXPRESS, 1.02) if self.is_normalised else (QUINTIC, 1.0)
            update = orthogonalised(update, coefficients, margin, self.dtype)
            rows, columns = weights[0].shape
            if self.is_normalised:
                variance.lerp_(update.square().mean(-1, keepdim=True), 0.05)
                scaled = update * variance.clamp(min=1e-10).rsqrt()
                size = update.norm(dim=(-2, -1), keepdim=True)
                update = scaled * size / scaled.norm(dim=(-2, -1), keepdim=True).clamp(min=1e-10)
            factor = -LEARNING_RATE * math.sqrt(max(1, rows / columns))
            decay = LEARNING_RATE * WEIGHT_DECAY
            for weight, part in zip(weights, update.unbind(), strict=True):
                if self.is_normalised:
                    weight.sub_((part * weight >= 0) * weight, alpha=decay)
                else:
                    weight.mul_(1 - decay)
                weight.add_(part, alpha=factor)


# MARK: One step size for all


def prodigy_gather(w, g, s, k):
    """The averages; returns the tensor's parts of numerator and denominator."""
    product = (g * (s["start"] - w)).sum()
    s["m"].mul_(BETA1).add_(g * (k["d"] * (1 - BETA1)))
    s["v"].mul_(0.999).add_(g * g * (k["d"] * k["d"] * (1 - 0.999)))
    s["s"].mul_(0.999**0.5).add_(g * k["share"])
    return product, s["s"].abs().sum()


def prodigy_move(w, g, s, k):
    """The step with the old d, epsilon with the new."""
    w.copy_(w * k["decay"] - k["rate"] * s["m"] / (s["v"].sqrt() + k["next"] * EPSILON))


class Prodigy:
    """Prodigy with its functions compiled or not."""

    # The first d: with 1 the steps are those of Adam from the start, which is what is checked.
    FIRST = 1.0

    def __init__(self, slots: Sequence[Slot], compiles: bool) -> None:
        self.slots = slots
        self.d = self.FIRST
        self.numerator = 0.0
        self.states = [
            {name: torch.zeros_like(slot.weight) for name in ("m", "v", "s")}
            | {"start": slot.weight.detach().clone()}
            for slot in slots
        ]
        made = {}
        for slot in slots:
            if slot.weight.shape not in made:
                pair = (prodigy_gather, prodigy_move)
                made[slot.weight.shape] = (
                    [torch.compile(function, dynamic=False) for function in pair]
                    if compiles
                    else pair
                )
        self.functions = [made[slot.weight.shape] for slot in slots]
        names = ("d", "share", "rate", "next", "decay")
        self.numbers = {name: torch.tensor(0.0) for name in names}

    @torch.no_grad()
    def __call__(self) -> None:
        rate = self.d * LEARNING_RATE
        share = self.d / self.FIRST * rate
        for name, value in {"d": self.d, "share": share, "rate": rate}.items():
            self.numbers[name].fill_(value)
        gathered = [
            gather(slot.weight, slot.weight.grad, state, self.numbers)
            for slot, state, (gather, _) in zip(
                self.slots, self.states, self.functions, strict=True
            )
        ]
        product, size = (torch.stack(values).sum().item() for values in zip(*gathered, strict=True))
        self.numerator = 0.999**0.5 * self.numerator + share * product
        estimate = self.numerator / size
        # d grows to the largest estimate at once: its growth is not bounded.
        following = max(self.d, estimate)
        self.numbers["next"].fill_(following)
        for slot, state, (_, move) in zip(self.slots, self.states, self.functions, strict=True):
            self.numbers["decay"].fill_(1 - rate * WEIGHT_DECAY if slot.is_matrix else 1.0)
            move(slot.weight, slot.weight.grad, state, self.numbers)
        self.d = following


# MARK: Packages


def found(path: str) -> Any:
    """The class of a dotted name; raises ImportError where the package is not installed."""
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)


def library(path: str, averages: bool = False, decay: float = WEIGHT_DECAY, **arguments) -> Make:
    """A package's optimizer with one group that decays and one that does not."""

    def make(slots: Sequence[Slot]) -> Step:
        groups = [
            {
                "params": [slot.weight for slot in slots if slot.is_matrix == decays],
                "weight_decay": decay * decays,
            }
            for decays in (True, False)
        ]
        optimizer = found(path)(
            [group for group in groups if group["params"]], lr=LEARNING_RATE, **arguments
        )
        if averages:
            optimizer.train()
        return optimizer.step

    return make


def library_on(chosen: Callable[[Slot], bool], make: Make, others: Make) -> Make:
    """One optimizer for some parameters, another for the rest."""

    def both(slots: Sequence[Slot]) -> Step:
        first = make([slot for slot in slots if chosen(slot)])
        second = others([slot for slot in slots if not chosen(slot)])

        def step() -> None:
            first()
            second()

        return step

    return both


def adam_mini_package(slots: Sequence[Slot]) -> Step:
    """The authors' own; it knows blocks by a Llama's names."""
    names = {
        "embedding": "embed", "head": "lm_head", "query": "q_proj", "key": "k_proj",
        "value": "v_proj", "output": "o_proj", "in": "mlp.in", "out": "mlp.out", "gain": "norm",
    }  # fmt: skip
    width = next(slot.weight.shape[1] for slot in slots if slot.role == "query")
    heads = next(slot.heads for slot in slots if slot.role == "query")
    named = [(f"{i}.{names[slot.role]}.weight", slot.weight) for i, slot in enumerate(slots)]
    optimizer = found("adam_mini.Adam_mini")(
        named, lr=LEARNING_RATE, betas=(BETA1, BETA2), eps=EPSILON, weight_decay=WEIGHT_DECAY,
        dim=width, n_heads=heads, verbose=False,
    )  # fmt: skip
    return optimizer.step


ADAM: dict[str, Any] = {"betas": (BETA1, BETA2), "eps": EPSILON}
ADAMW_FUSED = library("torch.optim.AdamW", fused=True, **ADAM)
MARS_FUSED = library("torch.optim.AdamW", fused=True, betas=(0.95, 0.99), eps=EPSILON)
MUON = library("torch.optim.Muon", momentum=0.95)
LIBRARIES: dict[str, dict[str, Make]] = {
    # Without decay: PyTorch's would go through the gradient, which is another method.
    "sgd": {
        "torch-fused": library("torch.optim.SGD", decay=0, fused=True, momentum=0.9),
        "torch-foreach": library("torch.optim.SGD", decay=0, foreach=True, momentum=0.9),
    },
    "adamw": {
        "torch-fused": ADAMW_FUSED,
        "torch-foreach": library("torch.optim.AdamW", foreach=True, **ADAM),
    },
    "nadamw": {
        "torch-foreach": library(
            "torch.optim.NAdam", foreach=True, decoupled_weight_decay=True, **ADAM
        )
    },
    "adafactor-2018": {
        "torch-foreach": library("torch.optim.Adafactor", foreach=True, eps=(1e-15, 1e-3))
    },
    "adafactor-bv": {
        "timm": library("timm.optim.adafactor_bv.AdafactorBigVision", min_dim_size_to_factor=1)
    },
    "lion": {"timm-foreach": library("timm.optim.lion.Lion", foreach=True)},
    "signum": {"pytorch_optimizer-foreach": library("pytorch_optimizer.SignSGD", foreach=True)},
    "lamb": {
        "timm-foreach": library(
            "timm.optim.lamb.Lamb", foreach=True, max_grad_norm=None, always_adapt=True
        )
    },
    "adopt": {
        "timm-foreach": library(
            "timm.optim.adopt.Adopt", foreach=True, clip_exp=0.25, decoupled=True
        )
    },
    "ademamix": {
        "pytorch_optimizer-foreach": library(
            "pytorch_optimizer.AdEMAMix", foreach=True, weight_decouple=True
        )
    },
    "mars-adamw": {
        "pytorch_optimizer-foreach": library_on(
            lambda slot: slot.is_matrix and slot.role != "embedding",
            library("pytorch_optimizer.MARS", foreach=True),
            MARS_FUSED,
        )
    },
    "schedule-free-adamw": {
        "schedulefree-foreach": library(
            "schedulefree.AdamWScheduleFree", averages=True, foreach=True, **ADAM
        )
    },
    "schedule-free-sgd": {
        "schedulefree-foreach": library(
            "schedulefree.SGDScheduleFree", averages=True, foreach=True, momentum=0.9
        )
    },
    "adam-mini": {"adam-mini": adam_mini_package},
    "prodigy": {
        "prodigyopt": library("prodigyopt.Prodigy", d0=Prodigy.FIRST),
        "compiled": lambda slots: Prodigy(slots, compiles=True),
    },
    "muon": {
        "torch": library_on(lambda slot: slot.is_hidden, MUON, ADAMW_FUSED),
        "batched-bf16": lambda slots: Orthogonal(slots, torch.bfloat16, is_normalised=False),
        "batched-fp32": lambda slots: Orthogonal(slots, torch.float32, is_normalised=False),
    },
    "normuon": {
        "batched-bf16": lambda slots: Orthogonal(slots, torch.bfloat16, is_normalised=True),
        "batched-fp32": lambda slots: Orthogonal(slots, torch.float32, is_normalised=True),
    },
    "soap": {"pytorch_optimizer": library("pytorch_optimizer.SOAP")},
}


def candidates(method: str) -> dict[str, Make]:
    """The ways of a method, by name."""
    made = dict(LIBRARIES.get(method, {}))
    if method in RULES:
        made["compiled"] = lambda slots: Rules(method, slots, compiles=True)
    return made


def twin(method: str) -> Make | None:
    """The plain equations that every candidate must agree with; None where there is none."""
    if method in RULES:
        return lambda slots: Rules(method, slots, compiles=False)
    if method == "prodigy":
        return lambda slots: Prodigy(slots, compiles=False)
    if method in ("muon", "normuon"):
        is_normalised = method == "normuon"
        return lambda slots: Orthogonal(slots, torch.float32, is_normalised)
    return None


METHODS = sorted({*RULES, *LIBRARIES})
