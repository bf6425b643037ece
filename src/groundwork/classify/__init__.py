"""Question categories and intents: QLoRA of the encoder with a head, calibrated."""

from groundwork.classify.calibration import (
    Calibration,
    Scores,
    energy,
    figures,
    fit_calibration,
    passage_shares,
    separation,
)
from groundwork.classify.classifier import (
    LABELS,
    PASSAGES,
    Classifier,
    Guess,
    describe,
    judge,
    save_judged,
)
from groundwork.classify.config import ClassifyConfig
from groundwork.classify.ensemble import Ensemble
from groundwork.classify.head import HEAD, Head
from groundwork.classify.tuning import Learned, learn, save_learned
from groundwork.classify.utterances import (
    Reason,
    Utterance,
    among,
    hold_out,
    of_passages,
    of_questions,
    read_intents,
    usable,
)
from groundwork.classify.words import WORDS, Words, fit_words

__all__ = [
    "HEAD",
    "LABELS",
    "PASSAGES",
    "WORDS",
    "Calibration",
    "Classifier",
    "ClassifyConfig",
    "Ensemble",
    "Guess",
    "Head",
    "Learned",
    "Reason",
    "Scores",
    "Utterance",
    "Words",
    "among",
    "describe",
    "energy",
    "figures",
    "fit_calibration",
    "fit_words",
    "hold_out",
    "judge",
    "learn",
    "of_passages",
    "of_questions",
    "passage_shares",
    "read_intents",
    "save_judged",
    "save_learned",
    "separation",
    "usable",
]
