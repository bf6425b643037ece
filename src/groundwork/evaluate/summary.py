"""Aggregates scored rows: by answerer, dataset and split, with intervals, and in pairs.

In: rows with scores. Out: nested plain numbers, the content of `metrics.json`.
"""

import math
from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Any

from groundwork.errors import InputError
from groundwork.evaluate.bootstrap import Resampling
from groundwork.evaluate.config import EvaluateConfig
from groundwork.evaluate.figures import difference_figures, group_figures
from groundwork.evaluate.row import GENERATED, GOLDEN, Row
from groundwork.records import Split

NAMED = 5
"""Faults that an error message names before it only counts them."""


def summarise(rows: Sequence[Row], *, config: EvaluateConfig) -> dict[str, Any]:
    """Figures of scored rows with bootstrap intervals, as numbers, strings, lists and dicts.

    `groups[answerer][dataset][split]` holds `n`, `metrics` (each `value`, `low`, `high`, `n`),
    `not_applicable` (names of figures that no row has), `by_category`, `by_kind`, `calibration`
    and `refusal_curve`; `differences[dataset][split]["tuned_minus_base"]` the paired differences
    per metric. `headline` is the test half of the golden set or, without one, of the generated
    pairs. Deterministic for given rows.

    Raises: `InputError` that names rows whose scores are missing or not numbers, that occur
    twice, or that one answerer has and another lacks.
    """
    _check(rows)
    how = Resampling(config.resamples, config.confidence, config.seed)
    answerers = _distinct(row.answerer for row in rows)
    groups: dict[str, Any] = {}
    for answerer, dataset, split in _distinct((r.answerer, r.dataset, r.split) for r in rows):
        chosen = _select(rows, answerer, dataset, split)
        groups.setdefault(answerer, {}).setdefault(dataset, {})[split] = group_figures(
            chosen, config=config, how=how
        )
    differences: dict[str, Any] = {}
    for dataset, split in _distinct((row.dataset, row.split) for row in rows):
        differences.setdefault(dataset, {})[split] = {
            f"{later}_minus_{earlier}": difference_figures(
                _select(rows, later, dataset, split),
                _select(rows, earlier, dataset, split),
                how=how,
            )
            for earlier, later in combinations(answerers, 2)
        }
    return {
        "answerers": answerers,
        "confidence": config.confidence,
        "headline": _headline(rows, groups, answerers),
        "groups": groups,
        "differences": differences,
    }


def _check(rows: Sequence[Row]) -> None:
    if not rows:
        raise InputError("evaluate: no rows; expected at least one question and one answerer")
    names = set(rows[0].scores)
    faults = [fault for row in rows for fault in _faults(row, names)]
    seen: set[str] = set()
    for row in rows:
        if row.name in seen:
            faults.append(f"{row.name} occurs twice")
        seen.add(row.name)
    if faults:
        more = f" and {len(faults) - NAMED} more" if len(faults) > NAMED else ""
        raise InputError(
            f"evaluate: {len(faults)} faults in {len(rows)} rows: {'; '.join(faults[:NAMED])}"
            f"{more}; expected a finite number (or null where a score does not apply) everywhere"
        )


def _faults(row: Row, names: set[str]) -> list[str]:
    found = [
        f"{name} of {row.name} is {value}"
        for name, value in row.scores.items()
        if value is not None and not math.isfinite(value)
    ]
    if not row.scores or set(row.scores) != names:
        found.append(f"{row.name} has other scores than the first row, or none")
    if not 0 <= row.confidence <= 1:
        found.append(f"confidence of {row.name} is {row.confidence}")
    if not (math.isfinite(row.latency_ms) and row.latency_ms >= 0):
        found.append(f"latency_ms of {row.name} is {row.latency_ms}")
    if row.scores.get("score") is None:
        found.append(f"score of {row.name} is missing")
    return found


def _distinct(items: Iterable[Any]) -> list[Any]:
    return list(dict.fromkeys(items))


def _select(rows: Sequence[Row], answerer: str, dataset: str, split: str) -> list[Row]:
    wanted = (answerer, dataset, split)
    chosen = [row for row in rows if (row.answerer, row.dataset, row.split) == wanted]
    return sorted(chosen, key=lambda row: row.question_id)


def _headline(
    rows: Sequence[Row], groups: dict[str, Any], answerers: Sequence[str]
) -> dict[str, Any]:
    has_golden = any(row.dataset == GOLDEN for row in rows)
    dataset = GOLDEN if has_golden else GENERATED
    splits = _distinct(row.split for row in rows if row.dataset == dataset)
    split = Split.TEST.value if Split.TEST in splits else splits[0]
    figures = {
        answerer: {
            name: figure["value"]
            for name, figure in groups[answerer][dataset][split]["metrics"].items()
        }
        for answerer in answerers
    }
    return {
        "dataset": dataset,
        "split": split,
        "has_golden": has_golden,
        "best": max(answerers, key=lambda name: figures[name]["score"]),
        "answerers": figures,
    }
