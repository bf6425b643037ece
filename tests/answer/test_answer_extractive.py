"""Picking sentences: best ones, one for each sub-question, whole lists, rows with headings."""

from collections.abc import Callable

import numpy as np
import pytest

from groundwork.answer import Draft, Retrieval
from groundwork.answer.extractive import (
    SIGNALS,
    Extractive,
    _entropy,
    in_reading_order,
    list_around,
    repeats,
    says_little,
)
from groundwork.answer.features import Candidate, candidates
from groundwork.answer.linear import Logistic

Make = Callable[..., Extractive]
STEPS = [
    "Follow these steps when you return a bicycle:",
    "Lock the bicycle to the rack.",
    "Hand the key to the desk.",
    "Sign the return form.",
]


def _draft(bikes: Retrieval, answerer: Extractive, question: str) -> Draft:
    return answerer.draft(question, bikes.retrieve(question))


def _texts(draft: Draft) -> list[str]:
    return [support.text for support in draft.supports]


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("How long does charging the battery take?", "Charging takes 4 hours from empty."),
        ("Does it open early on Sundays?", "On Sundays it opens at 10 am."),
        ("How much does a late return cost?", "A late return costs £5 per hour."),
        ("Why is the deposit paid back later?", "The deposit is paid back within 3 days"),
    ],
)
def test_one_sentence_answers(
    bikes: Retrieval, make_extractive: Make, question: str, expected: str
) -> None:
    """With room for one, it is the sentence that answers, word for word."""
    draft = _draft(bikes, make_extractive(max_sentences=1), question)
    assert len(draft.supports) == 1
    assert draft.supports[0].text.startswith(expected)
    assert not draft.refused


@pytest.mark.parametrize(
    "question",
    [
        "How long does charging take in winter?",
        "What are the steps of a return?",
        "What is the deposit for a cargo bike? Who rides free?",
        "puppies",
    ],
)
def test_every_quote_stands_in_its_passage(
    bikes: Retrieval, make_extractive: Make, question: str
) -> None:
    """Verbatim, and the passage is one of those retrieved."""
    retrieved = bikes.retrieve(question)
    texts = {item.chunk.passage_id: item.chunk.text for item in retrieved}
    draft = make_extractive(keep_ratio=0.0).draft(question, retrieved)
    assert draft.supports
    for support in draft.supports:
        assert support.quote
        assert support.quote in texts[support.passage_id]


def test_row_is_said_with_its_headings(bikes: Retrieval, make_extractive: Make) -> None:
    """The quote stays the row as it stands, the sentence names the columns."""
    draft = _draft(
        bikes, make_extractive(max_sentences=1), "How much is the deposit for a cargo bike?"
    )
    assert _texts(draft) == ["Bicycle: Cargo bike; Per day: £30; Deposit: £150."]
    assert draft.supports[0].quote == "| **Cargo bike** | £30 | £150 |"


def test_each_sub_question_gets_a_sentence(bikes: Retrieval, make_extractive: Make) -> None:
    """Two subjects, two sentences, in the order asked, though one subject has more good ones."""
    question = "What does a tandem cost per day? Does it open early on Sundays?"
    texts = _texts(_draft(bikes, make_extractive(max_sentences=2), question))
    assert texts == ["Bicycle: Tandem; Per day: £25.", "On Sundays it opens at 10 am."]


def test_no_sub_question_crowds_out_the_other(bikes: Retrieval, make_extractive: Make) -> None:
    """Two sentences fit the first half better than any the second: with two places, one each."""
    question = (
        "How far does the battery of an electric bicycle last in winter when the cells are cold? "
        "May dogs come into the shop?"
    )
    texts = _texts(_draft(bikes, make_extractive(max_sentences=2), question))
    assert texts == [
        "In winter the range falls to 40 km because cold cells give less energy.",
        "Dogs may come.",
    ]


def test_more_sub_questions_than_sentences_keep_to_the_limit(
    bikes: Retrieval, make_extractive: Make
) -> None:
    """`max_sentences` holds."""
    question = (
        "What does a tandem cost per day? When does the shop open on Sundays? "
        "How long does charging the battery take?"
    )
    assert len(_draft(bikes, make_extractive(max_sentences=2), question).supports) == 2


def test_further_sentences_need_their_share(bikes: Retrieval, make_extractive: Make) -> None:
    """`keep_ratio` 1 leaves the best alone, 0 fills up to the limit."""
    question = "How long does charging the battery take?"
    assert len(_draft(bikes, make_extractive(keep_ratio=1.0), question).supports) == 1
    assert len(_draft(bikes, make_extractive(keep_ratio=0.0), question).supports) == 3


