"""Where each document of a release came from: one row per document, joined from three stages.

In: `clean/documents.parquet`, `crawl/pages.parquet` (not its bodies), `crawl/fetch_log.jsonl`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from groundwork.artifacts import read_jsonl, read_parquet
from groundwork.errors import ArtifactError
from groundwork.records import Document


@dataclass(frozen=True, slots=True)
class Lineage:
    """A document, its page, and how the page was fetched."""

    document_id: str
    url: str
    title: str
    date: str
    """ISO 8601 date, or an empty string when the page names none."""
    language: str
    page_sha256: str
    licence: str
    source: str
    content_type: str
    fetched_at: str
    """ISO 8601 in UTC, or an empty string when the fetch log does not know the page."""
    robots: str
    """Verdict of robots.txt: allowed, disallowed or none; empty when the log is silent."""
    status: int
    """HTTP status, or 0 when the fetch log does not know the page."""


@dataclass(frozen=True, slots=True)
class _PageRow:
    url: str
    content_type: str
    sha256: str


def read_lineage(artifacts_dir: Path) -> list[Lineage]:
    """Rows sorted by document id. A missing fetch log leaves its three fields empty.

    Raises: `ArtifactError` when a document's page is not among the pages: the stages do not match.
    """
    pages_path = artifacts_dir / "crawl" / "pages.parquet"
    pages = {page.sha256: page for page in read_parquet(pages_path, _PageRow)}
    log_path = pages_path.with_name("fetch_log.jsonl")
    fetches = _by_url(read_jsonl(log_path)) if log_path.exists() else {}
    rows = []
    for document in read_parquet(artifacts_dir / "clean" / "documents.parquet", Document):
        page = pages.get(document.page_sha256)
        if page is None:
            raise ArtifactError(
                f"{pages_path}: no page with sha256 {document.page_sha256[:12]}…, which "
                f"{document.url} was made from; run `dvc repro clean`"
            )
        fetch = _fetch_of(document.page_sha256, fetches.get(document.url, ()))
        rows.append(_row(document, page.content_type, fetch))
    return sorted(rows, key=lambda row: row.document_id)


def _row(document: Document, content_type: str, fetch: Mapping[str, Any]) -> Lineage:
    return Lineage(
        document_id=document.document_id,
        url=document.url,
        title=document.title,
        date=document.date,
        language=document.language,
        page_sha256=document.page_sha256,
        licence=document.licence,
        source=document.source,
        content_type=content_type,
        fetched_at=str(fetch.get("fetched_at") or ""),
        robots=str(fetch.get("robots") or ""),
        status=int(fetch.get("status") or 0),
    )


def _by_url(fetches: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    grouped: dict[str, list[Mapping[str, Any]]] = {}
    for fetch in fetches:
        grouped.setdefault(str(fetch.get("url")), []).append(fetch)
    return grouped


def _fetch_of(page_sha256: str, fetches: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The newest fetch that brought exactly this page; else (a 304 has no body) the newest."""
    exact = [fetch for fetch in fetches if fetch.get("sha256") == page_sha256]
    return max(exact or fetches, key=lambda fetch: str(fetch.get("fetched_at")), default={})
