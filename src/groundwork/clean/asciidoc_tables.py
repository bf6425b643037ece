"""Tables of AsciiDoc as rows of cells.

In: the lines between `|===` and `|===`, and the attributes above them. Out: rows, the head first.
What spans several rows stands in each of them, as in tables of the web.
"""

import csv
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO

MAX_SPAN = 50
"""No honest table needs more; a false one must not make millions of cells."""
_CELL = re.compile(
    r"(?:(?<=\s)|^)(?:(?P<columns>\d{1,4})?(?:\.(?P<rows>\d{1,4}))?(?P<kind>[+*]))?"
    r"(?:[<^>](?:\.[<^>])?|\.[<^>])?[adehlmsv]?\|"
    r"|(?<!\\)\|",
    re.M,
)
_ITEM = re.compile(r"^\s*(?:[*.-]+|\d+\.)\s+", re.M)


@dataclass(frozen=True, slots=True)
class _Cell:
    text: str
    columns: int
    rows: int


def read_table(
    lines: Sequence[str],
    attributes: Mapping[str, str],
    *,
    separator: str,
    plain: Callable[[str], str],
) -> tuple[tuple[str, ...], ...]:
    """Rows of a table, each with all its cells; `plain` removes inline marks."""
    text = "\n".join(lines)
    form = attributes.get("format", "psv" if separator == "|" else "csv")
    if form in ("csv", "tsv", "dsv"):
        mark = attributes.get("separator") or {"csv": ",", "tsv": "\t", "dsv": ":"}[form]
        found = csv.reader(StringIO(text.strip("\n")), delimiter=mark[:1])
        try:
            rows = [tuple(plain(cell) for cell in row) for row in found if row]
        except csv.Error as error:
            raise ValueError(f"a table in CSV: {error}") from error
    else:
        cells = list(_cells(text))
        width = _width(attributes.get("cols", "")) or _first_row(lines)
        rows = _fill(cells, width, plain)
    if rows and not _has_head(lines, attributes):
        rows.insert(0, ("",) * max(map(len, rows)))
    return tuple(rows)


def _width(columns: str) -> int:
    """Number of columns that `cols` names; 0 when it names none."""
    total = 0
    for part in filter(None, re.split(r"[,;]", columns.replace(" ", ""))):
        times = re.match(r"(\d{1,2})\*", part)
        total += int(times[1]) if times else 1
    return min(total, MAX_SPAN)


def _first_row(lines: Sequence[str]) -> int:
    first = next((line for line in lines if line.strip()), "")
    return min(max(1, sum(cell.columns for cell in _cells(first))), MAX_SPAN)


def _has_head(lines: Sequence[str], attributes: Mapping[str, str]) -> bool:
    """Whether the first row is the head: by option, or because a blank line follows it alone."""
    options = attributes.get("options", "") + "," + attributes.get("opts", "")
    if "noheader" in options:
        return False
    if "header" in options:
        return True
    return len(lines) > 2 and bool(lines[0].strip()) and not lines[1].strip()


def _cells(text: str) -> Iterator[_Cell]:
    """Cells in order; text before the first mark belongs to none."""
    marks = list(_CELL.finditer(text))
    ends = [*(mark.start() for mark in marks[1:]), len(text)]
    for mark, end in zip(marks, ends, strict=False):  # without a mark there is one end
        content = text[mark.end() : end]
        columns, rows = int(mark["columns"] or 1), int(mark["rows"] or 1)
        copies = columns if mark["kind"] == "*" else 1
        if mark["kind"] == "*":
            columns = 1
        for _ in range(min(copies, MAX_SPAN)):
            yield _Cell(content, min(columns, MAX_SPAN), min(rows, MAX_SPAN))


def _fill(cells: Sequence[_Cell], width: int, plain: Callable[[str], str]) -> list[tuple[str, ...]]:
    """Rows of `width` cells; a cell over several columns leaves the others empty."""
    rows: list[tuple[str, ...]] = []
    row: list[str] = []
    reaching: dict[int, tuple[int, str]] = {}

    def take_reaching() -> None:
        while len(row) in reaching and len(row) < width:
            left, text = reaching.pop(len(row))
            if left > 1:
                following[len(row)] = (left - 1, text)
            row.append(text)

    following: dict[int, tuple[int, str]] = {}
    for cell in cells:
        take_reaching()
        text = _one_cell(plain(cell.text.replace("\\|", "|")))
        columns = max(1, min(cell.columns, width - len(row)))
        if cell.rows > 1:
            following[len(row)] = (cell.rows - 1, text)
        row.extend([text, *[""] * (columns - 1)])
        take_reaching()
        if len(row) >= width:
            rows.append(tuple(row))
            row, reaching, following = [], following, {}
    if row:
        rows.append(tuple(row))
    return rows


def _one_cell(text: str) -> str:
    """A cell on one line; items of a list in it are divided by semicolons."""
    parts = _ITEM.split(text) if _ITEM.search(text) else re.split(r"\n\s*\n", text)
    words = (" ".join(part.split()) for part in parts)
    return "; ".join(word for word in words if word) if _ITEM.search(text) else " ".join(words)
