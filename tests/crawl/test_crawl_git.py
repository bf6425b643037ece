"""The documentation of a repository at a commit: real repositories, a real server of git."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from wsgiref.simple_server import ServerHandler, WSGIRequestHandler, WSGIServer, make_server

import psutil
import pytest
from crawl_servers import Server, make_domain, respond, write_site

from groundwork.config import DomainConfig
from groundwork.crawl import CrawlConfig, collect
from groundwork.crawl.git_program import Git
from groundwork.errors import ConfigError, InputError

BASE = "https://git.example.org/docs/blob"


def git(folder: Path, *words: str) -> str:
    """Run git in `folder` as somebody, at a fixed time."""
    names = {"NAME": "T", "EMAIL": "t@site.example", "DATE": "2026-01-01T00:00:00Z"}
    who = {f"GIT_{role}_{k}": v for role in ("AUTHOR", "COMMITTER") for k, v in names.items()}
    done = subprocess.run(
        ["git", "-C", str(folder), *words],
        env={**os.environ, **who, "GIT_CONFIG_GLOBAL": os.devnull},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def git_domain(repository: str | Path, commit: str = "main", **changes: object) -> DomainConfig:
    """A domain whose source is `repository`."""
    source = {
        "repository": str(repository),
        "commit": commit,
        "public_url": f"{BASE}/{{commit}}",
        "include": [],
        "exclude": [],
        "local": True,
        "max_bytes": 10_000_000,
        **changes,
    }
    return make_domain(git=source)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Two commits: the first is tagged, the second changes one document and adds another."""
    folder = write_site(
        tmp_path / "repository",
        {
            "README.md": "# Read me",
            "docs/a.adoc": "= A\n\n----\ninclude::x.json[]\n----",
            "docs/x.json": '{"x": 1}',
            "src/main.py": "print()",
            ".github/hidden.md": "no",
        },
    )
    git(folder, "init", "--quiet", "--initial-branch=main")
    (folder / "docs" / "again.adoc").symlink_to("a.adoc")
    (folder / "docs" / "passwd.md").symlink_to("/etc/passwd")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "one")
    git(folder, "tag", "-a", "v1", "-m", "v1")
    write_site(folder, {"README.md": "# Read me again", "docs/b.md": "# B"})
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "two")
    return folder


class _QuietHandler(ServerHandler):
    def log_exception(self, _: object) -> None:
        """A client that breaks off is what some tests are about."""


class _Quiet(WSGIRequestHandler):
    def log_message(self, *args: object) -> None:
        pass

    def handle(self) -> None:
        """As the standard library does, but quiet."""
        self.raw_requestline = self.rfile.readline(65537)
        if self.parse_request():
            handler = _QuietHandler(self.rfile, self.wfile, sys.stderr, self.get_environ())
            handler.request_handler = self
            handler.run(self.server.get_app())


