"""A generated web site behind a real HTTP server on loopback, in a process of its own.

    python benchmarks/generated_site.py PAGES

Prints its port and serves until its standard input closes. Page n links to 20 others, the same ones
on every run. `/counts` tells as JSON how often each path was asked for.
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
from typing import Any

LINKS = 20
WORDS = ["charge", "plug", "cable", "meter", "tariff", "socket", "phase", "current", "winter"]


def page(number: int, pages: int) -> bytes:
    """A small page: a title, 120 words, a link to the next page and to 19 drawn ones."""
    dice = random.Random(number)  # noqa: S311  text, not a secret
    targets = [(number * 3 + 1) % pages, (number + 1) % pages]
    targets += [dice.randrange(pages) for _ in range(LINKS - len(targets))]
    anchors = "".join(f'<li><a href="/p/{target}">page {target}</a></li>' for target in targets)
    text = " ".join(dice.choices(WORDS, k=120))
    return (
        f"<!doctype html><html><head><title>Page {number}</title></head>"
        f"<body><h1>Page {number}</h1><p>{text}</p><ul>{anchors}</ul></body></html>"
    ).encode()


class Handler(BaseHTTPRequestHandler):
    """Serves the pages and counts what is asked for."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 1 << 16
    bodies: dict[str, bytes]
    counts: Counter[str]

    def do_GET(self) -> None:
        """Answer with the page, or with the counts so far."""
        self.counts[self.path] += 1
        counted = json.dumps(self.counts).encode() if self.path == "/counts" else None
        body = counted or self.bodies.get(self.path)
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


def main() -> None:
    """Serve until the parent is gone."""
    pages = int(sys.argv[1])
    Handler.bodies = {f"/p/{number}": page(number, pages) for number in range(pages)}
    Handler.counts = Counter()
    server = _Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    print(server.server_address[1], flush=True)
    sys.stdin.read()


@contextmanager
def served(pages: int) -> Iterator[str]:
    """Base URL of a server process that lives as long as the block."""
    process = subprocess.Popen(
        [sys.executable, __file__, str(pages)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.stdin.close()


if __name__ == "__main__":
    main()
