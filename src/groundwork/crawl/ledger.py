"""The end of the books: every URL that was found becomes one page or one reject."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace

from groundwork.crawl.frontier import Frontier
from groundwork.crawl.outcomes import Fetch, Fetched, RejectReason
from groundwork.records import Reject


@dataclass(frozen=True, slots=True)
class Ledger:
    """Sorted by URL; `pages` are described by their `Fetched`, bodies lie elsewhere."""

    pages: list[Fetched]
    rejects: list[Reject]
    fetches: list[Fetch]


@dataclass(frozen=True, slots=True)
class Route:
    """A found URL and the redirects from it to where it ends."""

    hops: tuple[str, ...]
    """URLs in the order of requests; the last one is the end."""
    reason: str
    """Empty when the route ends in a page."""
    detail: str

    @property
    def end(self) -> str:
        """URL after redirects."""
        return self.hops[-1]


def settle(frontier: Frontier, *, robots: Callable[[str], str]) -> Ledger:
    """Follow each found URL to its end; of several that end in one page, one route is the page.

    The page's own URL comes first, then the shortest chain of redirects, then the alphabet. The
    others are `duplicate_url`. `robots` gives the verdict for a URL that was requested.
    """
    routes = {url: _follow(url, frontier) for url in sorted(frontier.found)}
    by_page: dict[str, list[Route]] = defaultdict(list)
    for route in routes.values():
        if not route.reason:
            by_page[route.end].append(route)
    chosen = {end: min(found, key=_preference) for end, found in by_page.items()}
    rejects = [
        Reject(url, route.reason or RejectReason.DUPLICATE_URL, _detail(url, route))
        for url, route in routes.items()
        if route.reason or chosen[route.end] is not route
    ]
    pages = [frontier.fetched[url] for url in sorted(chosen)]
    assert len(pages) + len(rejects) == len(frontier.found)
    fetches = [_fetch(chosen[page.url], page, robots(page.url)) for page in pages]
    for url, route in routes.items():
        if route.reason or chosen[route.end] is not route:
            fetches.append(_rejected_fetch(url, route, frontier, robots))
    return Ledger(pages, rejects, sorted(fetches, key=lambda fetch: fetch.url))


def _preference(route: Route) -> tuple[int, tuple[str, ...]]:
    return len(route.hops), route.hops


def _follow(url: str, frontier: Frontier) -> Route:
    hops = [url]
    while True:
        here = hops[-1]
        if here in frontier.refused:
            return Route(tuple(hops), *frontier.refused[here])
        fetched = frontier.fetched[here]
        if fetched.reason:
            return Route(tuple(hops), fetched.reason, fetched.detail)
        if not fetched.location:
            return _page_route(tuple(hops), frontier)
        if fetched.location in hops:
            return Route(tuple(hops), RejectReason.REDIRECT_LOOP, f"back to {fetched.location}")
        hops.append(fetched.location)


def _page_route(hops: tuple[str, ...], frontier: Frontier) -> Route:
    if frontier.scope.refusal(hops[-1]) is None:
        return Route(hops, "", "")
    return Route(hops, RejectReason.EXCLUDED, "start URL outside include: read for its links")


def _detail(url: str, route: Route) -> str:
    if url == route.end:
        return route.detail
    words = f"redirects to {route.end}"
    return f"{words}: {route.detail}" if route.detail else f"{words}, a page of its own"


def _fetch(route: Route, page: Fetched, robots: str) -> Fetch:
    """Line of the log for a page."""
    return Fetch(
        url=page.url,
        requested_url=route.hops[0],
        status=page.status,
        fetched_at=page.fetched_at,
        etag=page.etag,
        last_modified=page.last_modified,
        robots=robots,
        latency_ms=page.latency_ms,
        size_bytes=page.size_bytes,
        sha256=page.sha256,
        redirects=route.hops[:-1],
        attempts=page.attempts,
    )


def _rejected_fetch(
    url: str, route: Route, frontier: Frontier, robots: Callable[[str], str]
) -> Fetch:
    """Line of the log for a found URL that is no page; status 0 when nothing was requested."""
    fetched = frontier.fetched.get(url) or Fetched(url, 0, "", attempts=0)
    verdict = robots(url)
    if verdict == "allowed" and frontier.refused.get(url, ("", ""))[0] == RejectReason.ROBOTS:
        verdict = "disallowed"
    return replace(_fetch(route, fetched, verdict), redirects=route.hops[1:])
