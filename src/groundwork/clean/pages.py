"""Pages become documents: extraction, quality, duplicates, category, in this order.

In: pages as fetched. Out: documents, rejects and the numbers of the report. Every page ends as one
or the other. Reading a page depends on that page alone and is remembered between runs; what
compares pages is done afresh.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from tqdm import tqdm

from groundwork.artifacts import short_id
from groundwork.clean.category import Categorise, categories_of_urls
from groundwork.clean.config import CleanConfig
from groundwork.clean.duplicates import Candidate, Duplicate, find_duplicates, list_clusters
from groundwork.clean.extraction import Extraction
from groundwork.clean.language import detect_language
from groundwork.clean.page import Reading, recipe_of, remembered
from groundwork.clean.quality import find_fault
from groundwork.clean.reading import over_processes
from groundwork.clean.reasons import Reason
from groundwork.clean.repeated import RepeatedBlocks, find_repeated
from groundwork.clean.report import build_report
from groundwork.config import DomainConfig
from groundwork.errors import InputError
from groundwork.records import Document, Page, Reject


@dataclass(frozen=True, slots=True)
class CleanResult:
    """What became of the pages."""

    documents: list[Document]
    """Sorted by URL."""
    rejects: list[Reject]
    """Sorted by URL."""
    report: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Kept:
    page: Page
    extraction: Extraction
    language: str


def clean_pages(
    pages: Sequence[Page],
    *,
    config: CleanConfig,
    domain: DomainConfig,
    categorise: Categorise | None,
) -> CleanResult:
    """Documents of `pages`; without `categorise` a folder of the URL is the category.

    Raises: `InputError` when a URL comes twice.
    """
    _check_urls(pages)
    readings = _read_all(pages, config, domain.allowed_personal_data)
    extractions = [(page, found) for page, found in readings if isinstance(found, Extraction)]
    repeated = find_repeated(
        [(page.url, found.text) for page, found in extractions], config.repeated
    )
    kept, rejects = _judge(extractions, repeated, config=config, domain=domain)
    rejects += [found for _, found in readings if isinstance(found, Reject)]
    extracted = len(kept) + sum(reject.reason in _QUALITY for reject in rejects)
    duplicates = find_duplicates([_candidate(item) for item in kept], config.duplicates)
    unique, repeats = _leave_out_duplicates(kept, duplicates)
    documents = _to_documents(unique, categorise)
    rejects = sorted([*rejects, *repeats], key=lambda reject: reject.key)
    assert len(pages) == len(documents) + len(rejects), "a page is missing"
    report = build_report(
        documents,
        rejects,
        funnel={
            "pages": len(pages),
            "extracted": extracted,
            "good": len(kept),
            "documents": len(documents),
        },
        masked=[item.extraction.masked for item in unique],
        clusters=list_clusters(duplicates),
    )
    return CleanResult(documents, rejects, report | {"repeated": repeated.as_report()})


_QUALITY = frozenset(
    (
        Reason.NO_TITLE,
        Reason.SOFT_404,
        Reason.TOO_SHORT,
        Reason.TOO_LONG,
        Reason.LINK_LIST,
        Reason.FEW_LETTERS,
        Reason.REPEATED_LINES,
        Reason.WRONG_LANGUAGE,
    )
)


def _check_urls(pages: Sequence[Page]) -> None:
    seen: set[str] = set()
    for page in pages:
        if page.url in seen:
            raise InputError(
                f"pages: {page.url} comes twice; expected each URL once; "
                "run `dvc repro --force --single-item crawl`"
            )
        seen.add(page.url)


def _read_all(
    pages: Sequence[Page], config: CleanConfig, allowed: Sequence[str]
) -> list[tuple[Page, Extraction | Reject]]:
    """Every page with what was read from it, sorted by URL."""
    ordered = sorted(pages, key=lambda page: page.url)
    reading = Reading(config.extract, config.personal_data, tuple(allowed))
    read = partial(remembered, reading=reading, recipe=recipe_of(reading))
    readings = over_processes(read, ordered, processes=config.processes)
    progress = tqdm(readings, desc="clean", unit="page", total=len(ordered))
    return list(zip(ordered, progress, strict=True))


def _judge(
    extractions: Sequence[tuple[Page, Extraction]],
    repeated: RepeatedBlocks,
    *,
    config: CleanConfig,
    domain: DomainConfig,
) -> tuple[list[_Kept], list[Reject]]:
    """What is good of the pages, without the boilerplate of their sites, and what is not."""
    kept, rejects = [], []
    for page, read in extractions:
        found = replace(read, text=repeated.strip(page.url, read.text))
        language = detect_language(found)
        fault = find_fault(
            found, language=language, languages=domain.languages, config=config.quality
        )
        if fault:
            rejects.append(Reject(page.url, *fault))
        else:
            kept.append(_Kept(page, found, language))
    return kept, rejects


def _leave_out_duplicates(
    kept: Sequence[_Kept], duplicates: Sequence[Duplicate]
) -> tuple[list[_Kept], list[Reject]]:
    rejects = [
        Reject(
            item.url,
            Reason.EXACT_DUPLICATE if item.exact else Reason.NEAR_DUPLICATE,
            f"repeats {item.other} (similarity {item.similarity:.2f})",
        )
        for item in duplicates
        if item.left_out
    ]
    left_out = {reject.key for reject in rejects}
    return [item for item in kept if item.page.url not in left_out], rejects


def _candidate(item: _Kept) -> Candidate:
    found = item.extraction
    return Candidate(item.page.url, found.canonical, found.headed, found.text)


def _to_documents(kept: Sequence[_Kept], categorise: Categorise | None) -> list[Document]:
    if categorise is None:
        named = categories_of_urls([item.page.url for item in kept])
        categories = [(name, 1.0) for name in named]
    else:
        categories = categorise([f"{k.extraction.title}\n\n{k.extraction.text}" for k in kept])
    return [
        Document(
            document_id=short_id(item.page.url),
            url=item.page.url,
            title=item.extraction.title,
            text=item.extraction.text,
            language=item.language,
            date=item.extraction.date,
            author=item.extraction.author,
            category=category,
            category_confidence=confidence,
            media=item.extraction.media,
            licence=item.page.licence,
            source=item.page.source,
            page_sha256=item.page.sha256,
        )
        for item, (category, confidence) in zip(kept, categories, strict=True)
    ]
