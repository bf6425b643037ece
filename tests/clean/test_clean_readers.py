"""Markdown, text, Word documents and records of an API, each as the document it makes."""

import json
import time
import zipfile
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO

import pytest

from groundwork.clean import CleanConfig, Reason, clean_pages
from groundwork.clean.config import ExtractConfig
from groundwork.clean.extraction import Extraction
from groundwork.clean.readers import BY_TYPE, DOCX
from groundwork.clean.reasons import PageRefusedError
from groundwork.config import DomainConfig
from groundwork.records import Page

Read = Callable[..., Extraction]


@pytest.fixture
def read(config: CleanConfig, make_page: Callable[..., Page]) -> Read:
    """`read(body, "text/markdown")`."""

    def run(body: str | bytes, kind: str, settings: ExtractConfig = config.extract) -> Extraction:
        return BY_TYPE[kind](make_page(body, content_type=kind, charset=""), settings)

    return run


def refusal(read: Read, body: str | bytes, kind: str, *settings: ExtractConfig) -> tuple[str, str]:
    """Reason and detail of a page that is refused."""
    with pytest.raises(PageRefusedError) as caught:
        read(body, kind, *settings)
    return caught.value.reason, caught.value.detail


MARKDOWN = """---
title: Of the front matter
author: [Ann, {name: Ben}]
date: 2025-06-01
lang: en-GB
---
import Tabs from '@theme/Tabs';

# Wiring a `wallbox` {#wiring}

A *first* line
that goes [on](https://x.example) with <b>HTML</b>.

Setext
------

1. One
2. Two
   - inner

     ```sh
     run  --fast
     ```

| Plug | kW |
|------|---:|
| `Type 2` | 22 |
| a \\| b | 3 |

:::note Mind the gap
Careful.
:::

!!! warning "Hot"
    Do not touch.

    - at all

> [!TIP]
> Use gloves.

<!-- not shown -->
<table><tr><th>A</th><th>B</th></tr><tr><td rowspan=2>x</td><td>1</td></tr>
<tr><td>2</td></tr></table>

```python
# not a heading
:::
import x from 'y'
```

- [x] done

![picture](a.png) after the picture
"""


def test_markdown_keeps_its_structure(read: Read) -> None:
    """Headings, lists, tables of both kinds, code as it is; boxes become what stands in them."""
    found = read(MARKDOWN, "text/markdown")
    assert found.text.split("\n") == [
        "# Wiring a `wallbox`",
        "",
        "A first line that goes on with HTML.",
        "",
        "## Setext",
        "",
        "1. One",
        "2. Two",
        "    - inner",
        "",
        "        ```",
        "        run  --fast",
        "        ```",
        "",
        "| Plug | kW |",
        "| --- | --- |",
        "| Type 2 | 22 |",
        "| a \\| b | 3 |",
        "",
        "Mind the gap",
        "",
        "Careful.",
        "",
        "Hot",
        "",
        "Do not touch.",
        "",
        "- at all",
        "",
        "> Tip: Use gloves.",
        "",
        "| A | B |",
        "| --- | --- |",
        "| x | 1 |",
        "| x | 2 |",
        "",
        "```",
        "# not a heading",
        ":::",
        "import x from 'y'",
        "```",
        "",
        "- [x] done",
        "",
        "after the picture",
    ]
    assert (found.title, found.headed, found.media) == ("Wiring a wallbox", True, "markdown")
    assert (found.author, found.date, found.declared_language) == ("Ann, Ben", "2025-06-01", "en")


@pytest.mark.parametrize(
    ("body", "title", "first"),
    [
        ("---\ntitle: T\n---\nwords", "T", "words"),
        ("+++\ntitle = 'T'\n+++\nwords", "T", "words"),
        ("---\ntitle: [\n---\nwords", "words", "words"),
        ("---\n\nnot a mapping\n\n---\nwords", "not a mapping", "not a mapping"),
        ("## Chapter\n\n### Part\n\nwords", "Chapter", "# Chapter"),
        ("## One\n\nwords\n\n## Two\n\nwords", "One", "## One"),
        ("words\n\n# Later", "Later", "words"),
        ("word " * 40, "word " * 16 + "…", ("word " * 40).strip()),
        ("a\x01b&#2;c\n\n<pre>d&#3;e</pre>\n\n|a&#4;|\n|-|\n" + "x" * 99, "a bc", "a bc"),
        ("\ufeff# Marked\r\n\r\nwords\r\n", "Marked", "# Marked"),
    ],
)
def test_the_title_of_markdown(read: Read, body: str, title: str, first: str) -> None:
    """The one heading above all others, what the front matter names, or the first line."""
    found = read(body, "text/markdown")
    assert (found.title, found.text.split("\n")[0]) == (title, first)


