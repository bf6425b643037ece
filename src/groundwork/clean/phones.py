"""Phone numbers: those that a numbering plan knows, and those that the words beside them name.

In: text and the countries whose national numbers are looked for. Out: where numbers stand.
"""

import re
from collections.abc import Iterator, Sequence

from groundwork.clean.identifiers import Place

_HINT = re.compile(r"(?:\+|\(|\b0|\b\d{3}[-. ])[\d().\-/ ]{6}")
"""What a line with a phone number holds; to parse every number of every line takes seconds."""
_STANDARD = re.compile(
    r"(?:ISO|IEC|EN|BS|DIN|IEEE|RFC|SAE|UL|GB/T|VDE|NF|UN|ECE|ISBN(?:-1[03])?|ISSN|EAN|GTIN|UPC|SKU)"
    r"[ /:-]*$"
)
"""Who numbers standards, books and goods."""
_NATIONAL = re.compile(r"\(?0\d|\(\d{3}\)|\d{3}[-. ]\d{3}[-. ]\d{4}$")
"""How national numbers begin: with a trunk zero, an area in brackets, or as in North America."""
_NUMBER = r"(?P<number>\+?\(?\d{1,15}(?:[ .\-/()]{1,3}\d{1,11}){0,6}(?: ?(?:x|ext\.? ?)\d{1,5})?\b)"
_NAMED_BEFORE = re.compile(
    r"\b(?:(?:tele)?phone|tel|mob(?:ile)?|cell|fax|handy|desk|direct|hotline|helpline|whatsapp|dial"
    r"|(?:call|ring|phone|text)(?: (?:me|us|him|her|them))? (?:on|at)"
    r"|(?:answering|reach\w*)(?: \w+)? at|(?:messages|texts?|calls) to"
    r"|(?:my|your|h(?:is|er)|our|their) registered)"
    r"(?: (?:number|no|line))?\b(?: is)?[ .:*|#=\"]{0,4}\n?[ *|]{0,4}(?<![\d.,])" + _NUMBER,
    re.I,
)
_NAMED_AFTER = re.compile(
    r"(?<![\w./+-])(?<!\d,)" + _NUMBER + r"[ -]{0,2}\(?(?:office|fax|mobile|desk)\b",
    re.I,
)
_NO_PHONE = re.compile(
    r"\d{4}([-./ ])\d{1,2}\1\d{1,2}|\d{1,2}([-./ ])\d{1,2}\2(?:19|20)\d\d"
    r"|(?:(?:19|20)\d\d[-/ ]{0,3}){2,}|\d{1,3}(?:[ .]\d{3})*[ .]000"
)
"""Dates, years in a row, round numbers."""
DIGITS = (7, 15)
"""Fewest and most digits of a number that is known by the words beside it (ITU-T E.164)."""


def find_phones(text: str, regions: Sequence[str]) -> Iterator[Place]:
    """`regions` are the ISO 3166 codes of the countries whose national numbers are looked for."""
    yield from _find_valid(text, regions)
    yield from _find_named(text)


def _find_valid(text: str, regions: Sequence[str]) -> Iterator[Place]:
    from phonenumbers import Leniency, PhoneNumberMatcher

    start = 0
    for line in text.split("\n"):
        if _HINT.search(line):
            for region in regions:
                for match in PhoneNumberMatcher(line, region, Leniency.VALID):
                    if _is_phone(line, match.start, match.raw_string):
                        yield start + match.start, start + match.end
            if "+" in line:
                for match in PhoneNumberMatcher(line, None, Leniency.POSSIBLE):
                    if _is_phone(line, match.start, match.raw_string):
                        yield start + match.start, start + match.end
        start += len(line) + 1


def _is_phone(text: str, start: int, raw: str) -> bool:
    if _STANDARD.search(text[max(0, start - 12) : start]) or _NO_PHONE.fullmatch(raw):
        return False
    if raw.startswith(("+", "(+", "00")):
        return True
    groups = re.findall(r"\d+", raw)
    enough = len("".join(groups)) >= DIGITS[0] and max(map(len, groups), default=0) > 2
    return bool(enough and _NATIONAL.match(raw)) and not _is_scale(groups[0])


def _is_scale(digits: str) -> bool:
    """Whether the numbers along the axis of a chart, `0 5 10 15`, ran together."""
    steps = (int(digits[1:end]) for end in (2, 3, 4) if digits[1:end].isdigit())
    runs = ("".join(str(step * at) for at in range(len(digits))) for step in steps if step)
    return len(digits) > 4 and any(run.startswith(digits) for run in runs)


def _find_named(text: str) -> Iterator[Place]:
    for pattern in (_NAMED_BEFORE, _NAMED_AFTER):
        for match in pattern.finditer(text):
            digits = re.sub(r"\D", "", re.split(r"x|ext", match["number"])[0])
            if DIGITS[0] <= len(digits) <= DIGITS[1] and not _NO_PHONE.fullmatch(match["number"]):
                yield match.span("number")
