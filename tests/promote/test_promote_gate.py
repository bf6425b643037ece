"""The gate: what promotes, what stops, and how often chance gets through."""

import json
import math
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest

from groundwork.errors import InputError
from groundwork.evaluate import Row
from groundwork.promote.config import GuardsConfig, PromoteConfig
from groundwork.promote.gate import Decision, Reason, compare, decide

CONFIG = PromoteConfig(
    primary="score",
    min_effect=0.0,
    alpha=0.05,
    resamples=2000,
    seed=1,
    guards=GuardsConfig(
        grounded=0.02,
        refusal_accuracy=0.03,
        category_score=0.3,
        category_questions=4,
        latency_ratio=2.0,
        retriever=0.01,
        latency_floor_ms=100,
    ),
)
SIZE = 60


def make_row(number: int, score: float | None, **changes: Any) -> Row:
    """A row about question `number`; twenty categories of three questions, then none."""
    values: dict[str, Any] = {
        "question_id": f"q{number:03}",
        "dataset": "golden",
        "split": "test",
        "answerer": "tuned",
        "question": f"Question {number}?",
        "category": f"c{number % 20}",
        "kind": "fact",
        "answerable": True,
        "reference": "This.",
        "facts": (),
        "evidence": (),
        "answer": "This.",
        "refused": False,
        "confidence": 0.8,
        "sentences": (),
        "quotes": (),
        "cited_urls": (),
        "retrieved_ids": (),
        "retrieved_urls": (),
        "retrieved_texts": (),
        "latency_ms": 50.0,
        "scores": {"score": score, "grounded": 0.9},
    }
    return Row(**{**values, **changes})


def side(right: int, **changes: Any) -> list[Row]:
    """Rows of which the first `right` score 1 and the others 0."""
    return [make_row(number, float(number < right), **changes) for number in range(SIZE)]


CHAMPION = side(30, answerer="extractive")
BETTER = side(50)


def changed(rows: list[Row], number: int, **changes: Any) -> list[Row]:
    """The rows, one of them changed."""
    return [replace(row, **changes) if i == number else row for i, row in enumerate(rows)]


def only(decision: Decision) -> Reason:
    """The decision's one reason."""
    (reason,) = decision.reasons
    assert len(decision.details) == 1
    return reason


def test_a_clear_improvement_is_promoted() -> None:
    """Twenty of sixty questions more: +1/3, far from chance."""
    decision = decide(BETTER, CHAMPION, CONFIG)
    assert decision.promoted
    assert only(decision) is Reason.BETTER
    assert (decision.candidate, decision.champion, decision.n) == ("tuned", "extractive", SIZE)
    assert decision.scores == {"tuned": 0.833333, "champion": 0.5}
    assert decision.comparison is not None
    assert decision.comparison.improvement == pytest.approx(1 / 3, abs=1e-6)
    assert decision.comparison.low > 0.2
    assert decision.comparison.p_value < 0.001
    assert all(guard.held for guard in decision.guards)


def test_the_first_champion_is_the_best_candidate() -> None:
    """Without a champion there is nothing to beat, and no statistics."""
    rows = [*side(20, answerer="base"), *side(40, answerer="extractive"), *side(30)]
    decision = decide(rows, None, CONFIG)
    assert decision.promoted
    assert only(decision) is Reason.FIRST_CHAMPION
    assert decision.candidate == "extractive"
    assert decision.scores == {"base": 0.333333, "extractive": 0.666667, "tuned": 0.5}
    assert decision.comparison is None


def test_of_equal_candidates_the_faster_is_best() -> None:
    """Then the first by name."""
    slow = side(30, answerer="base", latency_ms=900.0)
    assert decide([*slow, *side(30)], None, CONFIG).candidate == "tuned"
    even = side(30, answerer="base")
    assert decide([*side(30), *even], None, CONFIG).candidate == "base"


def test_the_champion_does_not_replace_itself() -> None:
    """No difference at all: lower bound 0, p = 1."""
    decision = decide(CHAMPION, CHAMPION, CONFIG)
    assert not decision.promoted
    assert decision.reasons == (Reason.NOT_BETTER, Reason.NOT_SIGNIFICANT)
    assert decision.comparison is not None
    assert decision.comparison.p_value == 1.0


def test_the_effect_must_exceed_the_minimum() -> None:
    """A third better is not better by a half."""
    decision = decide(BETTER, CHAMPION, replace(CONFIG, min_effect=0.5))
    assert only(decision) is Reason.NOT_BETTER


