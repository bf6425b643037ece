"""A shard's work as a datatrove pipeline: the same for each of its executors."""

import os
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from datatrove.data import DocumentsPipeline
from datatrove.pipeline.base import PipelineStep

from groundwork.artifacts import write_json
from groundwork.engine.spool import done_path, input_path, log_path, read_job, read_shard
from groundwork.engine.work import check_recipe, do_packed


def work_shard(folder: Path, number: int) -> int:
    """Do the records of a shard, say so on disk, and return how many they are."""
    job = read_job(folder)
    os.chdir(job.cwd)
    worker = job.work.worker()
    check_recipe(worker, job.recipe)
    records = 0
    with job.work.within_threads():
        for packed in read_shard(folder, number):
            with _NamedRecord(folder, number, records):
                do_packed(job.work, worker, packed.key, packed.data, counted=False)
            records += 1
    write_json(done_path(folder, number), {"records": records})
    return records


@dataclass(frozen=True, slots=True)
class _NamedRecord:
    """Says of an error which record it came from, and where the log lies."""

    folder: Path
    shard: int
    record: int

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: object, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            error.add_note(
                f"record {self.record} of shard {input_path(self.folder, self.shard)}; log: "
                f"{log_path(self.folder, self.shard)}"
            )


class ShardStep(PipelineStep):  # type: ignore[misc]  # datatrove is untyped here
    """The one step of the pipeline: rank n does shard n."""

    type = "groundwork"

    def __init__(self, folder: str, *, name: str) -> None:
        super().__init__()
        self.folder = folder
        self.name = name

    def run(
        self,
        data: DocumentsPipeline = None,
        rank: int = 0,
        world_size: int = 1,  # noqa: ARG002  datatrove's signature
    ) -> DocumentsPipeline:
        """Do the shard of this rank; there is nothing to hand on."""
        with self.track_time("shard"):
            records = work_shard(Path(self.folder), rank)
        self.stat_update("records", value=records)
        return data
