"""A progress line of work that others do: it counts what they say on disk that they have done."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

from tqdm import tqdm

from groundwork.engine.spool import Job, done_path

LOOK_S = 0.5
"""Seconds between two looks."""


@contextmanager
def watching(folder: Path, job: Job, *, label: str, unit: str) -> Iterator[None]:
    """Show how many records are done for as long as the block runs."""
    ended = Event()
    with tqdm(desc=label, unit=unit, total=sum(job.counts)) as bar:
        watcher = Thread(target=_watch, args=(folder, job, bar, ended), daemon=True)
        watcher.start()
        try:
            yield
        finally:
            ended.set()
            watcher.join()


def _watch(folder: Path, job: Job, bar: "tqdm[None]", ended: Event) -> None:
    waiting = dict(enumerate(job.counts))
    last = False
    while not last:
        last = ended.wait(LOOK_S)
        for number in [n for n in waiting if done_path(folder, n).exists()]:
            bar.update(waiting.pop(number))