@contextmanager
def served(repository: Path) -> Iterator[tuple[str, list[str]]]:
    """The repository behind dulwich's smart HTTP server; its address, and the agents it saw."""
    from dulwich.repo import Repo
    from dulwich.server import DictBackend
    from dulwich.web import make_wsgi_chain

    repo = Repo(str(repository))
    application = make_wsgi_chain(DictBackend({"/docs.git": repo}))
    agents: list[str] = []

    def watched(environ: dict[str, Any], start: Any) -> Any:
        agents.append(environ.get("HTTP_USER_AGENT", ""))
        return application(environ, start)

    with make_server("127.0.0.1", 0, watched, WSGIServer, _Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/docs.git", agents
        finally:
            server.shutdown()
            thread.join()
            repo.close()


def test_documents_are_those_of_the_commit(repository: Path, config: CrawlConfig) -> None:
    """Not those of the working tree; the address and the log name the commit."""
    (repository / "README.md").write_text("not committed")
    commit = git(repository, "rev-parse", "v1^{commit}")
    result = collect(git_domain(repository, "v1"), config)
    assert [(page.url, page.body) for page in result.pages] == [
        (f"{BASE}/{commit}/README.md", b"# Read me"),
        (f"{BASE}/{commit}/docs/a.adoc", b'= A\n\n----\n{"x": 1}\n----'),
    ]
    assert {page.source for page in result.pages} == {"git"}
    found = {r.key.removeprefix(f"{BASE}/{commit}/"): r.reason for r in result.rejects}
    assert found == {
        "docs/again.adoc": "duplicate_url",
        "docs/passwd.md": "outside",
        "docs/x.json": "content_type",
        "src/main.py": "content_type",
    }
    assert {(fetch.etag, fetch.robots) for fetch in result.fetches} == {(commit, "not_asked")}


@pytest.mark.parametrize("name", ["main", "HEAD", "short", "full"])
def test_a_commit_has_many_names(repository: Path, config: CrawlConfig, name: str) -> None:
    """Branch, HEAD, an abbreviated and a full id."""
    full = git(repository, "rev-parse", "HEAD")
    commit = {"short": full[:9], "full": full}.get(name, name)
    result = collect(git_domain(repository, commit, include=["docs/"], exclude=["docs/a"]), config)
    assert [page.url for page in result.pages] == [f"{BASE}/{full}/docs/b.md"]


@pytest.mark.parametrize("name", ["v1", "main", "full", "short"])
def test_a_remote_repository_is_fetched(repository: Path, config: CrawlConfig, name: str) -> None:
    """By tag, branch, and a commit that is no branch's end; the same pages as from disk."""
    full = git(repository, "rev-parse", "v1^{commit}")
    commit = {"full": full, "short": full[:9]}.get(name, name)
    with served(repository) as (url, agents):
        remote = collect(git_domain(url, commit), config)
    here = collect(git_domain(repository, commit), config)
    assert (remote.pages, remote.rejects) == (here.pages, here.rejects)
    assert set(agents) == {config.user_agent}


@pytest.mark.parametrize(
    ("commit", "message"),
    [
        ("v9", "no commit, tag or branch 'v9'; check domain.git.commit"),
        ("0123456789abcdef0123456789abcdef01234567", "no commit, tag or branch '0123"),
    ],
)
@pytest.mark.parametrize("remote", [False, True])
def test_an_unknown_commit_is_named(
    repository: Path, config: CrawlConfig, commit: str, message: str, remote: bool
) -> None:
    """On disk and behind a server; the key to mend stands in the message."""
    with served(repository) as (url, _), pytest.raises(InputError, match=message):
        collect(git_domain(url if remote else repository, commit), config)


@pytest.mark.parametrize("commit", ["--upload-pack=x", "+main:main", "", "main~1", "two words"])
def test_what_is_no_name_of_a_commit_is_a_configuration_error(commit: str) -> None:
    """It could be an option of git."""
    with pytest.raises(ConfigError, match=r"domain\.git\.commit"):
        git_domain("x", commit)


def test_a_repository_that_does_not_exist_is_named(tmp_path: Path, config: CrawlConfig) -> None:
    """On disk, a folder without one, behind a server, behind no server."""
    with pytest.raises(InputError, match=r"none is no folder.*domain.git.repository"):
        collect(git_domain(tmp_path / "none"), config)
    with pytest.raises(InputError, match=r"is no git repository.*domain=files"):
        collect(git_domain(tmp_path), config)
    quick = replace(config, retries=1)
    with Server({}) as server:
        with pytest.raises(InputError, match=rf"{server.url}/x.git: git could not fetch it.*not"):
            collect(git_domain(f"{server.url}/x.git"), quick)
        assert len(server.hits) == 1  # a 404 is not asked again
    with pytest.raises(InputError, match="git could not fetch it"):
        collect(git_domain(f"{server.url}/x.git"), quick)


def test_passing_failures_are_retried(config: CrawlConfig) -> None:
    """A busy server is asked as often as any page."""
    with Server({"/x.git/info/refs?service=git-upload-pack": respond(503)}) as server:
        with pytest.raises(InputError, match="503"):
            collect(git_domain(f"{server.url}/x.git"), replace(config, retries=2))
        assert len(server.hits) == 3


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::1]"])
def test_private_addresses_are_refused_unless_local(
    repository: Path, config: CrawlConfig, host: str
) -> None:
    """Not one request is sent."""
    with served(repository) as (url, agents):
        port = url.split(":")[2]
        with pytest.raises(InputError, match=r"has the address .*domain\.git\.local=true"):
            collect(git_domain(f"http://{host}:{port}", local=False), config)
    assert agents == []


