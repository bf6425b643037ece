"""HTML tables made square: every row with all its cells, every cell one line of text.

In: a table element; it is changed. What spans several rows stands in each of them afterwards, so
that a row can be read, quoted and found by itself.
"""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

Tree = Any  # lxml ships no types
MAX_SPAN = 50
"""Browsers allow rowspan 65534; no honest table needs more than this."""
MAX_COPIED_CHARS = 500
"""A cell that spans rows is a label; longer ones stay in their first row."""


def square_table(table: Tree) -> None:
    """Caption before the table, lists in cells as text, cells that span rows repeated."""
    for caption in list(table.iter("caption")):
        caption.tag = "p"
        caption.getparent().remove(caption)
        table.addprevious(caption)
    for cell in [*table.iter("td"), *table.iter("th")]:
        if not any(True for _ in cell.iter("table")):
            _flatten_cell(cell)
    spans: dict[int, tuple[int, Tree]] = {}
    for row in list(table.iter("tr")):
        if next(row.iterancestors("table")) is table:
            spans = _fill_row(row, spans)
            _limit_columns(row)


def _limit_columns(row: Tree) -> None:
    """The extractor makes a cell of every column: a false `colspan` must not make millions."""
    if sum(_span(cell, "colspan") for cell in row) > MAX_SPAN:
        for cell in row:
            cell.attrib.pop("colspan", None)


def _flatten_cell(cell: Tree) -> None:
    parts = [" ".join(part.split()) for part in _cell_parts(cell)]
    text = "; ".join(part for part in parts if part)
    if len(cell) and text:
        for child in list(cell):
            cell.remove(child)
        cell.text = text


def _cell_parts(cell: Tree) -> Iterator[str]:
    """Text of a cell, cut where a list item begins or ends."""
    from lxml import etree

    text = cell.text or ""
    for event, element in etree.iterwalk(cell, events=("start", "end")):
        if element is cell:
            continue
        if element.tag == "li":
            yield text
            text = ""
        elif element.tag in ("p", "div", "br"):
            text += " "
        text += (element.text if event == "start" else element.tail) or ""
    yield text


def _fill_row(row: Tree, spans: dict[int, tuple[int, Tree]]) -> dict[int, tuple[int, Tree]]:
    """Insert copies of the cells that reach down into `row`; return the spans that go on."""
    going: dict[int, tuple[int, Tree]] = {}
    column = 0
    cells = [child for child in row if child.tag in ("td", "th")]
    while cells or any(at >= column for at in spans):
        if column in spans:
            left, source = spans.pop(column)
            copy = _copy(source)
            row.insert(row.index(cells[0]) if cells else len(row), copy)
            width = _span(source, "colspan")
        elif cells:
            source = cells.pop(0)
            left, width = _span(source, "rowspan"), _span(source, "colspan")
            source.attrib.pop("rowspan", None)
        else:
            break
        if left > 1:
            going[column] = (left - 1, source)
        column += width
    return going


def _copy(cell: Tree) -> Tree:
    """A copy of a cell; of a long one only its place."""
    short = len(cell.text_content()) <= MAX_COPIED_CHARS
    copy = deepcopy(cell) if short else cell.makeelement(cell.tag)
    copy.tail = None
    return copy


def _span(cell: Tree, name: str) -> int:
    value = (cell.get(name) or "1").strip()
    return min(max(int(value), 1), MAX_SPAN + 1) if value.isdecimal() and len(value) < 9 else 1
