"""The crawl itself: robots.txt and sitemaps of each origin, then rounds of pages."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any
from urllib.parse import urljoin, urlsplit

from scrapy import Spider, signals
from scrapy.exceptions import StopDownload

from groundwork.crawl.addresses import PinningResolver
from groundwork.crawl.fetch import ACCEPTED, Fetcher, is_wanted
from groundwork.crawl.frontier import Frontier, Visit
from groundwork.crawl.job import Job, Outcome, Spool
from groundwork.crawl.ledger import settle
from groundwork.crawl.links import page_links, read_sitemap
from groundwork.crawl.outcomes import Fetched, RejectReason
from groundwork.crawl.render import open_renderer
from groundwork.crawl.robots import Robots, read_robots
from groundwork.crawl.urls import canonical, origin

MAX_ROBOTS_BYTES = 512 * 1024
"""RFC 9309, 2.5: at least 500 KiB must be read."""
MAX_SITEMAP_BYTES = 50 * 1024 * 1024
"""Limit of the sitemap protocol, https://www.sitemaps.org/protocol.html."""
ROBOTS_HOPS = 5
"""RFC 9309, 2.3.1.2: at least five redirects are followed."""


class PageSpider(Spider):  # type: ignore[misc]  # Scrapy is untyped here
    """Runs one `Job` and leaves its outcome in the spool."""

    name = "groundwork"

    def __init__(self, job: Job, spool: Spool) -> None:
        super().__init__(self.name)
        self.job, self.spool, self.config = job, spool, job.config
        self.frontier = Frontier(job.config, job.scope, job.wire)
        self.origins: dict[str, Robots] = {}
        self.sitemaps: set[str] = set()

    async def start(self) -> AsyncIterator[Any]:
        """Scrapy's entry point; it yields nothing, for rounds await their downloads themselves."""
        self._open()
        in_time = True
        try:
            browser = open_renderer(self.config, self._load, wanted=self.job.render)
            async with asyncio.timeout(self.config.max_total_s), browser as self.renderer:
                await self._crawl()
        except TimeoutError:
            in_time = False
        self.frontier.close(in_time=in_time)
        self._finish()
        return
        yield  # makes this the asynchronous generator that Scrapy wants

    def _open(self) -> None:
        from twisted.internet import reactor

        resolver = PinningResolver(reactor, local_allowed=self.job.local)
        download = self.crawler.engine.download_async
        self.fetcher = Fetcher(download, self.config, self.job.wire, resolver)
        self.crawler.signals.connect(self._check_type, signals.headers_received)

    def _check_type(self, headers: Any, request: Any) -> None:
        """Break off before the body when its type is of no use."""
        accepted = request.meta.get(ACCEPTED)
        header = (headers.get("Content-Type") or b"").decode("latin-1")
        if accepted is not None and not is_wanted(header, accepted):
            raise StopDownload(fail=False)

    async def _crawl(self) -> None:
        self.frontier.start(self.job.start_urls)
        for url in self.job.start_urls:
            await self._enter(url)
            await self._read_sitemap(urljoin(url, "sitemap.xml"), named=False)
        while visits := self.frontier.take():
            for visit in visits:
                await self._enter(visit.url)
            await self._fetch_all(visits)

    async def _enter(self, url: str) -> None:
        """Read robots.txt of the URL's origin once, keep its pace, and read its sitemaps."""
        place = origin(url)
        if place in self.origins:
            return
        robots = await self._read_robots(f"{place}/robots.txt")
        self.origins[place] = robots
        self._set_pace(url, robots)
        for sitemap in robots.sitemaps:
            await self._read_sitemap(urljoin(url, sitemap), named=True)
        await self._read_sitemap(f"{place}/sitemap.xml", named=False)

    async def _read_robots(self, url: str) -> Robots:
        for _ in range(ROBOTS_HOPS + 1):
            fetched, body = await self.fetcher.get(url, max_bytes=MAX_ROBOTS_BYTES)
            if not fetched.location or self.frontier.scope.refusal(fetched.location) == "offsite":
                break
            url = fetched.location
        return read_robots(fetched, body, user_agent=self.config.user_agent)

    def _set_pace(self, url: str, robots: Robots) -> None:
        """Give the host's download slot its delay before the slot's first page."""
        delay_s = robots.pace_s(self.config, mirrored=bool(self.job.wire.public))
        host = urlsplit(self.job.wire.to_wire(url)).hostname
        downloader = self.crawler.engine.downloader
        slot = {"delay": delay_s, "concurrency": self.config.concurrency}
        known = downloader.per_slot_settings.get(host, {"delay": 0.0})
        if slot["delay"] >= known["delay"]:
            downloader.per_slot_settings[host] = slot
            downloader.slots.pop(host, None)  # the request for robots.txt opened it without pace

    async def _read_sitemap(self, url: str, *, named: bool) -> None:
        """Note the entries of a sitemap. A named one that fails is a reject; a guess is not."""
        spelled = canonical(url)
        if spelled is None:
            return
        public = self.job.wire.to_public(spelled)
        offsite = self.frontier.scope.refusal(public) == RejectReason.OFFSITE
        if offsite or public in self.sitemaps or len(self.sitemaps) >= self.config.max_sitemaps:
            return
        self.sitemaps.add(public)
        fetched, body = await self.fetcher.get(public, max_bytes=MAX_SITEMAP_BYTES)
        try:
            if fetched.reason or fetched.location:
                raise ValueError(fetched.detail or f"redirects to {fetched.location}")
            sitemap = read_sitemap(body, max_bytes=MAX_SITEMAP_BYTES)
        except ValueError as error:
            if named:
                self.frontier.found.add(public)
                reason = fetched.reason or RejectReason.CONTENT_TYPE
                self.frontier.refuse(public, reason, f"sitemap: {error}")
            return
        for page in sitemap.pages:
            self.frontier.link(page, depth=1)
        for other in sitemap.sitemaps:
            await self._read_sitemap(other, named=True)

    async def _fetch_all(self, visits: Sequence[Visit]) -> None:
        """Fetch a round with as many workers as the hosts take requests at once."""
        queue = iter(visits)
        count = self.config.concurrency * len(self.frontier.scope.hosts)
        async with asyncio.TaskGroup() as group:
            for _ in range(min(count, len(visits))):
                group.create_task(self._work(queue))

    async def _work(self, queue: Iterator[Visit]) -> None:
        for visit in queue:
            await self._visit(visit)
            self._progress()

    async def _visit(self, visit: Visit) -> None:
        robots = self.origins[origin(visit.url)]
        if not robots.allows(visit.url):
            detail = robots.detail or f"disallowed for {robots.agent} by robots.txt"
            self.frontier.refuse(visit.url, robots.closed or RejectReason.ROBOTS, detail)
            return
        accepted = frozenset(self.config.content_types)
        fetched, body = await self.fetcher.get(
            visit.url, accepted=accepted, max_bytes=self.config.max_body_bytes
        )
        if self.renderer and body and "html" in fetched.content_type:
            fetched, body = await self.renderer.render(fetched, body)
        self.frontier.record(visit, fetched)
        if fetched.reason or fetched.location:
            return
        self.spool.write_body(fetched.sha256, body)
        if "html" in fetched.content_type:
            header = f"{fetched.content_type}; charset={fetched.charset}"
            for link in page_links(body, content_type=header, url=visit.url):
                self.frontier.link(link, depth=visit.depth + 1)

    async def _load(self, url: str) -> tuple[Fetched, bytes]:
        """What a page asks for while a browser shows it: robots.txt, pace and caps count."""
        for _ in range(self.config.max_redirects + 1):
            await self._enter(url)
            if not self.origins[origin(url)].allows(url):
                return Fetched(url, 0, "", RejectReason.ROBOTS), b""
            fetched, body = await self.fetcher.get(url, max_bytes=self.config.max_body_bytes)
            if not fetched.location:
                return fetched, body
            url = fetched.location
        return fetched, b""

    def _progress(self) -> None:
        frontier = self.frontier
        found = len(frontier.found)
        settled = min(found, len(frontier.fetched) + len(frontier.refused))  # hops count along
        numbers = {"kept": frontier.kept, "settled": settled, "found": found}
        sys.stdout.write(json.dumps(numbers) + "\n")
        sys.stdout.flush()

    def _finish(self) -> None:
        ledger = settle(self.frontier, robots=self._verdict)
        outside = self.frontier.outside
        self.spool.write_outcome(
            Outcome(
                tuple(ledger.pages),
                tuple(ledger.rejects),
                tuple(ledger.fetches),
                offsite=len(outside[RejectReason.OFFSITE]),
                excluded=len(outside[RejectReason.EXCLUDED]),
            )
        )

    def _verdict(self, url: str) -> str:
        robots = self.origins.get(origin(url))
        return robots.verdict if robots else "none"
