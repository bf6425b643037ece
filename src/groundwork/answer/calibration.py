"""Learns when to refuse and how sure to be, from drafts whose rightness is known.

In: questions as signals and vectors, with what was right. Out: a `Calibration` for each answerer,
stored in `calibration.json`. Nothing of a test split comes here.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from groundwork.answer.config import CalibrationConfig
from groundwork.answer.draft import Draft
from groundwork.answer.linear import Logistic, fit_logistic, fit_with_vectors
from groundwork.errors import InputError

CALIBRATION_STRENGTH = 0.1
"""Inverse L2 penalty of the two probabilities."""
VECTOR_SCALE = 4.0
"""By which a question's unit vector is multiplied in the fit: the L2 penalty then weighs less. 2, 4
and 8 give an AUC of .978, .981 and .974 on `dev`, .831, .843 and .839 on labelled questions."""
VECTOR_EXAMPLES = 500
"""Fewer examples cannot tell the 384 weights of a question's vector."""
RESCALED_EXAMPLES = 50
"""Fewer answers cannot tell how confidence is to be scaled."""
RESCALE_STRENGTH = 10.0
"""Inverse L2 penalty of that scale; on `dev` it brings the calibration error from .15 to .10
(cross-validated by page)."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Turns the signals of a question into two probabilities, and says when to refuse."""

    answerable: Logistic
    """Probability that the passages hold the answer."""
    subject: tuple[float, ...]
    """Weights (D,) on the question's vector beside those signals: which questions the domain
    leaves unanswered. Empty where too few were known."""
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
            answerable=Logistic(**value["answerable"]),
            subject=tuple(value.get("subject", ())),  # releases up to 0.1 have none
            right=Logistic(**value["right"]),
            threshold=float(value["threshold"]),
        )

    def probabilities(
        self, signals: Mapping[str, float], vector_D: np.ndarray
    ) -> tuple[float, float]:
        """That the passages hold the answer to the question, and that the answer given is right."""
        names = sorted(signals)
        row_1F = np.array([[signals[name] for name in names]])
        shift = float(np.dot(self.subject, vector_D)) if self.subject else 0.0
        answerable_1 = self.answerable.probability(row_1F, names, shift_B=shift)
        return float(answerable_1[0]), float(self.right.probability(row_1F, names)[0])


@dataclass(frozen=True, slots=True)
class Example:
    """One question as the calibration sees it."""

    signals: Mapping[str, float]
    vector_D: np.ndarray
    """Unit vector of the question."""
    answerable: bool
    right: bool
    weight: float
    group: str
    """What is held out together: a question about a page that was asked about is easier."""


def fit_calibration(
    examples: Sequence[Example], config: CalibrationConfig, *, portable: bool = False
) -> Calibration:
    """Fit both models; the threshold keeps wrong refusals of `examples` under the limit.

    The threshold is set on out-of-fold probabilities of the questions with the most weight, so
    that it holds for new questions of their kind. A `portable` calibration, and one of few
    examples, leaves the question's own vector out: it knows no domain.
    Raises: `InputError` without examples.
    """
    if not examples:
        raise InputError(
            "no question to calibrate on: expected pairs in artifacts/qa/validation.jsonl or a "
            "golden set with split `dev`; add pages, or a golden set (domain.golden_path)"
        )
    names = sorted(examples[0].signals)
    signals_BF = np.array([[e.signals[name] for name in names] for e in examples])
    vectors_BD = VECTOR_SCALE * np.array([e.vector_D for e in examples])
    if portable or len(examples) < VECTOR_EXAMPLES:
        vectors_BD = vectors_BD[:, :0]
    answerable_B = np.array([e.answerable for e in examples], dtype=np.int64)
    right_B = np.array([e.right for e in examples], dtype=np.int64)
    weights_B = np.array([e.weight for e in examples])

    def fit(rows_B: np.ndarray) -> tuple[Logistic, np.ndarray]:
        return fit_with_vectors(
            signals_BF[rows_B],
            vectors_BD[rows_B],
            answerable_B[rows_B],
            names,
            weights_B=weights_B[rows_B],
            strength=CALIBRATION_STRENGTH,
        )

    def fit_right(rows_B: np.ndarray) -> Logistic:
        return fit_logistic(
            signals_BF[rows_B],
            right_B[rows_B],
            names,
            weights_B=weights_B[rows_B],
            strength=CALIBRATION_STRENGTH,
        )

    held_answerable_B, held_right_B = np.zeros(len(examples)), np.zeros(len(examples))
    for train_B, held_B in _folds([e.group for e in examples], config):
        model, subject_D = fit(train_B)
        shift_B = vectors_BD[held_B] @ subject_D
        held_answerable_B[held_B] = model.probability(signals_BF[held_B], names, shift_B=shift_B)
        held_right_B[held_B] = fit_right(train_B).probability(signals_BF[held_B], names)
    everything_B = np.arange(len(examples))
    answerable, subject_D = fit(everything_B)
    threshold = _threshold(held_answerable_B, answerable_B, weights_B, config)
    answered_B = (held_answerable_B >= threshold) & (weights_B == weights_B.max())
    return Calibration(
        answerable=answerable,
        subject=tuple(round(float(w), 6) for w in VECTOR_SCALE * subject_D),
        right=_rescaled(fit_right(everything_B), held_right_B[answered_B], right_B[answered_B]),
        threshold=round(threshold, 6),
    )


