"""Questions answered by a list as a whole, by its items' labels, or by the start of a section.

In: the units of a passage. Out: pairs whose quote is one verbatim span of the passage.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby

from groundwork.index import terms
from groundwork.qa.clause import parse
from groundwork.qa.headings import advice_question, heading_question, situation_question
from groundwork.qa.pairs import Kind, Pair
from groundwork.qa.predicates import lead_question, noun_phrase
from groundwork.qa.sentences import is_imperative
from groundwork.qa.sound import is_sound, stands_alone
from groundwork.qa.specific import OPEN_TERMS, is_specific, named
from groundwork.qa.units import Shape, Unit
from groundwork.qa.words import FINITE, soften, tokens_of
from groundwork.records import Chunk

MIN_ITEMS = 3
"""Shorter lists are often a part of one that goes on in the next passage."""


def section_pairs(chunk: Chunk, units: Sequence[Unit], *, continues: bool) -> Iterator[Pair]:
    """Pairs from headings, lists under them and lists after a lead-in.

    `continues`: the passage goes on with the section of the one before it, so that what stands
    first in it does not stand under its heading.
    """
    groups = [list(group) for _, group in groupby(units, key=lambda unit: unit.group)]
    heading = units[0].heading if continues and units else ""
    for number, group in enumerate(groups):
        before = groups[number - 1][-1] if number else None
        first = group[0].heading != heading
        heading = group[0].heading
        if group[0].shape is Shape.ITEM and len(group) >= MIN_ITEMS:
            yield from _list_pairs(chunk, group, before=before, first=first)
        elif group[0].shape is Shape.SENTENCE and first:
            yield from _opening_pair(chunk, group)
        is_asked = heading_question(heading, seen=chunk.text) is not None
        is_asked = is_asked or heading.lower().startswith(("who ", "what ", "how ", "which "))
        if group[0].shape is Shape.ITEM and not is_asked:
            yield from _term_pairs(group)


def _list_pairs(
    chunk: Chunk, items: list[Unit], *, before: Unit | None, first: bool
) -> Iterator[Pair]:
    quote = chunk.text[items[0].start : items[-1].start + len(items[-1].quote)]
    answer = _joined([item.text for item in items])
    if before is not None and before.text.endswith(":"):
        yield from _after_lead(chunk, items, before=before)
    if not first and before is not None and before.shape is not Shape.SENTENCE:
        return
    question, kind = _list_question(chunk, items)
    if question and is_sound(question):
        yield Pair(question=question, answer=answer, kind=kind, quote=quote)


def _list_question(chunk: Chunk, items: list[Unit]) -> tuple[str, Kind]:
    heading = items[0].heading
    told = sum(is_imperative(item.sentences[0][0]) for item in items if item.sentences)
    orders = told * 2 > len(items)
    kind = Kind.PROCEDURE if items[0].ordered or orders else Kind.LIST
    asked = heading_question(heading, seen=chunk.text) if heading else None
    if asked is not None:
        return (asked[0] if _tells_topic(asked[0]) else ""), kind
    question = advice_question(heading, seen=chunk.text) if heading else ""
    if question and _tells_topic(question) and (orders or question.startswith("What are")):
        return question, kind
    if orders and items[0].ordered:
        return situation_question(chunk.title, seen=chunk.text), kind
    return "", kind


def _tells_topic(question: str) -> bool:
    """Whether a heading's question says enough without its page."""
    return len(named(question)) >= OPEN_TERMS or is_specific(question, is_verdict=False)


def _after_lead(chunk: Chunk, items: list[Unit], *, before: Unit) -> Iterator[Pair]:
    lead = before.text.rstrip(":")
    clause = parse(lead, seen=chunk.text)
    question = lead_question(clause) if clause is not None else ""
    if question and is_sound(question) and stands_alone(f"{lead}."):
        end = items[-1].start + len(items[-1].quote)
        yield Pair(
            question=question,
            answer=f"{before.text} {_joined([item.text for item in items])}",
            kind=Kind.LIST,
            quote=chunk.text[before.start : end],
        )


def _joined(texts: Sequence[str]) -> str:
    if all(text.endswith((".", "!", "?")) for text in texts):
        return " ".join(texts)
    return "; ".join(text.rstrip(".;,") for text in texts) + "."


def _opening_pair(chunk: Chunk, sentences: list[Unit]) -> Iterator[Pair]:
    """A heading that is a question, answered by the first sentences below it."""
    asked = heading_question(sentences[0].heading, seen=chunk.text)
    if asked is None or not is_sound(asked[0]) or not _tells_topic(asked[0]):
        return
    if not stands_alone(sentences[0].text):
        return
    if asked[1] is Kind.YES_NO:
        return
    taken = [unit for unit in sentences[:2] if not unit.text.endswith(":")]
    if not taken:
        return
    end = taken[-1].start + len(taken[-1].quote)
    answer = " ".join(unit.text for unit in taken)
    wanted = set(terms(asked[0]))
    if 3 * len(wanted & set(terms(answer))) < 2 * len(wanted):
        return
    yield Pair(
        question=asked[0],
        answer=answer,
        kind=asked[1],
        quote=chunk.text[taken[0].start : end],
    )


def _term_pairs(items: list[Unit]) -> Iterator[Pair]:
    """ "Inlet. The receptacle on the vehicle." -> "What does inlet mean?"."""
    labelled = [item for item in items if item.label]
    if len(labelled) < MIN_ITEMS:
        return
    for item in labelled:
        if not item.sentences or not _defines(item.label, item.sentences[0][0]):
            continue
        if any(sign in item.sentences[0][0] for sign in "×÷="):
            label = soften(item.label, item.text)
            question, kind = f"How is the {label} calculated?", Kind.PROCEDURE
        else:
            question, kind = f"What does {item.label} mean?", Kind.DEFINITION
        yield Pair(
            question=question,
            answer=item.text,
            kind=kind,
            quote=item.quote,
        )


def _defines(label: str, text: str) -> bool:
    """Whether a fragment says what a term is: a noun phrase without a verb of its own."""
    if parse(text, seen=text) is not None:
        return False
    tokens = tokens_of(text.partition(";")[0].partition(":")[0])
    if not len(tokens) >= 2 or "," in label or len(label.split()) > 6:
        return False
    if " and " in label or (tokens_of(label)[-1].tag == "NNS" and not label.isupper()):
        return False
    if re.search(r"[/<>{}$\\]", label) or len(label) < 2:
        return False
    if label.split()[0].lower() in {"a", "an", "the", "some", "any"}:
        return False
    starts = tokens[0].lower in {"a", "an", "the"} or noun_phrase(tokens) > 0
    opens = starts and not {"see", "useful"} & {t.lower for t in tokens}
    head = tokens[: next((n for n, t in enumerate(tokens) if _is_relative(t.lower)), len(tokens))]
    return opens and not any(t.tag in FINITE for t in head)


def _is_relative(word: str) -> bool:
    return word in {"that", "which", "who", "whose", "what", "how", "by", "when", "where", ","}
