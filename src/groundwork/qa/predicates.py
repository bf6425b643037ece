"""Questions from one clause: causes, numbers, definitions, agents, objects, yes or no.

In: a clause taken apart. Out: questions with their kind. Each rule is a function; what it is not
sure of it leaves. `RULES` holds them, the most telling first.
"""

import re
from collections.abc import Callable, Iterator

from groundwork.qa.cells import is_name
from groundwork.qa.clause import Clause, parse, tidy
from groundwork.qa.lexicon import BE, MODALS, PASSIVE, VAGUE, VAGUE_VERBS
from groundwork.qa.numbers import date_question, number_questions
from groundwork.qa.pairs import Kind
from groundwork.qa.specific import is_alone, named
from groundwork.qa.words import NOUNS, Token, soften

EMPTY_NOUNS = re.compile(
    r"(?:a|an|the) (?:\w+ )?(?:reason|problem|cause|answer|thing|matter|case|key|point|mistake|"
    r"exception|result|start|sign|question|choice|fact|trick|step|rest|same|other|lot|bit|cheap\w*|"
    r"best|worst|first|second|last|only|main|usual|classic|common)\b"
)
_CONSEQUENCE = re.compile(r"[;:]|, (?:so|which|and|but|or|because|while|whereas)\b")
_ABLE = re.compile(r"(?:[\w-]+ ){1,8}?(?:can|cannot|could|may|might|will|would)\b")
MIN_RESULT_TERMS = 5
"""Words that a result must name to be asked for its cause: what stands before it may be needed."""
_PAIRED = re.compile(
    r"(?:depends? on|consists? of|relies on|rely on|leads? to|comes? from|refers? to|turns? into|"
    r"belongs? to|applies to|apply to|switch(?:es)? to|falls? back to|results? in|amounts? to|"
    r"looks? like|serves? as|acts? as|works? with|starts? with|begins? with|ends? with|"
    r"differs? from|corresponds? to|responds? to|copes? with|suffers? from)$"
)


def opened(clause: Clause, question: str) -> str:
    """With the clause's opener; empty when it breaks off within a list."""
    return "" if clause.breaks_off(question) else tidy(f"{clause.opener} {question}")


def _numbers(clause: Clause) -> Iterator[tuple[str, Kind]]:
    condition = condition_of(clause) if clause.marker in {"if", "when"} else ""
    for question in number_questions(clause):
        yield tidy(f"{question.rstrip('?')}{condition}"), Kind.NUMBER


def condition_of(clause: Clause) -> str:
    """The tail up to what follows from it."""
    return f" {clause.marker} {re.split(_CONSEQUENCE, clause.tail)[0]}"


def _dates(clause: Clause) -> Iterator[tuple[str, Kind]]:
    question = date_question(clause)
    yield "" if clause.breaks_off(question) else question, Kind.FACT


def _causes(clause: Clause) -> Iterator[tuple[str, Kind]]:
    aims = clause.marker == "so that" and not clause.comma and _ABLE.match(clause.tail)
    if clause.marker == "because" or aims or (clause.marker == "since" and clause.comma):
        yield opened(clause, f"why {clause.asked(negate=clause.negated)}"), Kind.CAUSE
    result = parse(clause.tail, seen=clause.seen) if clause.marker == "so" else None
    if result is not None and _is_plain(result):
        yield opened(result, f"why {result.asked(negate=result.negated)}"), Kind.CAUSE


def _is_plain(result: Clause) -> bool:
    """Whether what follows from a sentence is clear without that sentence."""
    article, _, rest = result.subject.partition(" ")
    bare = article.lower() == "the" and is_alone(rest)
    return not bare and len(named(result.asked())) >= MIN_RESULT_TERMS


