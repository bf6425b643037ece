"""What becomes of a URL: the reasons of rejects, the line of the fetch log, the crawl's result."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum

from groundwork.records import Page, Reject


class RejectReason(StrEnum):
    """Why a URL that the crawl found is not a page."""

    BAD_DATA = "bad_data"
    CONTENT_TYPE = "content_type"
    DEPTH = "depth"
    DUPLICATE_URL = "duplicate_url"
    EXCLUDED = "excluded"
    HTTP_ERROR = "http_error"
    NO_URL = "no_url"
    OFFSITE = "offsite"
    OUTSIDE = "outside"
    PAGE_CAP = "page_cap"
    PAGINATION_LOOP = "pagination_loop"
    PRIVATE_ADDRESS = "private_address"
    REDIRECT_LOOP = "redirect_loop"
    RENDER = "render"
    ROBOTS = "robots"
    SCHEME = "scheme"
    TIME_CAP = "time_cap"
    TIMEOUT = "timeout"
    TOO_LARGE = "too_large"
    UNREACHABLE = "unreachable"
    UNREADABLE = "unreadable"


FAILURES = frozenset(
    {
        RejectReason.BAD_DATA,
        RejectReason.HTTP_ERROR,
        RejectReason.NO_URL,
        RejectReason.PAGINATION_LOOP,
        RejectReason.REDIRECT_LOOP,
        RejectReason.RENDER,
        RejectReason.TIME_CAP,
        RejectReason.TIMEOUT,
        RejectReason.TOO_LARGE,
        RejectReason.UNREACHABLE,
        RejectReason.UNREADABLE,
    }
)
"""Pages that were wanted and did not come; the other reasons are the user's or the site's wish."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """What one URL answered. `reason` is empty for a page and for a redirect."""

    url: str
    status: int
    """0 when no response came."""
    fetched_at: str
    """ISO 8601, UTC."""
    reason: str = ""
    detail: str = ""
    location: str = ""
    """Public URL that a redirect leads to."""
    content_type: str = ""
    charset: str = ""
    etag: str = ""
    last_modified: str = ""
    date: str = ""
    """The server's clock; tells whether `last_modified` can be relied on."""
    latency_ms: int = 0
    size_bytes: int = 0
    sha256: str = ""
    attempts: int = 1


@dataclass(frozen=True, slots=True)
class Fetch:
    """A line of `fetch_log.jsonl`: what no stage depends on, and an audit asks for."""

    url: str
    """Public URL after redirects; unique in the log."""
    requested_url: str
    """URL that was found and led here."""
    status: int
    fetched_at: str
    etag: str
    last_modified: str
    robots: str
    """`allowed`, `disallowed`, `none` when the host has no robots.txt, `unreachable` when nobody
    knows what it says, `ignored` by order of the source, `not_asked` for files and repositories,
    empty when a crawl never came to ask."""
    latency_ms: int
    size_bytes: int
    sha256: str
    redirects: tuple[str, ...]
    """URLs from `requested_url` on that redirected here; of a reject, URLs it redirects to."""
    attempts: int


Keep = Callable[[Iterator[Page]], Collection[Page]]
"""Takes the pages one after the other and gives them back for as many iterations as wanted."""


@dataclass(frozen=True, slots=True)
class CrawlResult:
    """Every URL found is one page or one reject; all three are sorted by URL."""

    pages: Collection[Page]
    rejects: list[Reject]
    fetches: list[Fetch]
    offsite: int
    """Distinct URLs of other hosts that pages link to; not followed, not listed."""
    excluded: int
    """Distinct URLs outside `include` or inside `exclude`; not followed, not listed."""

    def failed(self) -> int:
        """Number of rejects that are failures rather than policy."""
        return sum(reject.reason in FAILURES for reject in self.rejects)
