"""Signals of the retrieval: each by its own rule, the same names for every question."""

from math import log, log1p

import numpy as np
import pytest
from tiny_index import PACKED, tiny_retrieval

from groundwork.answer import Draft, Retrieval, Support, all_signals
from groundwork.answer.signals import (
    ANSWER_SIGNALS,
    RETRIEVAL_SIGNALS,
    TOKEN_SIGNALS,
    retrieval_signals,
)


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
        "kind_wanted": 0.0,
        "kind_met": 0.0,
    }


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("How much is a tandem?", 1),
        ("Do students pay less?", 1),
        ("COST of a helmet?", 1),
        ("Is there a list of prices?", 1),
        ("How many days?", 0),
        ("Is it costly to be a payer?", 0),
    ],
)
def test_question_about_money_is_marked(bikes: Retrieval, question: str, expected: int) -> None:
    """Whole words, any case; prices change from day to day and are seldom on a page."""
    assert _signals(bikes, question)["asks_price"] == expected


@pytest.mark.parametrize(
    ("question", "quantity", "reason"),
    [
        ("How long does charging take?", 1, 0),
        ("how MANY tandems are there", 1, 0),
        ("How far, and why so far?", 1, 1),
        ("Why is the shop closed?", 0, 1),
        ("How do I charge?", 0, 0),
        ("Somehow longer?", 0, 0),
    ],
)
def test_quantities_and_reasons_are_marked(
    bikes: Retrieval, question: str, quantity: int, reason: int
) -> None:
    """Whole words, any case; a question may want both."""
    signals = _signals(bikes, question)
    assert (signals["asks_quantity"], signals["asks_reason"]) == (quantity, reason)


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Does the battery last 60 km?", 0),
        ("Does the battery last 77 km?", 1),
        ("Does the battery last 77 km, 77 km or 6.5 km?", 2),
        ("Is the range 40 km or 99,5 km?", 1),
        ("Does the battery last?", 0),
    ],
)
def test_numbers_that_no_passage_holds_are_counted(
    bikes: Retrieval, question: str, expected: int
) -> None:
    """Each once; decimals are one number."""
    retrieved = bikes.retrieve(question, category="electric")
    assert retrieval_signals(question, retrieved, bikes)["missing_numbers"] == expected


@pytest.mark.parametrize(
    ("question", "said", "expected"),
    [
        ("How long does it take?", "It takes 4 hours.", (1, 1)),
        ("How long does it take?", "It takes a while.", (1, 0)),
        ("Why is it slow?", "It is slow because it is cold.", (1, 1)),
        ("May dogs come?", "Dogs may come at 4 hours' notice.", (0, 0)),
        ("How long does it take?", "", (1, 0)),
    ],
)
def test_kind_asked_for_is_met_by_what_is_said(
    bikes: Retrieval, question: str, said: str, expected: tuple[int, int]
) -> None:
    """A time, a reason: whether one is wanted, and whether the draft gives it."""
    supports = (Support(said, "p1", said),) if said else ()
    signals = all_signals(question, bikes.retrieve(question), bikes, Draft(supports, False, {}))
    assert tuple(signals[name] for name in ANSWER_SIGNALS) == expected


def test_token_signals_by_hand() -> None:
    """moss and shade stand in one passage of eight each, tulip in none.

    idf: ln(9 / 1.5) = 1.792 twice, ln(9 / .5) = 2.890; weights .2767 .2767 .4466. The moss passage
    meets the first two; the worst is met by 0, and with the highest weight its hole is 1. `spring`
    stands in all passages: idf ln(9 / 8.5) = .0572.
    """
    tiny = tiny_retrieval()
    signals = retrieval_signals("moss shade tulip", tiny.retrieve("moss shade tulip"), tiny)
    met = 2 * log(6) / (2 * log(6) + log(18)) * PACKED
    assert {name: signals[name] for name in TOKEN_SIGNALS} == pytest.approx(
        {
            "token_passage": met,
            "token_first": met,
            "token_cover": met,
            "token_worst": 0.0,
            "token_hole": 1.0,
        },
        abs=1e-5,
    )


def test_cover_takes_each_token_where_it_is_met_best() -> None:
    """moss and sun stand in two passages: each meets half of the question, both all of it."""
    tiny = tiny_retrieval()
    retrieved = tiny.retrieve("moss sun")
    assert {"p0", "p1"} <= {item.chunk.passage_id for item in retrieved}
    signals = retrieval_signals("moss sun", retrieved, tiny)
    assert signals["token_passage"] == pytest.approx(PACKED / 2, abs=1e-5)
    assert signals["token_cover"] == pytest.approx(PACKED, abs=1e-5)
    assert signals["token_worst"] == pytest.approx(PACKED, abs=1e-5)
    assert signals["token_hole"] == pytest.approx(1 - PACKED, abs=1e-5)


def test_first_passage_is_not_always_the_best_met() -> None:
    """`token_first` is that of the passage that came first, whatever the order."""
    tiny = tiny_retrieval()
    retrieved = [item for item in tiny.retrieve("moss shade") if item.chunk.passage_id == "p0"]
    others = [item for item in tiny.retrieve("oak") if item.chunk.passage_id == "p2"]
    signals = retrieval_signals("moss shade", others + retrieved, tiny)
    assert signals["token_first"] == pytest.approx(0.0, abs=1e-6)
    assert signals["token_passage"] == pytest.approx(PACKED, abs=1e-5)
