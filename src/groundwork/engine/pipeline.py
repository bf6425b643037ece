"""A shard's work as a datatrove pipeline: the same for each of its executors."""

import os
from pathlib import Path

from datatrove.data import DocumentsPipeline
from datatrove.pipeline.base import PipelineStep

from groundwork.artifacts import write_json
from groundwork.engine.spool import done_path, read_job, read_shard
from groundwork.engine.work import check_recipe, do_packed


def work_shard(folder: Path, number: int) -> int:
    """Do the records of a shard, say so on disk, and return how many they are."""
    job = read_job(folder)
    os.chdir(job.cwd)
    worker = job.work.worker()
    check_recipe(worker, job.recipe)
    records = 0
    for packed in read_shard(folder, number):
        do_packed(job.work, worker, packed.key, packed.data, counted=False)
        records += 1
    write_json(done_path(folder, number), {"records": records})
    return records


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
