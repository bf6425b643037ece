"""Links in a page and entries of a sitemap; both without building a tree of the page."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import urljoin

from groundwork.crawl.gzipped import TooLargeError, unzip
from groundwork.crawl.urls import canonical

MAX_LINKS_BYTES = 4 << 20
"""What the links of a page may take: a thousand times what a large page has."""
MAX_LISTED_BYTES = 32 << 20
"""What the entries of a sitemap may take: the protocol allows 50,000 and 50 MB with all else."""

STEP_CHARS = 1 << 16
"""Handed to the parser at a time: all at once a page would be held three times more."""
LOC_DEPTH = 3
"""`loc` stands in `url` or `sitemap`, which stands in the root."""


@dataclass(slots=True)
class _Collector:
    """Target of lxml's event parser: a tree of a million nested tags would cost gigabytes."""

    base: str = ""
    hrefs: list[str] = field(default_factory=list)

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Called for every opening tag."""
        href = attributes.get("href", "")
        if tag in ("a", "area") and href:
            self.hrefs.append(href)
        elif tag == "base" and href and not self.base:
            self.base = href
        elif tag == "link" and href and _leads_to_page(attributes):
            self.hrefs.append(href)
        elif tag == "meta" and attributes.get("http-equiv", "").lower() == "refresh":
            self.hrefs.extend(_refresh_url(attributes.get("content", "")))

    def close(self) -> None:
        """Called at the end of the page."""


def _leads_to_page(attributes: dict[str, str]) -> bool:
    relations = set(attributes.get("rel", "").lower().split())
    if "alternate" in relations:  # a translation; without hreflang it is a feed or a style
        return "hreflang" in attributes
    return bool(relations & {"canonical", "next", "prev"})


def _refresh_url(content: str) -> list[str]:
    key, _, url = content.partition(";")[2].strip().partition("=")
    return [url.strip().strip("'\"")] if key.strip().lower() == "url" and url else []


def page_links(body: bytes, *, content_type: str, url: str) -> list[str]:
    """Absolute URLs that an HTML page leads to, sorted, each once; canonical and hreflang included.

    `content_type` is the header with its charset; a charset that lies or does not exist is
    replaced by what the page says or, failing that, by UTF-8.

    Raises: `TooLargeError` when the links take more than `MAX_LINKS_BYTES`.
    """
    from lxml.etree import HTMLParser

    collector = _Collector()
    parser = HTMLParser(target=collector, encoding="utf-8", huge_tree=True)
    text = _decode(body, content_type)
    for start in range(
        0, len(text) or 1, STEP_CHARS
    ):  # all at once it would be held three times more
        parser.feed(text[start : start + STEP_CHARS].encode("utf-8", "replace"))
    parser.close()
    base = _join(url, collector.base) or url
    return _within(MAX_LINKS_BYTES, (_join(base, href) for href in set(collector.hrefs)))


def _within(max_bytes: int, urls: Iterable[str]) -> list[str]:
    """Sorted, each once. Raises: `TooLargeError` as soon as they are too long together.

    A long `<base href>` before many short links would make gigabytes of a small page.
    """
    kept: set[str] = set()
    size_bytes = 0
    for url in urls:
        if url and url not in kept:
            kept.add(url)
            size_bytes += len(url)
            if size_bytes > max_bytes:
                raise TooLargeError(f"its links are longer than {max_bytes} bytes together")
    return sorted(kept)


def _decode(body: bytes, content_type: str) -> str:
    from w3lib.encoding import html_to_unicode

    try:
        return str(html_to_unicode(content_type, body)[1])
    except (LookupError, UnicodeError):  # Python knows base64, idna and more as charsets
        return body.decode("utf-8", "replace")


def _join(base: str, href: str) -> str:
    cleaned = "".join(href.split()) if "\n" in href or "\t" in href else href.strip()
    try:
        return urljoin(base, cleaned)
    except ValueError:
        return ""


@dataclass(frozen=True, slots=True)
class Sitemap:
    """What a sitemap file lists."""

    pages: tuple[str, ...]
    sitemaps: tuple[str, ...]


def read_sitemap(body: bytes, *, max_bytes: int) -> Sitemap:
    """Entries of a sitemap or an index of sitemaps, gzipped or not; broken XML as far as it reads.

    Raises: `ValueError` when the file is no sitemap at all, or lists too much.
    """
    from lxml.etree import XMLParser, XMLSyntaxError

    content = unzip(body, max_bytes=max_bytes) if body.startswith(b"\x1f\x8b") else body
    listed = _Listed()
    parser = XMLParser(target=listed, recover=True, resolve_entities=False, no_network=True)
    try:
        parser.feed(content.strip())
        parser.close()
    except XMLSyntaxError as error:
        raise ValueError(f"not XML: {error}") from error
    if not content.strip():
        raise ValueError("not XML: it is empty")
    if listed.kind not in ("urlset", "sitemapindex"):
        raise ValueError(f"expected urlset or sitemapindex, found {listed.kind or 'no XML'}")
    urls = tuple(_within(MAX_LISTED_BYTES, (canonical(entry) or "" for entry in listed.entries)))
    return Sitemap(urls, ()) if listed.kind == "urlset" else Sitemap((), urls)


class _Listed:
    """Target of lxml's event parser: a tree of a sitemap of 50 MB would take half a gigabyte."""

    def __init__(self) -> None:
        self.kind = ""
        """Name of the root, without its namespace."""
        self.entries: list[str] = []
        self.depth = self.size_bytes = 0
        self.parts: list[str] | None = None

    def start(self, tag: str, _: dict[str, str]) -> None:
        """Called for every opening tag."""
        self.depth += 1
        name = tag.rpartition("}")[2]
        if self.depth == 1:
            self.kind = name
        self.parts = [] if self.depth == LOC_DEPTH and name == "loc" else None

    def data(self, text: str) -> None:
        """Called for every piece of text."""
        if self.parts is not None:
            self.parts.append(text)

    def end(self, _: str) -> None:
        """Called for every closing tag. Raises: `TooLargeError`."""
        self.depth -= 1
        if self.parts:
            self.entries.append("".join(self.parts))
            self.size_bytes += len(self.entries[-1])
            if self.size_bytes > MAX_LISTED_BYTES:
                raise TooLargeError(f"its entries are longer than {MAX_LISTED_BYTES} bytes")
        self.parts = None

    def close(self) -> None:
        """Called at the end of the file."""
