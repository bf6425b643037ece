"""Letters of a PDF page with their places, sizes and tags; lines joined to text.

In: a page of pypdfium2. Out: letters in reading order, as PDFium orders them.
"""

import ctypes
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

_BROKEN_WORD = re.compile(r"([^\W\d_]{2,})[-\u2010\u00ad\ufffe]$")
"""A word cut at the end of a line."""
BOLD_WEIGHT = 600
"""Semi-bold, on the scale of CSS."""
_BOLD_NAME = re.compile(r"bold|black|heavy", re.I)
LINE_HYPHEN = "\ufffe"
"""A hyphen at the end of a line: PDFium reports U+0002 for it and leaves out the line break."""
_WORD = re.compile(r"[^\W\d_]{2,}")
_WHOLE_WORD = re.compile(r"([^\W\d_]{2,})(?![^\W\d_]|\ufffe|[-\u2010\u00ad]\s*\n)")


@dataclass(frozen=True, slots=True)
class Letter:
    """One character."""

    text: str
    left: float
    bottom: float
    right: float
    top: float
    """In points from the lower left corner; all 0 for blanks that PDFium inferred."""
    bold: bool
    mark: int
    """Marked-content id that ties it to the structure tree; -1 without one."""


def read_letters(page: Any) -> list[Letter]:
    """All letters of `page`; ends of lines are `\\n`."""
    import pypdfium2.raw as raw

    text_page = page.get_textpage()
    marks: dict[int, tuple[int, bool]] = {}
    letters = []
    rect = raw.FS_RECTF()
    for at in range(raw.FPDFText_CountChars(text_page)):
        text = _decode(raw.FPDFText_GetUnicode(text_page, at))
        if not text:
            continue
        if text == "\n" or (raw.FPDFText_IsGenerated(text_page, at) == 1 and text.isspace()):
            letters.append(Letter(text, 0, 0, 0, 0, False, -1))
            continue
        mark, bold = _object_facts(raw, text_page, at, marks)
        raw.FPDFText_GetLooseCharBox(text_page, at, rect)
        letters.append(Letter(text, rect.left, rect.bottom, rect.right, rect.top, bold, mark))
        if text == LINE_HYPHEN:
            letters.append(Letter("\n", 0, 0, 0, 0, False, -1))
    return letters


def _decode(code: int) -> str:
    if code in (0x0A, 0x0D):
        return "\n" if code == 0x0A else ""
    if code == 0x02:
        return LINE_HYPHEN
    if code == 0 or code > 0x10FFFF or 0xD800 <= code < 0xE000:
        return ""
    return chr(code)


def _object_facts(
    raw: Any, text_page: Any, at: int, known: dict[int, tuple[int, bool]]
) -> tuple[int, bool]:
    """Marked-content id and boldness; letters share text objects, which are asked once."""
    thing = raw.FPDFText_GetTextObject(text_page, at)
    address = ctypes.cast(thing, ctypes.c_void_p).value or 0
    if address not in known:
        mark = raw.FPDFPageObj_GetMarkedContentID(thing) if thing else -1
        known[address] = (mark, _is_bold(raw, text_page, at))
    return known[address]


def _is_bold(raw: Any, text_page: Any, at: int) -> bool:
    """By weight where the font tells it, else by the font's name."""
    if raw.FPDFText_GetFontWeight(text_page, at) >= BOLD_WEIGHT:
        return True
    name = ctypes.create_string_buffer(100)
    raw.FPDFText_GetFontInfo(text_page, at, name, len(name), ctypes.c_int())
    return _BOLD_NAME.search(name.value.decode("utf-8", "replace")) is not None


def vocabulary(letters: Iterable[Letter]) -> frozenset[str]:
    """Words of the letters in lower case: tells a broken word from one with a hyphen."""
    return frozenset(_WHOLE_WORD.findall("".join(letter.text for letter in letters).casefold()))


def join_lines(lines: Sequence[str], words: frozenset[str]) -> str:
    """Lines of one paragraph as running text; words broken at the end of a line are mended.

    A hyphen stays when the document knows the part before it but not the whole: "state-court".
    """
    text = ""
    for line in (line.strip() for line in lines):
        broken = _BROKEN_WORD.search(text)
        if broken and line[:1].islower():
            following = _WORD.match(line)
            whole = f"{broken[1]}{following[0] if following else ''}".casefold()
            keeps = whole not in words and broken[1].casefold() in words
            text = f"{text[:-1]}{'-' if keeps else ''}{line}"
        elif broken and line[:1].isalnum():
            text = f"{text[:-1]}-{line}"
        elif line:
            text = f"{text} {line}" if text else line
    return text
