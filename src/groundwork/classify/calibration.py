"""How sure to be of a label, and when a text is about none of them.

In: scores of texts held out, with their labels; where the texts are questions of a domain, also the
share that each label has of the passages found. Out: a `Calibration`: one temperature (Guo et al.
2017, arXiv:1706.04599) for the head, one weight each for words and passages, by likelihood.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from groundwork.records import Retrieved

MOST = {"head": 4.0, "words": 8.0, "passages": 3.0}
"""Factors are at most this: texts that are all told apart would ask for infinite ones."""
VOTE_TEMPERATURE = 0.1
"""A passage whose score is this much lower than the best one's weighs 1/e: .64 of the golden set's
`dev` half right with .1 and .2, .60 with .05, .58 with .4."""
UNSEEN = 0.01
"""Weight of a label that no passage has."""
BINS = 10


@dataclass(frozen=True, slots=True)
class Scores:
    """What speaks for each label of some texts, (B, C)."""

    head_BC: np.ndarray
    words_BC: np.ndarray
    passages_BC: np.ndarray | None = None
    """Shares among the passages found; None where labels are not of passages, or none are known."""

    def parts(self) -> dict[str, np.ndarray]:
        """What is weighed, by the names of its factors."""
        found = {"head": self.head_BC, "words": self.words_BC}
        if self.passages_BC is not None:
            found["passages"] = np.log(self.passages_BC)
        return found


@dataclass(frozen=True, slots=True)
class Calibration:
    """Turns scores into probabilities, and says when a text is out of scope."""

    head: float
    """Factor of the head's scores, an inverse temperature; 0: the head has no say."""
    passages: float
    """Weight of the logarithm of the passages' shares; 0: they have no say."""
    threshold: float
    """Below this energy a text is out of scope."""
    words: float = 0.0
    """Factor of the words' scores; releases up to 0.1 have none."""

    def as_json(self) -> dict[str, float]:
        """Plain numbers."""
        return asdict(self)

    def probabilities(self, scores: Scores) -> np.ndarray:
        """Of every label, (B, C); passages that nobody looked for have no say."""
        factors, parts = asdict(self), scores.parts()
        if not any(factors[name] for name in parts):
            factors["head"] = 1.0
        return softmax(_weighed(parts, factors))


def _weighed(parts: Mapping[str, np.ndarray], factors: Mapping[str, float]) -> np.ndarray:
    return np.asarray(sum(factors[name] * part_BC for name, part_BC in parts.items()))


def softmax(scores_BC: np.ndarray) -> np.ndarray:
    """Probabilities, rows of sum 1."""
    raised_BC = np.exp(scores_BC - scores_BC.max(axis=1, keepdims=True))
    return np.asarray(raised_BC / raised_BC.sum(axis=1, keepdims=True))


def energy(logits_BC: np.ndarray) -> np.ndarray:
    """How much a text is in scope, (B,): the log of the summed exponentials of its scores.

    The negative free energy of Liu et al. 2020, arXiv:2010.03759.
    """
    top_B1 = logits_BC.max(axis=1, keepdims=True)
    return np.asarray(top_B1[:, 0] + np.log(np.exp(logits_BC - top_B1).sum(axis=1)))


def passage_shares(
    retrieved: Sequence[Retrieved],
    labels: Sequence[str],
    judged: Mapping[str, np.ndarray] | None = None,
) -> np.ndarray:
    """The share (C,) that each label has of the passages found, by their scores.

    A passage is half its page's label, half what the head `judged` its own text to be about:
    a page on road trips has passages on queues.
    """
    known = judged or {}
    weights_C = np.full(len(labels), UNSEEN)
    for item in retrieved:
        page_C = np.array([float(item.chunk.category == label) for label in labels])
        own_C = known.get(item.chunk.passage_id)
        weight = float(np.exp((item.score - retrieved[0].score) / VOTE_TEMPERATURE))
        weights_C += weight * (page_C if own_C is None else (page_C + own_C) / 2)
    return np.asarray(weights_C / weights_C.sum())


