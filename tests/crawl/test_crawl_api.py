"""A JSON API behind a real server: mapping, pagination of every kind, and what goes wrong."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from crawl_servers import Server, failing_first, make_domain, respond, slow

from groundwork.config import DomainConfig
from groundwork.crawl import CrawlConfig, CrawlResult, collect
from groundwork.errors import ConfigError, InputError

Route = Callable[[BaseHTTPRequestHandler], None]
SITES: list[dict[str, Any]] = [
    {
        "id": number,
        "name": f"Car park {number}",
        "address": {"street": f"{number} High Street"},
        "plugs": [{"type": "CCS", "kw": 50}],
        "seen": "2026-01-01T00:00:00Z",
        "updated": "2025-06-01T10:00:00Z",
        "licence": "ODbL-1.0" if number == 3 else None,
    }
    for number in range(1, 8)
]
BASE = "https://register.example/site"


class Register:
    """Seven sites, three an answer, paged in every way; remembers the headers it saw."""

    def __init__(self) -> None:
        self.headers: list[dict[str, str]] = []
        self.url = ""

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        query = {key: value[0] for key, value in parse_qs(urlsplit(handler.path).query).items()}
        self.headers.append(dict(handler.headers))
        page = int(query.get("page", 1)) - 1
        start = int(query.get("offset") or query.get("after") or page * 3)
        more = start + 3 < len(SITES)
        answer = {"sites": SITES[start : start + 3], "cursor": start + 3 if more else None}
        address = f"/sites?offset={start + 3}"
        answer["next"] = address if more else None
        link = {"Link": f'<{self.url}{address}>; rel="next", </>; rel="first"'} if more else {}
        respond(200, json.dumps(answer), Content_Type="application/json", **link)(handler)


class _Paths(dict[str, Route]):
    """Routes by path alone, whatever the query."""

    def get(self, key: str, default: Route) -> Route:  # type: ignore[override]
        return super().get(urlsplit(key).path, default)


def api_domain(url: str, **changes: Any) -> DomainConfig:
    """A domain whose source is the API at `url`."""
    pagination = {"kind": "none", "param": "", "start": 0, "path": ""}
    source = {
        "url": url,
        "headers": {},
        "secret_headers": {},
        "pagination": pagination | changes.pop("pagination", {}),
        "records": "sites",
        "id": "id",
        "record_url": f"{BASE}/{{id}}",
        "title": "name",
        "fields": {"Address": "address.street", "Plugs": "plugs[].type", "Gone": "no.such"},
        "date": "updated",
        "licence": "licence",
        "obey_robots": True,
        "local": True,
        **changes,
    }
    return make_domain(api=source)


@contextmanager
def register(**routes: Route) -> Iterator[tuple[Server, Register]]:
    """The register on loopback, with more routes."""
    sites = Register()
    more = {f"/{name.replace('__', '/')}": route for name, route in routes.items()}
    with Server(_Paths({"/sites": sites, **more})) as server:  # type: ignore[arg-type]
        sites.url = server.url
        yield server, sites


def answering(answer: object) -> Route:
    """A route with a fixed JSON body."""
    body = answer if isinstance(answer, str) else json.dumps(answer)
    return respond(200, body, Content_Type="application/json")


def found(result: CrawlResult, server: Server) -> dict[str, str]:
    """Address without the host to reason."""
    return {r.key.replace(server.url, "").replace(BASE, ""): r.reason for r in result.rejects}


@pytest.mark.parametrize(
    "pagination",
    [
        {"kind": "page", "param": "page", "start": 1},
        {"kind": "offset", "param": "offset"},
        {"kind": "cursor", "param": "after", "path": "cursor"},
        {"kind": "next", "path": "next"},
        {"kind": "link"},
    ],
    ids=lambda value: value["kind"],
)
def test_every_record_of_every_answer_is_a_page(
    config: CrawlConfig, pagination: dict[str, Any]
) -> None:
    """The same seven pages, however the API leads on."""
    with register() as (server, _):
        result = collect(api_domain(f"{server.url}/sites", pagination=pagination), config)
    assert [page.url for page in result.pages] == [f"{BASE}/{n}" for n in range(1, 8)]
    assert json.loads(result.pages[0].body) == {
        "title": "Car park 1",
        "date": "2025-06-01",
        "fields": [["Address", "1 High Street"], ["Plugs", ["CCS"]]],
    }
    first, third = result.pages[0], result.pages[2]
    assert (first.source, first.content_type, first.licence) == ("api", "application/json", "MIT")
    assert third.licence == "ODbL-1.0"
    assert result.rejects == []
    assert {(fetch.status, fetch.robots) for fetch in result.fetches} == {(200, "none")}
    assert len({fetch.requested_url for fetch in result.fetches}) == 3


def test_a_field_that_is_not_shown_changes_no_page(config: CrawlConfig) -> None:
    """A clock in a record must not make it new each time; without a mapping all is shown."""
    bodies = []
    for seen in ("2026-01-01", "2026-02-02"):
        sites = [SITES[0] | {"seen": seen}]
        with register(changed=answering({"sites": sites})) as (server, _):
            url = f"{server.url}/changed"
            bodies.append(collect(api_domain(url), config).pages[0].body)
            whole = collect(api_domain(url, fields={}), config).pages[0]
    assert bodies[0] == bodies[1]
    labels = [label for label, _ in json.loads(whole.body)["fields"]]
    assert labels == ["id", "name", "address", "plugs", "seen", "updated"]


def test_a_loop_ends_and_is_counted(config: CrawlConfig) -> None:
    """A parameter that the server ignores, and an address that leads back."""
    always = {"sites": SITES[:2], "next": "/back"}
    with register(back=answering(always)) as (server, _):
        ignored = {"kind": "page", "param": "p", "start": 1}
        result = collect(api_domain(f"{server.url}/back", pagination=ignored), config)
        assert (len(result.pages), found(result, server)) == (2, {"/back?p=2": "pagination_loop"})
        back = {"kind": "next", "path": "next"}
        result = collect(api_domain(f"{server.url}/back", pagination=back), config)
        assert (len(result.pages), found(result, server)) == (2, {"/back": "pagination_loop"})
        assert server.paths().count("/back") == 1


BROKEN = {
    "half": ('{"sites": [', "bad_data", "Expecting value"),
    "html": ("<html>", "bad_data", "Expecting value"),
    "deep": ("[" * 100_000, "bad_data", "recursion"),
    "nan": ('{"sites": [{"id": NaN}]}', "bad_data", "NaN is no JSON"),
    "object": ({"sites": {"a": 1}}, "bad_data", "found dict, expected a list"),
    "nothing": ({"other": []}, "bad_data", "found NoneType, expected a list"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_an_answer_that_is_none_names_the_cause(config: CrawlConfig, name: str) -> None:
    """As the first answer it ends the crawl; as a later one it is a reject."""
    body, reason, words = BROKEN[name]
    first = {"sites": SITES[:1], "next": "/broken"}
    with register(broken=answering(body), first=answering(first)) as (server, _):
        with pytest.raises(InputError, match=rf"/broken: no record could be kept.*{words}"):
            collect(api_domain(f"{server.url}/broken"), config)
        pagination = {"kind": "next", "path": "next"}
        result = collect(api_domain(f"{server.url}/first", pagination=pagination), config)
    assert (len(result.pages), found(result, server)) == (1, {"/broken": reason})
    assert result.failed() == 1


def test_records_that_cannot_be_pages_are_rejects(config: CrawlConfig) -> None:
    """No object, no id, an id that is no text, a record too large, one that comes twice."""
    sites = [
        *SITES[:2],
        "text",
        {"name": "no id"},
        {"id": {"a": 1}},
        {"id": True},
        {"id": "ü /?#", "address": {"street": "x" * 900}},
        SITES[0],
    ]
    with register(odd=answering({"sites": sites})) as (server, _):
        result = collect(api_domain(f"{server.url}/odd"), replace(config, max_body_bytes=5_000))
        tight = replace(config, max_body_bytes=5_000)
        big = api_domain(f"{server.url}/odd", fields={"A": "join('', [address.street, @.x || ''])"})
        assert found(collect(big, tight), server)["/odd#2"] == "no_url"
    assert found(result, server) == {
        "/1": "duplicate_url",
        "/odd#2": "no_url",
        "/odd#3": "no_url",
        "/odd#4": "no_url",
        "/odd#5": "no_url",
    }
    assert [page.url for page in result.pages] == [
        f"{BASE}/%C3%BC%20%2F%3F%23",
        *(f"{BASE}/{n}" for n in (1, 2)),
    ]
    assert len(result.pages) + len(result.rejects) == len(sites)


def test_caps_are_those_of_a_crawl(config: CrawlConfig) -> None:
    """Pages, bytes of an answer, and seconds; what is left out is a reject."""
    pagination = {"kind": "offset", "param": "offset"}
    with register(endless=endless_pages(), big=answering(" " * 9_000)) as (server, _):
        domain = api_domain(f"{server.url}/sites", pagination=pagination)
        few = collect(domain, replace(config, max_pages=2))
        assert len(few.pages) == 2
        assert found(few, server) == {"/3": "page_cap", "/sites?offset=3": "page_cap"}
        with pytest.raises(InputError, match="more than 5000 bytes"):
            collect(api_domain(f"{server.url}/big"), replace(config, max_body_bytes=5_000))
        started = time.monotonic()
        slow = api_domain(f"{server.url}/endless", pagination={"kind": "page", "param": "page"})
        short = collect(slow, replace(config, max_total_s=1.0, delay_s=0.2))
        assert time.monotonic() - started < 2
        assert 1 < len(short.pages) < 9
        assert [reject.reason for reject in short.rejects] == ["time_cap"]


def endless_pages() -> Route:
    """An API that always has one more record."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        answering({"sites": [{"id": handler.path}]})(handler)

    return answer


