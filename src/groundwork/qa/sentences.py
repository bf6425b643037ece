"""Questions from one sentence: causes, conditions, comparisons, definitions, advice, yes or no.

In: a plain sentence that stands alone. Out: questions which that sentence answers, the most telling
rule first. Each rule is a function from a sentence to questions; what it is not sure of it leaves.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from groundwork.qa.agents import kinds, people
from groundwork.qa.clause import Clause, parse, tidy
from groundwork.qa.lexicon import BE, IMPERATIVES, MODALS, PRONOUNS, SUBORDINATE
from groundwork.qa.numbers import number_questions
from groundwork.qa.pairs import Kind
from groundwork.qa.predicates import RULES, opened
from groundwork.qa.specific import is_sum, named
from groundwork.qa.verdicts import NO, YES, verdicts
from groundwork.qa.words import FINITE, NOUNS, RELATIVE, Token, tokens_of

_CONDITION = re.compile(r"(?P<word>If|When|Where|Once|Before|After|Unless|While) ")


_EXAMPLES = frozenset(["consider", "assume", "remember", "suppose"])
"""Orders to the reader of an example."""
_OPENS_CLAUSE = SUBORDINATE | {"that", "than", "as"}
MIN_CONDITION = 2
"""Words that a condition must name to be asked for what follows."""
MIN_DEED_TERMS = 3
"""Advice of fewer words ("Keep trying") says nothing."""
_APPOSITION = re.compile(r"(?:[\w-]+ ){1,4}[\w-]+, (?:the|an?|who|which|also|or) ")
"""Terms with what they are: "Charge point operator, the company that …"."""
_ASIDES = frozenset(["", "or", "and", "plus", "not", "often", "typically", "usually", "mostly"])
_GOES_ON = re.compile(r"[^,;:]{1,60}, (?:into|to|on|among|from|as|with|of|in|at|by|for) ")
_JOINS = frozenset([";", ":", "and", "but", "yet", "whereas", "while"])
"""Marks and words after which a clause of its own may follow."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A question and its kind; the sentence itself is the answer."""

    question: str
    kind: Kind
    verdict: str = ""
    """Word that the answer opens with: Yes, No, or none."""


def ask(sentence: str, *, seen: str) -> list[Ask]:
    """Questions that `sentence` answers, best first; may be empty."""
    text = sentence.rstrip(" .!")
    found = [*_conditions(text, seen=seen), *_advice(text)]
    clause = parse(text, seen=seen)
    while clause is not None:
        found += _of_clause(clause)
        holds_on = re.search(r"\d", clause.opener)  # "At 80 V, … and …" is said of both
        goes_on = clause.marker in _JOINS and clause.tail and not holds_on
        clause = parse(clause.tail, seen=seen) if goes_on else None
        if clause is not None and clause.subject.lower().startswith("the "):
            return found
    return found


def _of_clause(clause: Clause) -> Iterator[Ask]:
    if _is_cut(clause) or is_sum(tokens_of(clause.subject), clause.tokens):
        return
    for rule in (*RULES, people, kinds):
        yield from (Ask(question, kind) for question, kind in rule(clause) if question)
    yield from (Ask(v.question, v.kind, v.word) for v in verdicts(clause) if v.question)


def _is_cut(clause: Clause) -> bool:
    """Whether an aside parts the core from its end: "turns 400 V, often more, into 14 V"."""
    return clause.marker in _ASIDES and _GOES_ON.match(clause.tail) is not None


def _conditions(text: str, *, seen: str) -> Iterator[Ask]:
    """ "If C, M" -> "What happens if C?", or a question about M under C."""
    match = _CONDITION.match(text)
    if match is None:
        yield from _because_first(text, seen=seen)
        return
    tokens = tokens_of(text)
    commas = [n for n, t in enumerate(tokens) if t.text == "," and n > 2]
    for number in commas[:2]:
        condition = text[: tokens[number].start]
        main = text[tokens[number].end :].strip()
        if not any(t.tag in FINITE or t.tag == "VBG" for t in tokens[1:number]):
            continue
        if number != commas[0] and any(
            t.tag in FINITE | {"VBG"} for t in tokens[commas[0] : number]
        ):
            continue
        found = list(_under(condition[0].lower() + condition[1:], main, seen=seen))
        if found:
            yield from found
            return


def _under(condition: str, main: str, *, seen: str) -> Iterator[Ask]:
    if is_imperative(main):
        yield Ask(tidy(f"what should you do {condition}"), Kind.PROCEDURE)
        return
    clause = parse(main, seen=seen)
    if clause is None or clause.opener:
        return
    for question in number_questions(clause):
        yield Ask(tidy(f"{question.rstrip('?')} {condition}"), Kind.NUMBER)
    if clause.subject.lower() == "you" and clause.verb in MODALS and not clause.negated:
        yield Ask(tidy(f"what {clause.verb} you do {condition}"), Kind.PROCEDURE)
    word = NO if clause.negated else YES
    is_able = clause.core.startswith("be able")
    points = any(token.lower in PRONOUNS for token in clause.tokens)
    if (
        not clause.tail
        and not is_able
        and not points
        and not (clause.negated and "," in clause.core)
    ):
        yield Ask(tidy(f"{clause.asked()} {condition}"), Kind.YES_NO, word)
    if clause.subject.lower() == "you":
        return
    if clause.verb in BE and clause.is_copula:
        return
    if condition.startswith(("if ", "when ", "once ")) and len(named(condition)) >= MIN_CONDITION:
        verb = f"{clause.verb} happen" if clause.verb in {"should", "must"} else "happens"
        yield Ask(tidy(f"what {verb} {condition}"), Kind.FACT)


