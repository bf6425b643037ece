"""Which encoder searches, and what evaluation says about both."""

from dataclasses import replace

import numpy as np
import pytest
from tiny_base import make_chunks, make_questions
from tiny_encoder import adapt_config

from groundwork.adapt import Outcome, compare_on, compare_searches, decide, too_few


def _figures(base: list[float], adapted: list[float]) -> dict[str, dict[str, float]]:
    sides = ({"ndcg_at_10": np.array(values)} for values in (base, adapted))
    return compare_searches(*sides, alpha=0.025, resamples=500, seed=1)


def test_a_lead_above_chance_serves_the_adapted_encoder() -> None:
    """Every question of forty gains."""
    found = _figures([0.5] * 40, [0.7] * 40)
    assert found["ndcg_at_10"] == {
        "base": 0.5, "adapted": 0.7, "difference": 0.2, "low": 0.2, "high": 0.2, "n": 40,
    }  # fmt: skip
    decision = decide(found)
    assert (decision.outcome, decision.serves) == (Outcome.BETTER, "adapted")
    assert "0.500 -> 0.700" in decision.detail


def test_a_lead_within_chance_does_not() -> None:
    """As many lose as win, but for one: the lower bound is below 0."""
    decision = decide(_figures([0.5] * 41, [0.6] * 21 + [0.4] * 20))
    assert (decision.outcome, decision.serves) == (Outcome.NOT_BETTER, "base")
    assert "the base encoder searches" in decision.detail


def test_no_difference_at_all_keeps_the_base_encoder() -> None:
    """The bound must exceed 0."""
    assert decide(_figures([0.5] * 9, [0.5] * 9)).serves == "base"


@pytest.mark.parametrize(
    ("pairs", "watched", "named"),
    [
        (3, 9, "3 training pairs, fewer than adapt.min_pairs=4"),
        (9, 1, "1 validation pairs, fewer than adapt.min_validation=2"),
    ],
)
def test_nothing_is_trained_without_enough_to_train_on(
    pairs: int, watched: int, named: str
) -> None:
    """The base encoder serves, and the sentence says which key it was."""
    decision = too_few(pairs, watched, adapt_config())
    assert decision is not None
    assert (decision.outcome, decision.serves) == (Outcome.TOO_FEW_PAIRS, "base")
    assert named in decision.detail


def test_enough_pairs_are_trained_on() -> None:
    """At the thresholds themselves."""
    assert too_few(4, 2, adapt_config()) is None


def test_evaluation_compares_each_half_apart() -> None:
    """Golden and generated questions; one whose passage is unknown is left out."""
    chunks = make_chunks()
    golden = [replace(q, origin="golden", split="test") for q in make_questions()[:2]]
    generated = make_questions("test", range(2, 4))
    lost = replace(generated[0], question_id="lost", evidence=())
    places = {q.question: n for n, q in enumerate([*golden, *generated])}

    found = compare_on(
        [*golden, *generated, lost],
        chunks,
        base=lambda question: [9, places[question]],
        adapted=lambda question: [places[question]],
        resamples=200,
        seed=1,
    )
    assert set(found) == {"golden", "generated"}
    assert found["golden"]["test"]["mrr"] == {
        "base": 0.5, "adapted": 1.0, "difference": 0.5, "low": 0.5, "high": 0.5, "n": 2,
    }  # fmt: skip
    assert found["generated"]["test"]["recall_at_1"]["n"] == 2
