"""`engine=local`: a pool of processes on this machine."""

from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.context import ForkServerContext
from pathlib import Path

from datatrove.executor.local import LocalPipelineExecutor
from datatrove.utils.logging import logger

from groundwork.engine.pipeline import ShardStep
from groundwork.engine.spool import Job
from groundwork.errors import EngineError
from groundwork.lifetime import end_with_parent

QUIET = 1
"""Rank in datatrove's eyes of a worker whose log goes to its file, and only errors to stderr."""


class LocalExecutor(LocalPipelineExecutor):  # type: ignore[misc]  # datatrove is untyped here
    """datatrove's local executor on a pool that notices when a worker dies.

    Its own, `multiprocess.Pool`, waits for ever for the task of a process that was killed.
    """

    context: ForkServerContext

    def run(self) -> None:
        """Run every task that is not complete. Raises: what a task raises; `EngineError`."""
        with ProcessPoolExecutor(self.workers, self.context, end_with_parent) as pool:
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


def run_local(folder: Path, job: Job, context: ForkServerContext, *, workers: int) -> None:
    """Do all shards of `folder`, so many at a time."""
    logger.disable("datatrove")
    step = ShardStep(str(folder), name=job.work.step)
    executor = LocalExecutor(
        [step], tasks=len(job.counts), workers=workers, logging_dir=str(folder / "log")
    )
    executor.context = context
    executor.run()
