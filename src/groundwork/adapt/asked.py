"""Base and adapted encoder on the questions that evaluation asks, in the search that serves.

In: questions and two searches. Out: figures with paired intervals, by data set and half.
"""

from collections.abc import Callable, Sequence
from typing import Any

from groundwork.adapt.decision import compare_searches, rank_figures
from groundwork.adapt.relevance import relevant_passages
from groundwork.records import Chunk, Question

Search = Callable[[str], Sequence[int]]
"""A question -> numbers of passages, best first."""
ALPHA = 0.025
"""One-sided, so that the two bounds hold 95 %."""


def compare_on(
    questions: Sequence[Question],
    chunks: Sequence[Chunk],
    *,
    base: Search,
    adapted: Search,
    resamples: int,
    seed: int,
) -> dict[str, dict[str, Any]]:
    """`found[dataset][split]` holds what `compare_searches` does; questions without a known
    passage are left out, and a half without any is missing."""
    relevant = relevant_passages(questions, chunks)
    found: dict[str, dict[str, Any]] = {}
    halves = dict.fromkeys((_dataset(question), question.split) for question in questions)
    for dataset, split in halves:
        chosen = [
            (question, numbers)
            for question, numbers in zip(questions, relevant, strict=True)
            if numbers and (_dataset(question), question.split) == (dataset, split)
        ]
        if not chosen:
            continue
        gold = [numbers for _, numbers in chosen]
        sides = [
            rank_figures([search(question.question) for question, _ in chosen], gold)
            for search in (base, adapted)
        ]
        found.setdefault(dataset, {})[split] = compare_searches(
            *sides, alpha=ALPHA, resamples=resamples, seed=seed
        )
    return found


def _dataset(question: Question) -> str:
    return "golden" if question.origin == "golden" else "generated"
