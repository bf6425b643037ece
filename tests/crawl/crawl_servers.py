"""What the crawl's tests share: domains, small sites, and a server that misbehaves."""

import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from groundwork.config import DomainConfig, check
from groundwork.crawl import CrawlResult

PUBLIC = "https://www.site.example"


def make_domain(**changes: object) -> DomainConfig:
    """A domain without a source, changed."""
    values: dict[str, object] = {
        "name": "tried",
        "title": "trials",
        "languages": ["en"],
        "licence": "MIT",
        "depends_on": "site",
        "mirror": None,
        "site": None,
        "files": None,
        "git": None,
        "feed": None,
        "api": None,
        "golden_path": None,
        "labelled_path": None,
        "intents_path": None,
        "categories": {},
        "allowed_personal_data": [],
        "persona": "You answer.",
        "refusal": "I cannot.",
        "examples": [],
    }
    return check("domain", DomainConfig, {**values, **changes}, Path("params.yaml"))


def mirror_domain(folder: Path, *, include: tuple[str, ...] = (), exclude: tuple[str, ...] = ()):
    """A domain whose source is `folder`, published as `PUBLIC`."""
    source = {
        "dir": str(folder),
        "public_url": PUBLIC,
        "include": list(include),
        "exclude": list(exclude),
    }
    return make_domain(mirror=source)


def site_domain(*start_urls: str, local: bool = True, include: tuple[str, ...] = ()):
    """A domain whose source is a live site."""
    source = {
        "start_urls": list(start_urls),
        "include": list(include),
        "exclude": [],
        "local": local,
        "render": False,
    }
    return make_domain(site=source)


def write_site(folder: Path, files: dict[str, str]) -> Path:
    """Write a site's files below `folder`."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def page(*hrefs: str, text: str = "words") -> str:
    """A small page that links to `hrefs`."""
    anchors = "".join(f'<a href="{href}">x</a>' for href in hrefs)
    return f"<!doctype html><html><body><p>{text}</p>{anchors}</body></html>"


class _Quiet(ThreadingHTTPServer):
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that break off are what these tests are about."""


class Server:
    """A real HTTP server on loopback: each path is answered by a function of its own."""

    def __init__(
        self, routes: dict[str, Callable[[BaseHTTPRequestHandler], None]], host: str = "127.0.0.1"
    ) -> None:
        self.routes = routes
        self.hits: list[tuple[float, str]] = []
        self.agents: set[str] = set()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                server.hits.append((time.monotonic(), self.path))
                server.agents.add(self.headers["User-Agent"])
                routes.get(self.path, respond(404))(self)

            def log_message(self, *args: object) -> None:
                pass

        self.http = _Quiet((host, 0), Handler)
        self.url = f"http://{host}:{self.http.server_address[1]}"

    def __enter__(self) -> "Server":
        threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.http.shutdown()
        self.http.server_close()

    def paths(self) -> list[str]:
        """Paths in the order of requests."""
        return [path for _, path in self.hits]


def respond(
    status: int = 200, body: str | bytes = "", **headers: str
) -> Callable[[BaseHTTPRequestHandler], None]:
    """A route with a fixed answer; header names are written with underscores."""
    content = body.encode() if isinstance(body, str) else body
    named = {"Content-Type": "text/html", "Content-Length": str(len(content))}
    named.update({name.replace("_", "-"): value for name, value in headers.items()})

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in named.items():
            if value:
                handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(content)

    return answer


def endless(counter: dict[str, int]) -> Callable[[BaseHTTPRequestHandler], None]:
    """A page of 50 MB without a Content-Length; `counter` learns how much could be sent."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/html")
        handler.send_header("Connection", "close")
        handler.end_headers()
        handler.close_connection = True
        try:
            for _ in range(800):
                handler.wfile.write(b"x" * 65536)
                counter["endless"] = counter.get("endless", 0) + 65536
        except OSError:
            pass

    return answer


def failing_first(times: int, then: Callable[[Any], None], **headers: str):
    """A route that answers 503 a few times before it works."""
    left = [times]

    def answer(handler: BaseHTTPRequestHandler) -> None:
        left[0] -= 1
        (respond(503, **headers) if left[0] >= 0 else then)(handler)

    return answer


def raw(data: bytes) -> Callable[[BaseHTTPRequestHandler], None]:
    """A route that writes bytes that need not be HTTP, and hangs up."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(data)
        handler.close_connection = True

    return answer


def versioned(
    body: str, *, etag: str = "", last_modified: str = "", asked: list[dict[str, str]]
) -> Callable[[BaseHTTPRequestHandler], None]:
    """A route with validators that answers 304 to either; `asked` learns what was sent."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        sent = {name: handler.headers.get(name, "") for name in ("If-None-Match",)}
        sent["If-Modified-Since"] = handler.headers.get("If-Modified-Since", "")
        matched = sent["If-None-Match"] == etag if etag else not sent["If-None-Match"]
        since = sent["If-Modified-Since"]
        fresh = any(sent.values()) and matched and since in ("", last_modified)
        asked.append({name: value for name, value in sent.items() if value})
        named = {"ETag": etag, "Last_Modified": last_modified}
        respond(304 if fresh else 200, "" if fresh else body, **named)(handler)

    return answer


def slow(handler: BaseHTTPRequestHandler) -> None:
    """A route that takes longer than the crawl waits."""
    time.sleep(5.0)
    respond(200, page())(handler)


ROBOTS = """User-agent: *
Disallow: /private/
"""


class Rude:
    """The server that misbehaves, and what the crawl made of it."""

    def __init__(self, server: Server, result: CrawlResult, sent: dict[str, int]) -> None:
        self.server, self.result, self.sent = server, result, sent
        self.pages = {p.url.removeprefix(server.url): p for p in result.pages}
        self.rejects = {r.key.removeprefix(server.url): r for r in result.rejects}
        self.fetches = {f.url.removeprefix(server.url): f for f in result.fetches}
