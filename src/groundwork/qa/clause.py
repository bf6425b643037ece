"""A sentence taken apart: opener, subject, verb, core and tail.

In: plain text of one sentence. Out: a `Clause` from which questions are inverted, or None when the
parts are not plain to see: then no question is asked of that sentence.
"""

import re
from dataclasses import dataclass

from groundwork.qa.lexicon import (
    BE,
    CONNECTIVES,
    CUTS_AFTER_COMMA,
    EMPTY_VERBS,
    ENDS_IN_EED,
    MODALS,
    SUBORDINATE,
)
from groundwork.qa.subject import after_opener, is_subject, main_verb
from groundwork.qa.words import (
    NOUNS,
    RELATIVE,
    Token,
    base_form,
    negation,
    opens_with_verb,
    soften,
    tokens_of,
)

_POINTER = re.compile(
    r" ?\(see [^)]*\)"
    r"|, see (?!(?:if|whether|that|what|which|who|whose|why|how|where|when)\b)[^,;:?]*(?=[,;:?]|$)"
)
"""References inside a question: "(see the manual)", ", see the manual"."""
_ASIDE = re.compile(r"^((?:[A-Z]|An? |The )[^,;:()]{1,50}?) \([^()]{1,40}\)(?= [a-z])")
"""An abbreviation or a remark behind the subject: "Control pilot (CP) carries …"."""
_TAILS = ("so that", "because", "whereas", "while", "unless", "until", "when", "if", "once")


@dataclass(frozen=True, slots=True)
class Clause:
    """`opener, subject [adverb] verb core; tail`: spans of one sentence, without its full stop."""

    opener: str
    """Phrase before the subject, with its comma: "On a motorway,"; may be empty."""
    subject: str
    adverb: str
    """Adverb between subject and verb that belongs in a question; may be empty."""
    verb: str
    """The finite verb: an auxiliary or a full verb."""
    auxiliary: str
    """What moves in front of the subject: is, can, has, does, do, did."""
    supported: bool
    """Whether the verb is itself the auxiliary, so that inversion needs no "do"."""
    negated: bool
    core: str
    """After the verb, up to the first subordinate or coordinate clause."""
    listed: bool
    """Whether `core` lacks the end of its list: "from Awattar, Tibber" of three names."""
    comma: bool
    """Whether a comma stands before `marker`."""
    marker: str
    """Word that opens the tail: because, if, so, …, or a mark; may be empty."""
    tail: str
    """What follows `marker`."""
    tokens: tuple[Token, ...]
    """Of `core`."""
    seen: str
    """Text in which words are looked up to tell names from sentence starts."""

    def asked(self, core: str | None = None, *, negate: bool = False) -> str:
        """Inverted, with `core` in place of the clause's own: "does a post draw 7 kW"."""
        rest = self.core if core is None else core
        subject = soften(self.subject, self.seen)
        auxiliary = {"may": "can", "might": "could"}.get(self.auxiliary, self.auxiliary)
        if self.negated and not negate and auxiliary == "must":
            auxiliary = "can"  # "must not be buried" denies a permission, no duty
        words = [auxiliary, subject, "not" if negate else "", self.adverb]
        if not self.supported:
            words.append(base_form(self.verb) if self.auxiliary != "do" else self.verb)
        return " ".join(word for word in [*words, rest] if word)

    def breaks_off(self, question: str) -> bool:
        """Whether a question stops within the list that the core does not finish."""
        return self.listed and self.core.rpartition(",")[2] in question

    @property
    def is_copula(self) -> bool:
        """Whether the verb is "is" or "are" with a whole noun or adjective after it."""
        whole = self.verb in BE and not self.listed
        return whole and not any(t.tag in {"VBN", "VBG"} for t in self.tokens[:2])


