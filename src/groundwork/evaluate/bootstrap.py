"""Percentile bootstrap of many means over the same questions at once.

A mean that does not apply to every question (NaN in its column) becomes a ratio: resampled sum
over resampled number of questions that it applies to. Resamples in which it applies to none are
left out of its interval.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

DIGITS = 6


@dataclass(frozen=True, slots=True)
class Resampling:
    """How intervals are drawn: the same resamples for every group of equal size."""

    resamples: int
    confidence: float
    seed: int

    def picks(self, size: int) -> np.ndarray:
        """Numbers of the questions in each resample -> int (resamples, size)."""
        return _picks(self.resamples, size, self.seed)

    def weights(self, size: int) -> np.ndarray:
        """How often each resample picked each question -> float64 (resamples, size)."""
        return _weights(self.resamples, size, self.seed)

    def interval(self, drawn_B: np.ndarray) -> tuple[float, float]:
        """Ends of the two-sided interval of resampled values (B,); NaN are left out."""
        tail = (1 - self.confidence) / 2
        low, high = np.quantile(drawn_B[~np.isnan(drawn_B)], [tail, 1 - tail])
        return round(float(low), DIGITS), round(float(high), DIGITS)


@lru_cache(maxsize=32)
def _picks(resamples: int, size: int, seed: int) -> np.ndarray:
    return np.random.default_rng([seed, size]).integers(0, size, (resamples, size))


@lru_cache(maxsize=32)
def _weights(resamples: int, size: int, seed: int) -> np.ndarray:
    picks = _picks(resamples, size, seed) + np.arange(resamples)[:, None] * size
    counts = np.bincount(picks.ravel(), minlength=resamples * size)
    return counts.reshape(resamples, size).astype(np.float64)


def resampled_means(values_QF: np.ndarray, how: Resampling) -> np.ndarray:
    """Means of the columns in each resample -> (resamples, F); NaN where none applies."""
    applies_QF = ~np.isnan(values_QF)
    weights_BQ = how.weights(len(values_QF))
    counts_BF = weights_BQ @ applies_QF.astype(np.float64)
    sums_BF = weights_BQ @ np.where(applies_QF, values_QF, 0.0)
    counts_BF[counts_BF == 0] = np.nan
    means_BF: np.ndarray = sums_BF / counts_BF
    return means_BF


def estimates(columns: dict[str, np.ndarray], how: Resampling) -> dict[str, dict[str, float]]:
    """Mean, interval and number of questions of each column (Q,), by name.

    Columns that apply to no question are left out.
    """
    known = {name: column for name, column in columns.items() if not np.isnan(column).all()}
    if not known:
        return {}
    drawn_BF = resampled_means(np.stack(list(known.values()), axis=1), how)
    return {
        name: estimate(float(np.nanmean(column)), drawn_BF[:, number], how, column)
        for number, (name, column) in enumerate(known.items())
    }


def estimate(
    value: float, drawn_B: np.ndarray, how: Resampling, column_Q: np.ndarray
) -> dict[str, float]:
    """A figure with its interval and the number of questions behind it, as plain numbers."""
    low, high = how.interval(drawn_B)
    return {
        "value": round(value, DIGITS),
        "low": low,
        "high": high,
        "n": int((~np.isnan(column_Q)).sum()),
    }
