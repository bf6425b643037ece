"""The line that a person watches."""

import re
from dataclasses import replace

import pytest
from crawl_servers import Server, page, respond, site_domain

from groundwork.crawl import CrawlConfig, crawl_domain
from groundwork.crawl.frontier import Frontier
from groundwork.crawl.outcomes import Fetched
from groundwork.crawl.urls import Scope, Wire

LINE = re.compile(r"crawl: (\d+) pages, +([\d.]+) pages/s, (\d+) waiting, (\d+) rejected \[")


def test_the_line_tells_pages_rate_queue_and_rejects(
    config: CrawlConfig, capfd: pytest.CaptureFixture[str]
) -> None:
    """It moves while the crawl runs and ends with what became of it."""
    many = [f"/{number}" for number in range(8)]
    routes = {path: respond(200, page()) for path in many[:6]}
    routes |= {"/": respond(200, page(*many)), "/robots.txt": respond(200, RULES)}
    with Server(routes) as server:
        crawl_domain(site_domain(f"{server.url}/"), replace(config, delay_s=0.4))
    lines = [match.groups() for match in LINE.finditer(capfd.readouterr().err)]
    assert len(lines) > 3
    pages, waiting = [int(line[0]) for line in lines], [int(line[2]) for line in lines]
    assert pages == sorted(pages)
    assert max(waiting) >= 3
    assert float(lines[-1][1]) > 0
    assert (pages[-1], waiting[-1], lines[-1][3]) == (7, 0, "2")


RULES = "User-agent: *\nDisallow: /6\n"


def test_the_books_know_what_waits(config: CrawlConfig) -> None:
    """Found and neither fetched nor refused, whether its round has begun or not."""
    books = Frontier(config, Scope(frozenset({"h"}), (), ()), Wire("", ""))
    books.start(["https://h/"])
    assert (books.queued(), books.rejected()) == (1, 0)
    (visit,) = books.take()
    assert books.queued() == 1
    for path in ("a", "b", "c.zip"):
        books.link(f"https://h/{path}", depth=1)
    books.record(visit, Fetched(visit.url, 200, ""))
    assert (books.queued(), books.rejected()) == (2, 1)
    first, second = books.take()
    books.record(first, Fetched(first.url, 404, "", "http_error"))
    books.refuse(second.url, "robots", "")
    books.refuse(second.url, "robots", "")
    assert (books.queued(), books.rejected()) == (0, 3)