def parse(text: str, *, seen: str) -> Clause | None:
    """Take a sentence apart; None when its subject or verb is not sure."""
    text = _ASIDE.sub(r"\1", text.rstrip(" .!"), count=1)
    tokens = tokens_of(text)
    if len(tokens) < 3 or tokens[0].lower in SUBORDINATE or opens_with_verb(tokens):
        return None
    first = after_opener(tokens)
    verb = None if first is None else main_verb(tokens, first)
    if first is None or verb is None:
        return None
    if tokens[verb].lower in EMPTY_VERBS:
        return None
    last = verb
    while last > first and tokens[last - 1].tag == "RB":
        last -= 1
    if last == first or tokens[last - 1].tag == "MD" or not is_subject(tokens[first:last]):
        return None
    adverbs = [t.text for t in tokens[last:verb] if t.lower not in CONNECTIVES]
    return _assemble(
        text, tokens, seen=seen, spans=(first, last, verb), adverb=" ".join(adverbs).lower()
    )


def _assemble(
    text: str, tokens: tuple[Token, ...], *, seen: str, spans: tuple[int, int, int], adverb: str
) -> Clause | None:
    first, last, verb = spans
    after = _past_aside(tokens, verb + 1)
    word = tokens[verb].lower
    hidden = negation(tokens[verb])
    negated = bool(hidden)
    auxiliary = hidden or _auxiliary(tokens, verb)
    if not auxiliary:
        return None
    supported = bool(hidden) or _is_auxiliary(tokens, verb)
    if after < len(tokens) and tokens[after].lower in {"not", "never"}:
        if not supported and word in {"do", "does", "did"}:
            return None  # its verb was taken for something else: "do not simply total"
        negated, after = True, after + 1
    is_posture = word in {"stand", "stands", "keep", "keeps", "hold", "holds", "remain"}
    while after < len(tokens) and tokens[after].lower in CONNECTIVES and not is_posture:
        if tokens[after].lower == "too" and tokens[after + 1 : after + 2]:
            break  # "too small"
        after += 1
    if hidden:
        word = hidden
    end, marker, resume = _cut(tokens, after)
    core = tokens[after:end]
    if _is_another_sentence(core, full=not supported):
        return None
    while core and core[-1].lower in {"too", "also", "either", "however", "therefore"}:
        core = core[:-1]
    if not core:
        return None
    return Clause(
        opener=_with_comma(text[: tokens[first].start].strip()),
        subject=text[tokens[first].start : tokens[last - 1].end],
        adverb=adverb,
        verb=word,
        auxiliary=auxiliary,
        supported=supported,
        negated=negated,
        core=text[core[0].start : core[-1].end],
        listed=_breaks_list(core, tokens[end:]),
        comma=end < len(tokens) and tokens[end].text == ",",
        marker=marker,
        tail=text[tokens[resume].start :] if resume < len(tokens) else "",
        tokens=core,
        seen=seen,
    )


def _is_another_sentence(core: tuple[Token, ...], *, full: bool) -> bool:
    """Whether the verb was a noun after all ("holiday lets … are"), or the scene of a story."""
    if not full:
        return bool(core) and core[0].tag == "VBG"
    opens = next(
        (n for n, t in enumerate(core) if t.tag in RELATIVE or t.lower in {"that", "whether"}),
        len(core),
    )
    other = {t.lower for t in core[:1]} & {"has", "have", "do", "does"}
    if core and core[0].tag in {"VB", "VBP", "VBZ", "MD"}:
        return True
    return bool(other) or any(t.lower in BE for t in core[:opens])


def _with_comma(opener: str) -> str:
    return f"{opener}," if opener and not opener.endswith(",") else opener


def _auxiliary(tokens: tuple[Token, ...], verb: int) -> str:
    """What is inverted with the subject; empty when the infinitive is not sure."""
    token = tokens[verb]
    if _is_auxiliary(tokens, verb):
        return token.lower
    if token.tag == "VBP" and (not token.lower.endswith("ed") or token.lower in ENDS_IN_EED):
        return "do"
    if not base_form(token.lower):
        return ""
    return "does" if token.tag == "VBZ" else "did"


