"""Links in a page and entries of a sitemap; both without building a tree of the page."""

import codecs
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urljoin

from groundwork.crawl.gzipped import TooLargeError, unzipped
from groundwork.crawl.tags import Data, Tag, opening_tags, unescape_value
from groundwork.crawl.urls import MAX_URL_CHARS, canonical

MAX_LINKS_BYTES = 4 << 20
"""What the links of a page may take: a thousand times what a large page has."""
LINK_BYTES = 64
"""What Python takes for a link beside its characters."""
MAX_LISTED_BYTES = 32 << 20
"""What the entries of a sitemap may take: the protocol allows 50,000 and 50 MB with all else."""
HEAD_BYTES = 4096
"""Where a page may declare its charset."""
STEP_BYTES = 1 << 16
_TAGS = frozenset({b"a", b"area", b"base", b"link", b"meta"})
_ATTRIBUTES = frozenset({b"content", b"href", b"hreflang", b"http-equiv", b"rel"})
_SYNTAX = "<!-- ='\"/-->az"
_SHIFTING = ("hz", "iso2022", "utf-7")
"""Charsets in which an ASCII byte may be part of another letter."""
LOC_DEPTH = 3
"""`loc` stands in `url` or `sitemap`, which stands in the root."""


@dataclass(slots=True)
class _Found:
    """Where the tags of a page lead."""

    charset: str
    base: str = ""
    hrefs: set[str] = field(default_factory=set)
    size_bytes: int = 0

    def take(self, tag: Tag) -> None:
        """Read one tag. Raises: `TooLargeError` when the links, or their base, take too much."""
        values = tag.attributes(_ATTRIBUTES, max_bytes=MAX_URL_CHARS)
        attributes = {name.decode(): self._text(value or b"") for name, value in values.items()}
        href = attributes.get("href", "")
        if tag.name == b"base":
            if not self.base and values.get(b"href", b"") is None:
                raise TooLargeError(f"its base address is longer than {MAX_URL_CHARS} bytes")
            self.base = self.base or href
        elif tag.name == b"meta":
            if attributes.get("http-equiv", "").lower() == "refresh":
                self._add(_refresh_url(attributes.get("content", "")))
        elif tag.name != b"link" or _leads_to_page(attributes):
            self._add(href)

    def _text(self, value: bytes) -> str:
        text = value.decode(self.charset, "replace").replace("\0", "\ufffd")
        return unescape_value(text)

    def _add(self, href: str) -> None:
        if href and href not in self.hrefs:
            self.hrefs.add(href)
            self.size_bytes += len(href) + LINK_BYTES
            if self.size_bytes > MAX_LINKS_BYTES:
                raise TooLargeError(f"its links are longer than {MAX_LINKS_BYTES} bytes together")


def _leads_to_page(attributes: dict[str, str]) -> bool:
    relations = set(attributes.get("rel", "").lower().split())
    if "alternate" in relations:  # a translation; without hreflang it is a feed or a style
        return "hreflang" in attributes
    return bool(relations & {"canonical", "next", "prev"})


def _refresh_url(content: str) -> str:
    key, _, url = content.partition(";")[2].strip().partition("=")
    return url.strip().strip("'\"") if key.strip().lower() == "url" else ""


def page_links(body: bytes, *, content_type: str, url: str) -> list[str]:
    """Absolute URLs that an HTML page leads to, sorted, each once; canonical and hreflang included.

    `content_type` is the header with its charset; a charset that lies or does not exist is
    replaced by what the page says or, failing that, by UTF-8.

    Raises: `TooLargeError` when the links take more than `MAX_LINKS_BYTES`.
    """
    data, charset = _ascii_markup(body, content_type)
    found = _Found(charset)
    for tag in opening_tags(data, _TAGS):
        found.take(tag)
    base = _join(url, found.base) or url
    return _within(MAX_LINKS_BYTES, (_join(base, href) for href in found.hrefs))


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


def _ascii_markup(body: bytes, content_type: str) -> tuple[Data, str]:
    """Bytes whose markup is ASCII, and their charset: the body itself wherever it is so."""
    from w3lib.encoding import html_to_unicode

    try:
        charset = codecs.lookup(html_to_unicode(content_type, body[:HEAD_BYTES])[0]).name
        plain = _SYNTAX.encode(charset) == _SYNTAX.encode("ascii")
    except (LookupError, UnicodeError):  # Python knows base64, idna and more as charsets
        return body, "utf-8"
    if plain and not charset.startswith(_SHIFTING):
        return body, charset
    decoder = codecs.getincrementaldecoder(charset)("replace")
    data = bytearray()
    for start in range(0, len(body), STEP_BYTES):
        text = decoder.decode(body[start : start + STEP_BYTES])
        data += text.encode("utf-8", "replace")
    return data, "utf-8"


def _join(base: str, href: str) -> str:
    broken = any(letter in href for letter in "\n\r\t")
    cleaned = "".join(href.split()) if broken else href.strip()
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

    listed = _Listed()
    parser = XMLParser(target=listed, recover=True, resolve_entities=False, no_network=True)
    begun = False
    try:
        for part in _parts(body, max_bytes):
            part = part if begun else part.lstrip()
            begun = begun or bool(part)
            parser.feed(part)
        parser.close()
    except XMLSyntaxError as error:
        raise ValueError(f"not XML: {error}") from error
    if not begun:
        raise ValueError("not XML: it is empty")
    if listed.kind not in ("urlset", "sitemapindex"):
        raise ValueError(f"expected urlset or sitemapindex, found {listed.kind or 'no XML'}")
    urls = tuple(_within(MAX_LISTED_BYTES, (canonical(entry) or "" for entry in listed.entries)))
    return Sitemap(urls, ()) if listed.kind == "urlset" else Sitemap((), urls)


def _parts(body: bytes, max_bytes: int) -> Iterator[bytes]:
    if body.startswith(b"\x1f\x8b"):
        yield from unzipped(body, max_bytes=max_bytes)
    else:
        yield from (body[at : at + STEP_BYTES] for at in range(0, len(body), STEP_BYTES))


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
            self.size_bytes += len(self.entries[-1]) + LINK_BYTES
            if self.size_bytes > MAX_LISTED_BYTES:
                raise TooLargeError(f"its entries are longer than {MAX_LISTED_BYTES} bytes")
        self.parts = None

    def close(self) -> None:
        """Called at the end of the file."""
