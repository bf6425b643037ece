"""The figures of one group of scored rows, each with its bootstrap interval."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from groundwork.errors import InputError
from groundwork.evaluate.bootstrap import Resampling, estimate, estimates
from groundwork.evaluate.calibration import calibration_bins, calibration_error, refusal_curve
from groundwork.evaluate.config import EvaluateConfig
from groundwork.evaluate.overlap import corpus_bleu
from groundwork.evaluate.row import Row

BREAKDOWN = ("score", "token_f1", "refusal_accuracy", "grounded")
"""Figures by category and kind; `recall_at` of the greatest depth joins them."""


def columns(rows: Sequence[Row]) -> dict[str, np.ndarray]:
    """Scores by name (Q,), NaN where they do not apply, and the rates of refusal."""
    by_name = {
        name: np.array([math.nan if row.scores[name] is None else row.scores[name] for row in rows])
        for name in rows[0].scores
    }
    refused = np.array([float(row.refused) for row in rows])
    answerable = np.array([row.answerable for row in rows])
    by_name["wrongly_refused"] = np.where(answerable, refused, math.nan)
    by_name["refusal_recall"] = np.where(answerable, math.nan, refused)
    by_name["refusal_precision"] = np.where(refused == 1, 1.0 - answerable, math.nan)
    return by_name


def group_figures(
    rows: Sequence[Row], *, config: EvaluateConfig, how: Resampling
) -> dict[str, Any]:
    """All figures of one answerer on one half of one set of questions; see `summarise`."""
    by_name = columns(rows)
    deepest = f"recall_at_{config.recall_at[-1]}"
    return {
        "n": len(rows),
        "metrics": {
            **estimates(by_name, how),
            **_calibration_error(rows, config, how),
            **_latencies(rows, how),
            **_corpus_bleu(rows),
        },
        "not_applicable": sorted(name for name, c in by_name.items() if np.isnan(c).all()),
        "by_category": _breakdown(rows, "category", deepest, how),
        "by_kind": _breakdown(rows, "kind", deepest, how),
        "calibration": calibration_bins(*_confidence(rows), bins=config.calibration_bins),
        "refusal_curve": refusal_curve(rows),
    }


def _confidence(rows: Sequence[Row]) -> tuple[np.ndarray, np.ndarray]:
    return (
        np.array([row.confidence for row in rows]),
        np.array([row.scores["score"] for row in rows], dtype=np.float64),
    )


def _calibration_error(
    rows: Sequence[Row], config: EvaluateConfig, how: Resampling
) -> dict[str, Any]:
    confidence, score = _confidence(rows)
    weights_BQ = np.vstack([np.ones(len(rows)), how.weights(len(rows))])
    errors = calibration_error(
        confidence, score, bins=config.calibration_bins, weights_BQ=weights_BQ
    )
    return {"calibration_error": estimate(float(errors[0]), errors[1:], how, score)}


def _latencies(rows: Sequence[Row], how: Resampling) -> dict[str, Any]:
    latency = np.array([row.latency_ms for row in rows])
    drawn = np.quantile(latency[how.picks(len(rows))], [0.5, 0.95], axis=1)
    return {
        f"latency_p{percent}_ms": estimate(
            float(np.quantile(latency, percent / 100)), drawn[number], how, latency
        )
        for number, percent in enumerate((50, 95))
    }


def _corpus_bleu(rows: Sequence[Row]) -> dict[str, Any]:
    """Over answerable questions, a refusal as an empty answer; without an interval."""
    chosen = [row for row in rows if row.answerable]
    if not chosen:
        return {}
    answers = ["" if row.refused else row.plain_answer for row in chosen]
    value = round(corpus_bleu(answers, [row.reference for row in chosen]), 6)
    return {"corpus_bleu": {"value": value, "n": len(chosen)}}


def _breakdown(rows: Sequence[Row], field: str, deepest: str, how: Resampling) -> dict[str, Any]:
    table = {}
    for value in sorted({getattr(row, field) for row in rows}):
        inside = [row for row in rows if getattr(row, field) == value]
        by_name = columns(inside)
        figures = {name: by_name[name] for name in (*BREAKDOWN, deepest)}
        table[value] = {"n": len(inside), "metrics": estimates(figures, how)}
    return table


def difference_figures(
    later: Sequence[Row], earlier: Sequence[Row], *, how: Resampling
) -> dict[str, Any]:
    """Paired differences of every score, over the questions that it applies to on both sides.

    Raises: `InputError` when one side has a question that the other lacks.
    """
    alone = sorted({row.question_id for row in later} ^ {row.question_id for row in earlier})
    if alone:
        raise InputError(
            f"evaluate: {later[0].answerer if later else 'one answerer'} and "
            f"{earlier[0].answerer if earlier else 'another'} answered different questions "
            f"({alone[0]} and {len(alone) - 1} more); expected each to answer all of them"
        )
    late, early = columns(later), columns(earlier)
    del late["refusal_precision"]  # always 1 - 1 or 0 - 0 where both sides refused
    return estimates({name: late[name] - early[name] for name in late}, how)
