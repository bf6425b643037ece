"""The block structure of Markdown as `clean` writes it, with offsets.

In: text. Out: headings, paragraphs, list items, table lines and code blocks, in order. Nothing is
rendered or unescaped: every block is a span of the text.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

FENCE = re.compile(r"\s*(```+|~~~+)")
HEADING = re.compile(r"(#{1,6})\s+\S")
ITEM = re.compile(r"\s*(?:[-*+•]|\d{1,3}[.)])\s+(?=\S)")
QUOTE = re.compile(r"\s*(?:>\s?)+")
TABLE_RULE = re.compile(r"\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$")
THEMATIC_BREAK = re.compile(r"\s*(?:(?:-\s*){3,}|(?:\*\s*){3,}|(?:_\s*){3,})$")


class BlockKind(StrEnum):
    """What a block is."""

    HEADING = "heading"
    PARAGRAPH = "paragraph"
    ITEM = "item"
    TABLE_HEAD = "table_head"
    TABLE_RULE = "table_rule"
    TABLE_ROW = "table_row"
    CODE = "code"
    BREAK = "break"


@dataclass(frozen=True, slots=True)
class Block:
    """A span of the text; `content` is where its words begin, after marker and indent."""

    kind: BlockKind
    start: int
    content: int
    end: int
    level: int
    """Of a heading, 1 to 6; else 0."""


@dataclass(frozen=True, slots=True)
class _Line:
    start: int
    end: int
    text: str


def parse_blocks(text: str) -> list[Block]:
    """Blocks of `text` in order; blank lines belong to none."""
    lines = list(_lines(text))
    blocks: list[Block] = []
    at = 0
    while at < len(lines):
        if not lines[at].text.strip():
            at += 1
            continue
        found, at = _read_block(lines, at)
        blocks.extend(found)
    return blocks


def _lines(text: str) -> Iterator[_Line]:
    start = 0
    for part in text.split("\n"):
        yield _Line(start, start + len(part.rstrip()), part.rstrip())
        start += len(part) + 1


def _read_block(lines: list[_Line], at: int) -> tuple[list[Block], int]:
    line = lines[at]
    if FENCE.match(line.text):
        return _read_code(lines, at)
    if heading := HEADING.match(line.text):
        level = len(heading[1])
        return [Block(BlockKind.HEADING, line.start, line.start + level + 1, line.end, level)], (
            at + 1
        )
    if _is_table_line(line):
        return _read_table(lines, at)
    if THEMATIC_BREAK.match(line.text):
        return [Block(BlockKind.BREAK, line.start, line.start, line.end, 0)], at + 1
    if item := ITEM.match(line.text):
        return _read_prose(lines, at, BlockKind.ITEM, item.end())
    if quote := QUOTE.match(line.text):
        content = line.start + quote.end()
        return [Block(BlockKind.PARAGRAPH, line.start, content, max(content, line.end), 0)], at + 1
    indent = len(line.text) - len(line.text.lstrip())
    return _read_prose(lines, at, BlockKind.PARAGRAPH, indent)


def _is_table_line(line: _Line) -> bool:
    return line.text.lstrip().startswith("|") and line.text.count("|") >= 2


def _read_code(lines: list[_Line], at: int) -> tuple[list[Block], int]:
    opening = FENCE.match(lines[at].text)
    assert opening is not None
    last = at + 1
    while last < len(lines) and not lines[last].text.strip().startswith(opening[1]):
        last += 1
    last = min(last, len(lines) - 1)
    return [Block(BlockKind.CODE, lines[at].start, lines[at].start, lines[last].end, 0)], last + 1


def _read_table(lines: list[_Line], at: int) -> tuple[list[Block], int]:
    end = at
    while end < len(lines) and _is_table_line(lines[end]):
        end += 1
    has_head = end - at >= 2 and TABLE_RULE.match(lines[at + 1].text) is not None
    blocks = []
    for number, line in enumerate(lines[at:end]):
        if TABLE_RULE.match(line.text):
            kind = BlockKind.TABLE_RULE
        else:
            kind = BlockKind.TABLE_HEAD if has_head and number == 0 else BlockKind.TABLE_ROW
        indent = len(line.text) - len(line.text.lstrip())
        blocks.append(Block(kind, line.start, line.start + indent, line.end, 0))
    return blocks, end


def _read_prose(
    lines: list[_Line], at: int, kind: BlockKind, indent: int
) -> tuple[list[Block], int]:
    last = at
    while last + 1 < len(lines) and not _starts_block(lines[last + 1]):
        last += 1
    start = lines[at].start
    return [Block(kind, start, start + indent, lines[last].end, 0)], last + 1


def _starts_block(line: _Line) -> bool:
    if not line.text.strip() or _is_table_line(line):
        return True
    return any(
        pattern.match(line.text) for pattern in (FENCE, HEADING, THEMATIC_BREAK, ITEM, QUOTE)
    )
