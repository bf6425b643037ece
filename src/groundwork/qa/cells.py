"""How a table's heads, labels and values are named in a question.

In: plain cells. Out: noun phrases, or answers to whether a cell can be one.
"""

import re

from groundwork.qa.lexicon import EMPTY_HEADS, UNITS
from groundwork.qa.units import Unit
from groundwork.qa.words import FINITE, NOUNS, QUANTITY, Token, knows, soften, tokens_of

MAX_LABEL_WORDS = 8
MAX_HEAD_WORDS = 6
_COUNTABLE_ENDS = re.compile(r"(?:er|or|le|et|ox|box|ey|ap|oint|it)$")
"""Endings of things that are counted, for words whose plural the lexicon lacks."""


def is_label(cell: str) -> bool:
    """Whether the first cell of a row names what the row is about."""
    words = cell.split()
    tokens = tokens_of(cell)
    verbs = any(token.tag in FINITE for token in tokens)
    if re.match(r"(?:total|sum|average|mean|difference|all|(?:the )?same)\b", cell.lower()):
        return False
    if ":" in cell or any(t.tag == "VBG" for t in tokens[:1]):
        return False
    if not any(t.tag in NOUNS | {QUANTITY, "CD"} or t.text.isupper() for t in tokens):
        return False
    return 0 < len(words) <= MAX_LABEL_WORDS and not verbs and bool(re.search(r"[^\W\d_]", cell))


def split_head(header: str) -> tuple[str, str]:
    """ "Power (kW)" -> "Power", "kW"."""
    match = re.fullmatch(
        r"(?P<name>.+?)(?:,| in)? \(?(?P<unit>kWh|kW|A|V|km|miles|minutes|%)\)?", header
    )
    return (match["name"], match["unit"]) if match else (header, "")


def with_unit(cell: str, unit: str) -> str:
    """The value with the unit that its column names."""
    return f"{cell} {unit}" if unit and re.fullmatch(r"[\d.,–-]+", cell) else cell


def label_of(row: Unit, *, seen: str) -> str:
    """How a question names the row: with an article when it is one thing of many."""
    cell, head = row.cells[0], small(row.header[0], seen)
    if len(cell) <= 2:
        return f"{head} {cell}"
    if is_quantity(cell) and len(row.header[0].split()) <= MAX_HEAD_WORDS:
        return f"{article(head)} {head} of {cell}"
    text = soften(cell, seen)
    return f"{article(text)} {text}" if text[0].islower() and is_one_of_many(text) else text


def small(head: str, seen: str) -> str:
    """A column's name inside a sentence: "Export rate" -> "export rate"."""
    is_plain = re.fullmatch(r"[A-Z][a-z-]+(?: [a-z-]+)+", head)
    return head[0].lower() + head[1:] if is_plain else soften(head, seen)


def is_name(label: str) -> bool:
    """Whether a label is a proper name: "ISO 15118-2", "Type 1", "CCS"."""
    return "," not in label and bool(re.search(r"[A-Z]{2}|^[A-Z]\w* \d", label))


def is_one_of_many(text: str) -> bool:
    """Whether a phrase heads on a singular noun that can be counted: "small van"."""
    tokens = tokens_of(text)
    if tokens[0].tag in {"DT", "CD", QUANTITY, "PRP$", "IN"} or tokens[0].lower in {"no", "own"}:
        return False
    end = next((n for n, t in enumerate(tokens) if _ends_head(t)), len(tokens))
    head = tokens[end - 1].lower if end else ""
    plural = f"{head[:-1]}ies" if head.endswith("y") else f"{head}s"
    if (
        "," in text
        or re.search(r"(?:s|ment|ing|ness|work|ity)$", head)
        or tokens[end - 1].tag not in NOUNS | {"JJ", "VB", "VBP"}
    ):
        return False
    return knows(plural, "NNS") or bool(_COUNTABLE_ENDS.search(head))


def _ends_head(token: Token) -> bool:
    return token.tag in {"IN", "VBN", "TO", "WDT", ",", "(", QUANTITY, "CC"} or token.text in ",(:;"


def article(noun: str) -> str:
    """ "a" or "an" by the sound of a noun."""
    is_vowel = noun[0].lower() in "aeiou" and not re.match(r"uni|use|eu|one", noun.lower())
    return "an" if is_vowel else "a"


def names_attribute(head: str) -> bool:
    """Whether a head can follow "What is the …": "Usual place", not "Good for" or "kW"."""
    tokens = tokens_of(head)
    if not tokens or is_empty(head):
        return False
    acronym = any(len(t.text) > 1 and t.text.isupper() and len(tokens) == 1 for t in tokens)
    fits = all(
        t.tag in NOUNS | {"JJ", "VBN", "VBG", "IN", "DT", "JJR", "JJS", "CC"} for t in tokens
    )
    opens = tokens[0].tag not in {"IN", "DT", "VBN", "VBD"} and tokens[0].text not in UNITS
    return fits and opens and not acronym and tokens[-1].tag != "IN" and _has_noun(tokens)


def _has_noun(tokens: tuple[Token, ...]) -> bool:
    end = next((n for n, token in enumerate(tokens) if token.tag == "IN"), len(tokens))
    last = tokens[end - 1]
    described = knows(last.lower, "JJ", "VBN", "VBD", "RB")
    return last.tag in NOUNS and last.lower != "a" and not described


def is_empty(head: str) -> bool:
    """Whether a head names nothing of its own: "Value", "Note"."""
    words = head.lower().split()
    named = len(words) > 1 and words[-1] == "meaning"
    return any(word in EMPTY_HEADS for word in words) and not named


def is_plural(head: str) -> bool:
    """Whether a head is plural: "Contacts", "Losses at the plug"."""
    last = ""
    for token in tokens_of(head):
        if token.tag == "IN":
            break
        last = token.lower
    return last.endswith("s") and not last.endswith(("ss", "us", "is"))


def names_thing(head: str) -> bool:
    """Whether a column stands for a thing ("LFP", "Type 2") and not for a measure or a manner."""
    tokens = tokens_of(head)
    fits = all(t.tag in NOUNS | {"JJ", "CD"} for t in tokens)
    return bool(tokens) and fits and tokens[-1].tag in NOUNS | {"CD"} and not is_empty(head)


def is_number(value: str) -> bool:
    """Whether a value is, or opens with, a quantity or a number."""
    tokens = tokens_of(value)
    return bool(tokens) and tokens[0].tag in {QUANTITY, "CD"}


def is_quantity(label: str) -> bool:
    """Whether a label is a quantity and no more: "−10 °C", "8 p/kWh"."""
    tokens = tokens_of(label.lstrip("−-"))
    return len(tokens) == 1 and tokens[0].tag == QUANTITY


def is_sentence(value: str) -> bool:
    """Whether a value is too much of a sentence to follow "is"."""
    return any(token.tag in FINITE for token in tokens_of(value)) or ":" in value or ";" in value
