"""Learns, from questions whose answers are known, which sentences to pick and when to refuse.

In: questions with evidence (validation pairs, the golden set's `dev` half). Out: a `Calibration`
for each answerer, stored as `calibration.json`. Nothing of a test split comes here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from groundwork.answer.config import CalibrationConfig
from groundwork.answer.draft import Draft
from groundwork.answer.features import FEATURES, candidates, sentence_features
from groundwork.answer.linear import Logistic, fit_listwise, fit_logistic
from groundwork.answer.matching import is_evidence, squash
from groundwork.answer.retrieval import Retrieval
from groundwork.errors import InputError
from groundwork.records import Question, Retrieved, Split

RANKER_PENALTY = 1e-3
"""L2 penalty of the sentence ranker; 3e-4, 1e-3 and 1e-2 are within .007 of each other in fact
coverage (cross-validation by page on the golden `dev` half)."""
GENERATED_WEIGHT = 0.2
"""Weight of a generated pair in the ranker beside a person's question: it repeats the page."""
CALIBRATION_STRENGTH = 0.1
"""Inverse L2 penalty of the two probabilities."""
GOLDEN_WEIGHT = 5.0
"""A question of a golden set's `dev` half counts as much as this many generated ones: it is what
users ask. Labelled questions count as one: with five, they drown `dev` (AUC .86 against .87)."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Turns the signals of a question into two probabilities, and says when to refuse."""

    answerable: Logistic
    """Probability that the passages hold the answer."""
    right: Logistic
    """Probability that the answer given is right."""
    threshold: float
    """Below this probability of being answerable, the answer is a refusal."""

    def as_json(self) -> dict[str, Any]:
        """Plain numbers."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Calibration":
        """The inverse of `as_json`."""
        return cls(
            Logistic(**value["answerable"]), Logistic(**value["right"]), float(value["threshold"])
        )


@dataclass(frozen=True, slots=True)
class Example:
    """One question as the calibration sees it."""

    signals: Mapping[str, float]
    answerable: bool
    right: bool
    weight: float


def weight_of(question: Question) -> float:
    """How much a question counts."""
    return GOLDEN_WEIGHT if question.split == Split.DEV else 1.0


def fit_ranker(questions: Sequence[Question], retrieval: Retrieval) -> Logistic:
    """Learn which sentences are evidence, from answerable questions with their quotes."""
    lists, weights = [], []
    for question in questions:
        quotes = [squash(evidence.quote) for evidence in question.evidence]
        text = retrieval.mend(question.question)
        retrieved = retrieval.retrieve(text)
        found = candidates(retrieval, retrieved)
        if not quotes or not found:
            continue
        hits_S = np.array([is_evidence(c.text, quotes) for c in found])
        if hits_S.any():
            features_SF = sentence_features(text, found, retrieved, retrieval)
            lists.append((features_SF, hits_S))
            weights.append(1.0 if question.origin == "golden" else GENERATED_WEIGHT)
    if not lists:
        return Logistic(dict.fromkeys(FEATURES, 0.0) | {"cos_sentence": 6.0, "overlap": 4.0}, -4.0)
    return fit_listwise(lists, FEATURES, weights_Q=np.array(weights), penalty=RANKER_PENALTY)


def fit_calibration(examples: Sequence[Example], config: CalibrationConfig) -> Calibration:
    """Fit both models; the threshold keeps wrong refusals of `examples` under the limit.

    The threshold is set on out-of-fold probabilities of the questions with the most weight, so
    that it holds for new questions of their kind.
    Raises: `InputError` without examples.
    """
    if not examples:
        raise InputError(
            "no question to calibrate on: expected pairs in artifacts/qa/validation.jsonl or a "
            "golden set with split `dev`; add pages, or a golden set (domain.golden_path)"
        )
    names = sorted(examples[0].signals)
    signals_BF = np.array([[e.signals[name] for name in names] for e in examples])
    answerable_B = np.array([e.answerable for e in examples], dtype=np.int64)
    right_B = np.array([e.right for e in examples], dtype=np.int64)
    weights_B = np.array([e.weight for e in examples])

    def fit(labels_B: np.ndarray, rows_B: np.ndarray) -> Logistic:
        return fit_logistic(
            signals_BF[rows_B],
            labels_B[rows_B],
            names,
            weights_B=weights_B[rows_B],
            strength=CALIBRATION_STRENGTH,
        )

    everything_B = np.arange(len(examples))
    out_of_fold_B = _out_of_fold(
        lambda rows_B: fit(answerable_B, rows_B), signals_BF, names, config=config
    )
    held_B = answerable_B == 1
    heavy_B = held_B & (weights_B == weights_B.max())
    held_B = heavy_B if heavy_B.any() else held_B
    threshold = _weighted_quantile(
        out_of_fold_B[held_B], weights_B[held_B], config.max_wrong_refusals
    )
    return Calibration(
        answerable=fit(answerable_B, everything_B),
        right=fit(right_B, everything_B),
        threshold=round(threshold, 6),
    )


def _out_of_fold(
    fit: Callable[[np.ndarray], Logistic],
    signals_BF: np.ndarray,
    names: Sequence[str],
    *,
    config: CalibrationConfig,
) -> np.ndarray:
    """Probabilities (B,) from models that did not see the row."""
    size = len(signals_BF)
    fold_B = np.random.default_rng(config.seed).permutation(size) % config.folds
    result_B = np.zeros(size)
    for fold in range(config.folds):
        train_B, held_B = np.flatnonzero(fold_B != fold), np.flatnonzero(fold_B == fold)
        if len(held_B) and len(train_B):
            result_B[held_B] = fit(train_B).probability(signals_BF[held_B], names)
    return result_B


def _weighted_quantile(values_B: np.ndarray, weights_B: np.ndarray, share: float) -> float:
    """The value below which `share` of the weight lies; 0 without values."""
    if not len(values_B):
        return 0.0
    order = np.argsort(values_B, kind="stable")
    below_B = np.cumsum(weights_B[order]) / weights_B.sum()
    return float(values_B[order][np.searchsorted(below_B, share)])


def decide(
    signals: Mapping[str, float], draft: Draft, calibration: Calibration
) -> tuple[bool, float]:
    """Whether to refuse, and the confidence in what is then said."""
    names = sorted(signals)
    row_1F = np.array([[signals[name] for name in names]])
    answerable = float(calibration.answerable.probability(row_1F, names)[0])
    if draft.refused or not draft.supports or answerable < calibration.threshold:
        return True, 1.0 - answerable
    return False, float(calibration.right.probability(row_1F, names)[0])


def without_evidence(question: Question, retrieval: Retrieval) -> list[Retrieved]:
    """Passages for a question whose own documents are left out: a near miss, not an answer."""
    urls = {evidence.url for evidence in question.evidence}
    documents = sorted({c.document_id for c in retrieval.index.chunks if c.url in urls})
    return retrieval.retrieve(retrieval.mend(question.question), without=documents)
