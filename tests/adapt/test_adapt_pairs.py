"""Pairs and their hard negatives: which are made, which are not, and why."""

from dataclasses import replace

import numpy as np
import pytest
from tiny_base import make_chunks, make_questions
from tiny_index import WORDS

from groundwork.adapt import answered, make_pairs, watch
from groundwork.adapt.negatives import mine_negatives
from groundwork.index import embed_passages, passage_text
from groundwork.records import Evidence

CHUNKS = make_chunks()


def _vectors(*cosines: float) -> np.ndarray:
    """Unit vectors with these cosines to (1, 0)."""
    return np.array([[c, (1 - c * c) ** 0.5] for c in cosines])


def _mine(cosines: tuple[float, ...], *, ceiling: float = 0.95, **changes: object) -> list[int]:
    """Negatives of the first question, whose own passage is the first."""
    chunks = list(CHUNKS[: len(cosines)])
    for number, change in changes.items():
        chunks[int(number[1:])] = replace(chunks[int(number[1:])], **change)  # type: ignore[arg-type]
    (found,) = mine_negatives(
        make_questions(numbers=range(1)),
        [0],
        chunks=chunks,
        questions_QD=np.array([[1.0, 0.0]]),
        vectors_ND=_vectors(*cosines),
        count=2,
        ceiling=ceiling,
    )
    return found


def test_the_most_alike_passages_are_negatives() -> None:
    """By cosine; all of them share the same words with the question."""
    assert _mine((0.9, 0.2, 0.7, 0.5)) == [2, 3]


def test_a_passage_too_near_may_answer_too() -> None:
    """Passage 2 has .87 of .9, more than .95 of it."""
    assert _mine((0.9, 0.2, 0.87, 0.5)) == [3, 1]
    assert _mine((0.9, 0.2, 0.87, 0.5), ceiling=1.0) == [2, 3]


def test_a_passage_of_the_same_section_is_none() -> None:
    """What stands beside the answer often repeats it."""
    own = {"document_id": CHUNKS[0].document_id, "heading": CHUNKS[0].heading}
    assert _mine((0.9, 0.2, 0.7, 0.5), n2=own) == [3, 1]


def test_a_passage_that_holds_the_answer_is_none() -> None:
    """Another page that says the same."""
    said = {"text": f"As they say: {make_questions()[0].answer.upper()}"}
    assert _mine((0.9, 0.2, 0.7, 0.5), n2=said) == [3, 1]


@pytest.mark.parametrize("negatives", [0, 1])
def test_a_pair_is_a_question_with_its_passage(negatives: int) -> None:
    """As both are embedded when it serves."""
    pairs, rejects = make_pairs(
        make_questions(numbers=range(2)),
        CHUNKS,
        encoder=WORDS,
        vectors_ND=embed_passages(CHUNKS, WORDS),
        negatives=negatives,
        ceiling=1.0,
    )
    assert [pair.question_id for pair in pairs] == ["train0", "train1"]
    assert pairs[1].passage == passage_text(CHUNKS[1])
    assert [len(pair.negatives) for pair in pairs] == [negatives, negatives]
    assert all(pair.passage not in pair.negatives for pair in pairs)
    assert rejects == []


def test_questions_without_a_passage_are_rejected_and_counted() -> None:
    """One names a passage that is gone; one has no answer and is passed over."""
    lost, unanswerable, good = make_questions(numbers=range(3))
    lost = replace(lost, evidence=(Evidence("gone", "Words.", "https://gone.example/"),))
    unanswerable = replace(unanswerable, answerable=False, evidence=())
    kept, relevant, rejects = answered([lost, unanswerable, good], CHUNKS)
    assert ([q.question_id for q in kept], relevant) == (["train2"], [{2}])
    assert [(r.key, r.reason) for r in rejects] == [("train0", "no_evidence")]
    assert "gone" in rejects[0].detail


def test_a_question_with_too_few_negatives_is_rejected() -> None:
    """Every other passage is nearer than the ceiling allows."""
    pairs, rejects = make_pairs(
        make_questions(numbers=range(2)),
        CHUNKS,
        encoder=WORDS,
        vectors_ND=embed_passages(CHUNKS, WORDS),
        negatives=1,
        ceiling=0.0,
    )
    assert pairs == []
    assert {reject.reason for reject in rejects} == {"no_negative"}
    assert "adapt.negative_ceiling" in rejects[0].detail


def test_a_look_searches_its_own_passages_and_some_others() -> None:
    """Passages 1 and 3 answer; of the rest two more, evenly; numbers are those of the part."""
    watched = watch(make_questions(numbers=range(2)), [{3}, {1}], CHUNKS[:6], passages=4)
    assert watched.passages == tuple(passage_text(CHUNKS[n]) for n in (1, 3, 0, 4))
    assert watched.relevant == (frozenset({1}), frozenset({0}))


def test_a_look_never_leaves_out_a_passage_that_answers() -> None:
    """Even when there are more of them than passages asked for."""
    watched = watch(make_questions(numbers=range(3)), [{0}, {1}, {2}], CHUNKS, passages=2)
    assert len(watched.passages) == 3
