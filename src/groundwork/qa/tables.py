"""Questions from the rows of tables.

In: the rows of one table. Out: pairs that name the row and ask for a column, or the reverse; the
answer is a sentence made of the header and the cells, the quote is the row as it stands.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from groundwork.qa.clause import tidy
from groundwork.qa.headings import heading_question
from groundwork.qa.lexicon import EMPTY_HEADS, UNITS
from groundwork.qa.pairs import Kind, Pair
from groundwork.qa.units import Unit
from groundwork.qa.words import FINITE, NOUNS, QUANTITY, soften, tokens_of

_ABSENT = frozenset(
    ["", "-", "–", "—", "none", "n/a", "yes", "no", "?", "both", "neither", "ditto"]
)
_PROPERTY = frozenset(
    ["", "property", "feature", "aspect", "characteristic", "quantity", "what", "attribute"]
)
"""Heads of a first column whose rows are properties and whose other columns are things."""
MAX_LABEL_WORDS = 8


def table_pairs(rows: Sequence[Unit], *, seen: str) -> Iterator[Pair]:
    """Pairs from rows under the same header; headless rows yield none."""
    for row in rows:
        if len(row.header) != len(row.cells) or len(row.cells) < 2 or not _is_label(row.cells[0]):
            continue
        for column in range(1, len(row.cells)):
            if row.cells[column].lower() not in _ABSENT:
                yield from _cell_pairs(row, column, rows=rows, seen=seen)


def _is_label(cell: str) -> bool:
    words = cell.split()
    tokens = tokens_of(cell)
    verbs = any(token.tag in FINITE for token in tokens)
    if re.match(r"(?:total|sum|average|mean|difference|all)\b", cell.lower()):
        return False
    if not any(t.tag in NOUNS | {QUANTITY, "CD"} or t.text.isupper() for t in tokens):
        return False
    return 0 < len(words) <= MAX_LABEL_WORDS and not verbs and bool(re.search(r"[^\W\d_]", cell))


def _cell_pairs(row: Unit, column: int, *, rows: Sequence[Unit], seen: str) -> Iterator[Pair]:
    head, unit = _head(row.header[column])
    value = _with_unit(row.cells[column], unit)
    first_head = row.header[0].lower()
    if first_head in _PROPERTY and len(row.cells) == 2:
        return
    if first_head in _PROPERTY:
        yield from _property_pair(row, column, value=value, seen=seen)
        return
    label = _label(row, seen=seen)
    question, statement = _ask(head, label, seen=seen)
    if not question:
        return
    answer = _answer(statement, head=head, label=label, value=value, seen=seen)
    is_number = tokens_of(value)[:1] and tokens_of(value)[0].tag in {QUANTITY, "CD"}
    kind = Kind.NUMBER if is_number else Kind.FACT
    yield Pair(question=question, answer=answer, kind=kind, quote=row.quote)
    if statement and is_number:
        yield from _reverse(row, column, rows=rows, value=value, answer=answer)


def _head(header: str) -> tuple[str, str]:
    """ "Power (kW)" -> "Power", "kW"."""
    match = re.fullmatch(
        r"(?P<name>.+?)(?:,| in)? \(?(?P<unit>kWh|kW|A|V|km|miles|minutes|%)\)?", header
    )
    return (match["name"], match["unit"]) if match else (header, "")


def _with_unit(cell: str, unit: str) -> str:
    return f"{cell} {unit}" if unit and re.fullmatch(r"[\d.,–-]+", cell) else cell


def _label(row: Unit, *, seen: str) -> str:
    tokens = tokens_of(row.cells[0])
    if len(row.cells[0]) <= 2:
        return f"{soften(row.header[0], seen)} {row.cells[0]}"
    if len(tokens) == 1 and tokens[0].tag == QUANTITY and len(row.header[0].split()) <= 3:
        head = soften(row.header[0], seen)
        return f"{_article(head)} {head} of {row.cells[0]}"
    return soften(row.cells[0], seen)


def _article(noun: str) -> str:
    """ "a" or "an" by the sound of a noun."""
    is_vowel = noun[0].lower() in "aeiou" and not re.match(r"uni|use|eu|one", noun.lower())
    return "an" if is_vowel else "a"


def _ask(head: str, label: str, *, seen: str) -> tuple[str, str]:
    """The question for a column, and "is" or "are" when the answer can say "The … is …"."""
    if re.fullmatch(r"(?:good|suited|suitable|used|best) for", head.lower()):
        return tidy(f"what is {label} {head.lower()}"), ""
    asked = heading_question(head, seen=seen)
    if asked is not None:
        question = asked[0].rstrip("?")
        return tidy(f"{question[0].lower()}{question[1:]} for {label}"), ""
    tokens = tokens_of(head)
    if not tokens or _is_empty(head) or not _names_attribute(head):
        return "", ""
    verb = "are" if _plural(head) else "is"
    return tidy(f"what {verb} the {soften(head, seen)} for {label}"), verb


def _names_attribute(head: str) -> bool:
    tokens = tokens_of(head)
    acronym = any(len(t.text) > 1 and t.text.isupper() and len(tokens) == 1 for t in tokens)
    fits = all(
        t.tag in NOUNS | {"JJ", "VBN", "VBG", "IN", "DT", "JJR", "JJS", "CC"} for t in tokens
    )
    opens = tokens[0].tag not in {"IN", "DT", "VBN", "VBD"} and tokens[0].text not in UNITS
    return fits and opens and not acronym and tokens[-1].tag != "IN" and _has_noun(head)


def _has_noun(text: str) -> bool:
    tokens = tokens_of(text)
    end = next((n for n, token in enumerate(tokens) if token.tag == "IN"), len(tokens))
    return any(token.tag in NOUNS and token.lower != "a" for token in tokens[:end])


def _plural(head: str) -> bool:
    last = ""
    for token in tokens_of(head):
        if token.tag == "IN":
            break
        last = token.tag
    return last == "NNS"


def _answer(statement: str, *, head: str, label: str, value: str, seen: str) -> str:
    if not statement or _is_sentence(value) or tokens_of(value)[0].tag in {"VBN", "VBD"}:
        named = f"{label[0].upper()}{label[1:]}"
        return f"{named}: {soften(head, seen)}: {soften(value, seen)}".rstrip(".") + "."
    text = f"The {soften(head, seen)} for {label} {statement} {soften(value, seen)}"
    return text.rstrip(".") + "."


def _is_sentence(value: str) -> bool:
    return any(token.tag in FINITE for token in tokens_of(value)) or ":" in value


def _property_pair(row: Unit, column: int, *, value: str, seen: str) -> Iterator[Pair]:
    """ "Nominal cell voltage | LFP" -> "What is the nominal cell voltage of LFP?"."""
    name, thing = row.cells[0], row.header[column]
    if not _names_attribute(name.split(",")[0]) or not _names_thing(thing):
        return
    verb = "are" if _plural(name) else "is"
    text = soften(name.split(",")[0], seen)
    is_number = tokens_of(value)[0].tag in {QUANTITY, "CD"}
    yield Pair(
        question=tidy(f"what {verb} the {text} of {soften(thing, seen)}"),
        answer=f"The {text} of {soften(thing, seen)} {verb} {soften(value, seen)}.",
        kind=Kind.NUMBER if is_number else Kind.FACT,
        quote=row.quote,
    )


def _is_empty(head: str) -> bool:
    return any(word in EMPTY_HEADS for word in head.lower().split())


def _names_thing(head: str) -> bool:
    """Whether a column stands for a thing ("LFP", "Type 2") and not for a measure or a manner."""
    tokens = tokens_of(head)
    fits = all(t.tag in NOUNS | {"JJ", "CD"} for t in tokens)
    return bool(tokens) and fits and tokens[-1].tag in NOUNS | {"CD"} and not _is_empty(head)


def _reverse(
    row: Unit, column: int, *, rows: Sequence[Unit], value: str, answer: str
) -> Iterator[Pair]:
    """ "Which supply has a power of 22 kW?", when one row alone has that value."""
    counts = Counter(other.cells[column] for other in rows if len(other.cells) > column)
    first = row.header[0]
    head = _head(row.header[column])[0]
    singular = len(first.split()) <= 2 and re.fullmatch(r"[A-Za-z -]+[a-rt-z]", first)
    if not singular or first.lower() in {"item", "line", "case", "thing", "part"}:
        return
    if counts[row.cells[column]] != 1 or _plural(head) or " for " in head:
        return
    article = _article(head)
    name = head[0].lower() + head[1:] if head[1:].islower() else head
    yield Pair(
        question=tidy(f"which {first[0].lower()}{first[1:]} has {article} {name} of {value}"),
        answer=answer,
        kind=Kind.FACT,
        quote=row.quote,
    )
