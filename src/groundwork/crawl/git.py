"""The documentation files of a git repository at a commit as a source."""

import shutil
import subprocess
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from posixpath import dirname, join, normpath

from groundwork.config import DomainConfig
from groundwork.crawl.config import CrawlConfig
from groundwork.crawl.documents import Entry, Shelf, read_documents
from groundwork.crawl.git_program import Git, fetch_commit, find_commit
from groundwork.crawl.job import Answer, Kind
from groundwork.crawl.notes import notes_of
from groundwork.crawl.outcomes import CrawlResult, Fetched, RejectReason
from groundwork.crawl.store import Store
from groundwork.sources import GitConfig

LINK, SUBMODULE = "120000", "160000"


def collect_git(domain: DomainConfig, config: CrawlConfig) -> CrawlResult:
    """Pages of `domain.git`. Raises: `InputError` and `ConfigError` that name the repository."""
    assert domain.git is not None
    source = domain.git
    remote = "://" in source.repository
    with ExitStack() as stack:
        if remote:
            known = ["git", source.repository, source.commit]
            depends_on = [source.local, source.max_bytes]
            store = stack.enter_context(notes_of(known, depends_on=depends_on, config=config))
            git = Git(store.folder / "repository", config)
            stack.callback(shutil.rmtree, git.folder, ignore_errors=True)
            commit = _brought(git, source, store)
        else:
            git = Git(Path(source.repository), config)
            commit = find_commit(git, source)
        tree = stack.enter_context(Commit(git, commit))
        public_url = source.public_url.replace("{commit}", commit)
        shelf = Shelf("git", public_url, source.include, source.exclude, domain.licence, commit)
        where = f"{source.repository} at {commit[:12]}"
        return read_documents(tree, shelf, config, where=where)


def _brought(git: Git, source: GitConfig, store: Store) -> str:
    """The commit of a remote repository, fetched unless a run that was killed has done so."""
    noted = store.resumed.get(Kind.COMMIT, source.repository)
    if (
        noted
        and git.folder.is_dir()
        and git.run("cat-file", "-e", noted.fetched.etag).returncode == 0
    ):
        return noted.fetched.etag
    shutil.rmtree(git.folder, ignore_errors=True)
    git.folder.mkdir()
    commit = fetch_commit(git, source)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    store.record(Answer(Kind.COMMIT, Fetched(source.repository, 0, now, etag=commit), (), ()))
    return commit


@dataclass(frozen=True, slots=True)
class _Blob:
    mode: str
    object_id: str
    size_bytes: int


class Commit:
    """A tree of a repository; a context manager, for `git` answers as long as it is read."""

    def __init__(self, git: Git, commit: str) -> None:
        """Lists the commit's files."""
        self.git = git
        listing = git.output("ls-tree", "-r", "-l", "-z", commit)
        self.blobs = dict(_blob(line) for line in listing.split(b"\0") if line)

    def __enter__(self) -> "Commit":
        self.process = self.git.start("cat-file", "--batch")
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.close()
        self.process.stdout.close()
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def entries(self) -> list[Entry]:
        """All but hidden files; links and submodules with the reason why they are not read."""
        shown = {path: blob for path, blob in self.blobs.items() if not _is_hidden(path)}
        return [self._entry(path, blob) for path, blob in sorted(shown.items())]

    def _entry(self, path: str, blob: _Blob) -> Entry:
        if blob.mode == SUBMODULE:
            return Entry(path, 0, (RejectReason.OUTSIDE, "a submodule: a repository of its own"))
        if blob.mode == LINK:
            return Entry(path, 0, self._link_refusal(path, blob))
        return Entry(path, blob.size_bytes)

    def _link_refusal(self, path: str, blob: _Blob) -> tuple[RejectReason, str]:
        target = self._content(blob)[:1000].decode("utf-8", "replace")
        place = normpath(join(dirname(path), target))
        if place in self.blobs or any(name.startswith(f"{place}/") for name in self.blobs):
            return RejectReason.DUPLICATE_URL, f"a link to {place}, which is read itself"
        return RejectReason.OUTSIDE, f"a link to {target}, which is no file of the repository"

    def read(self, path: str, *, max_bytes: int) -> bytes:
        """At most `max_bytes` + 1 bytes. Raises: `OSError`, also for larger files."""
        blob = self.blobs.get(path)
        if blob is None or blob.mode in (LINK, SUBMODULE):
            raise FileNotFoundError(2, "no such file in the repository")
        if blob.size_bytes > max_bytes:
            raise OSError(27, f"{blob.size_bytes} bytes; expected at most {max_bytes}")
        return self._content(blob)

    def _content(self, blob: _Blob) -> bytes:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{blob.object_id}\n".encode())
        self.process.stdin.flush()
        header = self.process.stdout.readline().split()
        if len(header) != 3 or header[1] != b"blob":
            raise OSError(5, "damaged or missing in the repository")
        content = self.process.stdout.read(int(header[2]) + 1)
        return content[:-1]


def _blob(line: bytes) -> tuple[str, _Blob]:
    details, _, path = line.partition(b"\t")
    mode, _, object_id, size = details.decode("ascii").split()
    size_bytes = int(size) if size.isdecimal() else 0
    return path.decode("utf-8", "surrogateescape"), _Blob(mode, object_id, size_bytes)


def _is_hidden(path: str) -> bool:
    return any(name.startswith(".") for name in path.split("/"))