def test_the_name_is_tied_to_the_address_that_was_checked(
    repository: Path, config: CrawlConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """git connects where we looked, not where the name leads a moment later."""
    from groundwork.crawl import git_program

    monkeypatch.setattr(git_program, "resolve", lambda *_, **__: ["127.0.0.1"])
    with served(repository) as (url, _):
        port = url.split(":")[2].split("/")[0]
        result = collect(git_domain(f"http://no-such.invalid:{port}/docs.git", "v1"), config)
    assert len(result.pages) == 2


def test_redirects_are_not_followed(repository: Path, config: CrawlConfig) -> None:
    """They could lead to an address that nobody checked."""
    with served(repository) as (url, agents):
        target = f"{url}/info/refs?service=git-upload-pack"
        route = {"/x.git/info/refs?service=git-upload-pack": respond(302, Location=target)}
        with Server(route) as server, pytest.raises(InputError, match="could not fetch"):
            collect(git_domain(f"{server.url}/x.git"), config)
    assert agents == []


@pytest.mark.parametrize(
    "url", ["ssh://git@host.example/x", "ext::sh -c id", "http://u:p@host.example/x", "file:///x"]
)
def test_other_schemes_and_passwords_are_refused(config: CrawlConfig, url: str) -> None:
    """Before git is started; what is no address is a path that does not exist."""
    with pytest.raises((ConfigError, InputError), match=r"expected http://HOST|is no folder"):
        collect(git_domain(url), config)


def test_a_large_repository_is_cut_off(repository: Path, config: CrawlConfig) -> None:
    """The kernel ends git's writing at the cap."""
    (repository / "noise.bin").write_bytes(os.urandom(2_000_000))
    git(repository, "add", ".")
    git(repository, "commit", "--quiet", "-m", "noise")
    with served(repository) as (url, _), pytest.raises(InputError, match=r"domain\.git\.max_bytes"):
        collect(git_domain(url, max_bytes=500_000), config)


def test_a_server_that_never_answers_ends_at_the_time_cap(config: CrawlConfig) -> None:
    """With git's helpers, which would hold the pipes open."""
    import time

    slow = {"/x.git/info/refs?service=git-upload-pack": lambda _: time.sleep(3)}
    started = time.monotonic()
    with Server(slow) as server, pytest.raises(InputError, match="max_total_s=1"):
        collect(git_domain(f"{server.url}/x.git"), replace(config, max_total_s=1.0))
    assert time.monotonic() - started < 3
    commands = (process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"]))
    assert not [words for words in commands if any(server.url in word for word in words)]


def test_settings_of_the_user_do_not_take_part(
    repository: Path, config: CrawlConfig, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Neither a global configuration nor variables of a hook that calls us."""
    evil = tmp_path / ".gitconfig"
    evil.write_text('[url "file:///etc/"]\n\tinsteadOf = http://\n')
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(evil))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    assert Git(repository, config).output("rev-parse", "--is-bare-repository") == b"false\n"
    with served(repository) as (url, _):
        assert len(collect(git_domain(url, "v1"), config).pages) == 2
