"""Blocks of a document and how they are written as Markdown.

HTML and PDF are read into the same blocks, so that a heading, a list item or a table row looks the
same wherever it came from. Emphasis is left out: a quote of the text is then verbatim what a reader
of the page sees.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

_INVISIBLE = re.compile("[\u200b\u2060\ufeff\u00ad\ufffe\ufffd\x00-\x08\x0b-\x1f\x7f-\x9f]")
_BLANKS = re.compile(r"[^\S\n]+")
_STARTS_BLOCK = re.compile(r"^(?=#{1,6}\s|\||```|~~~|>)")
INDENT = "    "
"""One level of a list, wide enough below both `- ` and `10. `."""


class Kind(StrEnum):
    """What a block is."""

    HEADING = "heading"
    PARAGRAPH = "paragraph"
    QUOTE = "quote"
    ITEM = "item"
    TABLE = "table"
    CODE = "code"


@dataclass(frozen=True, slots=True)
class TextBlock:
    """A block; `rows` of a table, `text` of all others."""

    kind: Kind
    text: str = ""
    level: int = 0
    """Of a heading 1 to 6; of an item or code the depth in lists, from 0."""
    number: int = 0
    """Of an item of an ordered list, from 1; 0 is a bullet."""
    rows: tuple[tuple[str, ...], ...] = ()
    """The first row is the head; its cells are empty when the table has none."""


def tidy(text: str) -> str:
    """Single blanks, composed characters, nothing invisible; line breaks stay."""
    clean = _INVISIBLE.sub("", unicodedata.normalize("NFC", text.replace("\r", "\n")))
    lines = [_BLANKS.sub(" ", line).strip() for line in clean.split("\n")]
    return "\n".join(line for line in lines if line)


def one_line(text: str) -> str:
    """`tidy` on a single line."""
    return tidy(text).replace("\n", " ")


def to_markdown(blocks: Sequence[TextBlock]) -> str:
    """The blocks as Markdown, without a line break at the end."""
    parts: list[str] = []
    previous: TextBlock | None = None
    for block in blocks:
        text = _render(block)
        if not text:
            continue
        if previous is not None:
            parts.append("\n" if _share_list(previous, block) else "\n\n")
        parts.append(text)
        previous = block
    return "".join(parts)


def _share_list(left: TextBlock, right: TextBlock) -> bool:
    if left.kind is not Kind.ITEM or right.kind is not Kind.ITEM:
        return False
    return right.level > 0 or left.level > 0 or (left.number > 0) == (right.number > 0)


def _render(block: TextBlock) -> str:
    if block.kind is Kind.HEADING:
        words = one_line(block.text)
        return f"{'#' * min(max(block.level, 1), 6)} {words}" if words else ""
    if block.kind is Kind.TABLE:
        return _render_table(block.rows)
    if block.kind is Kind.CODE:
        return _render_code(block)
    if block.kind is Kind.ITEM:
        marker = f"{block.number}." if block.number else "-"
        words = one_line(block.text)
        return f"{INDENT * block.level}{marker} {words}" if words else ""
    if block.kind is Kind.QUOTE:
        words = one_line(block.text)
        return f"> {words}" if words else ""
    lines = tidy(block.text).split("\n")
    return "\n".join(_STARTS_BLOCK.sub(r"\\", line, count=1) for line in lines)


def _render_code(block: TextBlock) -> str:
    lines = block.text.replace("\r\n", "\n").replace("```", "'''").strip("\n").split("\n")
    body = [_INVISIBLE.sub("", line.replace("\t", INDENT)).rstrip() for line in lines]
    if not any(body):
        return ""
    indent = INDENT * block.level
    return "\n".join((indent + line).rstrip() for line in ["```", *body, "```"])


def _render_table(rows: Sequence[Sequence[str]]) -> str:
    cells = [[one_line(cell).replace("|", "\\|") for cell in row] for row in rows]
    cells = [row for number, row in enumerate(cells) if number == 0 or any(row)]
    if len(cells) < 2 and not any(cells[0] if cells else []):
        return ""
    width = max(len(row) for row in cells)
    full = [row + [""] * (width - len(row)) for row in cells]
    head, rest = full[0], full[1:]
    lines = [head, ["---"] * width, *rest]
    return "\n".join("| " + " | ".join(row) + " |" for row in lines)
