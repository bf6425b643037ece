"""The one place that speaks TRL's, PEFT's and transformers' argument names.

In: our configuration. Out: their objects. TRL renames its arguments often; a test builds every
file of `conf/model/` with the pinned versions.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from groundwork.base import compute_dtype, older_names
from groundwork.errors import ConfigError
from groundwork.train.config import TrainConfig
from groundwork.train.examples import TrainingPair

OPTIMIZERS = {
    ("adamw", "cpu"): "adamw_torch",
    ("adamw", "cuda"): "adamw_torch",
    ("paged_adamw_8bit", "cpu"): "adamw_bnb_8bit",
    ("paged_adamw_8bit", "cuda"): "paged_adamw_8bit",
}

SMALL = 1e-3
"""Size of a direction that stands in for none."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How long the training is."""

    steps: int
    warmup_steps: int


def make_plan(config: TrainConfig, *, pairs: int) -> Plan:
    """Optimizer steps for that many pairs, or packed sequences of them: `epochs`, but at most
    `max_steps`."""
    per_epoch = math.ceil(pairs / (config.batch_size * config.gradient_accumulation))
    steps = max(1, math.ceil(per_epoch * config.epochs))
    steps = min(steps, config.max_steps or steps)
    return Plan(steps, config.warmup_steps or math.ceil(config.warmup_ratio * steps))


def notes(config: TrainConfig, plan: Plan, *, device: str) -> list[str]:
    """Lines for a person about settings that do not do what they seem to."""
    lines = []
    if config.optimizer == "paged_adamw_8bit" and device == "cpu":
        lines.append("train.optimizer=paged_adamw_8bit: no GPU, so 8-bit AdamW runs without paging")
    if plan.warmup_steps >= plan.steps:
        lines.append(
            f"train.warmup_steps={config.warmup_steps}: the training ends after {plan.steps} "
            "steps, before the warm-up does"
        )
    return lines


def lora_arguments(config: TrainConfig) -> Any:
    """PEFT's form of `train.lora`."""
    from peft import LoraConfig

    return LoraConfig(
        r=config.lora.rank,
        lora_alpha=config.lora.alpha,
        lora_dropout=config.lora.dropout,
        target_modules=sorted(config.lora.target_modules),
        bias=config.lora.bias,
        use_rslora=config.lora.rslora,
        use_dora=config.lora.dora,
        task_type="CAUSAL_LM",
    )


def training_arguments(
    config: TrainConfig, plan: Plan, *, work_dir: Path, max_length: int, device: str, evaluate: bool
) -> Any:
    """TRL's form of `train`. Raises: `ConfigError` on steps that do not go together."""
    from trl import SFTConfig

    if config.save_steps % config.logging_steps:
        raise ConfigError(
            f"train.save_steps={config.save_steps} in params.yaml: expected a multiple of "
            f"train.logging_steps={config.logging_steps}, so that a resumed run logs alike"
        )
    if config.patience and not evaluate:
        raise ConfigError(
            f"train.patience={config.patience} in params.yaml: no validation pairs to look at; "
            "expected some in artifacts/qa/validation.jsonl and train.eval_pairs of at least 1, "
            "or a patience of 0"
        )
    if config.gradient_accumulation % config.processes:
        raise ConfigError(
            f"train.processes={config.processes} in params.yaml: expected a divisor of "
            f"train.gradient_accumulation={config.gradient_accumulation}, so that a step has as "
            "many pairs as in one process"
        )
    if config.sharded and config.processes == 1:
        raise ConfigError(
            "train.sharded=true in params.yaml with train.processes=1: there is nobody to share "
            "the model with; expected 2 or more processes"
        )
    half = _half_precision(device)
    return SFTConfig(
        output_dir=str(work_dir),
        max_length=max_length,
        packing=config.packing,
        eval_packing=False,
        completion_only_loss=True,
        per_device_train_batch_size=config.batch_size,
        per_device_eval_batch_size=config.batch_size,
        gradient_accumulation_steps=config.gradient_accumulation // config.processes,
        ddp_find_unused_parameters=False,
        max_steps=plan.steps,
        learning_rate=config.learning_rate,
        lr_scheduler_type=config.scheduler,
        warmup_steps=plan.warmup_steps,
        optim=OPTIMIZERS[config.optimizer, device],
        weight_decay=config.weight_decay,
        max_grad_norm=config.max_grad_norm,
        activation_checkpointing=config.gradient_checkpointing,
        activation_checkpointing_kwargs={"use_reentrant": False},
        logging_steps=config.logging_steps,
        logging_nan_inf_filter=False,
        save_strategy="steps",
        save_steps=config.save_steps,
        eval_strategy="steps" if evaluate else "no",
        eval_steps=config.eval_steps,
        seed=config.seed,
        data_seed=config.seed,
        use_cpu=device == "cpu",
        bf16=half == "bf16",
        fp16=half == "fp16",
        dataloader_pin_memory=device == "cuda",
        disable_tqdm=True,
        report_to="none",
    )