def _rescaled(model: Logistic, held_B: np.ndarray, right_B: np.ndarray) -> Logistic:
    """The model with its log-odds scaled and shifted (Platt 1999) to fit what was held out.

    What is confident of hard questions is too modest with those that users ask.
    """
    if len(held_B) < RESCALED_EXAMPLES:
        return model
    clipped_B = np.clip(held_B, 1e-6, 1 - 1e-6)
    logit_B1 = np.log(clipped_B / (1 - clipped_B))[:, None]
    ones_B = np.ones(len(held_B))
    platt = fit_logistic(logit_B1, right_B, ["logit"], weights_B=ones_B, strength=RESCALE_STRENGTH)
    scale = platt.weights["logit"]
    weights = {name: round(scale * weight, 6) for name, weight in model.weights.items()}
    return Logistic(weights, round(scale * model.bias + platt.bias, 6))


def _folds(
    groups: Sequence[str], config: CalibrationConfig
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Rows to learn from and rows held out, a group never in both; empty folds are passed over."""
    names = sorted(set(groups))
    fold_G = np.random.default_rng(config.seed).permutation(len(names)) % config.folds
    fold_of = dict(zip(names, fold_G.tolist(), strict=True))
    fold_B = np.array([fold_of[group] for group in groups])
    for fold in range(config.folds):
        train_B, held_B = np.flatnonzero(fold_B != fold), np.flatnonzero(fold_B == fold)
        if len(held_B) and len(train_B):
            yield train_B, held_B


def _threshold(
    out_of_fold_B: np.ndarray,
    answerable_B: np.ndarray,
    weights_B: np.ndarray,
    config: CalibrationConfig,
) -> float:
    held_B = answerable_B == 1
    heavy_B = held_B & (weights_B == weights_B.max())
    held_B = heavy_B if heavy_B.any() else held_B
    return _weighted_quantile(out_of_fold_B[held_B], weights_B[held_B], config.max_wrong_refusals)


def _weighted_quantile(values_B: np.ndarray, weights_B: np.ndarray, share: float) -> float:
    """The value below which `share` of the weight lies; 0 without values."""
    if not len(values_B):
        return 0.0
    order = np.argsort(values_B, kind="stable")
    below_B = np.cumsum(weights_B[order]) / weights_B.sum()
    return float(values_B[order][np.searchsorted(below_B, share)])


def decide(
    signals: Mapping[str, float], vector_D: np.ndarray, draft: Draft, calibration: Calibration
) -> tuple[bool, float]:
    """Whether to refuse, and the confidence in what is then said."""
    answerable, right = calibration.probabilities(signals, vector_D)
    if draft.refused or not draft.supports or answerable < calibration.threshold:
        return True, 1.0 - answerable
    return False, right
