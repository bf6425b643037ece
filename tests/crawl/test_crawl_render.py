"""Pages that scripts write, in a real Chromium; what such a page may reach, and what it may not."""

import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil
import pytest
from crawl_servers import Server, make_domain, page, respond

from groundwork.config import DomainConfig
from groundwork.crawl import CrawlConfig, CrawlResult, collect
from groundwork.crawl.render import BROWSERS
from groundwork.errors import InputError

IS_THERE = find_spec("playwright") is not None and any(map(shutil.which, BROWSERS))
needs_browser = pytest.mark.skipif(
    not IS_THERE, reason="needs the extra `render` (Playwright) and a Chromium on PATH"
)


def rendered_domain(*urls: str, local: bool = True) -> DomainConfig:
    """A live site whose pages are shown to a browser."""
    source = {"start_urls": list(urls), "include": [], "exclude": [], "local": local}
    return make_domain(site=source | {"render": True})


def script(code: str, *, text: str = "") -> Any:
    """A page whose text comes from a script."""
    body = (
        f"<!doctype html><html><body><main id=m>{text}</main><script>{code}</script></body></html>"
    )
    return respond(200, body)


def asset(body: str, kind: str = "text/javascript", **headers: str) -> Any:
    """A file that a page asks for."""
    return respond(200, body, Content_Type=kind, **headers)


def bodies(result: CrawlResult, server: Server) -> dict[str, str]:
    """Path to what the browser showed."""
    return {page.url.removeprefix(server.url): page.body.decode() for page in result.pages}


@needs_browser
def test_what_scripts_write_is_read_and_their_links_are_followed(config: CrawlConfig) -> None:
    """From a file, an API, a module, after a while; a file is fetched once for all pages."""
    write = (
        "fetch('/data.json').then(r => r.json()).then(d => setTimeout(() => {"
        "m.innerHTML = `<p>${d.text}</p><a href='/two'>two</a>`}, 100))"
    )
    routes = {
        "/": respond(200, "<main id=m></main><script src=/app.js></script><link rel=stylesheet "
                     "href=/s.css><img src=/i.png>"),
        "/app.js": asset(write),
        "/data.json": asset('{"text": "from the API"}', "application/json"),
        "/two": respond(200, "<main id=m></main><script type=module src=/app.mjs></script>"),
        "/app.mjs": asset("import {t} from '/lib.mjs'; m.textContent = t + location.pathname"),
        "/lib.mjs": asset("export const t = 'module of '"),
    }  # fmt: skip
    with Server(routes) as server:
        result = collect(rendered_domain(f"{server.url}/"), config)
    found = bodies(result, server)
    assert "<p>from the API</p>" in found["/"]
    assert ">module of /two</main>" in found["/two"]
    assert all(page.charset == "utf-8" for page in result.pages)
    asked = server.paths()
    assert {path: asked.count(path) for path in ("/app.js", "/data.json", "/lib.mjs", "/")} == {
        "/app.js": 1,
        "/data.json": 1,
        "/lib.mjs": 1,
        "/": 1,
    }
    assert not {"/s.css", "/i.png", "/favicon.ico"} & set(asked)
    assert server.agents == {config.user_agent}


@needs_browser
def test_robots_count_for_what_a_page_asks(config: CrawlConfig) -> None:
    """The script is told that the address cannot be reached."""
    ask = "fetch('/private/x').then(r => m.textContent = 'read', () => m.textContent = 'refused')"
    routes = {
        "/robots.txt": respond(
            200, "User-agent: *\nDisallow: /private/", Content_Type="text/plain"
        ),
        "/": script(ask),
        "/private/x": asset("secret", "text/plain"),
    }
    with Server(routes) as server:
        result = collect(rendered_domain(f"{server.url}/"), config)
    assert ">refused</main>" in bodies(result, server)["/"]
    assert "/private/x" not in server.paths()


@contextmanager
def listening() -> Iterator[tuple[int, list[bytes]]]:
    """A TCP and a UDP port on loopback that remember whatever reaches them.

    To HTTP it says that robots may fetch nothing.
    """
    seen: list[bytes] = []
    tcp = socket.create_server(("127.0.0.1", 0))
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(tcp.getsockname())
    for listener in (tcp, udp):
        listener.settimeout(0.1)
    done = threading.Event()
    closed = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nUser-agent: *\nDisallow: /\n"

    def accept() -> None:
        while not done.is_set():
            with suppress(TimeoutError):
                seen.append(udp.recv(100))
            with suppress(TimeoutError):
                connection, _ = tcp.accept()
                with connection:
                    connection.settimeout(1)
                    seen.append(connection.recv(1000).split(b"\r\n")[0])
                    connection.sendall(closed)

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield tcp.getsockname()[1], seen
    finally:
        done.set()
        thread.join()
        tcp.close()
        udp.close()


