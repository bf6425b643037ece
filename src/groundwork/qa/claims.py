"""Questions from sentences that no rule takes apart: whether what they say is true.

In: a sentence that stands alone. Out: the sentence as a claim, and as a claim that it denies.
"""

import re
from collections.abc import Iterator
from itertools import pairwise

from groundwork.qa.clause import tidy
from groundwork.qa.lexicon import BE, CONNECTIVES, IMPERATIVES, OPPOSITES, SUBORDINATE
from groundwork.qa.sound import is_sound
from groundwork.qa.specific import is_alone, is_specific, is_sum, named
from groundwork.qa.verdicts import BOUNDS, CLAIM, NO, QUANTIFIED, YES, other_quantity
from groundwork.qa.words import FINITE, NOUNS, QUANTITY, Token, soften, tokens_of

MIN_TERMS, MAX_WORDS = 6, 32
_OPENS = NOUNS | {"DT", "JJ", "CD", "VBG", "IN", QUANTITY}
_SPEAKER = re.compile(r"\b(?:I|we|our|us|my|me)\b", re.IGNORECASE)
_OPENER = re.compile(
    r"(?:in (?:return|every case|all cases)|as (?:an? )?(?:example|check)|at first|for comparison"
    r"|wound|.*\b(?:by contrast|, aim for)\b|.*\b(?:at|in|on|for) [^,]{1,20} that \w+s\b)",
    re.IGNORECASE,
)
"""Starts that lean on what came before, and orders in the middle of a sentence."""
_REST = re.compile(
    r"[;:] | – |, (?:but|so|yet|which|because|since|although|though|while|whereas)\b"
)
"""Where a sentence goes on after its first statement."""
_UNFIT = re.compile(
    r"[;:—–\"“”?!\[\]]|\bnot only\b|, (?:not|but|so|yet|and so)\b|\b(?:let|let's)\b"
    r"|(?<!and )\bthen\b"
)


def claims(sentence: str, *, seen: str) -> Iterator[tuple[str, str]]:
    """ "Is it true that …?" with the word that its answer opens with; a changed fact first."""
    text = _REST.split(sentence.rstrip(" ."), maxsplit=1)[0]
    tokens = tokens_of(text)
    finite = next((n for n, token in enumerate(tokens) if token.tag in FINITE), 0)
    if is_sum(tokens[:finite], tokens[finite:]):
        return
    if not _is_claim(text, tokens, finite=finite) or not is_sound(f"{text}?"):
        return
    changed = _changed(tokens)
    if changed is not None:
        token, other = changed
        false = f"{text[: token.start]}{other}{text[token.end :]}"
        yield tidy(f"{CLAIM} {soften(false, seen)}"), NO
    yield tidy(f"{CLAIM} {soften(text, seen)}"), YES


def _is_claim(text: str, tokens: tuple[Token, ...], *, finite: int) -> bool:
    if not tokens or tokens[0].tag not in _OPENS or len(text.split()) > MAX_WORDS:
        return False
    if _UNFIT.search(text) or _SPEAKER.search(text):
        return False
    if any(t.lower in CONNECTIVES - {"so", "then", "still", "simply"} for t in tokens):
        return False
    told = any(t.tag == "VBD" for t in tokens) and not re.search(r"\b(?:19|20)\d\d\b", text)
    if tokens[0].lower.endswith("ed") or (tokens[0].lower == "the" and is_alone(text[4:])):
        return False
    if tokens[0].lower in SUBORDINATE or any(_points(tokens, n) for n in range(len(tokens))):
        return False
    counted = tokens[0].tag == "CD" and tokens[0].text.isalpha()
    if counted or re.search(r"\b(?:the usual|goes in|usual \w+s$)\b", text):
        return False
    if not finite or told or tokens[0].lower in IMPERATIVES or _OPENER.match(text):
        return False
    if any(t.tag in {"WRB", "WP"} and t.lower != "who" for t in tokens[:finite]):
        return False
    if any(t.lower in BE and n.tag == "VBG" for t, n in pairwise(tokens)):
        return False
    return is_specific(f"{text}?", is_verdict=True) and len(named(text)) >= MIN_TERMS + (
        tokens[0].lower == "the"
    )


def _points(tokens: tuple[Token, ...], number: int) -> bool:
    """Whether "that" belongs to the noun behind it: "uses that network", "in town that place"."""
    if tokens[number].lower != "that" or not number or number + 1 == len(tokens):
        return False
    opens = tokens[0].tag == "IN" and number <= 3
    return opens or (tokens[number - 1].tag in FINITE and tokens[number + 1].tag == "NN")


def _changed(tokens: tuple[Token, ...]) -> tuple[Token, str] | None:
    """The one quantity or comparative of a sentence, and another in its place."""
    amounts = [n for n, token in enumerate(tokens) if token.tag == QUANTITY]
    if len(amounts) == 1:
        number = amounts[0]
        beside = " ".join(
            t.lower for t in (*tokens[max(0, number - 4) : number], *_after(tokens, number))
        )
        ends = number + 1 == len(tokens) or tokens[number + 1].tag not in NOUNS | {"JJ"}
        other = other_quantity(tokens[number].text)
        if other and ends and not BOUNDS.search(beside) and tokens[number - 1].tag != "DT":
            return tokens[number], other
    if QUANTIFIED.match(tokens[0].lower):
        return None
    compared = [t for t in tokens if t.lower in OPPOSITES and t.tag in {"JJR", "RBR"}]
    hedged = {t.lower for t in tokens} & {"can", "may", "could", "might", "often", "sometimes"}
    if len(compared) == 1 and not hedged and any(t.lower == "than" for t in tokens):
        return compared[0], OPPOSITES[compared[0].lower]
    return None


def _after(tokens: tuple[Token, ...], number: int) -> tuple[Token, ...]:
    return tokens[number + 1 : number + 3]
