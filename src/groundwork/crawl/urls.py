"""URLs: one spelling each, inside or outside the site, public or on loopback."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from mimetypes import MimeTypes
from posixpath import splitext
from urllib.parse import unquote, urljoin, urlsplit, urlunsplit

from groundwork.crawl.outcomes import RejectReason

DEFAULT_PORTS = {"http": 80, "https": 443}
UNRESERVED = re.compile(r"%([0-9A-Fa-f]{2})")
MAX_URL_CHARS = 8192
"""Servers need not take more than 8,000 (RFC 9110, 4.1); what is longer is no address."""
BUILTIN_TYPES = MimeTypes(filenames=())
"""Python's own table: the machine's mime.types must not decide what is a page."""


@lru_cache(maxsize=1 << 16)  # every page links to the same navigation
def canonical(url: str, tracking: tuple[str, ...] = ()) -> str | None:
    """One spelling of an http(s) URL, or None for other schemes and for what is no URL.

    Drops the fragment, credentials, default port and tracking parameters; lower-cases the host
    (IDNA), resolves dot segments, and normalises percent-encoding. Keeps order and slashes.
    """
    from w3lib.url import safe_url_string

    if len(url) > MAX_URL_CHARS:
        return None
    try:
        parts = urlsplit(safe_url_string(url.strip()))
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if parts.scheme not in DEFAULT_PORTS or not host or not host.isascii():
        return None  # a host with other letters is no name, or IDNA would have spelled it
    netloc = f"[{host}]" if ":" in host else host
    if port not in (None, DEFAULT_PORTS[parts.scheme]):
        netloc = f"{netloc}:{port}"
    query = "&".join(item for item in parts.query.split("&") if not _is_tracking(item, tracking))
    path = UNRESERVED.sub(_decode_unreserved, parts.path) or "/"
    if "/." in path:
        path = urlsplit(urljoin(f"http://{netloc}/", path)).path
    return urlunsplit((parts.scheme, netloc, path, query, ""))


def _is_tracking(item: str, tracking: Sequence[str]) -> bool:
    name = unquote(item.partition("=")[0]).lower()
    return any(fnmatchcase(name, pattern) for pattern in tracking)


def _decode_unreserved(match: re.Match[str]) -> str:
    character = chr(int(match[1], 16))
    if character.isascii() and (character.isalnum() or character in "-._~"):
        return character
    return match[0].upper()


def origin(url: str) -> str:
    """Scheme, host and port of a canonical URL."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def unwanted_extension(url: str, content_types: Sequence[str]) -> str:
    """The URL's extension when it promises a type that is not kept, such as `.zip`, else empty."""
    from scrapy.linkextractors import IGNORED_EXTENSIONS

    extension = splitext(urlsplit(url).path)[1].lower()
    if extension.lstrip(".") not in IGNORED_EXTENSIONS:
        return ""
    promised = BUILTIN_TYPES.guess_type(f"file{extension}")[0]
    return "" if promised in content_types else extension


@dataclass(frozen=True, slots=True)
class Scope:
    """What belongs to the site: hosts with their ports, and path prefixes."""

    hosts: frozenset[str]
    include: tuple[str, ...]
    exclude: tuple[str, ...]

    def refusal(self, url: str) -> RejectReason | None:
        """OFFSITE, EXCLUDED, or None for a canonical URL of the site."""
        parts = urlsplit(url)
        if parts.netloc not in self.hosts:
            return RejectReason.OFFSITE
        path = unquote(parts.path)
        if self.include and not any(_below(path, prefix) for prefix in self.include):
            return RejectReason.EXCLUDED
        if any(_below(path, prefix) for prefix in self.exclude):
            return RejectReason.EXCLUDED
        return None


def _below(path: str, prefix: str) -> bool:
    """Whether `path` starts with `prefix`; `/en` is below `/en/`."""
    wanted = unquote(prefix)
    return path.startswith(wanted) or f"{path}/" == wanted


@dataclass(frozen=True, slots=True)
class Wire:
    """The two names of a mirror: its public origin and the loopback server's.

    Both are empty for a live site, and every URL is then its own wire URL.
    """

    public: str
    loopback: str

    def to_wire(self, url: str) -> str:
        """The URL to request for a public URL."""
        if self.public and origin(url) == self.public:
            return self.loopback + url[len(self.public) :]
        return url

    def to_public(self, url: str) -> str:
        """The URL to record: also for the public host's other scheme (http for https)."""
        if not self.public:
            return url
        host = origin(url)
        if host == self.loopback or urlsplit(url).netloc == urlsplit(self.public).netloc:
            return self.public + url[len(host) :]
        return url
