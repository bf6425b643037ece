"""Pages become documents: extraction, quality, duplicates, category, in this order.

In: pages as fetched. Out: documents, rejects and the numbers of the report. Every page ends as one
or the other. Reading a page depends on that page alone and is remembered between runs; what
compares pages is done afresh.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tqdm import tqdm

from groundwork.artifacts import cached, code_version, sha256_bytes, sha256_file, short_id
from groundwork.clean.blocks import one_line
from groundwork.clean.category import Categorise, category_of_url
from groundwork.clean.config import CleanConfig, ExtractConfig
from groundwork.clean.duplicates import Candidate, find_duplicates
from groundwork.clean.extraction import Extraction
from groundwork.clean.language import detect_language
from groundwork.clean.pdf import extract_pdf
from groundwork.clean.quality import find_fault
from groundwork.clean.reading import over_processes
from groundwork.clean.reasons import PageRefusedError, Reason
from groundwork.clean.repeated import RepeatedBlocks, find_repeated
from groundwork.clean.report import build_report
from groundwork.clean.selection import MODEL
from groundwork.clean.web import extract_html
from groundwork.config import DomainConfig
from groundwork.errors import InputError
from groundwork.records import Document, Page, Reject

HTML_TYPES = ("text/html", "application/xhtml+xml")
PDF_TYPE = "application/pdf"
READERS = ("trafilatura", "htmldate", "lxml", "numpy", "pypdfium2", "phonenumbers", "rapidfuzz")
"""Packages whose version is part of what a remembered page depends on."""


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
    """Documents of `pages`; without `categorise` the first folder of the URL is the category.

    Raises: `InputError` when a URL comes twice.
    """
    _check_urls(pages)
    readings = _read_all(pages, config)
    extractions = [(page, found) for page, found in readings if isinstance(found, Extraction)]
    repeated = find_repeated(
        [(page.url, found.text) for page, found in extractions], config.repeated
    )
    kept, rejects = _judge(extractions, repeated, config=config, domain=domain)
    rejects += [found for _, found in readings if isinstance(found, Reject)]
    extracted = len(kept) + sum(reject.reason in _QUALITY for reject in rejects)
    unique, repeats = _leave_out_duplicates(kept, config=config)
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


def _read_all(pages: Sequence[Page], config: CleanConfig) -> list[tuple[Page, Extraction | Reject]]:
    """Every page with what was read from it, sorted by URL."""
    ordered = sorted(pages, key=lambda page: page.url)
    read = partial(_remembered, config=config.extract, recipe=_recipe(config.extract))
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


def _recipe(config: ExtractConfig) -> str:
    """What an extraction depends on besides the page: settings, code, model, packages."""
    folder = Path(__file__).parent
    versions = [version(name) for name in READERS]
    code = [code_version(folder), sha256_file(folder / MODEL)]
    return json.dumps([asdict(config), code, versions])


def _remembered(page: Page, config: ExtractConfig, recipe: str) -> Extraction | Reject:
    key = sha256_bytes("\n".join([page.sha256, page.content_type, page.charset, recipe]).encode())
    row = cached("clean", key, lambda: read_page(page, config))
    if "reason" in row:
        return Reject(page.url, row["reason"], row["detail"])
    return Extraction(**row)


def read_page(page: Page, config: ExtractConfig) -> dict[str, Any]:
    """Extract one page; whatever a library makes of bad input ends here, as a reject."""
    from lxml.etree import LxmlError

    try:
        return asdict(_extract(page, config))
    except PageRefusedError as error:
        return {"reason": error.reason, "detail": error.detail}
    except (
        LxmlError,
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        ArithmeticError,
        AssertionError,
        RecursionError,
    ) as error:
        detail = one_line(f"{type(error).__name__}: {error}")[:200]
        return {"reason": Reason.EXTRACTION_FAILED, "detail": detail}


def _extract(page: Page, config: ExtractConfig) -> Extraction:
    if not page.body.strip():
        raise PageRefusedError(Reason.EMPTY_BODY, f"{len(page.body)} bytes, all of them blank")
    if len(page.body) > config.max_body_bytes:
        raise PageRefusedError(
            Reason.BODY_TOO_LARGE,
            f"{len(page.body)} bytes; expected at most {config.max_body_bytes}",
        )
    if page.content_type in HTML_TYPES:
        return extract_html(page, config)
    if page.content_type == PDF_TYPE:
        return extract_pdf(page, config)
    raise PageRefusedError(
        Reason.UNSUPPORTED_TYPE, f"{page.content_type or 'no type'}; expected HTML or PDF"
    )


def _leave_out_duplicates(
    kept: Sequence[_Kept], *, config: CleanConfig
) -> tuple[list[_Kept], list[Reject]]:
    duplicates = find_duplicates(
        [_candidate(item) for item in kept],
        shingle_words=config.duplicates.shingle_words,
        min_jaccard=config.duplicates.min_jaccard,
    )
    rejects = [
        Reject(
            item.url,
            Reason.EXACT_DUPLICATE if item.exact else Reason.NEAR_DUPLICATE,
            f"repeats {item.kept} (similarity {item.similarity:.2f})",
        )
        for item in duplicates
    ]
    left_out = {item.url for item in duplicates}
    return [item for item in kept if item.page.url not in left_out], rejects


def _candidate(item: _Kept) -> Candidate:
    found = item.extraction
    return Candidate(item.page.url, found.canonical, found.headed, found.text)


def _to_documents(kept: Sequence[_Kept], categorise: Categorise | None) -> list[Document]:
    if categorise is None:
        categories = [(category_of_url(item.page.url), 1.0) for item in kept]
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
