"""Long code, cut where its structure allows.

In: a code block. Out: spans of whole statements: a line with the deeper lines below it and the
brackets that close it. A statement that is too long is cut into those inside it.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

TAB = "        "
MAX_LEVELS = 20
"""Deeper than this, lines are cut one by one."""
_CLOSES = re.compile(r"\s*(?:[\])}]|</|```|~~~|(?:end|fi|done|esac|else|elif|except|finally)\b)")
"""Lines that end or continue what stands above them at the same depth."""
_LEADS_IN = re.compile(r"\s*(?:#|//|/\*|\*|--|<!--|@\w|```|~~~)")
"""Remarks, decorators and the opening fence: they belong to the line that follows."""
Count = Callable[[int, int], int]
"""Start and end of a span to its length in tokens."""


def opens(text: str, start: int, end: int) -> bool:
    """Whether what follows a span of code belongs to it: a block begins, or remarks stand alone."""
    lines = [line for line in text[start:end].split("\n") if line.strip()]
    return lines[-1].rstrip()[-1] in ":([{" or all(_LEADS_IN.match(line) for line in lines)


@dataclass(frozen=True, slots=True)
class _Line:
    start: int
    end: int
    depth: int
    """Columns of its indent."""
    closes: bool
    leads_in: bool


def cut_code(text: str, start: int, end: int, *, count: Count, limit: int) -> list[tuple[int, int]]:
    """Spans of the statements of `text[start:end]` in order, none longer than `limit` but lines."""
    spans: list[tuple[int, int]] = []
    for first, last in _statements(list(_lines(text, start, end)), count, limit):
        closes = "\n" not in text[first:last] and _CLOSES.match(text, first)
        if spans and closes and count(spans[-1][0], last) <= limit:
            spans[-1] = (spans[-1][0], last)
        else:
            spans.append((first, last))
    return spans


def _lines(text: str, start: int, end: int) -> Iterator[_Line]:
    for line in text[start:end].split("\n"):
        if line.strip():
            depth = len(line.replace("\t", TAB)) - len(line.replace("\t", TAB).lstrip())
            closes = _CLOSES.match(line) is not None
            leads_in = _LEADS_IN.match(line) is not None
            yield _Line(start, start + len(line), depth, closes, leads_in)
        start += len(line) + 1


def _statements(
    lines: Sequence[_Line], count: Count, limit: int, level: int = 0
) -> Iterator[tuple[int, int]]:
    depth = min((line.depth for line in lines), default=0)
    for group in _groups(lines, depth):
        if count(group[0].start, group[-1].end) <= limit:
            yield group[0].start, group[-1].end
            continue
        for part in _parts(group, depth):
            if len(part) == 1 or count(part[0].start, part[-1].end) <= limit:
                yield part[0].start, part[-1].end
            elif level == MAX_LEVELS:
                yield from ((line.start, line.end) for line in part)
            elif part[0].depth > depth:
                yield from _statements(part, count, limit, level + 1)
            else:
                yield part[0].start, part[0].end
                yield from _statements(part[1:], count, limit, level + 1)


def _groups(lines: Sequence[_Line], depth: int) -> Iterator[list[_Line]]:
    """Statements at `depth`, with the remarks before them and what closes them."""
    group: list[_Line] = []
    for line in lines:
        begins = line.depth <= depth and not line.closes
        if group and begins and not all(before.leads_in for before in group):
            yield group
            group = []
        group.append(line)
    if group:
        yield group


def _parts(lines: Sequence[_Line], depth: int) -> Iterator[list[_Line]]:
    """Every line at `depth` with the deeper ones below it."""
    part: list[_Line] = []
    for line in lines:
        if part and line.depth <= depth:
            yield part
            part = []
        part.append(line)
    yield part
