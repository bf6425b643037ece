"""Is confidence honest, and what would another threshold of refusal cost?"""

from collections.abc import Sequence

import numpy as np

from groundwork.evaluate.row import Row

Bin = dict[str, float]


def calibration_bins(confidence_Q: np.ndarray, score_Q: np.ndarray, *, bins: int) -> list[Bin]:
    """Mean confidence and mean score in each bin of equal width that holds a question."""
    number_Q = _bin_numbers(confidence_Q, bins)
    table = []
    for number in np.unique(number_Q):
        inside = number_Q == number
        table.append(
            {
                "low": round(float(number) / bins, 6),
                "high": round((float(number) + 1) / bins, 6),
                "n": int(inside.sum()),
                "confidence": round(float(confidence_Q[inside].mean()), 6),
                "score": round(float(score_Q[inside].mean()), 6),
            }
        )
    return table


def calibration_error(
    confidence_Q: np.ndarray, score_Q: np.ndarray, *, bins: int, weights_BQ: np.ndarray
) -> np.ndarray:
    """Expected calibration error (Guo et al. 2017) in each weighting of the questions -> (B,).

    The mean over bins, by their number of questions, of |mean confidence - mean score|; the
    weights of a bin cancel, which leaves |sum of confidence - score| / number of questions.
    """
    member_QF = np.eye(bins)[_bin_numbers(confidence_Q, bins)]
    gaps_BF = np.abs(weights_BQ @ (member_QF * (confidence_Q - score_Q)[:, None]))
    errors_B: np.ndarray = gaps_BF.sum(axis=1) / weights_BQ.sum(axis=1)
    return errors_B


def _bin_numbers(confidence_Q: np.ndarray, bins: int) -> np.ndarray:
    numbers_Q: np.ndarray = np.minimum((confidence_Q * bins).astype(int), bins - 1)
    return numbers_Q


def refusal_curve(rows: Sequence[Row]) -> list[dict[str, float]]:
    """What refusing below each threshold would do: wrongly refused against rightly refused.

    Thresholds are on the probability that the answer is right: the confidence of an answer, or
    one minus that of a refusal. Empty unless there are both kinds of questions.
    """
    answerable = np.array([row.answerable for row in rows])
    if answerable.all() or not answerable.any():
        return []
    right = np.round([1 - r.confidence if r.refused else r.confidence for r in rows], 6)
    thresholds = [*np.unique(right).tolist(), 1.000001]
    return [
        {
            "threshold": round(threshold, 6),
            "wrongly_refused": round(float((right[answerable] < threshold).mean()), 6),
            "refused_unanswerable": round(float((right[~answerable] < threshold).mean()), 6),
        }
        for threshold in thresholds
    ]
