"""A web site that means ill, behind a real HTTP server on loopback; see `hostile_inputs.py`.

A case is a path with what it answers. `KINDS` groups them; the harmless pages are the bundled ones.
"""

import gzip
import itertools
import json
import random
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from hostile_bodies import DOCX, MIB, blanks, docx, html, mutated, pdf, word

SITE_DIR = Path(__file__).resolve().parents[1] / "data/ev_charging/site"
WORDS = "The cable carries current at night, and charges the car before dawn. "
CAP = 8 << 20
"""`crawl.max_body_bytes`; bombs hold a hundred times as much."""
FUZZED = 300
TRAP_LINKS = 3


@dataclass(frozen=True, slots=True)
class Answer:
    """What a path answers; a body without length ends when the client hangs up."""

    body: bytes | Callable[[], Iterable[bytes]]
    kind: str = "text/html"
    encoding: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


def bombs() -> dict[str, Answer]:
    """Little that unpacks to much."""
    gzipped = blanks(zlib.compressobj(9, wbits=31))
    line = b"BT /F1 10 Tf 50 700 Td (The cable carries current at night) Tj ET\n"
    entities = laughs()
    paragraph = f"<w:p><w:r><w:t>{WORDS}</w:t></w:r></w:p>"
    return {
        "/gzip": Answer(gzipped, encoding="gzip"),
        "/gzip-twice": Answer(gzip.compress(gzipped), encoding="gzip"),
        "/gzip-named-twice": Answer(gzip.compress(gzipped), encoding="gzip, gzip"),
        "/deflate": Answer(blanks(zlib.compressobj(9)), encoding="deflate"),
        "/brotli": Answer(b"\x00\x01\x02" * 99, encoding="br"),
        "/zstd": Answer(b"\x28\xb5\x2f\xfd" * 99, encoding="zstd"),
        "/docx": Answer(docx(word(paragraph * 300_000)), DOCX),
        "/docx-one-text": Answer(docx(word(paragraph.replace(WORDS, "x" * 19_000_000))), DOCX),
        "/docx-empty": Answer(docx(word("<w:p/>" * 59_000)), DOCX),
        "/docx-picture": Answer(docx(word(paragraph), extra={"a.png": bytes(512 * MIB)}), DOCX),
        "/docx-entities": Answer(docx(word("&a9;", before=entities)), DOCX),
        "/pdf": Answer(pdf(zlib.compress(b" " * (1024 * MIB), 9)), "application/pdf"),
        "/pdf-text": Answer(pdf(zlib.compress(line * 600_000, 9)), "application/pdf"),
        "/pdf-pages": Answer(pdf(zlib.compress(line, 9), pages=90_000), "application/pdf"),
        "/xhtml-entities": Answer(
            f"{entities}<html><body><p>&a9;</p></body></html>".encode(), "application/xhtml+xml"
        ),
    }


