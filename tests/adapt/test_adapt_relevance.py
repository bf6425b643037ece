"""Passages that answer, and figures of rankings, by hand and against scikit-learn."""

from dataclasses import replace

import numpy as np
import pytest
from tiny_base import make_chunks, make_questions

from groundwork.adapt import relevant_passages, search_figures
from groundwork.adapt.relevance import figures_of
from groundwork.records import Evidence


def test_the_passage_named_as_evidence_answers() -> None:
    """Question i was made from passage i."""
    assert relevant_passages(make_questions(numbers=range(3)), make_chunks()) == [{0}, {1}, {2}]


def test_a_quote_is_found_on_its_page_alone_whatever_its_punctuation() -> None:
    """Golden questions name a page and a quote; another page with the same words is no answer."""
    chunks = make_chunks()
    copied = replace(chunks[0], passage_id="copy", url="https://elsewhere.example/")
    (question,) = make_questions(numbers=range(1))
    quote = question.answer.upper().replace(" ", "\n ")
    asked = replace(question, evidence=(Evidence("", quote, chunks[0].url),))
    assert relevant_passages([asked], [*chunks, copied]) == [{0}]


def test_a_quote_over_two_passages_makes_its_page_count() -> None:
    """No passage holds it whole; all of the page's do in part."""
    first, second = make_chunks()[:2]
    chunks = [first, replace(second, url=first.url)]
    (question,) = make_questions(numbers=range(1))
    asked = replace(question, evidence=(Evidence("", f"{first.text} and more", first.url),))
    assert relevant_passages([asked], chunks) == [{0, 1}]


def test_an_unknown_page_answers_nothing() -> None:
    """Neither its passage nor its page is there."""
    (question,) = make_questions(numbers=range(1))
    asked = replace(question, evidence=(Evidence("gone", "Words.", "https://gone.example/"),))
    assert relevant_passages([asked], make_chunks()) == [set()]


def test_figures_of_a_ranking_by_hand() -> None:
    """Relevant 7 at rank 2 and 9 at rank 4, both of gain 1.

    DCG = 1/log2(3) + 1/log2(5) = .630930 + .430677 = 1.061606; ideal = 1 + .630930 = 1.630930.
    """
    found = figures_of([5, 7, 6, 9], {7: 1.0, 9: 1.0})
    assert found["ndcg_at_10"] == pytest.approx(1.061606 / 1.630930, abs=1e-6)
    assert found["mrr"] == 0.5
    assert (found["recall_at_1"], found["recall_at_5"]) == (0.0, 1.0)


def test_ranks_below_ten_count_for_mrr_alone() -> None:
    """The eleventh passage: no nDCG@10, no recall@10, MRR 1/11."""
    found = figures_of([*range(10), 99], {99: 1.0})
    assert (found["ndcg_at_10"], found["recall_at_10"]) == (0.0, 0.0)
    assert found["mrr"] == pytest.approx(1 / 11)


def test_nothing_found_is_zero() -> None:
    """A ranking without the passage."""
    assert set(figures_of([1, 2], {3: 1.0}).values()) == {0.0}


def test_graded_ndcg_is_that_of_scikit_learn() -> None:
    """Gains 2 ** g - 1, cut at ten of thirty."""
    from sklearn.metrics import ndcg_score

    generator = np.random.default_rng(0)
    questions_QD = generator.normal(size=(20, 8))
    vectors_ND = generator.normal(size=(30, 8))
    gains = [
        {int(n): float(generator.integers(1, 4)) for n in generator.choice(30, 6, replace=False)}
        for _ in questions_QD
    ]
    truth_QN = np.zeros((20, 30))
    for row, graded in enumerate(gains):
        for number, gain in graded.items():
            truth_QN[row, number] = 2**gain - 1
    expected = ndcg_score(truth_QN, questions_QD @ vectors_ND.T, k=10)
    found = search_figures(questions_QD, vectors_ND, gains)
    assert found["ndcg_at_10"].mean() == pytest.approx(expected)


def test_equal_scores_are_ranked_by_number() -> None:
    """The same bytes on every machine."""
    found = search_figures(np.ones((1, 2)), np.ones((3, 2)), [{0: 1.0}])
    assert found["mrr"].tolist() == [1.0]
