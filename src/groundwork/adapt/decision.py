"""Which encoder searches: the adapted one only where it is better on the validation pairs.

In: figures of both on the same questions. Out: their paired differences, and the decision.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from groundwork.adapt.config import AdaptConfig
from groundwork.adapt.relevance import figures_of
from groundwork.promote import compare

DECIDES = "ndcg_at_10"
Figures = Mapping[str, np.ndarray]
"""Of each question (Q,), by the figure's name."""


class Outcome(StrEnum):
    """Why the encoder serves that serves; only the first serves the adapted one."""

    BETTER = "better"
    NOT_BETTER = "not_better"
    TOO_FEW_PAIRS = "too_few_pairs"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class Decision:
    """What searches, and why."""

    outcome: Outcome
    detail: str
    """One sentence for a person."""

    @property
    def serves(self) -> str:
        """`adapted` or `base`."""
        return "adapted" if self.outcome == Outcome.BETTER else "base"


def compare_searches(
    base: Figures, adapted: Figures, *, alpha: float, resamples: int, seed: int
) -> dict[str, Any]:
    """For each figure both means and the paired difference between its one-sided bounds."""
    found = {}
    for name in base:
        difference = compare(
            adapted[name] - base[name], alpha=alpha, resamples=resamples, seed=seed
        )
        found[name] = {
            "base": round(float(base[name].mean()), 6),
            "adapted": round(float(adapted[name].mean()), 6),
            "difference": difference.improvement,
            "low": difference.low,
            "high": difference.high,
            "n": len(base[name]),
        }
    return found


def rank_figures(
    rankings: Sequence[Sequence[int]], relevant: Sequence[set[int]]
) -> dict[str, np.ndarray]:
    """Figures (Q,) of rankings by numbers of passages, best first; none may be empty."""
    rows = [
        figures_of(order, dict.fromkeys(numbers, 1.0))
        for order, numbers in zip(rankings, relevant, strict=True)
    ]
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def switched_off() -> Decision:
    """The decision when nothing is even looked at."""
    return Decision(Outcome.DISABLED, "adapt.enabled=false: the base encoder searches")


def too_few(pairs: int, watched: int, config: AdaptConfig) -> Decision | None:
    """The decision when nothing is trained; None when there is enough to train on."""
    for name, found, least in (
        ("training", pairs, config.min_pairs),
        ("validation", watched, config.min_validation),
    ):
        if found < least:
            key = "min_pairs" if name == "training" else "min_validation"
            return Decision(
                Outcome.TOO_FEW_PAIRS,
                f"{found} {name} pairs, fewer than adapt.{key}={least}: the base encoder searches",
            )
    return None


def decide(figures: Mapping[str, Any]) -> Decision:
    """Serve the adapted encoder when the lower bound of its lead is above 0."""
    lead = figures[DECIDES]
    said = (
        f"nDCG@10 on {lead['n']} validation pairs {lead['base']:.3f} -> {lead['adapted']:.3f}, "
        f"difference {lead['difference']:+.4f} [{lead['low']:+.4f}, {lead['high']:+.4f}]"
    )
    if lead["low"] > 0:
        return Decision(Outcome.BETTER, f"{said}: the adapted encoder searches")
    return Decision(Outcome.NOT_BETTER, f"{said}: not above 0, so the base encoder searches")
