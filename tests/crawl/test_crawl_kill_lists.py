"""Feeds, APIs, repositories and folders that are killed with SIGKILL go on, or begin again."""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from crawl_servers import Server, page, respond, write_site
from test_crawl_api import BASE as RECORDS
from test_crawl_api import api_domain
from test_crawl_feed import atom, feed_domain
from test_crawl_files import files_domain
from test_crawl_git import git, git_domain, served
from test_crawl_progress import LINE

from groundwork.config import DomainConfig

pytestmark = pytest.mark.slow
PROGRAM = Path(__file__).with_name("collect_once.py")
ANSWERS = 12


class Striking(dict[str, Callable[[BaseHTTPRequestHandler], None]]):
    """Routes that strike once, before the nth answer."""

    def __init__(self, at: int, routes: dict[str, Any]) -> None:
        super().__init__(routes)
        self.left, self.victim = at, None

    def get(self, key: str, default: Any) -> Any:  # type: ignore[override]
        self.left -= 1
        if self.left == 0 and self.victim is not None:
            self.victim.kill()
        return super().get(key, default)


def start(domain: DomainConfig, folder: Path) -> subprocess.Popen[bytes]:
    """The collection in a process of its own, in `folder`."""
    folder.mkdir(exist_ok=True)
    sources = ("api", "feed", "files", "git")
    named = {name: _plain(getattr(domain, name)) for name in sources if getattr(domain, name)}
    (folder / "domain.json").write_text(json.dumps(named))
    return subprocess.Popen(
        [sys.executable, PROGRAM, "domain.json", "found.json"],
        cwd=folder,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([*sys.path, str(PROGRAM.parent)])},
    )


def _plain(config: Any) -> Any:
    if hasattr(config, "__dataclass_fields__"):
        return {name: _plain(getattr(config, name)) for name in config.__dataclass_fields__}
    return config


def end(process: subprocess.Popen[bytes], folder: Path) -> tuple[Any, str]:
    """What it found, and what it said."""
    _, words = process.communicate(timeout=60)
    assert process.returncode == 0, words.decode()
    return json.loads((folder / "found.json").read_text()), words.decode()


def register() -> dict[str, Any]:
    """Twelve answers of an API, three records each; the last names no next one."""
    routes: dict[str, Any] = {}
    for number in range(ANSWERS):
        sites = [{"id": f"{number}-{n}", "name": f"site {number}.{n}"} for n in range(3)]
        more = f"/sites?after={number + 1}" if number + 1 < ANSWERS else None
        body = json.dumps({"sites": sites, "next": more})
        routes[f"/sites?after={number}"] = respond(200, body, Content_Type="application/json")
    return routes


def news() -> dict[str, Any]:
    """A feed of four pages that links to twelve articles."""
    routes: dict[str, Any] = {}
    for number in range(4):
        entries = [
            f"<entry><title>{n}</title><link href='/a{n}'/><content>text {n}</content></entry>"
            for n in range(number * 3, number * 3 + 3)
        ]
        head = f"<link rel='next' href='/news{number + 1}'/>" if number < 3 else ""
        routes[f"/news{number}"] = respond(
            200, atom(*entries, head=head), Content_Type="application/atom+xml"
        )
    return routes | {f"/a{n}": respond(200, page(text=f"article {n}")) for n in range(12)}


def source_of(kind: str, server: Server) -> DomainConfig:
    """The domain of a kind of source on `server`."""
    if kind == "api":
        paging = {"kind": "next", "path": "next"}
        return api_domain(f"{server.url}/sites?after=0", pagination=paging, fields={})
    return feed_domain(f"{server.url}/news0", articles=kind)


@pytest.mark.parametrize(
    ("kind", "at"),
    [("api", 1), ("api", 7), ("inline", 2), ("inline", 5), ("linked", 4), ("linked", 14)],
)
def test_a_killed_list_goes_on_without_asking_again(tmp_path: Path, kind: str, at: int) -> None:
    """Only what was on its way is asked for twice; the end is the same."""
    routes = Striking(at, register() if kind == "api" else news())
    folder = tmp_path / "killed"
    with Server(routes) as server:
        domain = source_of(kind, server)
        routes.victim = start(domain, folder)
        routes.victim.communicate(timeout=60)
        assert routes.victim.returncode == -9
        found, words = end(start(domain, folder), folder)
        counts = Counter(server.paths())
        expected, quiet_words = end(start(domain, tmp_path / "other"), tmp_path / "other")
    assert found == expected
    wanted = 3 * ANSWERS if kind == "api" else 12
    assert len([row for row in found if len(row) == 4]) == wanted
    assert max(counts.values()) <= 2
    del counts["/robots.txt"]  # asked for once for the feed and once for its articles
    twice = [path for path, number in counts.items() if number == 2]
    assert len(twice) <= (8 if at == 14 else 1), twice
    assert ("goes on after" in words) == (at > 1)
    assert "goes on after" not in quiet_words
    left = [path.name for path in folder.rglob("journal.jsonl")]
    assert not left, "what is read whole is asked for anew the next time"


