"""robots.txt: RFC 9309's rules, and the crawl-delay on a live site."""

from dataclasses import replace
from gzip import compress
from itertools import pairwise

import pytest
from crawl_servers import Server, page, respond, site_domain

from groundwork.crawl import CrawlConfig, crawl_domain
from groundwork.crawl.outcomes import Fetched
from groundwork.crawl.robots import MAX_ROBOTS_BYTES, read_robots

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


def test_only_the_first_500_kib_are_read() -> None:
    """A rule that is cut in half would forbid more or less than it says: it is dropped."""
    head = b"User-agent: *\nDisallow: /early\n"
    room = MAX_ROBOTS_BYTES - len(head) - len(b"Disallow: /")
    body = head + b"#" * (room - 1) + b"\nDisallow: /late\n"
    robots = read_robots(Fetched(URL, 200, ""), body[:MAX_ROBOTS_BYTES], user_agent=AGENT)
    assert not robots.allows("https://h/early")
    assert robots.allows("https://h/late")
    assert robots.allows("https://h/other")


def test_too_many_redirects_are_no_rules() -> None:
    """RFC 9309, 2.3.1.2: as if the file were not there."""
    fetched = Fetched(URL, 301, "", location="https://h/again")
    assert read_robots(fetched, b"", user_agent=AGENT).verdict == "none"


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


@pytest.mark.parametrize("zipped", [False, True])
def test_a_robots_txt_that_never_ends_is_obeyed_as_far_as_it_is_read(
    config: CrawlConfig, zipped: bool
) -> None:
    """Early rules hold, what lies beyond 500 KiB does not; little more is received."""
    rules = b"User-agent: *\nDisallow: /early\n" + b"# words\n" * 600_000 + b"Disallow: /late\n"
    headers = {"Content_Encoding": "gzip"} if zipped else {}
    routes = {
        "/robots.txt": respond(200, compress(rules) if zipped else rules, **headers),
        "/": respond(200, page("/early", "/late")),
        "/early": respond(200, page()),
        "/late": respond(200, page()),
    }
    with Server(routes) as server:
        result = crawl_domain(site_domain(f"{server.url}/"), config)
    assert [p.url.removeprefix(server.url) for p in result.pages] == ["/", "/late"]
    assert {f.url.removeprefix(server.url): f.robots for f in result.fetches} == {
        "/": "allowed",
        "/early": "disallowed",
        "/late": "allowed",
    }


@pytest.mark.parametrize(("hops", "forbidden"), [(5, True), (6, False)])
def test_redirects_of_robots_txt_are_followed_to_other_hosts(
    config: CrawlConfig, hops: int, forbidden: bool
) -> None:
    """Five in a row, from host to host; more are as good as no file (RFC 9309, 2.3.1.2)."""
    servers = [Server({}, host) for host in ("127.0.0.1", "127.0.0.2")]
    chain = [f"{servers[n % 2].url}/{'robots.txt' if n == 0 else n}" for n in range(hops + 1)]
    routes = [
        {"/": respond(200, page("/no")), "/no": respond(200, page())},
        {},
    ]
    for number, here in enumerate(chain[:-1]):
        routes[number % 2]["/" + here.split("/")[3]] = respond(302, Location=chain[number + 1])
    routes[hops % 2]["/" + chain[-1].split("/")[3]] = respond(200, "User-agent: *\nDisallow: /no")
    servers[0].routes.update(routes[0])
    servers[1].routes.update(routes[1])
    with servers[0] as site, servers[1]:
        result = crawl_domain(site_domain(f"{site.url}/"), config)
    reasons = [reject.reason for reject in result.rejects]
    assert reasons == (["robots"] if forbidden else [])


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_host_whose_wishes_are_unknown_is_asked_for_nothing_else(
    config: CrawlConfig, status: int
) -> None:
    """Neither pages nor a sitemap; the log says why."""
    with (
        Server({"/robots.txt": respond(status), "/": respond(200, page())}) as closed,
        Server({"/": respond(200, page())}) as good,
    ):
        starts = [f"{closed.url}/", f"{good.url}/"]
        result = crawl_domain(site_domain(*starts), replace(config, retries=1))
    assert closed.paths() == ["/robots.txt"] * 2
    assert {fetch.url: (fetch.robots, fetch.status) for fetch in result.fetches} == {
        starts[0]: ("unreachable", 0),
        starts[1]: ("none", 200),
    }


def test_a_sitemap_may_redirect_and_a_forbidden_guess_is_not_made(config: CrawlConfig) -> None:
    """A named sitemap is meant for us; `/sitemap.xml` is only a guess."""
    listed = "<urlset><url><loc>{}/listed</loc></url></urlset>"
    routes: dict = {
        "/robots.txt": respond(200, "User-agent: *\nDisallow: /sitemap\nSitemap: /map.xml\n"),
        "/map.xml": respond(302, Location="/real.xml"),
        "/": respond(200, page()),
        "/listed": respond(200, page()),
    }
    with Server(routes) as server:
        routes["/real.xml"] = respond(200, listed.format(server.url), Content_Type="text/xml")
        result = crawl_domain(site_domain(f"{server.url}/"), config)
    assert [p.url.removeprefix(server.url) for p in result.pages] == ["/", "/listed"]
    assert "/sitemap.xml" not in server.paths()
