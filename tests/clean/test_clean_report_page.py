"""The data-quality page and the data card."""

import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from groundwork.clean import CleanConfig, CleanResult, clean_pages, render_card, render_page
from groundwork.config import DomainConfig
from groundwork.records import Page, Reject

SUBJECTS = ("cable", "socket", "meter")
VOID = {"meta", "link", "input"}


def _html(subject: str, *, words: int, extra: str = "") -> str:
    sentences = " ".join(
        f"{subject} {n} feeds {subject} {n + 1} by {subject} law {n}." for n in range(words // 8)
    )
    return (
        f"<html><body><main><h1>{subject}</h1><p>{sentences}</p>{extra}</main>"
        '<p>Published <time datetime="2024-05-06">6 May 2024</time></p></body></html>'
    )


@pytest.fixture
def result(
    config: CleanConfig, domain: DomainConfig, make_page: Callable[..., Page]
) -> CleanResult:
    """Three documents, a repeat of one, and two pages with too few words."""
    bodies = {
        "a/cable": _html("cable", words=80),
        "a/socket": _html("socket", words=300),
        "b/meter": _html("meter", words=80, extra="<p>Write to ann@grid.example today.</p>"),
        "b/again": _html("cable", words=80),
        "b/short": "<html><body><main><h1>Short</h1><p>Too few words.</p></main></body></html>",
        "b/<i>": "<html><body><main><h1>Shorter</h1><p>Few.</p></main></body></html>",
    }
    pages = [make_page(body, url=f"https://site.example/{name}") for name, body in bodies.items()]
    return clean_pages(pages, config=config, domain=domain, categorise=None)


class Balanced(HTMLParser):
    """Fails on a tag that is closed without having been opened; collects what the page loads."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loads: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name == "href" and tag == "a":
                self.links.append(value or "")
            elif name in ("src", "href"):
                self.loads.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def _parsed(page: str) -> Balanced:
    parser = Balanced()
    parser.feed(page)
    parser.close()
    assert parser.open == []
    return parser


def _section(page: str, title: str) -> str:
    found = re.search(rf"<section><h2>{title}</h2>(.*?)</section>", page, re.S)
    assert found, title
    return re.sub(r"<[^>]+>", " ", found[1]).replace("  ", " ")


def test_the_page_stands_alone(result: CleanResult) -> None:
    """Nothing is loaded, every tag is closed, and the same result gives the same bytes."""
    page = render_page(result, title="charging")
    parser = _parsed(page)
    assert parser.loads == ["data:,"]
    assert "url(" not in page
    assert "@import" not in page
    assert page == render_page(result, title="charging")


def test_every_page_is_counted(result: CleanResult) -> None:
    """The funnel, the reasons and the cluster add up to the pages."""
    page = render_page(result, title="charging")
    assert "<strong>3</strong> of 6 pages became documents" in page
    words = " ".join(_section(page, "From pages to documents").split())
    assert words == (
        "The passages cut from them are counted in artifacts/chunk/report.json. "
        "Pages fetched 6 (100%) Text extracted 6 (100%) Passed the quality filters 2 fewer 4 (67%) "
        "Documents, without repeats 1 fewer 3 (50%)"
    )
    reasons = " ".join(_section(page, "Rejected, by reason").split())
    assert "Too short 2 (33%)" in reasons
    assert "Exact duplicate 1 (17%)" in reasons
    repeats = " ".join(_section(page, "Pages that say the same").split())
    assert repeats == (
        "1 page like https://site.example/a/cable https://site.example/b/again similarity 1.00"
    )


def test_what_is_known_of_documents_is_drawn(result: CleanResult) -> None:
    """Lengths by band, dates by year, categories without a confidence where none was weighed."""
    documents = [
        replace(item, date=date)
        for item, date in zip(result.documents, ("2023-01-01", "2024-05-06", ""), strict=True)
    ]
    page = render_page(replace(result, documents=documents), title="charging")
    lengths = " ".join(_section(page, "Lengths in words").split())
    assert "50 to 99 2 (67%)" in lengths
    assert "200 to 499 1 (33%)" in lengths
    fresh = " ".join(_section(page, "Freshness").split())
    assert fresh.endswith(
        "From 2023-01-01 to 2024-05-06. 2023 1 (33%) 2024 1 (33%) no date 1 (33%)"
    )
    assert "Email 1" in " ".join(_section(page, "Personal data masked").split())
    assert "a 2 (67%) general 1 (33%)" in " ".join(_section(page, "Categories").split())
    assert "<h2>Certainty</h2>" not in page


def test_confidence_is_drawn_where_it_was_weighed(result: CleanResult) -> None:
    """In tenths, the least certain documents named."""
    documents = [
        replace(item, category="cables", category_confidence=confidence)
        for item, confidence in zip(result.documents, (0.31, 0.39, 1.0), strict=True)
    ]
    page = render_page(replace(result, documents=documents), title="charging")
    assert "Cables confidence 0.57 3" in " ".join(_section(page, "Categories").split())
    certainty = " ".join(_section(page, "Certainty").split())
    assert "0.3 to 0.4 2 (67%)" in certainty
    assert "0.9 to 1.0 1 (33%)" in certainty
    assert "Least certain https://site.example/a/cable cables, 0.31" in certainty


def test_text_of_pages_cannot_act(result: CleanResult) -> None:
    """Markup in addresses, titles and details is text; only web addresses are links."""
    evil = '"><script>alert(1)</script>'
    documents = [replace(result.documents[0], title=evil, url=f"javascript:alert(1)//{evil}")]
    rejects = [Reject(f"https://site.example/{evil}", "too_short", evil)]
    page = render_page(replace(result, documents=documents, rejects=rejects), title=evil)
    parser = _parsed(page)
    assert page.count("<script>") == 1
    assert all(url.startswith("https://") for url in parser.links)


def test_a_run_without_documents_has_a_page(
    config: CleanConfig, domain: DomainConfig, make_page: Callable[..., Page]
) -> None:
    """The one in which everything was rejected is the one that most needs reading."""
    result = clean_pages([make_page(" ")], config=config, domain=domain, categorise=None)
    page = render_page(result, title="charging")
    _parsed(page)
    assert "<strong>0</strong> of 1 pages became documents" in page
    assert "<h2>Documents</h2>" not in page
    assert render_card(result, config=config, domain=domain)


def test_long_lists_say_what_they_leave_out(result: CleanResult) -> None:
    """Samples of a reason, clusters and documents are capped, and counted beyond."""
    rejects = [Reject(f"https://site.example/{n}", "too_short", "3 words") for n in range(9)]
    repeat = {"url": "https://site.example/x", "similarity": 0.9, "left_out": True}
    clusters = [{"canonical": str(n), "pages": [repeat]} for n in range(60)]
    report = result.report | {"clusters": clusters}
    documents = [replace(result.documents[0], url=f"https://site.example/{n}") for n in range(1002)]
    long = replace(result, rejects=rejects, documents=documents, report=report)
    page = render_page(long, title="charging")
    assert "and 4 more" in page
    assert "and 10 smaller clusters" in page
    assert "The first 1,000 by address." in page
    assert page.count('<li data-category="') == 1000
