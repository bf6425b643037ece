"""What a question asks for: its parts, and whether it wants a list.

In: a question as a user typed it. Out: the same words, cut where a second question begins.
"""

import re

from groundwork.index import terms

_CUT = re.compile(
    r"[?;]\s+|\.\s+|,?\s+and\s+(?=(?:what|how|which|where|who|when|why|is|are|does|do|can|could"
    r"|should|would|will|if|at|from|for|down|in)\b)",
    re.IGNORECASE,
)
_LIST = re.compile(
    r"\b(?:list|steps?|checklist|procedure|in what order|name the|ways to"
    r"|what (?:are|all)\b|which (?:\w+ )?(?:are|things|ones|checks|documents|signs)"
    r"|what (?:\w+ )?(?:things|signs|checks|documents|details|information)"
    r"|what (?:do|should|can|must|would) (?:i|we|you)\b"
    r"|(?:how|where) (?:do|can|should) (?:i|we|you))",
    re.IGNORECASE,
)
_WH = re.compile(r"\b(?:what|how|which|where|who|when|why)\b", re.IGNORECASE)
_ASKS = re.compile(
    r"\b(?:what|how|which|where|who|whom|whose|when|why|is|are|was|were|does|do|did|can|could"
    r"|should|would|will|may|must|has|have)\b",
    re.IGNORECASE,
)
MIN_TERMS = 3
"""A part with fewer words that carry meaning is no question of its own."""


def parts(question: str) -> list[str]:
    """The questions inside a question; empty when there is only one.

    A sentence that only tells the story is no part: it has no word that asks.
    """
    found = [part.strip(" ?.,") for part in _CUT.split(question)]
    found = [part for part in found if len(terms(part)) >= MIN_TERMS and _asks(part)]
    return found if len(found) > 1 else []


def _asks(part: str) -> bool:
    """Whether a part opens with a word that asks, or holds a question word."""
    opening = " ".join(part.split()[:2])
    return bool(_ASKS.search(opening) or _WH.search(part))


def wants_list(question: str) -> bool:
    """Whether the question asks for several things or for steps."""
    return _LIST.search(question) is not None
