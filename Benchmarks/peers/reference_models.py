# Copyright (c) 2026 The Assay Authors
# SPDX-License-Identifier: Apache-2.0
"""Assay's two decoders, its loss, AdamW, clipping and schedule, in PyTorch.

This file is the ground truth that Assay's numbers are checked against, so it says what is
computed as plainly as it can, and leaves speed to `pytorch_step.py`. It runs in any floating-point
type; the fixtures use float64.

Shapes: B sequences, T positions, C width, L layers, H query heads, K key/value heads, D head width,
F feed-forward width, V vocabulary. Every 2-D weight is [out, in]; there are no biases.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

NORM_EPSILON = 1e-5
ROTARY_BASE = 10_000.0


@dataclass(frozen=True)
class Configuration:
    """The sizes and switches of a model. Zero means "the default for the others"."""

    vocabulary_size: int
    width: int
    layers: int
    heads: int
    context_length: int
    architecture: str = "decoder"
    key_value_heads: int = 0  # heads
    head_width: int = 0  # width / heads
    feed_forward_width: int = 0  # decoder: 4C; llama: 8C/3 rounded up to a multiple of 64
    tied: bool = False
    qk_norm: bool = True
    z_loss: float = 1e-4

    def __post_init__(self) -> None:
        if self.architecture not in ("decoder", "llama"):
            raise ValueError(f"architecture is '{self.architecture}'; use 'decoder' or 'llama'")
        gated_width = 64 * math.ceil(8 * self.width / 3 / 64)
        default_width = 4 * self.width if self.architecture == "decoder" else gated_width
        defaults = {
            "key_value_heads": self.heads,
            "head_width": self.width // self.heads,
            "feed_forward_width": default_width,
        }
        for name, value in defaults.items():
            if getattr(self, name) == 0:
                object.__setattr__(self, name, value)
        if self.heads % self.key_value_heads != 0:
            raise ValueError(
                f"heads ({self.heads}) must be a multiple of key_value_heads "
                f"({self.key_value_heads})"
            )
        if self.head_width % 2 != 0:
            raise ValueError(f"head_width is {self.head_width}; rotary positions need it even")

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Configuration:
        """Reads the known keys of a JSON object; other keys belong to somebody else."""
        known = {field.name for field in fields(cls)}
        return cls(**{key: value for key, value in values.items() if key in known})


# MARK: Attention


def rotary_tables(length: int, head_width: int) -> tuple[Tensor, Tensor]:
    """cos and sin of position * base^(-2j/D), each [T, D/2], in float64."""
    pair = torch.arange(head_width // 2, dtype=torch.float64)
    frequency = ROTARY_BASE ** (-2 * pair / head_width)
    angle = torch.arange(length, dtype=torch.float64)[:, None] * frequency
    return angle.cos(), angle.sin()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turns the pairs (j, j + D/2) of x [B, H, T, D] by the angles of their positions."""
    x1, x2 = x.chunk(2, dim=-1)
    return torch.cat((x1 * cos - x2 * sin, x2 * cos + x1 * sin), dim=-1)


def attention_mask(length: int, documents: Tensor | None) -> Tensor:
    """True where position i may look at j: j <= i and, given documents [B, T], in the same one.

    Returns [1 or B, 1, T, T].
    """
    causal = torch.ones(length, length, dtype=torch.bool).tril()[None, None]
    if documents is None:
        return causal
    return causal & (documents[:, None, :, None] == documents[:, None, None, :])


def softmax_attention(
    query: Tensor, key: Tensor, value: Tensor, documents: Tensor | None
) -> Tensor:
    """softmax(q k^T / sqrt(D), over the keys that the mask allows) v, for [B, H, T, D]."""
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    mask = attention_mask(query.shape[-2], documents)
    return scores.masked_fill(~mask, -math.inf).softmax(dim=-1) @ value


def library_attention(
    query: Tensor, key: Tensor, value: Tensor, documents: Tensor | None
) -> Tensor:
    """The same by PyTorch's own operation: what its users run, so bf16 and speed use it."""
    if documents is None:
        return F.scaled_dot_product_attention(query, key, value, is_causal=True)
    mask = attention_mask(query.shape[-2], documents)
    return F.scaled_dot_product_attention(query, key, value, attn_mask=mask)


