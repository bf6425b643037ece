"""Decides which pairs are taken.

In: questions, the passages they came from, the golden set. Out: the questions that pass and a
reject with a reason for each that does not. Every text is embedded once, without the lead that
names its topic: two questions are alike in what they ask.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING

from groundwork.qa.config import ValidateConfig
from groundwork.qa.lead import without_lead
from groundwork.qa.passages import Passages, embed
from groundwork.qa.reasons import Reason
from groundwork.records import Chunk, Question, Reject, Split

if TYPE_CHECKING:
    import numpy as np

    from groundwork.index import Encoder

_VERDICT = re.compile(r"^(?:Yes|No)\. ")
"""The word that an answer opens with says of the question what the rest says of the passage."""
_SPLITS = (Split.TEST, Split.VALIDATION, Split.TRAIN)
"""In this order a split keeps its questions when two splits hold nearly the same one."""


@dataclass(frozen=True, slots=True)
class Checked:
    """Questions that passed, with their vectors, and those that did not."""

    questions: tuple[Question, ...]
    vectors_QD: "np.ndarray"
    rejects: tuple[Reject, ...]


def validate(
    questions: Sequence[Question],
    *,
    passages: Passages,
    golden: Sequence[Question],
    encoder: "Encoder",
    config: ValidateConfig,
) -> Checked:
    """Check every question alone, then against the ones before it and the golden set.

    Does not compare splits: see `drop_across_splits`.
    """
    import numpy as np

    rejects: list[Reject] = []
    by_id = {chunk.passage_id: chunk for chunk in passages.chunks}
    alone: list[Question] = []
    known: dict[str, str] = {}
    for question in questions:
        problem = _problem_alone(question, chunk=by_id[_passage_of(question)], config=config)
        key = _normalised(question.question)
        if problem is None and key in known:
            problem = (Reason.DUPLICATE, f"the same words as {known[key]}")
        if problem is None:
            known[key] = question.question_id
            alone.append(question)
        else:
            rejects.append(_reject(question, *problem))
    documents = groupby(alone, key=lambda question: question.document_id)
    asked = [[without_lead(question.question) for question in group] for _, group in documents]
    vectors_QD = embed(encoder, asked, label="questions")
    golden_GD = embed(encoder, [[q.question for q in golden]], label="golden questions")
    named = _Golden(golden, golden_GD, [_terms(other) for other in golden])
    kept: list[Question] = []
    kept_QD = np.empty_like(vectors_QD)
    for question, vector_D in zip(alone, vectors_QD, strict=True):
        problem = (
            _golden_problem(question, vector_D, named, config=config)
            or _round_trip_problem(question, vector_D, passages, config=config)
            or _near_problem(question, vector_D, kept, kept_QD[: len(kept)], config=config)
        )
        if problem is None:
            kept_QD[len(kept)] = vector_D
            kept.append(question)
        else:
            rejects.append(_reject(question, *problem))
    assert len(kept) + len(rejects) == len(questions)
    return Checked(tuple(kept), kept_QD[: len(kept)], tuple(rejects))


@dataclass(frozen=True, slots=True)
class _Golden:
    """The golden set as it is compared: by meaning and by words."""

    questions: Sequence[Question]
    vectors_GD: "np.ndarray"
    words: Sequence[set[str]]


def _terms(question: Question) -> set[str]:
    from groundwork.index import terms

    return set(terms(without_lead(question.question)))


def _passage_of(question: Question) -> str:
    return question.evidence[0].passage_id


def _reject(question: Question, reason: Reason, detail: str) -> Reject:
    return Reject(
        key=question.question_id, reason=str(reason), detail=f"{question.question} — {detail}"
    )


def _normalised(text: str) -> str:
    return " ".join(re.findall(r"\w+(?:[.,]\d+)*", text.lower()))


def _problem_alone(
    question: Question, *, chunk: Chunk, config: ValidateConfig
) -> tuple[Reason, str] | None:
    words = len(question.question.split())
    if not config.min_question_words <= words <= config.max_question_words:
        expected = f"{config.min_question_words} to {config.max_question_words}"
        return Reason.QUESTION_LENGTH, f"{words} words, expected {expected}"
    words = len(question.answer.split())
    if not config.min_answer_words <= words <= config.max_answer_words:
        expected = f"{config.min_answer_words} to {config.max_answer_words}"
        return Reason.ANSWER_LENGTH, f"answer of {words} words, expected {expected}"
    if not all(evidence.quote in chunk.text for evidence in question.evidence):
        return Reason.QUOTE, "the quote is not verbatim in the passage"
    share = _support(question.answer, chunk)
    if share < config.min_support:
        return Reason.UNSUPPORTED, f"{share:.0%} of the answer's words are in the passage"
    return None


def _support(answer: str, chunk: Chunk) -> float:
    """Share of the answer's words that passage, title and headings hold; numbers must all be."""
    from groundwork.index import terms

    wanted, held = terms(_VERDICT.sub("", answer)), _held(chunk)
    if not wanted or any(term[0].isdigit() and term not in held for term in wanted):
        return 0.0
    return sum(term in held for term in wanted) / len(wanted)


