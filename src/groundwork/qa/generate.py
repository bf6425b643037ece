"""Makes, checks and splits the question-answer pairs of a corpus.

In: passages and the golden set. Out: accepted questions with their split, rejects and a report.
Deterministic: the same corpus, configuration and teacher's answers give the same bytes.
"""

import json
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any

from groundwork.artifacts import from_mapping, short_id
from groundwork.engine import EngineConfig, Results
from groundwork.errors import InputError
from groundwork.qa.asking import asking_work
from groundwork.qa.config import QaConfig
from groundwork.qa.passages import embed_passages
from groundwork.qa.split import split_by_document
from groundwork.qa.teacher import Taught, generate_by_teacher
from groundwork.qa.validate import drop_across_splits, validate
from groundwork.records import Chunk, Question, Reject, Split

if TYPE_CHECKING:
    from groundwork.index import Encoder

SPLITS = (Split.TRAIN, Split.VALIDATION, Split.TEST)


@dataclass(frozen=True, slots=True)
class QaResult:
    """Accepted questions in the order of their passages, rejects, and counts."""

    questions: tuple[Question, ...]
    rejects: tuple[Reject, ...]
    generated: int
    """Pairs, and passages that the teacher failed; equals accepted and rejected together."""
    report: dict[str, Any]
    rejected: tuple[Question, ...]
    """The questions behind the rejects, for a person to judge; an answer without any has none."""

    def of(self, split: Split) -> list[Question]:
        """Questions of one split."""
        return [question for question in self.questions if question.split == split]


def generate_pairs(
    chunks: Sequence[Chunk],
    *,
    golden: Sequence[Question],
    encoder: "Encoder",
    config: QaConfig,
    engine: EngineConfig | None = None,
) -> QaResult:
    """Question-answer pairs of all documents; rules are asked by `engine`, see `engine.Results`.

    Raises: `InputError` when no pair passes or fewer than two documents have one;
    `EndpointError` when the teacher cannot be reached.
    """
    ordered = sorted(chunks, key=lambda chunk: (chunk.url, chunk.start, chunk.end))
    made = _generate(ordered, config=config, engine=engine)
    checked = validate(
        made.questions,
        passages=embed_passages(ordered, encoder),
        golden=golden,
        encoder=encoder,
        config=config.validate,
    )
    if not checked.questions:
        raise InputError(
            f"artifacts/chunk/chunks.parquet: none of {len(made.questions)} pairs from "
            f"{len(ordered)} passages passed ({_counts(checked.rejects)}); "
            "expected pages with prose"
        )
    split = split_by_document(checked.questions, config=config.split, seed=config.seed)
    kept, across = drop_across_splits(split, checked.vectors_QD, config=config.validate)
    rejects = [*made.rejects, *checked.rejects, *across]
    generated = len(made.questions) + len(made.rejects)
    assert generated == len(kept) + len(rejects)
    unanswerable = _unanswerable(kept, ratio=config.unanswerable_ratio, seed=config.seed)
    questions = (*kept, *unanswerable)
    report = _report(questions, rejects, made=made, config=config, golden=len(golden))
    by_id = {question.question_id: question for question in made.questions}
    rejected = tuple(by_id[reject.key] for reject in rejects if reject.key in by_id)
    return QaResult(questions, tuple(rejects), generated, report, rejected)


def _generate(chunks: Sequence[Chunk], *, config: QaConfig, engine: EngineConfig | None) -> Taught:
    if config.generator == "teacher":
        assert config.teacher is not None
        return generate_by_teacher(chunks, config=config.teacher)
    documents = [list(group) for _, group in groupby(chunks, key=lambda chunk: chunk.document_id)]
    results = Results(asking_work(config.rules), documents, engine=engine, unit="document")
    questions = (from_mapping(Question, row) for _, data in results for row in json.loads(data))
    return Taught(tuple(questions), (), prompt_tokens=0, completion_tokens=0)


def _unanswerable(questions: Sequence[Question], *, ratio: float, seed: int) -> list[Question]:
    """Training questions asked once more, to be paired with passages of other documents.

    The record names no evidence; `document_id` is the document that holds the answer, which the
    train stage keeps away from it.
    """
    candidates = [question for question in questions if question.split == Split.TRAIN]
    wanted = round(len(candidates) * ratio)
    rng = random.Random(seed)  # noqa: S311 - repeatable, not secret
    chosen = sorted(rng.sample(range(len(candidates)), wanted))
    return [
        replace(
            candidates[number],
            question_id=short_id("unanswerable", candidates[number].question_id),
            answer="",
            answerable=False,
            kind="unanswerable",
            evidence=(),
        )
        for number in chosen
    ]


def _counts(rejects: Sequence[Reject]) -> str:
    counts = Counter(reject.reason for reject in rejects)
    return ", ".join(f"{count} {reason}" for reason, count in sorted(counts.items()))


def _report(
    questions: Sequence[Question],
    rejects: Sequence[Reject],
    *,
    made: Taught,
    config: QaConfig,
    golden: int,
) -> dict[str, Any]:
    return {
        "generator": config.generator,
        "generated": len(made.questions) + len(made.rejects),
        "accepted": sum(question.answerable for question in questions),
        "unanswerable": sum(not question.answerable for question in questions),
        "rejected": len(rejects),
        "rejects": dict(sorted(Counter(reject.reason for reject in rejects).items())),
        "golden_questions": golden,
        "splits": {
            str(split): {
                "questions": sum(q.split == split for q in questions),
                "documents": len({q.document_id for q in questions if q.split == split}),
            }
            for split in SPLITS
        },
        "kinds": dict(sorted(Counter(q.kind for q in questions).items())),
        "categories": dict(sorted(Counter(q.category for q in questions).items())),
        "prompt_tokens": made.prompt_tokens,
        "completion_tokens": made.completion_tokens,
        "cost": made.cost,
    }
