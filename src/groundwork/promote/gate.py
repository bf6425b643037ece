"""The gate: does a candidate replace the champion?

In: scored rows of the candidates and of the champion, about the same questions. Out: a decision
with its reasons and the numbers behind it. Pure: no files, no registry, no clock.

It looks at the test half of the golden set or, in a domain without one, at the generated test
pairs. The best candidate by mean primary score is compared with the champion, question by
question. Choosing the best of m favours luck, so each test runs at `alpha / m` (Bonferroni).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from groundwork.evaluate import Row
from groundwork.promote.comparison import Comparison, compare
from groundwork.promote.config import PromoteConfig
from groundwork.promote.guards import Guard, check_guards
from groundwork.promote.pairing import CHAMPION, find_faults, gate_dataset, make_sides
from groundwork.records import Split


class Reason(StrEnum):
    """Why the gate decided as it did; the first two promote."""

    FIRST_CHAMPION = "first_champion"
    BETTER = "better"
    NOT_BETTER = "not_better"
    NOT_SIGNIFICANT = "not_significant"
    GUARD = "guard"
    NO_ROWS = "no_rows"
    DUPLICATE_ROWS = "duplicate_rows"
    NAN_ROWS = "nan_rows"
    MISSING_ROWS = "missing_rows"
    OTHER_QUESTIONS = "other_questions"
    RETRIEVER = "retriever"


@dataclass(frozen=True, slots=True)
class Decision:
    """What the gate decided; `dataclasses.asdict` of it is JSON."""

    promoted: bool
    candidate: str
    """Best candidate by primary score; empty when the rows could not be used."""
    champion: str
    """Answerer of the present champion; empty when there is none or its rows were not used."""
    reasons: tuple[Reason, ...]
    details: tuple[str, ...]
    """One sentence for each reason."""
    primary: str
    dataset: str
    split: str
    n: int
    """Questions compared."""
    scores: dict[str, float]
    """Mean primary score by side: every candidate, and `champion`."""
    comparison: Comparison | None
    """None for a first champion and for rows that could not be used."""
    guards: tuple[Guard, ...]


def decide(
    candidate_rows: Sequence[Row], champion_rows: Sequence[Row] | None, config: PromoteConfig
) -> Decision:
    """Decide whether the best of the candidates becomes champion.

    `candidate_rows` are those of every candidate; `Row.answerer` tells them apart.
    `champion_rows` are those of one answerer, about the same questions, or None when there is
    no champion: then the best candidate becomes it. Of equal scores the lower p95 latency wins,
    then the name. Deterministic for given rows.

    Raises: `InputError` when the champion's rows are those of several answerers.
    """
    dataset = gate_dataset(candidate_rows)
    sides = make_sides(candidate_rows, champion_rows, dataset=dataset)
    faults = find_faults(sides, primary=config.primary)
    blank = _refusal({Reason(fault): text for fault, text in faults.items()}, dataset, config)
    if faults:
        return blank
    candidates = {name: rows for name, rows in sides.items() if name != CHAMPION}
    best = min(candidates, key=lambda name: _order(candidates[name], config.primary))
    ready = replace(
        blank,
        candidate=best,
        n=len(candidates[best]),
        scores={name: _mean(rows, config.primary) for name, rows in sides.items()},
    )
    if champion_rows is None:
        detail = f"there is no champion yet, and {best} scores best of {len(candidates)}"
        return replace(ready, promoted=True, reasons=(Reason.FIRST_CHAMPION,), details=(detail,))
    alpha = config.alpha / len(candidates)
    return _compared(ready, candidates[best], sides[CHAMPION], alpha=alpha, config=config)


def _refusal(reasons: dict[Reason, str], dataset: str, config: PromoteConfig) -> Decision:
    return Decision(
        promoted=False,
        candidate="",
        champion="",
        reasons=tuple(reasons),
        details=tuple(reasons.values()),
        primary=config.primary,
        dataset=dataset,
        split=Split.TEST.value,
        n=0,
        scores={},
        comparison=None,
        guards=(),
    )


def _compared(
    ready: Decision,
    candidate: Sequence[Row],
    champion: Sequence[Row],
    *,
    alpha: float,
    config: PromoteConfig,
) -> Decision:
    differences_Q = _scores(candidate, config.primary) - _scores(champion, config.primary)
    found = compare(differences_Q, alpha=alpha, resamples=config.resamples, seed=config.seed)
    pairs = list(zip(candidate, champion, strict=True))
    guards = check_guards(pairs, primary=config.primary, config=config.guards)
    against = _objections(found, guards, config.min_effect)
    better = f"the improvement's lower bound {found.low:+.4f} exceeds {config.min_effect:g}"
    reasons = against or {Reason.BETTER: better}
    return replace(
        ready,
        promoted=not against,
        champion=champion[0].answerer,
        reasons=tuple(reasons),
        details=tuple(reasons.values()),
        comparison=found,
        guards=guards,
    )


def _objections(found: Comparison, guards: Sequence[Guard], min_effect: float) -> dict[Reason, str]:
    """Everything that stops the promotion."""
    objections = {}
    if found.low <= min_effect:
        objections[Reason.NOT_BETTER] = (
            f"the improvement is {found.improvement:+.4f} with the lower bound {found.low:+.4f}; "
            f"expected more than {min_effect:g}"
        )
    if found.p_value > found.alpha:
        objections[Reason.NOT_SIGNIFICANT] = (
            f"p = {found.p_value:.4f} by permutation; expected at most {found.alpha:.4f}"
        )
    fallen = [str(guard) for guard in guards if not guard.held]
    if fallen:
        objections[Reason.GUARD] = "; ".join(fallen)
    return objections


def _scores(rows: Sequence[Row], primary: str) -> np.ndarray:
    return np.array([row.scores[primary] for row in rows], dtype=np.float64)


def _mean(rows: Sequence[Row], primary: str) -> float:
    return round(float(_scores(rows, primary).mean()), 6)


def _order(rows: Sequence[Row], primary: str) -> tuple[float, float, str]:
    latency = float(np.quantile([row.latency_ms for row in rows], 0.95))
    return -_mean(rows, primary), latency, rows[0].answerer
