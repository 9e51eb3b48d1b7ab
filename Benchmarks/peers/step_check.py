# Copyright (c) 2026 The Assay Authors
# SPDX-License-Identifier: Apache-2.0
"""Writes a few training steps of a bench shape, computed by PyTorch, for other programs to repeat.

    python step_check.py --shape-json JSON --steps 4 --output FILE.safetensors

The names are those of `Scripts/fixtures/models.py`: `initial.PARAMETER`, `batch.tokens`, `batch.targets`,
`gradient_norm`, `losses` (before each step), `final.PARAMETER`. Model, loss, clipping and AdamW are those of
`reference_models.py` in fp32; the weights are normal, 0.02, and gains are 1, as in `pytorch_step.py`.
"""

from __future__ import annotations

import argparse
import json

import torch
from reference_models import (
    AdamW,
    Configuration,
    Model,
    clipping_factor,
    global_norm,
    has_decay,
    library_attention,
    losses,
)
from safetensors.torch import save_file


def main() -> None:
    """Trains and writes the file."""
    parser = argparse.ArgumentParser(description="a few training steps as a file")
    parser.add_argument("--shape-json", type=json.loads, required=True, metavar="JSON")
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--output", required=True, metavar="FILE.safetensors")
    options = parser.parse_args()
    shape = options.shape_json
    c = Configuration.from_mapping(shape)
    torch.manual_seed(1)
    model = Model(c, library_attention)
    for parameter in model.parameters():
        if has_decay(parameter):
            torch.nn.init.normal_(parameter, std=0.02)
    size = (2, int(shape["sequences"]), c.context_length)
    tokens, targets = torch.randint(c.vocabulary_size, size)
    named = dict(model.named_parameters())
    result = {f"initial.{name}": p.detach().clone() for name, p in named.items()}
    optimizer = AdamW(named.values())
    values, norms = [], []
    for _ in range(options.steps):
        loss, _ = losses(model(tokens), targets, c.z_loss)
        gradients = torch.autograd.grad(loss, list(named.values()))
        norm = global_norm(gradients)
        factor = clipping_factor(norm, 1.0)
        optimizer.step([gradient * factor for gradient in gradients], 3e-4)
        values.append(loss.item())
        norms.append(norm.item())
    result |= {f"final.{name}": p.detach().clone() for name, p in named.items()}
    result["batch.tokens"] = tokens.to(torch.int32)
    result["batch.targets"] = targets.to(torch.int32)
    result["gradient_norm"] = torch.tensor(norms[:1])
    result["losses"] = torch.tensor(values)
    save_file(result, options.output)
    print(json.dumps({"losses": values, "gradient_norms": norms}))


if __name__ == "__main__":
    main()
