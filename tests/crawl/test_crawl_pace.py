"""How often a host is asked: never faster than promised, slower while it is slow."""

import threading
import time
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from itertools import pairwise

import pytest
from crawl_servers import Server, mirror_domain, page, respond, site_domain, write_site

from groundwork.crawl import CrawlConfig, crawl_domain
from groundwork.crawl.fetch import retry_after_s

PATHS = [f"/{number}" for number in range(12)]


class Measured:
    """Routes that take a while and tell how many requests there were at once."""

    def __init__(self, answer_s: float) -> None:
        self.answer_s, self.now, self.most = answer_s, 0, 0
        self.lock = threading.Lock()
        self.routes = {"/": self._slowly(*PATHS), **{path: self._slowly() for path in PATHS}}

    def _slowly(self, *hrefs: str):
        def answer(handler: BaseHTTPRequestHandler) -> None:
            with self.lock:
                self.now += 1
                self.most = max(self.most, self.now)
            time.sleep(self.answer_s)
            with self.lock:
                self.now -= 1
            respond(200, page(*hrefs))(handler)

        return answer


def gaps(server: Server) -> list[float]:
    """Seconds between requests for pages."""
    times = [at for at, path in server.hits if path in PATHS]
    return [later - at for at, later in pairwise(times)]


@pytest.mark.slow
@pytest.mark.parametrize(("target", "most"), [(1.0, 2), (100.0, 8)])
def test_a_slow_host_is_asked_less(config: CrawlConfig, target: float, most: int) -> None:
    """AutoThrottle spreads requests over the time an answer takes, however many are allowed."""
    slow = Measured(0.3)
    with Server(slow.routes) as server:
        crawl_domain(site_domain(f"{server.url}/"), replace(config, target_concurrency=target))
    assert slow.most <= most
    assert (sum(gaps(server)) / len(gaps(server)) > 0.2) == (target == 1.0)
    assert slow.most > 4 or target == 1.0


@pytest.mark.slow
def test_a_quick_host_is_asked_no_faster_than_it_was_promised(config: CrawlConfig) -> None:
    """AutoThrottle must not undercut `delay_s` or a crawl-delay."""
    quick = {path: respond(200, page()) for path in PATHS[:6]}
    routes = {
        **quick,
        "/": respond(200, page(*quick)),
        "/robots.txt": respond(200, "User-agent: *\nCrawl-delay: 0.4"),
    }
    with Server(routes) as server:
        crawl_domain(site_domain(f"{server.url}/"), replace(config, target_concurrency=100.0))
    assert min(gaps(server)) > 0.38


def test_a_crawl_delay_is_capped(config: CrawlConfig) -> None:
    """A site that asks for an hour between requests gets what `max_delay_s` says."""
    routes = {
        "/robots.txt": respond(200, "User-agent: *\nCrawl-delay: 3600"),
        "/": respond(200, page("/0", "/1")),
        "/0": respond(200, page()),
        "/1": respond(200, page()),
    }
    with Server(routes) as server:
        crawl_domain(site_domain(f"{server.url}/"), replace(config, max_delay_s=0.5))
    assert 0.45 < gaps(server)[0] < 5


@pytest.mark.slow
def test_hosts_do_not_wait_for_each_other(config: CrawlConfig) -> None:
    """A slow host's queue keeps no other host waiting."""
    slow, quick = Measured(0.5), Measured(0.0)
    with Server(slow.routes) as first, Server(quick.routes, "127.0.0.2") as second:
        starts = [f"{first.url}/", f"{second.url}/"]
        polite = replace(config, target_concurrency=1.0, concurrency=2)
        crawl_domain(site_domain(*starts), polite)
    last = {server.url: server.hits[-1][0] for server in (first, second)}
    assert last[first.url] - last[second.url] > 2


def test_a_host_that_asks_for_quiet_gets_it(config: CrawlConfig) -> None:
    """`Retry-After` holds for every page of the host, not for the one that was told."""
    told: list[float] = []

    def busy_once(handler: BaseHTTPRequestHandler) -> None:
        told.append(time.monotonic())
        busy = len(told) == 1
        (respond(503, Retry_After="2") if busy else respond(200, page()))(handler)

    routes = {"/": respond(200, page(*PATHS)), **{p: respond(200, page()) for p in PATHS}}
    routes["/0"] = busy_once
    with Server(routes) as server:
        crawl_domain(site_domain(f"{server.url}/"), replace(config, concurrency=1))
    after = [at - told[0] for at, path in server.hits if path in PATHS and at > told[0]]
    assert len(after) == len(PATHS)
    assert min(after) > 1.9


def test_our_own_mirror_is_asked_as_fast_as_it_answers(config: CrawlConfig, tmp_path) -> None:
    """Neither AutoThrottle nor the crawl-delay of its robots.txt protect anyone there."""
    files = {f"{number}.html": "words" for number in range(12)}
    links = page(*(f"/{number}" for number in range(12)))
    folder = write_site(
        tmp_path / "site",
        {**files, "index.html": links, "robots.txt": "User-agent: *\nCrawl-delay: 5"},
    )
    started = time.monotonic()
    assert len(crawl_domain(mirror_domain(folder), config).pages) == 13
    assert time.monotonic() - started < 30


@pytest.mark.parametrize(
    ("header", "expected"),
    [("7", 7.0), ("", 0.0), ("-3", 0.0), ("soon", 0.0), ("Mon, 01 Jan 2024 00:00:00 GMT", 0.0)],
)
def test_retry_after_is_a_number_or_a_date(header: str, expected: float) -> None:
    """A moment that has passed asks for nothing."""
    assert retry_after_s(header) == expected


def test_retry_after_may_name_a_moment() -> None:
    """RFC 9110, 10.2.3."""
    from datetime import UTC, datetime, timedelta
    from email.utils import format_datetime

    moment = datetime.now(UTC) + timedelta(seconds=100)
    assert 95 < retry_after_s(format_datetime(moment, usegmt=True)) <= 100
