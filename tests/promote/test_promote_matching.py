"""Questions that changed since the champion was evaluated are left out, and that is said."""

from dataclasses import replace
from typing import Any

import pytest

from groundwork.evaluate import Row
from groundwork.promote.gate import Decision, Reason
from groundwork.promote.matching import match_questions, refuse_few

DECISION = Decision(
    promoted=True,
    candidate="tuned",
    champion="extractive",
    reasons=(Reason.BETTER,),
    details=("better",),
    primary="score",
    dataset="golden",
    split="test",
    n=3,
    scores={},
    comparison=None,
    guards=(),
)


def _row(number: int, answerer: str = "tuned", **changes: Any) -> Row:
    values: dict[str, Any] = {
        "question_id": f"q{number}",
        "dataset": "golden",
        "split": "test",
        "answerer": answerer,
        "question": f"Question {number}?",
        "category": "cats",
        "kind": "fact",
        "answerable": True,
        "reference": "This.",
        "facts": (("this",),),
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
        "scores": {"score": 1.0, "grounded": 1.0},
    }
    return Row(**values | changes)


def test_same_questions_are_all_compared() -> None:
    """Rows of several candidates stay, in their order; there is nothing to say."""
    candidates = [_row(n, name) for name in ("tuned", "base") for n in range(3)]
    champion = [_row(n, "extractive") for n in range(3)]
    matched = match_questions(candidates, champion)
    assert matched.candidate_rows == tuple(candidates)
    assert matched.champion_rows == tuple(champion)
    assert matched.note == ""
    assert refuse_few(DECISION, matched) == DECISION


@pytest.mark.parametrize(
    "change",
    [
        {"question": "Another question?"},
        {"reference": "That."},
        {"facts": (("that",),)},
        {"answerable": False},
        {"category": "dogs"},
    ],
)
def test_question_that_changed_under_its_id_is_left_out(change: dict[str, Any]) -> None:
    """On both sides: its old score says nothing about the new question."""
    matched = match_questions(
        [_row(1), _row(2)], [_row(1, "extractive", **change), _row(2, "extractive")]
    )
    assert [row.question_id for row in matched.candidate_rows] == ["q2"]
    assert [row.question_id for row in matched.champion_rows] == ["q2"]
    assert "1 of 2 are the same" in matched.note


def test_other_splits_and_datasets_do_not_count() -> None:
    """The gate looks at the test half of the golden set where there is one."""
    candidates = [_row(1), _row(2, split="dev"), _row(3, dataset="generated")]
    matched = match_questions(candidates, [_row(1, "extractive")])
    assert (matched.common, matched.asked, matched.missing, matched.note) == (1, 1, 0, "")


def test_questions_that_were_dropped_are_mentioned() -> None:
    """The champion was asked more: the rest is compared and the note says so."""
    matched = match_questions([_row(1)], [_row(n, "extractive") for n in (1, 2)])
    assert (matched.common, matched.missing) == (1, 1)
    assert "1 of 1 are the same" in matched.note


@pytest.mark.parametrize(("common", "promoted"), [(49, False), (50, True)])
def test_too_few_unchanged_questions_do_not_promote(common: int, promoted: bool) -> None:
    """With 50 in common the gate's decision stands, with 49 it is withheld with a way out."""
    champion = [_row(n, "extractive") for n in range(common)]
    matched = match_questions([_row(n) for n in range(common + 1)], champion)
    decision = refuse_few(DECISION, matched)
    assert decision.promoted is promoted
    if not promoted:
        assert decision.reasons == (Reason.OTHER_QUESTIONS,)
        assert f"{common} of {common + 1} are the same" in decision.details[0]
        assert "groundwork release rollback VERSION" in decision.details[0]
        assert replace(decision, promoted=True, reasons=(), details=()) == replace(
            DECISION, reasons=(), details=()
        )
