"""Title and date of a page: what names it, and what only stands near."""

from collections.abc import Callable

import pytest

from groundwork.clean import CleanConfig, web
from groundwork.clean.blocks import Kind, TextBlock
from groundwork.clean.metadata import find_date, find_title
from groundwork.clean.web import extract_html, parse_html
from groundwork.records import Page


def _title(head: str, body: str = "") -> str:
    return find_title(parse_html(f"<html><head>{head}</head><body>{body}<p>Words.</p></body>"))


@pytest.mark.parametrize(
    ("head", "body", "expected"),
    [
        ("<title>Night rates - Acme Power</title>", "<h1>Night rates</h1>", "Night rates"),
        ("<title>Night rates | Acme</title>", "<h1>Acme</h1><h1>Night rates</h1>", "Night rates"),
        ("<title>Night rates | Acme</title>", "<h1>Welcome!</h1>", "Night rates"),
        (
            '<title>x</title><meta property="og:title" content="Rates - day &amp; night - Acme">'
            '<meta property="og:site_name" content="ACME">',
            "",
            "Rates - day & night",
        ),
        (
            '<title>Rates - day</title><meta property="og:site_name" content="ACME">',
            "",
            "Rates - day",
        ),
        ("", "<h1>Night rates</h1>", "Night rates"),
        ("", "", ""),
    ],
    ids=["heading in it", "longest heading", "bar", "site's name", "dash", "heading alone", "none"],
)
def test_the_title_is_what_heading_and_window_agree_on(head: str, body: str, expected: str) -> None:
    """The name of the site is none."""
    assert _title(head, body) == expected


def test_a_heading_that_is_no_content_leaves_the_page_its_title(
    config: CleanConfig, make_page: Callable[..., Page], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where segments were judged, a heading outside of the content is left without text."""
    blocks = [
        TextBlock(Kind.HEADING, "", level=1),
        TextBlock(Kind.PARAGRAPH, "Charge at night, when the tariff is low."),
    ]
    monkeypatch.setattr(web, "_judge", lambda *_: blocks)
    page = make_page("<title>Night rates - Acme</title><h1>Night rates</h1><div>Charge.</div>")
    found = extract_html(page, config.extract)
    assert (found.title, found.headed) == ("Night rates", False)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("Published on 3 May 2024", "2024-05-03"),
        ("Published on May 3rd, 2024", "2024-05-03"),
        ("Published on September 30, 2024", "2024-09-30"),
        ("Since 2024 we have 3 mayors", ""),
    ],
)
def test_a_date_counts_that_is_written_out(words: str, expected: str) -> None:
    """With the name of its month, too."""
    source = f"<html><body><article><p class='date'>{words}</p><p>Text.</p></article></body>"
    assert find_date(parse_html(source), source) == expected
