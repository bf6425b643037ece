"""Aggregates, intervals and calibration."""

import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from groundwork.errors import InputError
from groundwork.evaluate import EvaluateConfig, Row, plot_tables, summarise
from groundwork.evaluate.bootstrap import Resampling, estimates, resampled_means
from groundwork.evaluate.calibration import calibration_bins, calibration_error, refusal_curve

CONFIG = EvaluateConfig(
    max_generated=150,
    recall_at=[1],
    grounded_coverage=0.6,
    context_similarity=0.8,
    calibration_bins=10,
    resamples=500,
    confidence=0.95,
    seed=1,
)
HOW = Resampling(resamples=4000, confidence=0.9, seed=7)


def make_row(number: int, answerer: str = "base", score: float = 1.0, **changes: Any) -> Row:
    """A scored row; three of four questions are answerable."""
    answerable = number % 4 != 0
    scores = {
        "score": score,
        "token_f1": score if answerable else None,
        "refusal_accuracy": score,
        "grounded": 0.5,
        "recall_at_1": 1.0 if answerable else None,
    }
    values: dict[str, Any] = {
        "question_id": f"q{number:02}",
        "dataset": "golden",
        "split": "test",
        "answerer": answerer,
        "question": f"Question {number}?",
        "category": "ab"[number % 2],
        "kind": "fact" if answerable else "unanswerable",
        "answerable": answerable,
        "reference": "one two three four five" if answerable else "",
        "facts": (),
        "evidence": (),
        "answer": "one two three four five",
        "refused": not answerable and score == 1,
        "confidence": 0.75,
        "sentences": (),
        "quotes": (),
        "cited_urls": (),
        "retrieved_ids": (),
        "retrieved_urls": (),
        "retrieved_texts": (),
        "latency_ms": float(10 * number),
        "scores": scores,
    }
    return Row(**{**values, **changes})


ROWS = [make_row(number) for number in range(8)]


def test_bootstrap_means_agree_with_a_loop() -> None:
    """The vectorised means equal those of resampling one question after another."""
    values = np.array([[1.0, math.nan], [0.0, 2.0], [5.0, 4.0]])
    how = Resampling(resamples=50, confidence=0.9, seed=3)
    expected = np.full((50, 2), math.nan)
    for number, picks in enumerate(how.picks(3)):
        for column in range(2):
            drawn = [values[i, column] for i in picks if not math.isnan(values[i, column])]
            if drawn:
                expected[number, column] = sum(drawn) / len(drawn)
    np.testing.assert_allclose(resampled_means(values, how), expected)


def test_intervals_agree_with_scipy() -> None:
    """Percentile intervals of a mean, within the noise of two bootstraps."""
    from scipy.stats import bootstrap

    sample = np.random.default_rng(0).normal(0.3, 1.0, 60)
    found = estimates({"x": sample}, HOW)["x"]
    expected = bootstrap(
        (sample,), np.mean, confidence_level=0.9, n_resamples=4000, method="percentile",
        rng=np.random.default_rng(1),
    ).confidence_interval  # fmt: skip
    assert found["value"] == pytest.approx(sample.mean(), abs=1e-6)
    assert (found["low"], found["high"]) == pytest.approx(tuple(expected), abs=0.02)


def test_columns_without_questions_are_left_out() -> None:
    """What applies nowhere has no figure."""
    nothing = np.array([math.nan, math.nan])
    assert estimates({"x": nothing}, HOW) == {}
    assert list(estimates({"x": nothing, "y": np.ones(2)}, HOW)) == ["y"]


def test_calibration_by_hand() -> None:
    """Bins 0.9: |0.95 - 0.5| of two, 0.2: |0.2 - 0| of one -> (2 * 0.45 + 0.2) / 3."""
    confidence, score = np.array([1.0, 0.9, 0.2]), np.array([1.0, 0.0, 0.0])
    assert calibration_bins(confidence, score, bins=10) == [
        {"low": 0.2, "high": 0.3, "n": 1, "confidence": 0.2, "score": 0.0},
        {"low": 0.9, "high": 1.0, "n": 2, "confidence": 0.95, "score": 0.5},
    ]
    errors = calibration_error(
        confidence, score, bins=10, weights_BQ=np.array([[1, 1, 1], [1, 0, 0]])
    )
    assert errors == pytest.approx([1.1 / 3, 0.0])


def test_refusal_curve_by_hand() -> None:
    """Right with 0.9 (answerable) and 0.3 (a refusal that is 0.7 sure): each step moves one."""
    rows = [
        make_row(1, confidence=0.9, refused=False),
        make_row(4, confidence=0.7, refused=True),
    ]
    assert refusal_curve(rows) == [
        {"threshold": 0.3, "wrongly_refused": 0.0, "refused_unanswerable": 0.0},
        {"threshold": 0.9, "wrongly_refused": 0.0, "refused_unanswerable": 1.0},
        {"threshold": 1.000001, "wrongly_refused": 1.0, "refused_unanswerable": 1.0},
    ]
    assert refusal_curve([make_row(1)]) == []


