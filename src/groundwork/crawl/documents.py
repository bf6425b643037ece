"""Documents that lie in a tree of files, on disk or in a repository, become pages.

In: a tree, which lists its entries and reads them. Out: every entry is one page or one reject.
"""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from posixpath import splitext
from typing import Protocol
from urllib.parse import quote_from_bytes

from groundwork.artifacts import sha256_bytes
from groundwork.crawl.config import CrawlConfig
from groundwork.crawl.includes import put_includes
from groundwork.crawl.licences import stated_licence
from groundwork.crawl.outcomes import CrawlResult, Fetch, RejectReason
from groundwork.crawl.progress import Progress
from groundwork.errors import InputError
from groundwork.records import Page, Reject

ASCIIDOC = "text/asciidoc"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
TYPES = {
    **dict.fromkeys((".html", ".htm"), "text/html"),
    **dict.fromkeys((".xhtml", ".xht"), "application/xhtml+xml"),
    **dict.fromkeys((".md", ".markdown", ".mdx"), "text/markdown"),
    **dict.fromkeys((".adoc", ".asciidoc", ".asc"), ASCIIDOC),
    **dict.fromkeys((".txt", ".text"), "text/plain"),
    ".pdf": "application/pdf",
    ".docx": DOCX,
}
"""Extension to media type: what stage `clean` reads."""
NOT_ASKED = "not_asked"


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of a tree."""

    path: str
    """From the tree's root on, with `/`."""
    size_bytes: int
    refusal: tuple[RejectReason, str] | None = None
    """Why it is not to be read, for instance a link that leaves the tree."""


