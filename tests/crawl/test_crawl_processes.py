"""Hosts over several processes: each belongs to one, and the result is that of one process."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler

import psutil
import pytest
from crawl_once import found
from crawl_servers import Server, page, respond, site_domain

from groundwork.crawl import CrawlConfig, crawl_domain
from groundwork.crawl.fleet import owner

HOSTS = [f"127.0.0.{number}" for number in range(1, 7)]
WORKER = "groundwork.crawl.worker"
Route = Callable[[BaseHTTPRequestHandler], None]


class Hosts:
    """Six hosts whose pages lead to one another; each notes which process asked it."""

    def __init__(self) -> None:
        self.askers: dict[str, set[int]] = {host: set() for host in HOSTS}
        self.routes: list[dict[str, Route]] = [{} for _ in HOSTS]
        pairs = zip(self.routes, HOSTS, strict=True)
        self.servers = [Server(routes, host) for routes, host in pairs]
        for number, routes in enumerate(self.routes):
            following = self.servers[(number + 1) % len(HOSTS)].url
            leads = [f"{following}/{number}-{step}" for step in range(3)]
            mine = [f"/{(number - 1) % len(HOSTS)}-{step}" for step in range(3)]
            self._publish(number, "/robots.txt", "User-agent: *\nDisallow: /no\n")
            self._publish(number, "/", page("/a", "/no"))
            self._publish(number, "/a", page(*leads, f"{following}/lost", f"{following}/no"))
            routes["/moved"] = respond(301, Location=f"{following}/a")
            for path in mine:
                self._publish(number, path, page("/a", "/moved"))

    def _publish(self, number: int, path: str, body: str) -> None:
        def answer(handler: BaseHTTPRequestHandler) -> None:
            self.askers[HOSTS[number]].add(_asker(handler.client_address[1]))
            respond(200, body)(handler)

        self.routes[number][path] = answer

    def urls(self) -> list[str]:
        """Start URLs."""
        return [f"{server.url}/" for server in self.servers]


def _asker(port: int) -> int:
    """Number of the fetching process that a connection comes from."""
    for child in psutil.Process().children():
        ports = {connection.laddr.port for connection in child.net_connections("tcp4")}
        if port in ports:
            return child.pid
    raise AssertionError(f"no child of ours has a connection from port {port}")


@pytest.fixture
def hosts() -> Iterator[Hosts]:
    """Six servers on six addresses of the loopback interface."""
    hosts = Hosts()
    for server in hosts.servers:
        server.__enter__()
    yield hosts
    for server in hosts.servers:
        server.__exit__()


def test_two_processes_find_what_one_finds(hosts: Hosts, config: CrawlConfig) -> None:
    """Links and redirects from host to host are handed over; no host is asked by two processes."""
    domain = site_domain(*hosts.urls())
    alone = crawl_domain(domain, replace(config, processes=1))
    assert len({pid for askers in hosts.askers.values() for pid in askers}) == 1
    for askers in hosts.askers.values():
        askers.clear()
    shared = crawl_domain(domain, replace(config, processes=2))
    assert shared.pages == alone.pages
    assert found(shared) == found(alone)
    assert len(alone.pages) == 5 * len(HOSTS)
    reasons = {reject.reason for reject in alone.rejects}
    assert reasons == {"robots", "http_error", "duplicate_url"}
    assert {len(askers) for askers in hosts.askers.values()} == {1}
    parts: dict[int, set[int]] = {0: set(), 1: set()}
    for host, askers in hosts.askers.items():
        parts[owner(f"http://{host}/", 2)] |= askers
    assert [len(pids) for pids in parts.values()] == [1, 1]
    assert parts[0] != parts[1]


def test_no_process_is_started_without_a_host(config: CrawlConfig) -> None:
    """One host is one process, however many are allowed."""
    counts: list[int] = []

    def count(handler: BaseHTTPRequestHandler) -> None:
        crawlers = [child for child in psutil.Process().children() if WORKER in child.cmdline()]
        counts.append(len(crawlers))
        respond(200, page())(handler)

    with Server({"/": count}) as server:
        crawl_domain(site_domain(f"{server.url}/"), replace(config, processes=4))
    assert counts == [1]


def test_ports_and_schemes_of_a_host_share_its_process() -> None:
    """The same everywhere: sha256 of `a` begins with ca978112, a multiple of 4 and 2 more."""
    urls = ["http://h.example/", "https://h.example/a", "http://h.example:8080/"]
    assert len({owner(url, 64) for url in urls}) == 1
    assert [owner(f"http://{host}/", 4) for host in ("a", "b", "c", "d")] == [2, 2, 3, 3]


def test_an_answer_that_is_no_answer_ends_the_crawl(
    config: CrawlConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line longer than any answer may be is a mistake of ours: nobody waits for more."""
    monkeypatch.setattr("groundwork.crawl.fleet.LINE_BYTES", 200)
    with Server({"/": respond(200, page())}) as server, pytest.raises(ValueError, match="limit"):
        crawl_domain(site_domain(f"{server.url}/"), config)
