"""Trains the adapter of the encoder, going on from a checkpoint when there is one of the same work.

In: pairs, validation pairs. Out: the matrices of the best look and the history. The same seeds,
data, configuration and processor type give the same bytes, interrupted or not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from groundwork.adapt.config import AdaptConfig
from groundwork.adapt.looks import LOOK, evaluator, keeper
from groundwork.adapt.pairs import Pair, Watched
from groundwork.adapt.trainer import (
    adapted_part,
    load_quantised,
    make_plan,
    make_trainer,
    training_arguments,
)
from groundwork.base import reproducible
from groundwork.errors import InputError
from groundwork.index import Encoder
from groundwork.train import (
    history_rows,
    meter_class,
    notes_on_checkpoints,
    restore_best,
    train_to_end,
    write_adapter,
)

COLUMNS = ("epoch", "loss", "learning_rate", "grad_norm", LOOK)
"""What the history holds of each logged step; nothing in it depends on the clock."""


@dataclass(frozen=True, slots=True)
class Adapted:
    """A trained adapter."""

    model: Any
    """PEFT's model with the best look's matrices."""
    history: list[dict[str, float]]
    """Rows of `step` and what of `COLUMNS` was logged there."""
    best_step: int
    steps: int
    """Steps taken; fewer than planned when the training stopped early."""
    trainable: int
    notes: tuple[str, ...]


def adapt_encoder(
    encoder_dir: Path,
    *,
    pairs: Sequence[Pair],
    watched: Watched,
    config: AdaptConfig,
    work_dir: Path,
) -> Adapted:
    """Train the adapter of the encoder in `encoder_dir`; checkpoints lie in `work_dir`.

    Raises: `InputError` without pairs to train or to watch; `ConfigError` when a target module is
    missing or the loss is not a number.
    """
    _check(pairs, watched)
    plan = make_plan(config, pairs=len(pairs))
    notes = _notes(config, work_dir, bf16=plan.bf16)
    with reproducible(seed=config.seed, threads=config.threads):
        model = load_quantised(encoder_dir, config, bf16=plan.bf16)
        trainer = make_trainer(
            model,
            arguments=training_arguments(config, plan, work_dir=work_dir),
            pairs=pairs,
            evaluator=evaluator(Encoder.load(encoder_dir), watched, config),
            scale=config.scale,
        )
        trainer.add_callback(keeper(work_dir, config))
        trainer.add_callback(meter_class()("adapt: QLoRA"))
        train_to_end(trainer, work_dir)
        state = trainer.state
        if not any(e.get("step") == state.global_step and LOOK in e for e in state.log_history):
            trainer.evaluate()
    history = history_rows(state.log_history, stage="adapt", columns=COLUMNS)
    looks = {row["step"]: row[LOOK] for row in history if LOOK in row}
    part = adapted_part(model)
    restore_best(part, work_dir)
    return Adapted(
        model=part,
        history=history,
        best_step=int(max(looks, key=lambda step: (looks[step], -step))),
        steps=int(state.global_step),
        trainable=sum(p.numel() for p in model.parameters() if p.requires_grad),
        notes=tuple(notes),
    )


def _check(pairs: Sequence[Pair], watched: Watched) -> None:
    for name, found in (("train", pairs), ("validation", watched.questions)):
        if not found:
            raise InputError(
                f"artifacts/qa/{name}.jsonl: no question whose passage is known; expected at least "
                "one: add pages to the domain, or set adapt.enabled=false"
            )


def _notes(config: AdaptConfig, work_dir: Path, *, bf16: bool) -> list[str]:
    lines = []
    if config.precision == "bf16" and not bf16:
        lines.append("adapt.precision=bf16: this processor has no bfloat16, so fp32 is used")
    return [*lines, *notes_on_checkpoints(work_dir)]


def save_encoder_adapter(adapted: Adapted, folder: Path) -> list[str]:
    """Write weights (safetensors) and configuration (sorted JSON); return the names written."""
    return write_adapter(adapted.model, folder, base_name="all-MiniLM-L6-v2", revision=None)