def test_a_sentence_of_two_passages_is_said_once(bikes: Retrieval, make_extractive: Make) -> None:
    """Overlapping passages repeat sentences; the answer does not."""
    draft = _draft(
        bikes,
        make_extractive(keep_ratio=0.0, max_sentences=5),
        "How far does the battery last in winter?",
    )
    texts = _texts(draft)
    assert len(texts) == 5
    assert sum("range falls to 40 km" in text for text in texts) == 1


def test_steps_come_whole_and_in_order(bikes: Retrieval, make_extractive: Make) -> None:
    """A list is expanded around its best item, with its introduction, beyond `max_sentences`."""
    draft = _draft(bikes, make_extractive(), "What are the steps to return a bicycle?")
    assert _texts(draft)[: len(STEPS)] == STEPS


def test_a_list_leaves_room_for_sentences_beside_it(
    bikes: Retrieval, make_extractive: Make
) -> None:
    """The best ones that are not in it, so that a list picked wrongly does not push them out."""
    question = "What are the steps to return a bicycle?"
    for limit in (1, 2, 3):
        texts = _texts(_draft(bikes, make_extractive(max_sentences=limit, keep_ratio=0), question))
        assert texts[: len(STEPS)] == STEPS
        assert len(set(texts)) == len(texts) == len(STEPS) + limit - 1


def test_long_list_is_cut(bikes: Retrieval, make_extractive: Make) -> None:
    """From its start, as long as the best item is among those shown."""
    question = "What are the steps to lock the bicycle to the rack?"
    texts = _texts(_draft(bikes, make_extractive(max_list_items=2, max_sentences=1), question))
    assert [text for text in texts if text in STEPS] == STEPS[:2]


def test_cut_list_holds_its_best_item(bikes: Retrieval, make_extractive: Make) -> None:
    """The window moves until it reaches the item that was asked for."""
    question = "What are the steps after which I sign the return form?"
    texts = _texts(_draft(bikes, make_extractive(max_list_items=2, max_sentences=1), question))
    assert [text for text in texts if text in STEPS] == STEPS[2:]


def test_weak_list_gives_way_to_sentences(bikes: Retrieval, make_extractive: Make) -> None:
    """Without an item near the best sentence the best sentences are said, list question or not."""
    question = "What do you say about the range in winter?"
    texts = _texts(_draft(bikes, make_extractive(list_ratio=0.9), question))
    assert any("range falls to 40 km" in text for text in texts)
    assert len(texts) <= 3


def test_passages_without_lists_give_sentences(bikes: Retrieval, make_extractive: Make) -> None:
    """A list question over prose alone."""
    question = "What are the opening times?"
    retrieved = bikes.retrieve(question, category="visit")
    draft = make_extractive().draft(question, retrieved)
    assert "The shop opens at 8 am on weekdays." in _texts(draft)


def test_nothing_retrieved_is_a_refusal(make_extractive: Make) -> None:
    """With the same signals as ever, all zero."""
    draft = make_extractive().draft("What is a zebra?", [])
    assert draft == Draft((), True, dict.fromkeys(SIGNALS, 0.0))


def test_passages_without_a_sentence_are_a_refusal(bikes: Retrieval, make_extractive: Make) -> None:
    """Code alone cannot be quoted."""
    code = [r for r in bikes.retrieve("ERR 07", top_k=9) if r.chunk.heading == "Display"]
    assert len(code) == 1
    assert make_extractive().draft("ERR 07", code).refused


def test_signals_are_those_of_the_sentences(bikes: Retrieval, make_extractive: Make) -> None:
    """Best and second logit, best cosine, and the share of the question that the answer holds."""
    question = "When does the shop open on Sundays?"
    draft = _draft(bikes, make_extractive(), question)
    assert set(draft.signals) == set(SIGNALS)
    assert draft.signals["top_logit"] >= draft.signals["second_logit"]
    found = candidates(bikes, bikes.retrieve(question))
    cosines = bikes.index.sentence_vectors_SD[[c.sentence for c in found]] @ bikes.embed(question)
    assert draft.signals["top_cosine"] == pytest.approx(float(cosines.max()))
    assert draft.signals["answer_overlap"] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("logits", "expected"),
    [([3.0], 0.0), ([1.0, 1.0], 0.6931), ([2.0, 2.0, 2.0, 2.0], 1.3863), ([1.0986, 0.0], 0.5623)],
)
def test_entropy_by_hand(logits: list[float], expected: float) -> None:
    """One: 0; two and four alike: ln 2 and ln 4; shares 3/4 and 1/4: .2158 + .3466."""
    assert _entropy(np.array(logits)) == pytest.approx(expected, abs=1e-4)
    assert _entropy(np.array(logits) + 9) == pytest.approx(expected, abs=1e-4)


