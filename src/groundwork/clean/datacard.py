"""Writes the data card: what the documents are, where they come from, what was done to them."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict
from typing import Any

from groundwork.clean.config import CleanConfig
from groundwork.clean.pages import CleanResult
from groundwork.config import DomainConfig
from groundwork.records import Document

Row = tuple[str, object]


def render_card(result: CleanResult, *, config: CleanConfig, domain: DomainConfig) -> str:
    """The card as Markdown; free of clocks, so that the same result gives the same bytes."""
    report = result.report
    funnel = report["funnel"]
    parts = [
        f"# Data card: {domain.title}",
        f"{funnel['documents']:,} documents of {report['words']['total']:,} words in all, made "
        f"from {funnel['pages']:,} pages of domain `{domain.name}`. The shortest has "
        f"{report['words']['shortest']:,} words, the longest {report['words']['longest']:,}, half "
        f"of them at most {report['words']['median']:,}.",
        "## What is in it",
        _table("documents", _composition(result)),
        "### Categories",
        _category_note(domain),
        _table("documents", _counts(result.documents, "category")),
        "## Where it comes from",
        _table("documents", _counts(result.documents, "source")),
        _licence_note(result.documents),
        "## What was done",
        "Main content was extracted as Markdown and measured against these limits:",
        _table("value", [*_settings("quality", config.quality)]),
        "Of pages that say the same one is kept:",
        _table("value", [*_settings("duplicates", config.duplicates)]),
        f"Clusters of such pages: {len(report['clusters']):,}.",
        "Personal data that patterns can know was masked; documents with a mask: "
        f"{report['documents_with_masks']:,}.",
        _table("masked", sorted(report["masked"].items())),
        "## What was left out",
        f"Pages: {len(result.rejects):,}, each with its reason in `rejects.jsonl`.",
        _table("pages", sorted(report["rejects"].items())),
        "## What to mind",
        "\n".join(f"- {line}" for line in _limits(result.documents)),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _composition(result: CleanResult) -> list[Row]:
    report = result.report
    return [
        *((f"language {name}", count) for name, count in report["languages"].items()),
        *((f"from {name}", count) for name, count in report["media"].items()),
        ("with a date", report["with_date"]),
        ("with an author", report["with_author"]),
    ]


def _counts(documents: Collection[Document], field: str) -> list[Row]:
    return sorted(Counter(str(getattr(document, field)) for document in documents).items())


def _category_note(domain: DomainConfig) -> str:
    if domain.categories:
        return "By similarity of meaning to the descriptions in the domain's configuration."
    return "Folders of the pages' addresses: the domain describes no categories."


def _licence_note(documents: Collection[Document]) -> str:
    names = sorted({document.licence or "not named" for document in documents})
    told = ", ".join(names)
    return f"Licences as configured for the sources, not checked against the pages: {told}."


def _settings(group: str, config: Any) -> Iterable[Row]:
    return ((f"{group}.{name}", value) for name, value in asdict(config).items())


def _limits(documents: Collection[Document]) -> list[str]:
    undated = sum(not document.date for document in documents)
    unsure = sum(document.category_confidence < 0.5 for document in documents)
    return [
        "Names of people, and personal data that no pattern knows, are not masked.",
        f"Documents that name no date, whose age is unknown: {undated:,}.",
        f"Documents whose category is not clear (confidence below 0.5): {unsure:,}.",
        "Dates, authors and titles are what pages say of themselves.",
    ]


def _table(unit: str, rows: Sequence[Row] | Iterable[Row]) -> str:
    lines = [f"| {_cell(name)} | {_cell(value)} |" for name, value in rows]
    return "\n".join([f"| | {unit} |", "|---|--:|", *lines]) if lines else ""


def _cell(value: object) -> str:
    text = f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
    return " ".join(text.split()).replace("|", "\\|")
