"""PDF documents, tagged and untagged, and those that cannot be read."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import pytest

from groundwork.clean import CleanConfig, Reason
from groundwork.clean.extraction import Extraction
from groundwork.clean.pdf import extract_pdf
from groundwork.clean.pdf_letters import join_lines
from groundwork.clean.reasons import PageRefusedError
from groundwork.records import Page

PLAIN, BOLD = "F1", "F2"


@dataclass(frozen=True)
class Line:
    """A line of a page: its text, height of letters, place, and marked-content tag."""

    text: str
    y: float
    size: float = 11
    x: float = 72
    font: str = PLAIN
    mark: int = -1


@dataclass(frozen=True)
class Element:
    """An element of the structure tree; its kind is its name without the number."""

    name: str
    kids: tuple[int | str, ...]
    """Marked content by id, and elements by name."""


def _stream(lines: Sequence[Line]) -> bytes:
    parts = []
    for line in lines:
        text = line.text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
        shown = f"BT /{line.font} {line.size} Tf {line.x} {line.y} Td ({text}) Tj ET"
        parts.append(f"/P <</MCID {line.mark}>> BDC {shown} EMC" if line.mark >= 0 else shown)
    return "\n".join(parts).encode("latin-1")


def _pdf(
    pages: Sequence[Sequence[Line]],
    *,
    info: str = "",
    structure: Sequence[Element] = (),
    encrypt: bool = False,
) -> bytes:
    """A PDF file; `structure` holds the elements of its tree, the first the root."""
    objects: list[bytes] = []
    fonts = "/Font <</F1 4 0 R /F2 5 0 R>>"
    first_page = 6
    kids = " ".join(f"{first_page + 2 * i} 0 R" for i in range(len(pages)))
    base = first_page + 2 * len(pages)
    tags = f"/StructTreeRoot {base} 0 R /MarkInfo <</Marked true>>" if structure else ""
    objects.append(f"<</Type /Catalog /Pages 2 0 R {tags}>>".encode())
    objects.append(f"<</Type /Pages /Kids [{kids}] /Count {len(pages)}>>".encode())
    objects.append(f"<<{info}>>".encode("latin-1"))
    for name in ("Helvetica", "Helvetica-Bold"):
        objects.append(
            f"<</Type /Font /Subtype /Type1 /BaseFont /{name} /Encoding /WinAnsiEncoding>>".encode()
        )
    for number, lines in enumerate(pages):
        data = _stream(lines)
        objects.append(
            (
                f"<</Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /StructParents {number} "
                f"/Resources <<{fonts}>> /Contents {first_page + 2 * number + 1} 0 R>>"
            ).encode()
        )
        objects.append(b"<</Length %d>>\nstream\n%s\nendstream" % (len(data), data))
    if structure:
        objects.extend(text.encode() for text in _tree(structure, base, first_page))
    return _file(objects, encrypt=encrypt)


def _tree(structure: Sequence[Element], base: int, page: int) -> list[str]:
    """Objects of a structure tree: the root at number `base`, then the elements in order."""
    number = {element.name: base + 1 + at for at, element in enumerate(structure)}
    parents = {kid: number[element.name] for element in structure for kid in element.kids}
    marks = sorted(kid for kid in parents if isinstance(kid, int))
    of_marks = " ".join(f"{parents[mark]} 0 R" for mark in marks)
    root = f"/K {base + 1} 0 R /ParentTree <</Nums [0 [{of_marks}]]>>"
    objects = [f"<</Type /StructTreeRoot {root}>>"]
    for element in structure:
        kids = " ".join(
            str(kid) if isinstance(kid, int) else f"{number[kid]} 0 R" for kid in element.kids
        )
        kind = element.name.rstrip("0123456789") if element.name != "H1" else "H1"
        objects.append(
            f"<</Type /StructElem /S /{kind} /P {parents.get(element.name, base)} 0 R "
            f"/Pg {page} 0 R /K [{kids}]>>"
        )
    return objects


def _file(objects: Sequence[bytes], *, encrypt: bool) -> bytes:
    out = bytearray(b"%PDF-1.7\n")
    offsets = []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    lock = ""
    if encrypt:  # keys of no password: every reader must ask for one
        lock = f"/Encrypt <</Filter /Standard /V 1 /R 2 /P -4 /O <{'ab' * 32}> /U <{'cd' * 32}>>> "
        lock += f"/ID [<{'00' * 16}><{'00' * 16}>]"
    out += f"trailer <</Size {len(objects) + 1} /Root 1 0 R /Info 3 0 R {lock}>>\n".encode()
    return bytes(out + b"startxref\n%d\n%%%%EOF\n" % start)


def _extract(body: bytes, config: CleanConfig, make_page: Callable[..., Page]) -> Extraction:
    return extract_pdf(make_page(body, content_type="application/pdf"), config.extract)


def _paragraph(top: float, lines: Sequence[str], **style: float) -> list[Line]:
    return [Line(text, top - 14 * number, **style) for number, text in enumerate(lines)]  # type: ignore[arg-type]


INTRO = [
    "Load management shares the supply of a building among its charge points. The con-",
    "troller lowers the current of each car when the building needs more, so that the well-",
    "known limit of the main fuse is kept. This is a well-known rule (call +44 20 7946 0958).",
]


def test_layout_tells_headings_paragraphs_and_items(
    config: CleanConfig, make_page: Callable[..., Page]
) -> None:
    """Size makes headings, gaps make paragraphs; broken words and personal data are mended."""
    lines = [
        Line("Load management", 780, size=22),
        *_paragraph(740, INTRO),
        *_paragraph(690, ["A second paragraph after a gap, long enough to make a line of text."]),
        Line("Steps to take", 660, size=15),
        Line("1. Measure the supply of the building", 640),
        Line("and note it.", 626),
        Line("2. Choose the limit.", 612),
        Line("Remarks", 585, font=BOLD),
        Line("\x95 The current never falls below 6 A.", 570),
    ]
    found = _extract(_pdf([lines]), config, make_page)
    assert found.text == (
        "# Load management\n\n"
        "Load management shares the supply of a building among its charge points. The controller "
        "lowers the current of each car when the building needs more, so that the well-known limit "
        "of the main fuse is kept. This is a well-known rule (call +44 20 7946 0958).\n\n"
        "A second paragraph after a gap, long enough to make a line of text.\n\n"
        "## Steps to take\n\n"
        "1. Measure the supply of the building and note it.\n2. Choose the limit.\n\n"
        "### Remarks\n\n- The current never falls below 6 A."
    )
    assert (found.title, found.media, found.masked) == ("Load management", "pdf", {})


def test_running_heads_go_and_paragraphs_run_over_pages(
    config: CleanConfig, make_page: Callable[..., Page]
) -> None:
    """What stands at the edge of most pages is no text of the document."""
    pages = []
    for number in range(4):
        body = [f"Line {name * (number + 1)} goes on and on and on and on until" for name in "abc"]
        pages.append(
            [
                Line(f"Annual report, page {number} of 4", 810),
                *_paragraph(740, [*body, f"page {'I' * number} ends in a sentence that"]),
                Line(str(number), 30),
            ]
        )
    pages[1][1] = replace(pages[1][1], text="continues on the next page, in small letters, until")
    found = _extract(_pdf(pages), config, make_page)
    assert "Annual report" not in found.text
    assert "page ends in a sentence that continues on the next page" in found.text
    assert "\n\n0" not in found.text


def test_metadata_gives_title_author_and_date(
    config: CleanConfig, make_page: Callable[..., Page]
) -> None:
    """Unless the title is the name of a file, as programs write it."""
    page = [Line("Small print", 780), *_paragraph(740, INTRO)]
    info = "/Title (The guide) /Author (Jane Doe) /CreationDate (D:20250314120000Z)"
    found = _extract(_pdf([page], info=info), config, make_page)
    assert (found.title, found.author, found.date) == ("The guide", "Jane Doe", "2025-03-14")
    found = _extract(_pdf([page], info="/Title (Microsoft Word - x.docx)"), config, make_page)
    assert (found.title, found.author, found.date) == ("Small print", "", "")


def test_tags_tell_tables_and_lists(config: CleanConfig, make_page: Callable[..., Page]) -> None:
    """A tagged page is read by its tags, whatever it looks like."""
    texts = ["The guide", "A paragraph that runs on", "over two lines.", "Plug", "Power", "Type 2"]
    texts += ["22 kW", "1.", "First step", "\x95 Point", "Quoted words", "Loose words", "Table 1"]
    lines = [Line(text, 780 - 20 * i, mark=i) for i, text in enumerate(texts)]
    tree = [
        Element("Document", ("H1", "P1", "Table1", "L1", "BlockQuote1", 11)),
        Element("H1", (0,)),
        Element("P1", (1, 2)),
        Element("Table1", ("Caption1", "TR1", "TBody1")),
        Element("Caption1", (12,)),
        Element("TR1", ("TH1", "TH2")),
        Element("TH1", (3,)),
        Element("TH2", (4,)),
        Element("TBody1", ("TR2",)),
        Element("TR2", ("TD1", "TD2")),
        Element("TD1", (5,)),
        Element("TD2", (6,)),
        Element("L1", ("LI1", "LI2")),
        Element("LI1", ("Lbl1", "LBody1")),
        Element("Lbl1", (7,)),
        Element("LBody1", (8,)),
        Element("LI2", (9,)),
        Element("BlockQuote1", (10,)),
    ]
    body = _pdf([lines], structure=tree)
    assert _extract(body, config, make_page).text == (
        "# The guide\n\nA paragraph that runs on over two lines.\n\nTable 1\n\n"
        "| Plug | Power |\n| --- | --- |\n| Type 2 | 22 kW |\n\n"
        "1. First step\n\n- Point\n\n> Quoted words\n\nLoose words"
    )


def test_tags_that_cover_little_are_not_believed(
    config: CleanConfig, make_page: Callable[..., Page]
) -> None:
    """A page whose text is mostly untagged is read by its layout."""
    lines = [Line("Tagged", 780, mark=0), *_paragraph(740, INTRO)]
    tree = [Element("Document", ("H1",)), Element("H1", (0,))]
    text = _extract(_pdf([lines], structure=tree), config, make_page).text
    assert "the well-known limit of the main fuse" in text


@pytest.mark.parametrize(
    ("body", "reason", "detail"),
    [
        (_pdf([[Line("Secret", 700)]], encrypt=True), Reason.ENCRYPTED_PDF, "asks for a password"),
        (_pdf([[], []]), Reason.SCANNED_PDF, "0 characters on 2 pages"),
        (_pdf([[Line("Stamp 7", 20)]]), Reason.SCANNED_PDF, "6 characters on 1 pages"),
        (b"%PDF-1.7\nbroken", Reason.DAMAGED_PDF, "cannot be opened"),
        (b"<html>no PDF</html>", Reason.DAMAGED_PDF, "cannot be opened"),
        (_pdf([[Line("x", 20)]] * 501), Reason.TOO_MANY_PAGES, "501 pages; expected at most 500"),
    ],
)
def test_pdfs_that_cannot_be_read_are_refused(
    body: bytes, reason: Reason, detail: str, config: CleanConfig, make_page: Callable[..., Page]
) -> None:
    """Each with its reason and what was found."""
    with pytest.raises(PageRefusedError, match=detail) as caught:
        _extract(body, config, make_page)
    assert caught.value.reason is reason


@pytest.mark.parametrize(
    ("lines", "words", "expected"),
    [
        (["a simple", "line"], "", "a simple line"),
        (["infor-", "mation"], "information", "information"),
        (["infor-", "mation"], "", "information"),
        (["state-", "court rule"], "state court", "state-court rule"),
        (["the state\ufffe", "court"], "state", "the state-court"),
        (["under\u00ad", "stand"], "", "understand"),
        (["the A-", "Class"], "", "the A- Class"),
        (["Low-", "Voltage"], "", "Low-Voltage"),
        (["", "x", ""], "", "x"),
    ],
)
def test_broken_words_are_mended(lines: list[str], words: str, expected: str) -> None:
    """A hyphen stays where the document knows the first part but not the whole."""
    assert join_lines(lines, frozenset(words.split())) == expected
