"""Questions that a heading asks, and what stands under it answers.

In: a heading or title. Out: a question, or None when the heading is a mere name.
"""

import re

from groundwork.qa.clause import parse, tidy
from groundwork.qa.lexicon import BE, IMPERATIVES, LISTED, VERBS
from groundwork.qa.pairs import Kind
from groundwork.qa.words import FINITE, NOUNS, Token, soften, tokens_of

_NUMBERING = re.compile(
    r"^(?:\d+[.)]\s+|[A-Z][.)]\s+|(?:step|sheet|reason|layer|part|rule|tip)\s+\w+:\s+)",
    re.IGNORECASE,
)
_KINDS = {
    "how": Kind.PROCEDURE, "why": Kind.CAUSE, "what": Kind.FACT, "where": Kind.FACT,
    "when": Kind.FACT, "who": Kind.FACT, "which": Kind.FACT,
}  # fmt: skip
_MEASURES = re.compile(r"how (?:much|many|long|far|often|big|fast)\b", re.IGNORECASE)
OCCASION = re.compile(r"(?:before|after|when|while|if|once|during) ", re.IGNORECASE)


def bare_heading(heading: str) -> str:
    """Without its number: "3. Design" and "Step 2: design" -> "design"."""
    return _NUMBERING.sub("", heading).strip(" .:")


def heading_question(heading: str, *, seen: str) -> tuple[str, Kind] | None:
    """The question in a heading such as "Why the cable is fat" or "Who pays for what?"."""
    text = bare_heading(heading)
    word, _, rest = text.partition(" ")
    word = word.lower()
    if text.endswith("?"):
        return _asked_already(text, word)
    if word not in _KINDS or word == "when" or len(rest.split()) < 2:
        return None  # "When the battery runs empty" tells what happens then
    question = _from_clause(word, rest, seen=seen)
    return (question, _kind(question)) if question else None


def _asked_already(text: str, word: str) -> tuple[str, Kind] | None:
    tokens = tokens_of(text)
    is_question = word in _KINDS or word in BE | {"do", "does", "can", "should", "must", "will"}
    is_question &= any(token.tag in FINITE for token in tokens)
    if not is_question or len(tokens) < 5:
        return None
    return tidy(text), _kind(text) if word in _KINDS else Kind.YES_NO


def _kind(question: str) -> Kind:
    if _MEASURES.match(question):
        return Kind.NUMBER
    if re.match(r"what (?:is|are) (?:an? )?[\w-]+\?$", question, re.IGNORECASE):
        return Kind.DEFINITION
    return _KINDS[question.split()[0].lower()]


def _from_clause(word: str, rest: str, *, seen: str) -> str:
    infinitive = re.match(r"to (?P<deed>.+)", rest)
    if infinitive and word in {"how", "what", "when", "where"}:
        verb = "do" if word == "how" else "should"
        return tidy(f"{word} {verb} you {infinitive['deed']}")
    named = re.fullmatch(r"(?P<term>.+) (?P<verb>is|are)", rest)
    if word == "what" and named:
        return tidy(f"what {named['verb']} {named['term']}")
    tokens = tokens_of(rest)
    if word == "which":
        return tidy(f"which {rest}") if any(t.tag in FINITE for t in tokens) else ""
    first = tokens[0]
    if word in {"what", "who"} and (first.tag in {"VBZ", "MD", "VBD"} or first.lower in VERBS):
        return tidy(f"{word} {rest}")
    clause = parse(rest, seen=seen)
    if clause is not None and not clause.opener and not clause.tail:
        return tidy(f"{word} {clause.asked(negate=clause.negated)}")
    clause = parse(f"{rest} it", seen=seen)
    if clause is not None and clause.core == "it" and not clause.opener:
        return tidy(f"{word} {clause.asked('', negate=clause.negated)}")
    return ""


def advice_question(heading: str, *, seen: str) -> str:
    """A question for advice under a heading: "Choosing a cable", "After a flood", "Everyday rules".

    Empty when the heading does not name an occasion, a deed or a plural.
    """
    text = soften(_NUMBERING.sub("", heading).strip(" .:?"), seen)
    tokens = tokens_of(text)
    if len(tokens) < 2 or tokens[0].lower == "the":
        return ""
    if OCCASION.match(text):
        return tidy(f"what should you do {text}")
    if re.match(r"\w{3,}ing$", tokens[0].lower) and tokens[0].tag in {"VBG", "NN"}:
        return tidy(f"what is the advice on {text}") if tokens[1].tag not in NOUNS else ""
    if _is_plural(tokens) and " and " not in text:
        return tidy(f"what are the {text.removeprefix('the ')}")
    return ""


def _is_plural(tokens: tuple[Token, ...]) -> bool:
    """Whether the first noun phrase is plural: "Warning signs for householders"."""
    head = ""
    for token in tokens:
        if token.tag not in NOUNS | {"JJ", "CD", "DT", "VBG", "VBN", "NNS"}:
            break
        head = token.tag
    if tokens[0].lower in IMPERATIVES and len(tokens) > 1 and tokens[1].tag in {"CD", "DT"}:
        return False
    names = tokens[0].tag in {"NNP", "NNPS"} or any(t.text in ",:" for t in tokens)
    counted = tokens[0].tag == "CD"
    listed = any(token.lower in LISTED for token in tokens)
    return head == "NNS" and not names and (counted or listed)


def situation_question(title: str, *, seen: str) -> str:
    """ "The connector is stuck" -> "What should you do if the connector is stuck?"."""
    text = title.partition(":")[0].strip(" .?")
    clause = parse(text, seen=seen)
    if clause is None or clause.opener or clause.tail:
        return ""
    return tidy(f"what should you do if {soften(text, seen)}")


def occasion(heading: str, title: str, *, seen: str) -> str:
    """When advice under a heading holds: "before a long lay-up", "when choosing a cable".

    `title`: of a page whose steps these are ("The connector is stuck"), or empty. Empty when
    neither names an occasion.
    """
    text = soften(_NUMBERING.sub("", heading).strip(" .:?"), seen)
    tokens = tokens_of(text)
    if OCCASION.match(text) and len(tokens) > 1:
        return text
    named = (
        len(tokens) > 2 and tokens[1].tag not in NOUNS and re.match(r"\w{3,}ing$", tokens[0].lower)
    )
    if named and tokens[0].tag in {"VBG", "NN"} and not _is_plural(tokens):
        return f"when {text}"
    situation = situation_question(title, seen=seen) if title else ""
    return situation.removeprefix("What should you do ").rstrip("?")
