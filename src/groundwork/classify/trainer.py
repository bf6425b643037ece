"""The one place of this room that speaks torch's, PEFT's and transformers' argument names.

In: our configuration and texts as token numbers. Out: their objects: the encoder in 4-bit NF4 with
LoRA matrices and a head on it, and a trainer whose checkpoints hold no pickle.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from groundwork.adapt import Plan, encoder_arguments, has_bf16
from groundwork.base import device_type
from groundwork.classify.config import ClassifyConfig
from groundwork.train import without_pickle

ADAPTER, HEAD = "adapter.", "head."
"""Begin the names of a snapshot's tensors."""
MASK = 103
"""Word piece `[MASK]` of the encoder's vocabulary."""
SPECIAL = 999
"""Word pieces up to this number are marks or unused, and never hidden."""
POOL = 16
"""Batches that are sorted by length together: padding costs as much as words."""


def make_plan(config: ClassifyConfig, *, texts: int) -> Plan:
    """Optimizer steps for that many texts: `epochs`, but at most `max_steps`."""
    steps = max(1, math.ceil(texts * config.epochs / config.batch_size))
    steps = min(steps, config.max_steps or steps)
    warmup_steps = math.ceil(config.warmup_ratio * steps)
    return Plan(steps, warmup_steps, config.precision == "bf16" and has_bf16())


def schedule(lengths: Sequence[int], plan: Plan, config: ClassifyConfig) -> list[int]:
    """Numbers of texts for all steps, one batch after the other, each of texts of like length.

    It is laid down before the training, so that a resumed one sees the same batches.
    """
    rng = np.random.default_rng(config.seed)
    wanted = plan.steps * config.batch_size
    order: list[int] = []
    while len(order) < wanted:
        order += rng.permutation(len(lengths)).tolist()
    batches = []
    for start in range(0, wanted, POOL * config.batch_size):
        pool = order[start : min(start + POOL * config.batch_size, wanted)]
        pool.sort(key=lambda number: (lengths[number], number))
        parts = range(0, len(pool), config.batch_size)
        batches_here = [pool[at : at + config.batch_size] for at in parts]
        batches += [batches_here[n] for n in rng.permutation(len(batches_here))]
    return [number for batch in batches for number in batch]


@cache
def _classifier_class() -> Any:
    import torch
    from peft import get_peft_model_state_dict

    class Learner(torch.nn.Module):  # type: ignore[misc]
        """Encoder and head; `average` is the running mean of everything that is trained."""

        def __init__(self, encoder: Any, prototypes_CKD: Any, config: ClassifyConfig) -> None:
            super().__init__()
            self.encoder, self.settings = encoder, config
            self.prototypes = torch.nn.Parameter(prototypes_CKD)
            self.bias = torch.nn.Parameter(torch.zeros(prototypes_CKD.shape[:2]))
            self.average = {name: t.data.clone() for name, t in self.trained().items()}

        def trained(self) -> dict[str, Any]:
            """What is trained, by name."""
            state = get_peft_model_state_dict(self.encoder)
            found = {ADAPTER + name: state[name] for name in sorted(state)}
            return found | {HEAD + "bias": self.bias, HEAD + "prototypes": self.prototypes}

        def beside(self) -> dict[str, Any]:
            """What checkpoints hold besides the adapter."""
            means = {f"average.{name}": tensor for name, tensor in self.average.items()}
            return {"bias": self.bias, "prototypes": self.prototypes, **means}

        def snapshot(self) -> dict[str, Any]:
            """The running mean, on the processor."""
            return {n: t.detach().float().cpu().clone() for n, t in self.average.items()}

        def follow(self, step: int) -> None:
            """Move the running mean towards the present weights."""
            decay = min(self.settings.averaging, (1 + step) / (10 + step))
            if self.settings.averaging == 0:
                decay = 0.0
            for name, tensor in self.trained().items():
                self.average[name].lerp_(tensor.data, 1 - decay)

        def forward(self, input_ids: Any, attention_mask: Any, labels: Any) -> dict[str, Any]:
            """Loss of a batch."""
            functional = torch.nn.functional
            hidden = torch.rand(input_ids.shape, device=input_ids.device)
            hidden = (hidden < self.settings.token_dropout) & (input_ids > SPECIAL)
            input_ids = input_ids.masked_fill(hidden, MASK)
            states = self.encoder(input_ids=input_ids, attention_mask=attention_mask)[0].float()
            weights = attention_mask.unsqueeze(-1).float()
            mean = (states * weights).sum(1) / weights.sum(1)
            unit = functional.normalize(self.prototypes, dim=-1).flatten(0, 1)
            cosines = functional.normalize(mean, dim=-1) @ unit.transpose(0, 1)
            scores = self.settings.scale * cosines.unflatten(1, self.bias.shape) + self.bias
            logits = scores.logsumexp(dim=-1)
            smoothing = self.settings.label_smoothing
            loss = functional.cross_entropy(logits, labels, label_smoothing=smoothing)
            return {"loss": loss, "logits": logits}

    return Learner


