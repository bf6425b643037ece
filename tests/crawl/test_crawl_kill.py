"""A crawl that is killed with SIGKILL goes on where it stopped."""

import fcntl
import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import chdir
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import psutil
import pytest
from crawl_once import found
from crawl_servers import Server, mirror_domain, page, respond, site_domain, write_site

from groundwork.crawl import CrawlConfig, StaticSite, crawl_domain
from groundwork.errors import InputError

pytestmark = pytest.mark.slow
PROGRAM = Path(__file__).with_name("crawl_once.py")
PATHS = [f"/{number}" for number in range(60)]
Routes = dict[str, Callable[[BaseHTTPRequestHandler], None]]


class Stopper:
    """Routes of a site that strikes once, at its nth page, and then stands still for good."""

    def __init__(self, at: int, strike: Callable[[], None]) -> None:
        self.left, self.strike = at, strike
        self.routes: Routes = {
            "/robots.txt": respond(200, "User-agent: *\nDisallow: /7\n"),
            "/": respond(200, page(*PATHS[:20], "/old", "/gone")),
            "/old": respond(301, Location="/40"),
            **{path: self._counted(number) for number, path in enumerate(PATHS)},
        }

    def _counted(self, number: int) -> Callable[[BaseHTTPRequestHandler], None]:
        links = [PATHS[(number * 3 + step) % len(PATHS)] for step in (20, 21, 22)]

        def answer(handler: BaseHTTPRequestHandler) -> None:
            self.left -= 1
            if self.left == 0:
                self.strike()
            respond(200, page(*links, text=f"page {number}"))(handler)

        return answer


def start(server: Server, folder: Path) -> subprocess.Popen[bytes]:
    """The crawl in a process of its own."""
    return subprocess.Popen(
        [sys.executable, PROGRAM, f"{server.url}/", folder / "found.json"],
        cwd=folder,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )


def undisturbed(config: CrawlConfig, server: Server, folder: Path) -> list[list[str]]:
    """What a crawl finds that nobody kills."""
    folder.mkdir()
    with chdir(folder):
        return found(crawl_domain(site_domain(f"{server.url}/"), config))


def fetches(process: psutil.Process) -> list[psutil.Process]:
    """The fetching processes of a crawl."""
    return [child for child in process.children() if "groundwork.crawl.worker" in child.cmdline()]


@pytest.mark.parametrize("at", [1, 5, 30])
def test_a_killed_crawl_goes_on_without_asking_again(
    config: CrawlConfig, tmp_path: Path, at: int
) -> None:
    """Nothing that was answered is asked for again, robots.txt included; the end is the same."""
    running: list[subprocess.Popen[bytes]] = []
    site = Stopper(at, lambda: running[0].kill())
    with Server(site.routes) as server:
        running.append(start(server, tmp_path))
        running[0].communicate(timeout=60)
        assert running[0].returncode == -9
        before = Counter(server.paths())
        goes_on = start(server, tmp_path)
        _, words = goes_on.communicate(timeout=60)
        assert goes_on.returncode == 0
        counts = Counter(server.paths())
        expected = undisturbed(config, server, tmp_path / "other")
    assert json.loads((tmp_path / "found.json").read_text()) == expected
    assert max(counts.values()) <= 2
    twice = [path for path, number in counts.items() if number == 2]
    assert len(twice) <= config.concurrency, "only what was on its way may be asked for twice"
    assert counts["/robots.txt"] == 1
    assert set(before) <= set(counts)
    assert b"goes on after" in words


def test_a_killed_crawl_leaves_no_process_behind(tmp_path: Path) -> None:
    """The fetching process ends when its parent is gone, though a server keeps it waiting.

    A next crawl does not begin before: it would ask for what the first still asks for.
    """
    workers: list[psutil.Process] = []
    over = threading.Event()

    def strike(handler: BaseHTTPRequestHandler) -> None:
        if not workers:
            workers.extend(fetches(psutil.Process(first.pid)))
            workers[0].suspend()
            first.kill()
            over.wait(15)
        respond(200, page())(handler)

    with Server({"/": strike}) as server:
        first = start(server, tmp_path)
        first.wait(timeout=60)
        second = start(server, tmp_path)
        assert second.stderr is not None
        assert b"another crawl of this source is running" in second.stderr.readline()
        workers[0].resume()
        _, alive = psutil.wait_procs(workers, timeout=10)
        over.set()
        first.communicate(timeout=60)
        second.communicate(timeout=60)
    assert not alive
    assert second.returncode == 0


