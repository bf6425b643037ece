"""Groundedness: does each sentence of an answer stand on a quote from a retrieved passage?"""

from collections.abc import Sequence

from groundwork.evaluate.facts import tokens


def is_grounded(sentence: str, quote: str, passages: Sequence[str], *, coverage: float) -> bool:
    """Whether `quote` is verbatim in a passage and holds `coverage` of the sentence's tokens."""
    if not quote.strip() or not any(quote in passage for passage in passages):
        return False
    wanted = set(tokens(sentence))
    return len(wanted & set(tokens(quote))) >= coverage * len(wanted)


def groundedness(
    sentences: Sequence[str], quotes: Sequence[str], passages: Sequence[str], *, coverage: float
) -> float:
    """Share of grounded sentences; an answer without sentences has nothing to stand on: 0."""
    if not sentences:
        return 0.0
    pairs = zip(sentences, quotes, strict=True)
    return sum(is_grounded(s, q, passages, coverage=coverage) for s, q in pairs) / len(sentences)
