"""QLoRA: adapters on a 4-bit base model, trained on prompts that hold retrieved passages."""

from groundwork.train.checkpoint import (
    checkpoint_dir,
    forget_checkpoints,
    newest_checkpoint,
    notes_on_checkpoints,
    without_pickle,
)
from groundwork.train.config import LoraSection, PreferenceSection, TrainConfig
from groundwork.train.examples import (
    Prepared,
    Reason,
    Settings,
    TrainingPair,
    prepare_pairs,
)
from groundwork.train.meter import meter_class
from groundwork.train.preferences import Preference, Preferences, make_preferences
from groundwork.train.scores import SCORES, PairScore, score_pairs
from groundwork.train.tuning import (
    Tuned,
    history_rows,
    save_adapter,
    tune,
    write_adapter,
)
from groundwork.train.watch import GO, PIPES

__all__ = [
    "GO",
    "PIPES",
    "SCORES",
    "LoraSection",
    "PairScore",
    "Preference",
    "PreferenceSection",
    "Preferences",
    "Prepared",
    "Reason",
    "Settings",
    "TrainConfig",
    "TrainingPair",
    "Tuned",
    "checkpoint_dir",
    "forget_checkpoints",
    "history_rows",
    "make_preferences",
    "meter_class",
    "newest_checkpoint",
    "notes_on_checkpoints",
    "prepare_pairs",
    "save_adapter",
    "score_pairs",
    "tune",
    "without_pickle",
    "write_adapter",
]