@lru_cache(maxsize=8)
def _held(chunk: Chunk) -> frozenset[str]:
    """Words of a passage; its questions come one after the other."""
    from groundwork.index import passage_text, terms

    return frozenset(terms(passage_text(chunk)))


def _golden_problem(
    question: Question, vector_D: "np.ndarray", golden: _Golden, *, config: ValidateConfig
) -> tuple[Reason, str] | None:
    if not golden.questions:
        return None
    cosines_G = golden.vectors_GD @ vector_D
    nearest = int(cosines_G.argmax())
    if cosines_G[nearest] >= config.golden_cosine:
        near = golden.questions[nearest].question_id
        return Reason.GOLDEN, f"cosine {cosines_G[nearest]:.2f} to {near}"
    words = _terms(question)
    for other, others in zip(golden.questions, golden.words, strict=True):
        overlap = len(words & others) / max(1, len(words | others))
        if overlap >= config.golden_overlap:
            return Reason.GOLDEN, f"shares {overlap:.0%} of its words with {other.question_id}"
    return None


def _round_trip_problem(
    question: Question, vector_D: "np.ndarray", passages: Passages, *, config: ValidateConfig
) -> tuple[Reason, str] | None:
    """Passages are ranked by cosine plus BM25 relative to its best: both between 0 and 1."""
    import numpy as np

    lexical_N = passages.scores.of(question.question)
    scores_N = passages.vectors_ND @ vector_D + lexical_N / max(float(lexical_N.max()), 1e-9)
    order = np.argsort(-scores_N, kind="stable")[: config.top_k]
    quote = question.evidence[0].quote
    for number in order.tolist():
        chunk = passages.chunks[number]
        if chunk.passage_id == _passage_of(question) or quote in chunk.text:
            return None
    first = passages.chunks[int(order[0])]
    return Reason.ROUND_TRIP, f"not among the first {config.top_k}; first is {first.url}"


def _near_problem(
    question: Question,
    vector_D: "np.ndarray",
    kept: Sequence[Question],
    kept_KD: "np.ndarray",
    *,
    config: ValidateConfig,
) -> tuple[Reason, str] | None:
    """Rows of a table make questions that differ in a name only: those are not duplicates."""
    import numpy as np

    cosines_K = kept_KD @ vector_D
    near = np.flatnonzero(cosines_K >= config.duplicate_cosine)  # sorting all of them costs most
    for place in near[np.argsort(-cosines_K[near], kind="stable")].tolist():
        other = kept[place]
        same_quote = other.evidence[0].quote == question.evidence[0].quote
        same_kind = (other.kind, _verdict(other)) == (question.kind, _verdict(question))
        if other.answer == question.answer or (same_quote and same_kind):
            detail = f"cosine {cosines_K[place]:.2f} to {other.question_id} with the same evidence"
            return Reason.NEAR_DUPLICATE, detail
    return None


def _verdict(question: Question) -> str:
    """Yes, no or neither: two questions that differ in it do not ask for the same thing."""
    found = _VERDICT.match(question.answer)
    return found.group() if found else ""


def drop_across_splits(
    questions: Sequence[Question], vectors_QD: "np.ndarray", *, config: ValidateConfig
) -> tuple[list[Question], list[Reject]]:
    """Take out what is nearly the same in two splits: test keeps its own, training yields."""
    import numpy as np

    held = np.zeros((0, vectors_QD.shape[1]), dtype=np.float32)
    held_ids: list[str] = []
    dropped: dict[str, Reject] = {}
    for split in _SPLITS:
        numbers = [n for n, q in enumerate(questions) if q.split == split]
        taken = []
        for number in numbers:
            cosines_K = held @ vectors_QD[number]
            nearest = int(cosines_K.argmax()) if len(held) else -1
            if nearest >= 0 and cosines_K[nearest] >= config.cross_split_cosine:
                detail = f"cosine {cosines_K[nearest]:.2f} to {held_ids[nearest]} of another split"
                question = questions[number]
                dropped[question.question_id] = _reject(question, Reason.CROSS_SPLIT, detail)
            else:
                taken.append(number)
        held = np.concatenate([held, vectors_QD[taken]])
        held_ids += [questions[number].question_id for number in taken]
    return [q for q in questions if q.question_id not in dropped], list(dropped.values())
