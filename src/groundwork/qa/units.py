"""What a passage consists of: sentences, list items and table rows with what stands above them.

In: a chunk. Out: units whose `quote` is verbatim in the chunk's text.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from groundwork.chunk import split_sentences
from groundwork.qa.words import FINITE, tokens_of
from groundwork.records import Chunk

_ITEM = re.compile(r"[ \t]*(?:[-*+•–]|(?P<number>\d+)[.)])[ \t]+$")
_RULE = re.compile(r"^[ \t]*\|?[ \t]*:?-{2,}:?[ \t]*(?:\|[ \t]*:?-{2,}:?[ \t]*)*\|?[ \t]*$")
_HEADING = re.compile(r"^#{1,6}[ \t]+(.+?)[ \t]*#*$")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_EMPHASIS = re.compile(r"`([^`]*)`|\*\*|__|`|(?<!\w)[*_](?=\S)|(?<=\S)[*_](?!\w)")
_LABEL = re.compile(r"(?P<label>[^.:–—|]{2,60}?)(?:[.:](?:\*\*|__)?|(?:\*\*|__)? [–—])\s+(?=\S)")


class Shape(StrEnum):
    """Form of a unit."""

    SENTENCE = "sentence"
    ITEM = "item"
    ROW = "row"


@dataclass(frozen=True, slots=True)
class Unit:
    """A sentence, list item or table row of a passage."""

    shape: Shape
    text: str
    """Plain text: no Markdown, single spaces."""
    quote: str
    """Verbatim span of the passage."""
    start: int
    """Offset of `quote` in the passage."""
    heading: str
    """Innermost heading above it; may be empty."""
    group: int
    """Number of the list or table that it belongs to; for sentences of the paragraph."""
    ordered: bool
    """Whether it is an item of a numbered list."""
    header: tuple[str, ...]
    """Plain column names of a row's table; empty for other units and headless rows."""
    cells: tuple[str, ...]
    """Plain cells of a row."""
    label: str
    """Of a list item: the words before its text ("Inlet. The receptacle …"); may be empty."""
    sentences: tuple[tuple[str, str], ...]
    """Plain text and verbatim quote of each sentence in it; none in rows."""


def plain(text: str) -> str:
    """Markdown as a reader sees it, on one line."""
    return " ".join(_EMPHASIS.sub(r"\1", _LINK.sub(r"\1", text)).split())


def units_of(chunk: Chunk) -> list[Unit]:
    """Units of a passage in order."""
    heading = chunk.heading.split(" > ")[-1]
    headings = _headings(chunk.text)
    units: list[Unit] = []
    group, previous_end, previous = 0, 0, ""
    for start, end in split_sentences(chunk.text):
        line_start = chunk.text.rfind("\n", 0, start) + 1
        lead = chunk.text[line_start:start]
        item = _ITEM.match(lead)
        is_row = chunk.text[line_start:].lstrip().startswith("|")
        shape = Shape.ROW if is_row else Shape.ITEM if item else Shape.SENTENCE
        if shape != previous or re.search(r"\n[ \t]*\n|\n#", chunk.text[previous_end:start]):
            group += 1
        quote = chunk.text[start:end]
        units.append(
            Unit(
                shape=shape,
                text=plain(quote),
                quote=quote,
                start=start,
                heading=_innermost(headings, start, heading),
                group=group,
                ordered=bool(item and item["number"]),
                header=_header(chunk.text, line_start) if is_row else (),
                cells=_cells(quote) if is_row else (),
                **_parts(quote, shape),
            )
        )
        previous_end, previous = end, shape
    return units


def _parts(quote: str, shape: Shape) -> dict[str, Any]:
    """Label and sentences of a unit."""
    if shape is Shape.ROW:
        return {"label": "", "sentences": ()}
    if shape is Shape.SENTENCE:
        return {"label": "", "sentences": ((plain(quote), quote),)}
    quote = quote[len(quote) - len(quote.lstrip("☐☑✓✔□▪ ")) :]
    match = _LABEL.match(quote)
    label = plain(match["label"]) if match and _is_label(plain(match["label"])) else ""
    start = match.end() if match and label else 0
    rest = quote[start:]
    spans = [rest[a:b] for a, b in split_sentences(rest)]
    return {"label": label, "sentences": tuple((plain(span), span) for span in spans)}


def _is_label(text: str) -> bool:
    tokens = tokens_of(text)
    return len(tokens) <= 8 and not any(t.tag in FINITE or t.tag == "VB" for t in tokens)


def _headings(text: str) -> list[tuple[int, str]]:
    found, offset = [], 0
    for line in text.split("\n"):
        match = _HEADING.match(line)
        if match:
            found.append((offset, plain(match[1])))
        offset += len(line) + 1
    return found


def _innermost(headings: list[tuple[int, str]], start: int, above: str) -> str:
    inside = [name for offset, name in headings if offset <= start]
    return inside[-1] if inside else plain(above)


def _header(text: str, row_start: int) -> tuple[str, ...]:
    lines = text[:row_start].rstrip("\n").split("\n")
    for position in range(len(lines) - 1, 0, -1):
        if _RULE.match(lines[position]) and "-" in lines[position]:
            return _cells(lines[position - 1])
        if "|" not in lines[position]:
            break
    return ()


def _cells(row: str) -> tuple[str, ...]:
    inner = row.strip().removeprefix("|").removesuffix("|")
    return tuple(plain(cell.replace("\\|", "|")) for cell in re.split(r"(?<!\\)\|", inner))