def test_drafts_are_not_published(read: Read, config: CleanConfig) -> None:
    """As pages are that ask search engines to leave them out."""
    body = "---\ndraft: true\n---\n# T\n\nwords"
    assert refusal(read, body, "text/markdown")[0] == Reason.NOINDEX
    kept = replace(config.extract, honour_noindex=False)
    assert read(body, "text/markdown", kept).title == "T"


def test_text_is_read_by_how_it_is_laid_out(read: Read) -> None:
    """Wrapped lines are one paragraph; headings stand out; columns keep their places."""
    body = """Manual of the wallbox
=====================

--- PAGE 1 ---
It charges
at night.

1. INSTALLATION

1.1 Cable and plug

- short
- long and
  wrapped
2) second

Model      kW     Price
A          7.4    500
B          22     900

# no heading
42
"""
    found = read(body, "text/plain")
    assert found.text == (
        "# Manual of the wallbox\n\nIt charges at night.\n\n## 1. INSTALLATION\n\n"
        "### 1.1 Cable and plug\n\n- short\n- long and wrapped\n\n2. second\n\n"
        "```\nModel      kW     Price\nA          7.4    500\nB          22     900\n```\n\n"
        "\\# no heading 42"
    )
    assert (found.title, found.media) == ("Manual of the wallbox", "text")


@pytest.mark.parametrize("kind", ["text/plain", "text/markdown", "text/asciidoc"])
def test_what_is_no_text_is_refused(read: Read, kind: str) -> None:
    """Whatever its name says; a text of blanks alone has no content."""
    assert refusal(read, bytes(range(256)) * 9, kind)[0] == Reason.NOT_TEXT
    assert refusal(read, "<!-- -->" if kind == "text/markdown" else " \n\f\n", kind) == (
        Reason.NO_CONTENT,
        "no text was found",
    )


def paragraph(text: str, *, style: str = "", list_id: int = 0, level: int = 0) -> str:
    """A paragraph of WordprocessingML."""
    of_list = f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{list_id}"/></w:numPr>'
    name = f'<w:pStyle w:val="{style}"/>' if style else ""
    run = text if text.startswith("<w:") else f"<w:r><w:t>{text}</w:t></w:r>"
    return f"<w:p><w:pPr>{name}{of_list if list_id else ''}</w:pPr>{run}</w:p>"


def word_table(*rows: tuple[str, ...]) -> str:
    """A table of WordprocessingML."""
    made = "".join(
        f"<w:tr>{''.join(f'<w:tc>{paragraph(cell)}</w:tc>' for cell in row)}</w:tr>" for row in rows
    )
    return f"<w:tbl>{made}</w:tbl>"


SPACE = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
CORE = "http://schemas.openxmlformats.org/package/2006/metadata/core-properties"