def _which(clause: Clause) -> Iterator[tuple[str, Kind]]:
    """ "Salt water is worse than fresh water" -> "Which is worse, salt water or fresh water?"."""
    found = re.fullmatch(
        r"(?P<how>(?:more |less )?[\w-]+) than (?P<other>[\w -]{3,50})", clause.core
    )
    if found is None or not clause.is_copula or clause.negated or clause.opener:
        return
    first = clause.tokens[0]
    if first.tag not in {"JJR", "RBR"} or len(clause.subject.split()) > 7:
        return
    subject = soften(clause.subject, clause.seen)
    adverb = f"{clause.adverb} " if clause.adverb else ""
    verb = clause.verb
    yield (
        tidy(f"which {verb} {adverb}{found['how']}, {subject} or {found['other']}"),
        Kind.COMPARISON,
    )


def _contrasts(clause: Clause) -> Iterator[tuple[str, Kind]]:
    if clause.marker not in {"whereas", "while"} or clause.opener:
        return
    if clause.marker == "while" and not clause.comma:
        return
    other = parse(clause.tail, seen=clause.seen)
    if other is None or other.opener or other.subject.lower() == clause.subject.lower():
        return
    if max(len(clause.subject.split()), len(other.subject.split())) > 7:
        return
    first, second = (soften(c.subject, c.seen) for c in (clause, other))
    if not named(first) & named(second) and not (is_name(first) and is_name(second)):
        return  # "courtesy" and "a car with an empty battery" are not two of a kind
    yield tidy(f"what is the difference between {first} and {second}"), Kind.COMPARISON


def _definitions(clause: Clause) -> Iterator[tuple[str, Kind]]:
    subject = soften(clause.subject, clause.seen)
    if clause.opener or clause.negated or clause.adverb or len(subject.split()) > 6:
        return
    if re.match(r"(?:each|every|you|all|most|many|some|more|less|the|\d\S*)\b", subject):
        return
    if clause.verb in {"means", "mean"} or (clause.verb == "stands" and clause.core[:4] == "for "):
        strand = " for" if clause.verb == "stands" else ""
        yield tidy(f"what {clause.asked(strand)}"), Kind.DEFINITION
    is_noun = re.match(r"(?:a|an|the|any|one) ", clause.core) and len(clause.core.split()) > 3
    if clause.verb in {"is", "are"} and is_noun and not EMPTY_NOUNS.match(clause.core):
        yield tidy(f"what {clause.verb} {subject}"), Kind.DEFINITION


def _means(clause: Clause) -> Iterator[tuple[str, Kind]]:
    """ "X frees the plug by pulling" -> "How does X free the plug?"."""
    origin = clause.tokens[0].start
    for number, token in enumerate(clause.tokens[1:-1], start=1):
        after = clause.tokens[number + 1]
        if token.lower == "by" and after.tag == "VBG" and after.lower.endswith("ing"):
            held = clause.core[: token.start - origin].rstrip(" ,")
            if len(held.split()) >= 2 and not held.endswith((" or", " and")):
                yield opened(clause, f"how {clause.asked(held)}"), Kind.PROCEDURE
            return


def _times(clause: Clause) -> Iterator[tuple[str, Kind]]:
    possible = clause.marker == "if" and clause.auxiliary in MODALS
    if (clause.marker not in {"when", "once"} and not possible) or clause.comma:
        return
    if clause.tokens[-1].tag in {"IN", "TO"} or clause.core.endswith((" only", " even", " as")):
        return
    told = re.split(_CONSEQUENCE, clause.tail)[0]
    if len(clause.core.split()) >= 2 and len(told.split()) >= 2:
        yield opened(clause, f"when {clause.asked(negate=clause.negated)}"), Kind.FACT


def _objects(clause: Clause) -> Iterator[tuple[str, Kind]]:
    """ "The post sends a wave down the wire" -> "What does the post send down the wire?"."""
    if clause.negated or clause.is_copula:
        return
    held = _verb_part(clause)
    tokens = clause.tokens[len(held or ()) :]
    phrase = noun_phrase(tokens)
    if held is None or not phrase or tokens[0].lower in VAGUE or tokens[0].tag in {"QTY", "CD"}:
        return
    rest = tokens[phrase:]
    if rest and tokens[0].lower.endswith("ing"):
        return
    if rest and (rest[0].text in ",;:(" or rest[0].lower in {"and", "or", "to"}):
        rest = ()
    is_known = tokens[0].lower == "the" and phrase == 2 and not (rest and held)
    if is_known or not _goes_on(rest):
        return
    if rest and tokens[phrase - 1].tag in {"JJ", "VBN"}:
        return  # "rules set by the operator": it belongs to what was taken out
    if not held and clause.verb in VAGUE_VERBS:
        return
    if not held or len(clause.subject.split()) + len(rest) >= 3:
        words = [*(t.text for t in held), _span(clause, rest)]
        yield opened(clause, f"what {clause.asked(' '.join(w for w in words if w))}"), Kind.FACT