class Tree(Protocol):
    """Files to choose from."""

    def entries(self) -> list[Entry]:
        """All files but hidden ones."""

    def read(self, path: str, *, max_bytes: int) -> bytes:
        """At most `max_bytes` + 1 bytes of a file. Raises: `OSError`."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """How the documents of a tree are chosen and recorded."""

    source: str
    public_url: str
    include: Sequence[str]
    exclude: Sequence[str]
    licence: str
    revision: str
    """Commit of a repository; empty for a folder."""

    def holds(self, path: str) -> bool:
        """Whether include and exclude let `path` in."""
        kept = not self.include or any(_below(path, prefix) for prefix in self.include)
        return kept and not any(_below(path, prefix) for prefix in self.exclude)

    def url(self, path: str) -> str:
        """Public address of a file; names that are no UTF-8 keep their bytes."""
        return f"{self.public_url}/{quote_from_bytes(path.encode('utf-8', 'surrogateescape'))}"


def _below(path: str, prefix: str) -> bool:
    wanted = prefix.strip("/")
    whole = path == wanted or path.startswith(f"{wanted}/") or not wanted
    return whole or (not prefix.endswith("/") and path.startswith(wanted))


class _Refused(Exception):  # noqa: N818  an outcome, raised and caught in this module
    def __init__(self, reason: RejectReason, detail: str) -> None:
        super().__init__(detail)
        self.reason, self.detail = reason, detail


@dataclass(slots=True)
class _Reader:
    tree: Tree
    shelf: Shelf
    config: CrawlConfig
    paths: frozenset[str]
    """Of the entries that the shelf holds."""
    deadline_s: float
    kept: int = 0
    waiting: int = 0
    refused: int = 0

    def queued(self) -> int:
        """Files that are not looked at."""
        return self.waiting

    def rejected(self) -> int:
        """Files that are no page."""
        return self.refused

    def read(self, entry: Entry, missing: list[Reject]) -> Page:
        """The page of an entry. Raises: `_Refused`."""
        content_type = self._check(entry)
        try:
            body = self.tree.read(entry.path, max_bytes=self.config.max_body_bytes)
        except OSError as error:
            raise _Refused(RejectReason.UNREADABLE, error.strerror or "not readable") from error
        if content_type == ASCIIDOC:
            body = self._put_includes(entry.path, body, missing)
        if len(body) > self.config.max_body_bytes:
            detail = f"more than {self.config.max_body_bytes} bytes"
            raise _Refused(RejectReason.TOO_LARGE, detail)
        self.kept += 1
        return Page(
            url=self.shelf.url(entry.path),
            content_type=content_type,
            charset="",
            body=body,
            sha256=sha256_bytes(body),
            source=self.shelf.source,
            licence=stated_licence(body, content_type) or self.shelf.licence,
        )

    def _check(self, entry: Entry) -> str:
        """Media type of an entry that may be read. Raises: `_Refused`."""
        if entry.refusal:
            raise _Refused(*entry.refusal)
        extension = splitext(entry.path)[1].lower()
        if extension not in TYPES:
            known = ", ".join(sorted(TYPES))
            detail = f"{extension or 'no extension'}: expected one of {known}"
            raise _Refused(RejectReason.CONTENT_TYPE, detail)
        if entry.size_bytes > self.config.max_body_bytes:
            detail = f"{entry.size_bytes} bytes; expected at most {self.config.max_body_bytes}"
            raise _Refused(RejectReason.TOO_LARGE, detail)
        if self.kept >= self.config.max_pages:
            raise _Refused(RejectReason.PAGE_CAP, f"more than {self.config.max_pages} pages")
        if time.monotonic() > self.deadline_s:
            detail = f"not read within {self.config.max_total_s:g} s"
            raise _Refused(RejectReason.TIME_CAP, detail)
        return TYPES[extension]

    def _put_includes(self, path: str, body: bytes, missing: list[Reject]) -> bytes:
        """AsciiDoc with its examples in place; files that are pages themselves stay out."""
        found = put_includes(
            body,
            path=path,
            read=self.tree.read,
            is_page=lambda name: splitext(name)[1].lower() in TYPES and name in self.paths,
            max_bytes=self.config.max_body_bytes,
        )
        here = self.shelf.url(path)
        for target, detail in found.missing:
            key = f"{here}#include={target}"
            missing.append(Reject(key, RejectReason.UNREADABLE, f"included file: {detail}"))
        return found.body


def read_documents(tree: Tree, shelf: Shelf, config: CrawlConfig, *, where: str) -> CrawlResult:
    """Pages and rejects of a tree, sorted by URL. Raises: `InputError` that names `where`."""
    listed = tree.entries()
    entries = sorted((e for e in listed if shelf.holds(e.path)), key=lambda e: shelf.url(e.path))
    paths = frozenset(entry.path for entry in entries)
    deadline_s = time.monotonic() + config.max_total_s
    reader = _Reader(tree, shelf, config, paths, deadline_s, waiting=len(entries))
    pages, rejects, fetches = [], [], []
    for entry in _shown(entries, reader):
        missing: list[Reject] = []
        try:
            page = reader.read(entry, missing)
            pages.append(page)
            fetches.append(_fetch(page.url, shelf, size_bytes=len(page.body), sha256=page.sha256))
        except _Refused as refused:
            reader.refused += 1
            rejects.append(Reject(shelf.url(entry.path), refused.reason, refused.detail))
            fetches.append(_fetch(shelf.url(entry.path), shelf, size_bytes=0, sha256=""))
        rejects.extend(missing)
    assert len(entries) == len(fetches)
    rejects = sorted(set(rejects), key=lambda reject: reject.key)
    if not pages:
        raise InputError(f"{where}: {_no_pages(rejects, excluded=len(listed) - len(entries))}")
    return CrawlResult(pages, rejects, fetches, offsite=0, excluded=len(listed) - len(entries))


def _shown(entries: Sequence[Entry], reader: _Reader) -> Iterator[Entry]:
    """The entries, with the line of progress that a crawl shows."""
    with Progress(resumed=0) as progress:
        for entry in entries:
            yield entry
            reader.waiting -= 1
            progress.show(reader)


def _fetch(url: str, shelf: Shelf, *, size_bytes: int, sha256: str) -> Fetch:
    return Fetch(
        url=url,
        requested_url=url,
        status=0,
        fetched_at=datetime.now(UTC).isoformat(timespec="seconds"),
        etag=shelf.revision,
        last_modified="",
        robots=NOT_ASKED,
        latency_ms=0,
        size_bytes=size_bytes,
        sha256=sha256,
        redirects=(),
        attempts=1,
    )


def _no_pages(rejects: Sequence[Reject], *, excluded: int) -> str:
    if not rejects:
        found = f"{excluded} files, all of them outside include" if excluded else "no file"
        return f"it holds {found}; expected documents ({', '.join(sorted(TYPES))})"
    counts = Counter(reject.reason for reject in rejects)
    words = ", ".join(f"{number} {reason}" for reason, number in sorted(counts.items()))
    first = rejects[0]
    return (
        f"no document could be kept ({words}); the first is {first.key}: {first.detail}; "
        "mend it or name other files with include and exclude"
    )