def make_docx(body: str, **changes: str | None) -> bytes:
    """A Word document as Word packs it; `changes` replace or leave out its parts."""
    styles = "".join(
        f'<w:style w:type="paragraph" w:styleId="{key}"><w:name w:val="{name}"/></w:style>'
        for key, name in {"H1": "heading 1", "H2": "heading 2", "Code": "Source Code"}.items()
    )
    numbering = "".join(
        f'<w:abstractNum w:abstractNumId="{n}"><w:lvl w:ilvl="0"><w:numFmt w:val="{form}"/></w:lvl>'
        f'<w:lvl w:ilvl="1"><w:numFmt w:val="bullet"/></w:lvl></w:abstractNum>'
        f'<w:num w:numId="{n}"><w:abstractNumId w:val="{n}"/></w:num>'
        for n, form in ((1, "bullet"), (2, "decimal"))
    )
    parts: dict[str, str | None] = {
        "[Content_Types].xml": f'<Types xmlns="{TYPES}"><Default Extension="xml" '
        'ContentType="application/xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{RELATIONS}"><Relationship Id="r1" '
        f'Type="{OFFICE}/officeDocument" Target="word/document.xml"/></Relationships>',
        "word/_rels/document.xml.rels": f'<Relationships xmlns="{RELATIONS}">'
        f'<Relationship Id="s" Type="{OFFICE}/styles" Target="styles.xml"/>'
        f'<Relationship Id="n" Type="{OFFICE}/numbering" Target="numbering.xml"/></Relationships>',
        "word/document.xml": f"<w:document {SPACE}><w:body>{body}</w:body></w:document>",
        "word/styles.xml": f"<w:styles {SPACE}>{styles}</w:styles>",
        "word/numbering.xml": f"<w:numbering {SPACE}>{numbering}</w:numbering>",
        "docProps/core.xml": f'<c:p xmlns:c="{CORE}" xmlns:d="http://purl.org/dc/elements/1.1/" '
        'xmlns:t="http://purl.org/dc/terms/"><d:title>Of the properties</d:title>'
        "<d:creator>Ann</d:creator><t:created>2025-06-01T10:00:00Z</t:created></c:p>",
        **changes,
    }
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            if content is not None:
                archive.writestr(name, content)
    return packed.getvalue()


def test_word_keeps_its_structure(read: Read) -> None:
    """Headings, nested lists, code, a table with its head, insertions; struck text is gone."""
    tracked = (
        "<w:r><w:t>It is </w:t></w:r><w:ins><w:r><w:t>very </w:t></w:r></w:ins>"
        "<w:del><w:r><w:delText>not </w:delText></w:r></w:del><w:r><w:t>safe.</w:t></w:r>"
    )
    body = "".join(
        (
            paragraph("Wiring", style="H1"),
            paragraph(tracked),
            paragraph("Steps", style="H2"),
            paragraph("one", list_id=2),
            paragraph("inner", list_id=2, level=1),
            paragraph("two", list_id=2),
            paragraph("if a:", style="Code"),
            paragraph("  b()", style="Code"),
            word_table(("Plug", "kW"), ("Type 2", "22")),
            word_table(("x" * 99, "y"), ("1", "2")),
        )
    )
    found = read(make_docx(body), DOCX)
    assert found.text.split("\n") == [
        "# Wiring",
        "",
        "It is very safe.",
        "",
        "## Steps",
        "",
        "1. one",
        "    - inner",
        "2. two",
        "",
        "```",
        "if a:",
        "  b()",
        "```",
        "",
        "| Plug | kW |",
        "| --- | --- |",
        "| Type 2 | 22 |",
        "",
        "|  |  |",
        "| --- | --- |",
        f"| {'x' * 99} | y |",
        "| 1 | 2 |",
    ]
    assert (found.title, found.author, found.date) == ("Wiring", "Ann", "2025-06-01")
    untitled = read(make_docx(paragraph("Words.")), DOCX)
    assert (untitled.title, untitled.headed) == ("Of the properties", False)
    assert read(make_docx(paragraph("Words."), **{"docProps/core.xml": None}), DOCX).date == ""