def _because_first(text: str, *, seen: str) -> Iterator[Ask]:
    match = re.match(r"Because (?:of )?[^,]+, (?P<main>.+)", text)
    clause = parse(match["main"], seen=seen) if match else None
    if clause is not None:
        question = f"why {clause.asked(negate=clause.negated)}"
        yield Ask(opened(clause, question), Kind.CAUSE)


def _advice(text: str) -> Iterator[Ask]:
    """Imperatives: "Never X: reason", "To X, do Y", "Do Y if Z", "Do Y so that Z"."""
    purpose = re.match(r"To (?P<aim>[^,]{6,80}), (?P<main>.+)", text)
    if purpose and (is_imperative(purpose["main"]) or re.match(r"(?:you )", purpose["main"])):
        yield Ask(tidy(f"how do you {purpose['aim']}"), Kind.PROCEDURE)
        return
    banned = re.match(r"(?:Never|Do not|Don't|Don’t) (?P<deed>.+)", text)
    deed = banned["deed"] if banned else text
    if not banned and not is_imperative(text):
        return
    core, marker, tail = _split_deed(deed[:1].lower() + deed[1:])
    marker = "" if core.endswith(" even") else marker
    core = re.sub(r",? (?:even|too|also|as well)$", "", core)
    if len(core.split()) < 3 or any(t.tag in {"WP", "WRB"} for t in tokens_of(core)):
        return
    if marker in {"if", "when"} and core.endswith(" only"):
        yield Ask(tidy(f"when should you {core.removesuffix(' only')}"), Kind.PROCEDURE)
    elif banned:
        if marker in {":", ";", "because", "since"} and len(tail.split()) >= 3:
            yield Ask(tidy(f"why should you not {core}"), Kind.CAUSE)
        yield Ask(tidy(f"should you {core}"), Kind.YES_NO, NO)
    elif core.split()[0] not in _EXAMPLES:
        yield from _deeds(core, marker, tail)


def _deeds(core: str, marker: str, tail: str) -> Iterator[Ask]:
    if _is_one_deed(core) and marker in {"", ";", ":", "because", "since", "so that"}:
        yield Ask(tidy(f"should you {core}"), Kind.YES_NO, YES)
    if marker in {"because", "so that", "since"} and _is_one_deed(core):
        yield Ask(tidy(f"why should you {core}"), Kind.CAUSE)
    elif marker in {"if", "when", "before", "after"} and "," not in core:
        tail = tail.partition(",")[0] if re.match(r"\w+ing\b", tail) else tail
        tail = re.split(r"[:;]|, (?:and|or|but|so)\b", tail)[0]
        yield Ask(tidy(f"what should you do {marker} {tail}"), Kind.PROCEDURE)


def _is_one_deed(core: str) -> bool:
    """Whether nothing but deeds is in it: no finite verb of its own ("Charge points are …")."""
    tokens = tokens_of(core)
    clause = parse(core[:1].upper() + core[1:], seen="")
    inner = [t for t in tokens if t.tag in RELATIVE or t.lower in _OPENS_CLAUSE]
    finite = [t for t in tokens[1:] if t.tag in FINITE]
    is_slogan = core.count(",") >= 2 and not re.search(r"\b(?:and|or)\b", core)
    alone = clause is None and not (finite and not inner) and not is_slogan
    return alone and len(named(core)) >= MIN_DEED_TERMS


_DEED_MARKER = re.compile(
    r"(?P<mark>[;:])|,? (?P<word>because|so that|since|if|when|before|after|unless)\b"
)


def _split_deed(deed: str) -> tuple[str, str, str]:
    match = _DEED_MARKER.search(deed)
    if match is None:
        return deed, "", ""
    marker = match["mark"] or match["word"]
    return deed[: match.start()].strip(), marker, deed[match.end() :].strip()


def is_imperative(text: str) -> bool:
    """Whether a sentence tells to do something: it opens with an infinitive and no subject."""
    tokens = tokens_of(text)
    if len(tokens) < 3 or _APPOSITION.match(text):
        return False
    if re.match(r"(?:never|do not|don.t|always) ", text, re.IGNORECASE):
        return True
    first, second = tokens[0], tokens[1]
    if first.lower in IMPERATIVES:
        return _opens_object(second)
    return first.tag == "VB" and _opens_object(second) and first.lower not in {"let"}


def _opens_object(token: Token) -> bool:
    return token.tag in {"DT", "PRP$", "IN", "CD", "RP", "TO", "RB", "WRB", "WP", "PDT"} | NOUNS | {
        "JJ", "QTY", "PRP",
    }  # fmt: skip