def test_a_group_by_hand() -> None:
    """Of 8 questions 2 have no answer (0 and 4); one answerable (1) is refused."""
    rows = [replace(row, refused=True) if row.question_id == "q01" else row for row in ROWS]
    found = summarise(rows, config=CONFIG)["groups"]["base"]["golden"]["test"]
    metrics = {name: figure["value"] for name, figure in found["metrics"].items()}
    assert found["n"] == 8
    assert metrics["wrongly_refused"] == pytest.approx(1 / 6, abs=1e-6)
    assert metrics["refusal_recall"] == 1.0
    assert metrics["refusal_precision"] == pytest.approx(2 / 3, abs=1e-6)
    assert metrics["latency_p50_ms"] == 35.0
    assert metrics["latency_p95_ms"] == pytest.approx(66.5)  # 60 + 0.65 * 10
    assert metrics["calibration_error"] == 0.25  # all 0.75 sure, all right
    # five of six answers: brevity exp(1 - 30 / 25), all n-grams right
    assert metrics["corpus_bleu"] == pytest.approx(math.exp(-0.2), abs=1e-6)
    assert found["metrics"]["token_f1"] == {"value": 1.0, "low": 1.0, "high": 1.0, "n": 6}
    assert found["by_category"]["a"]["n"] == 4
    assert set(found["by_kind"]) == {"fact", "unanswerable"}


def test_differences_are_paired() -> None:
    """By question, four of eight improve by 1: +0.5, and the interval is above 0."""
    base = [make_row(n, score=float(n >= 4)) for n in range(8)]
    tuned = [make_row(n, "tuned") for n in range(8)]
    summary = summarise([*base, *tuned[::-1]], config=CONFIG)
    found = summary["differences"]["golden"]["test"]["tuned_minus_base"]
    assert found["score"]["value"] == 0.5
    assert found["score"]["low"] > 0
    assert found["token_f1"]["n"] == 6
    assert summary["headline"]["best"] == "tuned"


def test_a_domain_without_golden_set_is_summarised_on_its_pairs() -> None:
    """Test pairs are the headline; figures about refusing do not apply and are named."""
    rows = [make_row(n, dataset="generated") for n in range(8) if n % 4]
    summary = summarise(rows, config=CONFIG)
    group = summary["groups"]["base"]["generated"]["test"]
    head = summary["headline"]
    assert (head["dataset"], head["split"], head["has_golden"]) == ("generated", "test", False)
    assert group["not_applicable"] == ["refusal_precision", "refusal_recall"]
    assert group["refusal_curve"] == []


def test_the_test_half_of_the_golden_set_is_the_headline() -> None:
    """Neither the dev half nor generated pairs count there."""
    dev = [make_row(n, split="dev", score=0.0) for n in range(8, 12)]
    pairs = [make_row(n, dataset="generated", score=0.0) for n in range(12, 16)]
    summary = summarise([*dev, *pairs, *ROWS], config=CONFIG)
    assert summary["headline"]["answerers"]["base"]["score"] == 1.0
    assert summary["groups"]["base"]["golden"]["dev"]["metrics"]["score"]["value"] == 0.0


def test_summaries_are_plain_and_repeatable() -> None:
    """JSON without NaN, the same for the same rows in any order of questions."""
    text = json.dumps(summarise(ROWS, config=CONFIG), allow_nan=False)
    assert json.dumps(summarise(ROWS[::-1], config=CONFIG), allow_nan=False) == text


def test_only_unanswerable_questions_have_no_wording_figures() -> None:
    """No corpus BLEU of nothing."""
    rows = [make_row(0), make_row(4)]
    group = summarise(rows, config=CONFIG)["groups"]["base"]["golden"]["test"]
    assert "corpus_bleu" not in group["metrics"]
    assert "token_f1" in group["not_applicable"]


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (
            make_row(9, scores={**ROWS[0].scores, "score": math.nan}),
            "score of base/golden/q09 is nan",
        ),
        (
            make_row(9, scores={**ROWS[0].scores, "score": None}),
            "score of base/golden/q09 is missing",
        ),
        (make_row(9, scores={}), "base/golden/q09 has other scores than the first row"),
        (make_row(9, confidence=1.5), "confidence of base/golden/q09 is 1.5"),
        (make_row(9, latency_ms=math.inf), "latency_ms of base/golden/q09 is inf"),
        (make_row(3), "base/golden/q03 occurs twice"),
        (make_row(9, "tuned"), "answered different questions"),
    ],
)
def test_broken_rows_are_refused_by_name(broken: Row, message: str) -> None:
    """Nothing that is not a number reaches an aggregate."""
    with pytest.raises(InputError, match=message):
        summarise([*ROWS, broken], config=CONFIG)


def test_many_faults_are_counted() -> None:
    """Five are named, the rest is a number."""
    rows = [make_row(n, latency_ms=math.nan) for n in range(7)]
    with pytest.raises(InputError, match=r"7 faults in 7 rows: .* and 2 more"):
        summarise(rows, config=CONFIG)
    with pytest.raises(InputError, match="no rows"):
        summarise([], config=CONFIG)


def test_plot_tables_hold_the_headline() -> None:
    """One line a point, ready for `dvc plots`."""
    tables = plot_tables(summarise(ROWS, config=CONFIG))
    assert tables["by_kind"][0] == {
        "answerer": "base", "kind": "fact", "value": 1.0, "low": 1.0, "high": 1.0, "n": 6,
    }  # fmt: skip
    assert {row["category"] for row in tables["by_category"]} == {"a", "b"}
    assert tables["calibration"][0]["n"] == 8
    assert tables["refusal"][-1]["wrongly_refused"] == 1.0
