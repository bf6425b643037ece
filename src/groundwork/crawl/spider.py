"""The fetching process: answers each `Ask` that comes in on standard input.

What hostile bytes can hang or exhaust (unpacking, HTML, XML) happens here, not in the parent.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from scrapy import Spider, signals
from scrapy.exceptions import StopDownload

from groundwork.crawl.addresses import PinningResolver
from groundwork.crawl.assets import Assets
from groundwork.crawl.fetch import ACCEPTED, ROOM, Fetcher, Want, is_wanted
from groundwork.crawl.gzipped import TooLargeError
from groundwork.crawl.job import Answer, Ask, Job, Kind, read_ask, to_line
from groundwork.crawl.links import page_links, read_sitemap
from groundwork.crawl.outcomes import Fetched, RejectReason
from groundwork.crawl.render import open_renderer
from groundwork.crawl.robots import MAX_ROBOTS_BYTES
from groundwork.crawl.store import Bodies
from groundwork.crawl.throttle import keep_pace

MAX_SITEMAP_BYTES = 50 * 1024 * 1024
"""Limit of the sitemap protocol, https://www.sitemaps.org/protocol.html."""
LINE_BYTES = 1 << 20
"""Longest line with an `Ask`: a URL and two validators."""


class PageSpider(Spider):  # type: ignore[misc]  # Scrapy is untyped here
    """Answers until standard input ends, which it does when the parent is gone."""

    name = "groundwork"

    def __init__(self, job: Job, bodies: Bodies) -> None:
        super().__init__(self.name)
        self.job, self.bodies, self.config = job, bodies, job.config

    async def start(self) -> AsyncIterator[Any]:
        """Scrapy's entry point; it yields nothing, for answers await their downloads themselves."""
        self._open()
        browser = open_renderer(self.config, self.assets.load, wanted=self.job.render)
        async with browser as self.renderer:
            await self._answer_all()
        return
        yield  # makes this the asynchronous generator that Scrapy wants

    async def _answer_all(self) -> None:
        lines = asyncio.StreamReader(limit=LINE_BYTES)
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(lines), sys.stdin
        )
        async with asyncio.TaskGroup() as group:
            tasks = set()
            while line := await lines.readline():
                task = group.create_task(self._answer(read_ask(line)))
                tasks.add(task)
                task.add_done_callback(tasks.discard)
            for task in tasks:
                task.cancel()

    def _open(self) -> None:
        from twisted.internet import reactor

        resolver = PinningResolver(reactor, local_allowed=self.job.local)
        download = self.crawler.engine.download_async
        self.fetcher = Fetcher(download, self.config, self.job.wire, resolver)
        self.assets = Assets(self.job, self.fetcher, self._keep_pace)
        self.crawler.signals.connect(self._check_type, signals.headers_received)
        self.crawler.signals.connect(self._check_room, signals.bytes_received)

    def _check_type(self, headers: Any, request: Any) -> None:
        """Break off before the body when its type is of no use."""
        accepted = request.meta.get(ACCEPTED)
        header = (headers.get("Content-Type") or b"").decode("latin-1")
        if accepted is not None and not is_wanted(header, accepted):
            raise StopDownload(fail=False)

    def _check_room(self, data: bytes, request: Any) -> None:
        """Break off a body that may be cut off once enough of it is there."""
        if ROOM in request.meta:
            request.meta[ROOM] -= len(data)
            if request.meta[ROOM] <= 0:
                raise StopDownload(fail=False)

    async def _answer(self, ask: Ask) -> None:
        self._keep_pace(ask.url, ask.pace_s)
        fetched, body = await self.fetcher.get(self._want(ask))
        if self.renderer and body and ask.kind == Kind.PAGE and "html" in fetched.content_type:
            fetched, body = await self.renderer.render(fetched, body)
        answer = self._read(ask, fetched, body)
        if answer.fetched.sha256:
            self.bodies.write(answer.fetched.sha256, body)
        sys.stdout.buffer.write(to_line(answer))
        sys.stdout.buffer.flush()

    def _keep_pace(self, url: str, pace_s: float) -> None:
        host = urlsplit(self.job.wire.to_wire(url)).hostname or ""
        downloader = self.crawler.engine.downloader
        keep_pace(downloader, host, pace_s=pace_s, concurrency=self.config.concurrency)

    def _want(self, ask: Ask) -> Want:
        headers = {"If-None-Match": ask.etag, "If-Modified-Since": ask.last_modified}
        validators = {name: value for name, value in headers.items() if value}
        match ask.kind:
            case Kind.PAGE:
                accepted = frozenset(self.config.content_types)
                return Want(ask.url, self.config.max_body_bytes, accepted, validators=validators)
            case Kind.ROBOTS:
                return Want(ask.url, MAX_ROBOTS_BYTES, partial=True, validators=validators)
        return Want(ask.url, MAX_SITEMAP_BYTES, validators=validators)

    def _read(self, ask: Ask, fetched: Fetched, body: bytes) -> Answer:
        """Find the links of a page and the entries of a sitemap."""
        links: Sequence[str] = ()
        sitemaps: tuple[str, ...] = ()
        try:
            if fetched.sha256 and ask.kind == Kind.SITEMAP:
                sitemap = read_sitemap(body, max_bytes=MAX_SITEMAP_BYTES)
                links, sitemaps = sitemap.pages, sitemap.sitemaps
            elif fetched.sha256 and ask.kind == Kind.PAGE and "html" in fetched.content_type:
                header = f"{fetched.content_type}; charset={fetched.charset}"
                links = page_links(body, content_type=header, url=ask.url)
        except ValueError as error:
            large = isinstance(error, TooLargeError)
            reason = RejectReason.TOO_LARGE if large else RejectReason.CONTENT_TYPE
            fetched = replace(fetched, reason=reason, detail=str(error), sha256="")
        return Answer(ask.kind, fetched, tuple(links), sitemaps)
