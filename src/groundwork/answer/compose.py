"""Puts an answer into the words that a user sees, with numbered citations.

In: a draft that passed the guards and its passages. Out: an `Answer`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from groundwork.answer.draft import Support
from groundwork.answer.features import block_of
from groundwork.records import Answer, Chunk, Citation, Retrieved

ADJACENT = 12
"""Characters (marks, line breaks) between two sentences that one quote may span."""


@dataclass(frozen=True, slots=True)
class _Span:
    """Where a support stands in its passage."""

    support: Support
    chunk: Chunk
    start: int
    end: int


def compose(
    supports: Sequence[Support],
    retrieved: Sequence[Retrieved],
    *,
    confidence: float,
    fetched_at: Mapping[str, str],
) -> Answer:
    """Every sentence followed by the number of its citation; items of lists on lines of their own.

    Sentences that follow each other in a passage share a citation. `fetched_at` maps a document
    id to the time of its fetch. The category is that of the first citation.
    """
    chunks = {item.chunk.passage_id: item.chunk for item in retrieved}
    spans = [_locate(support, chunks[support.passage_id]) for support in supports]
    groups = _adjacent(spans)
    citations = tuple(
        _citation(number, group, fetched_at) for number, group in enumerate(groups, start=1)
    )
    text = ""
    for number, group in enumerate(groups, start=1):
        for span in group:
            listed = block_of(span.chunk.text, span.start) != "prose"
            text += "\n- " if listed else ("\n" if text.rpartition("\n")[2][:2] == "- " else " ")
            text += f"{span.support.text} [{number}]"
    return Answer(text.strip(), False, confidence, groups[0][0].chunk.category, citations)


def refuse(wording: str, retrieved: Sequence[Retrieved], *, confidence: float) -> Answer:
    """A refusal, with the category of the nearest passage."""
    category = retrieved[0].chunk.category if retrieved else ""
    return Answer(wording, True, confidence, category, ())


def _locate(support: Support, chunk: Chunk) -> _Span:
    start = chunk.text.index(support.quote)
    return _Span(support, chunk, start, start + len(support.quote))


def _adjacent(spans: Sequence[_Span]) -> list[list[_Span]]:
    """Neighbours in the answer that are neighbours in a passage too."""
    groups: list[list[_Span]] = []
    for span in spans:
        last = groups[-1][-1] if groups else None
        if last and last.chunk is span.chunk and 0 <= span.start - last.end <= ADJACENT:
            groups[-1].append(span)
        else:
            groups.append([span])
    return groups


def _citation(number: int, group: Sequence[_Span], fetched_at: Mapping[str, str]) -> Citation:
    chunk = group[0].chunk
    return Citation(
        n=number,
        url=chunk.url,
        title=chunk.title,
        heading=chunk.heading,
        quote=chunk.text[group[0].start : group[-1].end],
        passage_id=chunk.passage_id,
        document_id=chunk.document_id,
        licence=chunk.licence,
        fetched_at=fetched_at.get(chunk.document_id, ""),
    )
