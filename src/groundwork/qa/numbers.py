"""Questions that ask for a quantity, a count or a date of a clause."""

import re
from collections.abc import Iterator

from groundwork.qa.clause import Clause, tidy
from groundwork.qa.lexicon import APPROXIMATE, ARITHMETIC, BE, STOPS, STRANDED
from groundwork.qa.words import NOUNS, QUANTITY, RELATIVE, Token, unit_of

_ASKED_BY_UNIT = (
    (r"[£€$].*|pence|p|pounds?|euros?|dollars?", "how much"),
    (r"(?:kWh|kilowatt-hours?)(?: per|/| /).*", "how many kilowatt-hours{per}"),
    (r"p ?(?:/|per).*", "what price"),
    (r"kWh|kilowatt-hours?", "how many kilowatt-hours"),
    (r"kW|kilowatts?", "how much power"),
    (r"MW|megawatts?", "how many megawatts"),
    (r"mA|milliamps?", "how many milliamps"),
    (r"A|amps?|amperes?", "how many amps"),
    (r"V|kV|volts?", "what voltage"),
    (r"Ω|kΩ|ohms?", "what resistance"),
    (r"k?Hz|MHz|GHz", "what frequency"),
    (r"%|per cent|percent", "what percentage"),
    (r"°C|°F", "what temperature"),
    (r"miles?", "how many miles"),
    (r"km|kilometres?", "how many kilometres"),
    (r"kg|tonnes?|t", "what weight"),
    (r"metres?|m", "how many metres"),
    (r"mm|cm", "how many millimetres"),
    (r"seconds?|minutes?|min|hours?|h|days?|weeks?|months?|years?", "how long"),
)
_PAIRS = {
    "to": {"up"}, "most": {"at"}, "least": {"at"}, "than": {"more", "less", "fewer"},
    "more": {"no"}, "less": {"no"}, "much": {"as"}, "little": {"as"}, "as": {"much", "little"},
}  # fmt: skip
"""Last words of approximations and the words that stand before them."""
_MEASURED = {"what percentage", "what weight", "how many kilowatt-hours", "how much power"}
"""Questions that take a thing: "what percentage of the energy", "how much electricity"."""
_LASTING = re.compile(
    r"tak\w+|last\w*|need\w*|wait\w*|stay\w*|run\w*|stand\w*|keep\w*|is|are|was|were|for|every"
)
"""Verbs and prepositions that go with "how long"."""
_DATE = re.compile(
    r"\b(?P<word>since|from|in|on|until|by) (?P<date>(?:late |early |mid-)?(?:\d{1,2} )?"
    r"(?:(?:January|February|March|April|May|June|July|August|September|October|November|December)"
    r" )?(?:of )?(?:19|20)\d\d)\b"
)
_WHEN = {"since": "since when", "from": "from when", "until": "until when", "by": "by when"}


def number_questions(clause: Clause) -> Iterator[str]:
    """Questions for quantities and counts after the verb, the nearest first."""
    if clause.negated:
        return  # "not below 0 °C" tells no temperature
    for number, token in enumerate(clause.tokens):
        if token.tag == QUANTITY and not is_modifier(clause.tokens, number):
            question = _ask_quantity(clause, number)
            if question:
                yield question
                return
        if token.tag == "CD" and number <= 2:
            question = _ask_count(clause, number)
            if question:
                yield question
                return


def _describes(before: Token) -> bool:
    return before.tag in {"DT", "JJ", "PRP$"} and before.lower != "every"


def _counted(duration: str) -> str:
    """ "8 h" -> "how many hours"; a verb that lasts would ask "how long"."""
    unit = unit_of(duration)
    names = {"h": "hours", "hour": "hours", "min": "minutes"}
    name = names.get(unit, unit if unit.endswith("s") else f"{unit}s")
    return f"how many {name}"


def is_modifier(tokens: tuple[Token, ...], number: int) -> bool:
    """Whether a quantity describes a noun ("a 7.4 kW wallbox") or belongs to a sum."""
    after = tokens[number + 1] if number + 1 < len(tokens) else None
    before = tokens[number - 1] if number else None
    if before is not None and (before.text in ARITHMETIC or _describes(before)):
        return True
    if after is None:
        return False
    return after.tag in NOUNS | {"JJ", "VBG", "VBN", QUANTITY, "CD"} or after.text in ARITHMETIC


def _ask_quantity(clause: Clause, number: int) -> str:
    before = list(clause.tokens[:number])
    before = _without_approximation(before)
    wh = _wh(unit_of(clause.tokens[number].text))
    if wh == "how long" and not _LASTING.fullmatch(before[-1].lower if before else clause.verb):
        wh = _counted(clause.tokens[number].text)
    if not wh or any(_breaks(t) for t in before):
        return ""
    if any(t.lower == "whether" for t in clause.tokens[number + 1 :]):
        return ""
    behind = _until_stop(clause.tokens[number + 1 :])
    wh, behind = _with_measured(clause, wh, behind)
    if behind and behind[0].lower == "between":
        behind = ()
    rest = _text(clause, behind)
    held = _text(clause, tuple(before))
    last = before[-1] if before else None
    if last is None and clause.verb in BE and re.search(r"\d", clause.subject):
        return ""
    if last is None and clause.verb in BE:
        plain = "how much is" if wh == "how much" else "what is"
        asked = clause.asked("").removeprefix(clause.auxiliary).strip()
        verb = (
            f"{plain.split()[0]} {clause.verb}" if plain == "what is" else f"how much {clause.verb}"
        )
        return _finish(clause, f"{verb} {asked} {rest}") if clause.adverb == "" else ""
    if last is not None and (last.tag in {"IN", "TO"} or last.lower == "every"):
        return _with_preposition(clause, wh=wh, held=held, rest=rest)
    if last is not None and last.tag not in {"VB", "VBN", "VBP", "RB", "RP", "VBG"}:
        return ""
    return _finish(clause, f"{wh} {clause.asked(f'{held} {rest}'.strip())}")


