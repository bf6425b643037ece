"""A crawl is led to blocked addresses in every way there is, and connects to none of them.

Real sources in processes of their own, behind a fence that writes down every connection that
anything tries to make; names and public addresses are the tests' own (see `crawl_fenced`).
"""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from blocked import NAMES, SCHEMES, schemes, urls
from crawl_servers import Server, page, respond

from groundwork.crawl.resolve import PrivateAddressError, resolve
from groundwork.crawl.urls import canonical

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
PUBLIC_ADDRESS = "93.184.215.14"
NOT_FOUND = "unreachable"
"""Also a name that nobody knows, such as one that is no name."""


@dataclass(frozen=True)
class Led:
    """What became of the program, and what it connected to."""

    outcomes: dict[str, Any]
    connections: set[tuple[str, int]]
    public_port: int
    spelled: list[str]
    every: list[str]
    asked: list[str]
    """Host and path of each request that the public server saw."""


class Leader:
    """The public server: leads to the N-th URL from `/go/N`, or from robots.txt of `rN.example`."""

    def __init__(self, every: list[str]) -> None:
        self.every = every
        self.asked: list[str] = []

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        host = handler.headers["Host"].split(":")[0]
        self.asked.append(f"{host}{handler.path}")
        name, number = host.split(".")[0], handler.path.rpartition("/")[2]
        if name[0] == "r" and handler.path == "/robots.txt":
            answer = self._lead(int(name[1:]))
        elif handler.path.startswith("/go/"):
            answer = self._lead(int(number))
        elif handler.path == "/robots.txt":
            lines = "".join(f"Sitemap: {self._ascii(url)}\n" for url in self.every)
            answer = respond(200, lines, Content_Type="text/plain", Connection="close")
        elif host == "turn.example":
            links = ["/a", "/b"] if handler.path == "/" else []
            answer = respond(200, page(*links), Connection="close")
        elif handler.path == "/":
            links = [f"/go/{n}" for n in range(len(self.every))]
            answer = respond(200, page(*links, *map(self._ascii, self.every)), Connection="close")
        else:
            answer = respond(404, Connection="close")
        handler.close_connection = True
        answer(handler)

    def _lead(self, number: int) -> Any:
        return respond(302, Location=self._ascii(self.every[number]), Connection="close")

    @staticmethod
    def _ascii(url: str) -> str:
        """As a server would write it: headers have bytes."""
        return url.encode().decode("latin-1")


class _Any(dict[str, Any]):
    """One route for all paths."""

    def __init__(self, leader: Leader) -> None:
        self.leader = leader

    def get(self, key: str, default: Any = None) -> Any:
        return self.leader


@pytest.fixture(scope="module")
def victim() -> Iterator[socket.socket]:
    """A socket that listens on loopback, IPv4 and IPv6, and should hear nothing."""
    with socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as server:
        server.setblocking(False)
        yield server


@pytest.fixture(scope="module")
def led(victim: socket.socket, tmp_path_factory: pytest.TempPathFactory) -> Led:
    """One run of the program."""
    folder = tmp_path_factory.mktemp("fence")
    port = victim.getsockname()[1]
    spelled = [url for kind in urls(port).values() for url in kind]
    every = [*spelled, *schemes(port)]
    leader = Leader(every)
    log_path = folder / "connections"
    log_path.touch()
    with Server(_Any(leader)) as server:
        public_port = urlsplit(server.url).port
        assert public_port is not None
        public = [[PUBLIC_ADDRESS]]
        names = {f"r{n}.example": public for n in range(len(every))} | {"public.example": public}
        names["turn.example"] = [[PUBLIC_ADDRESS], ["127.0.0.1"]]
        fence = {"names": names | NAMES, "played": {PUBLIC_ADDRESS: public_port}}
        (folder / "fence.json").write_text(json.dumps({**fence, "log": str(log_path)}))
        paths = [HERE / "fence", HERE.parents[1] / "src", HERE]
        done = subprocess.run(
            [sys.executable, str(HERE / "crawl_fenced.py"), str(port), "found.json"],
            cwd=folder,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(map(str, paths)),
                "FENCE": str(folder / "fence.json"),
            },
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr[-3000:]
    rows = {tuple(json.loads(line)[:2]) for line in log_path.read_text().splitlines()}
    outcomes = json.loads((folder / "found.json").read_text())
    return Led(outcomes, rows, public_port, spelled, every, leader.asked)


def test_nothing_but_the_public_server_is_connected_to(led: Led, victim: socket.socket) -> None:
    """Of 119 URLs, from six places each; the fence sees connections, for it saw those."""
    assert len(set(led.every)) >= 60 + len(SCHEMES)
    assert led.connections == {("127.0.0.1", led.public_port)}
    with pytest.raises(BlockingIOError):
        victim.accept()


def test_start_urls_are_refused(led: Led) -> None:
    """Each with its reason; a host that is none cannot be resolved."""
    found = led.outcomes["as start"]
    wanted = {canonical(url) for url in led.spelled}
    assert {found[url] for url in wanted} == {"private_address", NOT_FOUND}
    unknown = [url for url in wanted if found[url] == NOT_FOUND]
    assert unknown == [url for url in wanted if "%31%32%37" in url]


def test_a_redirect_of_robots_txt_closes_the_host(led: Led) -> None:
    """RFC 9309 lets it lead to other hosts, but not to these."""
    found = led.outcomes["redirect of robots.txt"]
    reasons = [found[f"http://r{n}.example/"] for n in range(len(led.every))]
    private, strange = reasons[: len(led.spelled)], reasons[len(led.spelled) :]
    assert set(private) == {"private_address", NOT_FOUND}
    assert private.count(NOT_FOUND) == 1
    assert set(strange) == {"scheme"}
    pages = [f"r{n}.example/" for n in range(len(led.every))]
    assert not set(pages) & set(led.asked)


def test_pages_lead_nowhere_else(led: Led) -> None:
    """Redirects, links and sitemaps that leave the host of the site are not followed."""
    found = led.outcomes["redirect of a page, link, sitemap"]
    reasons = [found[f"http://public.example/go/{n}"] for n in range(len(led.every))]
    assert set(reasons[: len(led.spelled)]) == {"offsite"}
    assert set(reasons[len(led.spelled) :]) == {"scheme"}


@pytest.mark.parametrize("place", ["api", "redirect of an api", "redirect of a feed"])
def test_lists_are_not_read_there(led: Led, place: str) -> None:
    """The client of feeds and APIs follows redirects to other hosts: to public ones alone."""
    found = led.outcomes[place]
    assert list(found) == led.every
    for url in led.spelled:
        assert "has the address" in found[url] or "%31%32%37" in url, (url, found[url])
    for url in led.every[len(led.spelled) :]:
        assert "expected http or https" in found[url] or "begins with http" in found[url], url


def test_a_name_that_turns_private_stays_where_it_was(led: Led) -> None:
    """Every request has a connection of its own, and each goes to the first address."""
    expected = [f"http://turn.example/{path}" for path in ("", "a", "b")]
    assert led.outcomes["rebinding"] == expected


@pytest.mark.parametrize("kind", sorted(urls(80)))
def test_programs_that_connect_themselves_get_no_address(kind: str) -> None:
    """`git` is told the addresses of a name; a blocked one is none."""
    for url in urls(80)[kind]:
        host = urlsplit(canonical(url) or "").hostname or ""
        if host.endswith(".example") or host.startswith("metadata"):
            continue  # names of the fence
        with pytest.raises((PrivateAddressError, OSError)):
            resolve(host, 80, local_allowed=False)
