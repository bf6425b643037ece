"""Several pairs in one sequence: how many sequences that makes, and whether they stay apart.

A packed sequence holds its pairs one after the other, each with positions from 0. A model keeps
them apart only when it makes its attention mask from those positions, or uses flash attention; one
that does not would read the pairs before as context. So it is tried on the model in hand.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from groundwork.errors import ConfigError
from groundwork.train.examples import TrainingPair

TOLERANCE = 1e-2
"""Largest difference of log probabilities: float32 rounds by 1e-5, bfloat16 by 5e-3; a neighbour
that is seen shifts them by more than 0.1."""


def count_sequences(pairs: Sequence[TrainingPair], *, max_length: int, packing: bool) -> int:
    """Sequences of an epoch: the pairs, or the packed sequences of up to `max_length` tokens."""
    if not packing:
        return len(pairs)
    from datasets import Dataset
    from datasets.utils.logging import disable_progress_bar
    from trl import pack_dataset

    disable_progress_bar()
    lengths = Dataset.from_list([{"input_ids": [0] * pair.tokens} for pair in pairs])
    return len(pack_dataset(lengths, max_length, "bfd"))


def check_apart(trainer: Any) -> None:
    """Compare the last pair of a packed sequence with the same pair alone.

    Raises: `ConfigError` when the model lets it see the pairs before.
    """
    import torch

    row = next((r for r in trainer.train_dataset if len(r["seq_lengths"]) > 1), None)
    if row is None:
        return
    model = trainer.model
    was_training = model.training
    model.eval()
    alone = {"input_ids": row["input_ids"][-row["seq_lengths"][-1] :]}
    alone["labels"] = alone["input_ids"]
    with torch.no_grad():
        packed = _log_probabilities(model, trainer.data_collator([row]))
        single = _log_probabilities(model, trainer.data_collator([alone]))
    model.train(was_training)
    difference = (packed[-len(single) :] - single).abs().max().item()
    if difference > TOLERANCE:
        kind = type(model.get_base_model()).__name__
        raise ConfigError(
            f"train.packing=true in params.yaml: {kind} lets the pairs of a sequence see one "
            f"another (log probabilities differ by {difference:.2g}, expected at most "
            f"{TOLERANCE}); set train.packing=false, or install flash attention for this model"
        )


def _log_probabilities(model: Any, batch: Mapping[str, Any]) -> Any:
    """Of the tokens of the last pair that follow its first, in float32."""
    inputs = {name: _on(model.device, value) for name, value in batch.items() if name != "labels"}
    logits = model(**inputs, use_cache=False).logits[0].float()
    start = int((inputs["position_ids"][0] == 0).nonzero()[-1])
    following = inputs["input_ids"][0, start + 1 :]
    logs = logits[start:-1].log_softmax(dim=-1)
    return logs.gather(1, following[:, None])[:, 0]


def _on(device: Any, value: Any) -> Any:
    return value.to(device) if hasattr(value, "to") else value
