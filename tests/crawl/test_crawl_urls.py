"""URLs: one spelling, inside or outside, public or on loopback."""

import pytest

from groundwork.crawl.urls import Scope, Wire, canonical, unwanted_extension

TYPES = ["text/html", "application/pdf"]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("HTTPS://Docs.Example.ORG:443", "https://docs.example.org/"),
        ("http://h:80/a", "http://h/a"),
        ("http://h:8080/a", "http://h:8080/a"),
        ("https://h/a#part", "https://h/a"),
        ("https://h/a?utm_source=x&b=2&GCLID=1&a=1", "https://h/a?b=2&a=1"),
        ("https://h/a?gclid=1", "https://h/a"),
        ("https://user:secret@h/a", "https://h/a"),
        ("https://h/a/../b/./c", "https://h/b/c"),
        ("https://h/../../etc", "https://h/etc"),
        ("https://h/%7euser/%c3%a9", "https://h/~user/%C3%A9"),
        ("https://h/é x", "https://h/%C3%A9%20x"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
        ("https://[::1]:443/", "https://[::1]/"),
        ("https://h//double//slash/", "https://h//double//slash/"),
        ("mailto:a@b.example", None),
        ("javascript:void(0)", None),
        ("file:///etc/passwd", None),
        ("ftp://h/", None),
        ("/relative", None),
        ("http://", None),
        ("http://[broken/", None),
        ("http://\xef\xbc\x91/", None),
        ("http://h:99999999/", None),
    ],
)
def test_a_url_has_one_spelling(url: str, expected: str | None) -> None:
    """Spellings of one page meet; what cannot be fetched is None."""
    assert canonical(url, ("utm_*", "gclid")) == expected


def test_a_canonical_url_stays_as_it_is() -> None:
    """Applying it twice changes nothing."""
    once = canonical("http://H/a%2fb/?q=a%20b&c")
    assert once is not None
    assert canonical(once) == once


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://h/a.zip", ".zip"),
        ("https://h/a.PNG", ".png"),
        ("https://h/a.pdf", ""),
        ("https://h/a.html", ""),
        ("https://h/a.php", ""),
        ("https://h/v0.124-new-api", ""),
        ("https://h/a?file=b.zip", ""),
    ],
)
def test_an_extension_tells_what_is_not_worth_a_request(url: str, expected: str) -> None:
    """Only extensions of types that are never kept."""
    assert unwanted_extension(url, TYPES) == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://h/en/a", None),
        ("https://h/en/", None),
        ("https://h/en", None),
        ("https://h/english", "excluded"),
        ("https://h/de/a", "excluded"),
        ("https://h/en/print/a", "excluded"),
        ("https://h:8443/en/a", "offsite"),
        ("https://sub.h/en/a", "offsite"),
    ],
)
def test_a_scope_says_why_a_url_is_outside(url: str, expected: str | None) -> None:
    """Hosts are compared with their ports, paths by prefix."""
    scope = Scope(frozenset({"h"}), ("/en/",), ("/en/print/",))
    assert scope.refusal(url) == expected


def test_prefixes_may_be_written_as_people_read_them() -> None:
    """Percent-encoding does not matter."""
    scope = Scope(frozenset({"h"}), ("/über/",), ())
    assert scope.refusal("https://h/%C3%BCber/uns") is None


def test_a_wire_maps_both_ways() -> None:
    """Public and loopback names of a mirror; other hosts stay."""
    wire = Wire("https://docs.example.org", "http://127.0.0.1:1234")
    assert wire.to_wire("https://docs.example.org/a?b") == "http://127.0.0.1:1234/a?b"
    assert wire.to_public("http://127.0.0.1:1234/a?b") == "https://docs.example.org/a?b"
    assert wire.to_public("http://docs.example.org/a") == "https://docs.example.org/a"
    assert wire.to_public("https://docs.example.org.evil/a") == "https://docs.example.org.evil/a"
    assert wire.to_wire("https://docs.example.org.evil/a") == "https://docs.example.org.evil/a"
    assert (
        Wire("", "").to_public("http://h/a") == Wire("", "").to_wire("http://h/a") == "http://h/a"
    )
