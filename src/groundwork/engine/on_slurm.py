"""`engine=slurm`: a job array on a Slurm cluster.

datatrove writes the script and, inside a job, picks the shard. Two things are done here instead:
its job would load a pickled executor, ours reads `job.json`; and it returns when the jobs are
queued, while a stage has to wait for them.
"""

import json
import math
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from datatrove.executor.base import DistributedEnvVars
from datatrove.executor.slurm import SlurmPipelineExecutor, launch_slurm_job
from datatrove.utils.logging import logger

from groundwork.artifacts import write_json
from groundwork.engine.config import EngineConfig, SlurmConfig
from groundwork.engine.pipeline import ShardStep
from groundwork.engine.processes import module_path
from groundwork.engine.spool import Job, done_path
from groundwork.errors import EngineError

SETTINGS = "slurm.json"
"""File of a work folder in which tasks find the section `engine.slurm`."""
UNSEEN = 3
"""Looks in a row at a queue without our jobs after which they are believed to have ended: a shared
file system may show late what a job wrote last."""


class SlurmExecutor(SlurmPipelineExecutor):  # type: ignore[misc]  # datatrove is untyped here
    """datatrove's executor without its pickle."""

    def launch_job(self) -> list[str]:
        """Queue all tasks, as arrays of at most `max_array_size`; return the jobs' ids."""
        ranks = self.get_incomplete_ranks()
        with self.logging_dir.open("ranks_to_run.json", "w") as stream:
            json.dump(ranks, stream)
        size = min(len(ranks), self.max_array_size)
        folder = self.pipeline[0].folder
        command = [sys.executable, "-m", "groundwork.engine.task", folder]
        script = self.get_launch_file_contents(self.get_sbatch_args(size), shlex.join(command))
        with self.logging_dir.open("launch_script.slurm", "w") as stream:
            stream.write(script)
        return [
            launch_slurm_job(script, self.job_id_retriever, f"--export=ALL,RUN_OFFSET={offset}")
            for offset in range(math.ceil(len(ranks) / size))
        ]

    def get_distributed_env(self, node_rank: int = -1) -> DistributedEnvVars:  # noqa: ARG002
        """A task has one node, so none need be asked for."""
        return DistributedEnvVars(
            datatrove_node_ips="",
            datatrove_cpus_per_task=str(self.cpus_per_task),
            datatrove_mem_per_cpu=str(self.mem_per_cpu_gb),
            datatrove_gpus_on_node="0",
            datatrove_executor="SLURM",
        )


def make_executor(folder: Path, job: Job, config: SlurmConfig, *, workers: int) -> SlurmExecutor:
    """The executor of a job, in the stage and in each of its tasks."""
    ready = [
        *([config.env_command] if config.env_command else []),
        f"cd {shlex.quote(job.cwd)}",
        f"export PYTHONPATH={shlex.quote(module_path())}",
    ]
    return SlurmExecutor(
        [ShardStep(str(folder), name=job.work.step)],
        tasks=len(job.counts),
        time=config.time,
        partition=config.partition,
        cpus_per_task=config.cpus_per_task,
        mem_per_cpu_gb=config.mem_per_cpu_gb,
        workers=workers or -1,
        job_name=f"groundwork_{job.work.step}",
        qos=config.qos,
        env_command="; ".join(ready),
        sbatch_args=dict(config.sbatch_args),
        max_array_size=config.max_array_size,
        logging_dir=str(folder / "log"),
    )


def run_slurm(folder: Path, job: Job, engine: EngineConfig) -> None:
    """Do all shards of `folder`. Raises: `EngineError` without Slurm, or when its jobs fail."""
    assert engine.slurm is not None
    config = engine.slurm
    if not shutil.which("sbatch"):
        raise EngineError(
            "engine=slurm: no program `sbatch` on PATH; run the stages on a node that submits "
            "jobs, or `groundwork compose engine=local`"
        )
    logger.disable("datatrove")
    write_json(folder / SETTINGS, asdict(config))
    executor = make_executor(folder, job, config, workers=engine.workers)
    try:
        ids = executor.launch_job()
    except subprocess.CalledProcessError as error:
        raise EngineError(
            f"engine=slurm: sbatch refused the job with exit code {error.returncode}; its reason "
            f"is above, the script is {folder}/log/launch_script.slurm; check engine.slurm"
        ) from error
    with ExitStack() as stack:
        stack.callback(_cancel, ids)  # also when the user interrupts the stage
        _wait(folder, job, config, ids)
        stack.pop_all()


def _wait(folder: Path, job: Job, config: SlurmConfig, ids: Sequence[str]) -> None:
    """Until all shards are done or no job is left. Raises: `EngineError` when it takes too long."""
    deadline = time.monotonic() + config.timeout_s
    unseen = 0
    while any(not done_path(folder, number).exists() for number in range(len(job.counts))):
        if time.monotonic() > deadline:
            raise EngineError(
                f"engine=slurm: jobs {', '.join(ids)} were not done within "
                f"engine.slurm.timeout_s={config.timeout_s:g}; they are cancelled, what was done "
                "is remembered: raise it, or look at the partition with `sinfo`"
            )
        unseen = 0 if _queued(ids) else unseen + 1
        if unseen == UNSEEN:
            return  # what is not done is found by who counts the shards
        time.sleep(config.poll_s)


def _queued(ids: Sequence[str]) -> bool:
    """Whether Slurm still knows one of the jobs as waiting or running; also when it is too busy."""
    told = subprocess.run(
        ["squeue", "--noheader", "--format=%A", f"--jobs={','.join(ids)}"],
        capture_output=True,
        text=True,
        check=False,
    )
    ended = "Invalid job id" in told.stderr
    return bool(told.stdout.strip()) or (told.returncode != 0 and not ended)


def _cancel(ids: Sequence[str]) -> None:
    if shutil.which("scancel"):
        subprocess.run(["scancel", *ids], check=False)