def sitemaps() -> dict[str, Answer]:
    """The same in sitemaps, whose cap is the protocol's: 50 MiB."""
    gzipped = blanks(zlib.compressobj(9, wbits=31))
    entry = b"<url><loc>https://a.example/" + b"x" * 60 + b"</loc></url>"
    large = b"<urlset>" + entry * (48 * MIB // len(entry)) + b"</urlset>"
    deep = b"<urlset>" + b"<url>" * 1_000_000
    return {
        "/sitemap-laughs.xml": Answer(
            f"{laughs()}<urlset><url><loc>&a9;</loc></url></urlset>".encode(), "application/xml"
        ),
        "/sitemap-bomb.xml": Answer(gzipped, "application/xml", "gzip"),
        "/sitemap-bomb.xml.gz": Answer(gzipped, "application/gzip"),
        "/sitemap-large.xml": Answer(gzip.compress(large), "application/xml", "gzip"),
        "/sitemap-deep.xml": Answer(deep, "application/xml"),
    }


def laughs() -> str:
    """A document type whose entity `a9` is two billion letters."""
    nested = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    return f'<!DOCTYPE a [<!ENTITY a0 "ha">{nested}]>'


def endless() -> dict[str, Answer]:
    """What has no end; `/calendar/N` and `/away/N` are made as they are asked for."""
    part = b"<p>" + WORDS.encode() * 900
    return {
        "/body": Answer(lambda: itertools.repeat(part)),
        "/announced": Answer(b"", headers={"Content-Length": str(10**13)}),
        "/drip": Answer(lambda: _drip()),
        "/away/0": Answer(b"", status=302, headers={"Location": "/away/1"}),
        "/circle": Answer(b"", status=302, headers={"Location": "/circle"}),
        "/calendar/0": calendar("/calendar/0"),
        "/gzip-body": Answer(lambda: _gzip_for_ever(), encoding="gzip"),
    }


def _drip() -> Iterator[bytes]:
    while True:
        yield b"a"
        time.sleep(0.2)


def _gzip_for_ever() -> Iterator[bytes]:
    packer, dice = zlib.compressobj(9, wbits=31), random.Random(1)  # noqa: S311  not a secret
    while True:
        yield packer.compress(dice.randbytes(MIB)) + packer.flush(zlib.Z_SYNC_FLUSH)


def calendar(path: str) -> Answer:
    """A page that links to more of its kind, for ever."""
    links = "".join(f'<a href="{path}/{n}">day {n}</a>' for n in range(TRAP_LINKS))
    return Answer(html(f"<p>Nothing on {path}.</p>{links}"))


def markup() -> dict[str, Answer]:
    """What is hard to parse."""
    name = "".join(f"a{n}=1 " for n in range(600_000))
    bodies = {
        "/nested-div": b"<html><body>" + b"<div>" * 1_000_000 + b"x",
        "/nested-p": b"<html><body>" + b"<p>" * 1_000_000 + b"x",
        "/nested-b": b"<html><body>" + b"<b>" * 1_000_000 + b"x",
        "/nested-table": b"<html><body>" + b"<table><tr><td>" * 300_000 + b"x",
        "/ends": b"<html><body><p>x" + b"</div>" * 1_000_000,
        "/attributes": html(f"<p {name}>{WORDS * 9}</p>"),
        "/attribute": html(f'<p title="{"x" * (CAP - 2000)}">{WORDS * 9}</p>'),
        "/spans": html(f"<p>{'<span>word and </span>' * 59_000}</p>"),
        "/paragraph": html(f"<p>{WORDS * (CAP // len(WORDS) - 20)}</p>"),
        "/blanks": b"<html><body>" + b" " * (CAP - 100),
        "/zeros": b"<html>" + bytes(CAP - 100),
        "/unclosed": b"<html><body><!--" + b"<p>x" * 2_000_000,
        "/lesser": b"<html><body><p>" + b"<" * (CAP - 100),
        "/cells": html(f"<table><tr>{'<td colspan=1000 rowspan=1000>x' * 5000}</tr></table>"),
        "/base": html("<a href=x>x</a>" * 90_000, head=f'<base href="/{"x" * 90_000}/">'),
    }
    return {path: Answer(body) for path, body in bodies.items()}


def charsets() -> dict[str, Answer]:
    """Bytes that are not what is said of them."""
    said = "Ein Kabel lädt das Auto über Nacht. " + WORDS
    text = f"<html><head><title>Cables é</title></head><body><h1>Cables</h1><p>{said * 9}"
    meta = text.replace("<head>", "<head><meta charset=utf-8>")
    bodies = {
        "/latin-as-utf8": (text.encode("latin-1"), "utf-8"),
        "/utf8-as-latin": (text.encode(), "iso-8859-1"),
        "/meta-lies": (meta.encode("cp1252"), ""),
        "/utf16": (text.encode("utf-16"), ""),
        "/utf16-be-as-utf8": (text.encode("utf-16-be"), "utf-8"),
        "/utf16-large": (html(WORDS * (CAP // 2 // len(WORDS) - 9)).decode().encode("utf-16"), ""),
        "/utf32": (text.encode("utf-32"), "utf-32"),
        "/utf32-le": (text.encode("utf-32-le"), ""),
        "/bom-lies": (b"\xff\xfe" + text.encode(), "utf-8"),
        "/bom-utf8-latin": (b"\xef\xbb\xbf" + text.encode("latin-1"), ""),
        "/no-such": (text.encode(), "x-no-such"),
        "/codec": (text.encode(), "rot13"),
        "/base64": (text.encode(), "base64"),
        "/utf7": (text.encode("utf-7"), "utf-7"),
        "/shift-jis": (f"{text} ケーブル".encode("shift-jis", "replace"), "shift_jis"),
        "/escape": (text.encode() + b"\x1b$B", "iso-2022-jp"),
        "/invalid": (text.encode() + bytes(range(128, 256)) * 9, "utf-8"),
        "/surrogates": (text.encode() + b"\xed\xa0\x80" * 99, "utf-8"),
        "/random": (random.Random(7).randbytes(200_000), "utf-8"),  # noqa: S311  not a secret
    }
    return {
        path: Answer(body, f"text/html; charset={charset}" if charset else "text/html")
        for path, (body, charset) in bodies.items()
    }


def bundled(number: int) -> dict[str, Answer]:
    """So many copies of the bundled pages."""
    paths = sorted(SITE_DIR.rglob("*.html"))
    return {f"/plain/{n}": Answer(paths[n % len(paths)].read_bytes()) for n in range(number)}


def fuzzed(seed: int = 1) -> dict[str, Answer]:
    """The same, with bytes changed, cut out, repeated and inserted."""
    dice = random.Random(seed)  # noqa: S311  mutations, not a secret
    pages = bundled(FUZZED).values()
    return {f"/fuzz/{n}": Answer(mutated(page.body, dice)) for n, page in enumerate(pages)}


KINDS: dict[str, Callable[[], dict[str, Answer]]] = {
    "bombs": bombs, "sitemaps": sitemaps, "endless": endless, "markup": markup,
    "charsets": charsets, "fuzzed": fuzzed,
}  # fmt: skip


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    answers: dict[str, Answer]

    def do_GET(self) -> None:
        answer = self._find()
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.kind)
        if answer.encoding:
            self.send_header("Content-Encoding", answer.encoding)
        body = answer.body
        if isinstance(body, bytes) and "Content-Length" not in answer.headers:
            self.send_header("Content-Length", str(len(body)))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        for part in [body] if isinstance(body, bytes) else body():
            self.wfile.write(part)

    def _find(self) -> Answer:
        if self.path.startswith("/api"):
            row = {"rows": [{"id": self.path.rpartition("=")[2]}]}
            return Answer(json.dumps(row).encode(), "application/json")
        if self.path.startswith("/calendar/"):
            return calendar(self.path)
        if self.path.startswith("/away/"):
            onward = f"/away/{int(self.path.rpartition('/')[2]) + 1}"
            return Answer(b"", status=302, headers={"Location": onward})
        return self.answers.get(self.path, Answer(b"", status=404))

    def log_message(self, *args: object) -> None:
        """Quiet."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is what this is about."""


@contextmanager
def served(answers: dict[str, Answer]) -> Iterator[int]:
    """Port of a server of these pages, of a start page that links to all, and of robots.txt."""
    maps = [path for path in answers if path.startswith("/sitemap")]
    links = "".join(f'<li><a href="{path}">{path}</a></li>' for path in answers if path not in maps)
    handler = type("Handler", (_Handler,), {"answers": answers})
    server = _Server(("127.0.0.1", 0), handler)
    port = server.server_address[1]
    lines = "".join(f"Sitemap: http://127.0.0.1:{port}{path}\n" for path in maps)
    answers["/robots.txt"] = Answer(lines.encode(), "text/plain")
    answers["/"] = Answer(html(f"<p>{WORDS * 9}</p><ul>{links}</ul>"))
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield port
    finally:
        server.shutdown()
        server.server_close()
