"""Whether a question says enough to have one answer in a whole corpus.

In: questions, and the headings that their sentences stand under. Out: yes or no; each answer is a
count of the words that name something, set against what the question takes for known.
"""

import re
from collections.abc import Sequence
from functools import lru_cache

from groundwork.index import terms
from groundwork.qa.lexicon import SHELLS, UNIT_WORDS
from groundwork.qa.words import NOUNS, QUANTITY, Token, tokens_of

OPEN_TERMS, VERDICT_TERMS, DEFINITE_TERMS, BARE_TERMS = 3, 4, 4, 5
"""Words to name: in an open question, in one for yes or no, with "the" something, about it."""
_DEFINITE = re.compile(r"\b[Tt]he [\w'’-]+")
_OPENS_DEFINITE = re.compile(
    r"(?:(?:(?:What|When|Why|Where|How \w+|How \w+ [\w-]+) )?"
    r"(?:[Ii]s|[Aa]re|[Ww]as|[Ww]ere|[Dd]o|[Dd]oes|[Dd]id|[Cc]an|[Mm]ust|[Ss]hould|[Ww]ill|[Hh]as"
    r"|[Hh]ave|[Cc]ould) )?[Tt]he (?P<rest>.*)"
)
_OPENER = re.compile(r"^(?:In|At|On|For|With|Between|By|From|During|Under|Over|To) [^,]+, ")
_TERM = re.compile(
    r"What (?:is|are) (?:an? )?(?P<term>[\w-]+(?: [\w-]+)?)\?"
    r"|What does (?P<said>[\w&. ()-]{2,40}) (?:mean|stand for)\?"
)
_POSTPOSED = re.compile(r" (?:of|for|in|on|to|between|that|which|who|with|from|at|by|inside)\b")
_EXAMPLE = re.compile(
    r"\b(?:worked|examples?|cases|workbook|letters|sums?|arithmetic|sheet \d|story|one \w+, one"
    r"|an ordinary|how long will)\b",
    re.IGNORECASE,
)


_RATIO = re.compile(r"(?:%|per cent|\b(?:hours?|minutes?|days?|months?|years?))$")
"""Quantities that do not say how much there is."""
_RECKONS = re.compile(r"\d[^.;]{0,40} [×÷] ?\d")


def named(text: str) -> set[str]:
    """Stems of the words in `text` that name something."""
    return set(terms(text)) - _shells()


@lru_cache(maxsize=1)
def _shells() -> frozenset[str]:
    return frozenset(terms(" ".join(SHELLS | UNIT_WORDS))) | {"sinc", "mani", "long", "percentag"}


def is_example(heading: str, text: str = "") -> bool:
    """Whether a section tells of one case: what is "the" car there is no car elsewhere.

    Its heading says so, or its `text` reckons: 7 × 7.4 kW is the power of those seven posts.
    """
    return bool(_EXAMPLE.search(heading) or _RECKONS.search(text))


def is_whole(question: str) -> bool:
    """Whether a question about an example brings all that the example says.

    One thing with its own figures does ("a CCS connector carrying 500 A at 800 V"); "the second
    car" and "thirty vans" belong to a story.
    """
    opens = re.match(
        r"(?:.*, )?(?:\w+ ){0,4}?(?:does|is|can|could|Does|Is|Can|Could) (?:an?|\w+ing) ", question
    )
    told = re.search(
        r"\b(?:the (?:car|van|battery|driver|household|gain|fee)s?|\d\d:\d\d)\b", question
    )
    return (
        bool(opens) and not told and bool(re.search(r"\d", question)) and len(named(question)) >= 4
    )


def is_sum(subject: Sequence[Token], told: Sequence[Token]) -> bool:
    """Whether a deed's figure is a sum: "Recharging draws 23.7 kWh" is true of one battery.

    `told`: what is said of the subject. "Burning one litre" and "Refilling 333 kWh" say of what.
    """
    of_what = any(
        token.lower == "one" or (token.tag == QUANTITY and not _RATIO.search(token.text))
        for token in subject
    )
    is_deed = bool(subject) and subject[0].lower.endswith("ing")
    return is_deed and not of_what and any(token.tag == QUANTITY for token in told)


def is_specific(question: str, *, is_verdict: bool, leans: bool = False) -> bool:
    """Whether a question says enough to be found again: the more so, the more it presupposes.

    "Who has to approve the channel?" names two things, and either may be any channel; "Is the
    peak higher?" asks about one peak among many. `leans`: its sentence draws a conclusion from
    the one before ("therefore", "then").
    """
    term = _TERM.fullmatch(question)
    if term is not None:
        tokens = tokens_of(term["term"] or term["said"])
        if any(t.tag in {"JJR", "CD", QUANTITY} for t in tokens[:1]):
            return False
        return bool(named(question)) and not {t.lower for t in tokens} & SHELLS
    question = _OPENER.sub("", question)
    wanted = VERDICT_TERMS if is_verdict else OPEN_TERMS
    if any(not _POSTPOSED.match(question[m.end() :]) for m in _DEFINITE.finditer(question)):
        wanted = DEFINITE_TERMS
    bare = _OPENS_DEFINITE.match(question)
    if bare is not None and is_alone(bare["rest"]):
        wanted = BARE_TERMS
    return len(named(question)) >= wanted + 2 * leans


def is_alone(rest: str) -> bool:
    """Whether nothing says which: no "of …" behind the noun, no noun compounded with it."""
    if rest[:1].isupper():
        return False
    nouns = 0
    for token in tokens_of(rest):
        if token.tag in NOUNS and token.text.islower():
            nouns += 1
        elif token.tag not in {"JJ", "JJS", "JJR", "VBN"}:
            return nouns <= 2 and not _POSTPOSED.match(rest[token.start - 1 :])
    return nouns <= 2
