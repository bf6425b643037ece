"""PDF pages without tags: paragraphs, headings and lists from size, weight and place of the lines.

In: letters by page. Out: blocks by page. What repeats at the edge of pages (running heads, page
numbers) is left out. Tables are not rebuilt: their lines stay lines.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from groundwork.clean.blocks import Kind, TextBlock
from groundwork.clean.pdf_letters import Letter, join_lines

HEADING_SCALE = 1.12
"""A line this much larger than the body text is a heading."""
MAX_HEADING_CHARS = 120
PARAGRAPH_GAP = 1.4
"""A step down the page of more than so many usual steps begins a paragraph."""
SHORT_LINE = 0.8
"""A line that ends with a full stop before this share of the width ends its paragraph."""
EDGE_LINES = 2
"""Lines at the top and the bottom of each page that may be running heads."""
_ITEM = re.compile(r"(?:([•◦▪‣●○■–*-])|\(?(\d{1,3})[.)])\s+(?=\S)")
_SENTENCE_END = re.compile(r"[.!?:…][\"'”’)\]]*$")
_LETTERS = re.compile(r"[^\W\d_]{2}")


@dataclass(frozen=True, slots=True)
class _Line:
    text: str
    left: float
    right: float
    bottom: float
    size: float
    """Median height of the letters in points."""
    bold: bool


@dataclass(frozen=True, slots=True)
class _Style:
    body: float
    """Size of most letters."""
    levels: dict[float, int]
    """Size of larger letters to level of heading."""
    words: frozenset[str]


def read_layout(pages: Sequence[Sequence[Letter]], words: frozenset[str]) -> list[list[TextBlock]]:
    """Blocks of each page; `words` are those of the document."""
    lines = _without_running_heads([_lines(letters) for letters in pages])
    sizes: Counter[float] = Counter()
    for line in (line for page in lines for line in page):
        sizes[round(line.size, 1)] += len(line.text)
    if not sizes:
        return []
    body = sizes.most_common(1)[0][0]
    large = sorted((size for size in sizes if size > body * HEADING_SCALE), reverse=True)
    levels = {size: min(level, 4) for level, size in enumerate(large, start=1)}
    style = _Style(body, levels, words)
    return [_read_page(page, style) for page in lines]


def _lines(letters: Sequence[Letter]) -> list[_Line]:
    found = []
    line: list[Letter] = []
    for letter in [*letters, Letter("\n", 0, 0, 0, 0, False, -1)]:
        if letter.text != "\n":
            line.append(letter)
            continue
        text = "".join(item.text for item in line).strip()
        placed = [item for item in line if item.right > 0 and not item.text.isspace()]
        if text and placed:
            found.append(
                _Line(
                    text=text,
                    left=min(item.left for item in placed),
                    right=max(item.right for item in placed),
                    bottom=median(item.bottom for item in placed),
                    size=median(item.top - item.bottom for item in placed),
                    bold=sum(item.bold for item in placed) * 2 > len(placed),
                )
            )
        line = []
    return found


def _without_running_heads(pages: list[list[_Line]]) -> list[list[_Line]]:
    """Drop what stands at the edge of half of the pages, its numbers aside, and page numbers."""
    edges = Counter(key for page in pages for key in {_edge_key(line) for line in _edges(page)})
    common = {key for key, count in edges.items() if count > 2 and count * 2 >= len(pages)}
    kept = []
    for page in pages:
        at_edge = {id(line) for line in _edges(page)}
        kept.append(
            [
                line
                for line in page
                if id(line) not in at_edge
                or (_edge_key(line) not in common and not line.text.strip("- –|").isdigit())
            ]
        )
    return kept


def _edges(page: list[_Line]) -> list[_Line]:
    by_height = sorted(page, key=lambda line: line.bottom)
    return [*by_height[:EDGE_LINES], *by_height[EDGE_LINES:][-EDGE_LINES:]]


def _edge_key(line: _Line) -> str:
    return re.sub(r"\d+", "0", line.text)


def _read_page(lines: Sequence[_Line], style: _Style) -> list[TextBlock]:
    steps = Counter(round(above.bottom - below.bottom) for above, below in pairwise(lines))
    usual = max(
        (step for step in steps if 0 < step < 4 * style.body),
        key=lambda step: (steps[step], -step),
        default=style.body * 1.2,
    )
    width = max((line.right for line in lines), default=0.0)
    blocks: list[TextBlock] = []
    group: list[_Line] = []
    for line in lines:
        if group and _begins_block(group, line, usual=usual, width=width, body=style.body):
            blocks.append(_to_block(group, style))
            group = []
        group.append(line)
    if group:
        blocks.append(_to_block(group, style))
    return blocks


def _begins_block(
    group: Sequence[_Line], line: _Line, *, usual: float, width: float, body: float
) -> bool:
    last = group[-1]
    step = last.bottom - line.bottom
    if step > usual * PARAGRAPH_GAP * max(1.0, last.size / body) or step < -usual:
        return True
    if abs(last.size - line.size) > 0.08 * body or last.bold != line.bold:
        return True
    if _ITEM.match(line.text):
        return True
    ended = _SENTENCE_END.search(last.text) is not None
    return ended and last.right < group[0].left + SHORT_LINE * (width - group[0].left)


def _to_block(group: Sequence[_Line], style: _Style) -> TextBlock:
    text = join_lines([line.text for line in group], style.words)
    size = round(group[0].size, 1)
    heading = len(text) <= MAX_HEADING_CHARS and _LETTERS.search(text) is not None
    if heading and size in style.levels:
        return TextBlock(Kind.HEADING, text=text, level=style.levels[size])
    item = _ITEM.match(text)
    if item:
        number = int(item[2]) if item[2] else 0
        return TextBlock(Kind.ITEM, text=text[item.end() :], number=number)
    if heading and len(group) == 1 and group[0].bold and not _SENTENCE_END.search(text):
        return TextBlock(Kind.HEADING, text=text, level=min(len(style.levels) + 1, 5))
    return TextBlock(Kind.PARAGRAPH, text=text)