def make_learner(encoder: Any, prototypes_CKD: np.ndarray, config: ClassifyConfig) -> Any:
    """The model in training, on the encoder that `adapt.load_quantised` gives."""
    import torch

    tensor = torch.tensor(prototypes_CKD, dtype=torch.float32)
    learner = _classifier_class()(encoder[0].model, tensor, config)
    return learner.to(device_type())


def training_arguments(config: ClassifyConfig, plan: Plan, *, work_dir: Path) -> Any:
    """Their form of `classify`. Raises: `ConfigError` on steps that do not go together."""
    from transformers import TrainingArguments

    return TrainingArguments(
        output_dir=str(work_dir),
        remove_unused_columns=False,
        **encoder_arguments(config, plan, stage="classify"),
    )


def make_trainer(
    learner: Any,
    *,
    arguments: Any,
    rows: Sequence[Mapping[str, Any]],
    look: Callable[[Any], dict[str, float]],
) -> Any:
    """A trainer over `rows` (`ids`, `label`) in their order; `look` measures the model."""
    import torch
    from transformers import PrinterCallback, Trainer, TrainerCallback

    class Looking(without_pickle(Trainer, adapted=_encoder, beside=_beside)):  # type: ignore[misc]
        """Takes the rows as they come, and looks with the model as it would serve."""

        def _get_train_sampler(self, train_dataset: Any = None) -> Any:  # noqa: ARG002
            return torch.utils.data.SequentialSampler(self.train_dataset)

        def evaluate(self, *_: Any, **__: Any) -> dict[str, float]:
            found = look(self.model)
            self.log(dict(found))
            self.control: Any = self.callback_handler.on_evaluate(
                self.args, self.state, self.control, found
            )
            return found

    class Follow(TrainerCallback):  # type: ignore[misc]
        """Keeps the running mean."""

        def on_step_end(self, args: Any, state: Any, control: Any, **more: Any) -> None:  # noqa: ARG002
            more["model"].follow(state.global_step)

    trainer = Looking(
        model=learner, args=arguments, train_dataset=rows, eval_dataset=rows, data_collator=collate
    )
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(Follow())
    return trainer


def _encoder(learner: Any) -> Any:
    return learner.encoder


def _beside(learner: Any) -> dict[str, Any]:
    return dict(learner.beside())


def collate(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A batch, padded to its longest text."""
    import torch

    longest = max(len(row["ids"]) for row in rows)
    ids = [list(row["ids"]) + [0] * (longest - len(row["ids"])) for row in rows]
    mask = [[1] * len(row["ids"]) + [0] * (longest - len(row["ids"])) for row in rows]
    return {
        "input_ids": torch.tensor(ids),
        "attention_mask": torch.tensor(mask),
        "labels": torch.tensor([row["label"] for row in rows]),
    }
