"""Pages become documents: extraction, quality, duplicates, category, in this order.

In: pages as fetched. Out: documents, rejects and the numbers of the report. Every page ends as one
or the other. Reading a page depends on that page alone and is remembered between runs; what
compares pages is done afresh.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, field, replace
from itertools import pairwise, tee
from typing import Any

from groundwork.artifacts import short_id
from groundwork.clean.category import Categorise, categories_of_urls
from groundwork.clean.config import CleanConfig
from groundwork.clean.duplicates import Candidate, Duplicate, find_duplicates, list_clusters
from groundwork.clean.extraction import Extraction
from groundwork.clean.language import Foreign, leave_out_foreign, read_languages
from groundwork.clean.page import Reading, found_in, reading_work
from groundwork.clean.quality import find_fault
from groundwork.clean.reasons import Reason
from groundwork.clean.repeated import RepeatedBlocks, find_repeated, without_blocks
from groundwork.clean.report import Masks, build_report, report_foreign
from groundwork.config import DomainConfig
from groundwork.engine import EngineConfig, Results
from groundwork.errors import InputError
from groundwork.records import Document, Page, Reject

Keep = Callable[[Iterator[Document]], Collection[Document]]
"""Takes the documents one after the other and gives them back for as many iterations as wanted."""


@dataclass(frozen=True, slots=True)
class CleanResult:
    """What became of the pages."""

    documents: Collection[Document]
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
    pages: Collection[Page],
    *,
    config: CleanConfig,
    domain: DomainConfig,
    categorise: Categorise | None,
    engine: EngineConfig | None = None,
    keep: Keep = list,
) -> CleanResult:
    """Documents of `pages`; without `categorise` a folder of the URL is the category.

    Pages are read by `engine`, without one in this process. Neither pages nor texts are held in
    memory unless `pages` or `keep` hold them: they are gone through several times instead.

    Raises: `InputError` when a URL comes twice.
    """
    ordered = _in_order(pages)
    allowed = tuple(domain.allowed_personal_data)
    reading = Reading(config.extract, config.personal_data, allowed)
    read = _Readings(Results(reading_work(reading), ordered, engine=engine, unit="page"))
    repeated = find_repeated(_Texts(read), config.repeated)
    sieve = _Sieve(read, repeated, config, domain.languages)
    duplicates = find_duplicates(map(_candidate, sieve.sift()), config.duplicates)
    extracted = len(sieve.languages) + sum(reject.reason in _QUALITY for reject in sieve.rejects)
    repeats = _repeats(duplicates)
    masks = Masks()
    documents = keep(_to_documents(sieve, {item.key for item in repeats}, categorise, masks))
    rejects = sorted([*sieve.rejects, *repeats], key=lambda reject: reject.key)
    assert len(pages) == len(documents) + len(rejects), "a page is missing"
    report = build_report(
        documents,
        rejects,
        funnel={
            "pages": len(pages),
            "extracted": extracted,
            "good": len(sieve.languages),
            "documents": len(documents),
        },
        masks=masks,
        clusters=list_clusters(duplicates),
    )
    left_out = {item.key for item in repeats}
    kept = [(url, found) for url, found in sieve.foreign.items() if url not in left_out]
    report["foreign"] = report_foreign(kept)
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


def _in_order(pages: Collection[Page]) -> Collection[Page]:
    """The pages by URL, as `crawl` writes them. Raises: `InputError` when one comes twice."""
    for before, page in pairwise(pages):
        if page.url < before.url:
            return _in_order(sorted(pages, key=lambda page: page.url))
        if page.url == before.url:
            raise InputError(
                f"pages: {page.url} comes twice; expected each URL once; "
                "run `dvc repro --force --single-item crawl`"
            )
    return pages


@dataclass(frozen=True, slots=True)
class _Readings:
    """Every page with what was read from it."""

    results: Results[Page]

    def __iter__(self) -> Iterator[tuple[Page, Extraction | Reject]]:
        for page, data in self.results:
            yield page, found_in(data, page.url)


@dataclass(frozen=True, slots=True)
class _Texts:
    """Address and text of every page that could be read."""

    readings: _Readings

    def __iter__(self) -> Iterator[tuple[str, str]]:
        for page, found in self.readings:
            if isinstance(found, Extraction):
                yield page.url, found.text


@dataclass(slots=True)
class _Sieve:
    """Parts the pages that are good from those that are not."""

    readings: _Readings
    repeated: RepeatedBlocks
    config: CleanConfig
    wanted_languages: list[str]
    languages: dict[str, str] = field(default_factory=dict)
    """Of the good pages, by URL."""
    foreign: dict[str, list[Foreign]] = field(default_factory=dict)
    """Blocks left out of good pages for their language, by URL; most pages have none."""
    rejects: list[Reject] = field(default_factory=list)

    def sift(self) -> Iterator[_Kept]:
        """The good pages without the boilerplate of their sites; fills the three fields above."""
        for page, read in self.readings:
            if isinstance(read, Reject):
                self.rejects.append(read)
                continue
            found = self._stripped(page, read)
            languages = read_languages(found)
            found, foreign = leave_out_foreign(
                found, languages, wanted=self.wanted_languages, config=self.config.foreign
            )
            fault = find_fault(
                found,
                language=languages.page,
                languages=self.wanted_languages,
                config=self.config.quality,
            )
            if fault:
                self.rejects.append(Reject(page.url, *fault))
                continue
            self.languages[page.url] = languages.page
            if foreign:
                self.foreign[page.url] = foreign
            yield _Kept(page, found, languages.page)

    def good(self, left_out: Set[str]) -> Iterator[_Kept]:
        """What `sift` gave, without the pages of these addresses."""
        for page, read in self.readings:
            if page.url in self.languages and page.url not in left_out:
                assert isinstance(read, Extraction)
                found = self._stripped(page, read)
                if page.url in self.foreign:
                    gone = {block.text for block in self.foreign[page.url]}
                    found = replace(found, text=without_blocks(found.text, gone))
                yield _Kept(page, found, self.languages[page.url])

    def _stripped(self, page: Page, read: Extraction) -> Extraction:
        return replace(read, text=self.repeated.strip(page.url, read.text))


def _repeats(duplicates: Sequence[Duplicate]) -> list[Reject]:
    return [
        Reject(
            item.url,
            Reason.EXACT_DUPLICATE if item.exact else Reason.NEAR_DUPLICATE,
            f"repeats {item.other} (similarity {item.similarity:.2f})",
        )
        for item in duplicates
        if item.left_out
    ]


def _candidate(item: _Kept) -> Candidate:
    found = item.extraction
    return Candidate(item.page.url, found.canonical, found.headed, found.text)


def _to_documents(
    sieve: _Sieve, left_out: Set[str], categorise: Categorise | None, masks: Masks
) -> Iterator[Document]:
    """The documents one after the other; `masks` counts what is masked in them."""
    items = sieve.good(left_out)
    if categorise is None:
        names = categories_of_urls([url for url in sieve.languages if url not in left_out])
        categories: Iterable[tuple[str, float]] = ((name, 1.0) for name in names)
    else:
        items, again = tee(items)
        categories = categorise(f"{k.extraction.title}\n\n{k.extraction.text}" for k in again)
    for item, (category, confidence) in zip(items, categories, strict=True):
        masks.count(item.extraction.masked)
        yield _to_document(item, category, confidence)


def _to_document(item: _Kept, category: str, confidence: float) -> Document:
    return Document(
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
