"""Extracts: how many sentences, which, and in what order."""

from dataclasses import replace

import numpy as np
import pytest
from tiny_base import make_chunks
from tiny_index import index_of, query_of

from groundwork.answer.extracts import extracts
from groundwork.answer.matching import token_match
from groundwork.answer.prompt import Shown
from groundwork.index import Index

TEXTS = (
    "Frogs sing. The moss likes deep shade. Snails hide.",
    "```\nrun()\n```",
    "The moss is old. The moss likes\ndeep shade. Bees come.",
    "Ivy climbs.",
)
QUESTION = "Does moss like deep shade?"


@pytest.fixture(scope="module")
def index() -> Index:
    """Sentences 0 to 2, none, 3 to 5, 6; sentence 1 stands in the third passage again, as 4."""
    first = replace(make_chunks()[0], title="Garden", heading="")
    return index_of(
        tuple(
            replace(first, passage_id=f"p{n}", text=text, end=len(text))
            for n, text in enumerate(TEXTS)
        )
    )


def _lines(shown: list[Shown]) -> dict[str, list[str]]:
    return {item.chunk.passage_id: list(item.lines) for item in shown}


def _scores(index: Index) -> np.ndarray:
    """Cosine of the sentence plus that of the question's words."""
    query = query_of(QUESTION, index)
    return np.asarray(
        index.sentence_vectors_SD @ query.vector_D + token_match(query, range(7), index)[:, 0]
    )


@pytest.mark.parametrize("limit", [1, 2, 3, 4])
def test_limit_counts_sentences_of_all_passages(index: Index, limit: int) -> None:
    """The best ones, however many passages they come from."""
    shown = extracts(query_of(QUESTION, index), [0, 1, 2, 3], index, limit=limit)
    assert sum(len(item.lines) for item in shown) == limit
    order = [s for s in np.argsort(-_scores(index), kind="stable") if s != 4][:limit]
    best = [" ".join(_text(index, s).split()) for s in order]
    assert sorted(line for item in shown for line in item.lines) == sorted(best)


def _text(index: Index, sentence: int) -> str:
    span = index.sentences[sentence]
    return index.chunks[span.passage].text[span.start : span.end]


def test_equal_sentences_are_shown_once(index: Index) -> None:
    """In the passage that comes first, their white space apart; the next best takes the room."""
    query = query_of(QUESTION, index)
    assert _lines(extracts(query, [0, 2], index, limit=2)) == {
        "p0": ["The moss likes deep shade."],
        "p2": ["The moss is old."],
    }
    assert _lines(extracts(query, [2, 0], index, limit=1)) == {"p2": ["The moss likes deep shade."]}


def test_order_is_by_rank_not_by_place(index: Index) -> None:
    """The passage with the best sentence first; in it the best sentence first."""
    shown = extracts(query_of(QUESTION, index), [3, 2], index, limit=9)
    assert [item.chunk.passage_id for item in shown] == ["p2", "p3"]
    assert shown[0].lines[:2] == ("The moss likes deep shade.", "The moss is old.")
    score_S = _scores(index)
    assert score_S[4] > score_S[3] > max(score_S[5], score_S[6])


def test_kept_sentences_are_always_shown(index: Index) -> None:
    """They take the places of better ones, but stand where their rank puts them."""
    shown = extracts(query_of(QUESTION, index), [0, 2, 3], index, limit=2, keep=[6])
    assert _lines(shown) == {"p0": ["The moss likes deep shade."], "p3": ["Ivy climbs."]}
    assert [item.chunk.passage_id for item in shown] == ["p0", "p3"]


def test_more_to_keep_than_the_limit_shows_all_of_them(index: Index) -> None:
    """Three to keep, room for one: three lines, and no other."""
    shown = extracts(query_of(QUESTION, index), [0, 2, 3], index, limit=1, keep=[0, 2, 6])
    assert sorted(line for item in shown for line in item.lines) == [
        "Frogs sing.",
        "Ivy climbs.",
        "Snails hide.",
    ]


def test_kept_sentence_goes_before_its_double(index: Index) -> None:
    """The evidence's own passage is the one to cite."""
    shown = extracts(query_of(QUESTION, index), [0, 2], index, limit=1, keep=[4])
    assert _lines(shown) == {"p2": ["The moss likes deep shade."]}


def test_passages_not_given_are_not_shown(index: Index) -> None:
    """Also when a sentence of theirs is to be kept."""
    shown = extracts(query_of(QUESTION, index), [3], index, limit=2, keep=[1])
    assert _lines(shown) == {"p3": ["Ivy climbs."]}


@pytest.mark.parametrize("passages", [[], [1]], ids=["no passage", "no sentence"])
def test_nothing_to_show_is_an_empty_list(index: Index, passages: list[int]) -> None:
    """Code has no sentences."""
    assert extracts(query_of(QUESTION, index), passages, index, limit=5) == []
