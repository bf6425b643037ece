"""The books of a crawl, rule by rule, without a network."""

from dataclasses import replace
from itertools import permutations

import pytest

from groundwork.crawl import CrawlConfig
from groundwork.crawl.frontier import Frontier, Visit
from groundwork.crawl.ledger import Ledger, settle
from groundwork.crawl.outcomes import Fetched
from groundwork.crawl.urls import Scope, Wire

H = "https://h"


def frontier(config: CrawlConfig, include: tuple[str, ...] = ()) -> Frontier:
    """The books of a crawl that begins at the root of host h."""
    books = Frontier(config, Scope(frozenset({"h"}), include, ()), Wire("", ""))
    books.start([f"{H}/"])
    return books


Site = dict[str, list[str] | str]
"""Path to its links, or to the location that it redirects to; other paths answer 404."""


def crawl(books: Frontier, site: Site, *, order: int = 1) -> Ledger:
    """Crawl a site given as a table; `order` -1 answers each round backwards."""
    while visits := books.take():
        for visit in visits[::order]:
            answer = site.get(visit.url.removeprefix(H))
            if answer is None:
                books.record(visit, Fetched(visit.url, 404, "", "http_error", "404"))
            elif isinstance(answer, str):
                books.record(visit, Fetched(visit.url, 301, "", location=_absolute(answer)))
            else:
                books.record(visit, Fetched(visit.url, 200, ""))
                for link in answer:
                    books.link(_absolute(link), depth=visit.depth + 1)
    books.close(in_time=True)
    return settle(books, robots=lambda url: "none")


def _absolute(link: str) -> str:
    return link if link.startswith("http") else H + link


def pages(ledger: Ledger) -> list[str]:
    """Paths of the pages."""
    return [fetched.url.removeprefix(H) for fetched in ledger.pages]


def rejects(ledger: Ledger) -> dict[str, str]:
    """Paths of the rejects with their reasons."""
    return {reject.key.removeprefix(H): reject.reason for reject in ledger.rejects}


def test_pages_deeper_than_the_cap_are_rejected(config: CrawlConfig) -> None:
    """Depth is counted in links from the start."""
    site: Site = {"/": ["/1"], "/1": ["/2"], "/2": ["/3"], "/3": []}
    ledger = crawl(frontier(replace(config, max_depth=2)), site)
    assert pages(ledger) == ["/", "/1", "/2"]
    assert rejects(ledger) == {"/3": "depth"}


def test_a_page_that_is_also_near_is_not_too_deep(config: CrawlConfig) -> None:
    """The shortest way counts."""
    site: Site = {"/": ["/1"], "/1": ["/2", "/9"], "/2": ["/3"], "/9": [], "/3": ["/9"]}
    assert rejects(crawl(frontier(replace(config, max_depth=2)), site)) == {"/3": "depth"}


def test_the_page_cap_keeps_the_first_by_depth_and_url(config: CrawlConfig) -> None:
    """Failures do not use up room."""
    site: Site = {"/": ["/c", "/a", "/b", "/0"], "/a": ["/aa"], "/b": [], "/c": []}
    ledger = crawl(frontier(replace(config, max_pages=3)), site)
    assert pages(ledger) == ["/", "/a", "/b"]
    assert rejects(ledger) == {"/0": "http_error", "/aa": "page_cap", "/c": "page_cap"}


def test_of_several_ways_to_a_page_one_is_the_page(config: CrawlConfig) -> None:
    """Its own URL when it is linked, else the shortest chain; the others are duplicates."""
    site: Site = {
        "/": ["/p", "/q", "/z", "/a"],
        "/p": [],
        "/q": "/p",
        "/z": "/x",
        "/a": "/z",
        "/x": [],
    }
    ledger = crawl(frontier(config), site)
    assert pages(ledger) == ["/", "/p", "/x"]
    assert rejects(ledger) == {"/a": "duplicate_url", "/q": "duplicate_url"}
    log = {fetch.url: fetch for fetch in ledger.fetches}
    assert log[f"{H}/x"].requested_url == f"{H}/z"
    assert log[f"{H}/x"].redirects == (f"{H}/z",)
    assert log[f"{H}/a"].redirects == (f"{H}/z", f"{H}/x")
    assert log[f"{H}/p"].redirects == ()


@pytest.mark.parametrize(
    ("site", "expected"),
    [
        ({"/": ["/a"], "/a": "/a"}, {"/a": "redirect_loop"}),
        ({"/": ["/a"], "/a": "/b", "/b": "/a"}, {"/a": "redirect_loop"}),
        ({"/": ["/a"], "/a": "/b", "/b": "/c", "/c": "/b"}, {"/a": "redirect_loop"}),
        ({"/": ["/a"], "/a": "/b"}, {"/a": "http_error"}),
        ({"/": ["/a"], "/a": "https://other/"}, {"/a": "offsite"}),
        ({"/": ["/a"], "/a": "/b.zip"}, {"/a": "content_type"}),
        ({"/": ["/a"], "/a": "/1", "/1": "/2", "/2": "/3", "/3": []}, {"/a": "redirect_loop"}),
        ({"/": ["/a"], "/a": "/1", "/1": "/2", "/2": []}, {}),
    ],
)
def test_a_redirect_ends_as_its_target_does(
    config: CrawlConfig, site: Site, expected: dict[str, str]
) -> None:
    """Only URLs that were found are rejects; hops of a chain are not counted beside it."""
    assert rejects(crawl(frontier(replace(config, max_redirects=2)), site)) == expected


def test_a_start_page_outside_include_is_read_for_its_links(config: CrawlConfig) -> None:
    """It is a reject, what it leads to is not; links outside are counted."""
    site: Site = {"/": ["/en/a", "/de/a", "/en/b"], "/en/a": [], "/en/b": "/de/b"}
    books = frontier(config, include=("/en/",))
    ledger = crawl(books, site)
    assert pages(ledger) == ["/en/a"]
    assert rejects(ledger) == {"/": "excluded", "/en/b": "excluded"}
    assert books.outside["excluded"] == {f"{H}/de/a"}


def test_time_running_out_settles_what_is_left(config: CrawlConfig) -> None:
    """Waiting and unanswered URLs alike."""
    books = frontier(config)
    (visit,) = books.take()
    books.record(visit, Fetched(visit.url, 200, ""))
    for path in ("/a", "/b"):
        books.link(H + path, depth=1)
    assert [taken.url for taken in books.take()] == [f"{H}/a", f"{H}/b"]
    books.record(Visit(1, f"{H}/a", 0), Fetched(f"{H}/a", 200, ""))
    books.link(f"{H}/c", depth=2)
    books.close(in_time=False)
    ledger = settle(books, robots=lambda url: "none")
    assert pages(ledger) == ["/", "/a"]
    assert rejects(ledger) == {"/b": "time_cap", "/c": "time_cap"}
    assert ledger.fetches[-1].attempts == 0


def test_the_order_of_answers_changes_nothing(config: CrawlConfig) -> None:
    """Two crawls whose responses arrive in opposite orders end alike."""
    for names in permutations(["/a", "/b", "/c"]):
        a, b, c = names
        site: Site = {"/": [a, b], a: c, b: [c, "/d"], c: ["/e", "/f.zip"], "/d": "/f.zip", "/e": a}
        small = replace(config, max_depth=2, max_pages=3, max_redirects=1)
        ends = [crawl(frontier(small), site, order=order) for order in (1, -1)]
        assert ends[0] == ends[1]
