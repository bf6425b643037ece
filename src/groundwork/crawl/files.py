"""A folder of documents as a source."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from groundwork.config import DomainConfig
from groundwork.crawl.config import CrawlConfig
from groundwork.crawl.documents import Entry, Shelf, read_documents
from groundwork.crawl.outcomes import CrawlResult, RejectReason
from groundwork.errors import InputError


def collect_files(domain: DomainConfig, config: CrawlConfig) -> CrawlResult:
    """Pages of the folder `domain.files.dir`. Raises: `InputError` when there is none."""
    assert domain.files is not None
    files = domain.files
    folder = Path(files.dir)
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder: expected documents in it; check domain.files.dir")
    shelf = Shelf("files", files.public_url, files.include, files.exclude, domain.licence, "")
    return read_documents(Folder(folder.resolve()), shelf, config, where=str(folder))


@dataclass(frozen=True, slots=True)
class Folder:
    """A tree on disk. Links to files inside it are read once; none that leaves it is followed."""

    root: Path
    """Resolved: no link is left in it."""

    def entries(self) -> list[Entry]:
        """All but hidden files; a folder that cannot be listed is an entry with a refusal."""
        files: dict[str, Path] = {}
        failed: list[OSError] = []
        for here, folders, names in os.walk(self.root, onerror=failed.append):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            links = [name for name in folders if (Path(here) / name).is_symlink()]
            for name in [*links, *names]:
                if not name.startswith("."):
                    place = Path(here) / name
                    files[place.relative_to(self.root).as_posix()] = place
        found = [self._entry(path, place, files) for path, place in sorted(files.items())]
        return [*found, *self._closed(failed)]

    def _entry(self, path: str, place: Path, files: dict[str, Path]) -> Entry:
        try:
            if place.is_symlink() and (refusal := self._link_refusal(place, files)):
                return Entry(path, 0, refusal)
            if not place.is_file():
                return Entry(path, 0, (RejectReason.UNREADABLE, "no regular file"))
            return Entry(path, place.stat().st_size)
        except OSError as error:
            return Entry(path, 0, (RejectReason.UNREADABLE, error.strerror or "not readable"))

    def _link_refusal(self, place: Path, files: dict[str, Path]) -> tuple[RejectReason, str] | None:
        try:
            target = place.resolve(strict=True)
        except (OSError, RuntimeError):  # RuntimeError: links in a circle
            return RejectReason.UNREADABLE, "a link that leads nowhere"
        if not target.is_relative_to(self.root):
            return RejectReason.OUTSIDE, "a link that leaves the folder; copy the file into it"
        inside = target.relative_to(self.root).as_posix()
        if target.is_dir() or inside in files:
            return RejectReason.DUPLICATE_URL, f"a link to {inside}, which is read itself"
        return None

    def _closed(self, failed: list[OSError]) -> Iterator[Entry]:
        for error in failed:
            path = Path(str(error.filename)).relative_to(self.root).as_posix()
            yield Entry(path, 0, (RejectReason.UNREADABLE, f"a folder: {error.strerror}"))

    def read(self, path: str, *, max_bytes: int) -> bytes:
        """At most `max_bytes` + 1 bytes. Raises: `OSError`, also for what leaves the folder."""
        place = (self.root / path).resolve()
        if not place.is_relative_to(self.root) or not place.is_file():
            raise FileNotFoundError(2, "no such file in the folder")
        with place.open("rb") as stream:
            return stream.read(max_bytes + 1)