def test_what_failed_is_asked_for_again(tmp_path: Path) -> None:
    """An API that was down is not remembered as down."""
    routes = {"/sites?after=0": respond(500)}
    with Server(routes) as server:
        domain = source_of("api", server)
        first = start(domain, tmp_path / "once")
        first.communicate(timeout=60)
        assert first.returncode == 1
        routes |= register()
        found, _ = end(start(domain, tmp_path / "once"), tmp_path / "once")
    assert found[0][0] == f"{RECORDS}/0-0"


def test_a_record_that_changed_after_the_kill_is_not_mixed_in(tmp_path: Path) -> None:
    """What was answered before counts: its next address belongs to it."""
    routes = Striking(7, register())
    folder = tmp_path / "killed"
    with Server(routes) as server:
        domain = source_of("api", server)
        routes.victim = start(domain, folder)
        routes.victim.communicate(timeout=60)
        changed = json.dumps({"sites": [{"id": "new", "name": "new"}], "next": None})
        routes["/sites?after=0"] = respond(200, changed, Content_Type="application/json")
        found, _ = end(start(domain, folder), folder)
        assert len([row for row in found if len(row) == 4]) == 3 * ANSWERS
        again, _ = end(start(domain, folder), folder)
    assert [row[0] for row in again if len(row) == 4] == [f"{RECORDS}/new"]


def killed_in_the_midst(domain: DomainConfig, folder: Path) -> None:
    """Kill a run of many files when its line of progress has moved."""
    process = start(domain, folder)
    assert process.stderr is not None
    said = b""
    while said.count(b"pages/s") < 2:
        said += (byte := process.stderr.read(1))
        assert byte, f"it ended before it was killed: {said.decode()}"
    process.kill()
    process.communicate(timeout=60)
    assert not (folder / "found.json").exists()


def many_files(folder: Path) -> Path:
    """Enough to be read for a second or two."""
    return write_site(folder, {f"d{n % 50}/{n}.md": f"# Page {n}\n\nWords." for n in range(4_900)})


def test_a_killed_folder_is_read_anew_to_the_same_end(tmp_path: Path) -> None:
    """Reading it again costs what reading a copy would; the line tells how far it is."""
    domain = files_domain(many_files(tmp_path / "docs"))
    killed_in_the_midst(domain, tmp_path / "killed")
    found, words = end(start(domain, tmp_path / "killed"), tmp_path / "killed")
    expected, _ = end(start(domain, tmp_path / "other"), tmp_path / "other")
    assert found == expected
    lines = [match.groups() for match in LINE.finditer(words)]
    assert (lines[-1][0], lines[-1][2], lines[-1][3]) == ("4900", "0", "0")


def test_a_killed_repository_is_not_fetched_again(tmp_path: Path) -> None:
    """What was fetched stays until the documents are read; then it goes."""
    repository = many_files(tmp_path / "repository")
    git(repository, "init", "--quiet", "--initial-branch=main")
    git(repository, "add", ".")
    git(repository, "commit", "--quiet", "-m", "one")
    folder = tmp_path / "killed"
    with served(repository) as (url, agents):
        domain = git_domain(url, local=True, max_bytes=100_000_000)
        killed_in_the_midst(domain, folder)
        requests = len(agents)
        assert requests
        found, _ = end(start(domain, folder), folder)
        assert len(agents) == requests
        expected, _ = end(start(domain, tmp_path / "other"), tmp_path / "other")
    assert found == expected
    assert len(found) == 4_901
    assert not list(folder.rglob("repository"))


def test_a_fetch_that_is_killed_begins_anew(tmp_path: Path) -> None:
    """Half a repository is no repository."""
    repository = write_site(tmp_path / "repository", {"a.md": "# A"})
    git(repository, "init", "--quiet", "--initial-branch=main")
    git(repository, "add", ".")
    git(repository, "commit", "--quiet", "-m", "one")
    with served(repository) as (url, _):
        domain = git_domain(url, local=True)
        first = start(domain, tmp_path / "killed")
        while not list((tmp_path / "killed").rglob("repository/HEAD")):
            time.sleep(0.005)
            assert first.poll() is None
        first.kill()
        first.communicate(timeout=60)
        found, _ = end(start(domain, tmp_path / "killed"), tmp_path / "killed")
    assert len(found) == 2
