"""Versions of the data, by the name that a user gives them.

In: a git revision, a folder of artifacts, or nothing for the working tree. Out: the files of that
version. Those of a revision come from DVC's cache, or else from its remote.
"""

import io
import json
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from groundwork.errors import ArtifactError, InputError

ARTIFACTS = "artifacts"
WORKING_TREE = "working tree"
Read = Callable[[str], bytes]
"""From `crawl/pages.parquet` to the bytes of that output."""
Files = Callable[[str], list[str]]
"""From `crawl/pages.parquet` to itself, or to the files in the folder of that name."""


@dataclass(frozen=True, slots=True)
class Version:
    """One version of the data."""

    label: str
    read: Read
    files: Files

    def table(self, name: str, columns: Sequence[str]) -> list[dict[str, Any]]:
        """Rows of a Parquet output, with these columns; of all its shards, where it has several.

        Raises: `ArtifactError` when damaged.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        rows: list[dict[str, Any]] = []
        try:
            for part in self.files(name):
                table = pq.read_table(io.BytesIO(self.read(part)), columns=list(columns))
                rows += table.select(list(columns)).to_pylist()
        except (pa.ArrowInvalid, KeyError, OSError) as error:
            if isinstance(error, ArtifactError):
                raise
            raise self._broken(name, error) from error
        return rows

    def lines(self, name: str, fields: Sequence[str]) -> list[dict[str, Any]]:
        """Objects of a JSONL output, with these fields. Raises: `ArtifactError` when damaged."""
        text = self.read(name)
        try:
            rows = [json.loads(line) for line in text.decode().split("\n") if line]
            return [{field: row[field] for field in fields} for row in rows]
        except (ValueError, KeyError, TypeError) as error:
            raise self._broken(name, error) from error

    def _broken(self, name: str, error: Exception) -> ArtifactError:
        reason = " ".join(str(error).split())[:120]
        return ArtifactError(
            f"{ARTIFACTS}/{name} of {self.label}: damaged or of another version ({reason}); "
            f"run `dvc checkout`, or `dvc repro --force --single-item {name.partition('/')[0]}`"
        )


def find_version(name: str | None, root: Path) -> Version:
    """The version that `name` means: a folder if there is one, else a revision of the checkout.

    Raises: `InputError` when it is neither.
    """
    if name is None:
        return _version_of(WORKING_TREE, root / ARTIFACTS)
    folder = Path(name)
    if folder.is_dir():
        inner = folder / ARTIFACTS
        return _version_of(name, inner if inner.is_dir() else folder)
    commit = _commit(name, root)
    return _version_at(name, commit, root)


def _version_of(label: str, folder: Path) -> Version:
    def read(name: str) -> bytes:
        try:
            return (folder / name).read_bytes()
        except FileNotFoundError as error:
            raise ArtifactError(
                f"{folder / name}: no such file; run `dvc checkout` or `dvc repro`, or name a "
                "folder that holds the outputs of crawl, chunk and qa"
            ) from error

    def files(name: str) -> list[str]:
        if not (folder / name).is_dir():
            return [name]
        return sorted(path.relative_to(folder).as_posix() for path in (folder / name).iterdir())

    return Version(label, read, files)


def _commit(name: str, root: Path) -> str:
    command = ["git", "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"]
    found = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if found.returncode:
        raise InputError(
            f"{name!r}: neither a folder nor a revision of the git repository at {root}; expected "
            "for instance HEAD~1, a branch, or a folder like artifacts/"
        )
    return found.stdout.strip()


def _version_at(name: str, commit: str, root: Path) -> Version:
    from dvc.api import DVCFileSystem
    from dvc.exceptions import DvcException

    try:
        tree = DVCFileSystem(url=str(root), rev=commit)
    except DvcException as error:
        raise InputError(f"{root}: DVC cannot open {name} ({error}); run `dvc init`") from error

    def read(path: str) -> bytes:
        try:
            content: bytes = tree.read_bytes(f"{ARTIFACTS}/{path}")
        except (OSError, DvcException) as error:
            raise ArtifactError(
                f"{ARTIFACTS}/{path} of {name} ({commit[:7]}): neither in DVC's cache nor in its "
                f"remote; run `dvc push` where that version was made, or `git checkout {name}` "
                "and `dvc repro` in another clone"
            ) from error
        return content

    def files(path: str) -> list[str]:
        folder = f"{ARTIFACTS}/{path}"
        if not tree.isdir(folder):
            return [path]
        return sorted(f"{path}/{Path(file).name}" for file in tree.ls(folder, detail=False))

    return Version(f"{name} ({commit[:7]})", read, files)
