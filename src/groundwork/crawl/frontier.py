"""What is known of a crawl: found, waiting, fetched and refused URLs.

The crawl runs in rounds: all URLs of a round are fetched before the next one is chosen, sorted.
So depth, page cap and rejects do not depend on the order in which responses arrive.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from groundwork.crawl.config import CrawlConfig
from groundwork.crawl.outcomes import Fetched, RejectReason
from groundwork.crawl.urls import Scope, Wire, canonical, unwanted_extension


@dataclass(frozen=True, slots=True, order=True)
class Visit:
    """A URL to fetch."""

    depth: int
    url: str
    hops: int
    """Redirects that led here in a row."""


@dataclass(slots=True)
class Frontier:
    """Keeps one state per URL; `settle` turns it into pages and rejects."""

    config: CrawlConfig
    scope: Scope
    wire: Wire
    found: set[str] = field(default_factory=set)
    """Start URLs, entries of sitemaps and links inside the scope: each ends as page or reject."""
    waiting: dict[str, Visit] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)
    fetched: dict[str, Fetched] = field(default_factory=dict)
    refused: dict[str, tuple[str, str]] = field(default_factory=dict)
    """URL to reason and detail, without a request; also targets of redirects."""
    deep: set[str] = field(default_factory=set)
    outside: dict[RejectReason, set[str]] = field(
        default_factory=lambda: {RejectReason.OFFSITE: set(), RejectReason.EXCLUDED: set()}
    )
    kept: int = 0
    """Pages so far."""
    settled: int = 0
    """Visits of the rounds so far that were answered or refused."""
    failed: int = 0
    """Those of them that were answered and are rejects."""

    def queued(self) -> int:
        """URLs known and not settled."""
        return len(self.waiting) + len(self.taken) - self.settled

    def rejected(self) -> int:
        """URLs settled as rejects so far."""
        return self.failed + len(self.refused)

    def start(self, urls: Iterable[str]) -> None:
        """Begin with these canonical URLs, even outside `include`: for their links."""
        for url in urls:
            self.found.add(url)
            self._wait(Visit(0, url, 0))

    def link(self, url: str, *, depth: int) -> None:
        """Note a URL that a page or sitemap names."""
        public = self._public(url)
        if public is None or self._is_old_news(public, depth):
            return
        if refusal := self.scope.refusal(public):
            if public not in self.found:
                self.outside[refusal].add(public)
            return
        self.found.add(public)
        if extension := unwanted_extension(public, self.config.content_types):
            self.refuse(public, RejectReason.CONTENT_TYPE, f"named {extension}; not requested")
        elif depth > self.config.max_depth:
            self.deep.add(public)
        else:
            self._wait(Visit(depth, public, 0))

    def _is_old_news(self, url: str, depth: int) -> bool:
        """Whether another link to a URL changes nothing: most links of a page are navigation."""
        if url not in self.found:
            return False
        waiting = self.waiting.get(url)
        nearer = waiting is not None and waiting <= Visit(depth, url, 0)
        return nearer or url in self.taken or url in self.refused

    def redirect(self, visit: Visit, target: str) -> None:
        """Let the target of a redirect wait, unless it is known or out of bounds."""
        if target in self.taken or target in self.refused:
            return
        if refusal := self.scope.refusal(target):
            self.refuse(target, refusal, "outside the site")
        elif extension := unwanted_extension(target, self.config.content_types):
            self.refuse(target, RejectReason.CONTENT_TYPE, f"named {extension}; not requested")
        else:
            self._wait(Visit(visit.depth, target, visit.hops + 1))

    def refuse(self, url: str, reason: str, detail: str) -> None:
        """Settle a URL without a request."""
        if url not in self.refused:
            self.settled += url in self.taken
            self.refused[url] = (reason, detail)
        self.waiting.pop(url, None)

    def record(self, visit: Visit, fetched: Fetched) -> None:
        """Settle a visit with its response."""
        if fetched.location and visit.hops >= self.config.max_redirects:
            detail = f"more than {self.config.max_redirects} redirects in a row"
            fetched = replace(
                fetched, reason=RejectReason.REDIRECT_LOOP, detail=detail, location=""
            )
        self.fetched[visit.url] = fetched
        self.settled += 1
        self.failed += bool(fetched.reason)
        if fetched.location:
            self.redirect(visit, fetched.location)
        elif not fetched.reason and self.scope.refusal(visit.url) is None:
            self.kept += 1

    def take(self) -> list[Visit]:
        """The next round: shallow first, then by URL, no more than pages may still be kept."""
        room = max(0, self.config.max_pages - self.kept)
        visits = sorted(self.waiting.values())[:room]
        for visit in visits:
            del self.waiting[visit.url]
            self.taken.add(visit.url)
        return visits

    def close(self, *, in_time: bool) -> None:
        """Settle everything that was not fetched."""
        cap = f"more than {self.config.max_pages} pages"
        late = f"not fetched within {self.config.max_total_s:g} s"
        reason = RejectReason.PAGE_CAP if in_time else RejectReason.TIME_CAP
        for url in sorted(self.waiting):
            self.refuse(url, reason, cap if in_time else late)
        for url in sorted(self.taken - set(self.fetched) - set(self.refused)):
            self.refuse(url, RejectReason.TIME_CAP, late)
        for url in sorted(self.deep - self.taken - set(self.refused)):
            detail = f"deeper than {self.config.max_depth} links"
            self.refuse(url, RejectReason.DEPTH, detail)

    def _public(self, url: str) -> str | None:
        spelled = canonical(url, tuple(self.config.tracking_params))
        return None if spelled is None else self.wire.to_public(spelled)

    def _wait(self, visit: Visit) -> None:
        if visit.url in self.taken or visit.url in self.refused:
            return
        known = self.waiting.get(visit.url)
        self.waiting[visit.url] = min(known, visit) if known else visit
