"""What a crawl keeps on disk between runs: `.cache/groundwork/crawl/<source>/`.

`journal.jsonl` holds the answers of the crawl that runs, written as they come in: a crawl that was
killed is taken up from it. `memory.jsonl` holds those of the last whole crawl, for conditional
requests. `bodies/` holds what both describe. All of it may be deleted while no crawl runs, at the
cost of time alone; what is damaged is fetched again.
"""

import fcntl
import json
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from groundwork.artifacts import project_root, sha256_bytes
from groundwork.crawl.job import Answer, read_answer, to_line
from groundwork.errors import ArtifactError

JOB_NAME = "job.json"


@dataclass(frozen=True, slots=True)
class Bodies:
    """Bodies by their sha256; equal bodies are kept once."""

    folder: Path

    def write(self, sha256: str, body: bytes) -> None:
        """Keep a body, whole or not at all; no fsync, for a body is checked when it is read."""
        path = self._path(sha256)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary_path = path.with_name(f".{sha256}.{os.getpid()}")
        temporary_path.write_bytes(body)
        temporary_path.replace(path)

    def read(self, sha256: str) -> bytes:
        """Raises: `ArtifactError` when the body is missing or damaged."""
        path = self._path(sha256)
        try:
            body = path.read_bytes()
        except OSError as error:
            raise ArtifactError(f"{path}: {error.strerror}; crawl again") from error
        if sha256_bytes(body) != sha256:
            raise ArtifactError(f"{path}: damaged; delete it and crawl again")
        return body

    def has(self, sha256: str) -> bool:
        """Whether the body is there and whole."""
        try:
            self.read(sha256)
        except ArtifactError:
            return False
        return True

    def prune(self, wanted: set[str]) -> None:
        """Delete all other bodies."""
        for path in self.folder.glob("*/*"):
            if path.name not in wanted:
                path.unlink()

    def _path(self, sha256: str) -> Path:
        return self.folder / sha256[:2] / sha256


class Answers:
    """A file of answers: its first line says what they depend on, then comes one a line.

    Only their places are held in memory. A line that was cut off ends the file; an answer whose
    body is missing or damaged does not count.
    """

    def __init__(self, path: Path, bodies: Bodies) -> None:
        self.path, self.bodies = path, bodies
        self.header: dict[str, Any] = {}
        self.places: dict[tuple[str, str], tuple[int, int]] = {}
        self.sha256s: set[str] = set()
        self.end = 0
        if path.exists():
            with path.open("rb") as stream:
                self._index(stream)

    def _index(self, stream: BinaryIO) -> None:
        for line in stream:
            try:
                row = json.loads(line) if line.endswith(b"\n") else None
            except ValueError:
                row = None
            if row is None:
                return
            if self.end == 0:
                self.header = row
            else:
                self._note(row, len(line))
            self.end += len(line)

    def _note(self, row: dict[str, Any], length: int) -> None:
        sha256 = row["fetched"]["sha256"]
        if not sha256 or sha256 in self.sha256s or self.bodies.has(sha256):
            self.sha256s.add(sha256)
            self.places[row["kind"], row["fetched"]["url"]] = (self.end, length)

    def get(self, kind: str, url: str) -> Answer | None:
        """The answer for a URL, as far as there is one."""
        place = self.places.get((kind, url))
        if place is None:
            return None
        with self.path.open("rb") as stream:
            stream.seek(place[0])
            return read_answer(stream.read(place[1]))

    def fits(self, key: str, *, within_s: float) -> bool:
        """Whether the answers depend on `key` and are no older than `within_s`."""
        begun_at = self.header.get("begun_at")
        if self.header.get("answers_key") != key or not isinstance(begun_at, str):
            return False
        age = datetime.now(UTC) - datetime.fromisoformat(begun_at)
        return age.total_seconds() <= within_s


class Store:
    """The folder of one source, while its lock is held."""

    def __init__(self, folder: Path, *, answers_key: str, resume_s: float) -> None:
        self.folder = folder
        self.bodies = Bodies(folder / "bodies")
        self.journal_path = folder / "journal.jsonl"
        self.memory_path = folder / "memory.jsonl"
        journal = Answers(self.journal_path, self.bodies)
        self.known = Answers(self.memory_path, self.bodies)
        """Answers of an earlier crawl, to be asked for conditionally."""
        if not self.known.fits(answers_key, within_s=float("inf")):
            self.known.places.clear()
        self.resumed = journal
        """Answers of the crawl that broke off and goes on now."""
        if not journal.fits(answers_key, within_s=resume_s):
            self._demote(journal, answers_key)
        self.wanted = set(journal.sha256s)
        self._journal = self._open_journal(answers_key)

    def _demote(self, journal: Answers, answers_key: str) -> None:
        """An old journal is no more than a memory, and only if it remembers more."""
        fits = journal.fits(answers_key, within_s=float("inf"))
        if fits and len(journal.places) > len(self.known.places):
            self.journal_path.replace(self.memory_path)
            self.known = Answers(self.memory_path, self.bodies)
        journal.places.clear()
        journal.end = 0

    def _open_journal(self, answers_key: str) -> BinaryIO:
        """Go on behind the last whole line, or begin anew."""
        stream = self.journal_path.open("ab", buffering=0)
        stream.truncate(self.resumed.end)
        if not self.resumed.end:
            header = {"answers_key": answers_key, "begun_at": datetime.now(UTC).isoformat()}
            stream.write(json.dumps(header).encode() + b"\n")
        return stream

    def record(self, answer: Answer) -> None:
        """Write the answer where a kill cannot take it back."""
        self._journal.write(to_line(answer))
        self.wanted.add(answer.fetched.sha256)

    def close(self) -> None:
        """Leave the journal for the next run."""
        self._journal.close()

    def remember(self) -> None:
        """The crawl is whole: its answers become the memory, other bodies go."""
        self.close()
        self.journal_path.replace(self.memory_path)
        self.bodies.prune(self.wanted)

    def forget(self) -> None:
        """Nothing of this crawl is of use to the next one."""
        self.close()
        self.journal_path.unlink()
        self.memory_path.unlink(missing_ok=True)
        shutil.rmtree(self.bodies.folder, ignore_errors=True)


@contextmanager
def locked(source_key: str) -> Iterator[tuple[Path, int]]:
    """The folder of a source, and the descriptor of its lock.

    The fetching processes inherit the descriptor: what a killed crawl left running is waited for,
    so that no URL is fetched by two crawls at once.
    """
    folder = project_root() / ".cache" / "groundwork" / "crawl" / source_key[:16]
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("wb") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.stderr.write("crawl: another crawl of this source is running; waiting for it\n")
            fcntl.flock(stream, fcntl.LOCK_EX)
        yield folder, stream.fileno()
