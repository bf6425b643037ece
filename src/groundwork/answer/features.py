"""What makes a sentence look like the answer: similarities, shared words, the kind asked for.

In: a question, its passages, the index. Out: a matrix (S, F) over the sentences of the passages.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from groundwork.answer.matching import token_match
from groundwork.answer.question import wants_list
from groundwork.answer.retrieval import Retrieval
from groundwork.index import Index, terms
from groundwork.records import Retrieved

FEATURES = (
    "cos_sentence",
    "cos_neighbours",
    "cos_passage",
    "passage_share",
    "passage_first",
    "overlap",
    "overlap_context",
    "overlap_heading",
    "kind_match",
    "kind_miss",
    "list_match",
    "list_miss",
    "log_words",
    "is_item",
    "is_row",
    "is_question",
    "opens_passage",
    "token_match",
    "token_match_back",
    "token_match_passage",
)

_QUANTITIES: tuple[tuple[str, str], ...] = (
    (
        r"how long|how many (?:minutes|hours|days|weeks)|how soon|what time|how quick",
        r"\d\s*(?:h|hours?|min|minutes?|days?|weeks?|years?|months?|seconds?|s)\b",
    ),
    (
        r"how much (?:does|do|is|would|will|money)|cost|price|\bpay|cheap|expensive|\bbill\b|\bfee",
        r"[£€$]\s?\d|\d\s*(?:p|pence|cents?)\b|p/kWh|per kWh",
    ),
    (r"how fast|power|\bkw\b|how quick|speed|rate", r"\d\s*[kM]W\b"),
    (r"\bamps?\b|\bcurrent\b", r"\d\s*m?A\b"),
    (r"\bvolt", r"\d\s*k?V\b"),
    (r"temperature|degrees|how cold|how hot|how warm", r"\d\s*°"),
    (r"per ?cent|%|share|proportion|how much of|how full", r"\d\s*(?:%|per cent)"),
    (r"how far|how many (?:miles|km)|\brange\b|distance", r"\d\s*(?:km|miles?|m)\b"),
    (r"\bwhen\b|which year|what year|since|deadline|\bdate\b", r"\b(?:19|20)\d\d\b"),
    (r"how (?:big|large|much energy|many kwh)|capacity|\bkwh\b", r"\d\s*[kM]Wh\b"),
    (r"how (?:many|much|often|high|wide|thick|heavy|old)|\bminimum\b|\bmaximum\b|\bmax\b", r"\d"),
    (r"\bwhy\b|how come|reason|what causes|\bcause\b", r"because|since|so that|caus|reason|due to"),
)
_KINDS = [(re.compile(q, re.IGNORECASE), re.compile(s)) for q, s in _QUANTITIES]


_ITEM = re.compile(r"\s*(?:[-*+]|\d+[.)])\s")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence that could be part of the answer."""

    passage: int
    """Number of the passage in the index."""
    sentence: int
    """Number of the sentence in the index."""
    start: int
    end: int
    text: str
    block: str
    """`item` of a list, `row` of a table, or `prose`."""


def wanted_kinds(question: str) -> list[re.Pattern[str]]:
    """What the answer should hold by the question's words: a price, a time, a reason …"""
    return [answer for pattern, answer in _KINDS if pattern.search(question)]


def candidates(retrieval: Retrieval, retrieved: Sequence[Retrieved]) -> list[Candidate]:
    """Sentences of the retrieved passages, in the passages' order."""
    index = retrieval.index
    found = []
    for item in retrieved:
        number = retrieval.numbers[item.chunk.passage_id]
        first, last = index.first_sentence_N[number : number + 2]
        for position in range(first, last):
            span = index.sentences[position]
            text = item.chunk.text
            found.append(
                Candidate(
                    passage=number,
                    sentence=position,
                    start=span.start,
                    end=span.end,
                    text=text[span.start : span.end],
                    block=block_of(text, span.start),
                )
            )
    return found


def block_of(text: str, start: int) -> str:
    """Kind of the line that holds position `start`."""
    line = text[text.rfind("\n", 0, start) + 1 :]
    if line.startswith("|"):
        return "row"
    return "item" if _ITEM.match(line) else "prose"


def in_list(candidate: Candidate) -> bool:
    """Whether a sentence belongs to a list or table, or introduces one."""
    return candidate.block != "prose" or candidate.text.rstrip().endswith(":")


def overlap(question_terms: set[str], text_terms: set[str], index: Index) -> float:
    """Share of the question's words, weighted by rarity, that the text holds: 0 to 1."""
    total = sum(index.lexicon.idf(term) for term in question_terms)
    shared = sum(index.lexicon.idf(term) for term in question_terms & text_terms)
    return shared / total if total else 0.0


def sentence_features(
    question: str,
    found: Sequence[Candidate],
    retrieved: Sequence[Retrieved],
    retrieval: Retrieval,
) -> np.ndarray:
    """One row of `FEATURES` for each candidate -> float64 (S, F)."""
    index = retrieval.index
    vector_D = retrieval.embed(question)
    cos_S = index.sentence_vectors_SD[[c.sentence for c in found]] @ vector_D
    asked = set(terms(question))
    wanted = wanted_kinds(question)
    listed = wants_list(question)
    scores = {item.chunk.passage_id: (item.score, item.dense) for item in retrieved}
    best = max(score for score, _ in scores.values())
    words = [set(terms(c.text)) for c in found]
    match_S2 = token_match(retrieval.query(question), [c.sentence for c in found], index)
    passage_S = np.array([c.passage for c in found])
    rows = []
    for i, candidate in enumerate(found):
        chunk = index.chunks[candidate.passage]
        near = [
            j
            for j in (i - 1, i + 1)
            if 0 <= j < len(found) and found[j].passage == candidate.passage
        ]
        context = words[i].union(*(words[j] for j in near))
        heading = set(terms(f"{chunk.title} {chunk.heading}"))
        matches = any(pattern.search(candidate.text) for pattern in wanted)
        score, dense = scores[chunk.passage_id]
        rows.append(
            (
                cos_S[i],
                np.mean([cos_S[j] for j in near]) if near else cos_S[i],
                dense,
                score / best if best else 0.0,
                float(chunk.passage_id == retrieved[0].chunk.passage_id),
                overlap(asked, words[i], index),
                overlap(asked, context, index),
                overlap(asked, heading, index),
                float(bool(wanted) and matches),
                float(bool(wanted) and not matches),
                float(listed and in_list(candidate)),
                float(listed and not in_list(candidate)),
                np.log1p(len(candidate.text.split())),
                float(candidate.block == "item"),
                float(candidate.block == "row"),
                float(candidate.text.rstrip().endswith("?")),
                float(candidate.start == 0),
                match_S2[i, 0],
                match_S2[i, 1],
                match_S2[passage_S == candidate.passage, 0].max(),
            )
        )
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(FEATURES))
