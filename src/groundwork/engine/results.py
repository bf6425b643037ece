"""What a step makes of each of its records, on whatever engine; in the records' order.

Results lie in the content-addressed store. What is new to it is done first: few records in this
process, more of them as shards by the workers of an engine. So the results are the same whatever
the engine, what was done before a kill is kept, and no more than a shard is held in memory.
"""

import os
from collections.abc import Collection, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Generic, TypeVar

from tqdm import tqdm

from groundwork.artifacts import read_json
from groundwork.engine.config import EngineConfig
from groundwork.engine.processes import start_server
from groundwork.engine.progress import watching
from groundwork.engine.spool import (
    Job,
    Packed,
    Spool,
    done_path,
    input_path,
    log_path,
    read_shard,
    work_folder,
    write_job,
)
from groundwork.engine.work import Work, Worker, do_packed
from groundwork.errors import EngineError
from groundwork.store import count_reuse, recall, remembered

Record = TypeVar("Record")


class Results(Generic[Record]):
    """Pairs of a record and the bytes that its worker makes of it; iterate as often as you like."""

    def __init__(
        self,
        work: Work,
        records: Iterable[Record],
        *,
        engine: EngineConfig | None,
        unit: str,
        label: str = "",
        worker: Worker[Record] | None = None,
    ) -> None:
        """Do what is new to the store; `records` are iterated once now and once each time.

        Without an engine all is done in this process. The progress line names `label`, by default
        the step, and `unit`, a record. `worker` is this process's own, where it has one; other
        processes make theirs. Raises: `EngineError` when workers fail.
        """
        self._work, self._records = work, records
        self._worker = worker or work.worker()
        self._label, self._unit = label or work.step, unit
        if engine is None or (engine.name == "local" and _local_workers(work, engine) == 1):
            self._do_here()
        else:
            with work_folder(work.step) as folder:
                spool = self._gather(Spool(folder, engine))
                self._do_all(spool, engine)

    def __iter__(self) -> Iterator[tuple[Record, bytes]]:
        """What is gone from the store since is done again."""
        for record in self._records:
            compute = partial(self._worker.compute, record)
            key = self._worker.key(record)
            yield record, remembered(self._work.step, key, compute, counted=False)

    def _do_here(self) -> None:
        size = len(self._records) if isinstance(self._records, Collection) else None
        with self._work.within_threads():
            for record in tqdm(self._records, desc=self._label, unit=self._unit, total=size):
                compute = partial(self._worker.compute, record)
                remembered(self._work.step, self._worker.key(record), compute)

    def _gather(self, spool: Spool) -> Spool:
        """The records that are new to the store."""
        for record in self._records:
            key = self._worker.key(record)
            found = recall(self._work.step, key) is not None
            count_reuse(self._work.step, found=found)
            if not found:
                spool.add(key, self._worker.pack(record))
        return spool

    def _do_all(self, spool: Spool, engine: EngineConfig) -> None:
        if spool.total < max(engine.min_records, 1):
            with self._work.within_threads():
                for packed in tqdm(spool, desc=self._label, unit=self._unit, total=spool.total):
                    do_packed(self._work, self._worker, packed.key, packed.data, counted=False)
            return
        spool.flush()
        job = Job(self._work, self._worker.recipe, os.getcwd(), tuple(spool.counts))
        write_job(spool.folder, job)
        with watching(spool.folder, job, label=self._label, unit=self._unit):
            _run(spool.folder, job, engine)
        check_done(spool.folder, job)


def _local_workers(work: Work, engine: EngineConfig) -> int:
    """Processes at a time: of the cores as many as a worker's threads leave room for."""
    cores = engine.workers or len(os.sched_getaffinity(0))
    return max(1, cores // work.threads)


def _run(folder: Path, job: Job, engine: EngineConfig) -> None:
    if engine.name == "local":
        context = start_server([*job.work.preload, "groundwork.engine.pipeline"])
        from groundwork.engine.local import run_local

        run_local(folder, job, context, workers=_local_workers(job.work, engine))
    elif engine.name == "ray":
        from groundwork.engine.on_ray import run_ray

        run_ray(folder, job, engine)
    else:
        from groundwork.engine.on_slurm import run_slurm

        run_slurm(folder, job, engine)


def check_done(folder: Path, job: Job) -> None:
    """Raises: `EngineError` that names the first shard which is not done whole.

    Executors report success when tasks have failed, so every shard and every result is looked for.
    """
    for number, expected in enumerate(job.counts):
        path = done_path(folder, number)
        found = read_json(path)["records"] if path.exists() else 0
        if found != expected:
            raise _failed(folder, number, f"{found} of {expected} records are done")
        lacking = [item for item in read_shard(folder, number) if _is_lacking(job.work, item)]
        if lacking:
            raise _failed(
                folder,
                number,
                f"{len(lacking)} of {expected} results are not in the store: do all workers "
                "write to this checkout's .cache?",
            )


def _is_lacking(work: Work, item: Packed) -> bool:
    return recall(work.step, item.key) is None


def _failed(folder: Path, number: int, problem: str) -> EngineError:
    return EngineError(
        f"shard {input_path(folder, number)}: {problem}; read "
        f"{log_path(folder, number)}; what was done is remembered: mend the cause and run the "
        "stage again"
    )
