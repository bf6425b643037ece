"""Features of sentences: each column by its own rule."""

from math import log, log1p

import numpy as np
import pytest

from groundwork.answer import Retrieval
from groundwork.answer.features import (
    FEATURES,
    Candidate,
    candidates,
    in_list,
    overlap,
    sentence_features,
)
from groundwork.answer.matching import token_match
from groundwork.index import terms


def _rows(
    bikes: Retrieval, question: str, *, category: str | None = None
) -> tuple[list[Candidate], dict[str, np.ndarray]]:
    retrieved = bikes.retrieve(question, category=category)
    found = candidates(bikes, retrieved)
    matrix_SF = sentence_features(question, found, retrieved, bikes)
    assert matrix_SF.shape == (len(found), len(FEATURES))
    return found, dict(zip(FEATURES, matrix_SF.T, strict=True))


def _at(found: list[Candidate], start: str) -> int:
    return next(i for i, candidate in enumerate(found) if candidate.text.startswith(start))


def test_candidates_are_the_sentences_in_the_passages_order(bikes: Retrieval) -> None:
    """Each is a verbatim span and knows its number, passage and block."""
    retrieved = bikes.retrieve("Returning a bicycle", category="returns")
    found = candidates(bikes, retrieved)
    for candidate in found:
        text = bikes.index.chunks[candidate.passage].text
        assert text[candidate.start : candidate.end] == candidate.text
        span = bikes.index.sentences[candidate.sentence]
        assert (span.passage, span.start) == (candidate.passage, candidate.start)
    order = list(dict.fromkeys(candidate.passage for candidate in found))
    assert order == [bikes.numbers[item.chunk.passage_id] for item in retrieved]


def test_blocks_are_told_apart(bikes: Retrieval) -> None:
    """Prose, items with their markers, rows; an introduction belongs to its list."""
    found = candidates(bikes, bikes.retrieve("return", category="returns"))
    blocks = {c.text: (c.block, in_list(c)) for c in found}
    assert blocks["Hand the key to the desk."] == ("item", True)
    assert blocks["Follow these steps when you return a bicycle:"] == ("prose", True)
    assert blocks["A late return costs £5 per hour."] == ("prose", False)
    rows = candidates(bikes, bikes.retrieve("rates", category="money"))
    assert ("row", True) in {(c.block, in_list(c)) for c in rows}


def test_overlap_is_weighted_by_rarity(bikes: Retrieval) -> None:
    """idf(tandem) / (idf(tandem) + idf(zebra)): one passage of nine holds it, none a zebra."""
    tandem, zebra = log(10 / 1.5), log(10 / 0.5)
    found = overlap({"tandem", "zebra"}, {"tandem", "bicycl"}, bikes.index)
    assert found == pytest.approx(tandem / (tandem + zebra))
    assert overlap(set(), {"tandem"}, bikes.index) == 0.0
    assert overlap({"tandem"}, {"tandem"}, bikes.index) == pytest.approx(1.0)


def test_similarities_come_from_the_index(bikes: Retrieval) -> None:
    """Sentence, its neighbours in the passage, and the passage."""
    question = "When does the shop open?"
    found, column = _rows(bikes, question, category="visit")
    assert len(found) == 3
    vector_D = bikes.embed(question)
    cos_S = bikes.index.sentence_vectors_SD[[c.sentence for c in found]] @ vector_D
    np.testing.assert_allclose(column["cos_sentence"], cos_S, rtol=1e-5)
    expected = [cos_S[1], (cos_S[0] + cos_S[2]) / 2, cos_S[1]]
    np.testing.assert_allclose(column["cos_neighbours"], expected, rtol=1e-5)
    passage = float(bikes.index.vectors_ND[found[0].passage] @ vector_D)
    np.testing.assert_allclose(column["cos_passage"], [passage] * 3, rtol=1e-5)


def test_lone_sentence_is_its_own_neighbour(bikes: Retrieval) -> None:
    """A passage of one sentence."""
    found, column = _rows(bikes, "When is the deposit paid back?")
    alone = _at(found, "The deposit is paid back")
    assert column["cos_neighbours"][alone] == column["cos_sentence"][alone]


def test_first_passage_and_shares_of_the_score(bikes: Retrieval) -> None:
    """The best passage has share 1 and the mark; the others less and none."""
    question = "How long does charging the battery take?"
    retrieved = bikes.retrieve(question)
    found, column = _rows(bikes, question)
    best = bikes.numbers[retrieved[0].chunk.passage_id]
    first_S = np.array([candidate.passage == best for candidate in found])
    np.testing.assert_array_equal(column["passage_first"], first_S)
    np.testing.assert_allclose(column["passage_share"][first_S], 1.0)
    assert (column["passage_share"][~first_S] < 1).all()
    np.testing.assert_array_equal(column["opens_passage"], [c.start == 0 for c in found])


