"""Questions from the rows of tables.

In: the rows of one table. Out: pairs that name the row and ask for a column, or the reverse; the
answer is a sentence made of the header and the cells, the quote is the row as it stands.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from groundwork.qa.cells import (
    is_label,
    is_name,
    is_number,
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
from groundwork.qa.contrasts import between_columns, between_rows, order_of
from groundwork.qa.headings import heading_question
from groundwork.qa.pairs import Kind, Pair
from groundwork.qa.units import Unit
from groundwork.qa.words import base_form, knows, soften, tokens_of

_ABSENT = frozenset(
    ["", "-", "–", "—", "none", "n/a", "yes", "no", "?", "both", "neither", "ditto", "same"]
)
_PROPERTY = frozenset(
    (
        *("", "property", "feature", "aspect", "characteristic", "quantity", "what", "attribute"),
        *("point", "criterion", "parameter"),
    )
)
"""Heads of a first column whose rows are properties and whose other columns are things."""


def table_pairs(rows: Sequence[Unit], *, seen: str) -> Iterator[Pair]:
    """Pairs from rows under the same header; headless rows yield none."""
    whole = [row for row in rows if len(row.header) == len(row.cells) >= 2]
    counts = Counter(row.cells[0].lower() for row in whole)
    named = [r for r in whole if is_label(r.cells[0]) and counts[r.cells[0].lower()] == 1]
    for row in named:
        if row.header[0].lower() in _PROPERTY:
            yield from between_columns(row, seen=seen)
        for column in range(1, len(row.cells)):
            if row.cells[column].lower() not in _ABSENT:
                yield from _cell_pairs(row, column, rows=named, seen=seen)
    if named and len(named) == len(whole) and named[0].header[0].lower() not in _PROPERTY:
        yield from between_rows(named, seen=seen)


def _cell_pairs(row: Unit, column: int, *, rows: Sequence[Unit], seen: str) -> Iterator[Pair]:
    head, unit = split_head(row.header[column])
    value = with_unit(row.cells[column], unit)
    first_head = row.header[0].lower()
    if first_head in _PROPERTY and len(row.cells) == 2:
        return
    if first_head in {"task", "action", "step"}:
        return
    if first_head in _PROPERTY:
        yield from _property_pair(row, column, value=value, seen=seen)
        return
    label = label_of(row, seen=seen)
    question, statement = _ask(row, column, label=label, seen=seen)
    if not question or (row.header[0].lower() == "item" and is_number(value)):
        return
    answer = _answer(statement, head=head, label=label, value=value, seen=seen)
    kind = Kind.NUMBER if is_number(value) else Kind.FACT
    kind = Kind.DEFINITION if re.match(r"What does .+ mean\?$", question) else kind
    yield Pair(question=question, answer=answer, kind=kind, quote=row.quote)
    if statement and is_number(value):
        yield from _verdict(row, column, rows=rows, stated=(label, statement), answer=answer)


def _ask(row: Unit, column: int, *, label: str, seen: str) -> tuple[str, str]:
    """The question for a column, and the start of the answer when it can be a sentence."""
    head = split_head(row.header[column])[0]
    name = small(head, seen)
    if re.fullmatch(r"(?:good|suited|suitable|used|best) for", head.lower()):
        return tidy(f"what is {label} {head.lower()}"), ""
    if head.lower() in {"meaning", "what it means"}:
        first = small(row.header[0], seen)
        term = label if label.startswith(first) else f"{first} {row.cells[0]}"
        return tidy(f"what does {term} mean"), ""
    if head.lower() == "year":
        return tidy(f"what is the year of {label}"), ""
    tokens = tokens_of(head)
    if len(tokens) == 1 and tokens[0].lower.endswith("s") and knows(tokens[0].lower, "VBZ"):
        return tidy(f"what does {label} {base_form(tokens[0].lower)}"), ""
    asked = heading_question(head, seen=seen)
    if asked is not None:
        question = asked[0].rstrip("?")
        if re.search(r"\b(?:it|its|they|really)\b", question):
            return "", ""
        return tidy(f"{question[0].lower()}{question[1:]} for {label}"), ""
    if not names_attribute(head) or " for " in head or head.lower() == "other name":
        return "", ""
    verb = "are" if is_plural(head) else "is"
    return tidy(f"what {verb} {_attribute(name, label)}"), f"{_attribute(name, label)} {verb}"


def _attribute(head: str, label: str) -> str:
    """ "the role of ISO 15118-2", "the usual load for a kettle"."""
    return f"the {head} {'of' if is_name(label) and ' in ' not in head else 'for'} {label}"


def _answer(statement: str, *, head: str, label: str, value: str, seen: str) -> str:
    if not statement or is_sentence(value) or tokens_of(value)[0].tag in {"VBN", "VBD"}:
        named = f"{label[0].upper()}{label[1:]}"
        return f"{named}: {soften(head, seen)}: {soften(value, seen)}".rstrip(".") + "."
    text = f"{statement[0].upper()}{statement[1:]} {soften(value, seen)}"
    return text.rstrip(".") + "."


def _property_pair(row: Unit, column: int, *, value: str, seen: str) -> Iterator[Pair]:
    """ "Nominal cell voltage | LFP" -> "What is the nominal cell voltage of LFP?"."""
    name, thing = row.cells[0], row.header[column]
    if not names_attribute(name.split(",")[0]) or not names_thing(thing):
        return
    if len(name.split()) == 1 and not is_number(value):
        return
    verb = "are" if is_plural(name.split(",")[0]) else "is"
    text = soften(name.split(",")[0], seen)
    joined = ":" if is_sentence(value) else f" {verb}"
    yield Pair(
        question=tidy(f"what {verb} the {text} of {soften(thing, seen)}"),
        answer=f"The {text} of {soften(thing, seen)}{joined} {soften(value, seen)}.",
        kind=Kind.NUMBER if is_number(value) else Kind.FACT,
        quote=row.quote,
    )


def _verdict(
    row: Unit, column: int, *, rows: Sequence[Unit], stated: tuple[str, str], answer: str
) -> Iterator[Pair]:
    """ "Is 22 kW the power for single phase?": the next row's value, which this row denies."""
    label, statement = stated
    unit = split_head(row.header[column])[1]
    values = [other.cells[column] for other in rows]
    other = values[(rows.index(row) + 1) % len(values)]
    what, _, verb = statement.rpartition(" ")
    if values.count(other) != 1 or not order_of(other, row.cells[column]) or "," in label:
        return
    yield Pair(
        question=tidy(f"{verb} {with_unit(row.cells[column], unit)} {what}"),
        answer=f"Yes. {answer}",
        kind=Kind.YES_NO,
        quote=row.quote,
    )
    yield Pair(
        question=tidy(f"{verb} {with_unit(other, unit)} {what}"),
        answer=f"No. {answer}",
        kind=Kind.YES_NO,
        quote=row.quote,
    )
