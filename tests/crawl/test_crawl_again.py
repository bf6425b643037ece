"""A site that is crawled again: only what changed comes over the wire, the pages are the same."""

import shutil
from collections.abc import Callable
from contextlib import chdir
from dataclasses import replace
from pathlib import Path

import pytest
from crawl_servers import Server, mirror_domain, page, respond, site_domain, versioned, write_site

from groundwork.artifacts import sha256_bytes
from groundwork.crawl import CrawlConfig, CrawlResult, crawl_domain
from groundwork.crawl.conditional import validators
from groundwork.crawl.outcomes import Fetched

OLD = "Mon, 01 Jan 2024 00:00:00 GMT"
Asked = dict[str, list[dict[str, str]]]


class Site:
    """Pages with validators of every sort, whose text can be changed."""

    def __init__(self) -> None:
        self.asked: Asked = {}
        self.routes: dict[str, Callable] = {}
        self.put("/", page("/tagged", "/dated", "/weak", "/bare", "/moved"), etag='"home"')
        self.put("/tagged", page(text="tagged"), etag='"t1"')
        self.put("/dated", page("/below"), last_modified=OLD)
        self.put("/below", page(), etag='"b1"', last_modified=OLD)
        self.put("/weak", page(), etag='W/"w1"')
        self.put("/bare", page())
        self.robots = "User-agent: *\nDisallow: /no\n"
        self.put("/robots.txt", self.robots, etag='"r1"')
        self.routes["/moved"] = respond(301, Location="/tagged", ETag='"m1"')

    def put(self, path: str, body: str, *, etag: str = "", last_modified: str = "") -> None:
        """Publish a page."""
        asked = self.asked.setdefault(path, [])
        self.routes[path] = versioned(body, etag=etag, last_modified=last_modified, asked=asked)


def crawl(server: Server, config: CrawlConfig) -> CrawlResult:
    """Crawl the site."""
    return crawl_domain(site_domain(f"{server.url}/"), config)


def from_nothing(server: Server, config: CrawlConfig, folder: Path) -> CrawlResult:
    """Crawl the site where nothing is remembered."""
    folder.mkdir()
    with chdir(folder):
        return crawl(server, config)


def test_a_second_crawl_sends_the_validators_and_keeps_the_pages(config: CrawlConfig) -> None:
    """Strong ETags and settled dates are sent, weak ETags are not; links are followed as before."""
    site = Site()
    with Server(site.routes) as server:
        first, second = crawl(server, config), crawl(server, config)
        third = crawl(server, config)
    assert second.pages == first.pages == third.pages
    assert second.rejects == first.rejects
    expected = {
        "/": {"If-None-Match": '"home"'},
        "/tagged": {"If-None-Match": '"t1"'},
        "/dated": {"If-Modified-Since": OLD},
        "/below": {"If-None-Match": '"b1"', "If-Modified-Since": OLD},
        "/weak": {},
        "/bare": {},
        "/robots.txt": {"If-None-Match": '"r1"'},
    }
    assert site.asked == {path: [{}, sent, sent] for path, sent in expected.items()}
    log = {fetch.url.removeprefix(server.url): fetch for fetch in second.fetches}
    assert (log["/below"].status, log["/bare"].status) == (304, 200)
    assert log["/below"].sha256 == {f.url: f for f in first.fetches}[f"{server.url}/below"].sha256


def test_what_changed_comes_anew_and_the_rest_stays(config: CrawlConfig, tmp_path: Path) -> None:
    """One page edited, one added, one deleted: the pages are those of a crawl from nothing."""
    site = Site()
    with Server(site.routes) as server:
        before = crawl(server, config)
        site.put("/dated", page("/added", text="edited"), last_modified=OLD.replace("2024", "2025"))
        site.put("/added", page(), etag='"a1"')
        del site.routes["/below"]
        after = crawl(server, config)
        assert after.pages == from_nothing(server, config, tmp_path / "other").pages
    urls = [{p.url.removeprefix(server.url) for p in result.pages} for result in (before, after)]
    assert urls[0] - urls[1] == {"/below"}
    assert urls[1] - urls[0] == {"/added"}
    edited = next(p for p in after.pages if p.url.endswith("/dated"))
    assert b"edited" in edited.body


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["everything", "one body", "a damaged body", "half the memory"])
def test_what_is_lost_is_fetched_again(config: CrawlConfig, tmp_path: Path, loss: str) -> None:
    """The store may be deleted or damaged; the pages do not change."""
    site = Site()
    with Server(site.routes) as server:
        first = crawl(server, config)
        (folder,) = (tmp_path / ".cache/groundwork/crawl").iterdir()
        sha256 = next(p.sha256 for p in first.pages if p.url.endswith("/below"))
        body_path = folder / "bodies" / sha256[:2] / sha256
        match loss:
            case "everything":
                shutil.rmtree(tmp_path / ".cache")
            case "one body":
                body_path.unlink()
            case "a damaged body":
                body_path.write_bytes(body_path.read_bytes()[:-1] + b"X")
            case "half the memory":
                memory = (folder / "memory.jsonl").read_bytes()
                (folder / "memory.jsonl").write_bytes(memory[: memory.index(b"/below") - 9])
        assert crawl(server, config).pages == first.pages
    assert site.asked["/below"] == [{}, {}]