def fit_calibration(
    scores: Scores,
    right_B: np.ndarray,
    *,
    in_scope_B: np.ndarray,
    outside_B: np.ndarray,
    max_wrong_out: float,
) -> Calibration:
    """The most likely factors for texts held out whose labels' numbers are `right_B`.

    `in_scope_B` and `outside_B` are energies of texts known to be in and out of scope.
    """
    factors, _ = _likeliest(scores.parts(), right_B)
    threshold = _threshold(in_scope_B, outside_B, max_wrong_out)
    return Calibration(**({"passages": 0.0} | factors), threshold=threshold)


def _likeliest(
    parts: Mapping[str, np.ndarray], right_B: np.ndarray
) -> tuple[dict[str, float], float]:
    """The factors that make the right labels likeliest, and their mean log-probability."""
    from scipy.optimize import minimize

    names = list(parts)
    parts_PBC = np.stack([parts[name].astype(np.float64) for name in names])
    rows_B = np.arange(len(right_B))

    def loss(factors_P: np.ndarray) -> tuple[float, np.ndarray]:
        found_BC = softmax(np.tensordot(factors_P, parts_PBC, axes=1))
        value = -np.log(np.maximum(found_BC[rows_B, right_B], 1e-12)).mean()
        found_BC[rows_B, right_B] -= 1
        return float(value), (parts_PBC * found_BC).sum(axis=(1, 2)) / len(right_B)

    bounds = [(0.0, MOST[name]) for name in names]
    found = minimize(loss, np.full(len(names), 0.5), jac=True, method="L-BFGS-B", bounds=bounds)
    factors = dict(zip(names, found.x.round(6).tolist(), strict=True))
    return factors, -float(found.fun)


def _threshold(in_scope_B: np.ndarray, outside_B: np.ndarray, max_wrong_out: float) -> float:
    """Where inside and outside part best; without examples of outside, a quantile of inside."""
    if not len(outside_B):
        return round(float(np.quantile(in_scope_B, max_wrong_out)), 6)
    tried = np.unique(np.concatenate([in_scope_B, outside_B]))
    gains = [float((in_scope_B >= t).mean() - (outside_B >= t).mean()) for t in tried]
    return round(float(tried[int(np.argmax(gains))]), 6)


def likelihood(logits_BC: np.ndarray, right_B: np.ndarray) -> float:
    """Mean log-probability of the right labels, at the sharpness that makes it greatest.

    How sure training left the scores is no matter: `fit_calibration` settles that afterwards.
    """
    return _likeliest({"head": logits_BC}, right_B)[1]


def calibration_error(confidence_B: np.ndarray, right_B: np.ndarray) -> float:
    """Mean distance of confidence and accuracy, over ten bins of equally many texts."""
    order = np.argsort(confidence_B, kind="stable")
    parts = [part for part in np.array_split(order, BINS) if len(part)]
    gaps = [abs(float((confidence_B[part] - right_B[part]).sum())) for part in parts]
    return sum(gaps) / len(order)


def separation(in_scope_B: np.ndarray, outside_B: np.ndarray) -> float:
    """Probability that a text in scope scores above one out of it (AUROC); ties count half."""
    above = (in_scope_B[:, None] > outside_B[None, :]).mean()
    ties = (in_scope_B[:, None] == outside_B[None, :]).mean()
    return float(above + ties / 2)


def figures(probabilities_BC: np.ndarray, right_B: np.ndarray) -> dict[str, float]:
    """Accuracy, macro F1 over the labels that occur, and calibration error."""
    guessed_B = probabilities_BC.argmax(axis=1)
    hit_B = guessed_B == right_B
    scores = []
    for label in np.unique(right_B):
        both = float(((guessed_B == label) & (right_B == label)).sum())
        either = float((guessed_B == label).sum() + (right_B == label).sum())
        scores.append(2 * both / either)
    return {
        "accuracy": round(float(hit_B.mean()), 6),
        "macro_f1": round(float(np.mean(scores)), 6),
        "calibration_error": round(calibration_error(probabilities_BC.max(axis=1), hit_B), 6),
    }


def from_json(value: Mapping[str, Any]) -> Calibration:
    """The inverse of `Calibration.as_json`; releases up to 0.1 say `sharpness` of the head."""
    named = {"head" if name == "sharpness" else name: float(n) for name, n in dict(value).items()}
    return Calibration(**named)
