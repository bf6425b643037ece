"""Links of pages and entries of sitemaps."""

import gzip
import resource
import time
import tracemalloc

import pytest

from groundwork.crawl.gzipped import TooLargeError, unzip
from groundwork.crawl.links import Sitemap, page_links, read_sitemap

HTML = b"""<!doctype html><html><head>
<link rel="canonical" href="https://h/canonical">
<link rel="alternate" hreflang="de" href="/de/">
<link rel="alternate" type="application/rss+xml" href="/feed.xml">
<link rel="stylesheet" href="/style.css">
<meta http-equiv="Refresh" content="0; URL='/moved'">
<meta http-equiv="refresh" content="30">
</head><body><a href="a">x</a><a href=" a ">again</a><a>none</a><a href="">empty</a>
<map><area href="../map"></map><a href="/new
line">x</a><a href="http://[broken">x</a><a href="mailto:x@y.example">x</a><img src="/i.png">"""


def links(body: bytes, content_type: str = "text/html") -> list[str]:
    """Links of a page at a fixed URL."""
    return page_links(body, content_type=content_type, url="https://h/dir/page")


def test_links_are_those_that_lead_to_pages() -> None:
    """Anchors, areas, canonical, translations and refreshes; no feeds, styles or images."""
    assert links(HTML) == [
        "https://h/canonical",
        "https://h/de/",
        "https://h/dir/a",
        "https://h/map",
        "https://h/moved",
        "https://h/newline",
        "mailto:x@y.example",
    ]


def test_the_base_element_counts() -> None:
    """Relative links follow it."""
    assert links(b'<base href="/other/"><a href="a">x') == ["https://h/other/a"]
    assert links(b'<base href="http://[broken"><a href="a">x') == ["https://h/dir/a"]


@pytest.mark.parametrize(
    "charset", ["", "utf-8", "iso-8859-1", "utf-16", "no-such", "base64", "idna"]
)
def test_a_wrong_charset_does_not_hide_links(charset: str) -> None:
    """Whatever the header says, links in ASCII are found, unless it says UTF-16."""
    found = links(b"\xff\xe9<a href='/x'>\xc3", f"text/html; charset={charset}")
    assert found == (["https://h/x"] if charset != "utf-16" else [])


@pytest.mark.parametrize("body", [b"", b"\x00\x01\x02", b"%PDF-1.7", b"<", b"<a href="])
def test_what_is_no_html_has_no_links(body: bytes) -> None:
    """And raises nothing."""
    assert links(body) == []


def test_deep_nesting_is_read_without_a_tree() -> None:
    """A link below 300,000 open tags is found."""
    assert links(b"<div>" * 300_000 + b"<a href='/deep'>") == ["https://h/deep"]


SITEMAP = b"""<?xml version="1.0"?><!-- c -->
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
<url><loc> https://h/b </loc><lastmod>2024-01-01</lastmod></url>
<url><loc>https://h/a#x</loc></url><url><loc>ftp://h/</loc></url></urlset>"""


def test_a_sitemap_lists_pages() -> None:
    """Sorted, in one spelling, plain or zipped."""
    for body in (SITEMAP, gzip.compress(SITEMAP)):
        sitemap = read_sitemap(body, max_bytes=10_000)
        assert sitemap.pages == ("https://h/a", "https://h/b")
        assert sitemap.sitemaps == ()


def test_an_index_lists_sitemaps() -> None:
    """With or without the namespace."""
    body = b"<sitemapindex><sitemap><loc>https://h/s.xml</loc></sitemap></sitemapindex>"
    assert read_sitemap(body, max_bytes=10_000).sitemaps == ("https://h/s.xml",)


def test_a_broken_sitemap_is_read_as_far_as_it_goes() -> None:
    """An unclosed tag does not lose the entries before it."""
    body = SITEMAP.replace(b"</urlset>", b"<url><loc>https://h/c")
    assert "https://h/b" in read_sitemap(body, max_bytes=10_000).pages


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "not XML"),
        (b"plain words", "found no XML"),
        (b"<html><body>not found</body></html>", "expected urlset or sitemapindex, found html"),
        (b"\x1f\x8bnonsense", "broken gzip"),
        (gzip.compress(SITEMAP, mtime=0)[:-4], "ends early"),
        (gzip.compress(b" " * 20_000, mtime=0), "more than 10000 bytes"),
    ],
)
def test_what_is_no_sitemap_says_why(body: bytes, message: str) -> None:
    """The reason ends up in a reject."""
    with pytest.raises(ValueError, match=message):
        read_sitemap(body, max_bytes=10_000)


