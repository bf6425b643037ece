"""Fixtures of the crawl's tests: the committed configuration and one crawl of a rude server."""

import gzip
from contextlib import chdir
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from crawl_servers import (
    ROBOTS,
    Rude,
    Server,
    endless,
    failing_first,
    page,
    raw,
    respond,
    site_domain,
    slow,
)

from groundwork.config import check
from groundwork.crawl import CrawlConfig, crawl_domain

LONG_LINKS = f'<base href="/{"x" * 90_000}/">' + "".join(f"<a href={n}>" for n in range(50_000))
"""Half a megabyte that leads to 4.5 GB of URLs."""
CONF_PATH = Path(__file__).parents[2] / "conf" / "crawl" / "default.yaml"


@pytest.fixture(scope="session")
def config() -> CrawlConfig:
    """The committed configuration, without waits."""
    values = yaml.safe_load(CONF_PATH.read_text(encoding="utf-8"))
    return replace(check("crawl", CrawlConfig, values, CONF_PATH), delay_s=0.0, backoff_s=0.0)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a crawl remembers stays out of the checkout."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def rude(config: CrawlConfig, tmp_path_factory: pytest.TempPathFactory) -> Rude:
    """One crawl over every way to misbehave that the tests look at."""
    sent: dict[str, int] = {}
    html = respond(200, page())
    bomb = gzip.compress(b"<html>" + b" " * 3_000_000)
    routes = {
        "/robots.txt": respond(200, ROBOTS, Content_Type="text/plain"),
        "/endless": endless(sent),
        "/announced": respond(200, b"x" * 1_500_000),
        "/bomb": respond(200, bomb, Content_Encoding="gzip"),
        "/zipped": respond(200, gzip.compress(page().encode()), Content_Encoding="gzip"),
        "/badzip": respond(200, b"\x1f\x8bnonsense", Content_Encoding="gzip"),
        "/shortzip": respond(200, gzip.compress(b"x" * 999)[:-9], Content_Encoding="gzip"),
        "/brotli": respond(200, b"\x00\x01\x02", Content_Encoding="br"),
        "/image": respond(200, b"\x89PNG", Content_Type="image/png"),
        "/unnamed": respond(200, b"%PDF-1.7 ...", Content_Type=""),
        "/octets": respond(200, b"\x00\x01", Content_Type="application/octet-stream"),
        "/latin": respond(
            200,
            '<html><a href="/caf\xe9">x</a>\xe9'.encode("latin-1"),
            Content_Type="text/html; charset=ISO-8859-1",
        ),
        "/caf%C3%A9": html,
        "/liar": respond(
            200, b"<p>\xff\xfe\xe9<a href='/told'>", Content_Type="text/html;charset=x-no"
        ),
        "/told": html,
        "/nested": respond(200, "<div>" * 150_000 + "<a href='/deep-down'>x"),
        "/deep-down": html,
        "/flaky": failing_first(1, html),
        "/patient": failing_first(1, html, Retry_After="0"),
        "/busy": respond(503, Retry_After="999999"),
        "/broken": respond(500),
        "/gone": respond(410),
        "/slow": slow,
        "/garbage": raw(b"not http at all\r\n\r\n"),
        "/cut": raw(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 99\r\n\r\nhalf"
        ),
        "/silent": raw(b""),
        "/old": respond(301, Location="/older"),
        "/older": respond(302, Location="/new"),
        "/new": html,
        "/moved": respond(301, Location="/told"),
        "/loop-a": respond(302, Location="/loop-b"),
        "/loop-b": respond(302, Location="/loop-a"),
        **{f"/chain-{n}": respond(302, Location=f"/chain-{n + 1}") for n in range(20)},
        "/away": respond(302, Location="https://elsewhere.example/"),
        "/ftp": respond(302, Location="ftp://elsewhere.example/"),
        "/nowhere": respond(302),
        "/bad-host": respond(302, Location="http://[broken"),
        "/bad-port": respond(302, Location="http://h:99999999/"),
        "/to-private": respond(302, Location="/private/b"),
        "/private/a": html,
        "/private/b": html,
        "/tagged": html,
        "/based": respond(200, LONG_LINKS),
    }
    hidden = ("/robots.txt", "/new", "/older", "/loop-b", "/private/b", "/caf%C3%A9", "/deep-down")
    linked = [path for path in routes if path not in hidden and not path.startswith("/chain-")]
    linked += ["/chain-0", "/tagged?utm_source=mail#top", "/files.zip", "mailto:a@b.example"]
    linked += ["https://other.example/", "http://[broken/", "javascript:void(0)", "/missing"]
    routes["/"] = respond(200, page(*linked))
    quick = replace(config, timeout_s=1.2, retries=1, max_body_bytes=1_000_000, max_redirects=5)
    with Server(routes) as server, chdir(tmp_path_factory.mktemp("rude")):
        result = crawl_domain(site_domain(f"{server.url}/"), quick)
    return Rude(server, result, sent)
