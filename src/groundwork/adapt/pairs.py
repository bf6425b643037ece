"""What the encoder is trained and watched on: questions, their passages, hard negatives.

In: questions of one split and the domain's passages. Out: `Pair`s, and rejects with a reason.
Questions without an answer have no passage, and are passed over.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from groundwork.adapt.negatives import mine_negatives
from groundwork.adapt.relevance import relevant_passages
from groundwork.index import Encoder, passage_text
from groundwork.records import Chunk, Question, Reject


class Reason(StrEnum):
    """Why a question was not used."""

    NO_EVIDENCE = "no_evidence"
    """Its passage is not among the passages."""
    NO_NEGATIVE = "no_negative"
    """Every passage like its own may answer too; left out only where negatives are asked for."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A question, the passage that answers it, and passages that do not."""

    question_id: str
    question: str
    passage: str
    """As it is embedded: title, headings, text."""
    negatives: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Watched:
    """Questions whose passages are known, and the passages to search."""

    questions: tuple[str, ...]
    relevant: tuple[frozenset[int], ...]
    """For each question the numbers of its passages in `passages`."""
    passages: tuple[str, ...]


def answered(
    questions: Sequence[Question], chunks: Sequence[Chunk]
) -> tuple[list[Question], list[set[int]], list[Reject]]:
    """The answerable questions with the numbers of their passages, and rejects."""
    asked = [question for question in questions if question.answerable]
    kept, relevant, rejects = [], [], []
    for question, numbers in zip(asked, relevant_passages(asked, chunks), strict=True):
        if numbers:
            kept.append(question)
            relevant.append(numbers)
            continue
        named = ", ".join(e.passage_id or e.url for e in question.evidence) or "none"
        detail = f"evidence {named}: not in artifacts/chunk"
        rejects.append(Reject(question.question_id, Reason.NO_EVIDENCE, detail))
    return kept, relevant, rejects


def make_pairs(
    questions: Sequence[Question],
    chunks: Sequence[Chunk],
    *,
    encoder: Encoder,
    vectors_ND: np.ndarray,
    negatives: int,
    ceiling: float,
) -> tuple[list[Pair], list[Reject]]:
    """One pair a question; each has exactly `negatives` negatives."""
    kept, relevant, rejects = answered(questions, chunks)
    numbers = {chunk.passage_id: number for number, chunk in enumerate(chunks)}
    positives = [
        next((numbers[e.passage_id] for e in q.evidence if e.passage_id in numbers), min(found))
        for q, found in zip(kept, relevant, strict=True)
    ]
    mined = mine_negatives(
        kept,
        positives,
        chunks=chunks,
        questions_QD=encoder.encode([q.question for q in kept]) if negatives else np.empty(0),
        vectors_ND=vectors_ND,
        count=negatives,
        ceiling=ceiling,
    )
    pairs = []
    for question, positive, others in zip(kept, positives, mined, strict=True):
        if len(others) < negatives:
            detail = f"{len(others)} of {negatives} negatives; see adapt.negative_ceiling"
            rejects.append(Reject(question.question_id, Reason.NO_NEGATIVE, detail))
            continue
        texts = tuple(passage_text(chunks[n]) for n in others)
        passage = passage_text(chunks[positive])
        pairs.append(Pair(question.question_id, question.question, passage, texts))
    return pairs, rejects


def watch(
    questions: Sequence[Question],
    relevant: Sequence[set[int]],
    chunks: Sequence[Chunk],
    *,
    passages: int,
) -> Watched:
    """The questions with a part of the passages: theirs, and others taken evenly from the rest."""
    own = sorted(set().union(*relevant))
    rest = sorted(set(range(len(chunks))) - set(own))
    room = max(0, min(len(rest), passages - len(own)))
    others = [rest[i * len(rest) // room] for i in range(room)]
    shown = [*own, *others]
    places = {number: place for place, number in enumerate(shown)}
    return Watched(
        questions=tuple(question.question for question in questions),
        relevant=tuple(frozenset(places[n] for n in numbers) for numbers in relevant),
        passages=tuple(passage_text(chunks[number]) for number in shown),
    )
