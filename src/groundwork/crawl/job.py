"""What the parent tells a fetching process: the job, in a file, then one `Ask` a line.

Each `Ask` is answered by one line with an `Answer`, in any order; the body lies in the store.
"""

import json
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from pathlib import Path
from typing import Any

from groundwork.artifacts import code_version, sha256_bytes
from groundwork.crawl.config import CrawlConfig
from groundwork.crawl.outcomes import Fetched
from groundwork.crawl.urls import Scope, Wire


@dataclass(frozen=True, slots=True)
class Job:
    """A crawl of one source."""

    config: CrawlConfig
    start_urls: tuple[str, ...]
    """Canonical and public."""
    include: tuple[str, ...]
    exclude: tuple[str, ...]
    wire: Wire
    local: bool
    """Whether private and loopback addresses are allowed."""
    render: bool
    """Whether HTML pages are shown to a browser."""
    content: str
    """Of a mirror, a hash that changes with its files; of a live site, empty."""

    @property
    def scope(self) -> Scope:
        """The hosts of the start URLs, and the path prefixes."""
        hosts = frozenset(url.split("/")[2] for url in self.start_urls)
        return Scope(hosts, self.include, self.exclude)

    def source_key(self) -> str:
        """Names the source, however it is crawled."""
        return _hash([self.start_urls, self.wire.public])

    def answers_key(self) -> str:
        """Hash of all that an answer depends on beside the site: not the order, pace or caps."""
        config = self.config
        asked = [config.user_agent, config.content_types, config.tracking_params]
        caps = [config.max_body_bytes, config.timeout_s, config.retries, config.backoff_s]
        code = code_version(Path(__file__).parent)
        return _hash(
            [asked, caps, config.max_backoff_s, self.local, self.render, self.content, code]
        )


def _hash(value: Any) -> str:
    return sha256_bytes(json.dumps(value).encode())


class Kind(StrEnum):
    """What a URL is asked for."""

    PAGE = "page"
    ROBOTS = "robots"
    SITEMAP = "sitemap"
    LIST = "list"
    """A page of a feed or an answer of an API, or robots.txt on the way to one."""
    COMMIT = "commit"
    """A commit that was brought from a remote repository."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A URL to fetch."""

    kind: str
    url: str
    pace_s: float
    """Seconds between two requests to its host, at least."""
    etag: str
    last_modified: str
    """Validators of the answer that is known; empty when none is."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of an `Ask`."""

    kind: str
    fetched: Fetched
    links: tuple[str, ...]
    """Where a page leads, or the pages that a sitemap lists."""
    sitemaps: tuple[str, ...]
    """Sitemaps that a sitemap's index lists."""


def to_line(message: Ask | Answer) -> bytes:
    """One line of JSON."""
    row = {field.name: getattr(message, field.name) for field in fields(message)}
    if isinstance(message, Answer):  # `asdict` of the whole would copy every link
        row["fetched"] = asdict(message.fetched)
    return json.dumps(row, separators=(",", ":")).encode() + b"\n"


def read_ask(line: bytes) -> Ask:
    """The `Ask` of a line."""
    return Ask(**json.loads(line))


def read_answer(line: bytes) -> Answer:
    """The `Answer` of a line; written out, for `from_mapping` would look up types every time."""
    row = json.loads(line)
    fetched = Fetched(**row["fetched"])
    return Answer(row["kind"], fetched, tuple(row["links"]), tuple(row["sitemaps"]))
