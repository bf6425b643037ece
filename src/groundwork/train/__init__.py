"""QLoRA: adapters on a 4-bit base model, trained on prompts that hold retrieved passages."""

from groundwork.train.checkpoint import (
    checkpoint_dir,
    forget_checkpoints,
    newest_checkpoint,
    notes_on_checkpoints,
    train_to_end,
    without_pickle,
)
from groundwork.train.config import LoraSection, PreferenceSection, TrainConfig
from groundwork.train.estimate import Memory, changes, count_parameters, estimate_memory
from groundwork.train.examples import (
    Prepared,
    Reason,
    Settings,
    TrainingPair,
    prepare_pairs,
)
from groundwork.train.merging import merge_model
from groundwork.train.meter import meter_class
from groundwork.train.patience import BEST, Looks, adapter_tensors, restore_best
from groundwork.train.patience import keeper as best_keeper
from groundwork.train.preferences import Preference, Preferences, make_preferences
from groundwork.train.rates import Rates, measure_rates
from groundwork.train.report import Trained, render_training
from groundwork.train.scores import SCORES, PairScore, score_pairs
from groundwork.train.trl import Plan, make_plan
from groundwork.train.tuning import (
    Tuned,
    history_rows,
    save_adapter,
    tune,
    write_adapter,
)
from groundwork.train.watch import GO, PIPES

__all__ = [
    "BEST",
    "GO",
    "PIPES",
    "SCORES",
    "Looks",
    "LoraSection",
    "Memory",
    "PairScore",
    "Plan",
    "Preference",
    "PreferenceSection",
    "Preferences",
    "Prepared",
    "Rates",
    "Reason",
    "Settings",
    "TrainConfig",
    "Trained",
    "TrainingPair",
    "Tuned",
    "adapter_tensors",
    "best_keeper",
    "changes",
    "checkpoint_dir",
    "count_parameters",
    "estimate_memory",
    "forget_checkpoints",
    "history_rows",
    "make_plan",
    "make_preferences",
    "measure_rates",
    "merge_model",
    "meter_class",
    "newest_checkpoint",
    "notes_on_checkpoints",
    "prepare_pairs",
    "render_training",
    "restore_best",
    "save_adapter",
    "score_pairs",
    "train_to_end",
    "tune",
    "without_pickle",
    "write_adapter",
]
