"""Prompts of extracts to train on: the evidence is shown, ranks set the order, refusals."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from tiny_base import (
    DOMAIN,
    NEEDS,
    PLANTS,
    make_chunks,
    make_documents,
    make_questions,
    sentence,
    train_config,
)
from tiny_index import WORDS, index_of, query_of

from groundwork.answer.extracts import extracts
from groundwork.answer.prompt import user_turn
from groundwork.base.tokens import train_tokenizer
from groundwork.records import Chunk, Evidence, Question
from groundwork.train import Prepared, Reason, Settings, TrainingPair, prepare_pairs

CHUNKS = make_chunks()
BEES = "Bees visit it in spring."


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    """A tokenizer of the tiny documents."""
    return train_tokenizer((d.text for d in make_documents()), vocabulary=420, positions=512)


def _prepare(
    tokenizer: Any,
    questions: Sequence[Question],
    *,
    chunks: Sequence[Chunk] = CHUNKS,
    max_length: int = 480,
    show: int = 2,
    **changes: Any,
) -> Prepared:
    settings = Settings(train_config(**changes), DOMAIN, max_length, extracts=show)
    index = index_of(tuple(chunks))
    return prepare_pairs(questions, index, encoder=WORDS, tokenizer=tokenizer, settings=settings)


def _turn(pair: TrainingPair) -> str:
    return pair.prompt[0]["content"]


def _said(pair: TrainingPair) -> str:
    return pair.completion[0]["content"]


def _lines(pair: TrainingPair) -> list[str]:
    """Lines of the passages: titles begin with a number in brackets."""
    passages = _turn(pair).partition("\n\n")[2].rpartition("\n\nQuestion: ")[0]
    return [line for line in passages.split("\n") if line]


def test_prompt_shows_as_many_sentences_as_set(tokenizer: Any) -> None:
    """Of three passages of three sentences each."""
    for show in (1, 2, 5):
        for pair in _prepare(tokenizer, make_questions(), show=show, passages=3).pairs:
            assert len([line for line in _lines(pair) if not line.startswith("[")]) == show


def test_evidence_is_cited_by_its_number(tokenizer: Any) -> None:
    """The best sentence is the evidence: passage 1, whichever question."""
    prepared = _prepare(tokenizer, make_questions())
    assert (len(prepared.pairs), prepared.rejects) == (8, ())
    for i, pair in enumerate(prepared.pairs):
        assert _lines(pair)[:2] == [f"[1] {PLANTS[i].title()} > Needs", sentence(i)]
        assert _said(pair) == f"{sentence(i)} [1]"


@pytest.mark.parametrize("show", [1, 2, 4])
def test_evidence_is_shown_however_far_it_is_from_the_question(tokenizer: Any, show: int) -> None:
    """The last sentence of the passage shares no word with the question."""
    asked = [
        replace(q, evidence=(replace(q.evidence[0], quote=BEES),), answer=BEES)
        for q in make_questions()
    ]
    for pair in _prepare(tokenizer, asked, show=show, passages=3).pairs:
        assert _lines(pair).count(BEES) == 1
        number = int(_said(pair).removeprefix(f"{BEES} [").removesuffix("]"))
        block = _turn(pair).partition(f"[{number}] ")[2].partition("\n\n")[0]
        assert BEES in block.split("\n")


def test_order_is_that_of_answering(tokenizer: Any) -> None:
    """By rank, evidence or not: a better sentence of another passage comes first.

    The question names moss, the evidence is the oak's: it is passage 2, not 1.
    """
    asked = make_questions()
    evidence = (Evidence("p2", BEES, CHUNKS[2].url),)
    odd = replace(asked[0], question_id="odd", evidence=evidence)
    pair = _prepare(tokenizer, [odd, *asked], show=2).pairs[0]
    assert _lines(pair) == ["[1] Moss > Needs", sentence(0), "[2] Oak > Needs", BEES]
    assert _said(pair) == f"{BEES} [2]"


def test_prompt_is_the_one_of_answering(tokenizer: Any) -> None:
    """The same words as the answerer would show, when the evidence is among the best anyway."""
    index = index_of(tuple(CHUNKS))
    question = make_questions()[0]
    shown = extracts(query_of(question.question, index), [0, 1], index, limit=2)
    pair = _prepare(tokenizer, make_questions(numbers=range(2)), show=2).pairs[0]
    assert _turn(pair) == user_turn(question.question, shown, domain=DOMAIN)


def test_evidence_in_two_passages_is_shown_and_cited_twice(tokenizer: Any) -> None:
    """Also when only one sentence is set."""
    asked = make_questions()
    both = replace(asked[0], evidence=asked[0].evidence + asked[1].evidence)
    pair = _prepare(tokenizer, [both, *asked[1:]], show=1).pairs[0]
    assert [line for line in _lines(pair) if not line.startswith("[")] == [sentence(0), sentence(1)]
    assert _said(pair) == f"{sentence(0)} [1] {sentence(1)} [2]"


def test_quote_with_marks_is_found_in_its_sentence(tokenizer: Any) -> None:
    """Case, marks and white space apart."""
    asked = make_questions()
    quote = f"**the {PLANTS[0]}**  likes {NEEDS[0]} more than anything else"
    odd = replace(asked[0], evidence=(replace(asked[0].evidence[0], quote=quote),))
    assert sentence(0) in _lines(_prepare(tokenizer, [odd, *asked[1:]], show=1).pairs[0])


def test_quote_of_several_sentences_is_shown_whole(tokenizer: Any) -> None:
    """Also when fewer sentences are set than it has."""
    asked = make_questions()
    quote = CHUNKS[0].text
    odd = replace(asked[0], evidence=(replace(asked[0].evidence[0], quote=quote),))
    pair = _prepare(tokenizer, [odd, *asked[1:]], show=1).pairs[0]
    assert " ".join(sorted(_lines(pair)[1:])) == " ".join(
        sorted([sentence(0), "It grows 2 m tall in a good year.", BEES])
    )
    assert _said(pair) == f"{quote} [1]"


def test_short_quote_is_found_when_it_is_the_sentence(tokenizer: Any) -> None:
    """As a row of a table is: seven letters prove nothing inside another sentence."""
    chunks = [replace(CHUNKS[0], text=f"{sentence(0)} Not ivy. So it is."), *CHUNKS[1:]]
    asked = make_questions()
    odd = replace(asked[0], evidence=(replace(asked[0].evidence[0], quote="So it is."),))
    pair = _prepare(tokenizer, [odd, *asked[1:]], chunks=chunks, show=1).pairs[0]
    assert _lines(pair) == ["[1] Moss > Needs", "So it is."]


def test_sentence_that_the_quote_is_part_of_is_shown(tokenizer: Any) -> None:
    """A bold word before a quote may be left out of it."""
    asked = make_questions()
    odd = replace(asked[0], evidence=(replace(asked[0].evidence[0], quote="visit it in spring."),))
    assert BEES in _lines(_prepare(tokenizer, [odd, *asked[1:]], show=1).pairs[0])


def test_long_prompts_lose_what_is_not_evidence(tokenizer: Any) -> None:
    """Little room: the evidence stays, the pair is within the limit."""
    whole = _prepare(tokenizer, make_questions(), show=5, passages=3).pairs
    room = max(pair.tokens for pair in whole) - 5
    cut = _prepare(tokenizer, make_questions(), show=5, passages=3, max_length=room).pairs
    assert len(cut) == 8
    assert [p.tokens for p in cut] != [p.tokens for p in whole]
    for i, pair in enumerate(cut):
        assert pair.tokens <= room
        assert sentence(i) in _lines(pair)


def test_pair_that_cannot_fit_is_rejected(tokenizer: Any) -> None:
    """Evidence and answer alone are too long."""
    prepared = _prepare(tokenizer, make_questions(), max_length=60)
    assert {reject.reason for reject in prepared.rejects} == {Reason.TOO_LONG}


def test_answerable_questions_come_again_without_their_evidence(tokenizer: Any) -> None:
    """Sentences of other documents alone, as many as set, and the refusal as the answer."""
    prepared = _prepare(tokenizer, make_questions(), refusals=1.0)
    refused = [pair for pair in prepared.pairs if pair.question_id.endswith(":refusal")]
    assert len(refused) == 8
    for i, pair in enumerate(refused):
        assert _said(pair) == DOMAIN.refusal
        assert f"] {PLANTS[i].title()} > Needs" not in _turn(pair)
        assert len([line for line in _lines(pair) if not line.startswith("[")]) == 2


def test_unanswerable_questions_are_refused(tokenizer: Any) -> None:
    """There is no evidence to show: the nearest sentences stand there."""
    question = replace(make_questions()[0], answerable=False, answer="", evidence=())
    pair = _prepare(tokenizer, [question, *make_questions()[1:]]).pairs[0]
    assert _said(pair) == DOMAIN.refusal
    assert sentence(0) in _lines(pair)


def test_a_question_that_goes_changes_no_other(tokenizer: Any) -> None:
    """Nothing is drawn for extracts."""
    asked = make_questions()
    one = _prepare(tokenizer, asked, refusals=0.5)
    two = _prepare(tokenizer, asked[::-1], refusals=0.5)
    assert sorted(one.pairs, key=str) == sorted(two.pairs, key=str)
