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
    Verdict,
    all_signals,
    fit_calibration,
    judge,
    weight_of,
    without_evidence,
)
from groundwork.evaluate.facts import fact_coverage
from groundwork.evaluate.overlap import token_f1
from groundwork.evaluate.row import GENERATED, GOLDEN, Row
from groundwork.records import Question, Retrieved, Split

RIGHT_F1 = 0.5
"""Token F1 from which an answer to a generated question counts as right."""

NEAR_MISS_WEIGHT = 0.2
"""Weight of a near miss beside its question: at 9 % wrong refusals, 0, .2 and 1 refused .69, .72
and .65 of the golden `dev` half's unanswerable questions (cross-validated)."""


@runtime_checkable
class Batched(Protocol):
    """An answerer that is faster with many questions at once."""

    def draft_many(
        self, questions: Sequence[str], retrieved: Sequence[Sequence[Retrieved]]
    ) -> list[Draft]:
        """One draft a question, in their order."""
        ...


def calibrate(
    answerer: Answerer,
    questions: Sequence[Question],
    *,
    retrieval: Retrieval,
    config: AnswerConfig,
    portable: bool = False,
) -> Calibration:
    """Fit refusal and confidence on `questions` and on near misses made from them.

    A near miss is an answerable question whose own documents are kept from the retrieval. A
    language model, which is slow, is asked few questions, of `dev` and validation alone.
    """
    if isinstance(answerer, Batched):
        usual = [q for q in questions if q.split != Split.TRAIN or q.origin != "golden"]
        questions = _spread(usual or questions, config.calibration.max_model_questions)
    text = {q.question: retrieval.mend(q.question) for q in questions}
    retrieval.remember(list(text.values()))
    asked = [(q, retrieval.retrieve(text[q.question]), False) for q in questions]
    asked += [(q, without_evidence(q, retrieval), True) for q in questions if q.answerable]
    asked = [(q, found, near) for q, found, near in asked if found]
    drafts = _drafts(answerer, [(text[q.question], found) for q, found, _ in asked])
    examples = []
    for (question, found, near), draft in zip(asked, drafts, strict=True):
        answerable = question.answerable and not near
        said = " ".join(support.text for support in draft.supports)
        examples.append(
            Example(
                signals=all_signals(text[question.question], found, retrieval, draft),
                vector_D=retrieval.embed(text[question.question]),
                answerable=answerable,
                right=answerable and not draft.refused and is_right(question, said),
                weight=weight_of(question) * (NEAR_MISS_WEIGHT if near else 1.0),
                group=min((e.url for e in question.evidence), default=question.question_id),
            )
        )
    return fit_calibration(examples, config.calibration, portable=portable)


def _drafts(
    answerer: Answerer, asked: Sequence[tuple[str, Sequence[Retrieved]]]
) -> Iterator[Draft]:
    label = f"calibrate {answerer.name}"
    if not isinstance(answerer, Batched):
        for question, found in tqdm(asked, desc=label, unit="question"):
            yield answerer.draft(question, found)
        return
    yield from answerer.draft_many([q for q, _ in asked], [found for _, found in asked])


def _spread(questions: Sequence[Question], limit: int) -> Sequence[Question]:
    """At most `limit` questions, taken evenly from the whole sequence."""
    if len(questions) <= limit:
        return questions
    return [questions[i * len(questions) // limit] for i in range(limit)]


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
    batch_size: int,
) -> list[Row]:
    """Rows without scores, one a question in their order, each with its own latency.

    A language model is asked `batch_size` questions at a time, as a busy server would: the latency
    of each is then that of its batch, for each has to wait for it.
    """
    size = batch_size if isinstance(answerer, Batched) else 1
    rows = []
    with tqdm(total=len(questions), desc=f"ask {answerer.name}", unit="question") as bar:
        for start in range(0, len(questions), size):
            batch = questions[start : start + size]
            rows += _rows(answerer, batch, retrieval, calibration, refusal)
            bar.update(len(batch))
    return rows


def _rows(
    answerer: Answerer,
    batch: Sequence[Question],
    retrieval: Retrieval,
    calibration: Calibration,
    refusal: str,
) -> list[Row]:
    started = time.perf_counter()
    texts = [retrieval.mend(question.question) for question in batch]
    found = [retrieval.retrieve(text) for text in texts]
    if isinstance(answerer, Batched):
        drafts = answerer.draft_many(texts, found)
    else:
        drafts = [answerer.draft(*pair) for pair in zip(texts, found, strict=True)]
    verdicts = [
        judge(text, passages, draft, retrieval=retrieval, calibration=calibration)
        for text, passages, draft in zip(texts, found, drafts, strict=True)
    ]
    latency_ms = (time.perf_counter() - started) * 1000
    return [
        _row(answerer.name, question, passages, verdict, refusal=refusal, latency_ms=latency_ms)
        for question, passages, verdict in zip(batch, found, verdicts, strict=True)
    ]


def _row(
    answerer: str,
    question: Question,
    retrieved: Sequence[Retrieved],
    verdict: Verdict,
    *,
    refusal: str,
    latency_ms: float,
) -> Row:
    answer = verdict.answer(retrieved, refusal=refusal, fetched_at={})
    supports = () if verdict.refused else verdict.draft.supports
    return Row(
        question_id=question.question_id,
        dataset=GOLDEN if question.origin == "golden" else GENERATED,
        split=question.split,
        answerer=answerer,
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
