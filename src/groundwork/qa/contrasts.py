"""Questions that compare: the rows of a table with one another, or its columns in one row.

In: rows under one header. Out: pairs whose quote spans the rows that are compared.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from groundwork.qa.cells import (
    is_name,
    is_plural,
    is_sentence,
    label_of,
    names_attribute,
    names_thing,
    small,
    split_head,
    with_unit,
)
from groundwork.qa.clause import tidy
from groundwork.qa.pairs import Kind, Pair
from groundwork.qa.units import Unit
from groundwork.qa.words import soften

_AMOUNT = re.compile(
    r"(?P<sign>[£€$]?)(?P<low>[−-]?\d+(?:,\d{3})*(?:\.\d+)?)"
    r"(?:(?:–| to )(?P<high>\d+(?:\.\d+)?))?\s?(?P<unit>[^\d,;:(]*)"
)
_STATED = frozenset(["year", "state", "released"])


def between_columns(row: Unit, *, seen: str) -> Iterator[Pair]:
    """ "Cable cooling | Needed … | Liquid …" -> "How do CCS and MCS differ in cable cooling?"."""
    if len(row.cells) != 3:
        return
    name = row.cells[0].split(",")[0]
    first, second = (soften(head, seen) for head in row.header[1:])
    if name.lower() == "other name" or not names_attribute(name):
        return
    if not all(names_thing(head) for head in row.header[1:]):
        return
    low, high = row.cells[1:]
    if low.lower() == high.lower() or {low.lower(), high.lower()} & {"yes", "no", "", "-"}:
        return
    attribute = soften(name, seen)
    order = order_of(low, high)
    if order:
        larger, value, other, less = (
            (first, low, second, high) if order > 0 else (second, high, first, low)
        )
        yield Pair(
            question=tidy(f"which has {_more(attribute)}, {first} or {second}"),
            answer=f"{_capital(larger)}: {value}, against {less} for {other}.",
            kind=Kind.COMPARISON,
            quote=row.quote,
        )
    yield Pair(
        question=tidy(f"how do {first} and {second} differ in {attribute}"),
        answer=f"{_capital(first)}: {soften(low, seen)}; {second}: {soften(high, seen)}.",
        kind=Kind.COMPARISON,
        quote=row.quote,
    )


def between_rows(rows: Sequence[Unit], *, seen: str) -> Iterator[Pair]:
    """Which of two neighbours is higher in a column of quantities."""
    for column in range(1, len(rows[0].cells)):
        head, unit = split_head(rows[0].header[column])
        values = [with_unit(row.cells[column], unit) for row in rows]
        if not names_attribute(head) or head.lower() in _STATED or " for " in head:
            continue
        attribute = small(head, seen)
        if not all(order_of(a, b) is not None for a, b in pairwise(values)):
            for two in pairwise(rows):
                yield from _apart(two, column, attribute, seen=seen)
            continue
        for upper, lower in pairwise(range(len(rows))):
            yield from _neighbours(
                (rows[upper], rows[lower]), (values[upper], values[lower]), attribute, seen=seen
            )


def _neighbours(
    rows: tuple[Unit, Unit], values: tuple[str, str], attribute: str, *, seen: str
) -> Iterator[Pair]:
    order = order_of(*values)
    names = [label_of(row, seen=seen) for row in rows]
    if not order or any("," in name or len(name.split()) > 6 for name in names):
        return
    more, less = (0, 1) if order > 0 else (1, 0)
    answer = f"{_capital(names[more])}: {values[more]}, against {values[less]} for {names[less]}."
    yield Pair(
        question=tidy(f"which has {_more(attribute)}, {names[0]} or {names[1]}"),
        answer=answer,
        kind=Kind.COMPARISON,
        quote=f"{rows[0].quote}\n{rows[1].quote}",
    )


def _apart(rows: tuple[Unit, Unit], column: int, attribute: str, *, seen: str) -> Iterator[Pair]:
    """ "How do Mode 2 and Mode 3 differ in arrangement?", of rows that are names."""
    names = [label_of(row, seen=seen) for row in rows]
    values = [soften(row.cells[column], seen) for row in rows]
    known = all(is_name(name) or len(rows[0].cells[0]) <= 2 for name in names)
    if not known or values[0] == values[1] or any(len(value) < 3 for value in values):
        return
    yield Pair(
        question=tidy(f"how do {names[0]} and {names[1]} differ in {attribute}"),
        answer=f"{_capital(names[0])}: {values[0]}; {names[1]}: {values[1]}.",
        kind=Kind.COMPARISON,
        quote=f"{rows[0].quote}\n{rows[1].quote}",
    )


def _more(attribute: str) -> str:
    return f"more {attribute}" if is_plural(attribute) else f"the higher {attribute}"


def order_of(first: str, second: str) -> int | None:
    """1 when the first quantity is the larger, -1 when the second is, 0 when they meet.

    None when one of them is no quantity, or they count in different units.
    """
    a, b = _AMOUNT.fullmatch(first), _AMOUNT.fullmatch(second)
    if a is None or b is None or (a["sign"], a["unit"]) != (b["sign"], b["unit"]):
        return None
    if is_sentence(a["unit"]):
        return None
    a_low, a_high = _bounds(a)
    b_low, b_high = _bounds(b)
    return 1 if a_low > b_high else -1 if b_low > a_high else 0


def _bounds(amount: re.Match[str]) -> tuple[float, float]:
    low = float(amount["low"].replace(",", "").replace("−", "-"))
    return low, float(amount["high"] or low)


def _capital(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}"
