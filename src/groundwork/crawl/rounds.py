"""The crawl itself: robots.txt and sitemaps of each origin, then rounds of pages.

It runs in the parent, which alone keeps the books: a link from one host to another is handed to
the process that owns the other, and the result does not depend on how many processes there are.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any, Protocol
from urllib.parse import urljoin, urlsplit

from groundwork.crawl.conditional import NOT_MODIFIED, renewed, validators
from groundwork.crawl.frontier import Frontier, Visit
from groundwork.crawl.job import Answer, Ask, Job, Kind
from groundwork.crawl.ledger import Ledger, settle
from groundwork.crawl.outcomes import RejectReason
from groundwork.crawl.robots import ROBOTS_HOPS, Robots, read_robots
from groundwork.crawl.store import Store
from groundwork.crawl.urls import canonical, origin


class Fetches(Protocol):
    """Who answers; see `Fleet`."""

    async def ask(self, ask: Ask) -> Answer:
        """Fetch one URL."""


class Rounds:
    """One crawl of a source, from its start URLs to its end."""

    def __init__(
        self, job: Job, *, store: Store, fleet: Fetches, show: Callable[[Frontier], None]
    ) -> None:
        self.job, self.config, self.store, self.fleet, self.show = (
            job,
            job.config,
            store,
            fleet,
            show,
        )
        self.frontier = Frontier(job.config, job.scope, job.wire)
        self.origins: dict[str, Robots] = {}
        self.paces: dict[str, float] = {}
        """Host to the seconds between two requests that its robots.txt asks for."""
        self.sitemaps: set[str] = set()
        self.ledger = Ledger([], [], [])
        """Filled at the end."""
        self._asked: dict[tuple[str, str], asyncio.Task[Answer]] = {}

    async def run(self) -> None:
        """Crawl until there is nothing left or the time is over."""
        in_time = True
        try:
            async with asyncio.timeout(self.config.max_total_s):
                await self._crawl()
        except TimeoutError:
            in_time = False
        self.frontier.close(in_time=in_time)
        self.ledger = settle(self.frontier, robots=self._verdict)

    def _verdict(self, url: str) -> str:
        robots = self.origins.get(origin(url))
        return robots.verdict if robots else ""

    async def _crawl(self) -> None:
        self.frontier.start(self.job.start_urls)
        await self._enter(self.job.start_urls)
        for url in self.job.start_urls:
            await self._read_sitemap(urljoin(url, "sitemap.xml"), named=False)
        while visits := self.frontier.take():
            await self._enter([visit.url for visit in visits])
            await self._fetch_all(visits)

    async def _enter(self, urls: Iterable[str]) -> None:
        """Read robots.txt of each new origin, keep its pace, and read its sitemaps."""
        places = {origin(url): url for url in urls if origin(url) not in self.origins}
        await _together([self._read_robots(place) for place in places])
        for place, url in places.items():
            for sitemap in self.origins[place].sitemaps:
                await self._read_sitemap(urljoin(url, sitemap), named=True)
            await self._read_sitemap(f"{place}/sitemap.xml", named=False)

    async def _read_robots(self, place: str) -> None:
        answer = await self._follow(Kind.ROBOTS, f"{place}/robots.txt", inside=False)
        sha256 = answer.fetched.sha256
        body = self.store.bodies.read(sha256) if sha256 else b""
        robots = read_robots(answer.fetched, body, user_agent=self.config.user_agent)
        self.origins[place] = robots
        pace_s = robots.pace_s(self.config, mirrored=bool(self.job.wire.public))
        self.paces[_host(place)] = max(pace_s, self.paces.get(_host(place), 0.0))

    async def _follow(self, kind: Kind, url: str, *, inside: bool) -> Answer:
        """Ask, and follow redirects; `inside` keeps to the hosts of the site."""
        for _ in range(ROBOTS_HOPS + 1):
            answer = await self._ask_once(kind, url)
            url = answer.fetched.location
            if not url or (inside and self._is_offsite(url)):
                break
        return answer

    def _is_offsite(self, url: str) -> bool:
        return self.frontier.scope.refusal(url) == RejectReason.OFFSITE

    async def _ask_once(self, kind: Kind, url: str) -> Answer:
        """One request, though several redirects may lead there at the same time."""
        if (kind, url) not in self._asked:
            self._asked[kind, url] = asyncio.create_task(self._ask(kind, url))
        return await self._asked[kind, url]

    async def _ask(self, kind: Kind, url: str) -> Answer:
        """From the crawl that broke off, else from the site, conditionally where that can be."""
        if kept := self.store.resumed.get(kind, url):
            return kept
        # A page that is shown to a browser may say something new though its source is the same.
        known = None if self.job.render else self.store.known.get(kind, url)
        etag, last_modified = validators(known.fetched) if known else ("", "")
        mirrored = bool(self.job.wire.public)
        own_s = self.config.mirror_delay_s if mirrored else self.config.delay_s
        pace_s = self.paces.get(_host(url), own_s)
        answer = await self.fleet.ask(Ask(kind, url, pace_s, etag, last_modified))
        if known and answer.fetched.status == NOT_MODIFIED:
            answer = renewed(known, answer.fetched)
        self.store.record(answer)
        return answer

    async def _read_sitemap(self, url: str, *, named: bool) -> None:
        """Note the entries of a sitemap. A named one that fails is a reject; a guess is not."""
        spelled = canonical(url)
        if spelled is None:
            return
        public = self.job.wire.to_public(spelled)
        robots = self.origins.get(origin(public))
        barred = robots is not None and not (robots.allows(public) or (named and not robots.closed))
        full = len(self.sitemaps) >= self.config.max_sitemaps
        if self._is_offsite(public) or public in self.sitemaps or full or barred:
            return
        self.sitemaps.add(public)
        answer = await self._follow(Kind.SITEMAP, public, inside=True)
        if not answer.fetched.sha256:
            if named:
                self._refuse_sitemap(public, answer)
            return
        for page in answer.links:
            self.frontier.link(page, depth=1)
        for other in answer.sitemaps:
            await self._read_sitemap(other, named=True)

    def _refuse_sitemap(self, url: str, answer: Answer) -> None:
        fetched = answer.fetched
        self.frontier.found.add(url)
        detail = fetched.detail or f"redirects to {fetched.location}"
        self.frontier.refuse(url, fetched.reason or RejectReason.CONTENT_TYPE, f"sitemap: {detail}")

    async def _fetch_all(self, visits: Sequence[Visit]) -> None:
        """Fetch a round: hosts side by side, each with as many requests as it takes at once."""
        by_host: dict[str, deque[Visit]] = {}
        for visit in visits:
            by_host.setdefault(_host(visit.url), deque()).append(visit)
        await _together(
            self._work(queue) for queue in by_host.values() for _ in range(self.config.concurrency)
        )

    async def _work(self, queue: deque[Visit]) -> None:
        while queue:
            await self._visit(queue.popleft())
            self.show(self.frontier)

    async def _visit(self, visit: Visit) -> None:
        robots = self.origins[origin(visit.url)]
        if not robots.allows(visit.url):
            detail = robots.detail or f"disallowed for {robots.agent} by robots.txt"
            self.frontier.refuse(visit.url, robots.closed or RejectReason.ROBOTS, detail)
            return
        answer = await self._ask(Kind.PAGE, visit.url)
        self.frontier.record(visit, answer.fetched)
        if not answer.fetched.reason:
            for link in answer.links:
                self.frontier.link(link, depth=visit.depth + 1)


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""


async def _together(coroutines: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Await all; the first failure cancels the others and is raised as it is."""
    try:
        async with asyncio.TaskGroup() as group:
            for coroutine in coroutines:
                group.create_task(coroutine)
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
