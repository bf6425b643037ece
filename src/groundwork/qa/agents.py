"""Questions whose answer is the subject of a clause: who does it, and what does it.

In: a clause. Out: questions that keep the clause's own verb, so that nothing is inverted.
"""

import re
from collections.abc import Iterator

from groundwork.qa.clause import Clause
from groundwork.qa.lexicon import MODALS, PRONOUNS, SHELLS, VAGUE_VERBS
from groundwork.qa.pairs import Kind
from groundwork.qa.predicates import condition_of, opened
from groundwork.qa.specific import named
from groundwork.qa.words import RELATIVE, tokens_of

_PEOPLE = re.compile(
    r"\b(?:driver|owner|installer|operator|electrician|manager|employer|employee|landlord|tenant|"
    r"leaseholder|agent|customer|engineer|council|authority|supplier|provider|technician|company|"
    r"passenger|user|developer|administrator|manufacturer|bank|doctor|teacher|buyer|seller|"
    r"surveyor|neighbour|visitor|host|writer|maker|resident|user|householder|holder|person|people|staff|agency|team|firm)s?$"
)
MIN_TERMS = 4
"""Words that a question without its subject must still hold to have one answer."""


def people(clause: Clause) -> Iterator[tuple[str, Kind]]:
    """ "The network operator has to approve the channel" -> "Who has to approve the channel?"."""
    if _is_plural(clause) or clause.negated or clause.adverb:
        return
    subject = clause.subject.lower()
    if subject in {"someone", "somebody", "anyone", "anybody"}:
        return
    if re.fullmatch(r"the \w+", subject) and len(named(clause.core)) <= MIN_TERMS:
        return
    if _is_person(subject) and len(clause.core.split()) >= 4:
        yield opened(clause, f"who {clause.verb} {clause.core}"), Kind.FACT


def kinds(clause: Clause) -> Iterator[tuple[str, Kind]]:
    """ "Passenger-car CCS cables are limited to 500 A" -> "Which cables are limited to 500 A?"."""
    if clause.auxiliary not in {"do", "are", "were", "have"} | MODALS or clause.negated:
        return
    head = _head(clause.subject)
    if not head.endswith("s") or head in SHELLS or _and(clause.subject) or clause.listed:
        return
    if len(clause.subject.split()) < 2 or clause.verb in VAGUE_VERBS or not _says_enough(clause):
        return
    if re.match(
        r"(?:many|most|some|all|both|few|several|the|two|three|these|\d)\b", clause.subject, re.I
    ):
        return
    if any(token.lower in PRONOUNS | {"own"} for token in clause.tokens) or clause.is_copula:
        return
    stays = clause.marker in {"if", "when", "unless", "until"}
    condition = condition_of(clause) if stays else ""
    negation = "not" if clause.negated else ""
    words = " ".join(w for w in (clause.verb, negation, clause.adverb, clause.core) if w)
    if not clause.supported:
        words = " ".join(w for w in (clause.adverb, clause.verb, clause.core) if w)
    yield opened(clause, f"which {head} {words}{condition}"), Kind.FACT


def _says_enough(clause: Clause) -> bool:
    """Whether the question without its subject still holds enough to have one answer."""
    found = named(f"{clause.verb} {clause.core}")
    if sum(not term[0].isdigit() for term in found) < MIN_TERMS - 1:
        return False
    may = clause.auxiliary in {"can", "could", "may", "might"}
    return len(found) >= MIN_TERMS + may


def _head(subject: str) -> str:
    """The noun that a subject is about: "protective devices for open-PEN faults" -> "devices"."""
    tokens = tokens_of(subject)
    ends = {"IN", ",", "VBN", "VBG", "TO", "("} | RELATIVE
    end = next(
        (n for n, t in enumerate(tokens) if n and (t.tag in ends or t.lower == "that")), len(tokens)
    )
    return tokens[end - 1].text if tokens[end - 1].tag == "NNS" else ""


def _is_plural(clause: Clause) -> bool:
    return clause.auxiliary in {"do", "are", "were", "have"} or _and(clause.subject)


def _is_person(subject: str) -> bool:
    """Whether the head of a noun phrase is a person: "A driver who …", "Someone with …"."""
    tokens = tokens_of(subject)
    end = next((n for n, t in enumerate(tokens) if t.tag in RELATIVE | {"IN", ","}), len(tokens))
    head = tokens[end - 1].lower if end else ""
    return bool(_PEOPLE.search(head)) or head in {"someone", "somebody", "anyone", "anybody"}


def _and(subject: str) -> bool:
    return bool(re.search(r"\b(?:and|or)\b", subject))
