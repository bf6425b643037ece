"""Plain text: paragraphs, headings that stand out by themselves, lists, and columns as they are.

In: the body of a page. Out: an extraction. Also what all formats of text share: bytes to text.
"""

import re
from collections.abc import Iterator

from groundwork.clean.blocks import Kind, TextBlock
from groundwork.clean.compose import About, compose
from groundwork.clean.config import ExtractConfig
from groundwork.clean.decode import decode_body
from groundwork.clean.extraction import Extraction
from groundwork.clean.reasons import PageRefusedError, Reason
from groundwork.records import Page

MAX_HEADING_CHARS = 100
_BULLET = re.compile(r"\s*[-*•–]\s+(?=\S)")
_NUMBER = re.compile(r"\s*(\d{1,3})[.)]\s+(?=\S)")
_UNDERLINE = re.compile(r"(=+|-+|~+|\*+)\s*")
_NUMBERED = re.compile(r"(\d{1,2}(?:\.\d{1,2}){0,4})\.?\s+[^\W\d_].*[^.,;:!?]")
_PAGE_MARK = re.compile(r"\W*page\s+\d+(?:\s+of\s+\d+)?\W*|\W*\d+\W*", re.I)
"""A line that says on which page of the printed document we are."""
_COLUMNS = re.compile(r"\S\s{3,}\S")
_GAP = re.compile(r"\n(?:[ \t]*\n)+|\f")


def extract_text(page: Page, _: ExtractConfig) -> Extraction:
    """Read a text file. Raises: `PageRefusedError`."""
    return compose(read_paragraphs(decode_source(page)), About(), media="text")


def decode_source(page: Page) -> str:
    """Text of a page in any format of plain text, lines ended by a line feed.

    Raises: `PageRefusedError` when it is none.
    """
    text = decode_body(page.body, page.charset)
    sample = text[:20_000]
    odd = sum(
        1 for letter in sample if letter == "\ufffd" or (letter < " " and letter not in "\t\n\f\r")
    )
    if odd * 20 > len(sample):
        raise PageRefusedError(
            Reason.NOT_TEXT, f"{odd} of the first {len(sample)} characters are not text"
        )
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def check_marks(text: str, marks: str, config: ExtractConfig) -> None:
    """Refuse a text with more of these marks than tags are allowed. Raises: `PageRefusedError`.

    Readers of markup look for the partner of each, some of them to the end of the text.
    """
    found = sum(map(text.count, marks))
    if found > config.max_tags:
        raise PageRefusedError(
            Reason.TOO_MANY_TAGS,
            f"{found} of {' '.join(marks)}; expected at most {config.max_tags}",
        )


def read_paragraphs(text: str) -> list[TextBlock]:
    """Blocks of a text without a title of its own."""
    return [block for group in _GAP.split(text) for block in _read_group(group)]


def _read_group(group: str) -> Iterator[TextBlock]:
    """Blocks of lines that no blank line divides."""
    lines = [line.expandtabs() for line in group.split("\n") if line.strip()]
    if lines and _PAGE_MARK.fullmatch(lines[0][:40]):
        lines = lines[1:]
    if not lines:
        return
    if len(lines) == 2 and len(lines[0]) <= MAX_HEADING_CHARS and _UNDERLINE.fullmatch(lines[1]):
        level = 1 if lines[1].startswith("=") else 2
        yield TextBlock(Kind.HEADING, text=lines[0], level=level)
    elif len(lines) == 1 and (level := _heading_level(lines[0].strip())):
        yield TextBlock(Kind.HEADING, text=lines[0], level=level)
    elif len(lines) > 1 and sum(bool(_COLUMNS.search(line)) for line in lines) * 2 > len(lines):
        yield TextBlock(Kind.CODE, text="\n".join(lines))
    else:
        yield from _read_lines(lines)


def _heading_level(line: str) -> int:
    """Level of a line by itself that is a heading: numbered, or in capitals; else 0."""
    if len(line) > MAX_HEADING_CHARS:
        return 0
    if numbered := _NUMBERED.fullmatch(line):
        return min(6, 2 + numbered[1].count("."))
    letters = [letter for letter in line if letter.isalpha()]
    return 2 if len(letters) > 3 and line.isupper() else 0


def _read_lines(lines: list[str]) -> Iterator[TextBlock]:
    """Paragraphs and list items; a line without a mark goes on with what stands before it."""
    kind, number, words = Kind.PARAGRAPH, 0, list[str]()
    for line in lines:
        bullet, numbered = _BULLET.match(line), _NUMBER.match(line)
        mark = bullet or numbered
        if mark and words:
            yield TextBlock(kind, text=" ".join(words), number=number)
            words = []
        if mark:
            kind, number = Kind.ITEM, int(numbered[1]) if numbered else 0
            line = line[mark.end() :]
        words.append(line.strip())
    yield TextBlock(kind, text=" ".join(words), number=number)