def test_a_few_questions_are_no_proof() -> None:
    """Three of three improve: a bootstrap cannot doubt it, the permutation test (1/8) does."""
    candidate, champion = BETTER[:3], [replace(row, scores={"score": 0.0, "grounded": 0.9})
                                       for row in CHAMPION[:3]]  # fmt: skip
    decision = decide(candidate, champion, CONFIG)
    assert only(decision) is Reason.NOT_SIGNIFICANT
    assert decision.comparison is not None
    assert decision.comparison.low == 1.0
    assert decision.comparison.p_value == pytest.approx(1 / 8, abs=0.03)


def test_permutation_agrees_with_scipy() -> None:
    """The same one-sided p-value, within the noise of random flips."""
    from scipy.stats import permutation_test

    differences = np.random.default_rng(5).choice([-1.0, 0.0, 1.0], 80, p=[0.15, 0.6, 0.25])
    expected = permutation_test(
        (differences,), np.mean, permutation_type="samples", alternative="greater",
        n_resamples=9999, rng=np.random.default_rng(2),
    ).pvalue  # fmt: skip
    found = compare(differences, alpha=0.05, resamples=10_000, seed=1)
    assert found.p_value == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize("candidates", [1, 6])
def test_chance_is_promoted_no_more_often_than_alpha(candidates: int) -> None:
    """400 draws without any effect, guards wide open; six candidates get no extra luck.

    0.05 and three standard errors of 400 draws: 0.05 + 3 * sqrt(0.05 * 0.95 / 400) = 0.083.
    """
    config = replace(CONFIG, resamples=400, guards=replace(CONFIG.guards, category_questions=999))
    generator = np.random.default_rng(11)
    promotions = 0
    for _ in range(400):
        drawn = generator.random((candidates + 1, SIZE)) < 0.6
        rows = [
            make_row(number, float(right), answerer=f"a{which}")
            for which, answers in enumerate(drawn)
            for number, right in enumerate(answers)
        ]
        promotions += decide(rows[SIZE:], rows[:SIZE], config).promoted
    assert promotions / 400 <= 0.083


def test_a_true_effect_is_usually_promoted() -> None:
    """0.5 against 0.8 on 60 questions: at least 19 of 20 draws."""
    generator = np.random.default_rng(4)
    config = replace(CONFIG, guards=replace(CONFIG.guards, category_questions=999))
    promotions = sum(
        decide(
            [make_row(n, float(x)) for n, x in enumerate(generator.random(SIZE) < 0.8)],
            [make_row(n, float(x)) for n, x in enumerate(generator.random(SIZE) < 0.5)],
            config,
        ).promoted
        for _ in range(40)
    )
    assert promotions >= 38


def test_falling_groundedness_stops() -> None:
    """0.87 against 0.9 with a margin of 0.02."""
    rows = [replace(row, scores={**row.scores, "grounded": 0.87}) for row in BETTER]
    decision = decide(rows, CHAMPION, CONFIG)
    assert only(decision) is Reason.GUARD
    assert decision.details == ("grounded: 0.87 against 0.9, limit 0.88",)
    nothing_said = [replace(row, scores={**row.scores, "grounded": None}) for row in BETTER]
    assert decide(nothing_said, CHAMPION, CONFIG).promoted


def test_falling_refusal_accuracy_stops() -> None:
    """Three of sixty answers become refusals: 0.95 against 1 with a margin of 0.03."""
    rows = [replace(row, refused=number >= 57) for number, row in enumerate(BETTER)]
    decision = decide(rows, CHAMPION, CONFIG)
    assert only(decision) is Reason.GUARD
    assert decision.details == ("refusal_accuracy: 0.95 against 1.0, limit 0.97",)


@pytest.mark.parametrize(("latency_ms", "promoted"), [(100.0, True), (101.0, False)])
def test_rising_latency_stops(latency_ms: float, promoted: bool) -> None:
    """Twice the champion's 50 ms is the limit."""
    rows = [replace(row, latency_ms=latency_ms) for row in BETTER]
    assert decide(rows, CHAMPION, CONFIG).promoted is promoted


def test_a_latency_below_the_floor_never_stops() -> None:
    """A hundred milliseconds are quick enough, whatever the champion takes."""
    rows = [replace(row, latency_ms=99.0) for row in BETTER]
    champion = [replace(row, latency_ms=1.0) for row in CHAMPION]
    assert decide(rows, champion, CONFIG).promoted


