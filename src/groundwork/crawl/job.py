"""What the parent tells the crawling process and what it gets back: files of one spool folder.

`job.json` goes in; `result.json` and `bodies/<sha256>` come out. Standard output carries one
line of progress per URL.
"""

from dataclasses import asdict, dataclass
from pathlib import Path

from groundwork.artifacts import from_mapping, read_json, write_json
from groundwork.crawl.config import CrawlConfig
from groundwork.crawl.outcomes import Fetch, Fetched
from groundwork.crawl.urls import Scope, Wire
from groundwork.records import Reject


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
    render: bool = False
    """Whether HTML pages are shown to a browser."""

    @property
    def scope(self) -> Scope:
        """The hosts of the start URLs, and the path prefixes."""
        hosts = frozenset(url.split("/")[2] for url in self.start_urls)
        return Scope(hosts, self.include, self.exclude)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the crawling process found."""

    pages: tuple[Fetched, ...]
    rejects: tuple[Reject, ...]
    fetches: tuple[Fetch, ...]
    offsite: int
    excluded: int


@dataclass(frozen=True, slots=True)
class Spool:
    """The folder between the two processes."""

    folder: Path

    def write_job(self, job: Job) -> None:
        """Called by the parent."""
        (self.folder / "bodies").mkdir()
        write_json(self.folder / "job.json", asdict(job))

    def read_job(self) -> Job:
        """Called by the crawling process."""
        return from_mapping(Job, read_json(self.folder / "job.json"))

    def write_body(self, sha256: str, body: bytes) -> None:
        """Keep a page's body; equal bodies are kept once."""
        (self.folder / "bodies" / sha256).write_bytes(body)

    def read_body(self, sha256: str) -> bytes:
        """Body of a page."""
        return (self.folder / "bodies" / sha256).read_bytes()

    def write_outcome(self, outcome: Outcome) -> None:
        """The last act of the crawling process."""
        write_json(self.folder / "result.json", asdict(outcome))

    def read_outcome(self) -> Outcome | None:
        """None when the crawling process broke off."""
        path = self.folder / "result.json"
        return from_mapping(Outcome, read_json(path)) if path.exists() else None
