"""Which passages answer a question, and how well a ranking finds them.

Unlike `evaluate.ranking`, which ranks pages, this ranks passages: what an encoder is trained for.
"""

import math
import re
from collections.abc import Mapping, Sequence

import numpy as np

from groundwork.records import Chunk, Question

DEPTH = 10
FIGURES = ("ndcg_at_10", "mrr", "recall_at_1", "recall_at_5", "recall_at_10")


def relevant_passages(questions: Sequence[Question], chunks: Sequence[Chunk]) -> list[set[int]]:
    """For each question the numbers of the passages that answer it; empty when none is known.

    A passage answers when it is named as evidence, or stands on the page of the evidence and holds
    its quote. A quote that no passage of its page holds whole makes all of that page's count.
    """
    numbers = {chunk.passage_id: number for number, chunk in enumerate(chunks)}
    pages: dict[str, list[int]] = {}
    for number, chunk in enumerate(chunks):
        pages.setdefault(chunk.url, []).append(number)
    texts = [squashed(chunk.text) for chunk in chunks]
    found = []
    for question in questions:
        relevant: set[int] = set()
        for evidence in question.evidence:
            page, quote = pages.get(evidence.url, []), squashed(evidence.quote)
            holding = {number for number in page if quote and quote in texts[number]}
            if evidence.passage_id in numbers:
                holding.add(numbers[evidence.passage_id])
            relevant |= holding or set(page)
        found.append(relevant)
    return found


def squashed(text: str) -> str:
    """Letters and digits alone, lower case."""
    return re.sub(r"[\W_]+", "", text.lower())


def figures_of(order_K: Sequence[int], gains: Mapping[int, float]) -> dict[str, float]:
    """`FIGURES` of one ranking, best first; `gains` are those of the passages that answer.

    nDCG as Burges et al. (2005) have it, with 2 ** gain - 1 for a gain.
    """
    ranks = {number: rank for rank, number in enumerate(order_K) if number in gains}
    ideal = sorted(gains.values(), reverse=True)[:DEPTH]
    return {
        "ndcg_at_10": sum(
            (2 ** gains[number] - 1) / math.log2(rank + 2)
            for number, rank in ranks.items()
            if rank < DEPTH
        )
        / sum((2**gain - 1) / math.log2(rank + 2) for rank, gain in enumerate(ideal)),
        "mrr": 1 / (1 + min(ranks.values())) if ranks else 0.0,
        **{
            f"recall_at_{k}": sum(rank < k for rank in ranks.values()) / len(gains)
            for k in (1, 5, 10)
        },
    }


def search_figures(
    questions_QD: np.ndarray, vectors_ND: np.ndarray, gains: Sequence[Mapping[int, float]]
) -> dict[str, np.ndarray]:
    """`FIGURES` by name, each (Q,), of ranking all passages by cosine; equal ones by number."""
    rows = []
    for start in range(0, len(questions_QD), 512):
        scores_QN = questions_QD[start : start + 512] @ vectors_ND.T
        order_QN = np.argsort(-scores_QN, axis=1, kind="stable")
        rows += [
            figures_of(order_N.tolist(), gains[start + row]) for row, order_N in enumerate(order_QN)
        ]
    return {name: np.array([row[name] for row in rows]) for name in FIGURES}