def test_entities_are_not_expanded() -> None:
    """A sitemap cannot read the machine's files."""
    body = (
        b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>'
        b"<urlset><url><loc>https://h/&e;</loc></url></urlset>"
    )
    assert read_sitemap(body, max_bytes=10_000).pages in ((), ("https://h/",))


def test_unzip_stops_at_its_cap() -> None:
    """At the cap is allowed, one byte more is not."""
    assert len(unzip(gzip.compress(b"x" * 100), max_bytes=100)) == 100
    with pytest.raises(TooLargeError):
        unzip(gzip.compress(b"x" * 101), max_bytes=100)


def test_a_sitemap_is_read_without_its_tree() -> None:
    """Of a million nested elements and of half a million entries; too long a list is refused."""
    assert read_sitemap(b"<urlset>" + b"<url>" * 1_000_000, max_bytes=10**8) == Sitemap((), ())
    entry = b"<url><lastmod>1</lastmod></url>"
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert read_sitemap(b"<urlset>" + entry * 500_000, max_bytes=10**8) == Sitemap((), ())
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 60_000
    entry = b"<url><loc>https://a.example/" + b"x" * 10_000 + b"</loc></url>"
    with pytest.raises(TooLargeError, match="its entries are longer"):
        read_sitemap(b"<urlset>" + entry * 4_000, max_bytes=10**8)


def test_hostile_markup_takes_no_memory() -> None:
    """Nested tags, endless attributes and one attribute of 8 MB: nothing of them is copied."""
    names = b"".join(b"a%d=1 " % number for number in range(60_000))
    tracemalloc.start()
    try:
        for body in (
            b"<div>" * 100_000 + b"<a href=/x>",
            b"<p " + names + b"><a href=/x>",
            b'<p title="' + b"x " * 4_000_000 + b'"><a href=/x>',
            b"<a " + names + b"href=/x>",
        ):
            tracemalloc.clear_traces()
            assert links(body) == ["https://h/x"]
            assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_tags_that_never_end_take_linear_time() -> None:
    """Each takes the rest of the page, as in browsers."""
    started = time.process_time()
    for part in (b"<a ", b'<a b="', b"<!--", b"<script>", b"<a href=x"):
        assert links(part * 300_000) == []
    assert time.process_time() - started < 10


def test_many_links_and_long_ones_are_refused() -> None:
    """Of a page whose links take too much none is followed; a long one is no address."""
    many = b"".join(b"<a href=%d>" % number for number in range(100_000))
    with pytest.raises(TooLargeError, match="its links are longer"):
        links(many)
    for size, expected in ((8000, 1), (9000, 0)):
        body = b"<a href=/" + b"x" * size + b">"
        assert len(links(body)) == expected
        entry = b"<urlset><url><loc>https://h/" + b"x" * size + b"</loc></url></urlset>"
        assert len(read_sitemap(entry, max_bytes=10**5).pages) == expected


def test_what_stands_in_scripts_comments_and_values_is_no_link() -> None:
    """Quotes count behind an equals sign alone, and references stand for letters."""
    body = (
        b"<!-- <a href=1> --><script>'<a href=2>'</script><title><a href=3></title>"
        b"<img alt='<a href=4>'><p don't><a HREF = 'x?a=1&amp;b=2&copy=3'>"
    )
    assert links(body) == ["https://h/dir/x?a=1&b=2&copy=3"]


def test_a_base_too_long_for_an_address_is_refused() -> None:
    """Below the page's own address its links would lead to what nobody linked to."""
    body = b'<base href="/%b/"><a href="1">' % (b"x" * 9000)
    with pytest.raises(TooLargeError, match="base address"):
        page_links(body, content_type="text/html", url="https://a.example/")
