"""Section `engine` of the configuration: where the work on single records is done."""

from typing import Annotated, Literal

from pydantic import Field

from groundwork.config import Count, PositiveFloat, PositiveInt, Text, schema


@schema
class RayConfig:
    """A Ray cluster."""

    address: str | None
    """Null: that of `RAY_ADDRESS`, or else a Ray on this machine for as long as the step takes."""
    cpus_per_task: PositiveInt
    mem_per_cpu_gb: PositiveFloat
    """Reserved for a task, for each of its processors."""


@schema
class SlurmConfig:
    """A Slurm cluster; empty strings are left to its defaults."""

    partition: Text
    time: Annotated[str, Field(pattern=r"^(\d+-)?\d+(:\d+){0,2}$")]
    """Limit of one job as Slurm writes it, such as 02:00:00."""
    cpus_per_task: PositiveInt
    mem_per_cpu_gb: PositiveInt
    qos: str
    env_command: str
    """Shell command that a job begins with; empty: none."""
    sbatch_args: dict[str, str]
    max_array_size: PositiveInt
    poll_s: PositiveFloat
    """Pause between two looks at what is done."""
    timeout_s: PositiveFloat
    """For all jobs of a step, waiting in the queue included."""


@schema
class EngineConfig:
    """Who does the work on single records; the results are the same for every engine."""

    name: Literal["local", "ray", "slurm"]
    workers: Count
    """Tasks at a time; 0 is one for each core on this machine, and no limit on a cluster."""
    min_records: Count
    """Fewer records that are new to the store are done in the stage's own process."""
    shard_records: PositiveInt
    """Records of a task, at most."""
    shard_bytes: PositiveInt
    """Of a task's records."""
    ray: RayConfig | None
    slurm: SlurmConfig | None

    def __post_init__(self) -> None:
        """Raises: `ValueError` when the settings of the chosen cluster are missing."""
        if self.name != "local" and getattr(self, self.name) is None:
            raise ValueError(
                f"name is {self.name}, so settings of {self.name} are expected: engine={self.name}"
            )
