# Copyright (c) 2026 The Assay Authors
# SPDX-License-Identifier: Apache-2.0
"""The speedrun decoder in PyTorch, as plain as can be; `torch_speedrun.py` is the fast one.

Parameters are a mapping from Assay's names to tensors, in any floating-point type:

    head.weight [V, C]; embedding.weight [V, C] unless tied; value_embeddings.K.weight [V, H D]
    smear.gate.weight [1, G]; smear.lambda [1]
    blocks.I.attention.{query,key,value}.weight [H D, C]; blocks.I.attention.output.weight [C, H D]
    blocks.I.attention.gate.weight [H, G]
    blocks.I.mlp.in.weight [F, C]; blocks.I.mlp.out.weight [C, F]
    residual_lambdas [L]; x0_lambdas [L]; attention_lambdas [2 L], a_00 a_01 a_10 a_11 ...
    skip.lambda [1]; backout.lambda [1]

B sequences, T positions, C width, L layers, H heads, D head width, F feed-forward width, V
vocabulary, G channels that gates read. There are no biases and no gains. Positions, the smear and
the shift of keys restart with each sequence and ignore the borders of documents; attention stays
inside a document.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

NORM_EPSILON = 2.0**-23  # the machine epsilon of fp32, also for bf16 inputs
SOFT_CAP, SOFT_CAP_SLOPE = 30.0, 7.5
E4M3_MAXIMUM, E5M2_MAXIMUM = 448.0, 57_344.0
INPUT_SCALE, WEIGHT_SCALE, GRADIENT_SCALE = 100 / 448, 1.5 / 448, 0.75 / 448

Parameters = Mapping[str, Tensor]


@dataclass(frozen=True)
class Options:
    """Every part of the record, on; each can be switched off alone."""

    untied: bool = False  # look up in embedding.weight
    value_embeddings: bool = True
    residual_lambdas: bool = True  # off: 1
    x0_lambdas: bool = True  # off: 0
    attention_lambdas: bool = True  # off: 1 and 1
    smear_gate: bool = True
    attention_gates: bool = True  # off: factor 1
    key_shift: bool = True
    half_truncated_rotary: bool = True
    sliding_windows: bool = True  # off: all of the past inside the document
    skip: bool = True
    backout: bool = True
    layer_without_attention: bool = True
    relu_squared: bool = True  # off: GeLU, with erf
    soft_cap: bool = True
    fp8_head: bool = False


@dataclass(frozen=True)
class Shape:
    """Sizes, and which layer does what; the layout is that of the record."""

    vocabulary_size: int = 50_304
    width: int = 768
    layers: int = 11
    heads: int = 6
    head_width: int = 128
    feed_forward_width: int = 3072
    gate_channels: int = 12
    context_length: int = 2048
    long_layers: tuple[int, ...] = (3, 10)
    layers_without_attention: tuple[int, ...] = (6,)
    value_layers: Mapping[int, int] = field(
        default_factory=lambda: {0: 1, 1: 2, 8: 0, 9: 1, 10: 2}
    )
    skip_from: int = 3
    skip_to: int = 6
    backout_layer: int = 7

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Shape:
        """Reads the known sizes of a JSON object; the layout stays."""
        known = {item.name for item in fields(cls) if item.type == "int"}
        return cls(**{key: value for key, value in values.items() if key in known})


@dataclass(frozen=True)
class Settings:
    """What changes during training. A window of w shows a query the keys t - w ... t."""

    frequencies: Sequence[float]  # [D/2], radians a position
    scale: float  # of the scores
    window: int  # of long layers, tokens
    window_short: int  # of the others


def attends(layer: int, shape: Shape, options: Options) -> bool:
    """Whether a layer has attention."""
    return not options.layer_without_attention or layer not in shape.layers_without_attention


def parameter_shapes(shape: Shape, options: Options) -> dict[str, tuple[int, ...]]:
    """Names and shapes of what this model has."""
    v, c, wide = shape.vocabulary_size, shape.width, shape.heads * shape.head_width
    result: dict[str, tuple[int, ...]] = {"head.weight": (v, c)}
    if options.untied:
        result["embedding.weight"] = (v, c)
    if options.value_embeddings:
        for table in sorted(set(shape.value_layers.values())):
            result[f"value_embeddings.{table}.weight"] = (v, wide)
    if options.smear_gate:
        result |= {"smear.gate.weight": (1, shape.gate_channels), "smear.lambda": (1,)}
    for layer in range(shape.layers):
        block = f"blocks.{layer}."
        if attends(layer, shape, options):
            for part in ("query", "key", "value"):
                result[f"{block}attention.{part}.weight"] = (wide, c)
            result[f"{block}attention.output.weight"] = (c, wide)
            if options.attention_gates:
                result[f"{block}attention.gate.weight"] = (shape.heads, shape.gate_channels)
        result[f"{block}mlp.in.weight"] = (shape.feed_forward_width, c)
        result[f"{block}mlp.out.weight"] = (c, shape.feed_forward_width)
    if options.residual_lambdas:
        result["residual_lambdas"] = (shape.layers,)
    if options.x0_lambdas:
        result["x0_lambdas"] = (shape.layers,)
    if options.attention_lambdas:
        result["attention_lambdas"] = (2 * shape.layers,)
    if options.skip:
        result["skip.lambda"] = (1,)
    if options.backout:
        result["backout.lambda"] = (1,)
    return result


# MARK: Rotary positions


def base_frequencies(head_width: int, *, half_truncated: bool) -> list[float]:
    """1024^(-j / (n - 1)) for the n pairs that turn: the first half of them, or all."""
    pairs = head_width // 2
    turning = pairs // 2 if half_truncated else pairs
    return [1024 ** (-j / (turning - 1)) for j in range(turning)] + [0.0] * (pairs - turning)


def yarn(
    frequencies: Sequence[float], scale: float, old: int, new: int
) -> tuple[list[float], float]:
    """Frequencies and scale of the scores after the long window grew from old to new tokens."""
    ratio = old / new
    result = []
    for frequency in frequencies:
        turns = old * frequency / (2 * math.pi)
        weight = min(max((turns - 1) / (32 - 1), 0.0), 1.0)
        result.append(frequency * (ratio + weight * (1 - ratio)))
    return result, scale * (1 + 0.2 * math.log(new / old))


def rotate(x: Tensor, frequencies: Sequence[float]) -> Tensor:
    """Turns the pairs (j, j + D/2) of x [B, T, H, D] backwards, by position times frequency."""
    position = torch.arange(x.shape[1], dtype=torch.float64)
    angle = position[:, None] * torch.tensor(list(frequencies), dtype=torch.float64)
    cos, sin = (table.to(x.dtype)[None, :, None] for table in (angle.cos(), angle.sin()))
    x1, x2 = x.chunk(2, dim=-1)
    return torch.cat((x1 * cos + x2 * sin, x2 * cos - x1 * sin), dim=-1)


def shift_keys(key: Tensor) -> Tensor:
    """Dimensions of the second and fourth quarter take the value of the position before."""
    quarter = key.shape[-1] // 4
    before = torch.cat((key[:, :1], key[:, :-1]), dim=1)
    dimension = torch.arange(key.shape[-1])
    return torch.where((dimension // quarter) % 2 == 1, before, key)


# MARK: The FP8 head


def rounded_fp8(x: Tensor, dtype: torch.dtype) -> Tensor:
    """x rounded to an 8-bit type, ties to even, large values to its largest; in x's own type."""
    limit = torch.finfo(dtype).max
    return x.clamp(-limit, limit).to(dtype).to(x.dtype)


