"""`engine=ray`: tasks on a Ray cluster, or on a Ray of its own on this machine."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from groundwork.engine.config import EngineConfig, RayConfig
from groundwork.engine.processes import module_path
from groundwork.engine.spool import Job
from groundwork.errors import EngineError

GIB = 2**30
KNOCK_S = 10


def run_ray(folder: Path, job: Job, engine: EngineConfig) -> None:
    """Do all shards of `folder`. Raises: `EngineError` when there is no Ray, or too small a one."""
    from datatrove.executor.ray import RayPipelineExecutor
    from datatrove.utils.logging import logger

    from groundwork.engine.pipeline import ShardStep

    assert engine.ray is not None
    logger.disable("datatrove")
    config = engine.ray
    with _cluster(config):
        room = _room(config)
        executor = RayPipelineExecutor(
            [ShardStep(str(folder), name=job.work.step)],
            tasks=len(job.counts),
            workers=min(engine.workers or room, room),
            logging_dir=str(folder / "log"),
            cpus_per_task=config.cpus_per_task,
            mem_per_cpu_gb=config.mem_per_cpu_gb,
        )
        executor.run()


@contextmanager
def _cluster(config: RayConfig) -> Iterator[None]:
    """Be connected to Ray for as long as the block runs."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
    except ImportError as error:
        raise EngineError(
            f"engine=ray: Ray is not installed ({error}); run `pip install 'groundwork[ray]'`, or "
            "`groundwork compose engine=local`"
        ) from error
    address = config.address or os.environ.get("RAY_ADDRESS")
    try:
        _knock(address or "")
        ray.init(
            address=address,
            include_dashboard=None if address else False,
            runtime_env={"env_vars": {"PYTHONPATH": module_path()}},
            log_to_driver=False,
            logging_level="warning",
        )
    except (OSError, ValueError) as error:
        raise EngineError(
            f"engine.ray.address={address}: no Ray answers ({error}); start one with "
            "`ray start --head`, or set it to null for a Ray of the stage's own"
        ) from error
    try:
        yield
    finally:
        ray.shutdown()


def _knock(address: str) -> None:
    """Raises: `OSError` when nobody listens at `host:port`; Ray itself tries for many minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host.strip("[]"), int(port)), timeout=KNOCK_S).close()


def _room(config: RayConfig) -> int:
    """Tasks that the cluster can hold at a time; Ray would wait for ever for room for the first."""
    import ray

    bytes_each = config.mem_per_cpu_gb * config.cpus_per_task * GIB
    rooms = [
        min(node["Resources"].get("CPU", 0) // config.cpus_per_task,
            node["Resources"].get("memory", 0) // bytes_each)
        for node in ray.nodes()
        if node["Alive"]
    ]  # fmt: skip
    if not sum(rooms):
        raise EngineError(
            f"engine.ray: a task takes {config.cpus_per_task} processors and "
            f"{bytes_each / GIB:.1f} GiB, and no node of {len(rooms)} has them; lower "
            "engine.ray.cpus_per_task or engine.ray.mem_per_cpu_gb"
        )
    return int(sum(rooms))
