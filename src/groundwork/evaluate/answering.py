"""Asks an answerer the questions, exactly as the service would, and calibrates it beforehand.

In: questions, an answerer, its retrieval. Out: a `Calibration` from the questions that may be
learned from, and unscored `Row`s of the others.
"""

import time
from collections.abc import Iterator, Sequence
from typing import Protocol, runtime_checkable

from tqdm import tqdm

from groundwork.answer import (
    AnswerConfig,
    Answerer,
    Calibration,
    Draft,
    Example,
    Retrieval,
    all_signals,
    fit_calibration,
    judge,
    weight_of,
    without_evidence,
)
from groundwork.evaluate.facts import fact_coverage
from groundwork.evaluate.overlap import token_f1
from groundwork.evaluate.row import GENERATED, GOLDEN, Row
from groundwork.records import Question, Retrieved

RIGHT_F1 = 0.5
"""Token F1 from which an answer to a generated question counts as right."""


@runtime_checkable
class Batched(Protocol):
    """An answerer that is faster with many questions at once."""

    def draft_many(
        self, questions: Sequence[str], retrieved: Sequence[Sequence[Retrieved]]
    ) -> list[Draft]:
        """One draft a question, in their order."""
        ...


def calibrate(
    answerer: Answerer, questions: Sequence[Question], *, retrieval: Retrieval, config: AnswerConfig
) -> Calibration:
    """Fit refusal and confidence on `questions` and on near misses made from them.

    A near miss is an answerable question whose own documents are kept from the retrieval.
    """
    retrieval.remember([q.question for q in questions])
    asked = [(q, retrieval.retrieve(q.question), q.answerable) for q in questions]
    asked += [(q, without_evidence(q, retrieval), False) for q in questions if q.answerable]
    asked = [(q, found, answerable) for q, found, answerable in asked if found]
    drafts = _drafts(answerer, [(q.question, found) for q, found, _ in asked])
    examples = []
    for (question, found, answerable), draft in zip(asked, drafts, strict=True):
        said = " ".join(support.text for support in draft.supports)
        examples.append(
            Example(
                signals=all_signals(question.question, found, retrieval, draft),
                answerable=answerable,
                right=answerable and not draft.refused and is_right(question, said),
                weight=weight_of(question),
            )
        )
    return fit_calibration(examples, config.calibration)


def _drafts(
    answerer: Answerer, asked: Sequence[tuple[str, Sequence[Retrieved]]]
) -> Iterator[Draft]:
    label = f"calibrate {answerer.name}"
    if not isinstance(answerer, Batched):
        for question, found in tqdm(asked, desc=label, unit="question"):
            yield answerer.draft(question, found)
        return
    yield from answerer.draft_many([q for q, _ in asked], [found for _, found in asked])


def is_right(question: Question, answer: str) -> bool:
    """Whether `answer` holds all facts or, for a generated pair, most words of the reference.

    An extract that holds the whole evidence is right too, whatever stands beside it.
    """
    if question.facts:
        return fact_coverage(answer, question.facts) == 1.0
    quotes = [" ".join(evidence.quote.split()) for evidence in question.evidence]
    return token_f1(answer, question.answer) >= RIGHT_F1 or any(q in answer for q in quotes)


def ask(
    answerer: Answerer,
    questions: Sequence[Question],
    *,
    retrieval: Retrieval,
    calibration: Calibration,
    refusal: str,
) -> list[Row]:
    """Rows without scores, one a question in their order, each with its own latency."""
    return [
        _row(answerer, question, retrieval, calibration, refusal)
        for question in tqdm(questions, desc=f"ask {answerer.name}", unit="question")
    ]


def _row(
    answerer: Answerer,
    question: Question,
    retrieval: Retrieval,
    calibration: Calibration,
    refusal: str,
) -> Row:
    started = time.perf_counter()
    retrieved = retrieval.retrieve(question.question)
    draft = answerer.draft(question.question, retrieved)
    verdict = judge(
        question.question, retrieved, draft, retrieval=retrieval, calibration=calibration
    )
    answer = verdict.answer(retrieved, refusal=refusal, fetched_at={})
    latency_ms = (time.perf_counter() - started) * 1000
    supports = () if verdict.refused else verdict.draft.supports
    return Row(
        question_id=question.question_id,
        dataset=GOLDEN if question.origin == "golden" else GENERATED,
        split=question.split,
        answerer=answerer.name,
        question=question.question,
        category=question.category,
        kind=question.kind,
        answerable=question.answerable,
        reference=question.answer,
        facts=question.facts,
        evidence=question.evidence,
        answer=answer.text,
        refused=answer.refused,
        confidence=answer.confidence,
        sentences=tuple(support.text for support in supports),
        quotes=tuple(support.quote for support in supports),
        cited_urls=tuple(citation.url for citation in answer.citations),
        retrieved_ids=tuple(item.chunk.passage_id for item in retrieved),
        retrieved_urls=tuple(item.chunk.url for item in retrieved),
        retrieved_texts=tuple(item.chunk.text for item in retrieved),
        latency_ms=latency_ms,
        scores={},
    )
