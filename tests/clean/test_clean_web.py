"""HTML pages: what is kept, how it looks, what the page says about itself."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from groundwork.clean import CleanConfig, Reason
from groundwork.clean.extraction import Extraction
from groundwork.clean.reasons import PageRefusedError
from groundwork.clean.web import extract_html
from groundwork.records import Page

FILLER = (
    "<p>Alternating current comes out of the wall, and a battery cannot store it. On every AC "
    "charge point the conversion therefore happens inside the car, in the on-board charger.</p>"
)


@pytest.fixture
def extract(config: CleanConfig, make_page: Callable[..., Page]) -> Any:
    """Extract a body, or a whole page."""

    def run(html: str, *, head: str = "") -> Extraction:
        if "<html" not in html:
            html = f"<!doctype html><html lang='en'><head>{head}</head><body>{html}</body></html>"
        return extract_html(make_page(html), config.extract)

    return run


def _article(content: str) -> str:
    return f"<main><article><h1>Charging</h1>{FILLER}{content}{FILLER}</article></main>"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("<h2>Cables <a class='hash-link' href='#c'>#</a></h2><p>Text.</p>", "## Cables\n\nText."),
        ("<h3><a href='/x'>Linked heading</a></h3><p>Text.</p>", "### Linked heading\n\nText."),
        (
            "<p>A <strong>bold:</strong> <em>word</em>, CO<sub>2</sub>, <code>mode: pv</code>.</p>",
            "A bold: word, CO2, `mode: pv`.",
        ),
        ("<p>5&nbsp;€ and 10&#8239;kW, soft&shy;ly*_[x]</p>", "5 € and 10 kW, softly*_[x]"),
        ("<p>One line<br>next line.</p>", "One line\nnext line."),
        (
            "<ul><li>One<ul><li>One a</li><li>One b<ol><li>deep</li></ol></li></ul></li>"
            "<li>Two</li></ul>",
            "- One\n    - One a\n    - One b\n        1. deep\n- Two",
        ),
        (
            "<ul><li>Support for<ul><li><a href='/a'>Wallboxes</a></li>"
            "<li><a href='/b'>Cars</a></li></ul></li></ul>",
            "- Support for\n    - Wallboxes\n    - Cars",
        ),
        (
            "<ol><li>Plug <b>in</b>.</li><li><p>Wait.</p><p>Really.</p></li></ol>",
            "1. Plug in.\n2. Wait. Really.",
        ),
        (
            "<dl><dt>Ampere</dt><dd>Unit of current.</dd><dt>Volt</dt></dl>",
            "- Ampere: Unit of current.\n- Volt",
        ),
        (
            "<table><caption>Powers</caption><thead><tr><th>Plug</th><th>A | B</th></tr></thead>"
            "<tbody><tr><td rowspan=2>Type 2</td><td>22&nbsp;kW<br>max</td></tr>"
            "<tr><td><ul><li>x</li><li>y <a href='/z'>z</a></li></ul></td></tr></tbody></table>",
            "Powers\n\n| Plug | A \\| B |\n| --- | --- |\n| Type 2 | 22 kW max |\n"
            "| Type 2 | x; y z |",
        ),
        (
            "<table><tr><td>Row</td><td>5</td></tr><tr><td>Next</td><td>6</td></tr></table>",
            "|  |  |\n| --- | --- |\n| Row | 5 |\n| Next | 6 |",
        ),
        (
            "<table><tr><td colspan=900>Wide</td><td>5</td></tr>"
            "<tr><td>a</td><td>6</td></tr></table>",
            "|  |  |\n| --- | --- |\n| Wide | 5 |\n| a | 6 |",
        ),
        ("<table><tr><td>Only column</td></tr></table>", "Only column"),
        ("<blockquote><p>So they said.</p></blockquote>", "> So they said."),
        (
            "<pre><code>a:\n  b: 1\n\n  c: 2\n</code></pre>",
            "```\na:\n  b: 1\n\n  c: 2\n```",
        ),
        (
            "<ul><li>Do<pre>x = 1\ny = 2</pre></li></ul>",
            "- Do\n\n    ```\n    x = 1\n    y = 2\n    ```",
        ),
        (
            "<ol><li>Run<pre><code><span>docker stop a</span><br><span>docker rm a</span><br>"
            "</code></pre></li></ol>",
            "1. Run\n\n    ```\n    docker stop a\n    docker rm a\n    ```",
        ),
        ("<p># 1 of the list</p><p>| is a pipe</p>", "\\# 1 of the list\n\n\\| is a pipe"),
        ("<div class='note'><strong>Note:</strong> mind it.</div>", "Note: mind it."),
        (
            "<div><a href='#rfid'>RFID</a><a href='#ma'>mA</a><p>Text.</p>and tail</div>",
            "RFID mA\n\nText.\n\nand tail",
        ),
        ("<p>Read <!-- no --> on.</p>", "Read on."),
    ],
)
def test_structure_is_kept_as_markdown(content: str, expected: str, extract: Any) -> None:
    """Headings, lists, tables and code in plain Markdown; emphasis and escapes left out."""
    text = extract(_article(content)).text
    between = text.split("on-board charger.", 1)[1].rsplit("Alternating", 1)[0]
    assert between.strip("\n") == expected


def test_the_furniture_of_the_site_is_left_out(extract: Any) -> None:
    """Header, menus, banner, byline, sidebar and footer are no content."""
    html = (
        "<div class='cookie-banner' role='dialog'><p>We use cookies to remember you.</p></div>"
        "<header><nav><ul><li><a href='/'>Home page</a></li></ul></nav></header>"
        "<main><article><h1>Charging</h1><p class='byline'>By <a rel='author' href='/a'>Jane Doe"
        f"</a>, <time datetime='2025-03-14'>14 March 2025</time></p>{FILLER}</article>"
        "</main>"
        "<aside><h2>Related</h2><ul><li><a href='/r'>Other</a></li></ul></aside>"
        "<footer><p>Copyright of the site.</p></footer>"
    )
    found = extract(html)
    filler = FILLER.removeprefix("<p>").removesuffix("</p>")
    assert found.text == f"# Charging\n\n{filler}"
    assert (found.author, found.date) == ("Jane Doe", "2025-03-14")


def test_a_plain_page_loses_nothing(extract: Any) -> None:
    """Text that stands in the body itself is an article, lists and headings included."""
    found = extract(f"<h1>Plain</h1>{FILLER}<h2>List</h2><ul><li>first</li><li>second</li></ul>")
    assert found.text.endswith("## List\n\n- first\n- second")
    assert (found.title, found.headed) == ("Plain", True)


def test_a_false_main_region_is_not_believed(extract: Any) -> None:
    """A region with a small part of the text is not the content."""
    found = extract(f"<main><p>Ad.</p></main><div id='content'><h1>Real</h1>{FILLER * 3}</div>")
    assert "on-board charger" in found.text


def test_lists_of_links_show_in_the_share_of_links(extract: Any) -> None:
    """The share is taken of the main region, its menus aside."""
    items = "".join(f"<li><a href='/{i}'>Page number {i}</a></li>" for i in range(30))
    assert extract(f"<main><h1>All</h1><ul>{items}</ul></main>").link_share > 0.9
    assert extract(f"<main><nav><ul>{items}</ul></nav>{FILLER}</main>").link_share == 0.0


@pytest.mark.parametrize(
    ("head", "title", "author", "date"),
    [
        ("<title>Tariffs | The site</title>", "Tariffs", "", ""),
        (
            "<title>Window</title><meta property='og:title' content='Card'>"
            "<meta name='Author' content='Ann Lee'>"
            "<meta property='article:published_time' content='2024-05-06T08:00:00Z'>",
            "Card",
            "Ann Lee",
            "2024-05-06",
        ),
        (
            '<script type="application/ld+json">{"@graph": [{"headline": "Data", '
            '"datePublished": "2023-01-02T03:04", "author": [{"name": "A B"}, {"name": "C D"}]}]}'
            "</script><meta name='author' content='Other'>",
            "Data",
            "A B, C D",
            "2023-01-02",
        ),
        (
            '<script type="application/ld+json">[{"headline": 5, "datePublished": "soon", '
            '"author": {"@type": "Organization", "name": "Firm"}}, 7]</script>'
            "<title>Window</title>",
            "Window",
            "",
            "",
        ),
        ("<script type='application/ld+json'>{broken</script><title>T</title>", "T", "", ""),
        ("<meta name='author' content='https://site.example/me'>", "", "", ""),
    ],
)
def test_metadata_comes_from_what_the_page_declares(
    head: str, title: str, author: str, date: str, extract: Any
) -> None:
    """Structured data before meta tags before the window's title; nothing is guessed."""
    found = extract(f"<main>{FILLER}{FILLER}</main>", head=head)
    assert (found.title, found.author, found.date) == (title, author, date)