def test_a_crawl_whose_fetching_process_dies_goes_on_too(
    config: CrawlConfig, tmp_path: Path
) -> None:
    """It says that it broke off; the next run asks only for what is missing."""
    site = Stopper(25, lambda: fetches(psutil.Process())[0].kill())
    with Server(site.routes) as server:
        domain = site_domain(f"{server.url}/")
        with pytest.raises(InputError, match="the crawl broke off with exit status -9"):
            crawl_domain(domain, config)
        result = crawl_domain(domain, config)
        counts = Counter(server.paths())
        assert found(result) == undisturbed(config, server, tmp_path / "other")
    assert len([path for path, number in counts.items() if number > 1]) <= config.concurrency


def broken_off(config: CrawlConfig, server: Server) -> None:
    """Leave a journal behind."""
    with pytest.raises(InputError, match="broke off"):
        crawl_domain(site_domain(f"{server.url}/"), config)


@pytest.mark.parametrize("damage", ["a cut line", "a lost body", "an old journal", "other caps"])
def test_what_cannot_be_relied_on_is_asked_for_again(
    config: CrawlConfig, tmp_path: Path, damage: str
) -> None:
    """The journal's last line may be half, its bodies may be gone, it may be too old."""
    site = Stopper(25, lambda: fetches(psutil.Process())[0].kill())
    with Server(site.routes) as server:
        broken_off(config, server)
        (journal_path,) = tmp_path.rglob("journal.jsonl")
        lines = journal_path.read_bytes().splitlines()
        first = next(line for line in lines if b'"kind":"page"' in line)
        match damage:
            case "a cut line":
                journal_path.write_bytes(journal_path.read_bytes()[:-20])
            case "a lost body":
                sha256 = json.loads(first)["fetched"]["sha256"]
                next(tmp_path.rglob(sha256)).unlink()
            case "an old journal":
                header, _, rest = journal_path.read_text().partition("\n")
                begun_at = (datetime.now(UTC) - timedelta(days=2)).isoformat()
                old = json.dumps({**json.loads(header), "begun_at": begun_at})
                journal_path.write_text(f"{old}\n{rest}")
            case "other caps":
                config = replace(config, max_body_bytes=config.max_body_bytes + 1)
        result = crawl_domain(site_domain(f"{server.url}/"), config)
        again = Counter(server.paths())["/"] - 1
        assert found(result) == undisturbed(config, server, tmp_path / "other")
    assert again == (0 if damage == "a cut line" else 1)


def test_a_mirror_goes_on_only_as_long_as_it_stays_as_it_was(
    config: CrawlConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was read of an edited folder is read again, or old and new pages would be mixed."""
    folder = write_site(tmp_path / "site", {"index.html": page("/a", "/b"), "a.html": "one"})
    asked: list[str] = []
    find = StaticSite.find

    def strike(site: StaticSite, target: str) -> tuple[int, Path | str]:
        asked.append(target)
        if target == "/b":
            time.sleep(0.5)  # for /a to be written down
            fetches(psutil.Process())[0].kill()
        return find(site, target)

    with monkeypatch.context() as patch:
        patch.setattr(StaticSite, "find", strike)
        for _ in range(2):
            with pytest.raises(InputError, match="broke off"):
                crawl_domain(mirror_domain(folder), config)
    assert Counter(asked) == {"/robots.txt": 1, "/sitemap.xml": 1, "/": 1, "/a": 1, "/b": 2}
    (folder / "a.html").write_text("two")
    pages = crawl_domain(mirror_domain(folder), config).pages
    assert [p.body for p in pages][1] == b"two"


def test_two_crawls_of_one_source_do_not_run_at_once(config: CrawlConfig, tmp_path: Path) -> None:
    """The second waits for the lock, which the fetching processes of a killed crawl hold too."""
    with Server({"/": respond(200, page())}) as server:
        crawl_domain(site_domain(f"{server.url}/"), config)
        (lock_path,) = tmp_path.rglob("lock")
        asked = len(server.hits)
        with lock_path.open("wb") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            second = start(server, tmp_path)
            assert second.stderr is not None
            assert b"another crawl of this source is running" in second.stderr.readline()
            time.sleep(1.0)
            assert not fetches(psutil.Process(second.pid))
            assert len(server.hits) == asked
        second.communicate(timeout=60)
    assert second.returncode == 0
    assert len(server.hits) == 2 * asked