def test_failures_that_pass_are_retried(config: CrawlConfig) -> None:
    """As often as pages are; others are not."""
    good = answering({"sites": SITES[:1]})
    routes = {"busy": failing_first(2, good), "dead": respond(503), "gone": respond(404)}
    with register(**routes) as (server, _):
        quick = replace(config, retries=2)
        assert len(collect(api_domain(f"{server.url}/busy"), quick).pages) == 1
        with pytest.raises(InputError, match="expected status 200, got 503"):
            collect(api_domain(f"{server.url}/dead"), quick)
        with pytest.raises(InputError, match="got 404"):
            collect(api_domain(f"{server.url}/gone"), quick)
    paths = [path for path in server.paths() if path != "/robots.txt"]
    assert paths == ["/busy"] * 3 + ["/dead"] * 3 + ["/gone"]


def drip(handler: BaseHTTPRequestHandler) -> None:
    """Headers that never end, a byte at a time."""
    try:
        for _ in range(100):
            handler.wfile.write(b"X")
            time.sleep(0.1)
    except OSError:
        pass


def test_a_server_that_drips_is_left(config: CrawlConfig) -> None:
    """The time of a request counts from its beginning, not from the last byte."""
    with register(drip=drip, silent=slow) as (server, _):
        for name in ("drip", "silent"):
            started = time.monotonic()
            quick = replace(config, timeout_s=1.0, retries=0)
            with pytest.raises(InputError, match="no response within 1 s"):
                collect(api_domain(f"{server.url}/{name}"), quick)
            assert time.monotonic() - started < 3


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "[::1]", "0177.0.0.1"])
def test_private_addresses_are_refused_unless_local(config: CrawlConfig, host: str) -> None:
    """Not one request is sent; a redirect there is refused as well."""
    with register() as (server, _):
        port = server.url.rpartition(":")[2]
        with pytest.raises(InputError, match=r"has the address.*domain\.api\.local=true"):
            collect(api_domain(f"http://{host}:{port}/sites", local=False), config)
    assert server.paths() == []