def _half_precision(device: str) -> str:
    import torch

    if device == "cpu":
        return ""
    return "bf16" if compute_dtype() is torch.bfloat16 else "fp16"


def with_adapters(model: Any, config: TrainConfig) -> Any:
    """Add LoRA adapters to a quantised model; the generators must be seeded before.

    Raises: `ConfigError` when a target module is not in the model.
    """
    from peft import get_peft_model, prepare_model_for_kbit_training

    _check_targets(model, config)
    with older_names():
        prepared = prepare_model_for_kbit_training(
            model,
            use_gradient_checkpointing=config.gradient_checkpointing,
            gradient_checkpointing_kwargs={"use_reentrant": False},
        )
        adapted = get_peft_model(prepared, lora_arguments(config))
    if config.lora.dora:
        _give_directions(adapted)
    return adapted


def _give_directions(model: Any) -> None:
    """A small random direction for each row of zeros, which DoRA would divide by its length of 0.

    Its length stays 0, so that the model answers as before. The embedded model has such rows.
    """
    import torch

    with torch.no_grad():
        for module in model.modules():
            for name, magnitude in getattr(module, "lora_magnitude_vector", {}).items():
                matrix = module.lora_B[name].weight
                rows = magnitude.weight == 0
                matrix[rows] = SMALL * torch.randn_like(matrix[rows])


def _check_targets(model: Any, config: TrainConfig) -> None:
    import torch

    linear = {
        name.rpartition(".")[2]
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear)
    }
    missing = sorted(set(config.lora.target_modules) - linear)
    if missing:
        raise ConfigError(
            f"train.lora.target_modules={config.lora.target_modules} in params.yaml: "
            f"{', '.join(missing)} not in the model; it has {', '.join(sorted(linear))}"
        )


def make_trainer(
    model: Any,
    tokenizer: Any,
    *,
    arguments: Any,
    train: Sequence[TrainingPair],
    validation: Sequence[TrainingPair],
) -> Any:
    """A trainer whose checkpoints hold no pickle, over prompts and completions.

    TRL turns the adapters into bfloat16; they go back to float32, in which a step of 2e-5 is not
    rounded away and Adam's averages are kept.
    """
    import torch
    from datasets import Dataset
    from datasets.utils.logging import disable_progress_bar
    from transformers import PrinterCallback
    from trl import SFTTrainer

    from groundwork.train.checkpoint import without_pickle

    disable_progress_bar()
    rows = [
        [{"prompt": pair.prompt, "completion": pair.completion} for pair in pairs]
        for pairs in (train, validation)
    ]
    trainer = without_pickle(SFTTrainer)(
        model=model,
        args=arguments,
        processing_class=tokenizer,
        train_dataset=Dataset.from_list(rows[0]),
        eval_dataset=Dataset.from_list(rows[1]) if rows[1] else None,
    )
    trainer.remove_callback(PrinterCallback)
    for parameter in trainer.model.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.to(torch.float32)
    return trainer


def set_plus_rate(trainer: Any, config: TrainConfig) -> None:
    """Give the trainer an optimizer in which the B matrices learn `plus_ratio` times as fast."""
    from peft.optimizers import create_loraplus_optimizer

    kind, arguments = trainer.get_optimizer_cls_and_kwargs(trainer.args, trainer.model)
    trainer.optimizer = create_loraplus_optimizer(
        trainer.model,
        kind,
        loraplus_lr_ratio=config.lora.plus_ratio,
        loraplus_weight_decay=config.weight_decay,
        **arguments,
    )