def test_a_time_marked_as_created_is_the_date(extract: Any) -> None:
    """Other times, such as those of related pages, are not, however they are written."""
    created = "<time itemprop='dateCreated' datetime='2018-06-08 09:28:03Z'>then</time>"
    other = "<time datetime='2012-01-03'>3 January 2012</time>"
    assert extract(_article(f"<p>{other}</p><p>{created}</p>")).date == "2018-06-08"


def test_dates_in_examples_of_code_are_not_the_pages(extract: Any) -> None:
    """A date in prose that names itself is the page's, one in a listing is not."""
    listing = "<pre><code>published: 2023-03-21\n</code></pre><p>See <code>2023-03-21</code>.</p>"
    assert extract(_article(listing)).date == ""
    found = extract(_article(f"{listing}<p class='date'>Published: 2024-05-06</p>"))
    assert found.date == "2024-05-06"
    assert "published: 2023-03-21" in found.text


def test_language_and_canonical_address_are_reported_as_declared(extract: Any) -> None:
    """Relative addresses stay relative: extraction does not know where the page stands."""
    html = (
        "<html lang='de-AT'><head><link rel='Canonical' href=' /x/ '></head>"
        f"<body>{FILLER * 2}</body></html>"
    )
    found = extract(html)
    assert (found.declared_language, found.canonical) == ("de", "/x/")