def test_shared_words_with_sentence_context_and_heading(bikes: Retrieval) -> None:
    """The context adds the sentences beside; the heading is that of the passage."""
    question = "shop dogs visit"
    found, column = _rows(bikes, question, category="visit")
    asked = set(terms(question))
    expected = [overlap(asked, set(terms(c.text)), bikes.index) for c in found]
    np.testing.assert_allclose(column["overlap"], expected)
    both = overlap(asked, {"shop", "dog"}, bikes.index)
    np.testing.assert_allclose(column["overlap_context"][1], both)
    heading = overlap(asked, {"visit"}, bikes.index)
    np.testing.assert_allclose(column["overlap_heading"], [heading] * 3)


@pytest.mark.parametrize(
    ("question", "category", "matching", "missing"),
    [
        ("How long does charging take?", "electric", "Charging takes 4 hours", "Keep the battery"),
        ("What does a late return cost?", "returns", "A late return costs £5", "The deposit is"),
        ("How far does it go?", "electric", "The battery lasts 60 km", "Keep the battery"),
        ("What share do students save?", "money", "Students pay 20 per cent", "Club members"),
        ("Why is the deposit late?", "returns", "The deposit is", "Lock the bicycle"),
        ("How many hours does it charge?", "electric", "Charging takes 4", "Keep the battery"),
        ("How much does a tandem cost?", "money", "| Tandem | £25", "Club members"),
    ],
)
def test_kind_asked_for_is_looked_for(
    bikes: Retrieval, question: str, category: str, matching: str, missing: str
) -> None:
    """A time, a price, a distance, a share, a cause: present or missing, never both."""
    found, column = _rows(bikes, question, category=category)
    hit, miss = _at(found, matching), _at(found, missing)
    assert (column["kind_match"][hit], column["kind_miss"][hit]) == (1, 0)
    assert (column["kind_match"][miss], column["kind_miss"][miss]) == (0, 1)


def test_no_kind_asked_for_is_no_kind_missed(bikes: Retrieval) -> None:
    """Neither column speaks."""
    _, column = _rows(bikes, "May my dog come?", category="visit")
    assert not column["kind_match"].any()
    assert not column["kind_miss"].any()


def test_lists_count_when_a_list_is_asked_for(bikes: Retrieval) -> None:
    """Items, rows and introductions match, prose misses; else neither."""
    found, column = _rows(bikes, "What steps are there to return?", category="returns")
    item, prose = _at(found, "Lock"), _at(found, "A late return")
    assert (column["list_match"][item], column["list_miss"][item]) == (1, 0)
    assert (column["list_match"][prose], column["list_miss"][prose]) == (0, 1)
    assert (column["is_item"][item], column["is_item"][prose]) == (1, 0)
    _, single = _rows(bikes, "Is the deposit paid back?", category="returns")
    assert not single["list_match"].any()
    assert not single["list_miss"].any()


def test_shape_of_the_sentence(bikes: Retrieval) -> None:
    """Rows, questions and ln(1 + words)."""
    found, column = _rows(bikes, "city bike deposit", category="money")
    row = _at(found, "| City bike")
    assert column["is_row"][row] == 1
    assert column["is_item"][row] == 0
    dogs = _at(found, "Club members")
    assert column["log_words"][dogs] == pytest.approx(log1p(6))
    assert not column["is_question"].any()


def test_tokens_are_matched_sentence_by_sentence(bikes: Retrieval) -> None:
    """Both directions, and the best sentence of the passage for all of its sentences."""
    question = "How long does charging the battery take?"
    found, column = _rows(bikes, question, category="electric")
    match_S2 = token_match(bikes.query(question), [c.sentence for c in found], bikes.index)
    np.testing.assert_allclose(column["token_match"], match_S2[:, 0])
    np.testing.assert_allclose(column["token_match_back"], match_S2[:, 1])
    for passage in {c.passage for c in found}:
        rows = [i for i, c in enumerate(found) if c.passage == passage]
        np.testing.assert_allclose(
            column["token_match_passage"][rows], match_S2[rows, 0].max(), rtol=1e-9
        )
    assert found[int(column["token_match"].argmax())].text == "Charging takes 4 hours from empty."