class FP8Linear(torch.autograd.Function):
    """x W^T with operands in 8 bits, one scale a tensor: e4m3 for x and W, e5m2 for the gradient.

    Numbers of 8 bits are exact in bf16, so under autocast the products stay in float32.
    """

    @staticmethod
    @torch.amp.custom_fwd(device_type="cpu", cast_inputs=torch.float32)
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        x8 = rounded_fp8(x / INPUT_SCALE, torch.float8_e4m3fn)
        w8 = rounded_fp8(weight / WEIGHT_SCALE, torch.float8_e4m3fn)
        ctx.save_for_backward(x8, w8)
        return (INPUT_SCALE * WEIGHT_SCALE) * (x8 @ w8.T)

    @staticmethod
    @torch.amp.custom_bwd(device_type="cpu")
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor]:
        x8, w8 = ctx.saved_tensors
        g8 = rounded_fp8(gradient / GRADIENT_SCALE, torch.float8_e5m2)
        dx = (GRADIENT_SCALE * WEIGHT_SCALE) * (g8 @ w8)
        dw = (INPUT_SCALE * GRADIENT_SCALE) * (g8.flatten(0, -2).T @ x8.flatten(0, -2))
        return dx, dw


# MARK: The model


def norm(x: Tensor) -> Tensor:
    """x / sqrt(mean(x^2) + 2^-23) over the last axis."""
    return F.rms_norm(x, x.shape[-1:], eps=NORM_EPSILON)


def attention_mask(documents: Tensor, window: int | None) -> Tensor:
    """[B, 1, T, T]: key j is of query i's document, and 0 <= i - j <= window."""
    position = torch.arange(documents.shape[1])
    distance = position[:, None] - position[None, :]
    allowed = distance >= 0
    if window is not None:
        allowed &= distance <= window
    return allowed & (documents[:, None, :, None] == documents[:, None, None, :])


