"""Quality rules, by the reason that they give."""

from dataclasses import replace
from typing import Any

import pytest

from groundwork.clean import CleanConfig, Reason
from groundwork.clean.extraction import Extraction
from groundwork.clean.language import detect_language
from groundwork.clean.quality import find_fault

GOOD = Extraction(
    title="Charging in winter",
    headed=True,
    text="\n\n".join(
        f"Cold batteries accept less power, so charging session {i} takes longer than in July."
        for i in range(10)
    ),
    author="",
    date="",
    canonical="",
    declared_language="en",
    link_share=0.1,
    masked={},
    media="html",
)


def _reason(config: CleanConfig, *, language: str = "en", **changes: Any) -> Reason | None:
    fault = find_fault(
        replace(GOOD, **changes), language=language, languages=["en"], config=config.quality
    )
    return fault[0] if fault else None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, None),
        ({"title": ""}, Reason.NO_TITLE),
        ({"title": "404", "text": GOOD.text[:500]}, Reason.SOFT_404),
        ({"title": "Page not found", "text": "Sorry, we looked everywhere."}, Reason.SOFT_404),
        ({"title": "Seite nicht gefunden", "text": GOOD.text[:500]}, Reason.SOFT_404),
        ({"title": "404"}, None),
        ({"title": "Why a charger is not found by the app"}, None),
        ({"link_share": 0.6}, Reason.LINK_LIST),
        ({"text": "Too few words to be of use."}, Reason.TOO_SHORT),
        ({"text": GOOD.text * 3000}, Reason.TOO_LONG),
        ({"text": "12 kW 34 A 56 V 78 % " * 20}, Reason.FEW_LETTERS),
        ({"text": "Press the button again.\n\n" * 30}, Reason.REPEATED_LINES),
        ({"text": f"{GOOD.text}\n\n```\n" + "x = 1\n" * 300 + "```"}, None),
        ({"text": GOOD.text + "\n\n" + "| AC | 22 kW |\n" * 60}, None),
        ({"language": "de"}, Reason.WRONG_LANGUAGE),
    ],
)
def test_each_rule_gives_its_reason(
    changes: dict[str, Any], reason: Reason | None, config: CleanConfig
) -> None:
    """A document breaks a rule exactly where its number crosses the limit."""
    assert _reason(config, **changes) == reason


def test_the_detail_names_what_was_found_and_expected(config: CleanConfig) -> None:
    """A person can tell from the detail alone why a page was left out."""
    fault = find_fault(
        replace(GOOD, text="Four words are few."),
        language="en",
        languages=["en"],
        config=config.quality,
    )
    assert fault == (Reason.TOO_SHORT, "4 words; expected at least 20")


def test_a_domain_without_languages_keeps_all(config: CleanConfig) -> None:
    """An empty list is no filter."""
    assert find_fault(GOOD, language="de", languages=[], config=config.quality) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (GOOD.text, "en"),
        ("Die Wallbox lädt das Auto über Nacht, und morgens ist die Batterie voll. " * 4, "de"),
        ("La borne recharge la voiture pendant la nuit, puis la batterie est pleine. " * 4, "fr"),
        (
            "```\nfor item in range(10): print(item)\n```\n\n" + "Das Auto steht vor der Tür. " * 9,
            "de",
        ),
    ],
)
def test_language_is_detected_in_prose(text: str, expected: str) -> None:
    """Whatever the page declares; code does not count."""
    assert detect_language(replace(GOOD, title="", text=text)) == expected


def test_a_few_words_are_in_the_declared_language() -> None:
    """Detection needs text; of a heading and a line the page's own word counts."""
    assert detect_language(replace(GOOD, text="Kosten", declared_language="de")) == "de"


def test_the_language_of_a_long_document_is_that_of_most_of_it() -> None:
    """An English beginning does not make a German page English, nor the other way round."""
    english = "The charger stops when the battery of the car is full. " * 80
    german = "Die Wallbox hört auf zu laden, wenn die Batterie des Autos voll ist. " * 80
    assert detect_language(replace(GOOD, title="", text=english + german * 2)) == "de"
    assert detect_language(replace(GOOD, title="", text=german + english * 2)) == "en"