def _breaks(token: Token) -> bool:
    joins = token.tag in RELATIVE or token.lower in {"than", "that"}
    return token.tag == QUANTITY or token.text in STOPS or joins


def _with_measured(
    clause: Clause, wh: str, behind: tuple[Token, ...]
) -> tuple[str, tuple[Token, ...]]:
    """ "1 kWh of electricity into heat" -> "how much electricity", "into heat"."""
    if len(behind) < 2 or behind[0].lower != "of":
        return wh, behind
    end = 1
    while end < len(behind) and behind[end].tag in NOUNS | {"DT", "JJ", "VBN"}:
        end += 1
    phrase = _text(clause, behind[1:end])
    if not phrase or wh not in _MEASURED:
        return wh, behind
    return (f"{wh} of {phrase}" if wh.startswith("what") else f"how much {phrase}"), behind[end:]


def _without_approximation(before: list[Token]) -> list[Token]:
    """Drop "up to", "at least", "about" and the like from the end."""
    held = list(before)
    while held and held[-1].lower in APPROXIMATE | set(_PAIRS):
        word = held[-1].lower
        partner = _PAIRS.get(word)
        if partner is not None:
            if len(held) < 2 or held[-2].lower not in partner:
                break
            held.pop()
        held.pop()
    return held


def _with_preposition(clause: Clause, *, wh: str, held: str, rest: str) -> str:
    head, _, preposition = held.rpartition(" ")
    wh = "how many kilowatts" if wh == "how much power" else wh
    if preposition == "for" and wh == "how long":
        return _finish(clause, f"how long {clause.asked(f'{head} {rest}'.strip())}")
    if preposition == "every" and wh == "how long":
        return _finish(clause, f"how often {clause.asked(head)}")
    if preposition == "by" and wh == "what percentage":
        return _finish(clause, f"by what percentage {clause.asked(f'{head} {rest}'.strip())}")
    if preposition in STRANDED and wh != "how long":
        if rest.startswith(("a ", "an ")):
            return ""
        if rest:
            return _finish(clause, f"{preposition} {wh} {clause.asked(f'{head} {rest}'.strip())}")
        return _finish(clause, f"{wh} {clause.asked(held)}")
    return ""


def _ask_count(clause: Clause, number: int) -> str:
    """ "has four wheels" -> "how many wheels does it have"."""
    tokens = clause.tokens
    if any(t.tag not in {"VB", "VBN"} for t in tokens[:number]):
        return ""
    if (
        re.fullmatch(r"(?:19|20)\d\d|one|1|0|half", tokens[number].lower)
        or "." in tokens[number].text
    ):
        return ""
    end = number + 1
    while end < len(tokens) and tokens[end].tag in {"JJ", "NN", "VBG", "VBN"} and end < number + 4:
        end += 1
    if end >= len(tokens) or tokens[end].tag != "NNS" or (clause.verb in BE and number == 0):
        return ""
    follows = tokens[end + 1 : end + 2]
    if clause.verb.startswith("become") or (follows and follows[0].tag in NOUNS | {"JJ"}):
        return ""
    nouns = _text(clause, tokens[number + 1 : end + 1])
    held = _text(clause, tokens[:number])
    rest = _text(clause, _until_stop(tokens[end + 1 :]))
    return _finish(clause, f"how many {nouns} {clause.asked(f'{held} {rest}'.strip())}")


def date_question(clause: Clause) -> str:
    """A question for the date in the opener or the core; empty when there is none."""
    found = _DATE.search(clause.opener[:1].lower() + clause.opener[1:])
    if found and len(clause.opener) <= len(found.group()) + 2:
        return tidy(f"{_WHEN.get(found['word'], 'when')} {clause.asked()}")
    found = _DATE.search(clause.core)
    if found is None or clause.core[: found.start()].strip() == "":
        return ""
    held = clause.core[: found.start()].rstrip(" ,")
    if any(mark in held for mark in ",;:("):
        return ""
    return _finish(clause, f"{_WHEN.get(found['word'], 'when')} {clause.asked(held)}")


def _wh(unit: str) -> str:
    for pattern, wh in _ASKED_BY_UNIT:
        if re.fullmatch(pattern, unit):
            per = unit.partition("per")[2] or unit.partition("/")[2]
            return wh.format(per=f" per {per.strip()}" if per else "")
    return ""


def _until_stop(tokens: tuple[Token, ...]) -> tuple[Token, ...]:
    for number, token in enumerate(tokens):
        if token.lower in STOPS:
            return tokens[:number]
    return tokens


def _text(clause: Clause, tokens: tuple[Token, ...]) -> str:
    if not tokens:
        return ""
    origin = clause.tokens[0].start
    return clause.core[tokens[0].start - origin : tokens[-1].end - origin]


def _finish(clause: Clause, question: str) -> str:
    return tidy(f"{clause.opener} {question}")
