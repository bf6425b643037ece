"""Fact coverage and groundedness."""

import pytest

from groundwork.evaluate.facts import fact_coverage, states, tokens
from groundwork.evaluate.grounding import groundedness, is_grounded


@pytest.mark.parametrize(
    ("answer", "fact"),
    [
        ("It draws 7,4 kW.", "7.4 kW"),
        ("It draws 7.4kW at most", "7.4 kW"),
        ("It draws 7.4\u00a0kW", "7,4 kW"),
        ("about 1,000 stations", "1000"),
        ("about 1\u202f000 stations", "1,000"),
        ("£12,345.50 in all", "12345.50"),
        ("down to \u221210 °C", "-10 °C"),
        ("three times 16 A, 3\u2009×\u200916 A", "3x16 A"),
        ("an 80\u201390% charge", "80-90 %"),
        ("posts of 7-10 kW", "10 kW"),
        ("A Single-Phase supply", "single phase"),
        ("It takes 2½ hours", "2.5 hours"),
        ("OCPP 2.0.1 is newer.", "ocpp 2.0.1"),
        ("It costs **30p/kWh**.", "30 p/kWh"),
        ("below 0,125 A", "0.125 A"),
        ("a CCS (Combo 2) plug", "CCS Combo 2"),
    ],
)
def test_formats_of_the_same_fact_are_equal(answer: str, fact: str) -> None:
    """Case, white space, signs and number formats do not matter."""
    assert states(answer, [fact])


@pytest.mark.parametrize(
    ("answer", "fact"),
    [
        ("It draws 111 kW.", "11 kW"),
        ("It holds 11 kWh.", "11 kW"),
        ("It draws 3.11 kW.", "11 kW"),
        ("It draws 11.5 kW.", "11 kW"),
        ("It is \u221210 °C.", "10 °C"),
        ("OCPP 2.0.1", "OCPP 2.0"),
        ("1,000,000 cars", "1000"),
        ("the types 1,2,3 exist", "1.2"),
        ("Use a wallbox. [2]", "2"),
        ("unsafe", "safe"),
        ("anything", ""),
        ("anything", "…"),
    ],
)
def test_a_fact_is_not_found_inside_something_else(answer: str, fact: str) -> None:
    """Words and numbers match whole or not at all, and citation marks are no numbers."""
    assert not states(answer, [fact])


def test_tokens_are_in_their_normal_form() -> None:
    """Numbers, words and unit symbols stay, punctuation goes."""
    assert tokens("At \u22125 °C, 1,200 W (16A) cost £3.20!") == [
        "at", "-5", "°", "c", "1200", "w", "16", "a", "cost", "£", "3.20",
    ]  # fmt: skip


def test_coverage_needs_every_fact_in_any_of_its_wordings() -> None:
    """All facts of {7.4 kW, eight hours or 8 hours}: 1, one of them missing: 0."""
    facts = (("7.4 kW",), ("eight hours", "8 hours"))
    assert fact_coverage("At 7,4 kW it takes 8 hours.", facts) == 1.0
    assert fact_coverage("At 7.4 kW it takes long.", facts) == 0.0


PASSAGE = "A wallbox charges at 7.4 kW. It takes eight hours."


def test_a_sentence_is_grounded_by_a_verbatim_quote_that_covers_it() -> None:
    """The quote's {it, takes, eight, hours} holds 4 of the 5 tokens: 0.8."""
    sentence, quote = "It usually takes eight hours.", "It takes eight hours."
    assert is_grounded(sentence, quote, [PASSAGE], coverage=0.8)
    assert not is_grounded(sentence, quote, [PASSAGE], coverage=0.81)


def test_a_quote_must_be_verbatim_in_a_passage() -> None:
    """A changed quote grounds nothing, nor does an empty one."""
    assert not is_grounded("It takes eight hours", "it takes eight hours", [PASSAGE], coverage=0.5)
    assert not is_grounded("It takes eight hours", "", [PASSAGE], coverage=0.5)


def test_groundedness_is_the_share_of_grounded_sentences() -> None:
    """One of two sentences: 0.5. No sentence: 0."""
    sentences = ("It takes eight hours.", "Bananas are yellow.")
    quotes = ("It takes eight hours.", "It takes eight hours.")
    assert groundedness(sentences, quotes, [PASSAGE], coverage=0.6) == 0.5
    assert groundedness((), (), [PASSAGE], coverage=0.6) == 0.0
