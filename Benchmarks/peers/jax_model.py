# Copyright (c) 2026 The Assay Authors
# SPDX-License-Identifier: Apache-2.0
"""Assay's two decoders, the loss and AdamW in JAX: what `jax_step.py` times.

The same functions as `reference_models.py`, and the same parameter names with weights [out, in], so that
weights move between the two files unchanged. Plain `jax.numpy`: no other package.

Written the way that was fastest; measured at shape S on 2 cores with AVX-512 (processor time of a step, XLA's
CPU client of interface 0.81, jax 0.10.2):

- linear on [B*T, C] instead of [B, T, C]: fp32 1404 -> 1072 ms, bf16 1625 -> 1128 ms. With three axes the weights'
  gradients contract two of them, and XLA transposes the gradient of the output in a slow loop of its own.
- the target's logit by comparing with the targets instead of gathering it: 1350 -> 1095 ms (a gather's gradient
  is a scatter into all logits).
- layers written out instead of `lax.scan`: 1299 -> 1095 ms.
- the embedding's gradient as a scatter: a product with one-hot rows costs a tenth of the step.
- `jax.nn.dot_product_attention` and the same in two einsums: no difference on a CPU, where the library writes
  the two einsums; on a GPU in bf16 it has cuDNN's kernel.

Shapes: B sequences, T positions, C width, H query heads, K key/value heads, D head width, V vocabulary.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import jax
import jax.numpy as jnp
import numpy
from jax import Array

NORM_EPSILON = 1e-5
ROTARY_BASE = 10_000.0
Parameters = dict[str, Array]


@dataclass(frozen=True)
class Configuration:
    """The sizes and switches of a model, as in `reference_models.py`. Zero means "the default for the others"."""

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

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Configuration:
        """Reads the known keys of a JSON object and fills in the defaults."""
        known = {field.name for field in fields(cls)}
        given = {key: value for key, value in values.items() if key in known}
        c = cls(**given)
        gated = 64 * math.ceil(8 * c.width / 3 / 64)
        defaults = {
            "key_value_heads": c.heads,
            "head_width": c.width // c.heads,
            "feed_forward_width": 4 * c.width if c.architecture == "decoder" else gated,
        }
        for name, value in defaults.items():
            if getattr(c, name) == 0:
                given[name] = value
        return cls(**given)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Every parameter's shape by its name, in the order of the reference."""
        c = self
        shapes: dict[str, tuple[int, ...]] = {"embedding.weight": (c.vocabulary_size, c.width)}
        for layer in range(c.layers):
            attention, mlp = f"blocks.{layer}.attention.", f"blocks.{layer}.mlp."
            shapes[attention + "norm.gain"] = (c.width,)
            shapes[attention + "query.weight"] = (c.heads * c.head_width, c.width)
            shapes[attention + "key.weight"] = (c.key_value_heads * c.head_width, c.width)
            shapes[attention + "value.weight"] = (c.key_value_heads * c.head_width, c.width)
            shapes[attention + "output.weight"] = (c.width, c.heads * c.head_width)
            if c.qk_norm:
                shapes[attention + "query_norm.gain"] = (c.head_width,)
                shapes[attention + "key_norm.gain"] = (c.head_width,)
            shapes[mlp + "norm.gain"] = (c.width,)
            if c.architecture == "llama":
                shapes[mlp + "gate.weight"] = (c.feed_forward_width, c.width)
            shapes[mlp + "in.weight"] = (c.feed_forward_width, c.width)
            shapes[mlp + "out.weight"] = (c.width, c.feed_forward_width)
        shapes["final_norm.gain"] = (c.width,)
        if not c.tied:
            shapes["head.weight"] = (c.vocabulary_size, c.width)
        return shapes


# MARK: Parts


def linear(x: Array, weight: Array, output: Any = None) -> Array:
    """x weight^T in the type of x; `output` is the type of the result, by default that of x."""
    flat = x.reshape(-1, x.shape[-1])
    weight = weight.astype(x.dtype)
    y = jnp.einsum("ni,oi->no", flat, weight, preferred_element_type=output or x.dtype)
    return y.reshape(*x.shape[:-1], -1)


def norm(x: Array, gain: Array, c: Configuration, output: Any) -> Array:
    """LayerNorm (decoder) or RMSNorm (llama) over the last axis, in fp32."""
    x = x.astype(jnp.float32)
    if c.architecture == "decoder":
        x = x - x.mean(-1, keepdims=True)
    scale = jax.lax.rsqrt(jnp.square(x).mean(-1, keepdims=True) + NORM_EPSILON)
    return (x * scale * gain).astype(output)


