# Copyright (c) 2026 The Assay Authors
# SPDX-License-Identifier: Apache-2.0
"""What `torch_speedrun.py` is made of: banded attention, capped loss, FP8 head, both optimizers.

Every part has an eager form, written for the cache, and one for torch.compile, which fuses the
elementwise work itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from speedrun_model import GRADIENT_SCALE, INPUT_SCALE, SOFT_CAP, SOFT_CAP_SLOPE, WEIGHT_SCALE
from speedrun_rules import (
    ADAM_DECAY,
    ADAM_EPSILON,
    FLOOR,
    NORMUON_BETA2,
    NORMUON_DECAY,
    NORMUON_RATE,
    POLAR_EXPRESS,
)

BLOCK = 128  # queries that are attended with at once; the record's unit of windows
CHUNK_ROWS = 32  # of logits in fp32, 6 MB at the published vocabulary
CHUNK_VALUES = 1 << 17  # of a table, half a megabyte


# MARK: Attention


def banded(length: int, window: int) -> int:
    """How many blocks before its own a block of queries sees; 0 where a dense mask is as good."""
    before = -(-window // BLOCK)
    return before if length % BLOCK == 0 and (before + 1) * BLOCK < length else 0


def attention_mask(documents: Tensor, window: int, dtype: torch.dtype) -> Tensor:
    """0 where a query may look and -inf elsewhere, [B n, 1, queries, keys], for `attend`.

    Additive and in the type of the queries: a boolean mask is converted anew in every call.
    """
    sequences, length = documents.shape
    position = torch.arange(length)
    if before := banded(length, window):
        query, key = (x.unflatten(-1, (-1, BLOCK)) for x in (position, position))
        key = stacked(key[None], before, -1, fill=-length)[0]
        own = documents.unflatten(-1, (-1, BLOCK))
        other = stacked(own, before, -1, fill=-1).flatten(0, 1)
        own = own.flatten(0, 1)
        query, key = (x.repeat(sequences, 1) for x in (query, key))
    else:
        query, key, own, other = position[None], position[None], documents, documents
    distance = query[:, :, None] - key[:, None, :]
    allowed = (distance >= 0) & (distance <= window) & (own[:, :, None] == other[:, None, :])
    return torch.where(allowed, 0.0, -math.inf).to(dtype)[:, None]


def stacked(blocks: Tensor, before: int, axis: int, fill: float = 0) -> Tensor:
    """Each block [B, n, ...] with the `before` blocks before it, joined along an axis."""
    parts = [blocks]
    for distance in range(1, before + 1):
        missing = torch.full_like(blocks[:, :distance], fill)
        parts.insert(0, torch.cat((missing, blocks[:, :-distance]), dim=1))
    return torch.cat(parts, dim=axis)


def attend(query: Tensor, key: Tensor, value: Tensor, mask: Tensor, window: int, scale: float):
    """Attention of [B, T, H, D] under a mask of `attention_mask`; returns [B, T, H, D].

    PyTorch's flash kernel computes every block, masked or not, so a narrow window is cheaper as a
    batch of blocks: at 2,048 tokens and windows of 128 and 384, four and two times less work than
    causal attention.
    """
    length = query.shape[1]
    if before := banded(length, window):
        query, key, value = (x.unflatten(1, (-1, BLOCK)) for x in (query, key, value))
        key, value = stacked(key, before, 2), stacked(value, before, 2)
        shape = query.shape
        query, key, value = (x.flatten(0, 1).transpose(1, 2) for x in (query, key, value))
        y = F.scaled_dot_product_attention(query, key, value, attn_mask=mask, scale=scale)
        return y.transpose(1, 2).reshape(shape).flatten(1, 2)
    query, key, value = (x.transpose(1, 2) for x in (query, key, value))
    y = F.scaled_dot_product_attention(query, key, value, attn_mask=mask, scale=scale)
    return y.transpose(1, 2)


# MARK: Head and loss


class ChunkedLoss(torch.autograd.Function):
    """The summed cross entropy of capped logits, a few rows at a time so that fp32 stays in cache.

    The gradient is made at once, over the logits, since the loss is the last thing computed.
    """

    @staticmethod
    def forward(ctx: Any, logits: Tensor, targets: Tensor) -> Tensor:
        total = torch.zeros(())
        for start in range(0, logits.shape[0], CHUNK_ROWS):
            rows = logits[start : start + CHUNK_ROWS]
            target = targets[start : start + CHUNK_ROWS, None]
            # tanh is sigmoid with one pass less: 30 sigmoid(l / 7.5) = 15 tanh(l / 15) + 15.
            tanh = rows.float().mul_(1 / (2 * SOFT_CAP_SLOPE)).tanh_()
            log_p = F.log_softmax(tanh * (SOFT_CAP / 2), dim=-1)
            total -= log_p.gather(-1, target).sum()
            gradient = log_p.exp_().scatter_add_(-1, target, log_p.new_full(target.shape, -1.0))
            # d cap / d l = 1 - tanh^2
            rows.copy_(gradient.addcmul_(gradient, tanh.square_(), value=-1))
        ctx.save_for_backward(logits)
        return total

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (logits,) = ctx.saved_tensors
        return logits.mul_(gradient.to(logits.dtype)), None


def plain_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """The same for torch.compile, which needs no chunks."""
    capped = SOFT_CAP * (logits.float() / SOFT_CAP_SLOPE).sigmoid()
    return F.cross_entropy(capped, targets, reduction="sum")


def to_fp8(x: Tensor, scale: float, dtype: torch.dtype, product: torch.dtype) -> Tensor:
    """x / scale in 8 bits, saturated, as numbers of the type that products are computed in."""
    limit = torch.finfo(dtype).max
    return (x / scale).clamp_(-limit, limit).to(dtype).to(product)


class FP8Head(torch.autograd.Function):
    """x W^T on 8-bit operands. They are bf16 or fp32 numbers exactly: no CPU multiplies FP8."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        x8 = to_fp8(x, INPUT_SCALE, torch.float8_e4m3fn, x.dtype)
        w8 = to_fp8(weight, WEIGHT_SCALE, torch.float8_e4m3fn, x.dtype)
        ctx.save_for_backward(x8, w8)
        return (x8 @ w8.T).mul_(INPUT_SCALE * WEIGHT_SCALE)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor]:
        x8, w8 = ctx.saved_tensors
        g8 = to_fp8(gradient, GRADIENT_SCALE, torch.float8_e5m2, x8.dtype)
        dx = (g8 @ w8).mul_(GRADIENT_SCALE * WEIGHT_SCALE)
        dw = (g8.T @ x8).float().mul_(INPUT_SCALE * GRADIENT_SCALE)
        return dx, dw


