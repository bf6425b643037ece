"""Preference tuning of the adapter after its training: direct preference optimisation.

Rafailov et al. 2023, arXiv:2305.18290. In: PEFT's model as it was trained, and preferences. Out:
the same model, tuned, and rows for the history. The reference is a frozen copy of the adapter as it
was. Seeds are set anew, so that a resumed training ends with the bytes of an undisturbed one.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from groundwork.base import older_names, reproducible
from groundwork.train.checkpoint import train_to_end, without_pickle
from groundwork.train.config import TrainConfig
from groundwork.train.meter import meter_class
from groundwork.train.preferences import Preference

REFERENCE = "ref"
"""TRL's name of the frozen copy."""
NAMES = {
    "loss": "preference_loss",
    "rewards/margins": "reward_margin",
    "rewards/accuracies": "reward_accuracy",
    "eval_rewards/margins": "eval_reward_margin",
    "eval_rewards/accuracies": "eval_reward_accuracy",
}
"""TRL's name of a figure -> its name in the history."""
SHARED = (
    "activation_checkpointing",
    "activation_checkpointing_kwargs",
    "bf16",
    "data_seed",
    "dataloader_pin_memory",
    "disable_tqdm",
    "eval_steps",
    "fp16",
    "gradient_accumulation_steps",
    "logging_nan_inf_filter",
    "logging_steps",
    "max_grad_norm",
    "max_length",
    "optim",
    "per_device_eval_batch_size",
    "per_device_train_batch_size",
    "save_steps",
    "save_strategy",
    "seed",
    "use_cpu",
    "weight_decay",
)
"""What the training of the answers has settled for both."""


def preference_arguments(trained: Any, config: TrainConfig, *, folder: Path, watched: bool) -> Any:
    """TRL's form of `train.preference`; the rest is as in `trained`, the arguments before."""
    from trl import DPOConfig

    chosen = config.preference
    return DPOConfig(
        **{name: getattr(trained, name) for name in SHARED},
        output_dir=str(folder),
        beta=chosen.beta,
        loss_type=["sigmoid", "sft"] if chosen.sft_weight else ["sigmoid"],
        loss_weights=[1.0, chosen.sft_weight] if chosen.sft_weight else None,
        learning_rate=chosen.learning_rate,
        lr_scheduler_type="linear",
        max_steps=chosen.max_steps,
        eval_strategy="steps" if watched else "no",
        gradient_checkpointing=False,
        report_to="none",
    )


def prefer(
    trainer: Any,
    tokenizer: Any,
    *,
    train: Sequence[Preference],
    validation: Sequence[Preference],
    config: TrainConfig,
) -> list[dict[str, float]]:
    """Tune the model of the finished `trainer`; return what was logged, under `NAMES`.

    Steps go on where the training ended.
    """
    folder = Path(trainer.args.output_dir) / "preference"
    start = int(trainer.state.global_step)
    with reproducible(seed=config.seed, threads=config.threads):
        arguments = preference_arguments(
            trainer.args, config, folder=folder, watched=bool(validation)
        )
        tuner = _tuner(trainer.model, tokenizer, arguments, train=train, validation=validation)
        tuner.add_callback(meter_class()("train: preferences"))
        with older_names():
            train_to_end(tuner, folder)
    trainer.model.delete_adapter(REFERENCE)
    return [_row(entry, start) for entry in tuner.state.log_history]


def _row(entry: dict[str, float], start: int) -> dict[str, float]:
    kept = {NAMES[name]: value for name, value in entry.items() if name in NAMES}
    return {"step": start + entry["step"], **kept}


def _tuner(
    model: Any,
    tokenizer: Any,
    arguments: Any,
    *,
    train: Sequence[Preference],
    validation: Sequence[Preference],
) -> Any:
    """TRL rounds the adapter to bfloat16; what was trained comes back after it."""
    from datasets import Dataset
    from transformers import PrinterCallback
    from trl import DPOTrainer

    rows = [
        [{"prompt": p.prompt, "chosen": p.chosen, "rejected": p.rejected} for p in pairs]
        for pairs in (train, validation)
    ]
    trained = {n: p.detach().clone() for n, p in model.named_parameters() if p.requires_grad}
    with older_names():
        tuner = without_pickle(DPOTrainer)(
            model=model,
            args=arguments,
            processing_class=tokenizer,
            train_dataset=Dataset.from_list(rows[0]),
            eval_dataset=Dataset.from_list(rows[1]) if rows[1] else None,
        )
    tuner.remove_callback(PrinterCallback)
    for name, parameter in model.named_parameters():
        if name in trained:
            parameter.data = trained[name]
    return tuner