def rotate(x: Array) -> Array:
    """Turns the pairs (j, j + D/2) of x [B, T, H, D] by the angles of their positions."""
    length, width = x.shape[1], x.shape[-1]
    frequency = ROTARY_BASE ** (-2 * numpy.arange(width // 2) / width)
    angle = (numpy.arange(length)[:, None] * frequency)[:, None, :]
    cos, sin = numpy.cos(angle).astype(numpy.float32), numpy.sin(angle).astype(numpy.float32)
    x1, x2 = jnp.split(x.astype(jnp.float32), 2, axis=-1)
    return jnp.concatenate((x1 * cos - x2 * sin, x2 * cos + x1 * sin), -1).astype(x.dtype)


def attend(query: Array, key: Array, value: Array) -> Array:
    """Causal attention of [B, T, H, D] over [B, T, K, D]."""
    # cuDNN's kernel is for half precision and widths of whole vectors; XLA's program is for all else.
    cudnn = jax.default_backend() == "gpu" and query.dtype == jnp.bfloat16 and query.shape[-1] % 8 == 0
    return jax.nn.dot_product_attention(
        query, key, value, is_causal=True, implementation="cudnn" if cudnn else "xla"
    )


def block(x: Array, p: Parameters, c: Configuration, compute: Any) -> Array:
    """x + attention(x), then x + mlp(x); `p` holds this block's parameters by their short names."""
    split = (*x.shape[:2], -1, c.head_width)
    y = norm(x, p["attention.norm.gain"], c, compute)
    query = linear(y, p["attention.query.weight"]).reshape(split)
    key = linear(y, p["attention.key.weight"]).reshape(split)
    value = linear(y, p["attention.value.weight"]).reshape(split)
    if c.qk_norm:
        query = norm(query, p["attention.query_norm.gain"], c, compute)
        key = norm(key, p["attention.key_norm.gain"], c, compute)
    y = attend(rotate(query), rotate(key), value).reshape(*x.shape[:2], -1)
    x = x + linear(y, p["attention.output.weight"])
    y = norm(x, p["mlp.norm.gain"], c, compute)
    inner = linear(y, p["mlp.in.weight"])
    if c.architecture == "llama":
        inner = jax.nn.silu(linear(y, p["mlp.gate.weight"])) * inner
    else:
        inner = jax.nn.gelu(inner, approximate=False)
    return x + linear(inner, p["mlp.out.weight"])


def model(p: Parameters, tokens: Array, c: Configuration, compute: Any) -> Array:
    """tokens [B, T] -> fp32 logits [B, T, V]; the residual stream is fp32, products are in type `compute`."""
    x = p["embedding.weight"][tokens]
    for layer in range(c.layers):
        prefix = f"blocks.{layer}."
        own = {k.removeprefix(prefix): v for k, v in p.items() if k.startswith(prefix)}
        x = block(x, own, c, compute)
    x = norm(x, p["final_norm.gain"], c, compute)
    head = p["embedding.weight"] if c.tied else p["head.weight"]
    return linear(x, head, jnp.float32)


def total_loss(logits: Array, targets: Array, z_loss: float) -> Array:
    """mean(cross entropy + z_loss * logsumexp^2)."""
    log_sum = jax.nn.logsumexp(logits, axis=-1)
    here = jax.lax.broadcasted_iota(targets.dtype, logits.shape, 2) == targets[..., None]
    chosen = jnp.where(here, logits, 0).sum(-1)
    return (log_sum - chosen + z_loss * jnp.square(log_sum)).mean()


# MARK: Training


@dataclass(frozen=True)
class AdamW:
    """The numbers of the optimizer, and the limit of the gradient's norm."""

    learning_rate: float = 3e-4
    beta1: float = 0.9
    beta2: float = 0.95
    epsilon: float = 1e-8
    weight_decay: float = 0.1
    gradient_clip: float = 1.0

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> AdamW:
        """Reads the known keys of a JSON object."""
        known = {field.name for field in fields(cls)}
        return cls(**{key: value for key, value in values.items() if key in known})


def start(p: Parameters) -> dict[str, Any]:
    """The state of training: weights, both moments, the number of steps taken."""
    return {
        "weights": p,
        "first": jax.tree.map(jnp.zeros_like, p),
        "second": jax.tree.map(jnp.zeros_like, p),
        "steps": jnp.zeros((), jnp.int32),
    }


def loss_and_gradients(
    p: Parameters, tokens: Array, targets: Array, c: Configuration, compute: Any, parts: int
) -> tuple[Array, Parameters]:
    """The mean loss of the batch and its gradients, from `parts` equal parts of the batch one after another."""

    @jax.value_and_grad
    def part(p: Parameters, tokens: Array, targets: Array) -> Array:
        return total_loss(model(p, tokens, c, compute), targets, c.z_loss) / parts

    if parts == 1:
        return part(p, tokens, targets)

    def add(sums: Any, batch: Any) -> tuple[Any, None]:
        return jax.tree.map(jnp.add, sums, part(p, *batch)), None

    batches = tuple(x.reshape(parts, -1, x.shape[-1]) for x in (tokens, targets))
    zeros = (jnp.zeros(()), jax.tree.map(jnp.zeros_like, p))
    return jax.lax.scan(add, zeros, batches)[0]


def training_step(
    state: dict[str, Any],
    tokens: Array,
    targets: Array,
    learning_rate: Array,
    *,
    c: Configuration,
    numbers: AdamW,
    compute: Any,
    parts: int = 1,
) -> tuple[dict[str, Any], Array, Array]:
    """(the next state, the loss before the step, the norm of its gradient before clipping)."""
    loss, gradients = loss_and_gradients(state["weights"], tokens, targets, c, compute, parts)
    norm = jnp.sqrt(sum(jnp.square(g).sum() for g in gradients.values()))
    factor = jnp.minimum(1.0, numbers.gradient_clip / norm)
    steps = state["steps"] + 1
    correction1 = 1 - numbers.beta1 ** steps.astype(jnp.float32)
    correction2 = 1 - numbers.beta2 ** steps.astype(jnp.float32)
    weights, first, second = {}, {}, {}
    for name, w in state["weights"].items():
        g = gradients[name] * factor
        m = numbers.beta1 * state["first"][name] + (1 - numbers.beta1) * g
        v = numbers.beta2 * state["second"][name] + (1 - numbers.beta2) * jnp.square(g)
        direction = (m / correction1) / (jnp.sqrt(v / correction2) + numbers.epsilon)
        decay = numbers.weight_decay if w.ndim == 2 else 0.0
        weights[name] = w * (1 - learning_rate * decay) - learning_rate * direction
        first[name], second[name] = m, v
    return {"weights": weights, "first": first, "second": second, "steps": steps}, loss, norm