def test_certain_model_gives_finite_signals(bikes: Retrieval, ranker: Logistic) -> None:
    """A probability of 1 has no logit: it is clipped at ln(1e6)."""
    from groundwork.answer.config import ExtractiveConfig

    config = ExtractiveConfig(max_sentences=1, max_list_items=1, list_ratio=0.3, keep_ratio=0.1)
    certain = Extractive(bikes, config, Logistic(ranker.weights, 100.0))
    signals = _draft(bikes, certain, "When does the shop open?").signals
    assert signals["top_logit"] == signals["second_logit"] == pytest.approx(13.8155, abs=1e-3)


def _candidate(text: str, block: str = "prose", *, passage: int = 0, start: int = 0) -> Candidate:
    return Candidate(
        passage=passage, sentence=0, start=start, end=start + len(text), text=text, block=block
    )


INTRO_A, A1, A2 = _candidate("Bring these:"), _candidate("a", "item"), _candidate("b", "item")
INTRO_B, B1 = _candidate("Never bring:"), _candidate("c", "item")
PROSE, ROW = _candidate("Plain."), _candidate("| d |", "row")
ELSEWHERE = _candidate("e", "item", passage=1)


@pytest.mark.parametrize(
    ("best", "found", "expected"),
    [
        (A2, [PROSE, INTRO_A, A1, A2, PROSE], [INTRO_A, A1, A2]),
        (A1, [PROSE, A1, A2], [A1, A2]),
        (INTRO_A, [INTRO_A, A1, A2, INTRO_B, B1], [INTRO_A, A1, A2]),
        (INTRO_B, [INTRO_A, A1, A2, INTRO_B, B1], [INTRO_B, B1]),
        (B1, [INTRO_A, A1, A2, INTRO_B, B1], [INTRO_B, B1]),
        (A1, [A1, ROW], [A1]),
        (INTRO_A, [INTRO_A, PROSE], [INTRO_A]),
        (INTRO_A, [PROSE, INTRO_A, ELSEWHERE], [INTRO_A]),
        (INTRO_A, [ROW, INTRO_A], [INTRO_A]),
    ],
    ids=[
        "item: the list with its introduction",
        "item: prose without a colon is no introduction",
        "introduction: the list below",
        "introduction after another list: only the list below",
        "item of the second list: only that",
        "a table ends a list",
        "introduction without a list: alone",
        "introduction whose list is in another passage: alone",
        "introduction below a table: alone",
    ],
)
def test_list_around_a_sentence(
    best: Candidate, found: list[Candidate], expected: list[Candidate]
) -> None:
    """What belongs to the best item or introduction, and nothing else."""
    assert list_around(best, found) == expected


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("The range falls to 40 km.", "In winter the range falls to 40 km.", True),
        ("Lock the bicycle.", "Unlock the battery.", False),
        ("The of and.", "The of and.", False),
    ],
)
def test_repetition_is_nearly_the_same_words(one: str, other: str, expected: bool) -> None:
    """Four fifths of the shorter one's words; stop words alone say nothing."""
    assert repeats(_candidate(one), _candidate(other)) is expected


def test_reading_order_keeps_passages_together() -> None:
    """Passages by their best sentence, sentences as they stand."""
    late, early = _candidate("late", passage=2, start=9), _candidate("early", passage=2, start=1)
    other = _candidate("other", passage=0, start=0)
    assert in_reading_order([late, other, early]) == [early, late, other]


@pytest.mark.parametrize(
    ("text", "block", "expected"),
    [
        ("Two consequences follow:", "prose", True),
        ("What does a heat pump do?", "prose", True),
        ("For example", "prose", True),
        ("Dogs may come.", "prose", False),
        ("A lead of four words", "prose", False),
        ("- Helmet", "item", False),
        ("| 6 A | 1.4 kW |", "row", False),
    ],
)
def test_prose_that_answers_nothing_is_left_out(text: str, block: str, expected: bool) -> None:
    """Introductions, questions and labels; items and rows of any length may answer."""
    candidate = Candidate(passage=0, sentence=0, start=0, end=len(text), text=text, block=block)
    assert says_little(candidate) is expected


def test_an_introduction_gives_way_to_the_next_best(make_extractive: Make) -> None:
    """What says little is passed over, however high the ranker puts it."""
    picks = make_extractive()._best([INTRO_A, PROSE], np.array([0.9, 0.5]), taken=(), limit=1)
    assert picks == [PROSE]
