"""Numbers of a run of `clean`, for people and for comparison between runs."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import chain
from statistics import median
from typing import Any

from groundwork.records import Document, Reject


def build_report(
    documents: Sequence[Document],
    rejects: Sequence[Reject],
    *,
    funnel: Mapping[str, int],
    masked: Sequence[Mapping[str, int]],
    clusters: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """The report as plain JSON: counts by reason, language and so on; clusters of duplicates."""
    words = sorted(len(document.text.split()) for document in documents)
    return {
        "funnel": dict(funnel),
        "rejects": _counts([reject.reason for reject in rejects]),
        "languages": _counts([document.language for document in documents]),
        "media": _counts([document.media for document in documents]),
        "categories": _counts([document.category for document in documents]),
        "words": {
            "total": sum(words),
            "shortest": words[0] if words else 0,
            "median": median(words) if words else 0,
            "longest": words[-1] if words else 0,
        },
        "with_date": sum(bool(document.date) for document in documents),
        "with_author": sum(bool(document.author) for document in documents),
        "masked": {
            kind: sum(counts[kind] for counts in masked) for kind in sorted({*chain(*masked)})
        },
        "documents_with_masks": sum(any(counts.values()) for counts in masked),
        "clusters": list(clusters),
    }


def _counts(names: Sequence[str]) -> dict[str, int]:
    return dict(sorted(Counter(map(str, names)).items()))
