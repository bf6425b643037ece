"""What a page asks for while a browser shows it: robots.txt, pace and caps count there too.

In: the address of a script or of data. Out: what the server answered, redirects followed.
"""

import asyncio
from collections.abc import Callable

from groundwork.crawl.fetch import Fetcher, Want
from groundwork.crawl.job import Job
from groundwork.crawl.outcomes import Fetched, RejectReason
from groundwork.crawl.robots import MAX_ROBOTS_BYTES, ROBOTS_HOPS, Robots, read_robots
from groundwork.crawl.urls import origin


class Assets:
    """Fetches assets; robots.txt of an origin is read once a process."""

    def __init__(self, job: Job, fetcher: Fetcher, keep_pace: Callable[[str, float], None]) -> None:
        self._job, self._fetcher, self._keep_pace = job, fetcher, keep_pace
        self._origins: dict[str, asyncio.Task[Robots]] = {}

    async def load(self, url: str) -> tuple[Fetched, bytes]:
        """Fetch the asset at public `url`."""
        for _ in range(self._job.config.max_redirects + 1):
            if not (await self._robots(origin(url))).allows(url):
                return Fetched(url, 0, "", RejectReason.ROBOTS), b""
            fetched, body = await self._fetcher.get(Want(url, self._job.config.max_body_bytes))
            if not fetched.location:
                break
            url = fetched.location
        return fetched, b"" if fetched.location else body

    async def _robots(self, place: str) -> Robots:
        if place not in self._origins:
            self._origins[place] = asyncio.ensure_future(self._read_robots(place))
        return await asyncio.shield(self._origins[place])

    async def _read_robots(self, place: str) -> Robots:
        config, url = self._job.config, f"{place}/robots.txt"
        for _ in range(ROBOTS_HOPS + 1):
            fetched, body = await self._fetcher.get(Want(url, MAX_ROBOTS_BYTES, partial=True))
            if not fetched.location:
                break
            url = fetched.location
        robots = read_robots(fetched, body, user_agent=config.user_agent)
        self._keep_pace(place, robots.pace_s(config, mirrored=bool(self._job.wire.public)))
        return robots
