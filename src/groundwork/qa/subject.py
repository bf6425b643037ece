"""Where the subject of a sentence begins and where its finite verb stands.

In: the tokens of a sentence. Out: positions, or None when they are not plain to see.
"""

from itertools import pairwise

from groundwork.qa.lexicon import (
    EMPTY_SUBJECTS,
    IMPERATIVES,
    NO_SUBJECTS,
    SOMEBODY,
    SUBORDINATE,
    VERBS,
)
from groundwork.qa.words import FINITE, NOUNS, QUANTITY, RELATIVE, Token

MAX_SUBJECT_WORDS = 16


def after_opener(tokens: tuple[Token, ...]) -> int | None:
    """Number of the subject's first token: 0, or after the comma of "On a motorway, …"."""
    if tokens[0].tag not in {"IN", "TO"}:
        return 0
    for number, token in enumerate(tokens[:18]):
        if token.text == ",":
            return number + 1 if number > 1 else None
        if number > 1 and _opens_subject(tokens, number):
            return number
        if token.tag in FINITE or token.text in ";:":
            return None
    return None


def _opens_subject(tokens: tuple[Token, ...], number: int) -> bool:
    """Whether a new noun phrase begins without a comma: "At rapid chargers | the cable is …"."""
    before, token = tokens[number - 1], tokens[number]
    articles = {"the", "a", "an", "every", "each", "most", "many", "some"}
    if token.lower not in articles or before.tag not in NOUNS | {"CD", QUANTITY}:
        return False
    return tokens[number + 1 : number + 2] != () and tokens[number + 1].tag not in {"IN", "CC"}


def main_verb(tokens: tuple[Token, ...], first: int) -> int | None:
    pending = 0
    for number in range(first, min(len(tokens), first + MAX_SUBJECT_WORDS)):
        token = tokens[number]
        if token.text in ";:—–()":
            return None
        if number > first and token.lower == "that" and tokens[number - 1].tag in FINITE:
            return None
        if token.tag in RELATIVE or (number > first and _is_relative(tokens, number)):
            pending += 1
        elif number > first and _is_finite(tokens, number):
            before = tokens[first:number]
            if pending:
                pending -= 1
            elif before[-1].lower in {"other", "such"}:
                return None  # "other uses" are no deed
            elif before[-1].tag == "CC":
                if not _has_relative(before):
                    return None
            else:
                whole = all(t.text != "," for t in before) or _is_apposition(before)
                return number if whole else None
    return None


def _is_relative(tokens: tuple[Token, ...], number: int) -> bool:
    """Whether "that" opens a relative clause: "the current that can be signalled"."""
    if tokens[number].lower != "that" or number + 1 == len(tokens):
        return False
    return tokens[number - 1].tag in NOUNS | {"JJ"} or tokens[number + 1].tag in FINITE


def _is_finite(tokens: tuple[Token, ...], number: int) -> bool:
    """Whether a token is a finite verb; a past form may be a participle ("the cable made for")."""
    token = tokens[number]
    if token.tag == "VBN":
        opens = tokens[number + 1 : number + 2]
        is_past = bool(opens) and opens[0].tag in {"DT", "PRP$"} and token.lower.endswith("ed")
        return is_past and not any(t.tag in FINITE for t in tokens)
    return token.tag in FINITE and (token.tag != "VBD" or not _later_finite(tokens, number))


def _has_relative(tokens: tuple[Token, ...]) -> bool:
    return any(t.tag in RELATIVE or t.lower == "that" for t in tokens)


def _is_apposition(tokens: tuple[Token, ...]) -> bool:
    """Whether two commas enclose an addition: "a procedure, known as SLAC, compares"."""
    commas = [number for number, token in enumerate(tokens) if token.text == ","]
    if len(commas) != 2 or commas[1] + 1 < len(tokens) - 1:
        return False
    word = tokens[commas[0] + 1]
    return word.tag == "VBN" or word.lower in {"known", "called", "or", "which", "like", "such"}


def _later_finite(tokens: tuple[Token, ...], number: int) -> bool:
    """Whether a past form is a participle: "the current drawn by the car is …"."""
    for token in tokens[number + 1 : number + 8]:
        if token.text in ",;:" or token.tag in RELATIVE or token.lower == "and":
            return False
        if token.tag in {"VBZ", "VBP", "MD"}:
            return True
    return False


def is_subject(tokens: tuple[Token, ...]) -> bool:
    """Whether tokens are a noun phrase that a question can be asked about."""
    if _says_nothing(tokens) or _hides_verb(tokens):
        return False
    if any(t.lower in SUBORDINATE - {"as", "how"} and t.tag == "IN" for t in tokens):
        return False
    if tokens[0].tag in {"RB", "IN", "CC", "TO", "VB", "EX", "RP", "UH"}:
        return False
    if tokens[0].lower in IMPERATIVES and (len(tokens) == 1 or tokens[1].tag in {"DT", "PRP$"}):
        return False
    if len(tokens) == 1:
        return tokens[0].tag in NOUNS | {"VBG"} or tokens[0].lower == "you"
    return any(token.tag in NOUNS | {"VBG", "CD", QUANTITY} for token in tokens)


def _says_nothing(tokens: tuple[Token, ...]) -> bool:
    """Whether what the subject stands for is told elsewhere: "two built-in features", "all it"."""
    ends = RELATIVE | {"IN"}
    first = tokens[0]
    last = tokens[next((n for n, t in enumerate(tokens) if n and t.tag in ends), len(tokens)) - 1]
    if first.lower in NO_SUBJECTS or last.lower in EMPTY_SUBJECTS:
        return True
    if any(token.lower in SOMEBODY for token in tokens):
        return True
    counted = first.tag == "CD" and first.text.isalpha() and first.lower != "one"
    return counted and last.tag == "NNS" and len(tokens) <= 4


def _hides_verb(tokens: tuple[Token, ...]) -> bool:
    """Whether a plural in it is its verb ("Ama drives 900 miles"), or an order opens it."""
    if tokens[0].lower in {"check", "make", "keep", "look"}:
        return True
    for token, after in pairwise(tokens):
        if token.tag != "NNS":
            continue
        if after.tag in {"CD", QUANTITY, "DT"}:
            return True
        if token.lower in VERBS and after.tag in {"JJ", "NN"}:
            return True
    return tokens[0].lower == "all" and tokens[1:2] != () and tokens[1].tag == "PRP"
