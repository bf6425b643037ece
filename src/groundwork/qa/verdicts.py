"""Questions answered with yes or no: a statement asked for, or the same with a fact changed.

In: a clause. Out: questions with the word that their answer opens with. A changed fact is one that
the clause itself contradicts: another quantity, another count, the opposite word.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from groundwork.qa.clause import Clause
from groundwork.qa.lexicon import BE, OPPOSED_VERBS, OPPOSITES
from groundwork.qa.numbers import is_modifier
from groundwork.qa.pairs import Kind
from groundwork.qa.predicates import EMPTY_NOUNS, condition_of, opened
from groundwork.qa.words import QUANTITY, Token, base_form

YES, NO = "Yes", "No"
CLAIM = "Is it true that"
MIN_WORDS = 6
"""Shorter ones ("Do agile tariffs follow the market?") are too loose to have one answer."""
BOUNDS = re.compile(
    r"\b(?:at (?:least|most)|up to|less|more|fewer|over|under|below|above|beyond|between|from|to"
    r"|exceed\w*|only|just|as|like|another|within|every|or|can|could|may|might|typically|usually|often|commonly)\b"
)
"""Words beside a quantity that let other quantities be true as well."""
QUANTIFIED = re.compile(r"(?:many|some|few|several|any)\b", re.IGNORECASE)
"""Subjects of which both may be true: some are faster, some slower."""
_AMOUNT = re.compile(r"(?P<sign>[£€$]?)(?P<number>\d+(?:,\d{3})*(?:\.\d+)?)(?P<unit>\D.*|)")
_WORDS = {
    "two": "five", "three": "six", "four": "nine", "five": "two", "six": "three", "seven": "three",
    "eight": "four", "nine": "four", "ten": "five", "eleven": "six", "twelve": "six",
    "fifteen": "thirty", "twenty": "ten", "thirty": "sixty", "forty": "twenty", "fifty": "twenty",
    "sixty": "thirty",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Verdict:
    """A question, its kind, and the word that its answer opens with."""

    question: str
    kind: Kind
    word: str


def verdicts(clause: Clause) -> Iterator[Verdict]:
    """The clause as a question; then as questions that it denies."""
    if not _can_be_asked(clause):
        return
    kind = Kind.COMPARISON if " than " in f" {clause.core} " else Kind.YES_NO
    word = NO if clause.negated else YES
    yield Verdict(_whole(clause, clause.asked()), kind, word)
    if clause.negated or clause.marker in {"if", "when", "unless", "until"}:
        return
    yield from (Verdict(_whole(clause, asked), kind, NO) for asked in _denied(clause))


def _whole(clause: Clause, asked: str) -> str:
    stays = clause.marker in {"if", "when", "unless", "until"}
    return opened(clause, f"{asked}{condition_of(clause) if stays else ''}")


def _can_be_asked(clause: Clause) -> bool:
    core = clause.core
    if len(core.split()) < 2 or EMPTY_NOUNS.match(core):
        return False
    if clause.is_copula and re.fullmatch(r"(?:the|an?) [\w-]+(?: [\w-]+)?", core):
        return False
    if re.match(r"(?:where|when|what|why|how)\b", core):
        return False
    if re.search(r"\b(?:no|nothing|nobody|none|never|hardly)\b", core):
        return False
    if clause.negated and "," in core:
        return False
    last = clause.tokens[-1]
    if core.startswith("be able") or (
        last.tag == "CD" and not re.match(r"(?:19|20)\d\d|[\d.:]+", last.text)
    ):
        return False
    return len(clause.asked().split()) >= MIN_WORDS


def _denied(clause: Clause) -> Iterator[str]:
    """Questions that the clause answers with no, the surest first."""
    origin = clause.tokens[0].start
    for changed in (_other_amount(clause), _other_count(clause), _opposite(clause)):
        if changed is not None:
            token, other = changed
            start, end = token.start - origin, token.end - origin
            yield clause.asked(f"{clause.core[:start]}{other}{clause.core[end:]}")
    other_verb = OPPOSED_VERBS.get(base_form(clause.verb)) if not clause.supported else None
    if other_verb and not _opposite(clause) and not clause.adverb:
        asked = clause.asked("").rpartition(" ")[0]
        yield f"{asked} {other_verb} {clause.core}"


def _other_amount(clause: Clause) -> tuple[Token, str] | None:
    found = [n for n, token in enumerate(clause.tokens) if token.tag == QUANTITY]
    if clause.verb in {"should", "must"} or " than " in clause.core:
        return None  # what holds at one amount may hold at another, too
    if len(found) != 1 or is_modifier(clause.tokens, found[0]) or _has_bounds(clause, found[0]):
        return None
    token = clause.tokens[found[0]]
    other = other_quantity(token.text)
    return (token, other) if other else None


def _has_bounds(clause: Clause, number: int) -> bool:
    before = [clause.auxiliary, clause.adverb, *(t.lower for t in clause.tokens[:number][-4:])]
    after = [t.lower for t in clause.tokens[number + 1 : number + 3]]
    return bool(BOUNDS.search(" ".join([*before, *after])))


def _other_count(clause: Clause) -> tuple[Token, str] | None:
    """ "has three purposes" -> "six"; only where the count is all that is said."""
    first, *rest = clause.tokens
    if first.lower not in _WORDS or not rest or rest[0].tag not in {"NNS", "JJ"}:
        return None
    counted = {"called", "named", "namely"} & {token.lower for token in rest}
    if _has_bounds(clause, 0) or clause.verb in BE or counted:
        return None
    return first, _WORDS[first.lower]


def _opposite(clause: Clause) -> tuple[Token, str] | None:
    found = [token for token in clause.tokens if token.lower in OPPOSITES]
    if len(found) != 1 or _is_hedged(clause) or QUANTIFIED.match(clause.subject):
        return None
    token = found[0]
    after = clause.tokens[clause.tokens.index(token) + 1 :][:1]
    place = clause.tokens.index(token)
    if place and clause.tokens[place - 1].lower == "or":
        return None
    compares = token.tag in {"JJR", "RBR"} and not (after and after[0].lower == "well")
    described = clause.is_copula and token is clause.tokens[0] and len(clause.tokens) <= 8
    return (token, OPPOSITES[token.lower]) if compares or described else None


def _is_hedged(clause: Clause) -> bool:
    return clause.auxiliary in {"can", "could", "may", "might"} or bool(clause.adverb)


def other_quantity(quantity: str) -> str:
    """ "7.4 kW" -> "14.8 kW"; empty for ranges, for one and for nothing."""
    word, blank, unit = quantity.partition(" ")
    if word.lower() in _WORDS:
        return f"{_WORDS[word.lower()]}{blank}{unit}"
    match = _AMOUNT.fullmatch(quantity)
    if match is None or re.search(r"\d", match["unit"].split("/")[0]):
        return ""
    value = Decimal(match["number"].replace(",", ""))
    if value in {0, 1}:
        return ""
    is_share = match["unit"].strip() in {"%", "per cent"}
    other = value / 2 if (is_share and value > 40) or value > 1000 else value * 2
    places = len(match["number"].partition(".")[2])
    if other != round(other, places):
        places += 1
    return f"{match['sign']}{other:,.{places}f}{match['unit']}"