@pytest.mark.parametrize(
    ("html", "reason"),
    [
        ("<html><body></body></html>", Reason.NO_CONTENT),
        (
            "<html><head><title>x</title></head><body><script>f()</script></body></html>",
            Reason.NO_CONTENT,
        ),
        (
            "<html><head><meta name='ROBOTS' content='follow, NoIndex'></head><p>x</html>",
            Reason.NOINDEX,
        ),
        ("<html><!-- nothing -->", Reason.NO_CONTENT),
    ],
)
def test_pages_without_content_are_refused(html: str, reason: Reason, extract: Any) -> None:
    """Each with its reason."""
    with pytest.raises(PageRefusedError) as caught:
        extract(html)
    assert caught.value.reason is reason


def test_noindex_can_be_ignored(config: CleanConfig, make_page: Callable[..., Page]) -> None:
    """A team may index its own drafts."""
    from dataclasses import replace

    html = f"<html><head><meta name='robots' content='none'></head><body>{FILLER * 2}</body></html>"
    settings = replace(config.extract, honour_noindex=False)
    assert "on-board charger" in extract_html(make_page(html), settings).text


def test_text_in_boxes_of_a_long_page_is_kept(extract: Any) -> None:
    """Also where paragraphs abound and the extractor looks for nothing else."""
    many = "".join(FILLER.replace("wall", f"wall {i}") for i in range(10))
    box = "<section>before<div>Bare <b>text</b> here.</div><pre>x</pre></section>"
    assert "before\n\nBare text here." in extract(f"<main>{many}{box}{many[:200]}</main>").text


def test_deep_lists_and_long_spans_are_read(extract: Any) -> None:
    """The deepest markup that is let through does not break the reader."""
    found = extract(f"<main>{FILLER}{'<ul><li>level' * 60}{'</li></ul>' * 60}</main>")
    assert found.text.count("level") == 60
    rows = "<tr><td rowspan=65534>x</td><td>1</td></tr>" + "<tr><td>2</td></tr>" * 5
    long = f"<tr><td rowspan=3>{'y' * 600}</td><td>1</td></tr>" + "<tr><td>2</td></tr>"
    found = extract(_article(f"<table>{rows}</table><table>{long}</table>"))
    assert found.text.count("| x | 2 |") == 5
    assert "|  | 2 |" in found.text


def test_many_inline_tags_cost_little(extract: Any) -> None:
    """Dropped one by one, each would copy all text before it: minutes."""
    started = time.process_time()
    found = extract(f"<p>{'<span>word and </span>' * 50_000}</p><pre><b>x</b> = 1</pre>")
    assert time.process_time() - started < 20
    assert found.text.count("word and") == 50_000
    assert "x = 1" in found.text
