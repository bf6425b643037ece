"""Signals of the retrieval: each by its own rule, the same names for every question."""

from math import log, log1p

import numpy as np
import pytest

from groundwork.answer import Draft, Retrieval, all_signals
from groundwork.answer.signals import RETRIEVAL_SIGNALS, retrieval_signals


def _signals(bikes: Retrieval, question: str) -> dict[str, float]:
    return retrieval_signals(question, bikes.retrieve(question), bikes)


@pytest.mark.parametrize("question", ["When does the shop open?", "zebra", "the", "?"])
def test_names_are_the_same_and_values_finite(bikes: Retrieval, question: str) -> None:
    """Also for unknown words and for no word at all."""
    signals = _signals(bikes, question)
    assert tuple(signals) == RETRIEVAL_SIGNALS
    assert all(np.isfinite(value) for value in signals.values())


def test_nothing_retrieved_is_all_zero(bikes: Retrieval) -> None:
    """An unknown question of an empty category."""
    assert retrieval_signals("zebra", [], bikes) == dict.fromkeys(RETRIEVAL_SIGNALS, 0.0)


def test_cosines_are_those_of_the_passages(bikes: Retrieval) -> None:
    """Best, mean, and the best sentence."""
    question = "When does the shop open?"
    retrieved = bikes.retrieve(question)
    signals = retrieval_signals(question, retrieved, bikes)
    dense = [item.dense for item in retrieved]
    assert signals["best_dense"] == max(dense)
    assert signals["mean_dense"] == pytest.approx(sum(dense) / 4)
    assert signals["best_sentence"] == bikes.best_sentence(question, retrieved)


def test_held_words_overlap_and_miss_nothing(bikes: Retrieval) -> None:
    """All words in the first passage: overlap 1, nothing missing or unknown."""
    signals = _signals(bikes, "shop opens on weekdays")
    assert signals["overlap_first"] == pytest.approx(1.0)
    assert signals["overlap_all"] == pytest.approx(1.0)
    assert signals["missing_weight"] == signals["unknown_share"] == 0.0
    assert signals["log_terms"] == pytest.approx(log1p(3))


def test_unknown_words_are_weighed(bikes: Retrieval) -> None:
    """Nine passages: idf(zebra) = ln(10 / .5), idf(weekday) = ln(10 / 1.5); rarest = ln 20."""
    signals = _signals(bikes, "zebra weekdays")
    zebra, weekdays = log(10 / 0.5), log(10 / 1.5)
    assert signals["unknown_share"] == pytest.approx(zebra / (zebra + weekdays))
    assert signals["missing_weight"] == pytest.approx(zebra / log(20))
    assert signals["overlap_all"] == pytest.approx(weekdays / (zebra + weekdays))
    best = max(item.lexical for item in bikes.retrieve("zebra weekdays"))
    assert signals["lexical_share"] == pytest.approx(best / (zebra + weekdays))


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Do you hire out a Brompton in winter?", 1),
        ("Is a Brompton or a Dahon at the desk?", 2),
        ("How much is a Tandem?", 0),
        ("Brompton for hire?", 0),
        ("how much is it to hire a brompton?", 0),
    ],
)
def test_names_that_no_passage_holds_are_counted(
    bikes: Retrieval, question: str, expected: int
) -> None:
    """Capitals inside a sentence; the first word's capital says nothing."""
    assert _signals(bikes, question)["missing_names"] == expected


def test_signals_of_the_draft_are_added(bikes: Retrieval) -> None:
    """Both together are what the calibration sees."""
    draft = Draft((), False, {"mean_log_probability": -0.5})
    retrieved = bikes.retrieve("shop")
    signals = all_signals("shop", retrieved, bikes, draft)
    assert signals == {
        **retrieval_signals("shop", retrieved, bikes),
        "mean_log_probability": -0.5,
    }
