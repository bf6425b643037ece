"""Trains the adapter, going on from a checkpoint when there is one of the same work.

In: a quantised model and pairs. Out: the adapter's weights and the history. The same seeds, data,
configuration and processor type give the same bytes, interrupted or not.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from groundwork.artifacts import write_bytes, write_json
from groundwork.base import BaseInfo, device_type, load_base, reproducible
from groundwork.errors import ConfigError
from groundwork.train.checkpoint import ADAPTER, notes_on_checkpoints, train_to_end
from groundwork.train.config import TrainConfig
from groundwork.train.dpo import NAMES as PREFERENCE_NAMES
from groundwork.train.dpo import prefer
from groundwork.train.examples import Prepared
from groundwork.train.meter import meter_class
from groundwork.train.packing import check_apart, count_sequences
from groundwork.train.patience import Looks, adapter_tensors, keeper, restore_best
from groundwork.train.perplexity import perplexity
from groundwork.train.preferences import Preferences
from groundwork.train.processes import companions, is_first, part_generators
from groundwork.train.sharding import shard
from groundwork.train.trl import (
    make_plan,
    make_trainer,
    notes,
    set_plus_rate,
    training_arguments,
    with_adapters,
)
from groundwork.train.watch import watchers

LOOK = "eval_loss"
COLUMNS = (
    *("epoch", "loss", "learning_rate", "grad_norm", "entropy", LOOK),
    *PREFERENCE_NAMES.values(),
)
"""What the history holds of each logged step; nothing in it depends on the clock."""
PERPLEXITY = "perplexity"
"""Of the validation answers: in the history at step 0, before, and in its last row, after."""


@dataclass(frozen=True, slots=True)
class Tuned:
    """A trained adapter."""

    model: Any
    tokenizer: Any
    history: list[dict[str, float]]
    """Rows of `step`, what of `COLUMNS` was logged there, and `PERPLEXITY`."""
    speed: list[dict[str, float]]
    """Rows of `step`, `tokens_per_s` and `peak_memory_mb`: these differ from run to run."""
    trainable: int
    """Numbers in the adapter."""
    total: int
    """Numbers in base and adapter, as many as they stand for before quantisation."""
    notes: tuple[str, ...]


def tune(
    base_dir: Path,
    *,
    train: Prepared,
    validation: Prepared,
    config: TrainConfig,
    work_dir: Path,
    preferences: tuple[Preferences, ...] = (),
) -> Tuned:
    """Train the adapter of the base model in `base_dir`; checkpoints lie in `work_dir`.

    `preferences`, to train and to watch or none, tune it once more after that. With
    `train.processes` above 1 this process starts the others and is the first of them.

    Raises: `ConfigError` when a target module is missing or the loss is not a number,
    `EngineError` when another process ends too early.
    """
    job = partial(
        _tune,
        base_dir,
        train=train,
        validation=validation,
        config=config,
        work_dir=work_dir,
        preferences=preferences,
    )
    with companions(job, processes=config.processes, threads=config.threads):
        return job()


def _tune(
    base_dir: Path,
    *,
    train: Prepared,
    validation: Prepared,
    config: TrainConfig,
    work_dir: Path,
    preferences: tuple[Preferences, ...],
) -> Tuned:
    """What every process of a training does."""
    device = device_type()
    with reproducible(seed=config.seed, threads=config.threads):
        model, tokenizer, info = load_base(base_dir, on="cpu" if config.sharded else device)
        plan = make_plan(config, pairs=_sequences(train, config, info))
        said = [*notes(config, plan, device=device), *notes_on_checkpoints(work_dir)]
        arguments = training_arguments(
            config,
            plan,
            work_dir=work_dir,
            max_length=info.max_length,
            device=device,
            evaluate=bool(validation.pairs),
        )
        model = with_adapters(model, config)
        if config.sharded:
            shard(model)
        trainer = make_trainer(
            model,
            tokenizer,
            arguments=arguments,
            train=train.pairs,
            validation=validation.pairs,
        )
        meter = meter_class()("train: QLoRA")
        for callback in (meter, *(watchers() if is_first() else ())):
            trainer.add_callback(callback)
        watched = trainer.eval_dataset
        before = perplexity(model, watched) if watched else None
        part_generators(config.seed)
        _train(trainer, config, work_dir)
    logs = list(trainer.state.log_history)
    if preferences:
        train_on, watch = (part.pairs for part in preferences)
        logs += prefer(trainer, tokenizer, train=train_on, validation=watch, config=config)
    history = history_rows(logs, stage="train", columns=COLUMNS)
    if before is not None:
        history.insert(0, {"step": 0, PERPLEXITY: before})
        history[-1][PERPLEXITY] = perplexity(trainer.model, watched)
    trainable = sum(p.numel() for p in model.parameters() if p.requires_grad)
    return Tuned(
        model=trainer.model,
        tokenizer=tokenizer,
        history=history,
        speed=meter.rows,
        trainable=trainable,
        total=info.parameters + trainable,
        notes=tuple(said),
    )


def _sequences(train: Prepared, config: TrainConfig, info: BaseInfo) -> int:
    return count_sequences(train.pairs, max_length=info.max_length, packing=config.packing)


def _train(trainer: Any, config: TrainConfig, work_dir: Path) -> None:
    """Train to the end, or until patience ends."""
    if config.packing:
        check_apart(trainer)
    if config.lora.plus_ratio > 1:
        set_plus_rate(trainer, config)
    if config.patience:
        trainer.add_callback(keeper(work_dir, _looks(config), matrices=adapter_tensors))
    train_to_end(trainer, work_dir)
    if config.patience:  # the trainer has looked at the last step, too
        trainer.accelerator.wait_for_everyone()
        restore_best(trainer.model, work_dir)


def _looks(config: TrainConfig) -> Looks:
    return Looks(LOOK, greater=False, patience=config.patience)


def history_rows(
    logs: Sequence[Mapping[str, float]], *, stage: str, columns: Sequence[str]
) -> list[dict[str, float]]:
    """One row a logged step with those of `columns` that were logged there.

    Raises: `ConfigError` when a number of them is none.
    """
    rows: dict[int, dict[str, float]] = {}
    for entry in logs:
        kept = {name: float(entry[name]) for name in columns if name in entry}
        if not any(name.endswith("loss") or name.startswith("eval_") for name in kept):
            continue
        step = int(entry["step"])
        for name, value in kept.items():
            if not math.isfinite(value):
                raise ConfigError(
                    f"{stage}: {name} is {value} at step {step}; lower {stage}.learning_rate, or "
                    f"set {stage}.max_grad_norm"
                )
        rows.setdefault(step, {"step": step}).update(kept)
    return [rows[step] for step in sorted(rows)]


def save_adapter(tuned: Tuned, folder: Path, *, info: BaseInfo) -> list[str]:
    """Write weights (safetensors) and configuration (sorted JSON); return the names written."""
    name = info.hub_id or info.name
    return write_adapter(tuned.model, folder, base_name=name, revision=info.revision or None)


def write_adapter(model: Any, folder: Path, *, base_name: str, revision: str | None) -> list[str]:
    """Write PEFT's two files from its model, the same bytes for the same weights."""
    from peft import get_peft_model_state_dict
    from safetensors.torch import save

    state = get_peft_model_state_dict(model)
    weights = {name: state[name].detach().cpu().contiguous() for name in sorted(state)}
    write_bytes(folder / ADAPTER, save(weights, metadata={"format": "pt"}))
    settings = model.peft_config["default"].to_dict()
    settings |= {"base_model_name_or_path": base_name, "inference_mode": True}
    settings["revision"] = revision
    write_json(folder / "adapter_config.json", _sorted(settings))
    return ["adapter_config.json", ADAPTER]


def _sorted(value: Any) -> Any:
    """PEFT holds sets, whose order changes from run to run."""
    if isinstance(value, Mapping):
        return {str(key): _sorted(item) for key, item in value.items()}
    if isinstance(value, set):
        return sorted(value)
    return value
