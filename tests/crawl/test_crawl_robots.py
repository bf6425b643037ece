"""robots.txt: RFC 9309's rules, and the crawl-delay on a live site."""

from dataclasses import replace
from itertools import pairwise

import pytest
from crawl_servers import Server, page, respond, site_domain

from groundwork.crawl import CrawlConfig, crawl_domain
from groundwork.crawl.outcomes import Fetched
from groundwork.crawl.robots import read_robots

RULES = b"""\xef\xbb\xbfUser-agent: *
Disallow: /
User-agent: Groundwork
Disallow: /internal/
Allow: /internal/open
Crawl-delay: 2.5
Sitemap: https://h/s.xml
"""
AGENT = "Groundwork/0.1 (+https://h/bot)"
URL = "https://h/robots.txt"


def test_rules_are_those_of_our_user_agent() -> None:
    """The name before the slash selects the group; the longest match wins."""
    robots = read_robots(Fetched(URL, 200, ""), RULES, user_agent=AGENT)
    assert robots.verdict == "allowed"
    assert robots.allows("https://h/a")
    assert not robots.allows("https://h/internal/a")
    assert robots.allows("https://h/internal/open")
    assert robots.crawl_delay_s == 2.5
    assert robots.sitemaps == ["https://h/s.xml"]


@pytest.mark.parametrize("body", [b"", b"\xff\xfe\x00", b"<html>soft 404</html>"])
def test_a_file_without_rules_allows_everything(body: bytes) -> None:
    """Nonsense included."""
    robots = read_robots(Fetched(URL, 200, ""), body, user_agent=AGENT)
    assert robots.allows("https://h/a")
    assert robots.crawl_delay_s == 0


@pytest.mark.parametrize(
    ("status", "reason", "closed"),
    [
        (404, "http_error", ""),
        (403, "http_error", ""),
        (500, "http_error", "robots"),
        (429, "http_error", "robots"),
        (0, "unreachable", "unreachable"),
        (0, "timeout", "timeout"),
        (0, "private_address", "private_address"),
    ],
)
def test_without_a_file_the_status_decides(status: int, reason: str, closed: str) -> None:
    """RFC 9309: 4xx allows everything, 5xx and an unreachable host nothing."""
    robots = read_robots(Fetched(URL, status, "", reason, "why"), b"", user_agent=AGENT)
    assert robots.closed == closed
    assert robots.allows("https://h/a") == (closed == "")
    assert robots.verdict == ("unreachable" if closed else "none")


def test_the_slower_wish_sets_the_pace(config: CrawlConfig) -> None:
    """Ours or the site's; a mirror on our own server has a pace of its own."""
    robots = read_robots(Fetched(URL, 200, ""), RULES, user_agent=AGENT)
    endless = read_robots(
        Fetched(URL, 200, ""), b"User-agent: *\nCrawl-delay: 86400", user_agent=AGENT
    )
    assert robots.pace_s(replace(config, delay_s=1.0), mirrored=False) == 2.5
    assert robots.pace_s(replace(config, delay_s=4.0), mirrored=False) == 4.0
    assert robots.pace_s(config, mirrored=True) == 0.0
    assert endless.pace_s(config, mirrored=False) == config.max_delay_s
    assert endless.pace_s(replace(config, max_delay_s=0.5, delay_s=1.0), mirrored=False) == 1.0


def test_a_live_site_gets_the_crawl_delay_it_asks_for(config: CrawlConfig) -> None:
    """Requests after robots.txt are at least that far apart, sitemap and pages together.

    robots.txt itself may redirect; a sitemap that it names and that fails is a reject.
    """
    rules = "User-agent: *\nDisallow: /d\nCrawl-delay: 0.3\nSitemap: /maps/no.xml\n"
    routes = {
        "/robots.txt": respond(301, Location="/rules.txt"),
        "/rules.txt": respond(200, rules, Content_Type="text/plain"),
        "/": respond(200, page("/a", "/b", "/c", "/d")),
        **{path: respond(200, page()) for path in ("/a", "/b", "/c", "/d")},
    }
    with Server(routes) as server:
        result = crawl_domain(site_domain(f"{server.url}/"), config)
    assert [p.url.removeprefix(server.url) for p in result.pages] == ["/", "/a", "/b", "/c"]
    assert {r.key.removeprefix(server.url): r.reason for r in result.rejects} == {
        "/d": "robots",
        "/maps/no.xml": "http_error",
    }
    times = [at for at, path in server.hits if path not in ("/robots.txt", "/rules.txt")]
    assert min(later - at for at, later in pairwise(times)) >= 0.28