def test_redirects_stay_with_http_and_lose_the_key(
    config: CrawlConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key is sent to the API's host alone, and stands in no result."""
    monkeypatch.setenv("REGISTER_KEY", "hush-hush")
    other = Register()
    routes = {"/sites": other}
    secret = {"headers": {"X-Who": "me"}, "secret_headers": {"X-Key": "REGISTER_KEY"}}
    with Server(routes) as elsewhere:
        away = respond(302, Location=f"{elsewhere.url}/sites")
        to_file = respond(302, Location="file:///etc/passwd")
        loop = respond(302, Location="/loop")
        with register(away=away, file=to_file, loop=loop) as (server, sites):
            result = collect(api_domain(f"{server.url}/away", **secret), config)
            collect(api_domain(f"{server.url}/sites", **secret), config)
            with pytest.raises(InputError, match="redirects to file:///etc/passwd"):
                collect(api_domain(f"{server.url}/file"), config)
            with pytest.raises(InputError, match="redirects, the last to"):
                collect(api_domain(f"{server.url}/loop"), config)
    assert sites.headers[0]["X-Key"] == "hush-hush"
    assert sites.headers[0]["User-Agent"] == config.user_agent
    assert not {"X-Key", "X-Who"} & set(other.headers[0])
    assert "hush-hush" not in str([*map(asdict, result.pages), *map(asdict, result.fetches)])


def test_robots_count_unless_the_owner_says_otherwise(config: CrawlConfig) -> None:
    """The verdict stands in the log."""
    robots = respond(200, "User-agent: *\nDisallow: /sites", Content_Type="text/plain")
    with Server(_Paths({"/robots.txt": robots, "/sites": Register()})) as server:  # type: ignore[arg-type]
        with pytest.raises(InputError, match=r"disallowed for Groundwork by robots\.txt"):
            collect(api_domain(f"{server.url}/sites"), config)
        assert "/sites" not in server.paths()
        result = collect(api_domain(f"{server.url}/sites", obey_robots=False), config)
    assert {fetch.robots for fetch in result.fetches} == {"ignored"}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"records": "sites["}, r"domain\.api\.records='sites\['.*expected JMESPath"),
        ({"fields": {"A": "]"}}, r"domain\.api\.fields\.A"),
        ({"record_url": "https://x.example"}, r"expected \{id\} in it"),
        ({"secret_headers": {"X": "NOT_SET_ANYWHERE"}}, "NOT_SET_ANYWHERE is not set"),
        ({"pagination": {"kind": "page"}}, r"domain\.api\.pagination\.param"),
        ({"pagination": {"kind": "next"}}, r"domain\.api\.pagination\.path"),
        ({"url": "file:///etc/passwd"}, "begins with http"),
    ],
)
def test_a_source_that_cannot_be_used_is_a_configuration_error(
    config: CrawlConfig, changes: dict[str, Any], words: str
) -> None:
    """Before anything is asked."""
    with pytest.raises(ConfigError, match=words):
        collect(api_domain(**{"url": "http://127.0.0.1:9/", **changes}), config)


def test_certificates_are_verified(config: CrawlConfig) -> None:
    """What is no TLS at all is unreachable, and says why."""
    with register() as (server, _):
        url = server.url.replace("http:", "https:")
        with pytest.raises(InputError, match=r"robots\.txt: \w*Error: .*SSL"):
            collect(api_domain(f"{url}/sites"), replace(config, retries=0))
