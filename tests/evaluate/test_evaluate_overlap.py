"""Scores of wording and of retrieval."""

import math

import pytest

from groundwork.evaluate.overlap import bleu, corpus_bleu, exact_match, rouge, token_f1
from groundwork.evaluate.ranking import ndcg_at, recall_at, reciprocal_rank


@pytest.mark.parametrize(
    ("answer", "reference", "exact", "f1"),
    [
        ("The Type-2 plug!", "type2 plug", 1.0, 1.0),  # type2 plug = type2 plug
        ("yes", "No, it does not.", 0.0, 0.0),  # nothing shared
        ("", "something", 0.0, 0.0),
        ("the", "a", 1.0, 1.0),  # both empty once articles are gone
        ("cars cars cars", "cars charge", 0.0, 0.4),  # shared 1: 2 * 1 / (3 + 2)
        ("7.4 kW", "It draws 7.4 kW", 0.0, 2 / 3),  # shared 2: 2 * 2 / (2 + 4)
    ],
)
def test_words_are_compared_as_the_squad_script_does(
    answer: str, reference: str, exact: float, f1: float
) -> None:
    """Lower case, no punctuation, no articles, repeated words counted (evaluate-v1.1.py)."""
    assert exact_match(answer, reference) == exact
    assert token_f1(answer, reference) == pytest.approx(f1)


def test_rouge_by_hand() -> None:
    """`a b c d` against `a c b`: unigrams 2*3/(4+3), no bigram, longest common run 2*2/(4+3)."""
    assert rouge("w x y z", "w y x") == pytest.approx(
        {"rouge_1": 6 / 7, "rouge_2": 0.0, "rouge_l": 4 / 7}
    )


def test_bleu_by_hand() -> None:
    """4 of 5 words, 3 of 4 pairs, 2 of 3 triples, 1 of 2 quadruples: (4/5*3/4*2/3*1/2)^(1/4)."""
    answer, reference = "a b c d x", "a b c d e"
    expected = (4 / 5 * 3 / 4 * 2 / 3 * 1 / 2) ** 0.25
    assert bleu(answer, reference) == pytest.approx(expected)
    assert corpus_bleu([answer, answer], [reference, reference]) == pytest.approx(expected)
    assert bleu("a b", "a b") == pytest.approx(1.0)


def test_ranking_of_one_needed_page() -> None:
    """The page stands third, a second passage of it adds nothing: 1/3 and 1/log2(4) = 0.5."""
    urls, needed = ["b", "c", "a", "a"], ["a"]
    assert recall_at(2, urls, needed) == 0.0
    assert recall_at(3, urls, needed) == 1.0
    assert reciprocal_rank(urls, needed) == pytest.approx(1 / 3)
    assert ndcg_at(5, urls, needed) == pytest.approx(0.5)
    assert ndcg_at(2, urls, needed) == 0.0


def test_ranking_of_two_needed_pages() -> None:
    """Ranks 1 and 3: (1 + 1/2) / (1 + 1/log2(3)); recall is a share."""
    urls, needed = ["a", "x", "b"], ["a", "b"]
    assert recall_at(1, urls, needed) == 0.5
    assert ndcg_at(3, urls, needed) == pytest.approx(1.5 / (1 + 1 / math.log2(3)))
    assert reciprocal_rank(["x"], needed) == 0.0


def test_ndcg_agrees_with_scikit_learn() -> None:
    """Over distinct pages it is the textbook nDCG."""
    from sklearn.metrics import ndcg_score

    urls = ["p", "a", "q", "b", "r"]
    truth = [[float(url in "ab") for url in urls]]
    expected = ndcg_score(truth, [[5, 4, 3, 2, 1]], k=5)
    assert ndcg_at(5, urls, ["a", "b"]) == pytest.approx(expected)
