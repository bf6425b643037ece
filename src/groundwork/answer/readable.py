"""Turns a span of Markdown into a sentence for people.

In: a passage and a span. Out: text without marks; a table row with its column headings.
"""

import re

_RULE = re.compile(r"^\|[\s:|-]+\|?[ \t]*$", re.MULTILINE)
_LINK = re.compile(r"\[([^\]]+)\]\([^)]+\)")
_MARK = re.compile(r"`([^`]*)`|\*\*|__|`")
"""Between backticks nothing is a mark: `__init__`."""
_ITEM = re.compile(r"^\s*(?:[-*+]|\d+[.)])\s+")


def readable(passage: str, *, start: int, end: int) -> str:
    """`passage[start:end]` without Markdown marks."""
    text = passage[start:end]
    if text.startswith("|"):
        return _row(passage[:start], text)
    return _plain(_ITEM.sub("", text, count=1))


def _plain(text: str) -> str:
    return " ".join(_MARK.sub(r"\1", _LINK.sub(r"\1", text)).split())


def _cells(row: str) -> list[str]:
    return [_plain(cell) for cell in row.strip().strip("|").split("|")]


def _row(before: str, row: str) -> str:
    """A row as `Heading: cell; Heading: cell.`; without headings when its table has none."""
    cells = _cells(row)
    rules = list(_RULE.finditer(before))
    header = _cells(before[: rules[-1].start()].rstrip("\n").rpartition("\n")[2]) if rules else []
    if len(header) != len(cells):
        return "; ".join(cell for cell in cells if cell) + "."
    named = [f"{h}: {c}" if h else c for h, c in zip(header, cells, strict=True) if c]
    return "; ".join(named) + "."
