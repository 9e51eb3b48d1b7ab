# Copyright (c) 2026 The Assay Authors
# SPDX-License-Identifier: Apache-2.0
"""One short training run in PyTorch, as a process: the peer of one trial in `assay bench trials`.

    python pytorch_trial.py '{"model": {...}, "train": "train-00000.tokens",
        "validation": "validation-00000.tokens", "steps": 400, "sequences": 8, "seed": 1,
        "learning_rate": 0.01, "warmup_steps": 40, "final_fraction": 0.1, "beta1": 0.9,
        "beta2": 0.95, "epsilon": 1e-8, "weight_decay": 0.0, "gradient_clip": 0.0,
        "precision": "bf16", "evaluation_tokens": 16384, "evaluation_every": 100, "threads": 1}'

The same work as a trial: the decoder of `reference_models.py`, AdamW, warm-up and cosine, the same
number of tokens in windows that are drawn without replacement, and the same evaluations of the
same length. Prints one JSON object with the validation losses and the seconds of its parts.

Eager, fused AdamW, freed memory kept: for models this small torch.compile takes longer than the
whole run. Token shards are 128 bytes of header, then unsigned 16-bit little-endian ids.
"""

from __future__ import annotations

import json
import math
import sys
import time

START = time.perf_counter()

import numpy as np  # noqa: E402
from pytorch_step import has_decay, keep_freed_memory, total_loss  # noqa: E402
from reference_models import Configuration, Model, learning_rate_factor, library_attention  # noqa: E402

keep_freed_memory()

import torch  # noqa: E402
from torch import Tensor, nn  # noqa: E402

HEADER_BYTES = 128


def windows(path: str, length: int) -> np.ndarray:
    """All windows of length + 1 tokens, each beginning with the last token of the one before."""
    tokens = np.memmap(path, dtype="<u2", mode="r", offset=HEADER_BYTES)
    count = (len(tokens) - 1) // length
    return np.stack([tokens[i * length : i * length + length + 1] for i in range(count)])


def main() -> None:
    trial = json.loads(sys.argv[1])
    torch.set_num_threads(trial["threads"])
    torch.manual_seed(trial["seed"])
    configuration = Configuration.from_mapping(trial["model"])
    bf16 = trial["precision"] == "bf16"
    model = Model(configuration, library_attention, torch.bfloat16 if bf16 else torch.float32)
    # As Assay draws them: normal, 0.02; less where results are added to the residual stream.
    for name, parameter in model.named_parameters():
        if has_decay(parameter):
            is_output = name.endswith(("attention.output.weight", "mlp.out.weight"))
            std = 0.02 / math.sqrt(2 * configuration.layers) if is_output else 0.02
            nn.init.normal_(parameter, std=std)
    parameters = list(model.parameters())
    optimizer = torch.optim.AdamW(
        [
            {"params": [p for p in parameters if has_decay(p)]},
            {"params": [p for p in parameters if not has_decay(p)], "weight_decay": 0.0},
        ],
        lr=trial["learning_rate"],
        betas=(trial["beta1"], trial["beta2"]),
        eps=trial["epsilon"],
        weight_decay=trial["weight_decay"],
        fused=True,
    )
    length, sequences = configuration.context_length, trial["sequences"]
    train = windows(trial["train"], length)
    order = np.random.default_rng(trial["seed"]).permutation(len(train))
    held_out = windows(trial["validation"], length)
    count = max(1, trial["evaluation_tokens"] // length)
    held_out = held_out[np.linspace(0, len(held_out) - 1, count).astype(int)]

    def loss(rows: np.ndarray, z_loss: float) -> Tensor:
        batch = torch.from_numpy(rows.astype(np.int64))
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            logits = model(batch[:, :-1])
        return total_loss(logits, batch[:, 1:], z_loss)

    @torch.no_grad()
    def evaluate() -> float:
        rows = max(1, 4096 // length)
        parts = [held_out[i : i + rows] for i in range(0, len(held_out), rows)]
        return sum(loss(part, 0.0).item() * len(part) for part in parts) / len(held_out)

    ready = time.perf_counter()
    losses = [evaluate()]
    training = 0.0
    for step in range(trial["steps"]):
        begin = time.perf_counter()
        factor = learning_rate_factor(
            step, trial["warmup_steps"], trial["steps"], trial["final_fraction"]
        )
        for group in optimizer.param_groups:
            group["lr"] = trial["learning_rate"] * factor
        value = loss(train[order[np.arange(step * sequences, (step + 1) * sequences) % len(order)]], configuration.z_loss)
        value.backward()
        if trial["gradient_clip"] > 0:
            nn.utils.clip_grad_norm_(parameters, trial["gradient_clip"])
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        training += time.perf_counter() - begin
        if (step + 1) % trial["evaluation_every"] == 0:
            losses.append(evaluate())
    print(
        json.dumps(
            {
                "validation_losses": losses,
                "start_seconds": ready - START,
                "training_seconds": training,
                "steps": trial["steps"],
            }
        )
    )


if __name__ == "__main__":
    main()
