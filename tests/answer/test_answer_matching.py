"""Late interaction: weights of a question's tokens, best cosines, by hand."""

from dataclasses import replace

import numpy as np
import pytest
from tiny_base import make_chunks
from tiny_index import PACKED, WORDS, index_of, query_of

from groundwork.answer.matching import (
    BEST_TOKENS,
    Query,
    best_cosines,
    is_evidence,
    make_query,
    squash,
    token_match,
)
from groundwork.index import Index
from groundwork.records import Chunk

TEXTS = (
    "Moss likes shade. Oak likes sun and water in a warm year.",
    "```\nrun()\n```",
    "Fern, fern and fern again.",
)


def _chunks() -> tuple[Chunk, ...]:
    first = make_chunks()[0]
    return tuple(
        replace(first, passage_id=f"p{n}", text=text, end=len(text), title="Garden", heading="")
        for n, text in enumerate(TEXTS)
    )


@pytest.fixture(scope="module")
def index() -> Index:
    """Three passages: two sentences, none, one."""
    return index_of(_chunks())


def test_words_weigh_by_their_rarity(index: Index) -> None:
    """moss, like, shade stand in one passage each: a third each; the, does: stop words."""
    query = query_of("does the moss like shade", index)
    np.testing.assert_allclose(query.weights_T, [1 / 3] * 3)
    assert query.tokens_TP.shape == (3, 128)
    idf = index.lexicon.idf
    query = query_of("moss zebra", index)
    total = idf("moss") + idf("zebra")
    np.testing.assert_allclose(query.weights_T, [idf("moss") / total, idf("zebra") / total])
    assert query.weights_T[1] > query.weights_T[0]


def _query(text: str, spans: list[tuple[int, int]], index: Index) -> Query:
    """Token n is the unit vector n."""
    tokens_TP = np.eye(len(spans), 128)
    return make_query(text, np.zeros(384), tokens_TP, spans=spans, lexicon=index.lexicon)


def test_pieces_of_a_word_share_its_weight(index: Index) -> None:
    """moss in two tokens, shade in one: equal words, so a quarter, a quarter, a half."""
    query = _query("moss shade", [(0, 2), (2, 4), (5, 10)], index)
    np.testing.assert_allclose(query.weights_T, [0.25, 0.25, 0.5])
    np.testing.assert_array_equal(query.tokens_TP, np.eye(3, 128))


def test_tokens_without_a_word_that_counts_are_left_out(index: Index) -> None:
    """The stop word and the comma; what is left keeps its rows."""
    query = _query("the, moss", [(0, 3), (3, 4), (5, 9)], index)
    np.testing.assert_array_equal(query.weights_T, [1.0])
    np.testing.assert_array_equal(query.tokens_TP, np.eye(3, 128)[2:])


def test_stop_words_alone_weigh_the_same(index: Index) -> None:
    """Better than nothing to go by."""
    np.testing.assert_array_equal(query_of("what is this about", index).weights_T, [0.25] * 4)


def test_question_without_tokens_has_none(index: Index) -> None:
    """Nothing is divided by zero."""
    query = query_of("", index)
    assert query.tokens_TP.shape == (0, 128)
    assert query.weights_T.shape == (0,)
    assert best_cosines(query, [0, 1], index).shape == (2, 0)
    np.testing.assert_array_equal(token_match(query, [0, 1], index), np.zeros((2, 2)))


def test_match_by_hand(index: Index) -> None:
    """Of moss, shade, tulip the first sentence holds two: the share of their weight is met.

    Back: of its three tokens moss and shade are met, likes is not: 2 / 3. The second sentence
    holds none of them. A cosine of 1 is 1.0079 after packing.
    """
    query = query_of("moss shade tulip", index)
    match_S2 = token_match(query, [0, 1], index)
    met = query.weights_T[:2].sum() * PACKED
    np.testing.assert_allclose(match_S2, [[met, 2 / 3 * PACKED], [0, 0]], atol=1e-6)


def test_match_back_is_of_the_best_tokens(index: Index) -> None:
    """Nine tokens in the second sentence, five count: oak and sun are two of them, 2 / 5."""
    assert BEST_TOKENS == 5
    found = token_match(query_of("oak sun", index), [1], index)
    np.testing.assert_allclose(found, [[PACKED, 2 / 5 * PACKED]], atol=1e-6)


def test_matches_come_in_the_order_asked_for(index: Index) -> None:
    """Row by row, and nothing for nothing."""
    query = query_of("oak", index)
    one, other = token_match(query, [0, 1, 2], index), token_match(query, [2, 1, 0], index)
    np.testing.assert_array_equal(one, other[::-1])
    assert token_match(query, [], index).shape == (0, 2)


def test_sentence_without_tokens_gets_zeros(index: Index) -> None:
    """Its subject filled what the encoder reads."""
    counts = np.array([0, 0, *index.first_token_S[2:]])
    cut = replace(index, first_token_S=counts)
    query = query_of("moss", cut)
    np.testing.assert_array_equal(token_match(query, [0], cut), [[0, 0]])


def test_best_cosines_by_hand(index: Index) -> None:
    """Over all sentences of a passage; the passage without sentences has zeros."""
    query = query_of("moss oak fern", index)
    found_KT = best_cosines(query, [2, 0, 1], index)
    expected = np.array([[0, 0, 1], [1, 1, 0], [0, 0, 0]]) * PACKED
    np.testing.assert_allclose(found_KT, expected, atol=1e-6)


def test_cosines_are_those_of_the_vectors(index: Index) -> None:
    """A token between two words has a cosine of 1 / sqrt(2) to each."""
    moss, oak = WORDS.encode_tokens(["moss oak"], skip=[0]).tokens[0]
    query = replace(
        query_of("moss", index), tokens_TP=((moss + oak) / 2**0.5)[None], weights_T=np.ones(1)
    )
    found = best_cosines(query, [0], index)
    np.testing.assert_allclose(found, [[PACKED / 2**0.5]], atol=1e-6)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Charging takes **4 hours**.", "chargingtakes4hours"),
        ("| Tandem |\t£25 |", "tandem25"),
        ("7.4 kW", "74kw"),
        ("– £ …", ""),
        ("", ""),
    ],
)
def test_squashed_text_is_letters_and_digits(text: str, expected: str) -> None:
    """Lower case; marks, white space and currency go."""
    assert squash(text) == expected


@pytest.mark.parametrize(
    ("sentence", "quote", "expected"),
    [
        ("Charging takes **4 hours**.", "charging takes 4 hours", True),
        ("Charging takes 4 hours from empty.", "takes 4 hours", True),
        ("Charging takes 4 hours.", "In short: charging takes 4 hours. So wait.", True),
        ("4 hours.", "Charging takes 4 hours.", False),
        ("The shop opens at 8 am.", "Charging takes 4 hours.", False),
    ],
)
def test_evidence_is_containment_either_way(sentence: str, quote: str, expected: bool) -> None:
    """Without marks and case; fewer than ten letters prove nothing."""
    assert is_evidence(sentence, [squash(quote)]) is expected
