"""How surprised a model is by the answers to the validation pairs: exp of the mean loss a token."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from groundwork.base import compute_dtype, device_type

IGNORED = -100
"""Label of a token that is not learned: the prompt's."""


def perplexity(model: Any, rows: Sequence[Mapping[str, Any]]) -> float:
    """Perplexity of the labelled tokens of tokenised `rows`, all of them weighing the same.

    Draws nothing from the generators, so that what is trained afterwards is the same.
    """
    import torch

    was_training = model.training
    model.eval()
    half = torch.autocast("cuda", dtype=compute_dtype(), enabled=device_type() == "cuda")
    with torch.no_grad(), half:
        losses = [_losses(model, row) for row in rows]
    model.train(was_training)
    tokens = sum(len(found) for found in losses)
    return math.exp(sum(found.double().sum().item() for found in losses) / tokens)


def _losses(model: Any, row: Mapping[str, Any]) -> Any:
    """Loss of each answer token; only their positions reach the wide head."""
    import torch

    first = next(n for n, label in enumerate(row["labels"]) if label != IGNORED)
    ids_1T = torch.tensor([row["input_ids"]], device=model.device)
    labels = torch.tensor(row["labels"][first:], device=model.device)
    kept = model(input_ids=ids_1T, use_cache=False, logits_to_keep=len(labels) + 1).logits[0, :-1]
    losses = torch.nn.functional.cross_entropy(kept.float(), labels, reduction="none")
    return losses[labels != IGNORED]
