"""Prompts to train on: evidence, distractors, order, length, refusals."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from tiny_base import (
    DOMAIN,
    PLANTS,
    make_chunks,
    make_documents,
    make_questions,
    sentence,
    train_config,
)
from tiny_index import WORDS, index_of

from groundwork.answer.prompt import parse
from groundwork.base.tokens import train_tokenizer
from groundwork.records import Chunk, Question
from groundwork.train import Prepared, Reason, Settings, prepare_pairs

CHUNKS = make_chunks()


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
    **changes: Any,
) -> Prepared:
    settings = Settings(train_config(**changes), DOMAIN, max_length, extracts=0)
    index = index_of(tuple(chunks))
    return prepare_pairs(questions, index, encoder=WORDS, tokenizer=tokenizer, settings=settings)


def test_prompt_holds_evidence_and_distractors(tokenizer: Any) -> None:
    """Of two passages one is the evidence; the answer cites it and is read back so."""
    prepared = _prepare(tokenizer, make_questions())
    assert (len(prepared.pairs), prepared.rejects) == (8, ())
    for i, pair in enumerate(prepared.pairs):
        turn, answer = pair.prompt[0]["content"], pair.completion[0]["content"]
        assert turn.count("\n[1] ") == turn.count("\n[2] ") == 1
        assert f"] {PLANTS[i].title()} > Needs\n{sentence(i)}\n" in turn
        number = int(answer.removeprefix(f"{sentence(i)} [").removesuffix("]"))
        assert f"[{number}] {PLANTS[i].title()}" in turn


def test_order_of_passages_differs_from_question_to_question(tokenizer: Any) -> None:
    """The evidence is not always first, or the model would learn that."""
    answers = [p.completion[0]["content"] for p in _prepare(tokenizer, make_questions()).pairs]
    assert {answer[-3:] for answer in answers} == {"[1]", "[2]"}


def test_a_question_that_goes_changes_no_other(tokenizer: Any) -> None:
    """Every draw rests on the question's own id."""
    asked = make_questions()
    others = [chunk for chunk in CHUNKS if chunk.passage_id != "p0"]
    one = _prepare(tokenizer, asked[1:], refusals=0.5)
    two = _prepare(tokenizer, asked[1:][::-1], chunks=others, refusals=0.5)
    assert sorted(one.pairs, key=str) == sorted(two.pairs, key=str)


def test_distractors_come_from_the_same_split(tokenizer: Any) -> None:
    """Passages of documents that no question of the split belongs to are never shown."""
    prepared = _prepare(tokenizer, make_questions(numbers=range(3)), passages=6)
    text = " ".join(pair.prompt[0]["content"] for pair in prepared.pairs)
    shown = [plant for plant in PLANTS if f"] {plant.title()} > Needs" in text]
    assert shown == list(PLANTS[:3])


def test_distractors_are_the_most_similar(tokenizer: Any) -> None:
    """A passage that shares the question's words is preferred."""
    rival = replace(CHUNKS[5], text=f"{CHUNKS[5].text} The moss and the moss differ.")
    chunks = [*CHUNKS[:5], rival, *CHUNKS[6:]]
    pair = _prepare(tokenizer, make_questions(), chunks=chunks).pairs[0]
    assert "The moss and the moss differ." in pair.prompt[0]["content"]


def test_distractors_are_cut_and_the_evidence_is_not(tokenizer: Any) -> None:
    """With little room the other passage loses lines; the pair is never over the limit."""
    whole = _prepare(tokenizer, make_questions()).pairs
    room = max(pair.tokens for pair in whole) - 5
    cut = _prepare(tokenizer, make_questions(), max_length=room).pairs
    assert all(pair.tokens <= room for pair in cut)
    assert [p.tokens for p in cut] != [p.tokens for p in whole]
    for i, pair in enumerate(cut):
        assert all(line in pair.prompt[0]["content"] for line in CHUNKS[i].text.split(". "))


def test_tokens_are_those_of_the_chat_template(tokenizer: Any) -> None:
    """TRL will render the same messages and find no token too many."""
    pair = _prepare(tokenizer, make_questions()).pairs[0]
    text = tokenizer.apply_chat_template(pair.prompt + pair.completion, tokenize=False)
    assert pair.tokens == len(tokenizer.encode(text, add_special_tokens=False))


def test_pair_that_cannot_fit_is_rejected(tokenizer: Any) -> None:
    """Evidence and answer alone are too long: a reject with both numbers."""
    prepared = _prepare(tokenizer, make_questions(), max_length=60)
    assert prepared.pairs == ()
    assert {reject.reason for reject in prepared.rejects} == {Reason.TOO_LONG}
    assert "where 60 fit" in prepared.rejects[0].detail


def test_pair_without_its_passage_is_rejected(tokenizer: Any) -> None:
    """Questions of another version of the chunks."""
    prepared = _prepare(tokenizer, make_questions(), chunks=CHUNKS[1:])
    assert [(r.key, r.reason) for r in prepared.rejects] == [("train0", Reason.NO_EVIDENCE)]
    assert "p0" in prepared.rejects[0].detail


def test_evidence_in_two_passages_is_cited_twice(tokenizer: Any) -> None:
    """Each quote is followed by the number of its own passage."""
    asked = make_questions()
    both = replace(asked[0], evidence=asked[0].evidence + asked[1].evidence)
    pair = _prepare(tokenizer, [both, *asked[1:]]).pairs[0]
    turn = pair.prompt[0]["content"]
    numbers = [1, 2] if turn.index("[1] Moss") > 0 and "[1] Moss" in turn else [2, 1]
    assert pair.completion[0]["content"] == (
        f"{sentence(0)} [{numbers[0]}] {sentence(1)} [{numbers[1]}]"
    )


def test_unanswerable_questions_are_refused(tokenizer: Any) -> None:
    """The answer to learn is the domain's refusal."""
    question = replace(make_questions()[0], answerable=False, answer="", evidence=())
    pair = _prepare(tokenizer, [question, *make_questions()[1:]]).pairs[0]
    assert pair.completion[0]["content"] == DOMAIN.refusal
    assert parse(pair.completion[0]["content"], CHUNKS, refusal=DOMAIN.refusal).refused


def test_answerable_questions_come_again_without_their_evidence(tokenizer: Any) -> None:
    """Then the document that answers is not shown, and the refusal is the answer."""
    prepared = _prepare(tokenizer, make_questions(), refusals=1.0)
    refused = [pair for pair in prepared.pairs if pair.question_id.endswith(":refusal")]
    assert len(refused) == 8
    for i, pair in enumerate(refused):
        assert pair.completion[0]["content"] == DOMAIN.refusal
        assert f"] {PLANTS[i].title()} > Needs" not in pair.prompt[0]["content"]


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_share_of_refusals_is_kept(tokenizer: Any, share: float) -> None:
    """Over 200 questions, within ten per cent."""
    asked = [
        replace(q, question_id=f"{q.question_id}-{n}") for n in range(25) for q in make_questions()
    ]
    pairs = _prepare(tokenizer, asked, refusals=share).pairs
    assert abs((len(pairs) - 200) / 200 - share) <= 0.1


def test_split_without_questions_or_passages_gives_no_pairs(tokenizer: Any) -> None:
    """A small corpus may have no validation pair; pairs without any passage are rejects."""
    assert _prepare(tokenizer, []) == Prepared((), ())
    foreign = replace(CHUNKS[0], passage_id="foreign", document_id="foreign")
    assert len(_prepare(tokenizer, make_questions(), chunks=[foreign]).rejects) == 8
