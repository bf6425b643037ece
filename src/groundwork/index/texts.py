"""What of a passage is embedded and indexed, and which passages are embedded together."""

from collections.abc import Sequence
from itertools import accumulate, groupby

from groundwork.records import Chunk


def passage_text(chunk: Chunk) -> str:
    """What is embedded and indexed for a passage: its title and headings give it its subject."""
    heading = f"{chunk.title}. {chunk.heading}" if chunk.heading else chunk.title
    return f"{heading}. {chunk.text}"


def subject_of(chunk: Chunk) -> str:
    """What is put in front of a sentence before it is embedded: alone, it often lacks its subject,
    which title and heading give."""
    heading = chunk.heading.rpartition(" > ")[2]
    return f"{chunk.title}: {heading}: " if heading else f"{chunk.title}: "


def documents_of(chunks: Sequence[Chunk]) -> list[slice]:
    """Which of `chunks`, in their order, belong to one document.

    Each is embedded apart from the others, so that its vectors depend on itself alone: to the last
    bit they do depend on what else is in a batch.
    """
    sizes = [len(list(group)) for _, group in groupby(chunks, key=lambda c: c.document_id)]
    return [slice(end - size, end) for size, end in zip(sizes, accumulate(sizes), strict=True)]
