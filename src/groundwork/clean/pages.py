"""Pages become documents: extraction, quality, duplicates, category, in this order.

In: pages as fetched. Out: documents, rejects and the numbers of the report. Every page ends as one
or the other. Reading a page depends on that page alone and is remembered between runs; what
compares pages is done afresh.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tqdm import tqdm

from groundwork.artifacts import cached, code_version, sha256_bytes, short_id
from groundwork.clean.blocks import one_line
from groundwork.clean.category import Categorise, categories_of_urls
from groundwork.clean.config import CleanConfig, ExtractConfig, PersonalDataConfig
from groundwork.clean.duplicates import Candidate, Duplicate, find_duplicates, list_clusters
from groundwork.clean.extraction import Extraction
from groundwork.clean.language import detect_language
from groundwork.clean.pdf import extract_pdf
from groundwork.clean.personal_data import mask_personal_data
from groundwork.clean.quality import find_fault
from groundwork.clean.readers import BY_TYPE, PACKAGES
from groundwork.clean.reasons import PageRefusedError, Reason
from groundwork.clean.report import build_report
from groundwork.clean.web import extract_html
from groundwork.config import DomainConfig
from groundwork.errors import InputError
from groundwork.records import Document, Page, Reject

HTML_TYPES = ("text/html", "application/xhtml+xml")
PDF_TYPE = "application/pdf"
READERS = ("trafilatura", "htmldate", "lxml", "pypdfium2", "phonenumbers", *PACKAGES)
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
class _Reading:
    """All that reading a page depends on besides the page."""

    extract: ExtractConfig
    personal_data: PersonalDataConfig
    allowed: list[str]
    """Personal data that may stay."""


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
    kept, rejects = _read_and_judge(pages, config=config, domain=domain)
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
    return CleanResult(documents, rejects, report)


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


def _read_and_judge(
    pages: Sequence[Page], *, config: CleanConfig, domain: DomainConfig
) -> tuple[list[_Kept], list[Reject]]:
    kept, rejects = [], []
    reading = _Reading(config.extract, config.personal_data, domain.allowed_personal_data)
    recipe = _recipe(reading)
    for page in tqdm(sorted(pages, key=lambda page: page.url), desc="clean", unit="page"):
        found = _remembered(page, reading, recipe)
        if isinstance(found, Reject):
            rejects.append(found)
            continue
        language = detect_language(found)
        fault = find_fault(
            found, language=language, languages=domain.languages, config=config.quality
        )
        if fault:
            rejects.append(Reject(page.url, *fault))
        else:
            kept.append(_Kept(page, found, language))
    return kept, rejects


def _recipe(reading: _Reading) -> str:
    """What an extraction depends on besides the page: settings, code, packages."""
    versions = [version(name) for name in READERS]
    return json.dumps([asdict(reading), code_version(Path(__file__).parent), versions])


def _remembered(page: Page, reading: _Reading, recipe: str) -> Extraction | Reject:
    key = sha256_bytes("\n".join([page.sha256, page.content_type, page.charset, recipe]).encode())
    row = cached("clean", key, lambda: _read(page, reading))
    if "reason" in row:
        return Reject(page.url, row["reason"], row["detail"])
    return Extraction(**row)


def _read(page: Page, reading: _Reading) -> dict[str, Any]:
    """Extract one page; whatever a library makes of bad input ends here, as a reject."""
    from lxml.etree import LxmlError

    try:
        return asdict(_masked(_extract(page, reading.extract), reading))
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


def _masked(found: Extraction, reading: _Reading) -> Extraction:
    """The extraction without personal data; what is remembered and written never holds any."""

    def mask(text: str) -> tuple[str, dict[str, int]]:
        return mask_personal_data(text, reading.personal_data, allowed=reading.allowed)

    text, counts = mask(found.text)
    (title, _), (author, _) = mask(found.title), mask(found.author)
    return replace(found, title=title, author=author, text=text, masked=counts)


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
    if reader := BY_TYPE.get(page.content_type):
        return reader(page, config)
    known = ", ".join(sorted([*HTML_TYPES, PDF_TYPE, *BY_TYPE]))
    raise PageRefusedError(
        Reason.UNSUPPORTED_TYPE, f"{page.content_type or 'no type'}; expected one of {known}"
    )


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
