"""Fact coverage: does an answer state what any right answer must state?

Texts become sequences of words, numbers and unit symbols, so that comparing them is blind to
case, white space and number formats, and never matches inside a word or a number: `11 kW` is
neither in `111 kW` nor in `11 kWh`.
"""

import re
import unicodedata
from collections.abc import Sequence

from groundwork.evaluate.row import MARK

THIN_SPACES = "\u00a0\u202f\u2009"
SPACED = re.compile(rf"(?<![\d.,])\d{{1,3}}(?:[{THIN_SPACES}]\d{{3}})+(?!\d)")
"""1 000 with a space that does not break; an ordinary space may part two numbers."""
FRACTION = re.compile(r"(\d*)\s?([¼½¾])")
THOUSANDS = re.compile(r"(?<![\d.,])[1-9]\d{0,2}(?:,\d{3})+(?!\d|,\d)")
DECIMAL = re.compile(r"(?<![\d.,])(\d+),(\d+)(?!\d|[.,]\d)")
"""7,4; runs after THOUSANDS, so 1,000 is gone by then. 1,2,3 stays a list."""
SIGNS = str.maketrans({**dict.fromkeys("‐‑‒–—―−﹣－", "-"), "×": "x"})
TOKEN = re.compile(r"(?:(?<![^\s(\[])-)?\d+(?:\.\d+)*|[^\W\d_]+|[%£$€¥°/]")
"""A minus belongs to a number when nothing but a space or bracket precedes it."""


def tokens(text: str) -> list[str]:
    """Words, numbers and unit symbols of `text` in their normal form; punctuation is left out."""
    text = SPACED.sub(lambda m: re.sub(rf"[{THIN_SPACES}]", "", m[0]), MARK.sub(" ", text))
    text = FRACTION.sub(lambda m: f"{int(m[1] or 0) + unicodedata.numeric(m[2]):g}", text)
    text = unicodedata.normalize("NFKC", text).casefold().translate(SIGNS)
    text = THOUSANDS.sub(lambda m: m[0].replace(",", ""), text)
    return TOKEN.findall(DECIMAL.sub(r"\1.\2", text))


def states(answer: str, alternatives: Sequence[str]) -> bool:
    """Whether `answer` holds one of `alternatives` as a run of whole tokens."""
    inside = _line(tokens(answer))
    wanted = (tokens(alternative) for alternative in alternatives)
    return any(_line(run) in inside for run in wanted if run)


def fact_coverage(answer: str, facts: Sequence[Sequence[str]]) -> float:
    """1.0 when `answer` states every fact (any alternative of each), else 0.0."""
    return float(all(states(answer, alternatives) for alternatives in facts))


def _line(run: Sequence[str]) -> str:
    return f" {' '.join(run)} "