def test_word_documents_that_cannot_be_read(read: Read, config: CleanConfig) -> None:
    """Each with its own reason; a bomb is refused before anything is unpacked."""
    good = make_docx(paragraph("Words."))
    assert refusal(read, b"PK no zip", DOCX)[0] == Reason.DAMAGED_DOCX
    assert refusal(read, good[:-30], DOCX)[0] == Reason.DAMAGED_DOCX
    assert refusal(read, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", DOCX)[0] == Reason.ENCRYPTED_DOCX
    other = BytesIO()
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("a.txt", "a")
    assert refusal(read, other.getvalue(), DOCX) == (
        Reason.DAMAGED_DOCX,
        "a zip file, but no document of Word",
    )
    for position in range(60, len(good) - 60, 37):  # whatever byte is wrong
        broken = good[:position] + b"\xff\x00\xff" + good[position + 3 :]
        try:
            read(broken, DOCX)
        except PageRefusedError as error:
            assert error.reason == Reason.DAMAGED_DOCX  # noqa: PT017  some bytes do not matter
    unclosed = make_docx("", **{"word/document.xml": "<w:document"})
    assert refusal(read, unclosed, DOCX)[0] == Reason.DAMAGED_DOCX
    empty = make_docx("", **{"word/document.xml": None})
    assert refusal(read, empty, DOCX)[0] == Reason.DAMAGED_DOCX
    bomb = make_docx(paragraph("x" * 30_000_000))
    assert len(bomb) < 100_000
    assert refusal(read, bomb, DOCX)[0] == Reason.BODY_TOO_LARGE
    long = refusal(read, make_docx(paragraph("x" * 3_000_000)), DOCX)
    assert long == (
        Reason.BODY_TOO_LARGE,
        "more than 2500000 characters of text in word/document.xml",
    )
    many = refusal(read, make_docx("<w:p/>" * 60_000), DOCX)
    assert many[0] == Reason.TOO_MANY_TAGS
    nested = make_docx("<w:p>" * 500 + "</w:p>" * 500)
    assert refusal(read, nested, DOCX)[0] == Reason.MARKUP_TOO_DEEP
    entity = make_docx("", **{"word/document.xml": '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'})
    assert refusal(read, entity, DOCX)[0] == Reason.DAMAGED_DOCX
    small = replace(config.extract, max_tags=1)
    assert refusal(read, good, DOCX, small)[0] == Reason.TOO_MANY_TAGS


def record(**fields: object) -> str:
    """A record as the crawl writes it."""
    pairs = [[label.replace("_", " "), value] for label, value in fields.items()]
    return json.dumps({"title": "Car park", "date": "2025-06-01", "fields": pairs})


def test_a_record_is_a_page_about_one_thing(read: Read) -> None:
    """Short values are a list, long ones have a heading, lists of objects are a table."""
    body = record(
        Address="1 High Street",
        Open=True,
        Closed=None,
        Nothing="",
        Plugs=["Type 2", "CCS"],
        Notes="First line.\n\nSecond paragraph.",
        Directions="<p>Left, <b>then</b> right.</p><ul><li>a</li></ul>",
        Connections=[
            {"Type": "CCS", "kW": 50, "Empty": None},
            {"Type": "Type 2", "kW": 22, "Status": {"Now": "free"}},
        ],
        Operator={"Name": "Acme", "Sites": [1, 2]},
        Deep={"a": json.loads("[" * 300 + "1" + "]" * 300), "b": 2},
    )
    found = read(body, "application/json")
    assert found.text.split("\n\n") == [
        "# Car park",
        "- Address: 1 High Street\n- Open: yes\n- Plugs: Type 2, CCS",
        "## Notes",
        "First line.",
        "Second paragraph.",
        "## Directions",
        "Left, then right.",
        "- a",
        "## Connections",
        "| Type | kW | Status |\n| --- | --- | --- |\n| CCS | 50 |  |\n| Type 2 | 22 | Now: free |",
        "## Operator",
        "- Name: Acme\n- Sites: 1, 2",
        "## Deep",
        "- a: …\n- b: 2",
    ]
    assert (found.title, found.date, found.media) == ("Car park", "2025-06-01", "record")


@pytest.mark.parametrize(
    "body", ["{", "[]", '{"title": "x"}', '{"title": "x", "date": "", "fields": [1]}', "[" * 99999]
)
def test_other_json_is_no_record(read: Read, body: str) -> None:
    """The reject says what was expected."""
    reason, detail = refusal(read, body, "application/json")
    assert reason == Reason.DAMAGED_RECORD
    assert detail.endswith("expected title, date and fields")


def test_personal_data_is_masked_in_every_format(
    config: CleanConfig, domain: DomainConfig, make_page: Callable[..., Page]
) -> None:
    """As on a page of the web, in title and text."""
    line = "Write to ann@site.example about {}"
    bodies = {
        "text/plain": line.format("cables"),
        "text/markdown": line.format("plugs"),
        "text/asciidoc": line.format("sockets"),
        DOCX: make_docx(paragraph(line.format("fuses"))),
        "application/json": record(Contact=line.format("car parks")),
    }
    assert set(bodies) == set(BY_TYPE)
    pages = [
        make_page(body, url=f"https://site.example/{n}", content_type=kind, charset="")
        for n, (kind, body) in enumerate(bodies.items())
    ]
    brief = replace(config, quality=replace(config.quality, min_words=1))
    result = clean_pages(pages, config=brief, domain=domain, categorise=None)
    assert len(result.documents) == len(bodies)
    for document in result.documents:
        assert "ann@" not in document.title + document.text, document.media
        assert "[EMAIL]" in document.text, document.media
    assert result.report["masked"]["email"] == len(bodies)


def test_every_format_becomes_a_document(
    config: CleanConfig, domain: DomainConfig, make_page: Callable[..., Page]
) -> None:
    """Through the whole stage, beside rejects with their reasons."""

    def words(thing: str) -> str:
        return f"The {thing} of the house charges the car at night, and " * 4 + "that is all."

    bodies = {
        "text/plain": f"CABLES\n\n{words('cable')}",
        "text/markdown": f"# Plugs\n\n{words('plug')}",
        "text/asciidoc": f"= Sockets\n\n{words('socket')}",
        DOCX: make_docx(paragraph("Fuses", style="H1") + paragraph(words("fuse"))),
        "application/json": record(About=words("car park")),
    }
    pages = [
        make_page(body, url=f"https://site.example/{n}", content_type=kind, charset="")
        for n, (kind, body) in enumerate(bodies.items())
    ]
    pages.append(make_page("GIF", url="https://site.example/z", content_type="image/gif"))
    result = clean_pages(pages, config=config, domain=domain, categorise=None)
    assert [(d.title, d.media) for d in result.documents] == [
        ("CABLES", "text"),
        ("Plugs", "markdown"),
        ("Sockets", "asciidoc"),
        ("Fuses", "docx"),
        ("Car park", "record"),
    ]
    (reject,) = result.rejects
    assert reject.reason == Reason.UNSUPPORTED_TYPE
    assert "text/asciidoc, text/html, text/markdown" in reject.detail


HOSTILE = {
    "text/markdown": [
        "[" * 50_000,
        "[" * 5_000_000,
        "> " * 20_000 + "x",
        "- " * 20_000 + "x",
        "`" * 50_001,
        "*a **b " * 20_000,
        "|a" * 20_000 + "\n" + "|-" * 20_000 + "\n" + "|b" * 20_000,
        "<div>" * 5_000,
        "!!! a\n    " * 10_000,
        "# a" + " " * 100_000 + "b",
        ":::a" + " " * 100_000 + "b",
        "---\na: &a [x]\nb: &b [*a,*a]\n---\nwords",
    ],
    "text/asciidoc": [
        "*a " * 50_000,
        "`a " * 50_000,
        "<<a " * 50_000,
        "====\n" + "=====\n".join("x" for _ in range(5_000)),
        "\n".join("=" * (4 + n % 200) for n in range(5_000)),
        "|===\n" + "|a" * 50_000,
        "|===\n" + "9999.9999+|a\n" * 2_000,
        '[cols="99*"]\n|===\n99*|a\n|===',
        "\n".join("*" * (1 + n % 6) + " a" for n in range(20_000)),
        "a:: " * 20_000,
        "ifdef::a[]\n" * 50_000,
        "https://a.example[" * 20_000,
        "image:" * 50_000,
        "((" * 50_000,
        "== a" + " " * 100_000 + "b",
        ":a: b" + " " * 100_000 + "b",
        "{a}" * 50_000 + "\n:a: {a}{a}",
    ],
    "text/plain": [
        "1." * 50_000,
        "a   " * 50_000,
        "- \n" * 50_000,
        "=\n" * 50_000,
        " " * 100_000 + "a",
    ],
    "application/json": [
        record(a={"b": "<p>" * 5_000}),
        record(a=[[[1]] * 9]),
        record(a="<p>" * 999),
    ],
}


@pytest.mark.parametrize(
    ("kind", "number"), [(kind, n) for kind, bodies in HOSTILE.items() for n in range(len(bodies))]
)
def test_hostile_bodies_cost_little(read: Read, kind: str, number: int) -> None:
    """Linear in the text: seconds, where a mark that is tried again costs minutes."""
    started = time.process_time()
    try:
        found = read(HOSTILE[kind][number], kind)
    except PageRefusedError:
        found = None
    assert time.process_time() - started < 10
    assert found is None or len(found.text) < 20 * len(HOSTILE[kind][number]) + 10_000
