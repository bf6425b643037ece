"""Figures that must not fall far, however much the primary score improves."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from groundwork.evaluate import Row
from groundwork.promote.config import GuardsConfig

Pair = tuple[Row, Row]
"""A candidate's row and the champion's about the same question."""


@dataclass(frozen=True, slots=True)
class Guard:
    """One figure of both sides and how far it may fall."""

    name: str
    candidate: float | None
    """None when no question has the figure, e.g. groundedness when all are refused."""
    champion: float | None
    limit: float
    """Least value (for latency: greatest value) that the candidate may have."""
    held: bool

    def __str__(self) -> str:
        return f"{self.name}: {self.candidate} against {self.champion}, limit {self.limit}"


def check_guards(pairs: Sequence[Pair], *, primary: str, config: GuardsConfig) -> tuple[Guard, ...]:
    """Hold every guard against the paired rows; those of categories come last, by name."""
    guards = [
        _floor("grounded", _means(pairs, "grounded"), config.grounded),
        _floor("refusal_accuracy", _refusals(pairs), config.refusal_accuracy),
        _latency(pairs, config),
    ]
    for category in sorted({row.category for row, _ in pairs}):
        inside = [pair for pair in pairs if pair[0].category == category]
        if len(inside) >= config.category_questions:
            means = _means(inside, primary)
            guards.append(_floor(f"{primary} of {category}", means, config.category_score))
    return tuple(guards)


def _floor(name: str, sides: tuple[float | None, float | None], margin: float) -> Guard:
    """The candidate may fall by `margin` at most; a figure that one side lacks stops nothing."""
    candidate, champion = sides
    limit = round((champion or 0.0) - margin, 6)
    held = candidate is None or champion is None or candidate >= limit
    return Guard(name, candidate, champion, limit, held)


def _means(pairs: Sequence[Pair], score: str) -> tuple[float | None, float | None]:
    """Mean of a score on each side, over the questions that it applies to there."""
    return (
        _mean([candidate.scores[score] for candidate, _ in pairs]),
        _mean([champion.scores[score] for _, champion in pairs]),
    )


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(sum(known) / len(known), 6) if known else None


def _refusals(pairs: Sequence[Pair]) -> tuple[float | None, float | None]:
    """Share of questions that are refused exactly if they have no answer."""
    return (
        _mean([float(candidate.refused != candidate.answerable) for candidate, _ in pairs]),
        _mean([float(champion.refused != champion.answerable) for _, champion in pairs]),
    )


def _latency(pairs: Sequence[Pair], config: GuardsConfig) -> Guard:
    candidate, champion = (
        round(float(np.quantile([row.latency_ms for row in side], 0.95)), 3)
        for side in zip(*pairs, strict=True)
    )
    limit = max(config.latency_floor_ms, round(champion * config.latency_ratio, 3))
    return Guard("latency_p95_ms", candidate, champion, limit, candidate <= limit)