# MARK: NorMuon


def polar_express(x: Tensor) -> Tensor:
    """Of a batch of matrices [N, m, n], m >= n or gates; works on the smaller side, in x's type.

    One batched product for all matrices: with 768 x 768 in bf16 it took 0.6 of the time of one
    product after the other.
    """
    is_tall = x.shape[-2] > x.shape[-1]
    x = x / (1.02 * x.norm(dim=(-2, -1), keepdim=True) + 1e-6)
    for a, b, c in POLAR_EXPRESS:
        square = x.mT @ x if is_tall else x @ x.mT
        mixed = torch.baddbmm(square, square, square, beta=b, alpha=c)
        left, right = (x, mixed) if is_tall else (mixed, x)
        x = torch.baddbmm(x, left, right, beta=a)
    return x


def averaged(m: Tensor, g: Tensor, mu: Tensor) -> Tensor:
    """Moves the average m, and returns U."""
    m.lerp_(g, 1 - mu)
    return g.lerp(m, mu)


def applied(p: Tensor, v: Tensor, s: Tensor, factor: Tensor, scale: Tensor) -> None:
    """Evens the rows of v [N, m, n] and takes the cautious step; scale is [N, 1, 1]."""
    v = v.float()
    squares = v.square().sum(dim=-1, keepdim=True)
    s.lerp_(squares / v.shape[-1], 1 - NORMUON_BETA2)
    k = s.clamp(min=FLOOR).rsqrt()
    norm, evened = (
        total.sum(dim=-2, keepdim=True).sqrt() for total in (squares, k * k * squares)
    )
    rate = NORMUON_RATE * factor
    decay = NORMUON_DECAY * rate * rate * scale
    step = v * (k * (norm / evened.clamp(min=FLOOR)) * rate * scale)
    p.sub_(step + torch.where(v * p >= 0, p * decay, 0))


