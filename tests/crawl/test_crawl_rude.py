"""A server that misbehaves in every way: each URL ends as a page or as a reject with its reason."""

import pytest
from crawl_servers import Rude

REASONS = {
    "/endless": "too_large",
    "/announced": "too_large",
    "/bomb": "too_large",
    "/based": "too_large",
    "/badzip": "content_type",
    "/shortzip": "content_type",
    "/brotli": "content_type",
    "/image": "content_type",
    "/octets": "content_type",
    "/files.zip": "content_type",
    "/busy": "http_error",
    "/broken": "http_error",
    "/gone": "http_error",
    "/missing": "http_error",
    "/nowhere": "http_error",
    "/slow": "timeout",
    "/garbage": "unreachable",
    "/cut": "unreachable",
    "/silent": "unreachable",
    "/moved": "duplicate_url",
    "/loop-a": "redirect_loop",
    "/chain-0": "redirect_loop",
    "/away": "offsite",
    "/ftp": "scheme",
    "/bad-port": "scheme",
    "/bad-host": "scheme",
    "/private/a": "robots",
    "/to-private": "robots",
}
PAGES = {
    "/": "text/html",
    "/zipped": "text/html",
    "/unnamed": "application/pdf",
    "/latin": "text/html",
    "/caf%C3%A9": "text/html",
    "/liar": "text/html",
    "/told": "text/html",
    "/nested": "text/html",
    "/deep-down": "text/html",
    "/flaky": "text/html",
    "/patient": "text/html",
    "/new": "text/html",
    "/tagged": "text/html",
}


def test_every_url_is_a_page_or_a_reject_with_its_reason(rude: Rude) -> None:
    """Nothing is lost and nothing is kept that should not be."""
    assert {path: reject.reason for path, reject in rude.rejects.items()} == REASONS
    assert {path: page.content_type for path, page in rude.pages.items()} == PAGES


def test_a_large_page_is_cut_off(rude: Rude) -> None:
    """Of 52 MB, about the cap of 1 MB is received, plus what lies in socket buffers."""
    assert rude.sent["endless"] < 20_000_000


def test_a_disallowed_path_is_never_requested(rude: Rude) -> None:
    """robots.txt holds for links and for targets of redirects."""
    assert not [path for path in rude.server.paths() if path.startswith("/private/")]
    assert rude.fetches["/private/a"].robots == "disallowed"
    assert rude.fetches["/private/a"].status == 0
    assert rude.fetches["/"].robots == "allowed"


def test_redirects_are_recorded_under_the_final_url(rude: Rude) -> None:
    """The page has its final URL; the log tells the way there, and where a reject leads."""
    fetch = rude.fetches["/new"]
    assert fetch.requested_url == f"{rude.server.url}/old"
    assert fetch.redirects == (f"{rude.server.url}/old", f"{rude.server.url}/older")
    assert rude.fetches["/moved"].redirects == (f"{rude.server.url}/told",)
    assert (
        rude.rejects["/moved"].detail == f"redirects to {rude.server.url}/told, a page of its own"
    )


def test_passing_failures_are_retried_and_lasting_ones_given_up(rude: Rude) -> None:
    """Two attempts are configured; an overlong Retry-After is not waited for."""
    attempts = {
        path: rude.fetches[path].attempts for path in ("/flaky", "/broken", "/busy", "/gone")
    }
    assert attempts == {"/flaky": 2, "/broken": 2, "/busy": 1, "/gone": 1}
    assert rude.server.paths().count("/slow") == 2


def test_tracking_parameters_and_fragments_are_not_requested(rude: Rude) -> None:
    """One page, one URL."""
    assert rude.server.paths().count("/tagged") == 1
    assert not [path for path in rude.server.paths() if "utm_" in path]


def test_the_charset_of_the_header_is_recorded(rude: Rude) -> None:
    """Even one that does not exist: clean decides what to make of it."""
    assert rude.pages["/latin"].charset == "iso-8859-1"
    assert rude.pages["/liar"].charset == "x-no"


def test_requests_name_the_user_agent(rude: Rude) -> None:
    """The contact URL reaches the server."""
    assert rude.server.agents == {
        "Groundwork/0.1 (+https://groundwork.invalid/name-your-contact-url-in-crawl.user_agent)"
    }


def test_everything_is_sorted_and_counted(rude: Rude) -> None:
    """Lists are sorted by URL; links to other hosts are counted, not listed."""
    result = rude.result
    assert [page.url for page in result.pages] == sorted(page.url for page in result.pages)
    assert [r.key for r in result.rejects] == sorted(r.key for r in result.rejects)
    assert [f.url for f in result.fetches] == sorted({f.url for f in result.fetches})
    assert result.offsite == 1
    assert result.failed() == len(
        [r for r in REASONS.values() if r in ("too_large", "http_error", "timeout", "unreachable")]
    ) + len([r for r in REASONS.values() if r == "redirect_loop"])


def test_pages_carry_their_source_and_licence(rude: Rude) -> None:
    """What a citation needs."""
    assert {(page.source, page.licence) for page in rude.result.pages} == {("site", "MIT")}


@pytest.mark.parametrize("path", ["/garbage", "/silent"])
def test_details_are_for_people(rude: Rude, path: str) -> None:
    """No repr of a Python object."""
    assert "<" not in rude.rejects[path].detail
    assert rude.rejects[path].detail
