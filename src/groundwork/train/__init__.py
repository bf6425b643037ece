"""QLoRA: adapters on a 4-bit base model, trained on prompts that hold retrieved passages."""

from groundwork.train.config import LoraSection, TrainConfig
from groundwork.train.examples import (
    Prepared,
    Reason,
    Settings,
    TrainingPair,
    prepare_pairs,
)
from groundwork.train.tuning import Tuned, forget_checkpoints, save_adapter, tune

__all__ = [
    "LoraSection",
    "Prepared",
    "Reason",
    "Settings",
    "TrainConfig",
    "TrainingPair",
    "Tuned",
    "forget_checkpoints",
    "prepare_pairs",
    "save_adapter",
    "tune",
]
