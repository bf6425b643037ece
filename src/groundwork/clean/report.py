"""Numbers of a run of `clean`, for people and for comparison between runs."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from groundwork.clean.language import Foreign
from groundwork.clean.repeated import MAX_SHOWN_BLOCKS, MAX_SHOWN_CHARS
from groundwork.records import Document, Reject


@dataclass(slots=True)
class Masks:
    """How much personal data was masked, counted document by document."""

    by_kind: Counter[str] = field(default_factory=Counter)
    documents: int = 0
    """With at least one mask."""

    def count(self, masked: Mapping[str, int]) -> None:
        """Add the masks of a document."""
        self.by_kind.update(masked)
        self.documents += any(masked.values())


def build_report(
    documents: Collection[Document],
    rejects: Sequence[Reject],
    *,
    funnel: Mapping[str, int],
    masks: Masks,
    clusters: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """The report as plain JSON: counts by reason, language and so on; clusters of duplicates."""
    words = sorted(len(document.text.split()) for document in documents)
    return {
        "funnel": dict(funnel),
        "rejects": _counts(reject.reason for reject in rejects),
        "languages": _counts(document.language for document in documents),
        "media": _counts(document.media for document in documents),
        "categories": _counts(document.category for document in documents),
        "words": {
            "total": sum(words),
            "shortest": words[0] if words else 0,
            "median": median(words) if words else 0,
            "longest": words[-1] if words else 0,
        },
        "with_date": sum(bool(document.date) for document in documents),
        "with_author": sum(bool(document.author) for document in documents),
        "masked": dict(sorted(masks.by_kind.items())),
        "documents_with_masks": masks.documents,
        "clusters": list(clusters),
    }


def report_foreign(pages: Iterable[tuple[str, Sequence[Foreign]]]) -> dict[str, Any]:
    """Blocks left out for their language: how many, in which, and where they stood."""
    rows = [(url, block) for url, blocks in pages for block in blocks]
    shown = [
        {
            "url": url,
            "language": block.language,
            "words": block.words,
            "text": block.text[:MAX_SHOWN_CHARS],
        }
        for url, block in sorted(rows, key=lambda row: (row[0], row[1].text))
    ]
    return {
        "blocks": len(rows),
        "words": sum(block.words for _, block in rows),
        "languages": _counts([block.language for _, block in rows]),
        "shown": shown[:MAX_SHOWN_BLOCKS],
    }


def _counts(names: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(map(str, names)).items()))