def attention(
    n: Tensor,
    layer: int,
    p: Parameters,
    batch: Mapping[str, Tensor],
    shape: Shape,
    options: Options,
    settings: Settings,
) -> Tensor:
    """The attention of a layer on the normalised stream n [B, T, C]."""
    name = f"blocks.{layer}.attention."
    into, out = (
        p["attention_lambdas"][2 * layer : 2 * layer + 2].unbind()
        if options.attention_lambdas
        else (1.0, 1.0)
    )
    heads = (shape.heads, shape.head_width)
    query, key, value = (
        F.linear(n, into * p[f"{name}{part}.weight"]).unflatten(-1, heads)
        for part in ("query", "key", "value")
    )
    query = rotate(norm(query), settings.frequencies)
    key = rotate(norm(key), settings.frequencies)
    is_long = layer in shape.long_layers
    if options.key_shift and is_long:
        key = shift_keys(key)
    if options.value_embeddings and layer in shape.value_layers:
        table = p[f"value_embeddings.{shape.value_layers[layer]}.weight"]
        value = value + F.embedding(batch["tokens"], table).unflatten(-1, heads).to(value.dtype)
    query, key, value = (part.transpose(1, 2) for part in (query, key, value))
    window = settings.window if is_long else settings.window_short
    mask = attention_mask(batch["documents"], window if options.sliding_windows else None)
    scores = (settings.scale * (query @ key.mT)).masked_fill(~mask, -math.inf)
    y = (scores.softmax(dim=-1).to(value.dtype) @ value).transpose(1, 2)
    if options.attention_gates:
        gate = F.linear(n[..., : shape.gate_channels], p[f"{name}gate.weight"])
        y = y * gate.sigmoid().unsqueeze(-1)
    return F.linear(y.flatten(-2), out * p[f"{name}output.weight"])


def feed_forward(n: Tensor, layer: int, p: Parameters, options: Options) -> Tensor:
    """The MLP of a layer on the normalised stream."""
    inner = F.linear(n, p[f"blocks.{layer}.mlp.in.weight"])
    inner = F.relu(inner).square() if options.relu_squared else F.gelu(inner)
    return F.linear(inner, p[f"blocks.{layer}.mlp.out.weight"])


def forward(
    p: Parameters,
    batch: Mapping[str, Tensor],
    shape: Shape,
    options: Options,
    settings: Settings,
    *,
    training: bool = True,
) -> tuple[Tensor, Tensor]:
    """(capped logits [B, T, V], final hidden states [B, T, C]) of `tokens` and `documents`."""
    head = p["head.weight"]
    e = F.embedding(batch["tokens"], p["embedding.weight"] if options.untied else head)
    if options.smear_gate:
        gate = F.linear(e[:, 1:, : shape.gate_channels], p["smear.gate.weight"]).sigmoid()
        smeared = e[:, 1:] + p["smear.lambda"] * gate * e[:, :-1]
        e = torch.cat((e[:, :1], smeared), dim=1)
    x = x0 = norm(e)
    taps: dict[int, Tensor] = {}
    for layer in range(shape.layers):
        if options.skip and layer == shape.skip_to:
            x = x + p["skip.lambda"].sigmoid() * taps[shape.skip_from]
        if options.residual_lambdas:
            x = p["residual_lambdas"][layer] * x
        if options.x0_lambdas:  # in layer 0, x is x0 still: (r_0 + z_0) x
            x = x + p["x0_lambdas"][layer] * x0
        if attends(layer, shape, options):
            x = x + attention(norm(x), layer, p, batch, shape, options, settings)
        x = x + feed_forward(norm(x), layer, p, options)
        taps[layer] = x
    if options.backout:
        x = x - p["backout.lambda"] * taps[shape.backout_layer]
    x = norm(x)
    if options.fp8_head and training:
        logits = FP8Linear.apply(x, head)
    else:
        logits = F.linear(x, head)
    if options.soft_cap:
        logits = SOFT_CAP * (logits / SOFT_CAP_SLOPE).sigmoid()
    return logits, x


def training_loss(
    logits: Tensor, targets: Tensor, weights: Sequence[float], loss_scale: float
) -> Tensor:
    """loss_scale * sum over t and k of weights[k] * (-log p of the target at t + k).

    Targets [B, T] are already the next token, so weights[0] is that of the next one; terms whose
    target lies past the end of the sequence are 0.
    """
    log_sum = logits.logsumexp(dim=-1)
    length = logits.shape[1]
    total = logits.new_zeros(())
    for k, weight in enumerate(weights):
        target = targets[:, k:, None]
        chosen = logits[:, : length - k].gather(-1, target).squeeze(-1)
        total = total + weight * (log_sum[:, : length - k] - chosen).sum()
    return loss_scale * total


def evaluation_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """The mean cross entropy of the next token."""
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten())
