"""Draws `report.html`, the data-quality page: one file that needs neither network nor others."""

from collections.abc import Mapping
from html import escape
from typing import Any

from groundwork.clean import report_sections as sections
from groundwork.clean.pages import CleanResult
from groundwork.webpage import page, pair, section, tiles, words

FUNNEL_NOTE = "The passages cut from them are counted in artifacts/chunk/report.json."
REJECTS_NOTE = "Open a reason for its first pages; rejects.jsonl has all of them."
CONFIDENCE_NOTE = "A softmax over the similarities to all categories: how clear the choice was."
FOLDERS_NOTE = "Folders of the pages' addresses: the domain describes no categories."
FRESHNESS_NOTE = "The dates that pages name, by year."
MASKED_NOTE = "Replaced in the text by the name of their kind."


def render_page(result: CleanResult, *, title: str) -> str:
    """The page as HTML; `title` says what the domain is about. The same result, the same bytes."""
    report, documents = result.report, result.documents
    left_out = len(documents) - sections.MAX_LISTED
    note = f"The first {sections.MAX_LISTED:,} by address." if left_out > 0 else ""
    category_note = "" if sections.weighed(documents) else FOLDERS_NOTE
    body = [
        _header(report, title),
        _tiles(result),
        section("From pages to documents", sections.funnel(report), FUNNEL_NOTE),
        section(
            "Rejected, by reason",
            sections.rejects(result.rejects, report["funnel"]["pages"]),
            REJECTS_NOTE,
        ),
        section("Pages that say the same", sections.clusters(result), ""),
    ]
    if documents:
        body += [
            pair(
                section("Languages", sections.counted(documents, "language", 0), ""),
                section("Kinds of file", sections.counted(documents, "media", 0), ""),
            ),
            pair(
                section("Categories", sections.categories(documents), category_note),
                section("Certainty", sections.confidence(documents), CONFIDENCE_NOTE),
            ),
            pair(
                section("Lengths in words", sections.lengths(documents), ""),
                section("Freshness", sections.freshness(documents), FRESHNESS_NOTE),
            ),
            pair(
                section("Licences", sections.counted(documents, "licence", 0), ""),
                section("Personal data masked", sections.masked(report), MASKED_NOTE),
            ),
            section("Documents", sections.listed(documents), note),
        ]
    return page(f"Data quality: {title}", "\n".join(part for part in body if part))


def _header(report: Mapping[str, Any], title: str) -> str:
    pages, documents = report["funnel"]["pages"], report["funnel"]["documents"]
    reasons = sorted(report["rejects"].items(), key=lambda item: (-item[1], item[0]))[:3]
    told = ", ".join(f"{count:,} {words(name)}" for name, count in reasons)
    why = f"The most frequent reasons: {escape(told)}." if told else "Nothing was rejected."
    return (
        f"<header><p class='eyebrow'>Data quality</p><h1>{escape(title)}</h1>"
        f'<p class="lead"><strong>{documents:,}</strong> of {pages:,} pages became documents.</p>'
        f'<p class="muted">{why} Every page is a document or a reject.</p></header>'
    )


def _tiles(result: CleanResult) -> str:
    report = result.report
    clusters = report["clusters"]
    figures = [
        (f"{report['funnel']['pages']:,}", "pages"),
        (f"{len(result.documents):,}", "documents"),
        (f"{len(result.rejects):,}", "rejected"),
        (f"{report['words']['total']:,}", "words"),
        (f"{len(clusters):,}", "clusters of repeats"),
        (f"{report['documents_with_masks']:,}", "documents with personal data masked"),
    ]
    return tiles(figures)