def _goes_on(rest: tuple[Token, ...]) -> bool:
    """Whether what follows an object can follow its question: a phrase with a preposition."""
    if any(t.tag == "QTY" and rest[n - 1].tag not in {"IN", "TO"} for n, t in enumerate(rest)):
        return False
    if not rest or rest[0].lower in {"down", "up", "out", "off", "along", "around", "through"}:
        return True
    strange = {"that", "than", "as", "of", "between", "about", "with", "above", "below"}
    return rest[0].tag in {"IN", "TO"} and rest[0].lower not in strange


def lead_question(clause: Clause) -> str:
    """ "An installation needs three additions" -> "What does an installation need?"; or empty.

    For sentences that a list completes: the object may be as vague as it likes.
    """
    held = _verb_part(clause)
    if held is None or clause.negated or clause.is_copula:
        return ""
    tokens = clause.tokens[len(held) :]
    inside = noun_phrase(tokens)
    if tokens and inside < len(tokens):
        return ""
    return opened(clause, f"what {clause.asked(' '.join(t.text for t in held))}")


def _verb_part(clause: Clause) -> tuple[Token, ...] | None:
    """Tokens of the core that belong to the verb: infinitive, participle, fixed preposition."""
    tokens = clause.tokens
    first = tokens[0]
    if clause.supported and clause.verb in BE:
        fits = len(tokens) > 2 and first.tag in {"VBN", "VBD"} and tokens[1].lower in PASSIVE
        if first.lower == "called":
            return tokens[:1]
        return tokens[:2] if fits and not _infinitive(tokens[1:]) else None
    if clause.supported:
        if first.tag != "VB" and not (first.tag == "VBN" and clause.verb in {"has", "have"}):
            return None
        return tokens[:1] if first.lower != "be" else None
    if len(tokens) > 1 and _PAIRED.match(f"{clause.verb} {first.lower}"):
        return tokens[:1]
    return () if first.tag in {"DT", "JJ", "NN", "NNS", "NNP", "VBG", "CD"} else None


def _infinitive(tokens: tuple[Token, ...]) -> bool:
    """Whether "to record" may be one: the tagger takes such verbs for nouns and adjectives."""
    names = {"DT", "PRP$", "CD", "QTY", "NNS", "NNP", "NNPS"}
    return tokens[0].lower == "to" and tokens[1].tag not in names


def noun_phrase(tokens: tuple[Token, ...]) -> int:
    """Number of tokens in the noun phrase that `tokens` open with, "of" phrases included."""
    inside = NOUNS | {"DT", "JJ", "JJS", "CD", "QTY", "VBN", "VBG", "POS", "PRP$"}
    end = 0
    for number, token in enumerate(tokens):
        if token.tag in inside:
            end = number + 1
        elif not (token.lower in {"of", "and"} and end and _noun_follows(tokens, number)):
            break
    return end if any(t.tag in NOUNS for t in tokens[:end]) else 0


def _noun_follows(tokens: tuple[Token, ...], number: int) -> bool:
    following = tokens[number + 1 : number + 3]
    return bool(following) and following[0].tag in NOUNS | {"DT", "JJ"}


def _span(clause: Clause, tokens: tuple[Token, ...]) -> str:
    origin = clause.tokens[0].start
    return clause.core[tokens[0].start - origin : tokens[-1].end - origin] if tokens else ""


RULES: tuple[Callable[[Clause], Iterator[tuple[str, Kind]]], ...] = (
    _causes, _numbers, _dates, _contrasts, _which, _definitions, _means, _times, _objects,
)  # fmt: skip
