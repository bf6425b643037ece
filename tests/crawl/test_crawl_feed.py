"""RSS and Atom behind a real server: linked articles, text of the feed, and broken feeds."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from crawl_servers import Server, make_domain, page, respond

from groundwork.clean import CleanConfig
from groundwork.clean.web import extract_html
from groundwork.config import DomainConfig, check
from groundwork.crawl import CrawlConfig, CrawlResult, collect
from groundwork.errors import ConfigError, InputError

ITEM = "<item><title>{0}</title><link>{1}</link>{2}</item>"


def rss(*items: str, head: str = "") -> str:
    """A feed of RSS 2.0."""
    spaces = (
        'xmlns:content="http://purl.org/rss/1.0/modules/content/" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:atom="http://www.w3.org/2005/Atom" '
        'xmlns:cc="http://cyber.law.harvard.edu/rss/creativeCommonsRssModule.html"'
    )
    return (
        f'<?xml version="1.0"?><rss version="2.0" {spaces}><channel><title>News</title>{head}'
        f"{''.join(items)}</channel></rss>"
    )


def atom(*entries: str, head: str = "") -> str:
    """A feed of Atom."""
    return (
        '<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><title>News</title>'
        f"{head}{''.join(entries)}</feed>"
    )


def feed_domain(*urls: str, **changes: Any) -> DomainConfig:
    """A domain whose source are the feeds at `urls`."""
    source = {"urls": list(urls), "articles": "linked", "max_feed_pages": 5, "local": True}
    return make_domain(feed=source | changes)


def serve(**routes: Any) -> Server:
    """A server of feeds by name, and of articles."""
    feeds = {
        f"/{name}": text if callable(text) else respond(200, text, Content_Type="text/xml")
        for name, text in routes.items()
    }
    articles = {f"/a{n}": respond(200, page("/far", text=f"article {n}")) for n in range(9)}
    return Server(articles | feeds)


def found(result: CrawlResult, server: Server) -> dict[str, str]:
    """Path to reason."""
    return {reject.key.removeprefix(server.url): reject.reason for reject in result.rejects}


def paths(result: CrawlResult, server: Server) -> list[str]:
    """Paths of the pages."""
    return [page.url.removeprefix(server.url) for page in result.pages]


def test_linked_articles_are_fetched_whole(config: CrawlConfig) -> None:
    """One that is gone and an entry without a link are rejects; no link of a page is followed."""
    by = "https://creativecommons.org/licenses/by/4.0/"
    items = [
        ITEM.format("One", "/a1?utm_source=rss", f"<cc:license>{by}</cc:license>"),
        ITEM.format("Two", " /a2 ", ""),
        "<item><title>By its guid</title><guid>/a3</guid></item>",
        "<item><title>Nowhere</title></item>",
        ITEM.format("Mail", "mailto:a@b.example", ""),
        ITEM.format("Gone", "/gone", ""),
        ITEM.format("One again", "/a1", ""),
        ITEM.format("Moved", "/moved", ""),
    ]
    moved = respond(301, Location="/a5")
    with serve(feed=rss(*items), moved=moved) as server:
        result = collect(feed_domain(f"{server.url}/feed"), config)
    assert paths(result, server) == ["/a1", "/a2", "/a3", "/a5"]
    assert [p.licence for p in result.pages] == [by, "MIT", "MIT", "MIT"]
    assert {p.source for p in result.pages} == {"feed"}
    assert found(result, server) == {
        "/feed#3": "no_url",
        "/feed#4": "no_url",
        "/gone": "http_error",
    }
    assert "/far" not in server.paths()
    log = {fetch.url.removeprefix(server.url): fetch for fetch in result.fetches}
    assert log["/a5"].redirects == (f"{server.url}/moved",)
    assert log["/a1"].robots == "none"


def test_the_text_of_the_feed_is_a_page(config: CrawlConfig) -> None:
    """The longest text of an entry, with author and date; stage `clean` reads them."""
    entry = (
        "<entry><title>Fast &amp; far</title><link href='/b1'/><id>urn:1</id>"
        "<author><name>Ann</name></author><published>2025-06-01T23:30:00-02:00</published>"
        "<summary>Short.</summary><content type='html'>&lt;p&gt;A long text about charging a car "
        "at night, and more.&lt;/p&gt;&lt;script&gt;x()&lt;/script&gt;</content></entry>"
    )
    plain = "<entry><title>P</title><link href='/b2'/><summary>a &lt; b</summary></entry>"
    empty = "<entry><title>Empty</title><link href='/b3'/></entry>"
    head = "<link rel='license' href='https://licence.example/'/>"
    with serve(feed=atom(entry, plain, empty, head=head)) as server:
        result = collect(feed_domain(f"{server.url}/feed", articles="inline"), config)
        assert server.paths() == ["/robots.txt", "/feed"]
    assert paths(result, server) == ["/b1", "/b2"]
    assert found(result, server) == {"/b3": "bad_data"}
    first, second = result.pages
    assert first.licence == "https://licence.example/"
    assert b"<p>a &lt; b</p>" in second.body
    settings = Path(__file__).parents[2] / "conf" / "clean" / "default.yaml"
    import yaml

    values = yaml.safe_load(settings.read_text(encoding="utf-8"))
    document = extract_html(first, check("clean", CleanConfig, values, settings).extract)
    assert document.title == "Fast & far"
    assert (document.author, document.date) == ("Ann", "2025-06-02")
    assert "A long text about charging a car at night, and more." in document.text
    assert "x()" not in document.text


def test_older_pages_of_a_feed_are_read(config: CrawlConfig) -> None:
    """RFC 5005, up to the cap; a page that leads back ends as a loop."""

    def older(number: int, to: str) -> str:
        entry = f"<entry><title>x</title><link href='/a{number}'/></entry>"
        return atom(entry, head=f"<link rel='next' href='{to}'/>")

    with serve(f1=older(1, "/f2"), f2=older(2, "/f3"), f3=older(3, "/f1")) as server:
        result = collect(feed_domain(f"{server.url}/f1"), config)
        assert paths(result, server) == ["/a1", "/a2", "/a3"]
        assert found(result, server) == {"/f1": "pagination_loop"}
        capped = collect(feed_domain(f"{server.url}/f1", max_feed_pages=2), config)
    assert paths(capped, server) == ["/a1", "/a2"]
    assert found(capped, server) == {"/f3": "page_cap"}


def test_newest_entries_are_kept_under_the_cap(config: CrawlConfig) -> None:
    """Feeds begin with the newest; a broken feed beside a good one is a reject."""
    items = [ITEM.format(n, f"/a{n}", "") for n in (4, 3, 2)]
    with serve(feed=rss(*items), html="<html><p>no feed</p></html>") as server:
        urls = (f"{server.url}/feed", f"{server.url}/html", f"{server.url}/gone")
        result = collect(feed_domain(*urls), replace(config, max_pages=2))
    assert paths(result, server) == ["/a3", "/a4"]
    assert found(result, server) == {
        "/a2": "page_cap",
        "/html": "bad_data",
        "/gone": "http_error",
    }


BROKEN: dict[str, tuple[Any, str]] = {
    "html": ("<html><p>words</p></html>", "expected RSS or Atom"),
    "path": ("/etc/passwd", "expected RSS or Atom"),
    "address": ("http://127.0.0.1:9/", "expected RSS or Atom"),
    "nothing": ("", "expected RSS or Atom"),
    "surrogate": (rss("<item><title>&#xD800;</title></item>").replace("<rss", "<&<rss"), "failed"),
    "empty": (rss(), "the feed is empty"),
    "large": (rss("<item>" + "x" * 60_000 + "</item>"), "more than 50000 bytes"),
    "missing": (respond(404), "got 404"),
    "file": (respond(302, Location="file:///etc/passwd"), "expected http or https"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_feed_is_named(config: CrawlConfig, name: str) -> None:
    """Nothing but the address is opened: not even a file that the answer names."""
    text, words = BROKEN[name]
    with serve(feed=text) as server, pytest.raises(InputError, match=rf"/feed: .*{words}"):
        collect(feed_domain(f"{server.url}/feed"), replace(config, max_body_bytes=50_000))


def test_a_body_that_names_a_file_opens_none(config: CrawlConfig, tmp_path: Path) -> None:
    """Not even one that is a feed."""
    path = tmp_path / "feed.xml"
    path.write_text(rss(ITEM.format("Secret", "/a1", "")))
    with serve(feed=str(path)) as server, pytest.raises(InputError, match="expected RSS or Atom"):
        collect(feed_domain(f"{server.url}/feed"), config)


def test_entities_of_a_feed_open_no_files(config: CrawlConfig, tmp_path: Path) -> None:
    """Neither a file of this machine nor a bomb."""
    secret = tmp_path / "secret.txt"
    secret.write_text("the-secret")
    entry = "<item><title>&b;</title><link>/a1</link><description>&b;</description></item>"
    bomb = "".join(
        f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' if n else '<!ENTITY l0 "lol">' for n in range(12)
    )
    for entity in (f'<!ENTITY b SYSTEM "{secret.as_uri()}">', f'{bomb}<!ENTITY b "&l11;">'):
        text = rss(entry).replace("<rss", f"<!DOCTYPE rss [{entity}]><rss")
        with serve(feed=text) as server:
            domain = feed_domain(f"{server.url}/feed", articles="inline")
            try:
                bodies = [page.body for page in collect(domain, config).pages]
            except InputError:
                bodies = []
        assert not any(b"the-secret" in body or len(body) > 100_000 for body in bodies)


def test_private_addresses_are_refused_unless_local(config: CrawlConfig) -> None:
    """Of the feed; not one request is sent."""
    words = r"127\.0\.0\.1 has the address"
    server = serve(feed=rss(ITEM.format("One", "/a1", "")))
    with server, pytest.raises(InputError, match=words):
        collect(feed_domain(f"{server.url}/feed", local=False), config)
    assert server.paths() == []


@pytest.mark.parametrize("url", ["file:///etc/passwd", "feed.xml"])
def test_an_address_that_is_none_is_a_configuration_error(config: CrawlConfig, url: str) -> None:
    """With the key to mend."""
    with pytest.raises(ConfigError, match=r"domain\.feed\.urls: .*begins with http"):
        collect(feed_domain(url), config)