class NorMuonBank:
    """NorMuon for a bank of matrices [N, m, n] with one scale each."""

    def __init__(self, p: Tensor, scales: Sequence[float], dtype: torch.dtype, wrap: Callable):
        self.p, self.dtype = p, dtype
        self.momentum = torch.zeros_like(p)
        self.second = p.new_zeros(*p.shape[:-1], 1)
        self.scales = torch.tensor(scales)[:, None, None]
        self.is_eager = wrap is identity
        self.averaged, self.applied = wrap(averaged), wrap(applied)

    def step(self, factor: Tensor, mu: Tensor) -> None:
        """One update; the gradient is spent."""
        g = self.p.grad
        if not self.is_eager:
            v = polar_express(self.averaged(self.momentum, g, mu).to(self.dtype))
            self.applied(self.p, v, self.second, factor, self.scales)
            return
        # Matrix by matrix, so that what is between two passes stays in the cache.
        u = torch.empty_like(g, dtype=self.dtype)
        for row, m, values in zip(u, self.momentum, g, strict=True):
            m.lerp_(values, 1 - mu)
            row.copy_(values.lerp_(m, mu))
        v = polar_express(u)
        for i in range(len(v)):
            one = slice(i, i + 1)
            applied(self.p[one], v[one], self.second[one], factor, self.scales[one])


# MARK: Adam


def adam(
    p: Tensor, g: Tensor, m: Tensor, v: Tensor, b1: float, b2: float, rate: Tensor,
    corrected: Tensor, decay: float,
) -> None:  # fmt: skip
    """Epsilon before the correction; cautious decay quadratic in the rate."""
    m.lerp_(g, 1 - b1)
    v.mul_(b2).addcmul_(g, g, value=1 - b2)
    u = m / (v.sqrt() + ADAM_EPSILON) * corrected
    if decay:
        u = u + torch.where(u * p >= 0, p * (rate * rate * decay), 0)
    p.sub_(u)


class AdamTables:
    """Adam for parameters with one base rate; large ones by pieces that fit the cache."""

    def __init__(
        self, parameters: Sequence[Tensor], rate: float, betas: tuple[float, float],
        wrap: Callable, *, decays: bool = False,
    ) -> None:  # fmt: skip
        self.parameters = list(parameters)
        self.state = [(torch.zeros_like(p), torch.zeros_like(p)) for p in self.parameters]
        self.rate, self.betas, self.decay = rate, betas, ADAM_DECAY if decays else 0.0
        self.updates = 0
        self.is_eager = wrap is identity
        self.adam = wrap(adam)

    def step(self, factor: float) -> None:
        """One update."""
        self.updates += 1
        b1, b2 = self.betas
        rate = torch.tensor(self.rate * factor)
        corrected = rate * math.sqrt(1 - b2**self.updates) / (1 - b1**self.updates)
        for p, (m, v) in zip(self.parameters, self.state, strict=True):
            flat = [x.detach().view(-1) for x in (p, p.grad, m, v)]
            pieces = zip(*(x.split(CHUNK_VALUES) for x in flat), strict=True)
            for piece in pieces if self.is_eager else [flat]:
                self.adam(*piece, b1, b2, rate, corrected, self.decay)


def identity(function: Callable) -> Callable:
    """The eager form."""
    return function