def test_a_falling_category_stops() -> None:
    """All ten questions of a category are lost; one of three questions is not guarded."""

    def categorised(rows: list[Row]) -> list[Row]:
        return [replace(row, category="costs" if n < 10 else row.category)
                for n, row in enumerate(rows)]  # fmt: skip

    lost = [make_row(number, float(number >= 10)) for number in range(SIZE)]
    decision = decide(categorised(lost), categorised(CHAMPION), CONFIG)
    assert only(decision) is Reason.GUARD
    assert decision.details == ("score of costs: 0.0 against 1.0, limit 0.7",)
    wide = replace(CONFIG, guards=replace(CONFIG.guards, category_questions=11))
    assert decide(categorised(lost), categorised(CHAMPION), wide).promoted


@pytest.mark.parametrize(
    ("candidate", "champion", "reason", "detail"),
    [
        (BETTER[1:], CHAMPION, Reason.MISSING_ROWS, "tuned has no row about q000"),
        (BETTER, CHAMPION[2:], Reason.MISSING_ROWS, "champion has no row about q000 and 1 more"),
        ([*BETTER, BETTER[0]], CHAMPION, Reason.DUPLICATE_ROWS, "several rows about q000"),
        (changed(BETTER, 3, question="Another?"), CHAMPION, Reason.OTHER_QUESTIONS, "id q003"),
        (changed(BETTER, 3, reference="That."), CHAMPION, Reason.OTHER_QUESTIONS, "id q003"),
        (changed(BETTER, 3, scores={"score": None}), CHAMPION, Reason.NAN_ROWS, "for q003"),
        (changed(BETTER, 3, scores={}), CHAMPION, Reason.NAN_ROWS, "for q003"),
        (BETTER, changed(CHAMPION, 3, scores={"score": math.nan}), Reason.NAN_ROWS, "champion has"),
        (changed(BETTER, 3, latency_ms=math.inf), CHAMPION, Reason.NAN_ROWS, "for q003"),
        (changed(BETTER, 3, scores={"score": 1.0, "grounded": math.nan}), CHAMPION,
         Reason.NAN_ROWS, "for q003"),
        (BETTER, [], Reason.NO_ROWS, "champion has no rows"),
        ([], CHAMPION, Reason.NO_ROWS, "no rows"),
        ([], None, Reason.NO_ROWS, "no rows of any candidate"),
        (side(50, split="dev"), CHAMPION, Reason.NO_ROWS, "tuned has no rows"),
        (BETTER, side(30, dataset="generated"), Reason.NO_ROWS, "champion has no rows"),
    ],
)  # fmt: skip
def test_unfit_rows_are_refused_with_the_reason(
    candidate: list[Row], champion: list[Row] | None, reason: Reason, detail: str
) -> None:
    """Nothing is promoted on rows that are missing, broken or about something else."""
    decision = decide(candidate, champion, CONFIG)
    assert not decision.promoted
    assert reason in decision.reasons
    assert detail in decision.details[decision.reasons.index(reason)]
    assert decision.comparison is None


def test_a_candidate_with_a_broken_row_refuses_a_first_champion_too() -> None:
    """Silence about it would choose among those that happened to finish."""
    broken = changed(side(40, answerer="base"), 5, scores={"score": math.nan})
    assert only(decide([*broken, *BETTER], None, CONFIG)) is Reason.NAN_ROWS


def test_golden_test_questions_decide_where_there_are_any() -> None:
    """Generated pairs and the dev half are ignored; without golden questions the pairs count."""
    noise = [*side(0, dataset="generated"), *side(0, split="dev")]
    decision = decide(
        [*noise, *BETTER], [*CHAMPION, *side(60, split="dev", answerer="extractive")], CONFIG
    )
    assert (decision.promoted, decision.dataset, decision.split) == (True, "golden", "test")
    pairs = decide(side(50, dataset="generated"), side(30, dataset="generated"), CONFIG)
    assert (pairs.promoted, pairs.dataset) == (True, "generated")


def test_rows_of_several_champions_are_an_error() -> None:
    """There is one champion."""
    with pytest.raises(InputError, match="answerers extractive, tuned; expected those of one"):
        decide(BETTER, [*CHAMPION, *BETTER], CONFIG)


def test_decisions_are_plain_and_repeatable() -> None:
    """As JSON, and the same for the same rows in any order."""
    text = json.dumps(asdict(decide(BETTER, CHAMPION, CONFIG)), allow_nan=False)
    assert '"reasons": ["better"]' in text
    assert json.dumps(asdict(decide(BETTER[::-1], CHAMPION[::-1], CONFIG))) == text
