"""A generated web site behind a real HTTP server on loopback, in a process of its own.

    python benchmarks/generated_site.py PAGES HOSTS

Prints its port and serves until its standard input closes. Page n stands on host 127.0.0.(1 + n mod
HOSTS) and links to 20 others, the same ones on every run. `/counts` tells as JSON how often each
path was asked for, `/total` how many pages were.
"""

import json
import random
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import yaml

from groundwork.config import DomainConfig, check, compose
from groundwork.crawl import CrawlConfig

LINKS = 20
WORDS = ["charge", "plug", "cable", "meter", "tariff", "socket", "phase", "current", "winter"]


class Handler(BaseHTTPRequestHandler):
    """Serves the pages and counts what is asked for."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 1 << 16
    bodies: dict[str, bytes]
    counts: Counter[str]

    def do_GET(self) -> None:
        """Answer with the page, or with the counts so far."""
        if self.path == "/counts":
            body: bytes | None = json.dumps(self.counts).encode()
        elif self.path == "/total":
            body = str(self.counts.total()).encode()
        else:
            self.counts[self.path] += 1
            body = self.bodies.get(self.path)
        self.send_response(200 if body else 404)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, *args: object) -> None:
        """Quiet."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A crawler that was killed leaves its connections behind."""


def _page(number: int, pages: int, *, hosts: int, port: int) -> bytes:
    """A small page: a title, 120 words, a link to the next page and to 19 drawn ones."""
    dice = random.Random(number)  # noqa: S311  text, not a secret
    targets = [(number * 3 + 1) % pages, (number + 1) % pages]
    targets += [dice.randrange(pages) for _ in range(LINKS - len(targets))]
    urls = [f"http://127.0.0.{1 + target % hosts}:{port}/p/{target}" for target in targets]
    anchors = "".join(f'<li><a href="{url}">more</a></li>' for url in urls)
    text = " ".join(dice.choices(WORDS, k=120))
    return (
        f"<!doctype html><html><head><title>Page {number}</title></head>"
        f"<body><h1>Page {number}</h1><p>{text}</p><ul>{anchors}</ul></body></html>"
    ).encode()


def main() -> None:
    """Serve until the parent is gone."""
    pages, hosts = int(sys.argv[1]), int(sys.argv[2])
    first = _Server(("127.0.0.1", 0), Handler)
    port = first.server_address[1]
    servers = [first, *(_Server((f"127.0.0.{1 + n}", port), Handler) for n in range(1, hosts))]
    Handler.counts = Counter()
    Handler.bodies = {f"/p/{n}": _page(n, pages, hosts=hosts, port=port) for n in range(pages)}
    for server in servers:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    print(port, flush=True)
    sys.stdin.read()


@contextmanager
def served(pages: int, *, hosts: int = 1) -> Iterator[int]:
    """Port of a server process that lives as long as the block."""
    process = subprocess.Popen(
        [sys.executable, __file__, str(pages), str(hosts)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.stdin.close()


def counted(port: int) -> dict[str, int]:
    """How often each path was asked for."""
    counts: dict[str, int] = httpx.get(f"http://127.0.0.1:{port}/counts", timeout=60).json()
    return counts


def configured(port: int, *overrides: str, hosts: int = 1) -> tuple[DomainConfig, CrawlConfig]:
    """The committed configuration for the site, without a delay between requests."""
    starts = ",".join(f"http://127.0.0.{1 + n}:{port}/p/{n}" for n in range(hosts))
    site = [f"domain.site.start_urls=[{starts}]", "domain.site.local=true", "domain.name=generated"]
    conf_dir = Path(__file__).parents[1] / "conf"
    text = compose(["domain=site", *site, "crawl.delay_s=0", *overrides], conf_dir)
    params = yaml.safe_load(text)
    domain = check("domain", DomainConfig, params["domain"], conf_dir)
    return domain, check("crawl", CrawlConfig, params["crawl"], conf_dir)


if __name__ == "__main__":
    main()
