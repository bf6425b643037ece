"""Numbers of a run of `chunk`: they end the funnel that the report of `clean` begins."""

from collections import Counter
from collections.abc import Collection
from statistics import mean, median
from typing import Any

from groundwork.records import Chunk, Document

BANDS = (0, 25, 50, 100, 150, 200, 250)
"""Tokens from which a band of lengths begins."""


def build_report(documents: Collection[Document], chunks: Collection[Chunk]) -> dict[str, Any]:
    """Documents, passages and parents in numbers, as plain JSON. There is at least one passage."""
    held = Counter(chunk.document_id for chunk in chunks)
    lengths = sorted(chunk.tokens for chunk in chunks)
    bands = Counter(max(band for band in BANDS if band <= length) for length in lengths)
    return {
        "funnel": {
            "documents": len(documents),
            "documents_with_passages": len(held),
            "passages": len(chunks),
        },
        "parents": len({chunk.parent_id for chunk in chunks}),
        "passages_of_a_document": {
            "fewest": min(held.values()),
            "median": median(held.values()),
            "most": max(held.values()),
        },
        "tokens": {
            "shortest": lengths[0],
            "median": median(lengths),
            "mean": mean(lengths),
            "longest": lengths[-1],
            "bands": [{"from": band, "passages": bands[band]} for band in BANDS],
        },
        "under_headings": sum(bool(chunk.heading) for chunk in chunks),
    }
