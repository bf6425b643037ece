"""The sections of the data-quality page, each drawn from what became of the pages."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from heapq import nsmallest
from html import escape
from itertools import islice, pairwise
from statistics import mean
from typing import Any

from groundwork.clean.pages import CleanResult
from groundwork.records import Document, Reject
from groundwork.webpage import (
    Bar,
    choice,
    count_bars,
    draw_bars,
    filters,
    label,
    link,
    share,
    words,
)

STEPS = {
    "pages": "Pages fetched",
    "extracted": "Text extracted",
    "good": "Passed the quality filters",
    "documents": "Documents, without repeats",
}
LENGTHS = (0, 50, 100, 200, 500, 1000, 2000, 5000)
"""Words from which a bar of the lengths begins."""
SAMPLES = 5
"""Rejects shown for each reason; all are in rejects.jsonl."""
MAX_CLUSTERS = 50
MAX_LISTED = 1000
"""Documents in the list; all are in documents.parquet."""


def funnel(report: Mapping[str, Any]) -> str:
    """What is left after each step, with what the step took."""
    counts = list(report["funnel"].items())
    total = counts[0][1]
    bars = []
    for number, (name, count) in enumerate(counts):
        lost = counts[number - 1][1] - count if number else 0
        note = f"{lost:,} fewer" if lost else ""
        bars.append(Bar(STEPS.get(name, label(name)), count, share(count, total), note))
    return draw_bars(bars, full=total)


def rejects(found: Sequence[Reject], total: int) -> str:
    """A bar for each reason, the first rejects of each below it."""
    by_reason: dict[str, list[Reject]] = defaultdict(list)
    for reject in found:
        by_reason[str(reject.reason)].append(reject)
    order = sorted(by_reason, key=lambda reason: (-len(by_reason[reason]), reason))
    most = max((len(group) for group in by_reason.values()), default=0)
    parts = []
    for reason in order:
        group = by_reason[reason]
        bar = Bar(label(reason), len(group), share(len(group), total))
        rows = "".join(
            f"<li>{link(reject.key)}<small>{escape(reject.detail)}</small></li>"
            for reject in group[:SAMPLES]
        )
        left = len(group) - SAMPLES
        more = f'<p class="muted">and {left:,} more</p>' if left > 0 else ""
        summary = draw_bars([bar], full=most, series=1)
        parts.append(
            f'<details class="reason"><summary>{summary}</summary>'
            f'<ul class="samples">{rows}</ul>{more}</details>'
        )
    return "".join(parts)


def clusters(result: CleanResult) -> str:
    """Each page that was kept with those that repeat it, the largest cluster first."""
    found = sorted(
        result.report["clusters"],
        key=lambda cluster: (-len(cluster["pages"]), cluster["canonical"]),
    )
    parts = []
    for cluster in found[:MAX_CLUSTERS]:
        rows = "".join(
            f"<li>{link(page['url'])}<small>similarity {page['similarity']:.2f}"
            f"{'' if page['left_out'] else ', kept: it has more of its own'}</small></li>"
            for page in cluster["pages"]
        )
        count = len(cluster["pages"])
        noun = "page" if count == 1 else "pages"
        parts.append(
            f"<details><summary><b>{count:,} {noun}</b> like {escape(cluster['canonical'])}"
            f'</summary><ul class="samples">{rows}</ul></details>'
        )
    left = len(found) - MAX_CLUSTERS
    more = f'<p class="muted">and {left:,} smaller clusters</p>' if left > 0 else ""
    return "".join(parts) + more


def counted(documents: Collection[Document], field: str, series: int) -> str:
    """How many documents have each value of a field, most first."""
    counts = Counter(str(getattr(document, field)) or "not named" for document in documents)
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return count_bars(ordered, total=len(documents), series=series)


def weighed(documents: Collection[Document]) -> bool:
    """Whether categories were chosen by meaning; folders of the address are certain."""
    return any(document.category_confidence < 1.0 for document in documents)


def categories(documents: Collection[Document]) -> str:
    """Documents of each category with their mean confidence."""
    if not weighed(documents):
        return counted(documents, "category", 2)
    by_category: dict[str, list[float]] = defaultdict(list)
    for document in documents:
        by_category[document.category].append(document.category_confidence)
    order = sorted(by_category, key=lambda name: (-len(by_category[name]), name))
    most = max((len(found) for found in by_category.values()), default=0)
    bars = [
        Bar(
            label(name),
            len(by_category[name]),
            f"{len(by_category[name]):,}",
            f"confidence {mean(by_category[name]):.2f}",
        )
        for name in order
    ]
    return draw_bars(bars, full=most, series=2)


def confidence(documents: Collection[Document]) -> str:
    """How sure the categories are, in tenths, and the documents that are least so."""
    if not weighed(documents):
        return ""
    tenths = Counter(min(9, int(10 * document.category_confidence)) for document in documents)
    counts = [(f"{n / 10:.1f} to {(n + 1) / 10:.1f}", tenths[n]) for n in range(10)]
    least = nsmallest(SAMPLES, documents, key=lambda d: (d.category_confidence, d.url))
    rows = "".join(
        f"<li>{link(document.url)}<small>{escape(words(document.category))}, "
        f"{document.category_confidence:.2f}</small></li>"
        for document in least
    )
    return (
        count_bars(counts, total=len(documents), series=2)
        + f'<h3>Least certain</h3><ul class="samples">{rows}</ul>'
    )


def lengths(documents: Collection[Document]) -> str:
    """How many documents have how many words."""
    counts = [0] * len(LENGTHS)
    for document in documents:
        number = len(document.text.split())
        counts[sum(number >= bound for bound in LENGTHS) - 1] += 1
    names = [f"{low:,} to {high - 1:,}" for low, high in pairwise(LENGTHS)]
    names.append(f"{LENGTHS[-1]:,} and more")
    return count_bars(list(zip(names, counts, strict=True)), total=len(documents), series=3)


def freshness(documents: Collection[Document]) -> str:
    """Documents by the year that they name, and those that name none."""
    years = Counter(document.date[:4] for document in documents if document.date)
    undated = sum(not document.date for document in documents)
    counts = [*sorted(years.items()), ("no date", undated)]
    dates = sorted(document.date for document in documents if document.date)
    span = f'<p class="muted">From {dates[0]} to {dates[-1]}.</p>' if dates else ""
    return span + count_bars(counts, total=len(documents), series=4)


def masked(report: Mapping[str, Any]) -> str:
    """Personal data that was masked, by kind."""
    counts = sorted(report["masked"].items(), key=lambda item: (-item[1], item[0]))
    most = max((count for _, count in counts), default=0)
    bars = [Bar(label(name), count, f"{count:,}") for name, count in counts]
    return draw_bars(bars, full=most, series=1)


def listed(documents: Collection[Document]) -> str:
    """Documents with what is known of them, to be searched."""
    names = sorted({document.category for document in documents})
    rows = "".join(_row(document) for document in islice(documents, MAX_LISTED))
    form = filters(choice("category", names), noun="documents")
    return f'{form}<ul id="rows" class="documents">{rows}</ul>'


def _row(document: Document) -> str:
    confidence = document.category_confidence
    told = [
        words(document.category),
        *([f"confidence {confidence:.2f}"] if confidence < 1.0 else []),
        f"{len(document.text.split()):,} words",
        document.language,
        document.media,
        document.date or "no date",
        *([document.author] if document.author else []),
    ]
    return (
        f'<li data-category="{escape(document.category)}"><b>{escape(document.title)}</b>'
        f"{link(document.url)}<small>{escape(' · '.join(told))}</small></li>"
    )