@pytest.mark.slow
def test_another_way_of_asking_asks_for_everything(config: CrawlConfig) -> None:
    """An answer to another user agent may be another answer; caps and pace do not matter."""
    site = Site()
    with Server(site.routes) as server:
        crawl(server, config)
        crawl(server, replace(config, max_pages=3, max_depth=1, concurrency=1, processes=2))
        assert site.asked["/"][-1]
        crawl(server, replace(config, user_agent="Other/1.0"))
    assert site.asked["/"][-1] == {}


@pytest.mark.slow
def test_only_what_is_remembered_is_kept(config: CrawlConfig, tmp_path: Path) -> None:
    """Bodies of pages that are gone or changed go with the next whole crawl."""
    site = Site()
    with Server(site.routes) as server:
        crawl(server, config)
        site.put("/tagged", page(text="edited"), etag='"t2"')
        result = crawl(server, config)
    bodies = {path.name for path in (tmp_path / ".cache").rglob("bodies/*/*")}
    robots = sha256_bytes(site.robots.encode())
    assert bodies == {robots, *(page.sha256 for page in result.pages)}


def test_a_304_that_nobody_asked_for_is_a_failure(config: CrawlConfig) -> None:
    """There is no body to take for it."""
    with Server({"/": respond(200, page("/a")), "/a": respond(304)}) as server:
        result = crawl(server, config)
    assert [(r.reason, r.detail) for r in result.rejects] == [
        ("http_error", "expected status 200, got 304")
    ]


@pytest.mark.slow
def test_a_mirror_is_read_anew(config: CrawlConfig, tmp_path: Path) -> None:
    """Files may change twice in the second that Last-Modified tells; nothing of it is kept."""
    folder = write_site(tmp_path / "site", {"index.html": page("/a"), "a.html": "one"})
    assert [p.body for p in crawl_domain(mirror_domain(folder), config).pages][1] == b"one"
    (folder / "a.html").write_text("two")
    assert [p.body for p in crawl_domain(mirror_domain(folder), config).pages][1] == b"two"
    assert not list((tmp_path / ".cache").rglob("bodies/*/*"))


@pytest.mark.parametrize(
    ("etag", "last_modified", "date", "expected"),
    [
        ('"a"', "", "", ('"a"', "")),
        ('W/"a"', "", "", ("", "")),
        ("a", "", "", ("", "")),
        ("", OLD, OLD.replace("00:00:00", "00:00:01"), ("", OLD)),
        ("", OLD, OLD, ("", "")),
        ("", OLD, "", ("", "")),
        ("", OLD, "soon", ("", "")),
        ("", "long ago", OLD, ("", "")),
        ('"a"', OLD, OLD, ('"a"', "")),
    ],
)
def test_only_strong_validators_are_sent(
    etag: str, last_modified: str, date: str, expected: tuple[str, str]
) -> None:
    """RFC 9110, 8.8: a weak one vouches for the meaning of a page, not for its bytes."""
    headers = {"etag": etag, "last_modified": last_modified, "date": date}
    assert validators(Fetched("u", 200, "", sha256="s", **headers)) == expected
    assert validators(Fetched("u", 404, "", "http_error", **headers)) == ("", "")
    assert validators(Fetched("u", 200, "", "too_large", sha256="s", **headers)) == ("", "")
    assert validators(Fetched("u", 301, "", location="v", **headers)) == ("", "")
