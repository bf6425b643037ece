"""Is one side better than another, question by question? The statistics of the gate.

In: paired differences of a score. Out: their mean with bounds and a p-value. Pure.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, slots=True)
class Comparison:
    """Paired improvement of a candidate over another side in a mean score."""

    improvement: float
    low: float
    """Lower bound at one-sided confidence 1 - alpha, by paired bootstrap."""
    high: float
    """Upper bound at the same confidence."""
    p_value: float
    """Of a one-sided sign-flip permutation test of no improvement."""
    alpha: float
    """One-sided; in the gate the configured alpha divided by the number of candidates."""


def compare(differences_Q: "np.ndarray", *, alpha: float, resamples: int, seed: int) -> Comparison:
    """Mean of paired differences (Q,) with one-sided bootstrap bounds and a permutation test.

    The p-value counts the random sign flips whose sum is at least the one found, and the found
    one: valid for any number of questions, which a bootstrap of a few is not.
    """
    import numpy as np

    generator = np.random.default_rng([seed, len(differences_Q)])
    size = (resamples, len(differences_Q))
    means_B = differences_Q[generator.integers(0, size[1], size)].mean(axis=1)
    low, high = np.quantile(means_B, [alpha, 1 - alpha])
    flipped_B = (generator.integers(0, 2, size) * 2 - 1) @ differences_Q
    as_great = int((flipped_B >= differences_Q.sum() - 1e-9).sum())
    return Comparison(
        improvement=round(float(differences_Q.mean()), 6),
        low=round(float(low), 6),
        high=round(float(high), 6),
        p_value=round((1 + as_great) / (1 + resamples), 6),
        alpha=alpha,
    )
