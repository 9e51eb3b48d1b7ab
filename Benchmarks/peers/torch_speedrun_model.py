# Copyright (c) 2026 The Assay Authors
# SPDX-License-Identifier: Apache-2.0
"""The decoder of `speedrun_model.py` for speed: its matrices in banks, see `torch_speedrun.py`."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from speedrun_model import NORM_EPSILON, Options, Settings, Shape, attends
from torch_speedrun_parts import ChunkedLoss, FP8Head, attend, plain_loss


def norm(x: Tensor) -> Tensor:
    """x over its root mean square."""
    return F.rms_norm(x, x.shape[-1:], eps=NORM_EPSILON)


class Model(nn.Module):
    """The decoder. MLP outputs are stored transposed, [F, C], as the record stores them."""

    def __init__(self, shape: Shape, dtype: torch.dtype, *, fp8: bool, is_compiled: bool) -> None:
        super().__init__()
        self.shape, self.dtype, self.fp8, self.is_compiled = shape, dtype, fp8, is_compiled
        layers, heads, width = shape.layers, shape.heads, shape.width
        self.attention_layers = [i for i in range(layers) if attends(i, shape, Options())]
        count = len(self.attention_layers)

        def parameter(*size: int) -> nn.Parameter:
            return nn.Parameter(torch.empty(*size))

        self.head = parameter(shape.vocabulary_size, width)
        tables = len(set(shape.value_layers.values()))
        self.values = nn.ParameterList(
            parameter(shape.vocabulary_size, width) for _ in range(tables)
        )
        self.attention = parameter(count * 4, width, width)
        self.mlp = parameter(layers * 2, shape.feed_forward_width, width)
        self.gates = parameter(count, heads, shape.gate_channels)
        self.smear_gate = parameter(1, shape.gate_channels)
        self.x0_lambdas = parameter(layers)
        self.residual_lambdas = parameter(layers)
        self.attention_lambdas = parameter(layers, 2)
        self.smear, self.skip, self.backout = (parameter(1) for _ in range(3))

    def load(self, weights: Mapping[str, Tensor]) -> None:
        """Takes weights by Assay's names."""
        with torch.no_grad():
            for name, target in self.named_views():
                target.copy_(weights[name].reshape(target.shape))

    def named_views(self) -> list[tuple[str, Tensor]]:
        """Assay's names, and where in the banks their values are."""
        views = [("head.weight", self.head.data)]
        views += [
            (f"value_embeddings.{i}.weight", table.data) for i, table in enumerate(self.values)
        ]
        for bank, layer in enumerate(self.attention_layers):
            for part, name in enumerate(("query", "key", "value", "output")):
                matrix = self.attention.data[4 * bank + part]
                views.append((f"blocks.{layer}.attention.{name}.weight", matrix))
            views.append((f"blocks.{layer}.attention.gate.weight", self.gates.data[bank]))
        for layer in range(self.shape.layers):
            views.append((f"blocks.{layer}.mlp.in.weight", self.mlp.data[2 * layer]))
            views.append((f"blocks.{layer}.mlp.out.weight", self.mlp.data[2 * layer + 1].T))
        views += [
            ("smear.gate.weight", self.smear_gate.data), ("smear.lambda", self.smear.data),
            ("skip.lambda", self.skip.data), ("backout.lambda", self.backout.data),
            ("residual_lambdas", self.residual_lambdas.data), ("x0_lambdas", self.x0_lambdas.data),
            ("attention_lambdas", self.attention_lambdas.data.view(-1)),
        ]  # fmt: skip
        return views

    def rotate(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        """Backwards, by halves."""
        x1, x2 = x.chunk(2, dim=-1)
        return torch.cat((x1 * cos + x2 * sin, x2 * cos - x1 * sin), dim=-1)

    def attend(
        self, n: Tensor, layer: int, matrices: Tensor, gate: Tensor, lambdas: Tensor,
        tokens: Tensor, rotary: tuple[Tensor, Tensor], masks: tuple[Tensor, Tensor],
        settings: Settings,
    ) -> Tensor:  # fmt: skip
        """The attention of a layer; matrices [4, C, C] of query, key, value and output."""
        shape = self.shape
        # One product for all three. The lambda scales the values alone: queries and keys are
        # normalised, and feel it only by epsilon.
        joined = F.linear(n, matrices[:3].flatten(0, 1))
        query, key, value = joined.unflatten(-1, (3, shape.heads, shape.head_width)).unbind(-3)
        query, key = (self.rotate(norm(part), *rotary) for part in (query, key))
        is_long = layer in shape.long_layers
        if is_long:
            before = torch.cat((key[:, :1], key[:, :-1]), dim=1)
            quarters, shifted = (x.unflatten(-1, (2, 2, -1)) for x in (key, before))
            parts = (quarters[..., 0, :], shifted[..., 1, :])
            key = torch.stack(parts, dim=-2).flatten(-3)
        value = value * lambdas[0]
        if layer in shape.value_layers:
            table = self.values[shape.value_layers[layer]]
            value = value + F.embedding(tokens, table).to(value.dtype).view_as(value)
        window = settings.window if is_long else settings.window_short
        y = attend(query, key, value, masks[0 if is_long else 1], window, settings.scale)
        y = y * F.linear(n[..., : shape.gate_channels], gate).sigmoid().unsqueeze(-1)
        return F.linear(y.flatten(-2), matrices[3]) * lambdas[1]

    def forward(
        self, tokens: Tensor, targets: Tensor, rotary: tuple[Tensor, Tensor],
        masks: tuple[Tensor, Tensor], settings: Settings,
    ) -> Tensor:  # fmt: skip
        """The summed loss of [B, T] tokens.

        Compiled, forward and backward took 0.9 and Adam 0.15 of the eager time (one thread, bf16);
        four fifths of the step are then products near the speed of the processor.
        """
        shape, dtype = self.shape, self.dtype
        attention = self.attention.to(dtype).unflatten(0, (-1, 4)).unbind()
        mlp = self.mlp.to(dtype).unbind()
        gates = self.gates.to(dtype).unbind()
        residual, x0_lambdas, attention_lambdas, smear, skip, backout = (
            p.to(dtype)
            for p in (
                self.residual_lambdas, self.x0_lambdas, self.attention_lambdas, self.smear,
                self.skip, self.backout,
            )
        )  # fmt: skip
        e = F.embedding(tokens, self.head).to(dtype)
        gate = F.linear(e[:, 1:, : shape.gate_channels], self.smear_gate.to(dtype)).sigmoid()
        e = torch.cat((e[:, :1], e[:, 1:] + smear * gate * e[:, :-1]), dim=1)
        x = x0 = norm(e)
        taps: dict[int, Tensor] = {}
        for layer in range(shape.layers):
            if layer == shape.skip_to:
                x = x + skip.sigmoid() * taps[shape.skip_from]
            x = residual[layer] * x + x0_lambdas[layer] * x0
            if layer in self.attention_layers:
                bank = self.attention_layers.index(layer)
                x = x + self.attend(
                    norm(x), layer, attention[bank], gates[bank], attention_lambdas[layer],
                    tokens, rotary, masks, settings,
                )  # fmt: skip
            inner = F.linear(norm(x), mlp[2 * layer]).relu().square()
            x = x + inner @ mlp[2 * layer + 1]
            taps[layer] = x
        x = norm(x - backout * taps[shape.backout_layer]).flatten(0, 1)
        if self.fp8:
            logits = FP8Head.apply(x, self.head)
        else:
            logits = F.linear(x, self.head.to(dtype))
        if self.is_compiled:
            return plain_loss(logits, targets.flatten())
        return ChunkedLoss.apply(logits, targets.flatten())
