"""Scores by Ragas that need no LLM: semantic similarity, context precision and recall.

Ragas compares whole texts by edit distance, under which a one-line quote never resembles the
passage that holds it; context precision and recall therefore get `QuotePresence` as their
measure, through the parameter that Ragas has for it.
"""

import asyncio
import os
import re
from collections.abc import Awaitable, Sequence
from typing import Any

import numpy as np

from groundwork.index import Encoder

SPACE = re.compile(r"[\s*`|]+")
"""White space and the marks of Markdown that a quote may lack."""


def semantic_similarities(pairs: Sequence[tuple[str, str]], encoder: Encoder) -> list[float]:
    """Cosine of the embeddings of each (answer, reference), clipped to [0, 1].

    Each distinct text is encoded once.
    """
    _silence()
    from ragas.metrics.collections import SemanticSimilarity

    texts = sorted({text or " " for pair in pairs for text in pair})  # Ragas asks for " ", not ""
    vectors = dict(zip(texts, encoder.encode(texts), strict=True))
    metric = SemanticSimilarity(embeddings=_known_embeddings(vectors))

    async def score(answer: str, reference: str) -> float:
        found = await metric.ascore(reference=reference, response=answer)
        return float(np.clip(found.value, 0.0, 1.0))

    return asyncio.run(_all([score(answer, reference) for answer, reference in pairs]))


def context_scores(
    cases: Sequence[tuple[tuple[str, ...], tuple[str, ...]]], *, threshold: float
) -> list[tuple[float, float]]:
    """Context precision and recall of each (quotes needed, passages retrieved).

    Precision is the average precision of the passages that hold a quote, recall the share of
    quotes that a passage holds. Without quotes or passages Ragas has no answer: recall is NaN.
    """
    _silence()
    from ragas import SingleTurnSample

    # `ragas.metrics` itself warns and points to `ragas.metrics.collections`, where ragas 0.4.3
    # does not have these two. Import them from there once it does.
    from ragas.metrics._context_precision import NonLLMContextPrecisionWithReference
    from ragas.metrics._context_recall import NonLLMContextRecall

    measure = QuotePresence()
    precision = NonLLMContextPrecisionWithReference(distance_measure=measure, threshold=threshold)
    recall = NonLLMContextRecall(_distance_measure=measure, threshold=threshold)

    async def score(quotes: tuple[str, ...], passages: tuple[str, ...]) -> tuple[float, float]:
        if not quotes or not passages:
            return (0.0, 0.0) if quotes else (float("nan"), float("nan"))
        sample = SingleTurnSample(
            reference_contexts=list(quotes), retrieved_contexts=list(passages)
        )
        # The public `single_turn_ascore` wraps this call in an analytics event, for which it
        # writes an id into the user's home even when tracking is off, and leaks the file.
        return (
            float(await precision._single_turn_ascore(sample, [])),
            float(await recall._single_turn_ascore(sample, [])),
        )

    return asyncio.run(_all([score(quotes, passages) for quotes, passages in cases]))


class QuotePresence:
    """How fully a passage (`reference`) holds a quote (`response`): 1 when it is verbatim there.

    Otherwise the likeness of the shorter text to the best equally long place in the longer one.
    Stands where Ragas expects one of its own metrics.
    """

    async def single_turn_ascore(self, sample: Any, _callbacks: object = None) -> float:
        """In [0, 1]; white space, case and Markdown marks do not count."""
        from rapidfuzz.fuzz import partial_ratio

        passage, quote = (_even(text) for text in (sample.reference, sample.response))
        return 1.0 if quote in passage else float(partial_ratio(quote, passage)) / 100


def _even(text: str) -> str:
    return SPACE.sub(" ", text).strip().casefold()


async def _all(scores: Sequence[Awaitable[Any]]) -> list[Any]:
    return [await score for score in scores]


def _silence() -> None:
    """Keep Ragas from telephoning home; it reads this once, at its first metric."""
    os.environ["RAGAS_DO_NOT_TRACK"] = "true"


def _known_embeddings(vectors: dict[str, np.ndarray]) -> Any:
    from ragas.embeddings.base import BaseRagasEmbedding

    class KnownEmbeddings(BaseRagasEmbedding):  # type: ignore[misc]  # ragas ships no types
        """Looks up what was encoded in one batch."""

        def embed_text(self, text: str, **_: object) -> list[float]:
            found: list[float] = vectors[text].tolist()
            return found

        async def aembed_text(self, text: str, **_: object) -> list[float]:
            return self.embed_text(text)

    return KnownEmbeddings()