Attend = Callable[[Tensor, Tensor, Tensor, Tensor | None], Tensor]
Rotary = tuple[Tensor, Tensor]


# MARK: Modules


class Norm(nn.Module):
    """LayerNorm (decoder) or RMSNorm (llama) over the last axis, with a gain and no bias."""

    def __init__(self, width: int, architecture: str) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(width))
        self.centred = architecture == "decoder"

    def forward(self, x: Tensor) -> Tensor:
        if self.centred:
            return F.layer_norm(x, self.gain.shape, self.gain, None, NORM_EPSILON)
        return F.rms_norm(x, self.gain.shape, self.gain, NORM_EPSILON)


def linear(inputs: int, outputs: int) -> nn.Linear:
    """A weight [outputs, inputs] and no bias."""
    return nn.Linear(inputs, outputs, bias=False)


class Attention(nn.Module):
    """Norm, queries, keys, values, their norms, rotary positions, attention, output."""

    def __init__(self, c: Configuration) -> None:
        super().__init__()
        self.configuration = c
        self.norm = Norm(c.width, c.architecture)
        self.query = linear(c.width, c.heads * c.head_width)
        self.key = linear(c.width, c.key_value_heads * c.head_width)
        self.value = linear(c.width, c.key_value_heads * c.head_width)
        self.output = linear(c.heads * c.head_width, c.width)
        if c.qk_norm:
            self.query_norm = Norm(c.head_width, c.architecture)
            self.key_norm = Norm(c.head_width, c.architecture)

    def forward(
        self, x: Tensor, rotary: Rotary, documents: Tensor | None, attend: Attend
    ) -> Tensor:
        c = self.configuration
        x = self.norm(x)
        query = self.query(x).unflatten(-1, (c.heads, c.head_width))
        key = self.key(x).unflatten(-1, (c.key_value_heads, c.head_width))
        value = self.value(x).unflatten(-1, (c.key_value_heads, c.head_width))
        if c.qk_norm:
            query, key = self.query_norm(query), self.key_norm(key)
        query, key, value = (part.transpose(1, 2) for part in (query, key, value))
        query, key = rotate(query, *rotary), rotate(key, *rotary)
        # Query head h reads key/value head h // (H / K).
        if (group := c.heads // c.key_value_heads) > 1:
            key = key.repeat_interleave(group, dim=1)
            value = value.repeat_interleave(group, dim=1)
        return self.output(attend(query, key, value, documents).transpose(1, 2).flatten(-2))


class FeedForward(nn.Module):
    """decoder: gelu(x in^T) out^T; llama: (silu(x gate^T) * (x in^T)) out^T; after a norm."""

    def __init__(self, c: Configuration) -> None:
        super().__init__()
        self.norm = Norm(c.width, c.architecture)
        self.gate = linear(c.width, c.feed_forward_width) if c.architecture == "llama" else None
        self.add_module("in", linear(c.width, c.feed_forward_width))  # `in` is a Python keyword
        self.out = linear(c.feed_forward_width, c.width)

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(x)
        inner = getattr(self, "in")(x)
        inner = F.gelu(inner) if self.gate is None else F.silu(self.gate(x)) * inner
        return self.out(inner)


class Block(nn.Module):
    """x + attention(x), then x + mlp(x)."""

    def __init__(self, c: Configuration) -> None:
        super().__init__()
        self.attention = Attention(c)
        self.mlp = FeedForward(c)

    def forward(
        self, x: Tensor, rotary: Rotary, documents: Tensor | None, attend: Attend
    ) -> Tensor:
        x = x + self.attention(x, rotary, documents, attend)
        return x + self.mlp(x)


class Model(nn.Module):
    """tokens [B, T] -> logits [B, T, V]. `named_parameters()` gives Assay's parameter names.

    `attend` is the attention to use. `rotary_dtype` is the type that queries and keys are turned
    in; None means that of the residual stream, also under autocast.
    """

    def __init__(
        self,
        c: Configuration,
        attend: Attend = softmax_attention,
        rotary_dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.configuration = c
        self.attend = attend
        self.rotary_dtype = rotary_dtype
        self.rotary = rotary_tables(c.context_length, c.head_width)
        self.embedding = nn.Embedding(c.vocabulary_size, c.width)
        self.blocks = nn.ModuleList(Block(c) for _ in range(c.layers))
        self.final_norm = Norm(c.width, c.architecture)
        self.head = None if c.tied else linear(c.width, c.vocabulary_size)

    def forward(self, tokens: Tensor, documents: Tensor | None = None) -> Tensor:
        x = self.embedding(tokens)
        # Positions restart with each sequence, not with each document.
        cos, sin = (table[: tokens.shape[1]] for table in self.rotary)
        dtype = self.rotary_dtype or x.dtype
        rotary = (cos.to(dtype), sin.to(dtype))
        for block in self.blocks:
            x = block(x, rotary, documents, self.attend)
        x = self.final_norm(x)
        return F.linear(x, self.embedding.weight) if self.head is None else self.head(x)


def losses(logits: Tensor, targets: Tensor, z_loss: float) -> tuple[Tensor, Tensor]:
    """(total, cross entropy), each a mean over the valid targets (those >= 0).

    total = mean(cross entropy + z_loss * logsumexp(logits)^2); reports use the second value.
    """
    valid = targets >= 0
    logits, targets = logits[valid], targets[valid]
    log_sum = logits.logsumexp(dim=-1)
    cross_entropy = log_sum - logits.gather(-1, targets[:, None]).squeeze(-1)
    return (cross_entropy + z_loss * log_sum.square()).mean(), cross_entropy.mean()


# MARK: Training


def global_norm(gradients: Iterable[Tensor]) -> Tensor:
    """The Euclidean norm of all gradients taken as one vector."""
    return torch.stack([gradient.square().sum() for gradient in gradients]).sum().sqrt()


def clipping_factor(norm: Tensor, limit: float) -> Tensor:
    """min(1, limit / norm), exactly: `torch.nn.utils.clip_grad_norm_` divides by norm + 1e-6."""
    return torch.clamp(limit / norm, max=1.0)


def has_decay(parameter: Tensor) -> bool:
    """Every 2-D weight decays, embedding and head too; gains do not."""
    return parameter.dim() == 2


class AdamW:
    """AdamW with decoupled decay and bias correction; epsilon joins the corrected root.

    m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2
    w = w (1 - lr wd) - lr (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps)
    """

    def __init__(
        self,
        parameters: Iterable[Tensor],
        beta1: float = 0.9,
        beta2: float = 0.95,
        epsilon: float = 1e-8,
        weight_decay: float = 0.1,
    ) -> None:
        self.parameters = list(parameters)
        self.first = [torch.zeros_like(parameter) for parameter in self.parameters]
        self.second = [torch.zeros_like(parameter) for parameter in self.parameters]
        self.beta1, self.beta2, self.epsilon = beta1, beta2, epsilon
        self.weight_decay = weight_decay
        self.steps = 0

    @torch.no_grad()
    def step(self, gradients: Iterable[Tensor], learning_rate: float) -> None:
        """Applies one update with the given (already clipped) gradients."""
        self.steps += 1
        correction1 = 1 - self.beta1**self.steps
        correction2 = 1 - self.beta2**self.steps
        for w, g, m, v in zip(self.parameters, gradients, self.first, self.second, strict=True):
            m.copy_(self.beta1 * m + (1 - self.beta1) * g)
            v.copy_(self.beta2 * v + (1 - self.beta2) * g * g)
            direction = (m / correction1) / ((v / correction2).sqrt() + self.epsilon)
            decay = 1 - learning_rate * self.weight_decay if has_decay(w) else 1.0
            w.copy_(w * decay - learning_rate * direction)


def learning_rate_factor(
    step: int, warmup_steps: int, steps: int, final_fraction: float = 0.0
) -> float:
    """The share of the peak learning rate at a zero-based step: linear warm-up, then cosine."""
    if step < warmup_steps:
        return (step + 1) / warmup_steps
    progress = (step - warmup_steps) / (steps - warmup_steps)
    return final_fraction + (1 - final_fraction) * 0.5 * (1 + math.cos(math.pi * progress))