def _is_auxiliary(tokens: tuple[Token, ...], verb: int) -> bool:
    word = tokens[verb].lower
    if word in MODALS or word in BE:
        return True
    after = _past_aside(tokens, verb + 1)
    following = [t for t in tokens[after : after + 3] if t.tag != "RB"]
    if word in {"has", "have", "had"} and following:
        describes = len(following) > 1 and following[1].tag in NOUNS
        return following[0].tag in {"VBN", "VBD"} and not describes
    is_do = word in {"does", "do", "did"}
    return is_do and bool(following) and following[0].tag in {"VB", "VBP"}


def _past_aside(tokens: tuple[Token, ...], position: int) -> int:
    """Where "of course" at `position` ends, its commas included; `position` without it."""
    words = [t.lower for t in tokens[position : position + 4]]
    for aside in ([",", "of", "course", ","], ["of", "course"]):
        if words[: len(aside)] == aside:
            return position + len(aside)
    return position


def _cut(tokens: tuple[Token, ...], after: int) -> tuple[int, str, int]:
    """End of the core, the marker behind it and where the tail resumes."""
    inside = False
    for number in range(after, len(tokens)):
        token = tokens[number]
        inside = inside or token.tag in RELATIVE or token.lower == "that"
        following = " ".join(t.lower for t in tokens[number : number + 2])
        if token.text in ";:—–" and not _in_word(tokens, number):
            return number, token.text, number + 1
        if token.text == "," and number + 1 < len(tokens):
            word = tokens[number + 1].lower
            pair = " ".join(t.lower for t in tokens[number + 1 : number + 3])
            new_clause = _verb_follows(tokens, number)
            if word in CUTS_AFTER_COMMA or tokens[number + 1].tag == "VBG" or new_clause:
                marker = "so that" if pair == "so that" else word
                return number, marker, number + 1 + len(marker.split())
        if token.lower in {"but", "yet"} and number > after:
            return number, token.lower, number + 1
        if token.tag == "CC" and not inside and _verb_follows(tokens, number):
            return number, token.lower, number + 1
        for marker in _TAILS:
            if number > after and (following == marker or token.lower == marker):
                return number, marker, number + len(marker.split())
    return len(tokens), "", len(tokens)


def _breaks_list(core: tuple[Token, ...], rest: tuple[Token, ...]) -> bool:
    """Whether the cut at a comma takes the end off a list: "from Awattar, Tibber", "or Octopus"."""
    if len(rest) < 2 or rest[0].text != ",":
        return False
    loose = any(
        t.lower in {"and", "or"} and (n + 1 == len(core) or core[n + 1].text == ",")
        for n, t in enumerate(core)
    )
    ends_list = rest[1].lower in {"and", "or"} or rest[1].tag == "VBG"
    return loose or (ends_list and any(t.text == "," for t in core))


def _in_word(tokens: tuple[Token, ...], number: int) -> bool:
    """Whether a colon stands inside a word: "hh:mm", "http://"."""
    after = tokens[number + 1 : number + 2]
    return tokens[number].text == ":" and bool(after) and after[0].start == tokens[number].end


def _verb_follows(tokens: tuple[Token, ...], number: int) -> bool:
    """Whether a second predicate or clause begins: "is called EVSE and looks like …"."""
    following = tokens[number + 1 : number + 8]
    if following and tokens[number - 1].tag == "JJ" and following[0].tag == "VB":
        return True
    for token in following:
        if token.tag in {"VBZ", "VBP", "MD"}:
            return True
        if token.tag in RELATIVE | {"CC", "VBN"} or token.text in ",;:" or token.lower == "that":
            return False
    return False


def tidy(question: str) -> str:
    """A question as it is written: capital first letter, single spaces, one question mark."""
    text = _POINTER.sub("", " ".join(question.split()))
    text = re.sub(r"\s+([,.;:?])", r"\1", text).rstrip(" .,;:?!")
    match = re.search(r"[^\W_]", text)
    if match is None:
        return ""
    where = match.start()
    return f"{text[:where]}{text[where].upper()}{text[where + 1 :]}?"
