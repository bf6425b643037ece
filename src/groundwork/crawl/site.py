"""A static web site served on loopback, as static hosts serve a folder."""

import os
import shutil
import sys
import threading
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from mimetypes import MimeTypes
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import unquote, urlsplit

from groundwork.artifacts import sha256_bytes
from groundwork.errors import InputError

REDIRECTS_NAME = "_redirects"
BUILTIN_TYPES = MimeTypes(filenames=())
IDLE_S = 60.0


@dataclass(frozen=True, slots=True)
class Rule:
    """A line of `_redirects`: `FROM TO STATUS`, where FROM may end in `/*` and TO in `:splat`."""

    source: str
    target: str
    status: int

    def location(self, path: str) -> str | None:
        """Where `path` is sent, or None when the rule is not about it."""
        if self.source.endswith("/*"):
            stem = self.source[:-1]
            return (
                self.target.replace(":splat", path[len(stem) :]) if path.startswith(stem) else None
            )
        return self.target if path.rstrip("/") == self.source.rstrip("/") else None


def fingerprint(folder: Path) -> str:
    """Hash over names, sizes and times of a site's files: another one when the site was edited."""
    rows = []
    for place, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted([*folders, *names]):
            path = Path(place, name)
            details = path.lstat()
            target = path.readlink() if path.is_symlink() else ""
            known = () if path.is_dir() else (details.st_size, details.st_mtime_ns)
            rows.append(f"{path.relative_to(folder)}\0{target}\0{known}")
    return sha256_bytes("\n".join(rows).encode(errors="surrogateescape"))


def read_rules(path: Path) -> tuple[Rule, ...]:
    """Parse `_redirects`. Raises: `InputError` that names the line which is not a rule."""
    if not path.exists():
        return ()
    rules = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        parts = line.partition("#")[0].split()
        if not parts:
            continue
        status = parts[2] if len(parts) > 2 else "301"
        if len(parts) not in (2, 3) or status not in ("301", "302", "303", "307", "308"):
            raise InputError(
                f"{path}:{number}: {line!r}: expected `FROM TO STATUS` "
                "with a status of 301, 302, 303, 307 or 308"
            )
        rules.append(Rule(parts[0], parts[1], int(status)))
    return tuple(rules)


class StaticSite:
    """Context manager: serves `folder` on a free loopback port and gives the base URL.

    Like common static hosts: `/dir` is redirected to `/dir/`, which is its `index.html`; `/page`
    may be `page.html`; lines of `_redirects` apply where no file exists; `404.html` is the page
    for the rest. Hidden files and links that leave the folder are not served.
    """

    def __init__(self, folder: Path) -> None:
        """Raises: `InputError` when `folder` is missing or empty."""
        if not folder.is_dir() or not any(folder.iterdir()):
            state = "is empty" if folder.is_dir() else "is no folder"
            raise InputError(
                f"{folder} {state}: expected the files of a web site; check domain.mirror.dir, "
                "or run `dvc pull data` for a bundled site"
            )
        self.root = folder.resolve()
        self.rules = read_rules(folder / REDIRECTS_NAME)
        self.server = _Server(("127.0.0.1", 0), _Handler)
        self.server.site = self

    def __enter__(self) -> str:
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.server.shutdown()
        self.server.server_close()

    def find(self, target: str) -> tuple[int, Path | str]:
        """Status, and the file to send or the location to redirect to, for a request target."""
        parts = urlsplit(target)
        path = unquote(parts.path)
        found = self._file(path)
        if found is None:
            for rule in self.rules:
                if location := rule.location(path):
                    return rule.status, location
            return HTTPStatus.NOT_FOUND, self._file("/404.html") or ""
        if found.is_dir():
            query = f"?{parts.query}" if parts.query else ""
            return HTTPStatus.MOVED_PERMANENTLY, f"{parts.path}/{query}"
        return HTTPStatus.OK, found

    def _file(self, path: str) -> Path | None:
        """A file of the site, or a folder that wants its slash; None when there is neither."""
        names = [name for name in path.split("/") if name]
        hidden = any(name.startswith(".") and name != ".well-known" for name in names)
        if hidden or "\0" in path or names == [REDIRECTS_NAME]:
            return None
        here = self.root.joinpath(*names)
        candidates = [here / "index.html"] if path.endswith("/") else [here]
        if names and not path.endswith("/"):
            candidates.append(here.with_name(f"{here.name}.html"))
        for candidate in candidates:
            if not candidate.resolve().is_relative_to(self.root):
                continue
            if candidate.is_file() or (candidate / "index.html").is_file():
                return candidate
        return None


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    site: StaticSite

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that breaks off, for instance from a page too large for it, is no error."""
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # small responses would wait 40 ms for an acknowledgement
    wbufsize = 1 << 16
    timeout = IDLE_S
    server: _Server

    def do_GET(self) -> None:
        status, found = self.server.site.find(self.path)
        if isinstance(found, Path):
            self._send_file(status, found)
        else:
            self._send(status, found)

    do_HEAD = do_GET

    def _send_file(self, status: int, path: Path) -> None:
        details = path.stat()
        kind = BUILTIN_TYPES.guess_type(path.name)[0] or "application/octet-stream"
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(details.st_size))
        self.send_header("Last-Modified", self.date_time_string(int(details.st_mtime)))
        self.end_headers()
        if self.command == "GET":
            with path.open("rb") as stream:
                shutil.copyfileobj(stream, self.wfile)

    def _send(self, status: int, location: str) -> None:
        self.send_response(status)
        if location:
            self.send_header("Location", location)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  its name in the base
        """Quiet: the crawl keeps its own log."""
