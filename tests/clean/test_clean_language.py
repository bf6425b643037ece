"""Blocks in another language than the domain's: which go, which stay, and what is said of them."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from groundwork.clean import CleanConfig, clean_pages
from groundwork.clean.config import ForeignConfig
from groundwork.clean.extraction import Extraction
from groundwork.clean.language import leave_out_foreign, read_languages
from groundwork.config import DomainConfig
from groundwork.records import Page

SITE = "https://site.example"

ENGLISH = (
    "The wallbox in the garage charges the car overnight, when the tariff is low and nobody needs "
    "the power. It stops by itself as soon as the battery is full."
)
GERMAN = (
    "Die Wallbox in der Garage lädt das Auto über Nacht, wenn der Strom günstig ist und niemand "
    "sonst ihn braucht. Sie hört von selbst auf, sobald der Akku voll ist."
)
CODE = "```yaml\ntarif: [nacht, tag, wochenende, feiertag, und, dann, noch, der, ganze, rest]\n```"
CONFIG = ForeignConfig(min_words=12, min_probability=0.99)


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is remembered between runs lies below the current folder."""
    monkeypatch.chdir(tmp_path)


def _page(*blocks: str, title: str = "Charging at night") -> Extraction:
    text = "\n\n".join(blocks)
    return Extraction(title, True, text, "", "", "", "en", 0.0, {}, "html")


def _left(extraction: Extraction, config: ForeignConfig = CONFIG, *wanted: str) -> list[str]:
    found = read_languages(extraction)
    kept, _ = leave_out_foreign(extraction, found, wanted=wanted or ("en",), config=config)
    return kept.text.split("\n\n")


def test_a_paragraph_of_another_language_goes() -> None:
    """Prose and lists; headings, tables, code, and what has too few words stay."""
    items = "\n".join(f"- {sentence}" for sentence in GERMAN.split(", "))
    table = f"| Spalte | Wert |\n|---|---|\n| {GERMAN} | ja |"
    more = [f"{ENGLISH} Note {n}." for n in "abcde"]
    page = _page("# T", *more, GERMAN, CODE, table, items, "Laden ist nachts sehr günstig.")
    assert _left(page) == ["# T", *more, CODE, table, "Laden ist nachts sehr günstig."]


def test_a_heading_goes_with_all_below_it() -> None:
    """But not when something is left there."""
    more = [f"{ENGLISH} Note {n}." for n in "abcde"]
    page = _page("# T", *more, "## Auf Deutsch", GERMAN, "## Both", GERMAN, ENGLISH)
    assert _left(page) == ["# T", *more, "## Both", ENGLISH]


@pytest.mark.parametrize(
    ("config", "wanted"),
    [
        (replace(CONFIG, min_words=0), ("en",)),
        (replace(CONFIG, min_words=40), ("en",)),
        (replace(CONFIG, min_probability=1.0), ("en",)),
        (CONFIG, ("en", "de")),
    ],
    ids=["switched off", "too short", "not sure enough", "wanted, too"],
)
def test_a_page_stays_whole_otherwise(config: ForeignConfig, wanted: tuple[str, ...]) -> None:
    """Switched off, too few words, not sure enough, or a language of the domain."""
    page = _page("# T", ENGLISH, ENGLISH + " Again.", GERMAN)
    found = read_languages(page)
    foreign = [replace(block, probability=0.999) for block in found.foreign]
    told = replace(found, foreign=tuple(foreign))
    assert leave_out_foreign(page, told, wanted=wanted, config=config) == (page, [])


def test_a_german_page_loses_its_english_paragraph() -> None:
    """The rule knows no language before others; with no languages set everything stays."""
    page = _page("# Nachts laden", GERMAN, GERMAN + " Immer.", ENGLISH, title="Nachts laden")
    assert read_languages(page).page == "de"
    assert _left(page, CONFIG, "de") == ["# Nachts laden", GERMAN, GERMAN + " Immer."]
    kept, gone = leave_out_foreign(page, read_languages(page), wanted=[], config=CONFIG)
    assert (kept, gone) == (page, [])


def test_what_is_left_out_is_counted(
    config: CleanConfig, domain: DomainConfig, make_page: Callable[..., Page]
) -> None:
    """The report names page, language and words; the document does not hold the block."""
    paragraphs = "".join(f"<p>{ENGLISH} Note {n}.</p>" for n in "abcd")
    html = f"<html lang=en><title>Night</title><main><h1>Night</h1>{paragraphs}<p>{GERMAN}</p>"
    result = clean_pages(
        [make_page(html, url=f"{SITE}/night")], config=config, domain=domain, categorise=None
    )
    (document,) = result.documents
    assert "günstig" not in document.text
    assert document.language == "en"
    found = result.report["foreign"]
    assert (found["blocks"], found["languages"]) == (1, {"de": 1})
    assert found["words"] == 30
    assert found["shown"][0]["url"] == f"{SITE}/night"
    assert GERMAN.startswith(found["shown"][0]["text"])
