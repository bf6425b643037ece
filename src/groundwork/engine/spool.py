"""Records that wait for workers: shards on disk in a folder of their own, with the job's facts.

    .cache/groundwork/work/<step>/<random>/
        job.json                what is to be done, with the number of records of each shard
        input/00000.parquet     records with the keys of their results
        done/00000.json         how many records of a shard are done; written last
        log/                    datatrove's: logs, completion markers, Slurm's script

The results lie in the content-addressed store; a stage that was killed finds them there, and makes
shards of the others. A folder whose process is gone is removed by the next one.
"""

import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from groundwork.artifacts import project_root, read_json, write_json, write_parquet
from groundwork.engine.config import EngineConfig
from groundwork.engine.work import Work
from groundwork.tables import Rows, size_of

FIRST_SHARD = 16
"""Records of the first shards: few records still keep all workers busy."""
GROWTH = 8
"""A shard holds at most this fraction of the records before it."""


@dataclass(frozen=True, slots=True)
class Packed:
    """A record that waits."""

    key: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Job:
    """All that a worker must know; `job.json`."""

    work: Work
    recipe: str
    """Of the stage's own worker, to be compared."""
    cwd: str
    """Working folder of the stage, to which paths of the settings are relative."""
    counts: tuple[int, ...]
    """Records by shard."""


class Spool:
    """Gathers packed records; writes them as shards once they are more than one shard's."""

    def __init__(self, folder: Path, config: EngineConfig) -> None:
        self.folder = folder
        self.total = 0
        self.counts: list[int] = []
        self._config = config
        self._waiting: list[Packed] = []
        self._bytes = 0

    def add(self, key: str, data: bytes) -> None:
        """Take one more record."""
        packed = Packed(key, data)
        size = size_of(packed)
        limit = max(FIRST_SHARD, (self.total - len(self._waiting)) // GROWTH)
        full = len(self._waiting) >= min(limit, self._config.shard_records)
        if self._waiting and (full or self._bytes + size > self._config.shard_bytes):
            self.flush()
        self._waiting.append(packed)
        self._bytes += size
        self.total += 1

    def flush(self) -> None:
        """Write what waits as a shard."""
        if self._waiting:
            write_parquet(input_path(self.folder, len(self.counts)), self._waiting, Packed)
            self.counts.append(len(self._waiting))
        self._waiting, self._bytes = [], 0

    def __iter__(self) -> Iterator[Packed]:
        """All records in their order."""
        for number in range(len(self.counts)):
            yield from read_shard(self.folder, number)
        yield from self._waiting


def input_path(folder: Path, number: int) -> Path:
    """Where the records of a shard lie."""
    return folder / "input" / f"{number:05d}.parquet"


def done_path(folder: Path, number: int) -> Path:
    """Where the worker of a shard says that it is done."""
    return folder / "done" / f"{number:05d}.json"


def log_path(folder: Path, number: int) -> Path:
    """Where datatrove writes what happens to a shard."""
    return folder / "log" / "logs" / f"task_{number:05d}.log"


def read_shard(folder: Path, number: int) -> Rows[Packed]:
    """Records of a shard."""
    return Rows(input_path(folder, number), Packed)


def write_job(folder: Path, job: Job) -> None:
    """Leave the job's facts where workers find them."""
    write_json(folder / "job.json", asdict(job))


def read_job(folder: Path) -> Job:
    """Raises: `ArtifactError` when there is none."""
    row: dict[str, Any] = read_json(folder / "job.json")
    work = row["work"]
    return Job(
        work=Work(**{**work, "preload": tuple(work["preload"])}),
        recipe=row["recipe"],
        cwd=row["cwd"],
        counts=tuple(row["counts"]),
    )


@contextmanager
def work_folder(step: str) -> Iterator[Path]:
    """A new folder, removed at the end but for its logs' sake after an error.

    Those of processes that are gone are removed before.
    """
    root = project_root() / ".cache" / "groundwork" / "work" / step
    root.mkdir(parents=True, exist_ok=True)
    for left in sorted(root.iterdir()):
        _remove_if_left(left)
    folder = Path(tempfile.mkdtemp(dir=root))
    with (folder / "lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder
        shutil.rmtree(folder, ignore_errors=True)


def _remove_if_left(folder: Path) -> None:
    lock_path = folder / "lock"
    if not lock_path.exists():
        return  # begun this very moment
    with lock_path.open("rb+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        shutil.rmtree(folder, ignore_errors=True)