REACH = """
const at = '127.0.0.1:PORT', u = 'http://' + at, quiet = f => { try { return f() } catch (e) {} };
quiet(() => fetch(u + '/fetch', {mode: 'no-cors'}).catch(() => 0));
quiet(() => fetch(u + '/post', {method: 'POST', body: 'x', mode: 'no-cors'}).catch(() => 0));
quiet(() => navigator.sendBeacon(u + '/beacon', 'x'));
quiet(() => new WebSocket('ws://' + at + '/socket'));
quiet(() => new EventSource(u + '/events'));
quiet(() => new Worker(URL.createObjectURL(new Blob([`fetch('${u}/worker');
  importScripts('${u}/imported'); new WebSocket('ws://${at}/w')`]))));
quiet(() => new SharedWorker(URL.createObjectURL(new Blob([`fetch('${u}/shared')`]))));
quiet(() => navigator.serviceWorker.register('/sw.js').catch(() => 0));
quiet(() => window.open(u + '/window'));
quiet(() => { const p = new RTCPeerConnection({iceServers: [{urls: 'stun:' + at},
  {urls: `turn:${at}?transport=tcp`, username: 'u', credential: 'c'}]});
  p.createDataChannel('d'); p.createOffer().then(o => p.setLocalDescription(o)) });
quiet(() => new WebTransport('https://' + at + '/t').closed.catch(() => 0));
for (const [tag, name] of [['img', 'src'], ['iframe', 'src'], ['video', 'src'], ['embed', 'src'],
    ['object', 'data'], ['link', 'href']]) {
  const e = document.createElement(tag); e[name] = u + '/' + tag;
  if (tag == 'link') e.rel = 'prefetch'; document.body.append(e) }
for (const rel of ['preconnect', 'dns-prefetch', 'preload', 'modulepreload', 'prerender']) {
  const e = document.createElement('link'); e.rel = rel; e.href = u; e.as = 'script';
  document.head.append(e) }
const f = document.createElement('form'); f.action = u + '/form'; f.method = 'post';
document.body.append(f); m.textContent = 'tried'; quiet(() => f.submit());
"""


@needs_browser
def test_no_script_reaches_the_network_by_itself(config: CrawlConfig) -> None:
    """Whatever way a browser knows: only the crawl's own question for robots.txt arrives."""
    with listening() as (port, seen):
        with Server({"/": script(REACH.replace("PORT", str(port)))}) as server:
            result = collect(rendered_domain(f"{server.url}/"), replace(config, retries=0))
        time.sleep(0.5)
        arrived = set(seen)
    assert ">tried</main>" in bodies(result, server)["/"]
    assert arrived == {b"GET /robots.txt HTTP/1.1"}
    assert set(server.paths()) == {"/", "/robots.txt", "/sitemap.xml"}


@needs_browser
@pytest.mark.slow
def test_a_page_that_is_not_done_is_a_reject_and_the_next_is_read(config: CrawlConfig) -> None:
    """A script without end, memory without end, a page too large, one that leads elsewhere."""
    routes = {
        "/": respond(200, page("/loop", "/large", "/away", "/blob", "/alert", "/poll", "/good")),
        "/loop": script("while (true) {}"),
        "/large": script("m.textContent = 'x'.repeat(6e5)"),
        "/away": script("location.href = '/elsewhere'", text="stays"),
        "/blob": script("location.href = URL.createObjectURL(new Blob(['x']))"),
        "/elsewhere": respond(200, "other"),
        "/alert": script("alert(1); confirm(2); m.textContent = 'went on'"),
        "/poll": script("setInterval(() => fetch('/tick?' + Math.random()), 50)", text="polls"),
        "/good": script("m.textContent = 'good'"),
    }
    with Server(routes) as server:
        quick = replace(config, timeout_s=6.0, max_body_bytes=500_000, retries=0)
        result = collect(rendered_domain(f"{server.url}/"), quick)
    found = bodies(result, server)
    assert sorted(found) == ["/", "/alert", "/away", "/good", "/poll"]
    assert "stays" in found["/away"]
    assert ">went on</main>" in found["/alert"]
    rejects = {r.key.removeprefix(server.url): (r.reason, r.detail) for r in result.rejects}
    assert rejects["/loop"] == ("render", "its scripts did not end within 6 s")
    assert rejects["/large"] == ("too_large", "more than 500000 bytes when rendered")
    assert rejects["/blob"][0] == "render"
    assert "/elsewhere" not in server.paths()


@needs_browser
def test_nothing_is_left_behind(config: CrawlConfig) -> None:
    """Neither a browser nor its driver, also when the time cap ends the crawl."""
    with Server({"/": script("while (true) {}")}) as server:
        born, started = time.time(), time.monotonic()
        short = replace(config, max_total_s=3.0, timeout_s=30.0)
        with pytest.raises(InputError, match="time_cap"):
            collect(rendered_domain(f"{server.url}/"), short)
        assert time.monotonic() - started < 25
    left = [
        process
        for process in psutil.process_iter(["create_time", "cmdline"])
        if process.info["create_time"] >= born
        and any("--host-resolver-rules" in word for word in process.info["cmdline"] or [])
    ]
    _, alive = psutil.wait_procs(left, timeout=5)
    assert alive == []


def test_without_the_extra_the_error_says_what_to_install(tmp_path: Path) -> None:
    """Before any process starts; the same for a missing browser."""
    code = (
        "import sys, importlib.util as u; found = u.find_spec\n"
        "hidden = sys.argv[1] == 'hide'\n"
        "u.find_spec = lambda n, *a: None if hidden and n == 'playwright' else found(n, *a)\n"
        "import groundwork.crawl.render as render\n"
        "if not hidden: render.find_spec = lambda name: True\n"
        "try: render.find_browser()\n"
        "except ValueError as error: print(error)\n"
    )
    source = str(Path(__file__).parents[2] / "src")
    environment = {"PATH": str(tmp_path), "PYTHONPATH": source}
    for word, expected in (
        ("hide", "pip install -c requirements.lock -e '.[render]'"),
        ("show", "none of chromium, chromium-browser"),
    ):
        done = subprocess.run(
            [sys.executable, "-c", code, word],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        assert expected in done.stdout
        assert "domain.site.render=false" in done.stdout
