"""`engine=local`: a pool of processes on this machine."""

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

from datatrove.executor.local import LocalPipelineExecutor
from datatrove.utils.logging import logger

from groundwork.engine.pipeline import ShardStep
from groundwork.engine.spool import Job
from groundwork.errors import EngineError

QUIET = 1
"""Rank in datatrove's eyes of a worker whose log goes to its file, and only errors to stderr."""


class LocalExecutor(LocalPipelineExecutor):  # type: ignore[misc]  # datatrove is untyped here
    """datatrove's local executor on a pool that notices when a worker dies.

    Its own, `multiprocess.Pool`, waits for ever for the task of a process that was killed.
    """

    preload: tuple[str, ...] = ()

    def run(self) -> None:
        """Run every task that is not complete. Raises: what a task raises; `EngineError`."""
        # Not forked from here: an encoder's threads may hold locks that would stay shut. The server
        # that new processes are forked from has done their imports once.
        context = get_context("forkserver")
        context.set_forkserver_preload([*self.preload, "groundwork.engine.pipeline"])
        with (
            _same_modules(),
            ProcessPoolExecutor(self.workers, mp_context=context) as pool,
        ):
            tasks = [pool.submit(self._run_for_rank, n, QUIET) for n in self.get_incomplete_ranks()]
            try:
                for task in as_completed(tasks):
                    task.result()
            except BrokenProcessPool as error:
                raise EngineError(
                    "a worker process was killed, as a system does that runs out of memory; what "
                    "was done is remembered; set engine.workers to fewer and run the stage again"
                ) from error
            finally:
                pool.shutdown(cancel_futures=True)


@contextmanager
def _same_modules() -> Iterator[None]:
    """Let the server of new processes find modules where this process does.

    Before Python 3.13 it ignores `sys.path`, so that it would import the user's checkout where DVC
    runs a copy of it.
    """
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = module_path()
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before


def module_path() -> str:
    """Folders in which another Python finds this one's modules, as `PYTHONPATH` has them."""
    import sys

    return os.pathsep.join(path or os.getcwd() for path in sys.path)


def run_local(folder: Path, job: Job, *, workers: int) -> None:
    """Do all shards of `folder`, so many at a time."""
    logger.disable("datatrove")
    step = ShardStep(str(folder), name=job.work.step)
    executor = LocalExecutor(
        [step], tasks=len(job.counts), workers=workers, logging_dir=str(folder / "log")
    )
    executor.preload = job.work.preload
    executor.run()
